"""What the service manager (systemd) is told, as sd_notify(3) describes: one datagram to the socket that it names.

Without a service manager nothing is sent and nothing fails. Own lines, because the two libraries for it are no gain:
one has had no release for years, the other needs a compiler and systemd's headers.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping

_USEC = 1_000_000


class Notifier:
    """Tells the service manager how the daemon is. ``environ`` names the socket and the watchdog's period.

    The main loop calls `progress` when it got something done; that feeds the watchdog, and only that.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket: socket.socket | None = None
        if self._address:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._socket.setblocking(False)  # a manager that does not read must not stop the daemon
        self._every = _watchdog_period(environ) if self._socket else None
        self._fed_at = float("-inf")
        self._status = ""

    @property
    def every(self) -> float | None:
        """Seconds after which `progress` is to be called again at the latest; None where nobody watches."""
        return self._every

    def ready(self, status: str) -> None:
        """All is watched, or known to fail; also the end of a reload."""
        self._status = status
        self._send("READY=1", f"STATUS={status}")

    def status(self, status: str) -> None:
        """A line for ``systemctl status``; sent when it is another than the last."""
        if status != self._status:
            self._status = status
            self._send(f"STATUS={status}")

    def reloading(self) -> None:
        """The settings are being read again; `ready` ends it."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        """The end has begun."""
        self._send("STOPPING=1", "STATUS=stopping")

    def starting(self, seconds: float, status: str) -> None:
        """The start is under way and may take ``seconds`` more; a long first import is no failure."""
        self._status = status
        self._send(f"EXTEND_TIMEOUT_USEC={int(seconds * _USEC)}", f"STATUS={status}")

    def progress(self, now: float) -> None:
        """Something was done at ``now`` on the monotonic clock: the watchdog is fed if its time has come."""
        if self._every is not None and now - self._fed_at >= self._every / 2:
            self._fed_at = now
            self._send("WATCHDOG=1")

    def close(self) -> None:
        """Let go of the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, *lines: str) -> None:
        if self._socket is None:
            return
        message = "\n".join(line.replace("\n", " ") for line in lines).encode("utf-8", "backslashreplace")
        try:
            self._socket.sendto(message, self._address)
        except OSError:
            return  # the manager went away or is full: it notices by itself, and files and rows do not depend on it


def _watchdog_period(environ: Mapping[str, str]) -> float | None:
    """Half of the time after which the manager takes a silent daemon for hung, in seconds."""
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    try:
        period = int(environ.get("WATCHDOG_USEC", "0"))
    except ValueError:
        return None
    return period / 2 / _USEC if period > 0 else None
