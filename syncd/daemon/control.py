"""The daemon's socket: what commands ask it directly, one JSON object a line.

A thread does all that waits (accepting, reading, writing) and only hands whole requests to the main loop; so a client
that is slow, or speaks nonsense, costs the banks nothing. Where the main loop is busy a question for its state is
answered by what it is busy with.
"""

from __future__ import annotations

import fcntl
import json
import os
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from syncd.daemon.sockets import address, own_folder, peer_uid
from syncd.daemon.wake import Wakes

REQUESTS = ("status", "sync", "pause", "resume", "reload", "mb")
"""What can be asked: ``{"do": "pause", "bank": "/path"}``; without ``bank`` all are meant."""

_LONGEST_LINE = 65_536
_MOST_CLIENTS = 32
_BUSY_S = 0.1  # a question for the state is answered by then, by whoever can


class _Client(Struct):
    """One connection: what came and was not read yet, what is still to be sent."""

    socket: socket.socket
    read: bytes = b""
    write: bytes = b""
    waiting: list[Request] = field(default_factory=list)


class Request(Struct, eq=False):
    """What a client asks. `answer` may be called from any thread; only the first answer counts."""

    do: str
    bank: str | None
    _control: Control
    _client: _Client
    asked_at: float
    said: dict[str, Any] = field(default_factory=dict)
    answered: bool = False

    def answer(self, **values: Any) -> None:
        """Send ``values``; ``ok`` is true unless they say something else."""
        self._control.send(self, {"ok": True, **values})

    def refuse(self, what: str, hint: str | None = None) -> None:
        """Say why not."""
        self._control.send(self, {"ok": False, "error": what, "hint": hint})


