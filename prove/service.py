"""The service under a real systemd, through all that happens to one: started, killed, hung, reloaded, out of disk.

Each loop installs the unit with `syncd service install`, for a bank whose path has spaces and a percent sign, and goes
through `STEPS`; loops take the `FORMS` of a service in turn. What a step says is wrong is a failure.
"""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable
from typing import NamedTuple

from prove.frame import Budget, Result
from prove.machine import PERSON, Machine, MachineFailed, booted, missing

WHAT = "lifecycles of the installed unit in a real systemd: start, stop, kill, hang, reload, full disk, stale lock"
WHOLE = Budget(20, 1500.0, 0)
SHORT = Budget(1, 240.0)

_HOME = f"/home/{PERSON}"
_SAMPLE = "$(/opt/syncd/bin/python -c 'import syncd, os; print(os.path.dirname(syncd.__file__))')/sample"
_QUICK = (
    "[Service]\nWatchdogSec=3s\nTimeoutAbortSec=1s\n"  # the times of the shipped unit would make a loop minutes long
)
_BURST = 8  # as the unit says


class Wrong(Exception):
    """A step found something else than what must hold."""


class Form(NamedTuple):
    """A form of service: for one bank or for those of the list, run by the user's manager or the system's."""

    single: bool
    system: bool

    def __str__(self) -> str:
        return f"{'one bank' if self.single else 'the list'}, {'system' if self.system else 'user'}"


FORMS = (Form(True, False), Form(False, False), Form(True, True), Form(False, True))


class Service:
    """The service of a bank in the machine."""

    def __init__(self, machine: Machine, form: Form, number: int) -> None:
        self.machine = machine
        self.single, self.system = form
        self.folder = f"{_HOME}/notes {number} at 100%"
        self.bank = f"{self.folder}/memory-bank"
        self.quoted = shlex.quote(self.bank)
        self.unit = self.unit_of(self.quoted)
        self.units = "/etc/systemd/system" if self.system else f"{_HOME}/.config/systemd/user"

    def unit_of(self, bank: str) -> str:
        """The unit that serves ``bank``."""
        escape = f"systemd-escape --path --template=syncd@.service -- {bank}"
        return shlex.quote(self.machine.run(escape)) if self.single else "syncd.service"

    def install(self, bank: str | None = None) -> str:
        """What `syncd service install` prints."""
        if self.single:
            command = f"syncd service install --bank {bank or self.quoted}"
        else:
            self.person(f"syncd add {bank or self.quoted}")
            command = "syncd service install"
        if self.system:
            return self.machine.ask(f"{command} --system --user {PERSON}")[1]
        return self.machine.ask(command, person=True)[1]

    def control(self, words: str, unit: str | None = None, check: bool = True) -> str:
        """What ``systemctl words UNIT`` prints."""
        manager = "" if self.system else "--user "
        command = f"XDG_RUNTIME_DIR=/run/user/1000 systemctl {manager}{words} {unit or self.unit}"
        return self.machine.run(command, person=not self.system, check=check)

    def asked(self, key: str, unit: str | None = None) -> str:
        """One property of the unit."""
        return self.control(f"show --property={key} --value", unit)

    def pid(self) -> int:
        """The daemon's process id in the machine."""
        return int(self.asked("MainPID"))

    def kill(self, signal: str) -> None:
        """Send the daemon a signal."""
        self.machine.run(f"kill -{signal} {self.pid()}")

    def edit(self, words: str) -> None:
        """Write a line into a document, as an editor would."""
        self.person(f"printf '%s\\n' {shlex.quote(words)} >> {self.quoted}/tasks/T3.md")

    def person(self, command: str) -> str:
        """What a command of the person prints."""
        return self.machine.run(command, person=True)

    def sql(self, statement: str) -> None:
        """A row changed by another program of the person's."""
        change = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.execute(sys.argv[2]); db.commit()"
        self.person(f'/opt/syncd/bin/python -c "{change}" {self.quoted}/.syncd/memory_bank.db "{statement}"')

    def absorbed(self, words: str) -> None:
        """Wait until the database has that line."""
        count = f"SELECT count(*) AS n FROM sections WHERE text LIKE '%{words}%'"
        ask = f'syncd query --bank {self.quoted} --json "{count}" | grep -o "[0-9]*"'
        self.machine.until(ask, "1", person=True)

    def status(self) -> dict[str, object]:
        """The bank's entry of `syncd status --json`."""
        said = self.machine.ask(f"syncd status --json {self.quoted}", person=True)[1]
        entry: dict[str, object] = json.loads(said)["banks"][0]
        return entry


