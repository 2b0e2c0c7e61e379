"""What the fuzzer found once holds from then on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.laws.fuzzing import one

FINDS = sorted((Path(__file__).parent / "finds").iterdir())


@pytest.mark.parametrize("find", FINDS, ids=lambda find: str(find.name))
def test_a_find_breaks_no_law(find: Path) -> None:
    one(find.read_bytes())
