"""Settings of one bank, read from ``<bank>/.syncd/config.toml``.

`SETTINGS` is the one list of them: it drives parsing, the messages about bad values and the table in the manual.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

from syncd.errors import ConfigError

NAME = "config.toml"


class Setting(NamedTuple):
    """One key of ``config.toml``. ``why_not`` says in a few words why a value is not possible, or None."""

    name: str
    kind: type
    default: int | float | str
    help: str
    why_not: Callable[[Any], str | None]


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
    Setting("timezone", str, "",
            "zone of the times that `mb` and the Python API record, such as `Asia/Kolkata`; empty: the system's",
            _zone),
    Setting("log_level", str, "info", "what the daemon logs: debug, info, warning or error", _level),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of one bank; the defaults where its file says nothing. Seconds, records, megabytes as named."""

    hold_records: int = 5
    hold_share: float = 0.2
    settle_seconds: float = 1.0
    follow_after: float = 2.0
    scan_seconds: float = 60.0
    max_document_mb: int = 64
    daily_backups: int = 7
    weekly_backups: int = 4
    timezone: str = ""
    log_level: str = "info"


def load(bank: Path) -> Config:
    """The settings of ``bank``. Raises `ConfigError` with file and line for what is not understood."""
    file = bank / ".syncd" / NAME
    try:
        data = file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return Config()
    import tomllib

    try:
        text = data.decode("utf-8")
        return _checked(tomllib.loads(text), text, file)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError("not UTF-8", f"{file}:{line}", "save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(*_syntax(str(error), text, file), "mend or remove that line") from None


def _syntax(message: str, text: str, file: Path) -> tuple[str, str]:
    """What tomllib said, and ``file:line`` where it said it."""
    found = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", message)
    line = int(found[1]) if found and found[1] else text.count("\n") + (not text.endswith("\n"))
    return f"not TOML ({message[: found.start()] if found else message})", f"{file}:{line}"


def _checked(values: Mapping[str, Any], text: str, file: Path) -> Config:
    known = {setting.name: setting for setting in SETTINGS}
    for name, value in values.items():
        where = f"{file}:{_line_of(name, text)}"
        setting = known.get(name)
        if setting is None:
            raise ConfigError(f"unknown setting `{name}`", where, f"known are {', '.join(known)}")
        kinds = (int, float) if setting.kind is float else (setting.kind,)
        right = isinstance(value, kinds) and not isinstance(value, bool)
        reason = setting.why_not(value) if right else f"must be {_KIND_NAMES[setting.kind]}"
        if reason:
            raise ConfigError(f"`{name}` {reason}, not {value!r}", where, f"the default is {setting.default!r}")
    return Config(**{name: known[name].kind(value) for name, value in values.items()})


_KIND_NAMES = {int: "a whole number", float: "a number", str: "a text in quotes"}


def _line_of(name: str, text: str) -> int:
    """Line (from 1) on which the key or table ``name`` is set; 1 where it is spelled in an unusual way."""
    found = re.search(rf"^[ \t]*(?:\[+[ \t]*)?[\"']?{re.escape(name)}\b", text, re.M)
    return text.count("\n", 0, found.start()) + 1 if found else 1


def manual() -> str:
    """The table of settings as markdown, for the manual."""
    rows = ["| setting | default | what it does |", "|---|---|---|"]
    rows += [f"| `{s.name}` | `{s.default!r}` | {s.help} |".replace("`'", '`"').replace("'`", '"`') for s in SETTINGS]
    return "\n".join(rows) + "\n"


# A setting without a field, or with another default, would be read and then ignored.
assert [(s.name, s.default) for s in SETTINGS] == [(f.name, f.default) for f in fields(Config)]
