"""The parser, the writer and the merge under a fuzzer, with the laws as oracle (`tests.laws.fuzzing`).

Where atheris is installed it looks for new paths through our code, starting from the sample, the CommonMark examples
and what was found before; elsewhere the same texts are mutated without looking. Finds are kept in ``tests/laws/finds``
and tried in every ``make test``.
"""

from __future__ import annotations

import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from itertools import count, islice
from pathlib import Path

from prove.frame import ROOT, Budget, Result, scratch, spread
from tests.laws.fuzzing import PATHS, one
from tests.remembered import remembered

WHAT = "executions of parser, writer and merge on mutated documents, with the laws as oracle"
WHOLE = Budget(10_000_000, 300, 2)
SHORT = Budget(1500, 8)

FINDS = ROOT / "tests" / "laws" / "finds"
_BATCH = 250
_SPLICES = (b"\n", b"## ", b"| ", b"**Status**: ", b"- [ ] ", b"```\n", b"\r\n", b"---\n", b"T1: ", b"*")


@cache
def seeds() -> list[bytes]:
    """Texts to begin with, each as `tests.laws.fuzzing.one` takes them."""
    found = [file.read_bytes() for file in sorted(FINDS.glob("*")) if file.is_file()]
    for number, file in enumerate(sorted((ROOT / "syncd" / "sample").rglob("*.md"))):
        path = file.relative_to(ROOT / "syncd" / "sample").as_posix()
        kind = next((n for n, p in enumerate(PATHS) if p.split("/")[0] == path.split("/")[0]), number % len(PATHS))
        found.append(bytes([kind, number % 256, 7]) + file.read_bytes())
    return found


def run(budget: Budget, seed: int) -> Result:
    """By mutation; in the whole form half of the work is done by atheris in a process of its own, if it is there."""
    if find_spec("atheris") is None or budget.workers == 1:
        done = spread(lambda number: _batch(seed, number), count(), budget)
        if budget.workers > 1:
            done.notes.append("atheris is not installed: texts were mutated without a look at coverage")
        return done
    with scratch("fuzz") as folder:
        guided = _Guided(folder, budget, seed)
        try:
            done = spread(lambda number: _batch(seed, number), count(), replace(budget, workers=1))
            done.notes.append(f"{done.points:,} by mutation of what was known")
            done.add(guided.finished())
        finally:
            guided.end()
    return done


class _Guided:
    """The process in which atheris looks for new paths."""

    def __init__(self, folder: Path, budget: Budget, seed: int) -> None:
        self._folder = folder
        (corpus := folder / "corpus").mkdir()
        for number, data in enumerate(seeds()):
            (corpus / str(number)).write_bytes(data)
        command = [
            sys.executable, "-m", "prove.guided", str(corpus), f"-runs={budget.points}", f"-seed={seed}",
            f"-max_total_time={max(1, round(budget.seconds))}", "-max_len=4096", "-timeout=60", "-print_final_stats=1",
            f"-artifact_prefix={folder}/",
        ]  # fmt: skip
        self._log = (folder / "log").open("w+b")
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=self._log, stderr=self._log)

    def finished(self) -> Result:
        """What it did, when it is at its end. A find ends it."""
        code = self._process.wait(120)
        said = (self._folder / "log").read_text(errors="replace")
        ran = re.search(r"stat::number_of_executed_units:\s*(\d+)", said)
        result = Result(int(ran[1]) if ran else 0)
        result.notes.append(f"{result.points:,} guided by coverage, with atheris")
        for find in sorted((*self._folder.glob("crash-*"), *self._folder.glob("timeout-*"))):
            result.failures.append(_told(find.read_bytes()))
        if code and not result.failures:
            result.failures.append(f"the fuzzer ended with {code}: {said[-300:]}")
        return result

    def end(self) -> None:
        """Let nothing run on."""
        self._process.kill()
        self._process.wait()
        self._log.close()


def _batch(seed: int, number: int) -> Result:
    """So many mutations; in the first batch what is known already, as it is."""
    result, chance, pool = Result(), random.Random(f"{seed} {number}"), seeds()
    with remembered():
        for data in pool if number == 0 else islice(_mutations(chance, pool), _BATCH):
            try:
                one(data)
            except Exception as error:
                result.failures.append(_told(data, error))
            result.points += 1
            if len(result.failures) > 5:
                break
    return result


def _mutations(chance: random.Random, pool: list[bytes]) -> Iterator[bytes]:
    while True:
        data = bytearray(_part(chance.choice(pool), chance))
        for _ in range(chance.choice((1, 1, 2, 4))):
            at, size = chance.randint(3, max(3, len(data))), chance.choice((1, 1, 4, 40))
            other = chance.choice(pool)
            start = chance.randint(0, len(other))
            new = chance.choice((b"", bytes([chance.randrange(256)]), chance.choice(_SPLICES), other[start:][:size]))
            data[at : at + chance.choice((0, size))] = new
        data[1:3] = chance.randbytes(2)  # which changes are made of it
        yield bytes(data)


def _part(data: bytes, chance: random.Random) -> bytes:
    """Some lines of a text, mostly: what is short is tried quickly, and a mutation in it stands near what it spoils."""
    if chance.random() < 0.1:
        return data[:4096]
    lines = data[3:].splitlines(keepends=True)
    first = 0 if chance.random() < 0.5 else chance.randrange(max(1, len(lines)))
    return data[:3] + b"".join(lines[first : first + chance.randint(3, 25)])[:1000]


def _told(data: bytes, error: BaseException | None = None) -> str:
    """The sentence for a find, which is put aside so that it can be tried again."""
    with tempfile.NamedTemporaryFile(prefix="syncd-find-", delete=False) as file:
        file.write(data)
    if error is None:
        try:
            one(data)
        except Exception as raised:
            error = raised
    where = f"{Path(file.name).name} among the temporary files; keep them in {FINDS.relative_to(ROOT)}"
    return f"{type(error).__name__}: {error} (the bytes: {where})"
