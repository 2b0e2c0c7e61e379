"""One ``config.toml``: what it sets, checked against the list of settings, each with its line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from syncd.errors import ConfigError, from_os

if TYPE_CHECKING:
    from syncd.config import Setting

_KIND_NAMES = {
    int: "a whole number", float: "a number", str: "a text in quotes", bool: "true or false",
    tuple: "a list of texts in quotes",
}  # fmt: skip


class Given(Struct, frozen=True):
    """A value and the place that sets it; ``line`` counts from 1."""

    value: Any
    file: Path
    line: int


def read(file: Path, settings: Sequence[Setting], *, of_bank: bool) -> dict[str, Given]:
    """What ``file`` sets, by name; nothing where it is not there. Raises `ConfigError` with file and line."""
    try:
        data = file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        refusal = from_os(error)
        raise ConfigError(refusal.what, str(file), refusal.hint) from error
    return checked(data, file, settings, of_bank=of_bank)


def checked(data: bytes, file: Path, settings: Sequence[Setting], *, of_bank: bool) -> dict[str, Given]:
    """What the text ``data`` of ``file`` sets. Raises `ConfigError`."""
    import tomllib

    try:
        text = data.decode("utf-8")
        values = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError("not UTF-8", f"{file}:{line}", "save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(*_syntax(str(error), text, file), "mend or remove that line") from None
    known = {setting.name: setting for setting in settings}
    return {name: _given(name, value, known, _line_of(name, text), file, of_bank) for name, value in values.items()}


def _syntax(message: str, text: str, file: Path) -> tuple[str, str]:
    """What tomllib said, and ``file:line`` where it said it."""
    found = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", message)
    line = int(found[1]) if found and found[1] else text.count("\n") + (not text.endswith("\n"))
    return f"not TOML ({message[: found.start()] if found else message})", f"{file}:{line}"


def _given(name: str, value: Any, known: dict[str, Setting], line: int, file: Path, of_bank: bool) -> Given:
    where = f"{file}:{line}"
    setting = known.get(name)
    if setting is None:
        raise ConfigError(f"unknown setting `{name}`", where, f"known are {', '.join(known)}")
    if setting.user_only and of_bank:
        hint = "set it in your own file (`syncd config path`): a bank may come from somebody else"
        raise ConfigError(f"`{name}` is not read from a bank", where, hint)
    reason = _why_not(setting, value)
    if reason:
        from syncd.config import shown

        raise ConfigError(f"`{name}` {reason}, not {value!r}", where, f"the default is {shown(setting.default)}")
    return Given(setting.kind(value), file, line)


def _why_not(setting: Setting, value: Any) -> str | None:
    kind = setting.kind
    kinds = (int, float) if kind is float else (list if kind is tuple else kind,)
    right = isinstance(value, kinds) and (kind is bool or not isinstance(value, bool))
    if right and kind is tuple:
        right = all(isinstance(item, str) for item in value)
    return setting.why_not(value) if right else f"must be {_KIND_NAMES[kind]}"


def _line_of(name: str, text: str) -> int:
    """Line (from 1) on which the key or table ``name`` is set; 1 where it is spelled in an unusual way."""
    found = re.search(rf"^[ \t]*(?:\[+[ \t]*)?[\"']?{re.escape(name)}\b", text, re.M)
    return text.count("\n", 0, found.start()) + 1 if found else 1
