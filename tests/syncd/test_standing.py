"""What a person is told of a bank: state, why, what next; and the same as JSON and as metrics."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from syncd import prometheus, standing
from tests.conftest import ROOT, Ran

WELL: dict[str, Any] = {
    "path": "/b", "conflicts": 0, "holds": 0, "drift": 0, "unshown": 0, "pending": {"files": 0, "db": 0},
    "failure": None,
    "backup": {"last": None, "due": None, "failure": None}, "paused": None, "unfinished": None,
    "daemon": None, "unwritten": [], "database": {"reason": None, "halted": False},
}  # fmt: skip
DAEMON: dict[str, Any] = {"pid": 7, "hung": False, "busy": None, "polling": None}


@pytest.mark.parametrize(
    ("changed", "state", "says", "then"),
    [
        ({}, "converged", None, None),
        ({"failure": "the disk is full"}, "failed", "the disk is full", "syncd check --bank /b"),
        ({"daemon": {**DAEMON, "hung": True}}, "failed", "process 7) does not answer", "kill -KILL 7"),
        ({"holds": 1, "conflicts": 2}, "attention", "1 change waits for a yes", "syncd holds --bank /b"),
        ({"conflicts": 2, "drift": 3}, "attention", "2 fields were changed on both sides", "syncd conflicts --bank /b"),
        ({"backup": {"failure": "no space"}}, "attention", "the daily backup failed: no s", "syncd backup --bank /b"),
        ({"database": {"reason": "foreign", "halted": True}}, "halted", "foreign", None),
        ({"database": {"reason": "older", "halted": False}}, "attention", "older", None),
        ({"unwritten": [{"path": "a.md", "reason": "no"}]}, "attention", "a.md cannot be written: no", None),
        ({"pending": {"files": 1, "db": 0}}, "pending", "no daemon does the work", "syncd sync /b"),
        ({"pending": {"files": 0, "db": 1}, "daemon": DAEMON}, "pending", "the daemon is about to do it", None),
        ({"pending": {"files": 0, "db": 1}, "daemon": {**DAEMON, "busy": {"bank": "/c"}}}, "pending", "with /c", None),
        ({"pending": {"files": 0, "db": 1}, "unfinished": "a git merge"}, "pending", "a git merge", None),
        ({"pending": {"files": 1, "db": 0}, "paused": "noon"}, "pending", "paused since noon", "syncd resume /b"),
        ({"paused": "noon"}, "converged", "paused since noon", "syncd resume /b"),
        ({"daemon": {**DAEMON, "polling": "full: `sudo x` allows more"}}, "converged", "full", "sudo x"),
        ({"drift": 1}, "converged", "1 field is shown differently", "syncd check /b"),
    ],
)  # fmt: skip
def test_the_most_urgent_is_told_with_the_next_command(
    changed: dict[str, Any], state: str, says: str | None, then: str | None
) -> None:
    """One sentence and one command."""
    entry = {**WELL, **changed}
    assert standing.state(entry) == state
    why, following = standing.advice(entry)
    assert (says is None) == (why is None)
    assert says is None or says in str(why)
    assert following == then


def test_every_command_that_is_named_is_there() -> None:
    """`next` can be typed as it stands."""
    from syncd.cli import COMMANDS

    named = set(re.findall(r'"syncd (\w+)|f"syncd (\w+)', (ROOT / "syncd" / "standing.py").read_text()))
    assert {one or other for one, other in named} <= set(COMMANDS)


def test_every_key_of_the_json_is_in_the_manual_and_the_other_way_round(
    synced: Path, syncd: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With those of the daemon."""
    from syncd.daemon.served import _UNKNOWN

    (entry,) = syncd("status", synced, "--json").json["banks"]
    keys = set(entry) | {f"daemon.{key}" for key in ("pid", "since", *_UNKNOWN)}
    table = (ROOT / "docs" / "status.md").read_text().partition("## JSON")[2].partition("## Metrics")[0]
    told = {key for row in re.findall(r"^\| (`.*?) \|", table, re.M) for key in re.findall(r"`([\w.]+)`", row)}
    assert told == keys


def test_metrics_are_in_the_format_of_prometheus(synced: Path, syncd: Callable[..., Ran]) -> None:
    """HELP and TYPE once, before all samples of a metric; labels escaped; a state is 1 for one of five."""
    odd = synced.rename(synced.with_name('odd "bank"\\'))
    other = {"path": "/gone", "state": "failed", "reason": "no such folder", "next": None}
    (entry,) = syncd("status", odd, "--json").json["banks"]
    daemon = {**DAEMON, "since": "", "uptime": 1.5, "memory_mb": 41.2, "overflows": 2, "failures": 0, "transactions": 3,
              "absorb_ms": {"count": 1, "p50": 1.5, "p95": 2.0, "max": 4.0}, "emit_ms": None}  # fmt: skip
    text = prometheus.text([entry | {"daemon": daemon}, other])
    sample = re.compile(r'^(\w+)\{bank="((?:[^"\\\n]|\\.)*)"(?:,\w+="[^"]*")*\} (-?[\d.e+-]+)$')
    seen: list[str] = []
    for line in text.splitlines():
        if line.startswith("# HELP"):
            seen.append(line.split()[2])
        elif not line.startswith("# TYPE"):
            found = sample.match(line)
            assert found, line
            assert found[1] == seen[-1]
    assert len(seen) == len(set(seen))
    unknown = {"syncd_emit_seconds", "syncd_last_backup_timestamp_seconds"}
    assert {m.name for m in prometheus.METRICS} - set(seen) <= unknown
    assert 'syncd_absorb_seconds{bank="' in text
    assert ',quantile="0.95"} 0.002' in text
    assert "} 41200000" in text
    assert 'syncd_bank_state{bank="/gone",state="failed"} 1' in text
    assert 'syncd_bank_state{bank="/gone",state="converged"} 0' in text


def test_without_a_bank_near_the_listed_ones_are_shown(
    synced: Path, syncd: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is gone hides nothing; the exit code is that of the worst. In a bank's folder it is that bank alone."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "config" / "syncd").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir("/")
    nothing = syncd("status")
    assert (nothing.code, "no bank" in nothing.err) == (2, True)
    (tmp_path / "config" / "syncd" / "config.toml").write_text(f'banks = ["{synced}", "/gone/bank"]\n')
    ran = syncd("status", "--json")
    assert ran.code == 3
    states = [(e["path"], e["state"]) for e in ran.json["banks"]]
    assert states == [(str(synced), "converged"), ("/gone/bank", "failed")]
    monkeypatch.chdir(synced.parent)
    assert [e["path"] for e in syncd("status", "--json").json["banks"]] == [str(synced)]
