"""Predicates that keep a change back until somebody says yes. Pure.

Each gives the sentence that explains it, or None.
"""

from __future__ import annotations

import re

# The same signs with the words SEARCH and REPLACE are the edit blocks of assistants, quoted in many a bank's rules.
_MARKERS = rb"(?m:^<{7} (?!SEARCH\b).*$(?s:.*?)^={7}\r?$(?s:.*?)^>{7} (?!REPLACE\b))"


def marker_reason(data: bytes) -> str | None:
    """Whether a document holds git's conflict markers. A lone line of ``=======`` is prose."""
    # Signs that are rare in a text: looking for them skips most of it.
    if b"<<<<<<<" not in data or b">>>>>>>" not in data or not re.search(_MARKERS, data):
        return None
    return "holds git's conflict markers: finish the merge in the file"


def deletion_reason(
    deleted: int, total: int, *, gone: bool, empty: bool, moved: bool, most: int, share: float
) -> str | None:
    """Whether absorbing a document would delete more than may go unasked.

    ``deleted`` records of the ``total`` that it showed would be gone from the bank; ``gone`` and ``empty`` say that
    the document itself vanished or has no text left, ``moved`` that another document shows all of it now.
    """
    if total and (gone or empty) and not moved:
        what = "vanished" if gone else "was emptied"
        if deleted:
            return f"{what}, and {_count(deleted)} stood nowhere else"
        return f"{what}; its {_count(total)} still stand elsewhere"
    if deleted > most and deleted > share * total:
        return f"lost {deleted} of its {total} records in one edit"
    return None


def _count(records: int) -> str:
    return "1 record" if records == 1 else f"{records} records"
