"""Which service this machine and this installation would have: finds program, environment, user and manager."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

import syncd
from syncd import config, configfile, userbanks
from syncd.errors import UsageError
from syncd.service.launchd import Launchd
from syncd.service.manager import ServiceError
from syncd.service.render import HIDDEN_FROM_USER, Installation, within
from syncd.service.systemd import Systemd
from syncd.userfiles import user_config

Manager = Systemd | Launchd


def service(bank: Path | None, *, system: bool, user: str | None, sandbox: bool = True) -> Manager:
    """The service of ``bank`` alone, or the one for all banks of that person's list.

    ``user`` is who a service of the system runs as; ``sandbox`` see `Systemd`. Raises `UsageError` for what cannot be
    meant here.
    """
    if user and not system:
        raise UsageError("--user without --system", hint="your own service runs as you anyway")
    if sys.platform == "darwin":
        if system or bank:
            raise UsageError(f"no {'--system' if system else '--bank'} on macOS", hint="one agent serves all banks")
        account = _account(None)
        return Launchd(_installation(account, _listed(account, system=False), system=False), os.getuid())
    if bank and within(str(bank), HIDDEN_FROM_USER):
        raise UsageError("a service has folders /tmp and /var/tmp of its own", str(bank), "move the bank elsewhere")
    account = _account(_system_user(user) if system else None)
    # The text of a template is the same for all banks: its own lines name the instance.
    made_for = _installation(account, () if bank else _listed(account, system=system), system=system)
    return Systemd(made_for, str(bank) if bank else None, account.pw_name, dict(os.environ), sandbox)


def require_runnable(made_for: Installation) -> None:
    """Raises `ServiceError` where the user of a service of the system may not run this installation."""
    if made_for.user is None or os.geteuid() != 0:
        return
    account = _account(made_for.user)
    try:
        subprocess.run(
            [made_for.program, "--version"], user=account.pw_uid, group=account.pw_gid, extra_groups=[], check=True,
            capture_output=True, cwd="/", timeout=30,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        raise ServiceError(
            f"{made_for.user} cannot run this program", made_for.program, "install syncd where that user may read it"
        ) from None


def program() -> str:
    """The absolute path of this environment's ``syncd``. Raises `ServiceError` where there is none."""
    places = [Path(sysconfig.get_path("scripts")), Path(sysconfig.get_path("scripts", f"{os.name}_user"))]
    called = Path(sys.argv[0])
    if called.name == "syncd" and called.is_absolute():
        places.insert(0, called.parent)
    for place in places:
        if os.access(place / "syncd", os.X_OK):
            return str(place / "syncd")
    found = shutil.which("syncd")
    if found is None:
        raise ServiceError("this environment has no command `syncd`", sys.prefix, "install it there with pip")
    return os.path.abspath(found)


def _installation(account: pwd.struct_passwd, banks: Sequence[Path], *, system: bool) -> Installation:
    code = str(Path(syncd.__file__).resolve().parent.parent)
    needed = tuple(dict.fromkeys((sys.prefix, os.path.realpath(sys.base_prefix), code)))
    if system:
        return Installation(
            program(), needed, os.path.realpath(account.pw_dir), tuple(map(str, banks)), account.pw_name
        )
    home = os.environ.get("HOME") or account.pw_dir
    settings = os.environ.get("XDG_CONFIG_HOME", "").strip()
    unusual = settings if settings and settings != os.path.join(home, ".config") else None
    return Installation(program(), needed, os.path.realpath(home), tuple(map(str, banks)), settings=unusual)


def _listed(account: pwd.struct_passwd, *, system: bool) -> Sequence[Path]:
    """The banks on the list of this person, or of the one whom a service of the system runs as."""
    if not system or account.pw_uid == os.geteuid():
        return userbanks.listed() or ()
    given = configfile.read(user_config({"HOME": account.pw_dir}), config.SETTINGS, of_bank=False).get("banks")
    return [Path(re.sub("^~(?=/|$)", account.pw_dir, path)) for path in (given.value if given else ())]


def _system_user(given: str | None) -> str:
    """Who a service of the system runs as: the one named, else the one who called sudo, else this user."""
    name = given or os.environ.get("SUDO_USER") or ("" if os.geteuid() == 0 else _account(None).pw_name)
    if not name:
        raise UsageError("as whom shall the service run?", hint="name the owner of the banks with --user NAME")
    return name


def _account(name: str | None) -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(os.getuid()) if name is None else pwd.getpwnam(name)
    except KeyError:
        raise UsageError("no such user", name or str(os.getuid()), "name one with --user NAME") from None
