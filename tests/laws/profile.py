"""How many examples the laws are tried on: few in a usual run, many with ``HYPOTHESIS_PROFILE=prove``."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

_TIMES = 30 if os.environ.get("HYPOTHESIS_PROFILE") == "prove" else 1


def examples(number: int, *, shrink: bool = True) -> settings:
    """For a law that is tried on ``number`` examples in a usual run. Without ``shrink``, for those that take long."""
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    slow.append(HealthCheck.function_scoped_fixture)
    phases = [phase for phase in Phase if phase is not Phase.explain and (shrink or phase is not Phase.shrink)]
    return settings(
        max_examples=number * _TIMES, deadline=None, print_blob=True, suppress_health_check=slow, phases=phases
    )
