"""How the answer of a command that converged is shown, and the exit code it gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from syncd import output
from syncd.commands import exit_code

_SHOWN = 20


def show(answer: Mapping[str, Any], as_json: bool) -> int:
    """Print ``answer`` (an engine's report as `syncd.requests` hands it over). Returns the exit code of its state."""
    if as_json:
        output.show_json(answer)
    else:
        _show_lines(answer)
    return exit_code([answer["state"]])


def _show_lines(answer: Mapping[str, Any]) -> None:
    number = answer.get("number")
    state = answer["state"]
    if number:
        output.say(f"{state}, transaction {number}")
    else:
        output.say(f"{state}, nothing to do" if state == "converged" else state)
    if answer.get("reason"):
        output.say(answer["reason"])
    _show_paths("absorbed", answer.get("absorbed", ()))
    _show_paths("written", answer.get("emitted", ()))
    for problem in answer.get("problems", ()):
        output.say(f"  {problem}")
    if conflicts := answer.get("conflicts", ()):
        output.say(f"{output.counted(len(conflicts), 'open conflict')}: see `syncd conflicts`")
    for hold in answer.get("holds", ()):
        output.say(f"held {hold['id']}: {hold['path'] or 'the bank'}: {hold['reason']}")
    if answer.get("holds"):
        output.say("say yes with `syncd accept ID`, no with `syncd reject ID`")


def _show_paths(verb: str, paths: Sequence[str]) -> None:
    if not paths:
        return
    output.say(f"{verb} {output.counted(len(paths), 'document')}")
    for path in paths[:_SHOWN]:
        output.say(f"  {path}")
    if len(paths) > _SHOWN:
        output.say(f"  … and {len(paths) - _SHOWN} more")
