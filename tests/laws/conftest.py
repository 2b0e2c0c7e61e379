"""How many examples the laws are tried on: few in a usual run, many with ``HYPOTHESIS_PROFILE=prove``."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
settings.register_profile("laws", deadline=None, print_blob=True, max_examples=100, suppress_health_check=_QUIET)
settings.register_profile("prove", deadline=None, print_blob=True, max_examples=3000, suppress_health_check=_QUIET)
settings.load_profile("prove" if os.environ.get("HYPOTHESIS_PROFILE") == "prove" else "laws")
