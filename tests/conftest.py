"""What tests share: an environment of their own, scratch banks, the command line, the recorded banks."""

from __future__ import annotations

import json
import lzma
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent
CORPORA = ROOT.parent / "shared" / "corpora"

settings.register_profile("syncd", deadline=None, print_blob=True)
settings.load_profile("syncd")


@pytest.fixture(scope="session", autouse=True)
def _own_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing of the person who runs the tests is read or written."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        for name in ("CONFIG_HOME", "DATA_HOME", "STATE_HOME", "CACHE_HOME", "RUNTIME_DIR"):
            patch.setenv(f"XDG_{name}", str(home / name.lower()))
        for name in ("SYNCD_BANK", "GIT_DIR", "FORCE_COLOR", "COLUMNS"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    """A scratch copy of the sample bank, without a database."""
    return Path(shutil.copytree(ROOT / "syncd" / "sample", tmp_path / "memory-bank"))


class Ran(NamedTuple):
    """What a command printed and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its output, which is one JSON document."""
        return json.loads(self.out)


@pytest.fixture
def syncd(capfd: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Calls the command line in this process: ``syncd("status", bank, "--json").json``."""
    from syncd.cli import main

    def call(*arguments: str | os.PathLike[str]) -> Ran:
        capfd.readouterr()
        try:
            code = main([os.fspath(a) for a in arguments])
        except SystemExit as end:
            code = int(end.code or 0)
        return Ran(code, *capfd.readouterr())

    return call


@pytest.fixture
def synced(bank: Path, syncd: Callable[..., Ran]) -> Path:
    """A scratch copy of the sample bank with its database."""
    ran = syncd("sync", bank)
    assert ran.code == 0, ran
    return bank


@pytest.fixture(scope="session")
def corpora() -> Mapping[str, Path]:
    """The recorded banks by name; skips where they are absent."""
    found = {path.name.removesuffix(".jsonl.xz"): path for path in sorted(CORPORA.glob("*.jsonl.xz"))}
    if not found:
        pytest.skip("no recorded banks beside the project")
    return found


@pytest.fixture(scope="session")
def steps(corpora: Mapping[str, Path]) -> Callable[[str], Iterator[dict[str, str | None]]]:
    """``steps("mb")`` gives what each recorded step of that bank changed: path to text, None where it was removed."""

    def read(name: str) -> Iterator[dict[str, str | None]]:
        with lzma.open(corpora[name], "rt", encoding="utf-8", newline="\n") as lines:
            for line in lines:
                yield json.loads(line)["changes"]

    return read


@pytest.fixture(scope="session")
def last_state(steps: Callable[[str], Iterator[dict[str, str | None]]]) -> Callable[[str], dict[str, str]]:
    """``last_state("mb")`` gives the documents of that bank as recorded last."""

    def read(name: str) -> dict[str, str]:
        tree: dict[str, str | None] = {}
        for changes in steps(name):
            tree.update(changes)
        return {path: text for path, text in tree.items() if text is not None}

    return read
