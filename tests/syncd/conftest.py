"""A sample bank with its engine, to be changed from both sides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from schema.db import open_database
from syncd.bank import database_of
from syncd.config import Config
from syncd.engine import Engine
from syncd.model import Report


@dataclass
class Live:
    """A bank that a test edits. ``engine`` converges it; ``sql`` is another client of the database."""

    bank: Path
    engine: Engine

    def sync(self, **options: Any) -> Report:
        """Converge once."""
        return self.engine.converge(**options)

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run one statement over a connection of its own."""
        client = open_database(database_of(self.bank), create=False)
        try:
            return client.rows(statement, values)
        finally:
            client.close()

    def value(self, statement: str, *values: Any) -> Any:
        """The first value that a query gives; None where it gives no row."""
        rows = self.sql(statement, *values)
        return rows[0][0] if rows else None

    def read(self, path: str) -> str:
        """The text of a document, its line ends as they are."""
        return (self.bank / path).read_bytes().decode()

    def write(self, path: str, text: str | bytes) -> None:
        """Save a document."""
        file = self.bank / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())

    def edit(self, path: str, old: str, new: str, count: int = 1) -> None:
        """Replace ``old``, which must be there, in a document."""
        text = self.read(path)
        assert old in text, f"{old!r} is not in {path}"
        self.write(path, text.replace(old, new, count))

    def tree(self) -> dict[str, bytes]:
        """All files of the bank outside its database's folder."""
        files = (p for p in self.bank.rglob("*") if p.is_file() and ".syncd" not in p.relative_to(self.bank).parts)
        return {str(p.relative_to(self.bank)): p.read_bytes() for p in files}

    def reopen(self, **settings: Any) -> None:
        """Start again with another engine, as a new process would."""
        self.engine.close()
        self.engine = Engine.open(self.bank, create=True, config=replace(self.engine.config, **settings))

    def assert_at_rest(self) -> None:
        """Both sides are equal: another converge does nothing, and nothing waits anywhere."""
        before = self.tree()
        report = self.sync()
        assert (report.transaction, report.absorbed, report.emitted) == (None, (), ())
        assert self.tree() == before
        assert self.value("SELECT count(*) FROM outbox") == 0
        assert self.value('SELECT count(*) FROM row_changes WHERE "transaction" IS NULL') == 0
        for path, content in before.items():
            if path.endswith(".md"):
                stored = self.sql(
                    "SELECT s.text FROM sections s JOIN documents d ON d.id = s.document_id WHERE d.path = ? "
                    "ORDER BY s.position",
                    path,
                )
                told = "".join(t if isinstance(t, str) else t.decode("utf-8", "surrogateescape") for (t,) in stored)
                assert told.encode("utf-8", "surrogateescape") == content, path


@pytest.fixture
def open_live() -> Iterator[Callable[..., Live]]:
    """Opens an engine for a folder; all are closed at the end."""
    opened: list[Live] = []

    def make(bank: Path, **settings: Any) -> Live:
        config = Config(**{"settle_seconds": 0.0, **settings})
        opened.append(Live(bank, Engine.open(bank, create=True, config=config)))
        return opened[-1]

    yield make
    for live in opened:
        live.engine.close()


@pytest.fixture
def live(bank: Path, open_live: Callable[..., Live]) -> Live:
    """The sample bank, converged once."""
    made = open_live(bank)
    made.sync()
    return made


@pytest.fixture
def small(tmp_path: Path, open_live: Callable[..., Live]) -> Callable[..., Live]:
    """``small({"tasks.md": text})``: a bank of just these documents, converged once unless ``sync`` is False."""

    def make(documents: dict[str, str | bytes], *, sync: bool = True, **settings: Any) -> Live:
        bank = tmp_path / "small"
        bank.mkdir()
        made = open_live(bank, **settings)
        for path, text in documents.items():
            made.write(path, text)
        if sync:
            made.sync()
        return made

    return make