def starts_ready(service: Service) -> None:
    """Ready is told only after the first scan: what was saved before the start is in the database then."""
    service.control("stop")
    service.edit("saved before the start")
    service.control("start")
    count = "SELECT count(*) AS n FROM sections WHERE text LIKE '%saved before the start%'"
    said = service.person(f'syncd query --bank {service.quoted} --json "{count}"')
    _must("1" in said, f"ready before the first scan: {said}")
    daemon = service.status()["daemon"]
    _must(isinstance(daemon, dict), f"status knows no daemon: {service.status()}")


def both_sides_follow(service: Service) -> None:
    """Inside the sandbox a saved file is absorbed and a changed row is written, by exchange, into its file."""
    service.edit("seen by the service")
    service.absorbed("seen by the service")
    before = service.person(f"stat -c %i {service.quoted}/tasks.md")
    now = service.person(f"syncd query --bank {service.quoted} --json \"SELECT priority FROM tasks WHERE id = 'T4'\"")
    new = "LOW" if "MEDIUM" in now else "MEDIUM"
    sql = f"UPDATE tasks SET priority = '{new}' WHERE id = 'T4'"
    service.sql(sql)
    service.machine.until(f"grep -c '^| T4 .*{new}' {service.quoted}/tasks.md", "1", person=True)
    _must(service.person(f"stat -c %i {service.quoted}/tasks.md") != before, "written in place, not by exchange")


def the_sandbox_holds(service: Service) -> None:
    """As the daemon sees the machine, the system cannot be written and keys are not there; the bank can be written."""
    inside = f"nsenter --target={service.pid()} --mount --"
    for tried in (f"test -e {_HOME}/.ssh/key", "touch /etc/written", "touch /usr/written"):
        _must(service.machine.ask(f"{inside} {tried}")[0] != 0, f"inside the sandbox `{tried}` succeeds")
    code, said = service.machine.ask(f"{inside} touch {service.quoted}/.syncd/written")
    _must(code == 0, f"the bank cannot be written: {said}")
    service.machine.run(f"rm {service.quoted}/.syncd/written")


def stops_cleanly(service: Service) -> None:
    """A stop takes no more than moments and ends with exit code 0."""
    began = time.monotonic()
    service.control("stop")
    took = time.monotonic() - began
    result, code = service.asked("Result"), service.asked("ExecMainStatus")
    _must((result, code) == ("success", "0"), f"stopped with {result}, exit code {code}")
    _must(took < 5, f"the stop took {took:.1f} s")
    service.control("start")


def killed_it_finishes(service: Service) -> None:
    """Killed in the middle of its work, it is started again and the work is done."""
    before = service.pid()
    service.edit("saved just before the kill")
    service.kill("KILL")
    service.machine.until(_living(service, before), "active")
    service.absorbed("saved just before the kill")


def hung_it_is_replaced(service: Service) -> None:
    """The watchdog ends a daemon that hangs; the next one sees what was saved meanwhile."""
    before = service.pid()
    service.kill("STOP")
    service.edit("saved while it hung")
    service.machine.until(_living(service, before), "active", seconds=30)
    service.absorbed("saved while it hung")


