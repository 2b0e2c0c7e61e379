"""Prose that another client of the database edited: sections whose text is not that of their base.

A section waits with its edit while its document cannot be written: somebody has it open, it is held, or no file may be.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from msgspec import Struct

from schema.db import Database
from schema.journal import Net
from syncd.state import BankState


class EditedSections(Struct, frozen=True):
    """``before`` has the base text of each such section by its id, ``paths`` its document, ``texts`` the new texts."""

    before: Mapping[int, str]
    paths: Mapping[int, str]
    texts: Mapping[str, str]

    def of(self, documents: Collection[str]) -> dict[int, str]:
        """Base texts of the sections in these documents."""
        return {number: text for number, text in self.before.items() if self.paths.get(number) in documents}

    def but(self, documents: Collection[str]) -> set[tuple[str, str]]:
        """The sections in no document of these, as the journal names their changes: they wait."""
        return {("sections", str(number)) for number in self.before if self.paths.get(number) not in documents}


def edited_sections(db: Database, state: BankState, nets: Mapping[int, Net]) -> EditedSections:
    """Collect them; from here on the bases of their documents are read as they were."""
    before = {number: str((net.before or {}).get("text") or "") for number, net in nets.items()}
    paths: dict[int, str] = {}
    texts: dict[str, str] = {}
    for number in nets:
        path = db.value(
            "SELECT d.path FROM documents AS d JOIN sections AS s ON s.document_id = d.id WHERE s.id = ?", (number,)
        )
        if path is not None:
            paths[number] = path
    for path in set(paths.values()):
        rows = db.rows(
            """SELECT s.text FROM sections AS s JOIN documents AS d ON d.id = s.document_id
            WHERE d.path = ? ORDER BY s.position""",
            (path,),
        )
        texts[path] = "".join(text for (text,) in rows)
        state.forget(path)
    return EditedSections(before, paths, texts)
