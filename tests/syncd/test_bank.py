"""Which folder a command is about."""

from __future__ import annotations

from pathlib import Path

import pytest

from schema.errors import NoDatabase, SyncdError
from syncd import bank as banks
from syncd.errors import BankError, UsageError, line_of


@pytest.mark.parametrize("name", banks.FOLDERS)
def test_the_nearest_folder_at_or_above_is_found(tmp_path: Path, name: str) -> None:
    """From beside it, from inside it, and the nearer one of two."""
    inner = tmp_path / "project" / name
    (inner / "tasks").mkdir(parents=True)
    (tmp_path / "memory-bank").mkdir(exist_ok=True)
    for start in (inner.parent, inner, inner / "tasks"):
        assert banks.find(None, {}, start) == inner


def test_what_is_named_goes_before_what_is_near(tmp_path: Path) -> None:
    """The option, then the variable, then the neighbourhood."""
    for name in ("memory-bank", "one", "two"):
        (tmp_path / name).mkdir()
    environ = {"SYNCD_BANK": str(tmp_path / "two")}
    assert banks.find(str(tmp_path / "one"), environ, tmp_path) == tmp_path / "one"
    assert banks.find(None, environ, tmp_path) == tmp_path / "two"
    assert banks.find(None, {}, tmp_path) == tmp_path / "memory-bank"


def test_links_are_followed_so_that_one_bank_has_one_name(tmp_path: Path) -> None:
    """Two names of one folder must meet at one lock."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert banks.several([str(tmp_path / "link")], str(tmp_path / "real")) == [tmp_path / "real"]


def test_a_bank_named_twice_differently_is_a_mistake(tmp_path: Path) -> None:
    """The argument and the option may both be given if they agree."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert banks.chosen(str(tmp_path / "a"), str(tmp_path / "a")) == tmp_path / "a"
    with pytest.raises(UsageError):
        banks.chosen(str(tmp_path / "a"), str(tmp_path / "b"))


def test_no_bank_anywhere_is_a_mistake(tmp_path: Path) -> None:
    """It says where it looked and how to name one."""
    with pytest.raises(UsageError, match="no bank") as caught:
        banks.find(None, {}, tmp_path)
    assert line_of(caught.value).endswith(f"at or above: {tmp_path} — name it with --bank PATH or $SYNCD_BANK")


@pytest.mark.parametrize(("make", "says"), [(None, "no such folder"), ("file", "not a folder")])
def test_what_cannot_be_a_bank_is_refused(tmp_path: Path, make: str | None, says: str) -> None:
    """One line with the name as given."""
    path = tmp_path / "x"
    if make:
        path.write_text("")
    with pytest.raises(BankError) as caught:
        banks.find(str(path), {})
    assert line_of(caught.value).startswith(f"{says}: {path} — ")


def test_documents_are_looked_for_outside_hidden_folders(tmp_path: Path) -> None:
    """What lies in .git or .syncd is none; one in a subfolder will do."""
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "notes.md").write_text("")
    (tmp_path / "tasks").mkdir()
    assert not banks.has_documents(tmp_path)
    with pytest.raises(BankError, match="no documents"):
        banks.require_documents(tmp_path)
    (tmp_path / "tasks" / "T1.md").write_text("")
    banks.require_documents(tmp_path)


def test_an_emptied_bank_with_a_database_is_no_folder_without_documents(tmp_path: Path) -> None:
    """What it held is in the database: that is for the holds to say."""
    banks.state_of(tmp_path).mkdir()
    banks.database_of(tmp_path).write_bytes(b"")
    banks.require_documents(tmp_path)


def test_a_bank_without_database_says_how_to_make_one(tmp_path: Path) -> None:
    """The next command stands in the line."""
    with pytest.raises(NoDatabase, match="syncd init"):
        banks.require_database(tmp_path)


def test_an_error_is_one_line_whatever_the_name() -> None:
    """A line break or a byte that is no character in a name is spelled out."""
    line = line_of(SyncdError("odd", "a\nb\udcff.md", "look"))
    assert line == "odd: a\\nb\\udcff.md — look"


def test_a_bank_with_a_name_of_its_own_is_found_from_inside(tmp_path: Path) -> None:
    """By its database; a folder inside with one of the usual names comes first."""
    file = banks.database_of(tmp_path / "garden")
    file.parent.mkdir(parents=True)
    file.write_bytes(b"")
    inner = tmp_path / "garden" / "tasks"
    inner.mkdir()
    assert banks.find(None, {}, inner) == tmp_path / "garden"
    (tmp_path / "garden" / "memory-bank").mkdir()
    assert banks.find(None, {}, tmp_path / "garden") == tmp_path / "garden" / "memory-bank"
