"""`syncd service`: the texts that are installed, what systemctl and launchctl are told, and what is refused."""

from __future__ import annotations

import plistlib
import pwd
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from syncd.errors import Exit, UsageError
from syncd.service import here, manager, reach, render
from syncd.service.escape import instance, program, quoted
from syncd.service.launchd import Launchd
from syncd.service.manager import Answer, ServiceError
from syncd.service.render import Installation
from syncd.service.systemd import Systemd

ROOT = Path(__file__).resolve().parent.parent.parent
UNITS = ("syncd.service", "syncd@.service", "system/syncd.service", "system/syncd@.service")
ODD = ("with space 100% %h", "$HOME o'brien", 'quo"te back\\slash; #x \\x20 ünïcode-')

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze: not installed")

MADE_FOR = Installation("/opt/syncd/bin/syncd", ("/opt/syncd",), "/home/ada")


class Manager:
    """A systemctl that remembers what it was told. ``answers`` are for commands by their first words."""

    def __init__(self, **answers: Answer) -> None:
        self.told: list[str] = []
        self.answers = answers
        self.shows = {"ActiveState": "inactive", "UnitFileState": ""}

    def __call__(self, command: Sequence[str]) -> Answer:
        words = [word for word in command if word not in ("systemctl", "--user")]
        answer = self.answers.get(words[0].replace("-", "_"))
        if words[0] == "show" and "--property=Version" not in words:
            return answer or Answer(0, "".join(f"{key}={value}\n" for key, value in self.shows.items()), "")
        if words[0] != "show":
            self.told.append(" ".join(words))
        if words[:1] == ["enable"]:
            self.shows["UnitFileState"] = "enabled"
        if words[0] in ("start", "restart"):
            self.shows |= {"ActiveState": "active", "MainPID": "7"}
        if words[0] == "disable":
            self.shows |= {"ActiveState": "inactive", "UnitFileState": "disabled", "MainPID": "0"}
        return answer or Answer(0, "", "")


@pytest.fixture
def systemd(tmp_path: Path) -> Callable[..., Systemd]:
    """A service whose unit goes to a scratch folder."""

    def make(run: Manager, made_for: Installation = MADE_FOR, single: str | None = None) -> Systemd:
        for name in ("booted", "linger"):
            (tmp_path / name).mkdir(exist_ok=True)
        return Systemd(
            made_for, single, "ada", {}, run=run, folder=tmp_path / "units", booted=tmp_path / "booted",
            linger=tmp_path / "linger",
        )  # fmt: skip

    return make


# What is installed


@needs_systemd
@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("user", [None, "root"])
def test_systemd_reads_any_path_as_it_is(tmp_path: Path, name: str, user: str | None) -> None:
    """`systemd-analyze verify` finds the program and complains of nothing, whatever is in the paths."""
    home = tmp_path / name
    command = home / "bin" / "syncd"
    command.parent.mkdir(parents=True)
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    made_for = Installation(str(command), (str(home),), str(home), (f"/srv/{name}/memory-bank",), user=user)
    for single in (False, True):
        assert _verified(tmp_path, render.unit(made_for, single), single, user is not None) == ""


@needs_systemd
def test_a_wrong_path_would_be_noticed(tmp_path: Path) -> None:
    """The check above can fail: a program that is not there, and an unknown key, are complained of."""
    text = render.unit(MADE_FOR, False)
    assert "/opt/syncd/bin/syncd" in _verified(tmp_path, text, False, False)
    text = text.replace('"/opt/syncd/bin/syncd" run', "/bin/true").replace("KillMode=", "KilMode=")
    assert "KilMode" in _verified(tmp_path, text, False, False)


def _verified(folder: Path, text: str, single: bool, system: bool) -> str:
    """What `systemd-analyze verify` complains of."""
    (folder / render.file_name(single)).write_text(text)
    (folder / "runtime").mkdir(exist_ok=True)
    ran = subprocess.run(
        ["systemd-analyze", "--man=no", "--recursive-errors=no", *([] if system else ["--user"]), "verify",
         str(folder / ("syncd@srv-x.service" if single else "syncd.service"))],
        capture_output=True, text=True, check=False,
        env={"XDG_RUNTIME_DIR": str(folder / "runtime"), "HOME": str(folder)},
    )  # fmt: skip
    return ran.stderr


