"""Asking a running daemon over its socket. Who asks never depends on it: there may be none, or one that hangs."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from syncd.userfiles import runtime_folders

PATIENCE_S = 2.0
"""Seconds after which a daemon that does not answer is said to hang. One that is slow on a busy machine does not."""


class Silence(Struct, frozen=True):
    """No answer. ``hung``: the daemon has a socket and does not answer; else there is none, or it was closed.

    ``sent``: the daemon has the request, and may have done it.
    """

    hung: bool
    sent: bool = False


def ask(pid: int, request: Mapping[str, Any], patience: float = PATIENCE_S) -> dict[str, Any] | Silence:
    """The answer of the daemon with this process id. Raises nothing."""
    for folder in runtime_folders():
        path = folder / f"{pid}.sock"
        try:
            if path.is_socket():
                return _asked(path, request, time.monotonic() + patience)
        except OSError:
            continue
    return Silence(hung=False)


def _asked(path: Path, request: Mapping[str, Any], deadline: float) -> dict[str, Any] | Silence:
    """Raises OSError where this is not the socket of a daemon of ours."""
    import socket

    from syncd.daemon.sockets import address, peer_uid

    sent = False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            connection.settimeout(_left(deadline))
            with address(path) as where:
                connection.connect(where)
            if peer_uid(connection) not in (0, os.getuid()):
                raise PermissionError(str(path))
            line = json.dumps(dict(request)).encode() + b"\n"
            sent = True
            connection.sendall(line)
            text = b""
            while not text.endswith(b"\n"):
                connection.settimeout(_left(deadline))
                came = connection.recv(1 << 20)
                if not came:
                    return Silence(hung=False, sent=True)
                text += came
        except (TimeoutError, BlockingIOError):
            return Silence(hung=True, sent=sent)
        except ConnectionError:
            if not sent:
                raise
            return Silence(hung=False, sent=True)
    answer = json.loads(text)
    return answer if isinstance(answer, dict) else Silence(hung=False)


def _left(deadline: float) -> float:
    """Seconds that are left; at least a moment, as none would mean not to wait at all."""
    return max(0.001, deadline - time.monotonic())
