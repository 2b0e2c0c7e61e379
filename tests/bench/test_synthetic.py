"""Banks made for measuring are always the same, as large as asked for, and understood."""

from __future__ import annotations

from pathlib import Path

from bench import bare, synthetic
from parser.document import parse


def test_the_same_arguments_give_the_same_bank() -> None:
    """To the byte."""
    assert synthetic.bank(60, history=5000) == synthetic.bank(60, history=5000)


def test_a_bank_has_just_as_many_documents() -> None:
    """Of all the kinds that matter."""
    bank = synthetic.bank(60, history=5000)
    assert len(bank) == 60
    kinds = {parse(path, text).kind for path, text in bank.items()}
    assert {"edit_history", "registry", "task", "session_cache", "prose"} <= kinds


def test_every_line_of_a_history_is_a_record_and_none_is_a_problem() -> None:
    """What is measured is what the parser understands."""
    text = synthetic.edit_history(20_000)
    document = parse("edit_history.md", text)
    assert 20_000 <= len(text.encode()) < 23_000
    assert list(document.problems()) == []
    found = [reading for _, reading in document.readings() if reading.table.value == "file_modifications"]
    assert len(found) == text.count(" - line ")


def test_the_bare_scanner_and_the_bare_scan_do_their_work(tmp_path: Path) -> None:
    """A floor that does nothing would flatter nobody."""
    bank = synthetic.write(synthetic.bank(20, history=5000), tmp_path / "bank")
    assert bare.first_import(bank, tmp_path / "floor.db") > 0
    client = bare.database(tmp_path / "floor.db")
    assert client.execute("SELECT count(*) FROM documents").fetchone() == (20,)
    assert client.execute("SELECT count(*) FROM records").fetchone()[0] > 100
    client.close()
    assert bare.scan(bank) > 0
