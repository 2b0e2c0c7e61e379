"""A machine with a real systemd, in a container of systemd-nspawn: built once, booted in a second, thrown away after.

Its system is Debian's, put together by debootstrap below ``.cache/machine`` or ``$SYNCD_MACHINE`` (``make machine``).
It stays as it was: what a boot writes is forgotten, but for /home, which lies in a scratch folder. syncd is installed
from a wheel of this tree.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prove.frame import ROOT

ROOTFS = Path(os.environ.get("SYNCD_MACHINE") or ROOT / ".cache" / "machine")
SYNCD = "/opt/syncd/bin/syncd"
PERSON = "alice"

_PACKAGES = "systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd,python3,python3-venv,procps"
_READY = "opt/syncd/ready"
_WHEELS = "opt/wheels"
_BOOT_S = 60.0


class MachineFailed(Exception):
    """The machine cannot be built, booted or told."""


def missing() -> str | None:
    """Why there can be no such machine here; None if there can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "a machine with systemd needs Linux and root"
    for program in ("systemd-nspawn", "nsenter"):
        if shutil.which(program) is None:
            return f"{program}: not installed"
    if not (ROOTFS / _READY).exists():
        return "no machine with systemd was made (`make machine`)"
    if (ROOTFS / _READY).read_text() != "\n".join(_dependencies()):
        return "the machine with systemd has the libraries of another version (`make machine`)"
    return None


def build(release: str = "bookworm") -> None:
    """Put the machine together, or bring the libraries in it up to date. Raises `MachineFailed`."""
    if not (ROOTFS / "usr" / "bin" / "python3").exists():
        ROOTFS.parent.mkdir(parents=True, exist_ok=True)
        _call("debootstrap", "--variant=minbase", f"--include={_PACKAGES}", release, str(ROOTFS), _mirror(release))
        _call("chroot", str(ROOTFS), "useradd", "--create-home", "--uid", "1000", PERSON)
    wheels = ROOTFS / _WHEELS
    version = "import sys; print('%d.%d' % sys.version_info[:2])"
    python = _call("chroot", str(ROOTFS), "python3", "-c", version).strip()
    _call(
        sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(wheels), "--only-binary", ":all:",
        "--python-version", python, *_dependencies(),
    )  # fmt: skip
    _call("chroot", str(ROOTFS), "python3", "-m", "venv", "/opt/syncd")
    _install(_dependencies())
    (ROOTFS / _READY).write_text("\n".join(_dependencies()))


@contextmanager
def booted() -> Iterator[Machine]:
    """A running machine with this tree's syncd. Raises `MachineFailed`."""
    if reason := missing():
        raise MachineFailed(reason)
    _install_this()
    with tempfile.TemporaryDirectory(prefix="syncd-machine-", dir="/var/tmp", ignore_cleanup_errors=True) as scratch:
        home, console = Path(scratch, "home"), Path(scratch, "console")
        shutil.copytree(ROOTFS / "home", home, symlinks=True)
        for path in (home / PERSON, *(home / PERSON).rglob("*")):
            os.chown(path, 1000, 1000, follow_symlinks=False)
        with console.open("wb") as log:
            process = subprocess.Popen(
                ["systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit", "--console=pipe",
                 "--private-users=no", "--private-network", "--volatile=overlay", f"--directory={ROOTFS}",
                 f"--bind={home}:/home", f"--machine=syncd-{os.getpid()}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        try:
            yield Machine(_leader(process, console), home)
        finally:
            process.terminate()  # an orderly end
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Machine:
    """A running machine: commands are run in it, and its /home can be seen from here as ``home``."""

    def __init__(self, leader: int, home: Path) -> None:
        self._leader = leader
        self.home = home
        self._enter = ["nsenter", f"--target={leader}", "--mount", "--uts", "--ipc", "--net", "--pid", "--"]
        self.until("systemctl is-system-running 2>/dev/null", "running", seconds=_BOOT_S)

    def run(self, command: str, *, person: bool = False, check: bool = True) -> str:
        """What a shell command prints in there, as root or as the person. Raises `MachineFailed` where it fails."""
        code, said = self.ask(command, person=person)
        if check and code:
            raise MachineFailed(f"`{command}` ended with {code}: {said.strip()[-600:]}")
        return said.strip()

    def ask(self, command: str, *, person: bool = False) -> tuple[int, str]:
        """The exit code of a shell command and all that it prints."""
        if person:
            command = f"runuser -u {PERSON} -- env -C /home/{PERSON} HOME=/home/{PERSON} sh -c {shlex.quote(command)}"
        environ = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin:/opt/syncd/bin", "LANG": "C.UTF-8"}
        ran = subprocess.run(
            [*self._enter, "sh", "-c", command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, encoding="utf-8", errors="replace", timeout=300, check=False, env=environ,
        )  # fmt: skip
        return ran.returncode, ran.stdout

    def until(self, command: str, expected: str, *, person: bool = False, seconds: float = 20.0) -> None:
        """Wait until ``command`` prints ``expected``. Raises `MachineFailed` with what it printed last."""
        end = time.monotonic() + seconds
        while (said := self.run(command, person=person, check=False)) != expected:
            if time.monotonic() > end:
                raise MachineFailed(f"`{command}` still prints {said[-400:]!r}, not {expected!r}, after {seconds:g} s")
            time.sleep(0.05)


def _leader(process: subprocess.Popen[bytes], console: Path) -> int:
    """The process id of the machine's init. Raises `MachineFailed`."""
    end = time.monotonic() + _BOOT_S
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while process.poll() is None and time.monotonic() < end:
        for child in children.read_text().split():
            if Path(f"/proc/{child}/comm").read_text().strip() == "systemd":
                return int(child)
        time.sleep(0.05)
    raise MachineFailed(f"the machine does not boot: {console.read_text(errors='replace')[-600:]}")


def _install_this() -> None:
    with tempfile.TemporaryDirectory(prefix="syncd-wheel-") as made:
        _call(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", made, str(ROOT))
        for wheel in Path(made).glob("*.whl"):
            shutil.copy(wheel, ROOTFS / _WHEELS)
            _install([f"/{_WHEELS}/{wheel.name}", "--force-reinstall", "--no-deps"])


def _install(what: list[str]) -> None:
    pip = ["/opt/syncd/bin/pip", "install", "--quiet", "--no-index", "--find-links", f"/{_WHEELS}"]
    _call("chroot", str(ROOTFS), "env", "-i", "PATH=/usr/bin:/bin", *pip, *what)


def _dependencies() -> list[str]:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return list(project["dependencies"])


def _mirror(release: str) -> str:
    """Where this machine's apt has the release from. Raises `MachineFailed`."""
    shown = _call("apt-get", "indextargets", "--format", "$(CODENAME) $(REPO_URI)", "Identifier: Packages")
    for line in shown.splitlines():
        name, _, address = line.partition(" ")
        if name == release:
            return address
    raise MachineFailed(f"apt has no source for {release}: run apt-get update")


def _call(*command: str) -> str:
    try:
        ran = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
    except FileNotFoundError:
        raise MachineFailed(f"{command[0]}: not installed") from None
    if ran.returncode:
        raise MachineFailed(f"{' '.join(command[:3])} failed: {(ran.stderr or ran.stdout).strip()[-600:]}")
    return ran.stdout


if __name__ == "__main__":
    build()
