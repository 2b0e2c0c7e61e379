"""How systemd wants paths to be written. Pure; may import the errors only."""

from __future__ import annotations

from syncd.errors import UsageError

_LONGEST = 255  # bytes of a unit's name
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:_.")


def quoted(path: str) -> str:
    """``path`` as one word of a unit file: spaces, quotes, backslashes and percent signs mean themselves.

    Raises `UsageError` for what a unit file cannot hold: line breaks, control characters, names that are not UTF-8.
    """
    if not path.isprintable():
        raise UsageError("a unit file cannot name this path", path, "rename the folder, or run `syncd run` by hand")
    inner = path.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{inner}"'


def program(path: str) -> str:
    """``path`` as the program of ``ExecStart=``, whatever is in it.

    A dollar sign in a program's path means itself if a colon stands before it. Quotes and backslashes are refused there
    and allowed in arguments, so env(1) is given such a path; in arguments a dollar sign is doubled.
    """
    if any(sign in path for sign in "\"'\\"):
        return f"/usr/bin/env {quoted(path).replace('$', '$$')}"
    return f":{quoted(path)}" if "$" in path else quoted(path)


def instance(path: str) -> str:
    """The instance name for an absolute ``path``, as ``systemd-escape --path`` makes it and ``%f`` reads it.

    Raises `UsageError` where the name gets too long for a unit.
    """
    inner = "/".join(part for part in path.split("/") if part)
    if not inner:
        return "-"
    parts = []
    for place, byte in enumerate(inner.encode("utf-8", "surrogateescape")):
        if byte == 0x2F:
            parts.append("-")
        elif byte in _PLAIN and not (place == 0 and byte == 0x2E):
            parts.append(chr(byte))
        else:
            parts.append(f"\\x{byte:02x}")
    name = "".join(parts)
    if len(f"syncd@{name}.service") > _LONGEST:
        raise UsageError("the path is too long for a unit of its own", path, "add it to the banks of the one service")
    return name
