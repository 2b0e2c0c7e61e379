"""A command of `mb` that is done by the daemon: what it takes is loaded here, and the bank is open and known.

It does what it would do in a process of its own, with this one's engine. What it prints is the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from io import BytesIO, TextIOWrapper
from typing import Any

from schema.errors import DatabaseError, RowRefused
from syncd.daemon.bankloop import BankLoop
from syncd.daemon.sides import side
from syncd.errors import Exit, SyncdError, line_of

ELSEWHERE: dict[str, Any] = {"elsewhere": True}
"""The answer to a command that has to be run where it was given: nothing was done."""


def record(loop: BankLoop, said: Mapping[str, Any]) -> dict[str, Any]:
    """Do what ``said`` names: ``name`` and ``arguments`` of the command. ``code``, ``out`` and ``err`` tell of it."""
    name, arguments = said.get("name"), said.get("arguments")
    if said.get("side") != side() or not isinstance(name, str) or not isinstance(arguments, list):
        return ELSEWHERE
    out, err = (TextIOWrapper(BytesIO(), encoding="utf-8", newline="") for _ in range(2))
    try:
        from syncd.mb import cli

        if not cli.is_handed_over(name, arguments):
            return ELSEWHERE
        with redirect_stdout(out), redirect_stderr(err):
            options = cli.options_of(name, [str(argument) for argument in arguments])
            code = loop.record(lambda: cli.run(name, {**options, "bank": str(loop.bank)}))
    except SyncdError as error:
        if isinstance(error, DatabaseError) and not isinstance(error, RowRefused):
            error = loop.failed(error)
        code = error.exit_code
        err.write(f"mb: {line_of(error)}\n")
    except Exception as error:
        code = Exit.FAILED
        err.write(f"mb: {line_of(loop.failed(error))}\n")
    return ELSEWHERE if code is None else {"code": int(code), "out": _text(out), "err": _text(err)}


def _text(stream: TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()