@needs_systemd
@pytest.mark.parametrize(("user", "most"), [("ada", 10), (None, 18)])
@pytest.mark.parametrize("single", [False, True])
def test_little_is_open_to_the_service(tmp_path: Path, user: str | None, most: int, single: bool) -> None:
    """`systemd-analyze security` gives the system's unit at most 1.0 of 10, a user's 1.8."""
    text = render.unit(replace(MADE_FOR, user=user), single)
    file = tmp_path / ("syncd@x.service" if single else "syncd.service")
    file.write_text(text)
    ran = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", f"--threshold={most}", "--no-pager", str(file)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout.splitlines()[-1:]


@pytest.mark.skipif(shutil.which("systemd-escape") is None, reason="systemd-escape: not installed")
def test_instances_are_named_as_systemd_names_them() -> None:
    """The same as `systemd-escape --path`."""
    paths = ["/", "/srv/bank", "/.hidden/x", "/a//b/", *(f"/home/{name}/{name}" for name in ODD)]
    said = subprocess.run(["systemd-escape", "--path", "--", *paths], capture_output=True, text=True, check=True)
    assert [instance(path) for path in paths] == said.stdout.split()


def test_paths_are_written_by_systemds_rules() -> None:
    """Percent signs and backslashes are doubled; a dollar sign in the program's path is no variable."""
    assert quoted("/a b/100%") == '"/a b/100%%"'
    assert quoted('/a\\"') == '"/a\\\\\\""'
    assert program("/a$b") == ':"/a$b"'
    assert program("/o'b$r/100%") == '/usr/bin/env "/o\'b$$r/100%%"'


@pytest.mark.parametrize("path", ["/a\nb", "/a\tb", "/a\udc80"])
def test_a_path_that_no_unit_can_name_is_refused(path: str) -> None:
    """One line, and nothing is written."""
    with pytest.raises(UsageError, match="a unit file cannot name this path"):
        quoted(path)


def test_a_path_too_long_for_a_unit_is_refused() -> None:
    """systemd would say that the unit is invalid."""
    with pytest.raises(UsageError, match="too long"):
        instance("/x" * 200)


def test_banks_outside_the_home_are_made_writable() -> None:
    """Each by a line of its own; those inside need none."""
    text = render.unit(replace(MADE_FOR, banks=("/home/ada/x/memory-bank", "/srv/100%/b", "/tmp/c")), False)
    assert 'ReadWritePaths=%h\nReadWritePaths="-/srv/100%%/b"\nReadWritePaths="-/tmp/c"\nBindPaths="-/tmp/c"\n' in text
    assert "x/memory-bank" not in text


def test_the_systems_unit_sees_one_home_and_the_program() -> None:
    """An environment in another's home is shown to it, read only."""
    made_for = Installation("/home/bob/env/bin/syncd", ("/home/bob/env",), "/home/ada", ("/srv/b",), user="ada")
    text = render.unit(made_for, False)
    assert 'BindPaths="/home/ada"\nBindPaths="-/srv/b"\nBindReadOnlyPaths="-/home/bob/env"\n' in text
    assert "User=ada\n" in text
    assert "/home/you" not in text
    assert "you\n" not in text


def test_settings_in_an_unusual_place_are_found_by_the_service() -> None:
    """The user's manager does not know the variables of a shell."""
    text = render.unit(replace(MADE_FOR, settings="/home/ada/my dots/100%"), False)
    assert 'Environment="XDG_CONFIG_HOME=/home/ada/my dots/100%%"\nExecStart="/opt/syncd/bin/syncd" run\n' in text
    assert "Environment" not in render.unit(MADE_FOR, False)


def test_without_namespaces_the_rest_of_the_unit_is_the_same() -> None:
    """Only the block that needs them is left out."""
    whole, plain = (render.unit(replace(MADE_FOR, namespaces=n), False) for n in (True, False))
    assert "PrivateUsers" not in plain
    assert plain.endswith("\n\n[Install]\nWantedBy=default.target\n")
    assert plain.startswith(whole.partition("# What follows needs namespaces;")[0])


@pytest.mark.parametrize("folder", ["", "system/"])
def test_the_unit_of_one_bank_differs_in_the_bank_only(folder: str) -> None:
    """What one of the two files learns, the other must too."""
    one, many = (_directives(f"{folder}syncd{kind}.service") for kind in ("@", ""))
    differing = {"Description", "ExecStart", "LimitNOFILE"}
    own = {"ReadWritePaths=-%f", "BindPaths=-%f"}
    assert [d for d in one if d.partition("=")[0] not in differing and d not in own] == [
        d for d in many if d.partition("=")[0] not in differing
    ]


