"""Documents without records: sections only. Their ``*Last Updated*`` line is left alone too."""

from __future__ import annotations

from collections.abc import Hashable

from parser.document import Parsed


class _Prose:
    def start(self, path: str) -> Hashable:
        return None

    def read(self, text: str, level: int, title: str, context: Hashable) -> Parsed:
        return Parsed((), (), None)


GRAMMAR = _Prose()
