"""The list of banks in a person's own file, edited by commands."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from syncd import config, userbanks
from syncd.errors import ConfigError
from syncd.userfiles import user_config


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's settings, not there yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "syncd" / "config.toml"


def test_the_first_bank_makes_the_file_and_the_last_one_leaves_an_empty_list(file: Path, tmp_path: Path) -> None:
    """Only its owner may read it; no list is something else than an empty one."""
    assert userbanks.listed() is None
    assert userbanks.add(tmp_path / "one")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert userbanks.listed() == [tmp_path / "one"]
    assert not userbanks.add(tmp_path / "one")
    assert userbanks.remove(tmp_path / "one")
    assert not userbanks.remove(tmp_path / "one")
    assert userbanks.listed() == []


def test_all_else_in_the_file_stays_to_the_byte(file: Path, tmp_path: Path) -> None:
    """Comments, order, spacing, odd quotes."""
    file.parent.mkdir(parents=True)
    text = "# mine\n\nfollow_after  =  -1.0   # never\nbanks = [\n    '/a/b',  # the old one\n]\n\n  hold_share = 0.5\n"
    file.write_text(text)
    file.chmod(0o640)
    assert userbanks.add(tmp_path / "new")
    assert file.read_text() == text.replace("# the old one\n", f'# the old one\n    "{tmp_path}/new",\n')
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert userbanks.remove(tmp_path / "new")
    assert file.read_text() == text
    assert config.load_user().hold_share == 0.5
    assert [entry.name for entry in file.parent.iterdir()] == ["config.toml"]


def test_a_bank_is_the_same_under_any_spelling(file: Path, tmp_path: Path) -> None:
    """Through a link, with dots, from the home folder."""
    (tmp_path / "bank").mkdir()
    (tmp_path / "link").symlink_to("bank")
    file.parent.mkdir(parents=True)
    file.write_text(f'banks = ["{tmp_path}/x/../link", "~/other"]\n')
    assert userbanks.listed() == [tmp_path / "bank", Path(os.environ["HOME"]) / "other"]
    assert not userbanks.add(tmp_path / "bank")
    assert userbanks.remove(tmp_path / "bank")
    assert userbanks.listed() == [Path(os.environ["HOME"]) / "other"]


def test_a_file_that_is_a_link_stays_one(file: Path, tmp_path: Path) -> None:
    """People keep such files in a repository of their own."""
    (tmp_path / "dotfiles").mkdir()
    (tmp_path / "dotfiles" / "syncd.toml").write_text("# kept\n")
    file.parent.mkdir(parents=True)
    file.symlink_to(tmp_path / "dotfiles" / "syncd.toml")
    userbanks.add(tmp_path / "one")
    assert file.is_symlink()
    assert (tmp_path / "dotfiles" / "syncd.toml").read_text().startswith("# kept\n")
    assert userbanks.listed() == [tmp_path / "one"]


def test_a_file_that_is_not_understood_is_told_and_left_alone(file: Path, tmp_path: Path) -> None:
    """With its line, as every command tells it."""
    file.parent.mkdir(parents=True)
    for text, says in (
        ("\nbanks = ['relative']\n", f"{file}:2"),
        ("banks = 'one'", "`banks` must be a list of texts"),
        ("banks = [1]", "`banks` must be a list of texts"),
        ("bank = []", "unknown setting `bank`"),
        ("banks = [", "not TOML"),
    ):
        file.write_text(text)
        with pytest.raises(ConfigError, match=r".") as caught:
            userbanks.add(tmp_path / "one")
        assert says in str(caught.value)
        assert file.read_text() == text


def test_several_commands_at_once_lose_nothing(file: Path, tmp_path: Path) -> None:
    """Each waits for its turn, reads what is there, and replaces the file in one step."""
    threads = [threading.Thread(target=userbanks.add, args=(tmp_path / f"{n}",)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(userbanks.listed() or []) == {tmp_path / f"{n}" for n in range(12)}


def test_the_file_lies_where_the_library_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our short way on Linux is the library's."""
    import platformdirs

    for value in ("/some/where", "", None):
        if value is None:
            monkeypatch.delenv("XDG_CONFIG_HOME")
        else:
            monkeypatch.setenv("XDG_CONFIG_HOME", value)
        assert user_config() == platformdirs.user_config_path("syncd") / "config.toml"


def test_the_commands_add_list_and_remove(file: Path, bank: Path, syncd: Callable[..., Any]) -> None:
    """All or nothing where one is no bank; a bank that is gone can be removed."""
    assert syncd("list").out == "no bank is listed: `syncd add PATH` adds one\n"
    assert syncd("add", bank, bank.parent / "none").code == 3
    assert userbanks.listed() is None
    assert syncd("add", bank).out == f"added: {bank}\n"
    assert syncd("add", bank, "--json").json == [{"path": str(bank), "changed": False}]
    assert syncd("list", "--json").json == [{"path": str(bank), "daemon": None, "problem": None}]
    bank.rename(bank.with_name("away"))
    listed = syncd("list", "--json")
    assert listed.code == 1
    assert "no such folder" in listed.json[0]["problem"]
    wrong = syncd("remove", bank.parent / "other")
    assert (wrong.code, "not on the list" in wrong.err) == (2, True)
    assert syncd("remove", bank).out == f"removed: {bank}\n"
    assert userbanks.listed() == []
