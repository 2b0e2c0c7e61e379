"""The report as markdown: a line for each part, kept from run to run, and what failed or was left out."""

from __future__ import annotations

import re
from dataclasses import dataclass

from prove.frame import Result

_HEAD = "| part | tried | points | failures | seconds | seed | day |"
_LINE = re.compile(r"\| `(?P<part>\w+)` \|.*\|")
_NOTES = re.compile(r"^- `(?P<part>\w+)`: ")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run of a part: ``goal`` are the points that were asked for, ``seconds`` how long it took."""

    part: str
    what: str
    goal: int
    result: Result
    seconds: float
    seed: int
    day: str

    def line(self) -> str:
        """Its line in the table."""
        short = "" if self.result.points >= self.goal else f" of {self.goal:,}"
        return (
            f"| `{self.part}` | {self.what} | {self.result.points:,}{short} | {len(self.result.failures)} "
            f"| {self.seconds:,.0f} | {self.seed} | {self.day} |"
        )

    def remarks(self) -> list[str]:
        """What failed, what was left out, figures: a list item each."""
        told = [*self.result.notes, *(f"left out: {s}" for s in self.result.skipped)]
        told += [f"**failed**: {_plain(failure)}" for failure in self.result.failures[:20]]
        return [f"- `{self.part}`: {' '.join(sentence.split())}" for sentence in told]


def _plain(failure: str) -> str:
    """A failure as text of a page: it may quote links of a document that lies elsewhere."""
    return failure.replace("](", "]\\(")


def merged(old: str, parts: tuple[str, ...], outcomes: list[Outcome]) -> str:
    """The report with the lines of ``outcomes``; lines of other ``parts`` stay as the ``old`` report has them."""
    lines = {m["part"]: line for line in old.splitlines() if (m := _LINE.fullmatch(line))}
    remarks: dict[str, list[str]] = {}
    for line in old.splitlines():
        if m := _NOTES.match(line):
            remarks.setdefault(m["part"], []).append(line)
    for outcome in outcomes:
        lines[outcome.part], remarks[outcome.part] = outcome.line(), outcome.remarks()
    table = [lines[part] for part in parts if part in lines]
    told = [line for part in parts if part in lines for line in remarks.get(part, ())]
    return "\n".join([_ABOVE, _HEAD, re.sub(r"[^|]+", "---", _HEAD), *table, *(["", *told] if told else []), ""])


_ABOVE = """\
# What was tried to break it

`make prove` writes this page. Each part tries to break the guarantees in its way until its points are tried or its time
is up; the same seed tries the same things. `make prove PART=kill` runs one part and renews its line, `PROVE_SCALE=0.1`
gives each a tenth of its points and time, `SEED=` another seed. A short form of each part runs in `make test`.

The whole takes about an hour on two processors: parts that need one run two at a time, the service's, which mostly
waits, beside the others. A part runs in a process of its own, and is given up and told as failed where it does not end.
Where the points stand as `n of m` the time was up before: a step of the model costs 16 ms of one processor and an
execution of the fuzzer 2, most of it the program's own work: their goals are those of some nights (`PROVE_SCALE=24`).
"""
