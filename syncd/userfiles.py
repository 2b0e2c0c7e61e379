"""Where this user's settings and the daemon's socket lie.

On Linux two lines of the XDG rules save every command the import of platformdirs, which knows the other systems; a test
compares the two.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

_NAME = "syncd"


def user_config(environ: Mapping[str, str] | None = None) -> Path:
    """The user's ``config.toml``; it need not be there."""
    environ = os.environ if environ is None else environ
    if sys.platform == "linux":
        home = environ.get("XDG_CONFIG_HOME", "").strip()
        return (Path(home) if home else Path(environ.get("HOME") or Path.home()) / ".config") / _NAME / "config.toml"
    import platformdirs

    return platformdirs.user_config_path(_NAME) / "config.toml"


def runtime_folders(environ: Mapping[str, str] | None = None) -> list[Path]:
    """Folders in which a daemon of this user may have its socket, the one that a new daemon takes first.

    A service is given its folder in ``$RUNTIME_DIRECTORY``; commands, which are not, look where services have it.
    """
    environ = os.environ if environ is None else environ
    found = [Path(name) for name in environ.get("RUNTIME_DIRECTORY", "").split(":") if name]
    own = environ.get("XDG_RUNTIME_DIR", "").strip()
    if own:
        found.append(Path(own) / _NAME)
    elif sys.platform == "linux":
        found.append(Path(f"/run/user/{os.getuid()}") / _NAME)
    if sys.platform == "linux":
        found.append(Path("/run") / _NAME)
        found.append(Path("/tmp") / f"{_NAME}-{os.getuid()}")  # noqa: S108 (made and checked by `control`)
    else:
        import platformdirs

        found.append(platformdirs.user_runtime_path(_NAME))
    return list(dict.fromkeys(found))
