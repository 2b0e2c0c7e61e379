"""What the README and the manual show is what happens.

Blocks marked ``console`` are run, in order, in a folder with a copy of the sample bank: a line ``$ command``, then what
it prints. In what it prints, ``…`` stands for anything on a line, and alone on a line for any lines.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd import cli, config

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
NAMES = [str(document.relative_to(ROOT)) for document in DOCUMENTS]

SHIMS = {
    "syncd": f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m syncd "$@"\n',
    "mb": f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m syncd.mb "$@"\n',
    "sqlite3": f'#!/bin/sh\nexec "{sys.executable}" "$(dirname "$0")/_sqlite.py" "$@"\n',
    "_sqlite.py": """import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as db:
    for row in db.execute(sys.argv[2]):
        print("|".join("" if value is None else str(value) for value in row))
db.close()
""",
}


def _examples(document: Path) -> Iterator[tuple[int, str, str]]:
    """``(line, command, expected output)`` of each console block."""
    command: str | None = None
    expected: list[str] = []
    start, inside = 0, False
    for number, line in enumerate(document.read_text(encoding="utf-8").splitlines(), 1):
        ends = line.startswith("```")
        if command is not None and (ends or line.startswith("$ ")):
            yield start, command, "".join(f"{text}\n" for text in expected)
            command, expected = None, []
        if ends:
            inside = line == "```console"
        elif inside and line.startswith("$ "):
            start, command = number, line[2:]
        elif command is not None and inside:
            if command.endswith("\\"):
                command += "\n" + line
            else:
                expected.append(line)


def _pattern(expected: str) -> str:
    any_lines, any_text = "(?:.*\n)*?", ".*"
    lines = expected.splitlines()
    return "".join(any_lines if line == "…" else re.escape(line).replace("…", any_text) + "\n" for line in lines)


@pytest.mark.parametrize("name", NAMES)
def test_examples_do_what_they_show(name: str, tmp_path: Path) -> None:
    """Each document's console blocks run one after the other on one bank."""
    examples = list(_examples(ROOT / name))
    if not examples:
        return
    shims = tmp_path / "bin"
    shims.mkdir()
    for file, text in SHIMS.items():
        (shims / file).write_text(text, encoding="utf-8")
        (shims / file).chmod(0o755)
    shutil.copytree(ROOT / "syncd" / "sample", tmp_path / "project" / "memory-bank")
    environ = {**os.environ, "PATH": f"{shims}{os.pathsep}{os.environ['PATH']}", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    for line, command, expected in examples:
        ran = subprocess.run(
            ["bash", "-c", command], cwd=tmp_path / "project", env=environ, timeout=60, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
        )  # fmt: skip
        assert re.fullmatch(_pattern(expected), ran.stdout), f"{name}:{line}: $ {command}\nprints\n{ran.stdout}"


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_the_manual_has_every_command_with_every_option(name: str) -> None:
    """Below the command's own heading."""
    manual = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    found = re.search(rf"^## `syncd {name}\b[^\n]*`\n(.*?)(?=^## |\Z)", manual, re.M | re.S)
    assert found, f"no section `syncd {name}`"
    options = {
        option
        for action in cli.parser_of(name)._actions
        for option in action.option_strings
        if option not in ("-h", "--help", "--bank", "--json")
    }
    assert {option for option in options if f"`{option}" not in found[0] and f" {option}" not in found[0]} == set()


def test_the_manual_has_every_setting() -> None:
    """The table is the one that the program makes."""
    assert config.manual() in (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")


def test_the_manual_has_every_metric() -> None:
    """The table is the one that the program makes."""
    from syncd.prometheus import manual

    assert manual() in (ROOT / "docs" / "status.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_what_is_linked_or_named_is_there(name: str) -> None:
    """Links to files lead somewhere; tests that are named exist."""
    text = (ROOT / name).read_text(encoding="utf-8")
    prose = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    for target in re.findall(r"(?<!`)\[[^\]]+\]\(([^)#]+)[^)]*\)(?!`)", prose):
        if not target.startswith("http"):
            assert ((ROOT / name).parent / target).exists(), target
    for file, test in re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", text):
        assert (ROOT / file).exists(), file
        if test:
            assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8"), test


def test_the_readme_names_what_the_makefile_offers() -> None:
    """`make run` and `make test` stand in both."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in ("run", "test", "bench", "prove"):
        assert f"\n{target}:" in makefile
        assert f"make {target}" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_lists_every_command() -> None:
    """With the line that `syncd --help` shows."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "".join(f"| `syncd {name}` | {line} |\n" for name, line in cli.COMMANDS.items()) in readme


def test_the_manual_has_every_check_of_the_doctor() -> None:
    """In the order in which they are shown."""
    from syncd.doctor import examine

    manual = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `([a-z ]+)` \|", manual, re.M)
    shown = [check.name for check in examine.installed([])] + [c.__name__.replace("_", " ") for c in examine.OF_BANK]
    assert listed == shown
