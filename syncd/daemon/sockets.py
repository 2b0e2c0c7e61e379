"""Unix sockets of this user: a folder that only its owner may enter, addresses of any length, who is at the other end.

Shared by the daemon (`control`) and the commands that ask it (`ask`).
"""

from __future__ import annotations

import os
import socket
import stat
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LONGEST = 107 if sys.platform == "linux" else 103  # bytes of sun_path without its end


def own_folder(folder: Path) -> bool:
    """Whether ``folder`` is there, made if its parent allows, is this user's, and nobody else may enter it."""
    try:
        if not folder.is_dir():
            folder.mkdir(mode=0o700)
        found = os.lstat(folder)
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            return False
        if found.st_mode & 0o077:
            os.chmod(folder, 0o700)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)


@contextmanager
def address(path: Path) -> Iterator[str]:
    """The name under which ``path`` can be bound or connected to while this lasts.

    Raises OSError where it is too long and the system offers no shorter one.
    """
    name = os.fspath(path)
    if len(os.fsencode(name)) <= _LONGEST:
        yield name
        return
    if sys.platform != "linux":
        raise OSError(f"the path of the socket is too long: {name}")
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def peer_uid(connection: socket.socket) -> int:
    """The user at the other end. Raises OSError."""
    if sys.platform == "linux":
        told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return int(struct.unpack("3i", told)[1])
    told = connection.getsockopt(0, 1, 76)  # SOL_LOCAL, LOCAL_PEERCRED: struct xucred, its version and the user first
    return int(struct.unpack("2I", told[:8])[1])
