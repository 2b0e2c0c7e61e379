"""The file side of a document: what somebody saved, brought onto the base that the database has now."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from msgspec import Struct
from msgspec.structs import replace

from parser.document import Document, parse, parse_bytes
from schema import history
from schema.db import Database
from schema.records import Role, Table
from syncd.disk.files import Content
from syncd.model import Clash, Keyed, Side
from syncd.plan import putback
from syncd.plan.identify import align
from syncd.plan.merge import nearest, overlooked
from syncd.plan.rebase import rebase, reverted
from syncd.state import BankState

_VERSIONS = 12  # how many texts back a stale writer is looked for


class Incoming(Struct, frozen=True):
    """A document of a batch. ``disk`` is what its file holds (None: no file), ``document`` its file side.

    ``document`` differs from the file where another text was ``merged`` in; it is None where the file is gone or no
    text. ``put_back`` says that the file gets the database's text again; ``copy_of`` names the document that was, and
    whose text this new one has.
    """

    path: str
    disk: Content | None
    document: Document | None
    problem: str | None = None
    clashes: tuple[Clash, ...] = ()
    merged: bool = False
    late: bytes | None = None
    put_back: bool = False
    copy_of: str | None = None

    @property
    def may_be_marked(self) -> bool:
        """Whether the file is worth a look for git's conflict markers."""
        if self.document is None:
            return False
        another = self.merged or self.put_back or self.late is not None  # it is not just what the file holds
        return another or self.document.has_arrows


