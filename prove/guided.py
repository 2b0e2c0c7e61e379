"""The process in which atheris drives `tests.laws.fuzzing.one`. Arguments are libFuzzer's."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["parser", "writer", "syncd.plan.merge"]):
    from tests.laws import fuzzing

atheris.Setup(sys.argv, fuzzing.one)
atheris.Fuzz()
