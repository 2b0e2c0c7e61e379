"""JSON of what the database and the small files beside it note.

By msgspec, which is loaded in any case: the standard library's parts would cost a command a hundredth of its time.
What msgspec does not take (half of a surrogate pair, as names have that are no UTF-8) goes the standard way.
"""

from __future__ import annotations

from typing import Any

import msgspec


def loads(text: str | bytes) -> Any:
    """What ``text`` says. Raises ValueError for what is no JSON."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError):
        import json

        return json.loads(text)


def dumps(value: Any) -> str:
    """``value`` on one line. Raises TypeError for what JSON does not know."""
    try:
        return msgspec.json.encode(value).decode()
    except (UnicodeError, OverflowError):
        import json

        return json.dumps(value)
