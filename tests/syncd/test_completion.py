"""`syncd completion`: what the shells themselves make of the scripts."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from syncd import cli
from syncd.completion import PROGRAMS, SHELLS, script
from syncd.mb import cli as mb

CASES = [
    ("syncd serv", {"service"}),
    ("syncd service ", {"install", "uninstall", "status"}),
    ("syncd service install --no", {"--no-namespaces"}),
    ("syncd resolve --take ", {"file", "db"}),
    ("mb workf", {"workflow"}),
    ("mb workflow log", {"log-work"}),
]
_BASH = """
. "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
function=$(complete -p "$1" | sed 's/.*-F \\([^ ]*\\).*/\\1/')
$function "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the whole script of each shell."""
    folder = tmp_path_factory.mktemp("completion")
    for shell in SHELLS:
        (folder / shell).write_text("\n".join(script(shell, program) for program in PROGRAMS), encoding="utf-8")
    return folder


def _ran(*command: str, folder: Path) -> str:
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash: not installed")
@pytest.mark.parametrize(("line", "expected"), CASES)
def test_bash_completes(scripts: Path, line: str, expected: set[str]) -> None:
    """Commands, words to choose from, options, commands below commands."""
    said = _ran("bash", "--norc", "-c", _BASH, "bash", str(scripts / "bash"), *line.split(" "), folder=scripts)
    assert set(said.split()) == expected


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash: not installed")
def test_bash_completes_folders_where_a_bank_is_meant(scripts: Path) -> None:
    """And no files there."""
    (scripts / "memory-bank").mkdir(exist_ok=True)
    (scripts / "memory.txt").touch()
    said = _ran("bash", "--norc", "-c", _BASH, "bash", str(scripts / "bash"), "syncd", "sync", "mem", folder=scripts)
    assert said.split() == ["memory-bank"]


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish: not installed")
@pytest.mark.parametrize(("line", "expected"), CASES)
def test_fish_completes(scripts: Path, line: str, expected: set[str]) -> None:
    """The same, each with its line of help."""
    said = _ran("fish", "--no-config", "-c", f"source {scripts / 'fish'}; complete -C {line!r}", folder=scripts)
    assert {found.split("\t")[0] for found in said.splitlines() if found} == expected


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh: not installed")
def test_zsh_takes_the_script(scripts: Path) -> None:
    """Both programs have their function then."""
    load = (
        f'autoload -Uz compinit; compinit -u -d dump; eval "$(cat {scripts / "zsh"})"; print $_comps[syncd] $_comps[mb]'
    )
    assert _ran("zsh", "-f", "-c", load, folder=scripts).split() == ["_shtab_syncd", "_shtab_mb"]


@pytest.mark.parametrize("shell", SHELLS)
def test_every_command_is_in_the_script(shell: str, syncd: Callable[..., Any]) -> None:
    """Of both programs; one alone where it is named."""
    ran = syncd("completion", shell)
    assert ran.code == 0
    for word in [*cli.COMMANDS, *" ".join(mb.COMMANDS).split()]:
        assert word in ran.out
    assert "log-work" not in syncd("completion", shell, "syncd").out
    assert set(syncd("completion", shell, "mb", "--json").json) == {"mb"}
