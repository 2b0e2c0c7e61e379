"""What `syncd status` knows, as metrics in the text format of Prometheus. Pure.

`METRICS` is the one list of them: the manual's table is made from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

Entry = Mapping[str, Any]
Samples = Iterable[tuple[dict[str, str], float | None]]
"""Further labels and value; None where it is not known, and then there is no sample."""

_STATES = ("converged", "pending", "attention", "halted", "failed")


class Metric(Struct, frozen=True):
    """One metric. ``of`` gives its samples for one bank, each with further labels."""

    name: str
    kind: str
    help: str
    of: Callable[[Entry], Samples]


def _one(*path: str, factor: float = 1.0) -> Callable[[Entry], Samples]:
    def of(entry: Entry) -> Samples:
        found: Any = entry
        for name in path:
            found = found.get(name) if isinstance(found, Mapping) else None
        if found is not None:
            yield {}, float(found) * factor

    return of


def _states(entry: Entry) -> Samples:
    return [({"state": name}, float(name == entry["state"])) for name in _STATES]


def _records(entry: Entry) -> Samples:
    return [({"table": table}, count) for table, count in entry.get("records", {}).items()]


def _quantiles(name: str) -> Callable[[Entry], Samples]:
    def of(entry: Entry) -> Samples:
        told = (entry.get("daemon") or {}).get(name)
        if told:
            for label, key in (("0.5", "p50"), ("0.95", "p95"), ("1", "max")):
                yield {"quantile": label}, told[key] / 1000

    return of


def _daemon(entry: Entry) -> Samples:
    daemon = entry.get("daemon")
    return [({}, float(daemon is not None and not daemon["hung"]))]


def _present(*path: str) -> Callable[[Entry], Samples]:
    """1 where there is something, 0 where there is nothing."""

    def of(entry: Entry) -> Samples:
        found: Any = entry
        for name in path[:-1]:
            found = found.get(name) if isinstance(found, Mapping) else None
        if isinstance(found, Mapping) and path[-1] in found:
            yield {}, float(bool(found[path[-1]]))

    return of


def _moment(*path: str) -> Callable[[Entry], Samples]:
    def of(entry: Entry) -> Samples:
        found: Any = entry
        for name in path:
            found = found.get(name) if isinstance(found, Mapping) else None
        if found:
            yield {}, datetime.fromisoformat(str(found)).timestamp()

    return of


METRICS: tuple[Metric, ...] = (
    Metric("syncd_bank_state", "gauge", "1 for the state that the bank is in, 0 for the others", _states),
    Metric("syncd_documents", "gauge", "documents of the bank", _one("documents")),
    Metric("syncd_records", "gauge", "rows of each table", _records),
    Metric("syncd_pending_files", "gauge", "documents that are not absorbed yet", _one("pending", "files")),
    Metric("syncd_pending_rows", "gauge", "rows that are not written into files yet", _one("pending", "db")),
    Metric("syncd_conflicts", "gauge", "open conflicts", _one("conflicts")),
    Metric("syncd_holds", "gauge", "changes that wait for a yes", _one("holds")),
    Metric("syncd_drift_fields", "gauge", "fields that places show differently", _one("drift")),
    Metric("syncd_paused", "gauge", "1 while the bank is paused", _present("paused")),
    Metric("syncd_last_transaction_timestamp_seconds", "gauge", "when the last transaction was made",
           _moment("last_transaction", "timestamp")),
    Metric("syncd_last_backup_timestamp_seconds", "gauge", "when the last backup was made", _moment("backup", "last")),
    Metric("syncd_backup_failed", "gauge", "1 where the last daily backup failed", _present("backup", "failure")),
    Metric("syncd_daemon_up", "gauge", "1 where a daemon serves the bank and answers", _daemon),
    Metric("syncd_daemon_uptime_seconds", "gauge", "how long the daemon runs", _one("daemon", "uptime")),
    Metric("syncd_daemon_memory_bytes", "gauge", "resident memory of the daemon",
           _one("daemon", "memory_mb", factor=1e6)),
    Metric("syncd_polling", "gauge", "1 where the system cannot tell of changes and files are looked at by a timer",
           _present("daemon", "polling")),
    Metric("syncd_overflows_total", "counter", "how often the system lost events, so that all was scanned",
           _one("daemon", "overflows")),
    Metric("syncd_failures_total", "counter", "failed tries to serve the bank since the daemon started",
           _one("daemon", "failures")),
    Metric("syncd_transactions_total", "counter", "transactions by the daemon since it started",
           _one("daemon", "transactions")),
    Metric("syncd_absorb_seconds", "gauge", "from a saved file to a durable row, of the last hundred, by quantile",
           _quantiles("absorb_ms")),
    Metric("syncd_emit_seconds", "gauge", "from a committed row to a durable file, of the last hundred, by quantile",
           _quantiles("emit_ms")),
)  # fmt: skip


def text(entries: Iterable[Entry]) -> str:
    """All metrics of all banks; a metric without samples is left out."""
    entries = list(entries)
    return "".join(line + "\n" for metric in METRICS for line in _lines(metric, entries))


def _lines(metric: Metric, entries: list[Entry]) -> Iterator[str]:
    samples = [
        f"{metric.name}{_labels({'bank': str(entry['path']), **labels})} {_number(value)}"
        for entry in entries
        for labels, value in metric.of(entry)
        if value is not None
    ]
    if samples:
        yield f"# HELP {metric.name} {metric.help}"
        yield f"# TYPE {metric.name} {metric.kind}"
        yield from samples


def _labels(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    plain = value.encode("utf-8", "backslashreplace").decode()
    return plain.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def manual() -> str:
    """The table of metrics as markdown, for the manual."""
    rows = ["| metric | type | what it says |", "|---|---|---|"]
    return "\n".join(rows + [f"| `{m.name}` | {m.kind} | {m.help} |" for m in METRICS]) + "\n"