class Reader:
    """Makes the file sides of one batch.

    ``outbox`` are documents whose last emitted text never reached the disk; ``edited`` gives the texts of documents
    whose sections were changed by a client of the database. Unless ``writes``, a file side is what the file holds.
    With ``output`` files are output (mode database-first): what somebody saved is put back. ``taken`` names by path and
    digest what a person said yes to: it is taken as it is, whatever text its writer had. ``united``: the database is
    older than the files, so nobody's text is older than its own.
    """

    def __init__(
        self,
        db: Database,
        state: BankState,
        outbox: Mapping[str, str | None],
        edited: Mapping[str, str],
        writes: bool = True,
        *,
        output: bool = False,
        united: bool = False,
        taken: Collection[tuple[str, str | None]] = (),
    ) -> None:
        self._writes = writes
        self._output = output and not united
        self._united = united
        self._taken = taken
        self._db = db
        self._state = state
        self._outbox = outbox
        self._edited = edited

    def read(self, path: str, disk: Content | None) -> Incoming:
        """The file side of ``path``, whose file holds ``disk``."""
        base = self._state.base(path)
        if self._output and (path, disk.digest if disk else None) not in self._taken:
            if base is not None:
                return self._put_back(path, disk, base, disk.data if disk else None)
            if disk is not None and path not in self._state.rows:
                return self._new(path, disk)
        if disk is None:
            return self._gone(path, base)
        if base is not None and (document := self._of_now(path, disk, base)) is not None:
            return Incoming(path, disk, document)
        if problem := not_text(disk.data):
            return Incoming(path, disk, None, problem, self._unmerged(path, base))
        text = disk.data.decode()
        if base is None or not self._writes:
            return Incoming(path, disk, parse(path, text, base.document if base else None))
        if path in self._edited:
            return self._merged(path, disk, base, text, self._edited[path])
        if self._united or (path, disk.digest) in self._taken:
            return Incoming(path, disk, parse(path, text, base.document))
        return self._fresh_or_stale(path, disk, base, text)

    def _of_now(self, path: str, disk: Content, base: Keyed) -> Document | None:
        """What the file holds, if its writer had the base: of a long text only what differs is looked at.

        None where that is not sure, or where it is no text.
        """
        if path in self._edited or path in self._outbox:
            return None
        if self._writes and not self._united and history.emitted_lately(self._db, path, _VERSIONS):
            return None
        try:
            return parse_bytes(path, disk.data, base.document, self._state.data(path) or b"")
        except UnicodeDecodeError:
            return None

    def read_late(self, path: str, disk: Content | None, saved: bytes) -> Incoming:
        """The file side of ``path`` after ``saved`` was meant for it but never became its file."""
        text, base = saved.decode(), self._state.base(path)
        if base is None:
            return Incoming(path, disk, parse(path, text), merged=True, late=saved)
        if self._output:
            return replace(self._put_back(path, disk, base, saved), late=saved)
        texts, _ = self._texts(path)
        had = texts[nearest(text, texts)]
        done = rebase(had, base, text, tell=True)
        return Incoming(path, disk, parse(path, done.text, base.document), None, done.clashes, True, saved)

    def _gone(self, path: str, base: Keyed | None) -> Incoming:
        """There is no file. Sections that were edited in the database bring it back: an edit beats a deletion."""
        edited = self._edited.get(path)
        if base is None or edited is None:
            return Incoming(path, None, None)
        clash = Clash(path, "sections", path, "text", base.document.text, None, edited, Side.DB)
        return Incoming(path, None, parse(path, edited, base.document), None, (clash,), True)

    def _unmerged(self, path: str, base: Keyed | None) -> tuple[Clash, ...]:
        """What a client made of sections whose document is no text any more: kept as what lost a conflict."""
        edited = self._edited.get(path)
        if base is None or edited is None:
            return ()
        return (Clash(path, "sections", path, "text", base.document.text, None, edited, Side.FILE),)

    def _put_back(self, path: str, disk: Content | None, base: Keyed, saved: bytes | None) -> Incoming:
        """Files are output: the file side is what the database has, and what was ``saved`` is kept as conflicts."""
        document = base.document
        if path in self._edited:
            document = parse(path, self._edited[path], document)
        return Incoming(path, disk, document, None, self._kept(path, base, saved), True, put_back=True)

    def _kept(self, path: str, base: Keyed, saved: bytes | None) -> tuple[Clash, ...]:
        """The conflicts of a save, told against the version that its writer had."""
        if saved is None:
            return putback.deleted(base.document)
        try:
            text = saved.decode()
        except UnicodeDecodeError:
            return putback.unreadable(base, saved)
        had = self._agreed(path, base, text)
        return putback.put_back(had, base, text) if text != had else ()

    def _agreed(self, path: str, base: Keyed, text: str) -> str:
        """The text that ``text`` was made from, of those that both sides had: what was put back is none of them."""
        texts: list[str] = []
        newer: history.Version | None = None
        for version, content in history.texts(self._db, path, _VERSIONS):
            if content is None:
                break
            undone = newer is not None and newer.emitted and newer.transaction == version.transaction
            if (version.emitted or not undone) and not not_text(content):
                texts.append(content.decode())
            newer = version
        if path in self._outbox:
            texts = texts[1:]  # the newest one was never on disk
        texts = list(dict.fromkeys(texts))  # each put back brought the same one again
        had = texts[nearest(text, texts)] if texts else base.document.text
        # Exactly an earlier text: somebody put it there on purpose, so what would go with it is told.
        return base.document.text if had == text and path not in self._outbox else had

    def _new(self, path: str, disk: Content) -> Incoming:
        """A new document is taken in, unless it is one that was moved by hand: that one is put back where it was."""
        try:
            document = parse(path, disk.data.decode())
        except UnicodeDecodeError as error:
            return Incoming(path, disk, None, f"not UTF-8 (byte {error.start + 1}): left alone")
        return Incoming(path, disk, document, copy_of=self._original(path, disk, document))

    def _original(self, path: str, disk: Content, document: Document) -> str | None:
        """The document that a new file is a copy of: it has its text, or had it; or the file has its name and its task.

        A copy stays one while the original goes on, and when somebody edits it.
        """
        if not disk.data:
            return None
        had = self._db.rows("SELECT DISTINCT path FROM versions WHERE hash_after = ? ORDER BY path", (disk.digest,))
        same = [other for other, row in self._state.rows.items() if row.hash == disk.digest]
        same += [other for (other,) in had if other != path and other in self._state.rows]
        return next(iter(same), None) or self._namesake(path, document)

    def _namesake(self, path: str, document: Document) -> str | None:
        """The task's own document of the same name in another folder."""
        shown = {r.key for _, r in document.readings() if r.table is Table.TASKS and r.role in (Role.OWN, Role.ARCHIVE)}
        name = path.rpartition("/")[2]
        there = [p for p, row in self._state.rows.items() if row.kind == "task" and p.rpartition("/")[2] == name]
        for other in there:
            base = self._state.base(other)
            if base is not None and any(r.role is Role.OWN and r.key in shown for _, r, _ in base.readings()):
                return other
        return None

    def _merged(self, path: str, disk: Content, base: Keyed, text: str, edited: str) -> Incoming:
        """Sections were edited in the database: their text is the other side of a three-way merge."""
        now = align(base, parse(path, edited, base.document)).keyed("?")
        had, tell = self._had(path, text) if path in self._outbox else (None, False)
        done = rebase(base.document.text if had is None else had, now, text, tell=tell)
        return Incoming(path, disk, parse(path, done.text, base.document), None, done.clashes, True)

    def _fresh_or_stale(self, path: str, disk: Content, base: Keyed, text: str) -> Incoming:
        """Find the version that the writer had. Usually it is the base."""
        had, tell = self._had(path, text)
        if had is None:
            document = parse_bytes(path, disk.data, base.document, self._state.data(path) or b"")
            return Incoming(path, disk, document)
        if had == text and path not in self._outbox:
            # Exactly an earlier text: somebody put it back on purpose, so it stands; what goes with it is told.
            return Incoming(path, disk, parse(path, text, base.document), None, reverted(had, base))
        done = rebase(had, base, text, tell=tell)
        return Incoming(path, disk, parse(path, done.text, base.document), None, done.clashes, True)

    def _had(self, path: str, text: str) -> tuple[str | None, bool]:
        """The text that ``text`` was made from, None where that is the base; whether what it takes back is told."""
        if not history.emitted_lately(self._db, path, _VERSIONS):
            return None, False
        if self._never_there(path):
            return "", False
        texts, emitted = self._texts(path)
        number = nearest(text, texts)
        # Nearer to an older text is also what takes back an addition of its own. Stale is who overlooked our writing.
        unseen = (emitted[n] and overlooked(text, texts[n + 1], texts[n]) for n in range(number))
        # A text that was emptied tells nothing of what its writer had seen: it is taken for what it is.
        stale = bool(text.strip()) and texts[number] != texts[0] and any(unseen)
        if path not in self._outbox:
            return (texts[number], True) if stale else (None, False)
        return (texts[number], True) if stale and texts[number] != text else (texts[0], False)

    def _never_there(self, path: str) -> bool:
        """Whether all texts since the document was made are ours, and still to be written: then nobody had any."""
        if self._outbox.get(path, path) is None:
            for version in history.version_rows(self._db, path):
                if not version.emitted:
                    return False
                if not version.existed:
                    return True
        return False

    def _texts(self, path: str) -> tuple[list[str], list[bool]]:
        """The last texts that stood on the disk, newest first, and whether each was written by us.

        Those in front of what the outbox expects never did, so nobody can have read them. A text that is expected and
        not known was never absorbed: then all count.
        """
        if path in self._outbox:
            found = self._collect(path, self._outbox[path])
            if found[0]:
                return found
        return self._collect(path, None)

    def _collect(self, path: str, since: str | None) -> tuple[list[str], list[bool]]:
        """The texts from the one with the digest ``since`` (None: the newest) back.

        What was no text is passed over: nobody who saves a text made it from that.
        """
        texts: list[str] = []
        emitted: list[bool] = []
        found = since is None
        for version, text in history.texts(self._db, path, _VERSIONS if since is None else None):
            if text is None or len(texts) == _VERSIONS:
                break
            found = found or version.hash_after == since
            if found and not not_text(text):
                texts.append(text.decode())
                emitted.append(version.emitted)
        return texts, emitted


def not_text(data: bytes) -> str | None:
    """Why a document is left alone; None for one that can be read."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return f"not UTF-8 (byte {error.start + 1}): left alone"
    return None
