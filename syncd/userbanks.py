"""The list of banks in the user's settings: read it, add to it, remove from it, with all else in the file as it was.

tomlkit keeps comments and layout; it is imported only where the file is edited.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from syncd import config, configfile
from syncd.errors import ConfigError, from_os
from syncd.userfiles import user_config


def listed() -> list[Path] | None:
    """The banks of the list, absolute, each once; None where the settings have no list. Raises `ConfigError`.

    They need not be there: what is listed and cannot be served is told by the daemon and by `syncd list`.
    """
    given = config.sources(None).get("banks")
    return None if given is None else list(dict.fromkeys(_real(path) for path in given.value))


def add(bank: Path) -> bool:
    """Put ``bank`` on the list; False where it stands there. Raises `SyncdError`, and then the file is as it was."""

    def edit(paths: Any) -> bool:
        if any(_real(path) == bank for path in paths):
            return False
        paths.append(str(bank))
        return True

    return _edit(edit)


def remove(bank: Path) -> bool:
    """Take ``bank``, however it is spelled, off the list; False where it does not stand there. Raises `SyncdError`."""

    def edit(paths: Any) -> bool:
        numbers = [number for number, path in enumerate(paths) if _real(path) == bank]
        for number in reversed(numbers):
            del paths[number]
        return bool(numbers)

    return _edit(edit)


def _real(path: str) -> Path:
    return Path(path).expanduser().resolve()


def _edit(edit: Callable[[Any], bool]) -> bool:
    """Have ``edit`` change the list; whether it did. One at a time, and the file is replaced in one step."""
    file = Path(os.path.realpath(user_config()))  # a link into somebody's dotfiles stays one
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(file.parent):
            data = file.read_bytes() if file.exists() else b""
            configfile.checked(data, file, config.SETTINGS, of_bank=False)
            new = _edited(data.decode(), edit)
            if new is None:
                return False
            configfile.checked(new, file, config.SETTINGS, of_bank=False)
            _replace(file, new)
    except OSError as error:
        refusal = from_os(error)
        raise ConfigError(refusal.what, refusal.path or str(file), refusal.hint) from error
    return True


def _edited(text: str, edit: Callable[[Any], bool]) -> bytes | None:
    import tomlkit

    document = tomlkit.parse(text)
    if "banks" not in document:
        document.add("banks", tomlkit.array().multiline(True))
    changed = edit(document["banks"])
    return tomlkit.dumps(document).encode() if changed else None


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """While this runs, no other command edits the list."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _replace(file: Path, data: bytes) -> None:
    mode = file.stat().st_mode & 0o777 if file.exists() else 0o600
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            os.fchmod(out.fileno(), mode)
            out.flush()
            os.fsync(out.fileno())
        os.replace(name, file)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
    folder = os.open(file.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
