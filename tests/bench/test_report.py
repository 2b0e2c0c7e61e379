"""What a run writes into the documents."""

from __future__ import annotations

from bench.figures import Figure, Goal
from bench.report import MARKS, Results, with_summary


def test_the_readme_gets_the_figures_of_the_run_and_keeps_all_else() -> None:
    """Between its marks; what was not measured is not told."""
    results = Results({}, False, [
        Figure("task", "7 KB", [8.0, 9.0, 10.0], floor=[1.0, 2.0, 3.0], goal=Goal(ratio=4)),
        Figure("memory", "memory", [41.0], "MB"),
    ], peers={"basic-memory": {"task": 114.0}, "sqldown": {"task": "does not"}})  # fmt: skip
    readme = f"before\n{MARKS[0]}old\n{MARKS[1]}behind\n"
    text = with_summary(readme, results)
    assert text.startswith(f"before\n{MARKS[0]}")
    assert text.endswith(f"{MARKS[1]}behind\n")
    assert "after 9.00 ms in the median (floor 2.00, basic-memory 114)" in text.replace("\n", " ")
    assert "rests at 41.0 MB" in text.replace("\n", " ")
    assert "burst" not in text
    assert "sqldown" not in text
    assert "\nold\n" not in text
    assert max(map(len, text.split("\n"))) <= 120


def test_a_readme_without_marks_is_left_alone() -> None:
    """There is no place for them."""
    assert with_summary("# a\n", Results({}, False)) == "# a\n"
