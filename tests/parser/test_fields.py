"""Labelled values, checklists and header moments."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parser.fields import checklist, header_moment, labels
from parser.lines import lines
from schema.records import Status


def _labels(text: str) -> list[tuple[str, str]]:
    return [(label.name, label.value) for label in labels(lines(text)[0])]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("**Status**: x", [("status", "x")]),
        ("**Status:** x  ", [("status", "x")]),
        ("__Status__: x", [("status", "x")]),
        ("*Status: x y*", [("status", "x y")]),
        ("_Created: 2025-01-01_", [("created", "2025-01-01")]),
        ("*Updated:* now", [("updated", "now")]),
        ("*Updated*: now", [("updated", "now")]),
        ("- **Status**: x", [("status", "x")]),
        ("* Status: x", [("status", "x")]),
        ("Status: x", [("status", "x")]),
        ("1. **Status**: x", [("status", "x")]),
        ("## Status: x", [("status", "x")]),
        ("**File:**", [("file", "")]),
        ("**Status**: 🔄 **Priority**: HIGH", [("status", "🔄"), ("priority", "HIGH")]),
        ("## Status: 🔄 **Started**: a **Last**: b", [("status", "🔄"), ("started", "a"), ("last", "b")]),
        (
            "**Status:** 🔄 **IN PROGRESS** (P3) **Priority:** LOW",
            [("status", "🔄 **IN PROGRESS** (P3)"), ("priority", "LOW")],
        ),
        ("- Active: 11 | Paused: 0 | Completed: 7", [("active", "11"), ("paused", "0"), ("completed", "7")]),
        ("*Created: a | Status: b*", [("created", "a"), ("status", "b")]),
        ("*Created: a* | *Status: b*", [("created", "a"), ("status", "b")]),
        ("**Error**: `a **b**: c` d", [("error", "`a **b**: c` d")]),
        ("**Dependencies**:T1", [("dependencies", "T1")]),
        ("see https://x.y", []),
        ("| **a**: b | c |", []),
        ("17:48 - T1: x", []),
        ("some **Status**: x", []),
        ("`a`: b", []),
    ],
)
def test_labels_are_found_in_all_their_spellings(text: str, found: list[tuple[str, str]]) -> None:
    """Several on a line, in bold, in italics, in bullets and in headings."""
    assert _labels(text) == found


@given(
    st.lists(st.sampled_from(["**", "*", "_", "Status", ":", " ", "x", "|", "- ", "## ", "`", "🔄", "\t"])).map("".join)
)
def test_spans_of_labels_are_in_order_and_in_the_line(text: str) -> None:
    """Whatever the line, a value is the text at its span."""
    section = f"before\n{text}\n"
    line = lines(section)[1]
    position = line.start
    for label in labels(line):
        assert (
            position <= label.span.start <= label.value_span.start <= label.value_span.end <= label.span.end <= line.end
        )
        assert section[label.value_span.start : label.value_span.end] == label.value
        position = label.span.end


CHECKLIST = """- ✅ one
  - [x] two
1. 🔄 **three**
* [ ] four
- plain
- **⬜ five**
- [x](link)
```
- ✅ in a fence
```
- [ ]
"""


def test_checklist_items_have_icons_or_boxes() -> None:
    """Nested, numbered, bold; plain items have no status; fences hold none."""
    assert [(item.indent, item.status, item.text) for item in checklist(CHECKLIST)] == [
        (0, Status.COMPLETED, "one"),
        (2, Status.COMPLETED, "two"),
        (0, Status.IN_PROGRESS, "**three**"),
        (0, Status.PENDING, "four"),
        (0, None, "plain"),
        (0, Status.PENDING, "five**"),
        (0, None, "[x](link)"),
        (0, Status.PENDING, ""),
    ]


def test_spans_of_items_show_their_parts() -> None:
    """The status' span is the icon or the box alone."""
    signs = [CHECKLIST[i.status_span.start : i.status_span.end] for i in checklist(CHECKLIST)]
    assert signs == ["✅", "[x]", "🔄", "[ ]", "", "⬜", "", "[ ]"]
    for item in checklist(CHECKLIST):
        assert CHECKLIST[item.text_span.start : item.text_span.end] == item.text
        assert CHECKLIST[item.marker_span.start] in "-*1"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("*Last Updated: 2025-05-26 16:30*", "2025-05-26 16:30"),
        ("*Updated: 2025-05-26 16:30:01 IST*  ", "2025-05-26 16:30:01 IST"),
        ("_Updated: April 15, 2025_", "April 15, 2025"),
        ("*Last Updated: 2026-06-26T13:21:04.144Z (by hand)*", "2026-06-26T13:21:04.144Z"),
        ("*Created: 2025-01-01 | Last Updated: 2025-01-02*", "2025-01-02"),
        ("*Last Updated: [Timestamp]*", None),
        ("*Created: 2025-01-01*", None),
        ("**Last Updated**: 2025-01-01", None),
        ("Last Updated: 2025-01-01", None),
    ],
)
def test_a_header_moment_is_an_italic_line(text: str, moment: str | None) -> None:
    """Its span is the moment alone, so that what stands around it stays."""
    label = header_moment(lines(text)[0])
    assert (label.value if label else None) == moment
    if label:
        assert text[label.value_span.start : label.value_span.end] == moment