def _directives(name: str) -> list[str]:
    lines = (ROOT / "systemd" / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("name", UNITS)
def test_what_is_shipped_can_be_installed_by_hand(name: str) -> None:
    """It is a whole unit, with the usual places of a program and a home."""
    text = "\n".join(_directives(name))
    for needed in ("Type=notify", "NotifyAccess=main", "WatchdogSec=", "Restart=on-failure", "StartLimitBurst=",
                   "TimeoutStopSec=", "ExecReload=", "RuntimeDirectory=", "WantedBy="):  # fmt: skip
        assert needed in text
    assert re.search(r"^ExecStart=(%h|/home/you)/\.local/bin/syncd run( %f)?$", text, re.M)


def test_the_shipped_files_are_part_of_the_package() -> None:
    """Each file of systemd/ is found beside the code, and named by the list of what is packaged."""
    data = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = data["tool"]["setuptools"]["package-data"]["syncd.service"]
    files = [file.relative_to(ROOT / "systemd") for file in (ROOT / "systemd").rglob("*") if file.is_file()]
    assert {str(file) for file in files} == {*UNITS, "syncd.plist", "README.md"}
    for file in files:
        assert (ROOT / "syncd" / "service" / "units" / file).samefile(ROOT / "systemd" / file)
        depth = str(file).count("/")
        assert any(p.count("/") == depth + 1 and fnmatch(f"units/{file}", p) for p in patterns), file


def test_the_agent_is_a_property_list() -> None:
    """With this installation's paths, whatever is in them."""
    made_for = Installation("/Users/a & b/<bin>/syncd", (), "/Users/a & b")
    agent = plistlib.loads(render.agent(made_for).encode())
    assert agent["ProgramArguments"] == ["/Users/a & b/<bin>/syncd", "run"]
    assert agent["StandardErrorPath"] == "/Users/a & b/Library/Logs/syncd.log"
    assert agent["Label"] == "syncd"
    assert agent["KeepAlive"] == {"SuccessfulExit": False}
    assert agent["RunAtLoad"] is True
    assert render.is_ours(render.agent(made_for))


# What is done


def test_install_writes_enables_and_starts(systemd: Callable[..., Systemd]) -> None:
    """And tells each of the three, and how to see the log."""
    run = Manager()
    service = systemd(run)
    found = service.install()
    assert service.file.read_text() == service.text
    assert run.told[1:] == ["daemon-reload", "enable syncd.service", "reset-failed syncd.service",
                            "start --no-block syncd.service"]  # fmt: skip
    assert [line.split()[0] for line in found.did] == ["wrote", "enabled", "started"]
    assert found.running
    assert found.log == "journalctl --user -u 'syncd.service' -f"


def test_install_again_does_nothing(systemd: Callable[..., Systemd]) -> None:
    """It says how the service is."""
    run = Manager()
    systemd(run).install()
    run.told.clear()
    found = systemd(run).install()
    assert found.did == ()
    assert found.current
    assert not any(word.startswith(("start", "restart", "enable")) for word in run.told)


def test_install_renews_what_an_older_version_wrote(systemd: Callable[..., Systemd]) -> None:
    """And starts the service again with it."""
    run = Manager()
    service = systemd(run)
    service.install()
    service.file.write_text(service.text.replace("WatchdogSec=60s", "WatchdogSec=5s"))
    assert service.status().current is False
    assert "restart --no-block syncd.service" in (service.install(), run.told)[1]
    assert service.file.read_text() == service.text


def test_install_leaves_a_strangers_unit(systemd: Callable[..., Systemd]) -> None:
    """One that was put there by hand is named and kept, by uninstall too."""
    service = systemd(Manager())
    service.file.parent.mkdir()
    service.file.write_text("[Service]\nExecStart=/bin/true\n")
    for action in (service.install, service.uninstall):
        with pytest.raises(ServiceError, match="not written by") as refused:
            action()
        assert str(service.file) in str(refused.value.path)
    assert service.file.read_text() == "[Service]\nExecStart=/bin/true\n"


def test_uninstall_removes_the_unit_only(systemd: Callable[..., Systemd]) -> None:
    """Twice is no error."""
    run = Manager()
    service = systemd(run)
    service.install()
    assert "disable --now syncd.service" in (service.uninstall(), run.told)[1]
    assert not service.file.exists()
    assert service.uninstall().did == ()


def test_the_template_stays_while_another_bank_uses_it(systemd: Callable[..., Systemd]) -> None:
    """Removing it would end the other service at the next boot."""
    run = Manager()
    service = systemd(run, single="/srv/one")
    service.install()
    wants = service.file.parent / "default.target.wants"
    wants.mkdir()
    (wants / "syncd@srv-two.service").touch()
    service.uninstall()
    assert service.file.exists()
    (wants / "syncd@srv-two.service").unlink()
    service.uninstall()
    assert not service.file.exists()


def test_without_namespaces_install_takes_the_plain_unit(systemd: Callable[..., Systemd]) -> None:
    """And says what that means; the unit counts as the right one."""
    service = systemd(Manager(systemd_run=Answer(1, "", "no")))
    found = service.install()
    assert service.file.read_text() == service.plain_text
    assert found.current
    assert any("without namespaces" in note for note in found.notes)


def test_a_service_that_would_end_at_logout_says_so(systemd: Callable[..., Systemd], tmp_path: Path) -> None:
    """With the command that changes it, until lingering is on."""
    service = systemd(Manager())
    assert any("loginctl enable-linger ada" in note for note in service.install().notes)
    (tmp_path / "linger" / "ada").touch()
    assert service.status().notes == ()


# What is refused


def test_without_systemd_the_way_on_is_named(systemd: Callable[..., Systemd], tmp_path: Path) -> None:
    """Nothing is written."""
    service = systemd(Manager())
    (tmp_path / "booted").rmdir()
    with pytest.raises(ServiceError, match="systemd does not run") as refused:
        service.install()
    assert "--print" in str(refused.value.hint)
    assert not service.file.exists()


def test_a_user_manager_that_cannot_be_reached_is_told(systemd: Callable[..., Systemd]) -> None:
    """With what makes it reachable."""
    service = systemd(Manager(show=Answer(1, "", "Failed to connect to bus: No medium found")))
    with pytest.raises(ServiceError, match="cannot be reached") as refused:
        service.install()
    assert "enable-linger ada" in str(refused.value.hint)


def test_what_systemctl_refuses_is_one_line(systemd: Callable[..., Systemd]) -> None:
    """Its own first line, the unit, and the command that shows more."""
    service = systemd(Manager(enable=Answer(1, "", "Failed to enable: read-only\nmore")))
    with pytest.raises(ServiceError, match=r"systemctl enable failed \(Failed to enable: read-only\)") as refused:
        service.install()
    assert "journalctl" in str(refused.value.hint)


def test_a_system_service_needs_root(systemd: Callable[..., Systemd], monkeypatch: pytest.MonkeyPatch) -> None:
    """The hint is the whole command."""
    service = systemd(Manager(), replace(MADE_FOR, user="ada"), "/srv/b")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(ServiceError) as refused:
        service.install()
    assert refused.value.hint == "sudo /opt/syncd/bin/syncd service install --system --bank /srv/b"


def test_sudo_without_system_is_refused(systemd: Callable[..., Systemd], monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be root's service, not that person's."""
    monkeypatch.setattr("os.geteuid", lambda: 0)
    service = replace(systemd(Manager()), environ={"SUDO_USER": "ada"})
    with pytest.raises(ServiceError, match="sudo would make this root's own service"):
        service.install()


def test_the_system_service_of_a_root_shell_asks_for_whom(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is guessed."""
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.delenv("SUDO_USER", raising=False)
    with pytest.raises(UsageError, match="as whom"):
        here.service(None, system=True, user=None)
    with pytest.raises(UsageError, match="no such user"):
        here.service(None, system=True, user="nobody-of-that-name")


def test_print_does_nothing_but_print(syncd: Callable[..., Any], bank: Path) -> None:
    """Whether there is a systemd or not."""
    ran = syncd("service", "install", "--print")
    assert ran.code == 0
    assert re.search(r'^ExecStart="?/.*/syncd"? run$', ran.out, re.M)
    assert "PrivateUsers" in ran.out
    assert "PrivateUsers" not in syncd("service", "install", "--print", "--no-namespaces").out
    assert "User=nobody" in syncd("service", "install", "--print", "--system", "--user", "nobody").out
    refused = syncd("service", "install", "--print", "--bank", bank)
    assert refused.code == Exit.USAGE, "the scratch bank lies below /tmp, which a service does not see"
    assert "folders /tmp and /var/tmp of its own" in refused.err


@pytest.fixture
def own_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of this test alone."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))


@pytest.mark.usefixtures("own_list")
def test_a_service_without_banks_is_not_installed(syncd: Callable[..., Any]) -> None:
    """The daemon would have nothing to serve; the hint says how a bank is listed."""
    ran = syncd("service", "install")
    assert ran.code == Exit.USAGE
    assert "no bank is on the list — `syncd add PATH`" in ran.err


def test_the_list_is_the_one_of_whom_it_runs_as(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root's command reads the settings of that person, and ~ is that person's home."""
    account = pwd.struct_passwd(("ada", "x", 4321, 4321, "", str(tmp_path), "/bin/sh"))
    (tmp_path / ".config" / "syncd").mkdir(parents=True)
    (tmp_path / ".config" / "syncd" / "config.toml").write_text('banks = ["/srv/b", "~/notes", "~bob/x"]\n')
    assert here._listed(account, system=True) == [Path("/srv/b"), tmp_path / "notes", Path("~bob/x")]


@pytest.mark.skipif(sys.platform != "linux", reason="units are of Linux")
@pytest.mark.parametrize("user", [None, "ada"])
def test_a_bank_that_an_installed_service_may_not_write_is_told(tmp_path: Path, user: str | None) -> None:
    """Not those in the home directory, nor those that stood on the list when it was installed."""
    other, units = Path("/srv/bank"), tmp_path / "units"
    folder = units if user else tmp_path / "systemd/user"
    folder.mkdir(parents=True)
    environ = {"HOME": "/home/ada", "XDG_CONFIG_HOME": str(tmp_path)}
    banks = [Path("/home/ada/bank"), other]
    known = Installation("/opt/syncd", (), "/home/ada", user=user)
    assert reach.closed(banks, environ, units) == ([], None)
    (folder / "syncd.service").write_text(render.unit(known, single=False))
    command = "sudo syncd service install --system" if user else "syncd service install"
    assert reach.closed(banks, environ, units) == ([other], command)
    (folder / "syncd.service").write_text(render.unit(replace(known, banks=(str(other),)), single=False))
    assert reach.closed(banks, environ, units) == ([], None)


@pytest.mark.usefixtures("own_list")
@pytest.mark.skipif(Path("/run/systemd/system").exists(), reason="systemd runs here")
def test_where_no_systemd_runs_the_command_is_one_line(syncd: Callable[..., Any], synced: Path) -> None:
    """Exit code 3."""
    assert syncd("add", synced).code == 0
    for action in ("install", "uninstall", "status"):
        ran = syncd("service", action)
        assert ran.code == Exit.FAILED
        assert ran.err.startswith("syncd: systemd does not run on this machine — ")
        assert ran.err.count("\n") == 1


# launchd


def test_launchd_loads_asks_and_unloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The agent is written and bootstrapped once; again does nothing; uninstall boots it out and removes it."""
    monkeypatch.setattr("os.geteuid", lambda: 501)
    told: list[str] = []
    loaded = False

    def run(command: Sequence[str]) -> Answer:
        nonlocal loaded
        told.append(" ".join(command[1:]))
        loaded = {"bootstrap": True, "bootout": False}.get(command[1], loaded)
        printed = "gui/501/syncd = {\n\tstate = running\n\tpid = 42\n\truns = 3\n}\n"
        return (
            (Answer(0, printed, "") if loaded else Answer(113, "", "")) if command[1] == "print" else Answer(0, "", "")
        )

    service = Launchd(Installation("/x/syncd", (), str(tmp_path)), 501, run)
    found = service.install()
    assert (found.state, found.pid, found.restarts, found.current) == ("active", 42, 2, True)
    assert f"bootstrap gui/501 {service.file}" in told
    assert service.install().did == ()
    service.file.write_text(service.text.replace("/x/syncd", "/old/syncd"))
    assert service.status().current is False
    assert len(service.install().did) == 2
    assert [line.split()[0] for line in service.uninstall().did] == ["unloaded", "removed"]
    assert not service.file.exists()


def test_a_command_that_is_not_there_is_an_answer() -> None:
    """Not an exception: the managers say what it means."""
    assert manager.run(["/no/such/program"]).code == 127
