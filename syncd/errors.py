"""What can go wrong and is expected: one line for the person, an exit code, the next command to run.

`schema.errors.SyncdError` is the base of all of it (the database's own errors are there). A problem with one line
of one document is not an error but a value (`schema.records.Problem`); what is neither a `SyncdError` nor an operating
system's refusal is a bug and keeps its traceback.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from schema.errors import SyncdError, one_line

__all__ = [
    "BankError", "BusyError", "ConfigError", "Exit", "HaltedError", "InTheWay", "SyncdError", "UsageError",
    "expected", "from_os", "line_of", "one_line",
]  # fmt: skip


class Exit(IntEnum):
    """Exit codes of every command."""

    CONVERGED = 0
    ATTENTION = 1  # something waits for a person: a conflict, a hold, findings
    USAGE = 2
    FAILED = 3
    INTERRUPTED = 130  # as shells report SIGINT
    PIPE = 141  # as shells report SIGPIPE: the reader of our output went away


class UsageError(SyncdError):
    """The command was called in a way that cannot be meant: a bad option, an id or a document that is not known."""

    exit_code = Exit.USAGE


class ConfigError(UsageError):
    """`config.toml` holds a key or a value that is not known."""


class BankError(SyncdError):
    """The folder is not there, not a folder, not readable, or holds no documents."""


class BusyError(SyncdError):
    """Another daemon or command holds the bank's lock."""


class HaltedError(SyncdError):
    """Going on could lose something: nothing is done until a person looked."""


class InTheWay(SyncdError):
    """What was asked for meets later changes: nothing was done, a person has to say which of them are to go."""

    exit_code = Exit.ATTENTION


def line_of(error: SyncdError) -> str:
    """``<what>: <path> — <hint>`` on one line, whatever is in a file's name."""
    line = error.what
    if error.path:
        line += f": {error.path}"
    if error.hint:
        line += f" — {error.hint}"
    return one_line(line)


@contextmanager
def expected() -> Iterator[None]:
    """What the operating system refuses inside the block is raised as a `SyncdError`."""
    try:
        yield
    except OSError as error:
        raise from_os(error) from error


_REFUSALS = {
    errno.EACCES: ("permission denied", "give this user access to it"),
    errno.EPERM: ("not permitted", "give this user access to it"),
    errno.EROFS: ("the disk is read-only", "mount it writable, or use mode observe with the database elsewhere"),
    errno.ENOSPC: ("the disk is full", "free some space and run `syncd sync`; nothing was changed by half"),
    errno.EDQUOT: ("the disk quota is used up", "free some space and run `syncd sync`; nothing was changed by half"),
    errno.EIO: ("the disk fails", "look at the system's log; nothing was changed by half"),
    errno.ENOENT: ("no such file or folder", None),
    errno.ENOTDIR: ("not a folder", None),
    errno.EMFILE: ("too many open files", "raise `ulimit -n`"),
}


def from_os(error: OSError) -> SyncdError:
    """What the operating system refused, as an expected error that names the file."""
    what, hint = _REFUSALS.get(error.errno or 0, (error.strerror or str(error), None))
    name = error.filename2 or error.filename
    return SyncdError(what, os.fsdecode(name) if isinstance(name, str | bytes | os.PathLike) else None, hint)

