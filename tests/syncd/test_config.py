"""Settings of a bank: what is read, and what is said about what cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncd.config import SETTINGS, Config, load, manual
from syncd.errors import ConfigError, Exit, line_of


def write(bank: Path, text: str | bytes) -> Path:
    (bank / ".syncd").mkdir(parents=True)
    file = bank / ".syncd" / "config.toml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    """A bank needs no settings."""
    assert load(tmp_path) == Config()


def test_what_is_set_is_read(tmp_path: Path) -> None:
    """A whole number will do where a number is asked for; the rest keeps its default."""
    write(tmp_path, "# ours\nhold_records = 9\nsettle_seconds = 2\nlog_level = 'debug'\n")
    assert load(tmp_path) == Config(hold_records=9, settle_seconds=2.0, log_level="debug")
    assert isinstance(load(tmp_path).settle_seconds, float)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("\nhold_recrods = 9\n", 2, "unknown setting `hold_recrods`"),
        ("[daemon]\nfollow_after = 1\n", 1, "unknown setting `daemon`"),
        ("hold_records = 'nine'", 1, "`hold_records` must be a whole number, not 'nine'"),
        ("hold_records = true", 1, "`hold_records` must be a whole number, not True"),
        ("hold_records = 1.5", 1, "`hold_records` must be a whole number, not 1.5"),
        ("\n\nhold_share = 20", 3, "`hold_share` must be between 0 and 1, not 20"),
        ("hold_records = -1", 1, "`hold_records` must be at least 0, not -1"),
        ("follow_after = -2", 1, "`follow_after` must be at least 0, or -1 for never, not -2"),
        ("scan_seconds = nan", 1, "`scan_seconds` must be at least 1, not nan"),
        ("log_level = 'loud'", 1, "`log_level` must be one of debug, info, warning, error, not 'loud'"),
        ("hold_records = 1\nhold_share == 2\n", 2, "not TOML"),
        ("a = 1\nhold_share = [1,\n", 2, "not TOML"),
        (b"a = 1\nb = '\xff'\n", 2, "not UTF-8"),
    ],
)
def test_what_is_not_understood_is_told_with_its_line(tmp_path: Path, text: str | bytes, line: int, says: str) -> None:
    """One clear line: what, the file and its line, what to do."""
    file = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    assert caught.value.exit_code == Exit.USAGE
    assert says in line_of(caught.value)
    assert f"{file}:{line} — " in line_of(caught.value)


def test_the_manual_names_every_setting() -> None:
    """Its table is made from the list that drives parsing."""
    assert all(f"| `{setting.name}` |" in manual() for setting in SETTINGS)
    assert '| `log_level` | `"info"` |' in manual()
