"""Expected errors: what happened, where, and the next command to run. A bug is any other exception."""

from __future__ import annotations

import os


class SyncdError(Exception):
    """Something that the person at the terminal can act on; shown as one line, without a traceback.

    ``what`` says in a few words what is the matter, ``path`` names the file, folder or id that it is about, ``hint``
    what to do next, best a command. ``exit_code`` is that of the command which cannot go on.
    """

    exit_code: int = 3

    def __init__(self, what: str, path: str | os.PathLike[str] | None = None, hint: str | None = None) -> None:
        super().__init__(what, path, hint)
        self.what = what
        self.path = None if path is None else os.fspath(path)
        self.hint = hint

    def __str__(self) -> str:
        """``<what>: <path> (<hint>)`` on one line, whatever is in a file's name."""
        line = f"{self.what}: {self.path}" if self.path else self.what
        return one_line(f"{line} ({self.hint})" if self.hint else line)


def one_line(text: str) -> str:
    """``text`` with control characters and what is no character spelled out, so that a name cannot break a line."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in text)


class DatabaseError(SyncdError):
    """The database could not do what it was asked."""


class NoDatabase(DatabaseError):
    """There is no database where one is expected."""


class CannotOpen(DatabaseError):
    """The database file cannot be opened: a folder, no permission, a path that leads nowhere."""


class NotADatabase(DatabaseError):
    """The file is something else than a SQLite database."""


class ForeignDatabase(DatabaseError):
    """A SQLite database of another program."""


class CorruptDatabase(DatabaseError):
    """A damaged database."""


class WrongBase(DatabaseError):
    """What was to be recorded of a document does not follow from what is known of it; nothing was recorded."""


class NewerSchema(DatabaseError):
    """Written by a newer version of this program."""


class OlderSchema(DatabaseError):
    """Written by an older version and opened for reading only, so that it cannot be migrated."""


class DatabaseLocked(DatabaseError):
    """Another program kept its lock for longer than the time allowed."""


class DatabaseReadOnly(DatabaseError):
    """The database cannot be written: its file, its folder or its disk is read-only."""


class DiskFull(DatabaseError):
    """No space, or no quota, is left for the database."""


class DatabaseFailed(DatabaseError):
    """The disk or the system failed below the database."""


class RowRefused(DatabaseError):
    """A CHECK, a key or a trigger refused a row; ``what`` says what is allowed."""


class BadStatement(DatabaseError):
    """A statement that SQLite cannot run."""

    exit_code = 2


class UnknownTransaction(SyncdError):
    """A number or transaction_id that no transaction has."""

    exit_code = 2
