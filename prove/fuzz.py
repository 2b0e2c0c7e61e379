"""The parser, the writer and the merge under a fuzzer, with the laws as oracle (`tests.laws.fuzzing`).

Where atheris is installed it looks for new paths through our code, starting from the sample, the CommonMark examples
and what was found before; elsewhere the same texts are mutated without looking. Finds are kept in ``tests/laws/finds``
and tried in every ``make test``.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from prove.frame import ROOT, Budget, Result, scratch
from tests.laws.fuzzing import PATHS, one

WHAT = "executions of parser, writer and merge on mutated documents, with the laws as oracle"
WHOLE = Budget(10_000_000, 1200)
SHORT = Budget(1500, 8)

FINDS = ROOT / "tests" / "laws" / "finds"
_SPLICES = (b"\n", b"## ", b"| ", b"**Status**: ", b"- [ ] ", b"```\n", b"\r\n", b"---\n", b"T1: ", b"*")


def seeds() -> list[bytes]:
    """Texts to begin with, each as `tests.laws.fuzzing.one` takes them."""
    found = [file.read_bytes() for file in sorted(FINDS.glob("*")) if file.is_file()]
    for number, file in enumerate(sorted((ROOT / "syncd" / "sample").rglob("*.md"))):
        path = file.relative_to(ROOT / "syncd" / "sample").as_posix()
        kind = next((n for n, p in enumerate(PATHS) if p.split("/")[0] == path.split("/")[0]), number % len(PATHS))
        found.append(bytes([kind, number % 256, 7]) + file.read_bytes())
    return found


def run(budget: Budget, seed: int) -> Result:
    """Coverage-guided in a process of its own, else by mutation alone."""
    if find_spec("atheris") is not None and budget.points > SHORT.points:
        return _guided(budget, seed)
    done = _mutated(budget, seed)
    if find_spec("atheris") is None:
        done.notes.append("atheris is not installed: texts were mutated without a look at coverage")
    return done


def _guided(budget: Budget, seed: int) -> Result:
    with scratch("fuzz") as folder:
        corpus = folder / "corpus"
        corpus.mkdir()
        for number, data in enumerate(seeds()):
            (corpus / str(number)).write_bytes(data)
        command = [
            sys.executable, "-m", "prove.guided", str(corpus), f"-runs={budget.points}", f"-seed={seed}",
            f"-max_total_time={max(1, round(budget.seconds))}", "-max_len=4096", "-print_final_stats=1",
            f"-artifact_prefix={folder}/",
        ]  # fmt: skip
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=os.environ, check=False)
        ran = re.search(r"stat::number_of_executed_units:\s*(\d+)", done.stderr)
        result = Result(int(ran[1]) if ran else 0, notes=["guided by coverage, with atheris"])
        for crash in sorted(folder.glob("crash-*")):
            result.failures.append(_told(crash.read_bytes()))
        if done.returncode and not result.failures:
            result.failures.append(f"the fuzzer ended with {done.returncode}: {done.stderr[-300:]}")
        return result


def _mutated(budget: Budget, seed: int) -> Result:
    result, end = Result(), time.monotonic() + budget.seconds
    for data in _mutations(random.Random(seed)):
        try:
            one(data)
        except Exception as error:
            result.failures.append(_told(data, error))
        result.points += 1
        if result.points >= budget.points or time.monotonic() > end or len(result.failures) > 20:
            return result
    return result


def _mutations(chance: random.Random) -> Iterator[bytes]:
    pool = seeds()
    yield from pool
    while True:
        data = bytearray(chance.choice(pool)[:4096])
        for _ in range(chance.choice((1, 1, 2, 4))):
            at, size = chance.randint(0, len(data)), chance.choice((1, 1, 4, 40))
            other = chance.choice(pool)
            start = chance.randint(0, len(other))
            new = chance.choice((b"", bytes([chance.randrange(256)]), chance.choice(_SPLICES), other[start:][:size]))
            data[at : at + chance.choice((0, size))] = new
        yield bytes(data)


def _told(data: bytes, error: BaseException | None = None) -> str:
    """The sentence for a find, which is put aside so that it can be tried again."""
    with tempfile.NamedTemporaryFile(prefix="syncd-find-", delete=False) as file:
        file.write(data)
    if error is None:
        try:
            one(data)
        except Exception as raised:
            error = raised
    return f"{type(error).__name__}: {error} (the bytes: {Path(file.name)}; keep them in {FINDS.relative_to(ROOT)})"
