"""`python -m syncd.mb`."""

from __future__ import annotations

import sys

from syncd.mb.cli import main

sys.exit(main())
