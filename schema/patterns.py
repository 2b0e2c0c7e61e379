"""Regular expressions that are compiled when they are first used: most runs of a command use few of them."""

from __future__ import annotations

import re
from typing import Any, cast

_all: list[_Late] = []


class _Late:
    """Stands for a compiled pattern. What was asked for once is an attribute from then on, and costs nothing more."""

    def __init__(self, pattern: str, flags: int) -> None:
        self.pattern = pattern
        self._flags = flags
        self._compiled: re.Pattern[str] | None = None

    def compiled(self) -> re.Pattern[str]:
        """The pattern itself."""
        if self._compiled is None:
            self._compiled = re.compile(self.pattern, self._flags)
        return self._compiled

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.compiled(), name)
        setattr(self, name, value)
        return value


def pattern(text: str, flags: int = 0) -> re.Pattern[str]:
    """The pattern ``text``, compiled at its first use. Raises `re.error` then, if it cannot be."""
    late = _Late(text, flags)
    _all.append(late)
    return cast("re.Pattern[str]", late)


def compile_all() -> None:
    """Compile all that there are by now: for a process that stays, and has time before anybody waits for it."""
    for late in _all:
        late.compiled()
