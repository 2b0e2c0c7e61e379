"""The command line as such: what is loaded, how errors end."""

from __future__ import annotations

import errno
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schema.errors import SyncdError
from syncd import __version__, cli
from syncd.errors import Exit

HEAVY = {"rich", "structlog", "mistletoe", "watchdog", "merge3", "zstandard", "asyncio", "importlib.metadata"}


def loaded(*arguments: str) -> set[str]:
    """The modules that are loaded when the command ended."""
    script = "import sys; from syncd.cli import main; main(sys.argv[1:]); sys.exit('\\n'.join(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False)
    return set(ran.stderr.splitlines())


def test_version_loads_next_to_nothing() -> None:
    """No command, no database, no library."""
    modules = loaded("--version")
    assert not modules & {*HEAVY, "apsw"}
    assert {m for m in modules if m.startswith(("syncd.commands", "schema.", "parser.", "writer"))} == {"schema.errors"}


def test_status_loads_the_database_and_no_more(synced: Path) -> None:
    """Neither the parser nor what draws tables, nor another command."""
    modules = loaded("status", str(synced), "--json")
    assert not modules & HEAVY
    assert {m for m in modules if m.startswith("syncd.commands.")} == {"syncd.commands.status"}


def test_version_is_printed(syncd: Callable[..., Any]) -> None:
    """Name and number."""
    assert syncd("--version") == (0, f"syncd {__version__}\n", "")


def test_help_lists_every_command(syncd: Callable[..., Any]) -> None:
    """With one line each."""
    ran = syncd("--help")
    assert ran.code == 0
    for name, line in cli.COMMANDS.items():
        assert f"  {name.ljust(max(map(len, cli.COMMANDS)))}  {line}\n" in ran.out


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_help_and_the_common_options(syncd: Callable[..., Any], name: str) -> None:
    """--bank and --json are known to all."""
    ran = syncd(name, "--help")
    assert ran.code == 0
    assert "--bank PATH" in ran.out
    assert "--json" in ran.out


@pytest.mark.parametrize(
    "arguments",
    [(), ("frobnicate",), ("--frob",), ("sync", "--frob"), ("resolve", "--all"), ("resolve", "--all", "--take", "both"),
     ("resolve", "--take", "db"), ("accept",), ("accept", "3", "--all"), ("reject", "x"), ("cat",), ("mode", "loud"),
     ("sync", "--dry"), ("log", "--limit", "-1")],
)  # fmt: skip
def test_a_call_that_cannot_be_meant_is_one_line_and_exit_2(
    syncd: Callable[..., Any], arguments: tuple[str, ...]
) -> None:
    """No usage text, no traceback; it names the way on."""
    ran = syncd(*arguments)
    assert ran.code == Exit.USAGE
    assert ran.out == ""
    assert ran.err.startswith("syncd: ")
    assert ran.err.count("\n") == 1
    assert " — " in ran.err


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (SyncdError("odd", "a.md", "look"), 3, "syncd: odd: a.md — look\n"),
        (PermissionError(errno.EACCES, "Permission denied", "/b/a.md"), 3, "syncd: permission denied: /b/a.md — "),
        (OSError(errno.ENOSPC, "No space left on device"), 3, "syncd: the disk is full — "),
        (OSError(errno.EROFS, "Read-only", b"/bank/\xff.md"), 3, "syncd: the disk is read-only: /bank/\\udcff.md — "),
        (OSError(errno.ELOOP, "Too many links", "x"), 3, "syncd: Too many links: x\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_expected_failures_end_as_one_line(
    syncd: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, says: str
) -> None:
    """Each with its exit code."""

    def fail(arguments: list[str]) -> int:
        raise error

    monkeypatch.setattr(cli, "_dispatch", fail)
    ran = syncd("status")
    assert ran.code == code
    assert ran.err.startswith(says)
    assert ran.err.count("\n") == (1 if says else 0)


def test_a_bug_keeps_its_traceback(syncd: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """It is never dressed up as an expected failure."""

    def fail(arguments: list[str]) -> int:
        raise KeyError("bug")

    monkeypatch.setattr(cli, "_dispatch", fail)
    with pytest.raises(KeyError):
        syncd("status")


def test_a_reader_that_goes_away_is_no_error(synced: Path) -> None:
    """`syncd … | head -1` prints no traceback."""
    script = 'set -o pipefail; "$0" -m syncd log --json --bank "$1" --limit 0 | true'
    ran = subprocess.run(
        ["bash", "-c", script, sys.executable, str(synced)], capture_output=True, text=True, check=False
    )
    assert ran.returncode in (0, Exit.PIPE)
    assert ran.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [("--version", 0, f"syncd {__version__}\n"), ("status /nowhere/at/all", 3, ""), ("frobnicate", 2, "")],
)
def test_a_command_ends_with_its_code_and_all_that_it_printed(arguments: str, code: int, said: str) -> None:
    command = [sys.executable, "-m", "syncd", *arguments.split()]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (code, said)
    assert len(ran.stderr.splitlines()) == (code != 0)


def test_output_that_is_closed_is_no_error() -> None:
    ran = subprocess.run(
        ["sh", "-c", '"$0" -m syncd --version >&-', sys.executable], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
