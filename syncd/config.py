"""Settings: a user's, in ``~/.config/syncd/config.toml``, and a bank's, in ``<bank>/.syncd/config.toml``, which win.

`SETTINGS` is the one list of them: it drives parsing, the messages about bad values, `syncd config show` and the table
in the manual. How the files are read is `configfile`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec import Struct

from syncd.configfile import Given, read
from syncd.userfiles import user_config

NAME = "config.toml"


class Setting(Struct, frozen=True):
    """One key of ``config.toml``. ``why_not`` says in a few words why a value is not possible, or None.

    ``user_only``: not read from a bank's file, which may have come with a clone of somebody else's repository.
    """

    name: str
    kind: type
    default: int | float | str | bool | tuple[str, ...]
    help: str
    why_not: Callable[[Any], str | None]
    user_only: bool = False


def _at_least(low: float) -> Callable[[Any], str | None]:
    return lambda value: None if value >= low else f"must be at least {low:g}"


def _share(value: float) -> str | None:
    return None if 0 <= value <= 1 else "must be between 0 and 1"


def _seconds_or_never(value: float) -> str | None:
    return None if value >= 0 or value == -1 else "must be at least 0, or -1 for never"


def _level(value: str) -> str | None:
    levels = ("debug", "info", "warning", "error")
    return None if value in levels else f"must be one of {', '.join(levels)}"


def _zone(value: str) -> str | None:
    from zoneinfo import ZoneInfo

    try:
        if value:
            ZoneInfo(value)
    except (ValueError, OSError, KeyError):
        return "must be the name of a time zone such as Asia/Kolkata"
    return None


def _command(value: str) -> str | None:
    import shlex

    try:
        shlex.split(value)
    except ValueError as error:
        return f"must be a command that can be split into words ({error})"
    return None


def _folders(value: tuple[str, ...]) -> str | None:
    bad = next((path for path in value if not path.startswith(("/", "~"))), None)
    return None if bad is None else "must name folders from the root on, or from ~"


SETTINGS: tuple[Setting, ...] = (
    Setting("hold_records", int, 5,
            "a document that would delete more records than this, and more than `hold_share`, is held", _at_least(0)),
    Setting("hold_share", float, 0.2, "share of a document's records, from 0 to 1; see `hold_records`", _share),
    Setting("settle_seconds", float, 1.0,
            "how long a file must stay away before it counts as deleted (seconds)", _at_least(0)),
    Setting("follow_after", float, 2.0,
            "seconds of quiet after a manual edit before the daemon writes the other places that show the same value; "
            "0 at once, -1 never (`syncd sync --follow` does so at any time)", _seconds_or_never),
    Setting("scan_seconds", float, 60.0,
            "seconds between two full scans by the daemon at least; a large bank is scanned more rarely",
            _at_least(1)),
    Setting("max_document_mb", int, 64, "a larger document is left alone and reported (megabytes)", _at_least(1)),
    Setting("daily_backups", int, 7,
            "days of which the newest backup is kept; with `weekly_backups` 0 too, the daemon makes none",
            _at_least(0)),
    Setting("weekly_backups", int, 4, "weeks of which the newest backup is kept", _at_least(0)),
    Setting("cutover_days", float, 7.0,
            "days that must have passed since anything was unexplained before `syncd cutover`", _at_least(0)),
    Setting("cutover_edits", int, 20, "edits of files that must have come since then", _at_least(0)),
    Setting("read_only_files", bool, False, "in mode database-first, take the write permission from the files",
            lambda _: None),
    Setting("timezone", str, "",
            "zone of the times that `mb` and the Python API record, such as `Asia/Kolkata`; empty: the system's",
            _zone),
    Setting("log_level", str, "info", "what the daemon logs: debug, info, warning or error", _level),
    Setting("on_conflict", str, "",
            "a command to run when there are new conflicts; it gets the event as JSON on its standard input", _command,
            user_only=True),
    Setting("on_hold", str, "", "a command to run when something new is held; see `on_conflict`", _command,
            user_only=True),
    Setting("on_failed", str, "", "a command to run when a bank cannot be served any more; see `on_conflict`", _command,
            user_only=True),
    Setting("hook_seconds", float, 10.0, "how long such a command may take before it is killed (seconds)",
            _at_least(0.1), user_only=True),
    Setting("banks", tuple, (),
            "the banks that `syncd run` serves where none is named; `syncd add` and `syncd remove` edit it", _folders,
            user_only=True),
)  # fmt: skip


class Config(Struct, frozen=True):
    """The settings of one bank; the defaults where no file says anything. Seconds, records, megabytes as named."""

    hold_records: int = 5
    hold_share: float = 0.2
    settle_seconds: float = 1.0
    follow_after: float = 2.0
    scan_seconds: float = 60.0
    max_document_mb: int = 64
    daily_backups: int = 7
    weekly_backups: int = 4
    cutover_days: float = 7.0
    cutover_edits: int = 20
    read_only_files: bool = False
    timezone: str = ""
    log_level: str = "info"
    on_conflict: str = ""
    on_hold: str = ""
    on_failed: str = ""
    hook_seconds: float = 10.0
    banks: tuple[str, ...] = ()


def load(bank: Path) -> Config:
    """The settings that hold in ``bank``. Raises `ConfigError` with file and line for what is not understood."""
    return Config(**{name: given.value for name, given in sources(bank).items()})


def load_user() -> Config:
    """The user's settings alone. Raises `ConfigError`."""
    return Config(**{name: given.value for name, given in sources(None).items()})


def sources(bank: Path | None) -> dict[str, Given]:
    """What is set, by name, with the file and line that says it; what is not named has its default.

    ``bank`` None: the user's settings alone. Raises `ConfigError`.
    """
    found = read(user_config(), SETTINGS, of_bank=False)
    if bank is not None:
        found |= read(file_of(bank), SETTINGS, of_bank=True)
    return found


def file_of(bank: Path) -> Path:
    """A bank's own settings; the file need not be there."""
    return bank / ".syncd" / NAME


def manual() -> str:
    """The table of settings as markdown, for the manual."""
    rows = ["| setting | default | where | what it does |", "|---|---|---|---|"]
    for s in SETTINGS:
        default = f"`{shown(s.default)}`"
        rows.append(f"| `{s.name}` | {default} | {'user' if s.user_only else 'user, bank'} | {s.help} |")
    return "\n".join(rows) + "\n"


def shown(value: object) -> str:
    """A value as it is written in ``config.toml``."""
    import json

    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)


# A setting without a field, or with another default, would be read and then ignored.
assert [(s.name, s.default) for s in SETTINGS] == list(
    zip(Config.__struct_fields__, Config.__struct_defaults__, strict=True)
)
