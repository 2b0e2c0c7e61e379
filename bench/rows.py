"""Every figure and gate by name, with its goal."""

from __future__ import annotations

from collections.abc import Callable

from bench import gates, latency, many, rest
from bench.figures import Figure, Gate, Goal
from bench.setting import Setting

BURST = range(1, 21)


def history(setting: Setting) -> Figure:
    ours, floor = latency.history_to_row(setting, setting.real(), setting.samples(400, 60))
    goal = Goal(ratio=4, tail=12)
    return Figure("history", "file saved → row durable, 126 KB edit history", ours, floor=floor, goal=goal)


def task(setting: Setting) -> Figure:
    ours, floor = latency.tasks_to_rows(setting, [7], setting.samples(400, 60))
    return Figure("task", "file saved → row durable, 7 KB task file", ours, floor=floor, goal=Goal(ratio=4, tail=12))


def burst(setting: Setting) -> Figure:
    ours, floor = latency.tasks_to_rows(setting, BURST, setting.samples(60, 15))
    return Figure("burst", "20 files saved in a burst → all rows durable", ours, floor=floor, goal=Goal(ratio=4))


def emit(setting: Setting) -> Figure:
    ours, floor = latency.row_to_file(setting, setting.samples(400, 60))
    work = "row committed elsewhere → file durable, 7 KB task file"
    return Figure("emit", work, ours, floor=floor, goal=Goal(ratio=4))


def put_back(setting: Setting) -> Figure:
    ours, floor = latency.put_back(setting, setting.samples(400, 60))
    work = "database first: 7 KB task file edited → put back"
    return Figure("put_back", work, ours, floor=floor, goal=Goal(ratio=4))


def long(setting: Setting) -> Figure:
    ours, floor = latency.history_to_row(setting, setting.long(), setting.samples(40, 8))
    work = f"one entry edited in a {setting.megabytes} MB edit history → row"
    return Figure("long", work, ours, floor=floor, goal=Goal(ratio=3))


def first(setting: Setting) -> Figure:
    ours, floor, note = rest.first_import(setting, setting.samples(9, 3))
    work = "first import, 281 files, 1.8 MB, in the process"
    return Figure("first", work, ours, floor=floor, goal=Goal(ratio=4), note=note)


def nothing(setting: Setting) -> Figure:
    ours, floor = rest.nothing_changed(setting, setting.samples(25, 7))
    goal = Goal(limit=100, at=14)
    return Figure("nothing", "nothing changed, 281 files, `syncd sync`", ours, floor=floor, goal=goal)


def nothing_large(setting: Setting) -> Figure:
    ours, floor = rest.nothing_changed_large(setting, setting.samples(25, 7))
    work = f"nothing changed, {setting.documents:,} files, in the process"
    return Figure("nothing_large", work, ours, floor=floor, goal=Goal(ratio=2))


def version(setting: Setting) -> Figure:
    ours, floor = rest.version(setting, setting.samples(25, 7))
    return Figure("version", "`syncd --version`", ours, floor=floor, goal=Goal(limit=60, at=14))


def status(setting: Setting) -> Figure:
    ours, floor = rest.status(setting, setting.samples(25, 7))
    return Figure("status", "`syncd status`", ours, floor=floor, goal=Goal(limit=90, at=27))


def log_work(setting: Setting) -> list[Figure]:
    work, goal = "`mb workflow log-work`, an entry with eight files", Goal(limit=150, at=14)
    figures = []
    for name, beside, runs in (("log_work", "", False), ("log_work_daemon", ", the daemon runs", True)):
        ours, floor, note = rest.log_work(setting, setting.samples(25, 7), daemon_runs=runs)
        figures.append(Figure(name, f"{work}{beside}", ours, floor=floor, goal=goal, note=note))
    return figures


def memory(setting: Setting) -> Figure:
    ours, floor, note = rest.resident(setting)
    work = "memory of the daemon, 281 files"
    return Figure("memory", work, ours, "MB", floor, Goal(limit=45), note=note)


def idle(setting: Setting) -> list[Figure]:
    share, wakes, note = rest.idle(setting, setting.samples(30, 8))
    bank = f"idle, {setting.documents:,} files"
    return [
        Figure("idle", f"{bank}: share of a core", [share], "%", goal=Goal(limit=0.01), note=note),
        Figure("wakes", f"{bank}: wake-ups in ten seconds", [wakes], "", goal=Goal(limit=1)),
    ]


def scale(setting: Setting) -> Figure:
    ours, floor = latency.small_and_large(setting, setting.samples(200, 30))
    work = f"one edit in a bank of {setting.documents:,} files (floor: in one of 100)"
    return Figure("scale", work, ours, floor=floor, goal=Goal(ratio=1.5))


def hundred(setting: Setting) -> list[Figure]:
    megabytes, share, wakes, note = many.at_rest(setting, setting.samples(100, 20), setting.samples(60, 20))
    work = f"{setting.samples(100, 20)} banks in one daemon"
    return [
        Figure("hundred", f"{work}: memory", [megabytes], "MB", note=note),
        Figure("hundred_idle", f"{work}, idle: share of a core", [share], "%"),
        Figure("hundred_wakes", f"{work}, idle: wake-ups in ten seconds", [wakes], ""),
    ]


ROWS: dict[str, Callable[[Setting], Figure | list[Figure] | Gate]] = {
    "history": history, "task": task, "burst": burst, "emit": emit, "put_back": put_back, "long": long, "first": first,
    "nothing": nothing, "nothing_large": nothing_large, "version": version, "status": status,
    "log_work": log_work,
    "memory": memory, "idle": idle, "scale": scale, "hundred": hundred,
}  # fmt: skip

GATES: dict[str, Callable[[Setting], Figure | list[Figure] | Gate]] = {
    "none_lost": gates.none_lost, "untouched": gates.untouched, "not_held_up": gates.not_held_up,
    "entries_found": gates.entries_found,
}  # fmt: skip
