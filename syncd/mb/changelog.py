"""A line in the bank's changelog for a task that is done: `writer.changelog` on the stored sections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parser.document import parse
from syncd.mb import stamps
from writer.changelog import Done, section_texts

if TYPE_CHECKING:
    from syncd.api import Transaction

__all__ = ["PATH", "Done", "add_line"]

PATH = "changelog.md"


def add_line(tx: Transaction, done: Done) -> bool:
    """Write the line and the moment, if the bank keeps a changelog; whether it does."""
    rows = tx.db.rows(
        """SELECT s.id, s.text FROM sections AS s JOIN documents AS d ON d.id = s.document_id
        WHERE d.path = ? AND d.problem IS NULL ORDER BY s.position""",
        (PATH,),
    )
    document = parse(PATH, "".join(text for _, text in rows))
    texts = section_texts(document, done) if len(document.sections) == len(rows) else None
    for position, ((number, old), text) in enumerate(zip(rows, texts or (), strict=False)):
        new = text if position else stamps.restamped(text, tx.moment)
        if new != old:
            tx.db.run("UPDATE sections SET text = ? WHERE id = ?", (new, number))
    return texts is not None