def reloads(service: Service) -> None:
    """A reload is done by the same process: bad settings are told and do no harm, good ones are taken."""
    before, config = service.pid(), f"{service.quoted}/.syncd/config.toml"
    service.person(f"printf 'no_such_setting = 1\\n' > {config}")
    service.control("reload")
    service.machine.until(f"{_journal(service)} | grep -c -m1 no_such_setting", "1")
    service.person(f"rm {config}")
    service.control("reload")
    service.machine.until(f"XDG_RUNTIME_DIR=/run/user/1000 {_is_active(service)}", "active", person=not service.system)
    service.edit("saved after the reload")
    service.absorbed("saved after the reload")
    _must(service.pid() == before, "the reload replaced the process")


def stale_lock_is_no_obstacle(service: Service) -> None:
    """What a dead daemon left (its lock's text, a socket) does not keep the next one from starting."""
    service.control("stop")
    text = '{"pid": 1, "since": "2026-01-01T00:00:00+00:00", "role": "daemon", "ready": true}'
    service.person(f"printf '%s\\n' {shlex.quote(text)} > {service.quoted}/.syncd/lock")
    _must(service.status()["daemon"] is None, "a lock that nobody holds counts as a daemon")
    service.control("start")
    daemon = service.status()["daemon"]
    _must(isinstance(daemon, dict) and daemon["pid"] != 1, f"no daemon after a stale lock: {daemon}")


def a_second_daemon_is_refused(service: Service) -> None:
    """One daemon a bank, whoever starts it."""
    code, said = service.machine.ask(f"syncd run {service.quoted}", person=True)
    _must(code == 3 and "in use by the daemon" in said, f"a second daemon: exit code {code}, {said}")


def answers_over_its_socket(service: Service) -> None:
    """From inside the sandbox it tells what only the process knows, pauses and resumes."""
    daemon = service.status()["daemon"]
    _must(isinstance(daemon, dict) and daemon["uptime"] is not None, f"the socket tells nothing: {daemon}")
    service.person(f"syncd pause {service.quoted}")
    _must(service.status()["paused"] is not None, "paused, and status does not say so")
    service.edit("saved while it was paused")
    time.sleep(1)
    count = "SELECT count(*) AS n FROM sections WHERE text LIKE '%saved while it was paused%'"
    said = service.person(f'syncd query --bank {service.quoted} --json "{count}"')
    _must("1" not in said, "paused, and it absorbs")
    service.person(f"syncd resume {service.quoted}")
    service.absorbed("saved while it was paused")


def runs_a_hook(service: Service) -> None:
    """A command of the person's is told of a conflict, inside the sandbox too."""
    settings, told = f"{_HOME}/.config/syncd/config.toml", f"{_HOME}/told"
    service.person(f"mkdir -p .config/syncd; touch {settings}; cp {settings} settings-before; rm -f {told}")
    hook = f"on_conflict = \"sh -c 'cat >> {told}'\"\n"
    service.person(f"printf %s {shlex.quote(hook)} | cat - settings-before > {settings}")
    try:
        service.control("reload")
        service.person(f"syncd pause {service.quoted}")
        service.person(f"sed -i 's/^# T3.*/# T3: By hand/' {service.quoted}/tasks/T3.md")
        service.sql("UPDATE tasks SET title = 'By a row' WHERE id = 'T3'")
        service.person(f"syncd resume {service.quoted}")
        service.machine.until(f'grep -c -m1 \'"event": *"conflict"\' {told}', "1", person=True)
        service.person(f"syncd resolve --all --take file --bank {service.quoted}")
    finally:
        service.person(f"cp settings-before {settings}")
        service.control("reload")


