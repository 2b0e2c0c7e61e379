"""What must be the same at both ends of the socket for a command to do the same at both."""

from __future__ import annotations

import os

from syncd import __version__
from syncd.userfiles import user_config


def side() -> dict[str, str | None]:
    """The program's version, the zone of its clock, and where its user's settings are."""
    return {"version": __version__, "zone": os.environ.get("TZ"), "settings": str(user_config())}