class Control:
    """The socket of one daemon. ``busy`` tells, from any thread, what the main loop is doing; None: nothing."""

    def __init__(self, wake: Wakes, busy: Callable[[], dict[str, Any] | None]) -> None:
        self.path: Path | None = None
        self._wake = wake
        self._busy = busy
        self._requests: deque[Request] = deque()
        self._lock = threading.Lock()
        self._clients: dict[int, _Client] = {}
        self._thread: threading.Thread | None = None
        self._listener: socket.socket | None = None
        self._stop = False
        self._nudge_in, self._nudge_out = os.pipe()
        os.set_blocking(self._nudge_out, False)
        os.set_blocking(self._nudge_in, False)

    def start(self, folders: Iterable[Path]) -> str | None:
        """Listen in the first of ``folders`` that can be used; the sentence why there is no socket, if none can."""
        reason = "no folder for it that only this user may enter"
        for folder in folders:
            if not own_folder(folder):
                continue
            try:
                self._listener = _listen(folder, f"{os.getpid()}.sock")
            except OSError as error:
                reason = f"{folder}: {error.strerror or error}"
                continue
            self.path = folder / f"{os.getpid()}.sock"
            self._thread = threading.Thread(target=self._run, name="control", daemon=True)
            self._thread.start()
            return None
        return reason

    def take(self) -> Iterator[Request]:
        """The requests that came since the last call."""
        while self._requests:
            request = self._requests.popleft()
            if not request.answered:
                yield request

    def close(self) -> None:
        """Answer nobody any more and remove the socket."""
        self._stop = True
        self._nudge()
        if self._thread is not None:
            self._thread.join(2.0)
        if self._listener is not None and self.path is not None:
            self._listener.close()
            with suppress(OSError), _alone(self.path.parent):
                self.path.unlink(missing_ok=True)
        for end in (self._nudge_in, self._nudge_out):
            os.close(end)

    def send(self, request: Request, values: dict[str, Any]) -> None:
        """Hand an answer to the thread that writes it."""
        with self._lock:
            if request.answered:
                return
            request.answered = True
            request._client.write += json.dumps(values, default=str).encode() + b"\n"
        self._nudge()

    def _nudge(self) -> None:
        with suppress(BlockingIOError):
            os.write(self._nudge_out, b"!")

    # -- in the thread -------------------------------------------------------------------------------------------

    def _run(self) -> None:
        assert self._listener is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._nudge_in, selectors.EVENT_READ)
            while not self._stop:
                for key, _ in selector.select(self._patience()):
                    if key.fileobj is self._listener:
                        self._accept(selector)
                    elif key.fd == self._nudge_in:
                        with suppress(BlockingIOError):
                            os.read(self._nudge_in, 4096)
                    elif key.fd in self._clients:
                        self._read(selector, self._clients[key.fd])
                self._answer_for_the_busy()
                for client in list(self._clients.values()):
                    self._write(selector, client)
            for client in list(self._clients.values()):
                self._drop(selector, client)

    def _patience(self) -> float | None:
        """Seconds until somebody has to be told that the main loop is busy; None: nobody asks."""
        asked = [r.asked_at for c in self._clients.values() for r in c.waiting if r.do == "status"]
        return max(0.0, min(asked) + _BUSY_S - time.monotonic()) if asked else None

    def _answer_for_the_busy(self) -> None:
        for client in self._clients.values():
            client.waiting = [request for request in client.waiting if not request.answered]
            for request in client.waiting:
                if request.do == "status" and time.monotonic() >= request.asked_at + _BUSY_S:
                    request.answer(busy=self._busy() or {})

    def _accept(self, selector: selectors.BaseSelector) -> None:
        assert self._listener is not None
        try:
            connection, _ = self._listener.accept()
        except OSError:
            time.sleep(0.05)  # no descriptor is free: what is waiting keeps waiting
            return
        try:
            welcome = peer_uid(connection) in (0, os.getuid()) and len(self._clients) < _MOST_CLIENTS
        except OSError:
            welcome = False
        if not welcome:
            connection.close()
            return
        connection.setblocking(False)
        self._clients[connection.fileno()] = _Client(connection)
        selector.register(connection, selectors.EVENT_READ)

    def _read(self, selector: selectors.BaseSelector, client: _Client) -> None:
        try:
            came = client.socket.recv(_LONGEST_LINE)
        except BlockingIOError:
            return
        except OSError:
            came = b""
        client.read += came
        if not came or len(client.read) > _LONGEST_LINE:
            self._drop(selector, client)
            return
        while b"\n" in client.read:
            line, _, client.read = client.read.partition(b"\n")
            self._take_in(client, line)

    def _take_in(self, client: _Client, line: bytes) -> None:
        request = Request("", None, self, client, time.monotonic())
        try:
            said = request.said = json.loads(line)
            request.do, bank = said["do"], said.get("bank")
            request.bank = None if bank is None else str(bank)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            request.refuse('this is no request', 'one line such as {"do": "status"}')
            return
        if request.do not in REQUESTS:
            request.refuse(f"unknown request {str(request.do)[:40]!r}", f"known are {', '.join(REQUESTS)}")
            return
        client.waiting.append(request)
        self._requests.append(request)
        self._wake.set()

    def _write(self, selector: selectors.BaseSelector, client: _Client) -> None:
        with self._lock:
            text = client.write
        if not text:
            return
        try:
            sent = client.socket.send(text)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._drop(selector, client)
            return
        with self._lock:
            client.write = client.write[sent:]
            more = bool(client.write)
        selector.modify(client.socket, selectors.EVENT_READ | (selectors.EVENT_WRITE if more else 0))

    def _drop(self, selector: selectors.BaseSelector, client: _Client) -> None:
        for request in client.waiting:
            # A command of `mb` whose caller gave up, and said so, is not done behind that.
            request.answered |= request.do == "mb"
        selector.unregister(client.socket)
        del self._clients[client.socket.fileno()]
        client.socket.close()


def _listen(folder: Path, name: str) -> socket.socket:
    """A listening socket, only for its owner; what daemons left that are no more is removed. Raises OSError."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _alone(folder):
            for left in folder.glob("*.sock"):
                if left.name == name or _is_dead(left):
                    left.unlink(missing_ok=True)
            before = os.umask(0o177)
            try:
                with address(folder / name) as where:
                    made.bind(where)
            finally:
                os.umask(before)
        made.listen(_MOST_CLIENTS)
        made.setblocking(False)
    except BaseException:
        made.close()
        raise
    return made


def _is_dead(path: Path) -> bool:
    """Whether nobody listens at this socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.05)
        try:
            with address(path) as where:
                probe.connect(where)
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
    return False


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """While this runs no other daemon makes or removes sockets in ``folder``."""
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
