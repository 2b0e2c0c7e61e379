"""A task that is done gets its line where a changelog has such lines, and nothing else moves."""

from __future__ import annotations

import pytest

from parser.document import parse
from writer.changelog import Done, with_done

DONE = Done("T7", "Moon", "2026-03-07", "Phases are shown")
CHANGELOGS = {
    "unreleased": (
        "# C\n\n## [Unreleased]\n\n### Fixed\n- a\n\n### Added\n* b\n\n## [1.0.0]\n\n### Added\n- c\n",
        "# C\n\n## [Unreleased]\n\n### Fixed\n- a\n\n### Added\n* b\n* T7: Phases are shown\n\n"
        "## [1.0.0]\n\n### Added\n- c\n",
    ),
    "versions": (
        "# C\n\n## [1.0.0] - 2026-01-01\n\n### Added\n- c\n",
        "# C\n\n## [Unreleased]\n\n### Added\n\n- T7: Phases are shown\n\n## [1.0.0] - 2026-01-01\n\n### Added\n- c\n",
    ),
    "today": (
        "# C\n\n## 2026-03-07\n- a\n\n## 2026-03-01\n- b\n",
        "# C\n\n## 2026-03-07\n- a\n- T7: Phases are shown\n\n## 2026-03-01\n- b\n",
    ),
    "days": ("# C\n\n## 2026-03-01\n- b\n", "# C\n\n## 2026-03-07\n- T7: Phases are shown\n\n## 2026-03-01\n- b\n"),
    "days with blocks": (
        "# C\n\n## 2026-03-01\n### Old (T1)\n- b\n",
        "# C\n\n## 2026-03-07\n### Moon (T7)\n- Phases are shown\n\n## 2026-03-01\n### Old (T1)\n- b\n",
    ),
    "dated blocks in months": (
        "# C\n\n## March 2026\n\n### [2026-03-01] T1 Old\n- b\n",
        "# C\n\n## March 2026\n\n### [2026-03-07] T7 Moon\n- Phases are shown\n\n### [2026-03-01] T1 Old\n- b\n",
    ),
    "a later month": (
        "# C\n\n## March 2025\n\n### [2025-03-01] T1 Old\n- b\n",
        "# C\n\n## March 2026\n\n### [2026-03-07] T7 Moon\n- Phases are shown\n\n"
        "## March 2025\n\n### [2025-03-01] T1 Old\n- b\n",
    ),
    "no text": ("", "# Changelog\n\n## 2026-03-07\n\n- T7: Phases are shown\n"),
    "empty": ("# C\n", "# C\n\n## 2026-03-07\n\n- T7: Phases are shown\n"),
    "other line ends": (
        "# C\r\n\r\n## Unreleased\r\n\r\n- a\r\n", "# C\r\n\r\n## Unreleased\r\n\r\n- a\r\n- T7: Phases are shown\r\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CHANGELOGS.values(), ids=CHANGELOGS.keys())
def test_a_changelog_gets_its_line_where_it_has_such_lines(text: str, expected: str) -> None:
    """Days, versions, blocks, months."""
    after = with_done(parse("changelog.md", text), DONE)
    assert after is not None
    assert after.text == expected


def test_what_takes_more_than_a_line_is_not_written() -> None:
    """It would be read as something else."""
    assert with_done(parse("changelog.md", "# C\n"), Done("T7", "Two\nlines", "2026-03-07")) is None


def test_a_task_that_is_completed_again_is_told_once() -> None:
    """Without a new note nothing is added that day; a note goes to the block of the task, or into the list."""
    again, more = Done("T7", "Moon", "2026-03-07"), Done("T7", "Moon", "2026-03-07", "Also at night")
    for text, with_note in (
        ("# C\n\n## 2026-03-07\n- T7: Phases\n", "# C\n\n## 2026-03-07\n- T7: Phases\n- T7: Also at night\n"),
        (
            "# C\n\n## 2026-03-07\n### Moon (T7)\n- Phases\n",
            "# C\n\n## 2026-03-07\n### Moon (T7)\n- Phases\n- Also at night\n",
        ),
        ("# C\n\n## Unreleased\n\n- T7: Phases\n", "# C\n\n## Unreleased\n\n- T7: Phases\n- T7: Also at night\n"),
    ):
        document = parse("changelog.md", text)
        same, other = with_done(document, again), with_done(document, more)
        assert same is not None
        assert same.text == text
        assert other is not None
        assert other.text == with_note
    before = with_done(parse("changelog.md", "# C\n\n## 2026-03-01\n- T7: Phases\n"), again)
    assert before is not None
    assert before.text.startswith("# C\n\n## 2026-03-07\n- T7: Moon\n")
