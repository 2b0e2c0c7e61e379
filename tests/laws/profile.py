"""How many examples the laws are tried on: few in a usual run, many with ``HYPOTHESIS_PROFILE=prove``."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_TIMES = 30 if os.environ.get("HYPOTHESIS_PROFILE") == "prove" else 1


def examples(number: int) -> settings:
    """For a law that is tried on ``number`` examples in a usual run."""
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    slow.append(HealthCheck.function_scoped_fixture)
    return settings(max_examples=number * _TIMES, deadline=None, print_blob=True, suppress_health_check=slow)
