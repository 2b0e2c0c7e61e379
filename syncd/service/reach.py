"""Whether an installed service may write a bank: its sandbox opens the home directory, and the banks it was made for.

Looks at the units' files only, so that `syncd add` can ask.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from syncd.service.escape import quoted
from syncd.service.render import HIDDEN_FROM_USER, file_name, is_ours, within

_SYSTEM = Path("/etc/systemd/system")


def closed(banks: Sequence[Path], environ: Mapping[str, str], system: Path = _SYSTEM) -> tuple[list[Path], str | None]:
    """The banks that an installed service is kept from, and the command that opens them to it."""
    if not sys.platform.startswith("linux"):
        return [], None
    home = environ.get("HOME") or os.path.expanduser("~")
    user = Path(environ.get("XDG_CONFIG_HOME") or f"{home}/.config") / "systemd" / "user"
    for folder, command in ((user, "syncd service install"), (system, "sudo syncd service install --system")):
        text = _text(folder / file_name(single=False))
        if found := [bank for bank in banks if text and not _open(text, str(bank), os.path.realpath(home))]:
            return found, command
    return [], None


def _text(file: Path) -> str:
    """The unit's text; "" where there is none of ours."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return text if is_ours(text) else ""


def _open(text: str, bank: str, home: str) -> bool:
    if "\nReadWritePaths=" not in text and "\nBindPaths=" not in text:
        return True  # it runs without namespaces, so without a sandbox for files
    if within(bank, (home,)) and not within(bank, HIDDEN_FROM_USER):
        return True
    return any(f"\n{option}={quoted('-' + bank)}\n" in text for option in ("ReadWritePaths", "BindPaths"))
