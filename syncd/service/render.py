"""The texts of units and of the agent for one installation: the shipped files with its paths and names put in.

Reads the shipped files; otherwise pure. What is replaced stands in them as a usual value (``%h/.local/bin/syncd``), so
that they can be installed by hand as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape as xml

from msgspec import Struct

from syncd.service.escape import instance, program, quoted

MARK = "# Written by `syncd service install`, which writes it anew. Changes of yours go into a drop-in: `{edit}`\n"
"""The first line of what is installed: only a file that has it is replaced or removed."""

AGENT_MARK = "<!-- Written by `syncd service install`, which writes it anew. -->"

_FOLDER = Path(__file__).parent / "units"
_NAMESPACES = "# What follows needs namespaces;"
_INSTALL = "[Install]\n"
_USER_PROGRAM = "%h/.local/bin/syncd"
_HOME = "/home/you"
_SYSTEM_PROGRAM = f"{_HOME}/.local/bin/syncd"
_AGENT_HOME = "/Users/you"
HIDDEN_FROM_USER = ("/tmp", "/var/tmp")  # noqa: S108 (where PrivateTmp= puts another folder)
_HIDDEN_FROM_SYSTEM = (*HIDDEN_FROM_USER, "/home", "/root", "/run/user")


class Installation(Struct, frozen=True):
    """What a unit is made for. Paths are absolute.

    ``program`` is the command ``syncd``, ``needed`` the folders that it is loaded from (its environment and that
    one's Python). ``banks`` are those that the service serves. ``user`` is None for the user's own manager;
    ``namespaces`` says whether that one can give a service namespaces of its own. ``settings`` is the folder of
    settings where it is not the usual one.
    """

    program: str
    needed: tuple[str, ...]
    home: str
    banks: tuple[str, ...] = ()
    user: str | None = None
    namespaces: bool = True
    settings: str | None = None


def unit_name(bank: str | None) -> str:
    """The unit of the one service, or that of the service of ``bank`` alone."""
    return f"syncd@{instance(bank)}.service" if bank else "syncd.service"


def file_name(single: bool) -> str:
    """The name of the unit's file: with ``single`` the template of units for one bank."""
    return "syncd@.service" if single else "syncd.service"


def unit(made_for: Installation, single: bool) -> str:
    """The unit's text. Raises `UsageError` for a path that no unit file can name."""
    return _system_unit(made_for, single) if made_for.user is not None else _user_unit(made_for, single)


def _user_unit(made_for: Installation, single: bool) -> str:
    mark = MARK.format(edit="systemctl --user edit syncd")
    start = f"ExecStart={program(made_for.program)}"
    if made_for.settings is not None:
        start = f"Environment={quoted(f'XDG_CONFIG_HOME={made_for.settings}')}\n{start}"
    text = _shipped(file_name(single)).replace(f"ExecStart={_USER_PROGRAM}", start)
    if not made_for.namespaces:
        return mark + _without_namespaces(text)
    outside = [bank for bank in made_for.banks if not within(bank, (made_for.home,))]
    more = [f"ReadWritePaths={quoted('-' + bank)}\n" for bank in outside]
    hidden = [folder for folder in (*made_for.banks, *made_for.needed) if within(folder, HIDDEN_FROM_USER)]
    more += [f"{_bind(folder, made_for.banks)}={quoted('-' + folder)}\n" for folder in hidden]
    return mark + _after(text, "ReadWritePaths=%h\n", more)


def _without_namespaces(text: str) -> str:
    head, line, rest = text.partition(_NAMESPACES)
    assert line, "the block is there"
    return head + _INSTALL + rest.partition(_INSTALL)[2]


def _system_unit(made_for: Installation, single: bool) -> str:
    text = _shipped(f"system/{file_name(single)}").replace(_SYSTEM_PROGRAM, program(made_for.program))
    text = text.replace("User=you\n", f"User={made_for.user}\n").replace(
        f"InaccessiblePaths=-{_HOME}/.ssh -{_HOME}/.gnupg\n",
        f"InaccessiblePaths={quoted(f'-{made_for.home}/.ssh')} {quoted(f'-{made_for.home}/.gnupg')}\n",
    )
    home = f"BindPaths={quoted(made_for.home)}\n"
    text = text.replace(f"BindPaths={_HOME}\n", home)
    outside = [bank for bank in made_for.banks if not within(bank, (made_for.home,))]
    hidden = [
        folder for folder in made_for.needed
        if within(folder, _HIDDEN_FROM_SYSTEM) and not within(folder, (made_for.home, *outside))
    ]  # fmt: skip
    more = [f"BindPaths={quoted('-' + bank)}\n" for bank in outside]
    more += [f"BindReadOnlyPaths={quoted('-' + folder)}\n" for folder in hidden]
    return MARK.format(edit="systemctl edit syncd") + _after(text, home, more)


def agent(made_for: Installation) -> str:
    """The launchd agent's text."""
    text = _shipped("syncd.plist").replace(f"{_AGENT_HOME}/.local/bin/syncd", xml(made_for.program))
    text = text.replace(f"{_AGENT_HOME}/Library", f"{xml(made_for.home)}/Library")
    head, line, rest = text.partition("<plist ")
    return f"{head}{AGENT_MARK}\n{line}{rest}"


def is_ours(text: str) -> bool:
    """Whether `syncd service install` wrote this text."""
    return text.startswith(MARK.partition("{")[0]) or AGENT_MARK in text


def _shipped(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _after(text: str, line: str, more: Sequence[str]) -> str:
    assert line in text, line
    return text.replace(line, line + "".join(dict.fromkeys(more)))


def _bind(folder: str, banks: Sequence[str]) -> str:
    return "BindPaths" if folder in banks else "BindReadOnlyPaths"


def within(path: str, folders: Sequence[str]) -> bool:
    """Whether ``path`` is one of ``folders`` or lies in one."""
    return any(Path(path).is_relative_to(folder) for folder in folders)
