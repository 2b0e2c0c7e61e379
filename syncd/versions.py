"""The versions that matter in a report of a bug, as `syncd --version --verbose` prints them."""

from __future__ import annotations

import platform
import sqlite3
import sys
from importlib import metadata

from syncd import __version__

LIBRARIES = (
    "apsw", "watchdog", "mistletoe", "structlog", "merge3", "msgspec", "zstandard", "rich", "tomlkit", "platformdirs",
    "shtab",
)  # fmt: skip
"""What is installed with syncd and takes part in what it does; a test compares it with pyproject.toml."""


def versions() -> dict[str, str]:
    """Each name and its version; a library that is not there says so."""
    found = {"syncd": __version__, "python": f"{platform.python_version()} ({platform.python_implementation()})"}
    found |= {"sqlite": _sqlite(), "sqlite of python": sqlite3.sqlite_version}
    found |= {name: _installed(name) for name in LIBRARIES}
    libc = " ".join(platform.libc_ver()).strip()
    return found | {
        "system": _system(),
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        **({"libc": libc} if libc else {}),
        "names": f"{sys.getfilesystemencoding()}, {sys.getfilesystemencodeerrors()}",
    }


def _sqlite() -> str:
    """The SQLite that keeps the databases: apsw brings its own."""
    try:
        from schema.db import sqlite_version
    except ImportError as error:
        return f"not there ({error})"
    return sqlite_version()


def _installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def _system() -> str:
    if sys.platform == "darwin":
        return f"macOS {platform.mac_ver()[0]}"
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "not known")
    except OSError:
        return "not known"