def full_disk_is_told(service: Service) -> None:
    """A bank whose disk is full at start is told of, without restarts without end, and served when there is room."""
    machine, folder = service.machine, f"{_HOME}/small"
    bank = f"{folder}/memory-bank"
    unit, before = service.unit_of(bank), service.pid()
    machine.run(f"mkdir -p {folder} && mount -t tmpfs -o size=2m,mode=0777 small {folder}")
    try:
        service.person(f"cp -r {_SAMPLE} {bank}; dd if=/dev/zero of={folder}/filler bs=1k 2>/dev/null || true")
        said = service.install(bank)
        machine.until(f"{_journal(service, unit)} | grep -c -m1 'disk is full\\|no space'", "1")
        time.sleep(2)
        restarts = int(service.asked("NRestarts", unit))
        _must(restarts <= (_BURST if service.single else 0), f"{restarts} restarts on a full disk: {said}")
        if not service.single:
            service.edit("saved beside a full disk")
            service.absorbed("saved beside a full disk")
            _must(service.pid() == before, "one bank without room ended the service of the others")
        service.person(f"rm {folder}/filler")
        service.control("reset-failed", unit, check=False)
        service.install(bank)
        machine.until(f"syncd status {bank} | grep -c converged", "1", person=True, seconds=45)
    finally:
        if service.single:
            service.control("disable --now", unit, check=False)
        else:
            machine.ask(f"syncd remove {bank}", person=True)
            time.sleep(1)
        machine.run(f"umount -l {folder}", check=False)


STEPS: tuple[Callable[[Service], None], ...] = (
    starts_ready, both_sides_follow, the_sandbox_holds, stops_cleanly, killed_it_finishes, hung_it_is_replaced, reloads,
    answers_over_its_socket, runs_a_hook, stale_lock_is_no_obstacle, a_second_daemon_is_refused, full_disk_is_told,
)  # fmt: skip


def run(budget: Budget, seed: int) -> Result:
    """Loops until the budget is used up; none where there can be no such machine."""
    if reason := missing():
        return Result(skipped=[reason])
    total, end = Result(), time.monotonic() + budget.seconds
    with booted() as machine:
        machine.run(f"loginctl enable-linger {PERSON}")
        machine.until("systemctl is-active user@1000.service", "active")
        while total.points < budget.points and (total.points == 0 or time.monotonic() < end):
            form = FORMS[(total.points + seed - 1) % len(FORMS)]
            total.add(_loop(machine, form, number=total.points))
    total.notes.append(f"{len(STEPS)} steps a loop; in turn: {'; '.join(map(str, FORMS))}")
    return total


def _loop(machine: Machine, form: Form, *, number: int) -> Result:
    service = Service(machine, form, number)
    result = Result(1)
    try:
        service.person("mkdir -p .ssh && touch .ssh/key")
        service.person(f"mkdir -p {shlex.quote(service.folder)} && cp -r {_SAMPLE} {service.quoted}")
        folder = f"{service.units}/syncd{'@' * form.single}.service.d"
        machine.run(f"mkdir -p {folder} && printf {shlex.quote(_QUICK)} > {folder}/quick.conf")
        machine.run(f"! [ -e {_HOME}/.config ] || chown -R {PERSON}: {_HOME}/.config")
        said = service.install()
        _must("active, enabled" in said, f"not installed: {said}")
        for step in STEPS:
            service.control("reset-failed", check=False)
            try:
                step(service)
            except (Wrong, MachineFailed) as error:
                result.failures.append(f"loop {number} ({form}), {step.__name__}: {error}")
    except (Wrong, MachineFailed) as error:
        result.failures.append(f"loop {number} ({form}): {error}")
    finally:
        service.control("disable --now", check=False)
        machine.ask(f"syncd remove {service.quoted}", person=True)
    return result


def _living(service: Service, before: int) -> str:
    """A command that prints ``active`` once another process than ``before`` serves."""
    manager = (
        "systemctl" if service.system else f"runuser -u {PERSON} -- env XDG_RUNTIME_DIR=/run/user/1000 systemctl --user"
    )
    pid = f"$({manager} show --property=MainPID --value {service.unit})"
    return f'pid={pid}; [ "$pid" != {before} ] && [ "$pid" != 0 ] && {manager} is-active {service.unit}'


def _is_active(service: Service) -> str:
    return f"systemctl {'' if service.system else '--user '}is-active {service.unit}"


def _journal(service: Service, unit: str | None = None) -> str:
    """A command that prints the unit's log."""
    key = "_SYSTEMD_UNIT" if service.system else "_SYSTEMD_USER_UNIT"
    plain = shlex.split(unit or service.unit)[0]
    return f"journalctl --quiet --output=cat {shlex.quote(f'{key}={plain}')}"


def _must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Wrong(otherwise)
