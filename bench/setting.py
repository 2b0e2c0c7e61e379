"""What the measurements of one run share: a scratch folder, banks made and imported once, how many samples."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from bench import processes, synthetic

SHARED = processes.ROOT.parent / "shared"
REAL = 281  # documents of the largest recorded bank


@dataclass(slots=True)
class Setting:
    """One run. ``tell`` is told what is being done; ``quick`` takes few samples."""

    scratch: Path
    quick: bool
    tell: Callable[[str], None]
    env: dict[str, str] = field(init=False)
    _banks: dict[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.env = processes.environment(self.scratch / "home")

    def samples(self, full: int, quick: int) -> int:
        """How often something is measured."""
        return quick if self.quick else full

    @property
    def documents(self) -> int:
        """Documents of the large bank."""
        return self.samples(10_000, 3000)

    @property
    def megabytes(self) -> int:
        """Size of the long edit history."""
        return self.samples(10, 3)

    def folder(self, name: str) -> Path:
        """A folder of that name, empty."""
        path = self.scratch / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        return path

    def bank(self, name: str, make: Callable[[], synthetic.Bank]) -> Path:
        """The bank ``name`` with its database, made on first use."""
        if name not in self._banks:
            self.tell(f"making the bank {name!r}")
            path = synthetic.write(make(), self.folder(name) / "memory-bank")
            processes.run([*processes.syncd(), "sync", str(path)], self.env)
            self._banks[name] = path
        return self._banks[name]

    def real(self) -> Path:
        """281 documents, 1.8 MB, an edit history of 126 KB."""
        return self.bank("real", lambda: synthetic.bank(REAL))

    def output(self) -> Path:
        """The same again, with the database first."""
        path = self.bank("output", lambda: synthetic.bank(REAL))
        with closing(sqlite3.connect(path / ".syncd" / "memory_bank.db", isolation_level=None)) as client:
            client.execute("INSERT OR REPLACE INTO state(name, value) VALUES ('mode', 'database-first')")
        return path

    def large(self) -> Path:
        """10,000 documents (in a quick run fewer) and the same edit history."""
        return self.bank("large", lambda: synthetic.bank(self.documents, size=1500))

    def small(self) -> Path:
        """100 documents and the same edit history."""
        return self.bank("small", lambda: synthetic.bank(100, size=1500))

    def long(self) -> Path:
        """An edit history of 10 MB (in a quick run less)."""
        return self.bank("long", lambda: synthetic.bank(40, history=self.megabytes * 1_000_000))
