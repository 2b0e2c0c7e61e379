"""Block structure: the scanner, the arbiter and an independent parser agree."""

from __future__ import annotations

import random
import time

import commonmark
import pytest

from parser.blocks import next_start, section_starts, top_level
from parser.text import cut

# One text for each rule of the specification that a heading line can fall under, to be put together at random.
EXAMPLES = (
    "# foo\n", "## foo ##\n", "#hash\n", "\\## foo\n", "   ### foo\n", "    # foo\n", "foo\n    # bar\n", "#\n## \n",
    "Foo\n===\n", "Foo\nbar\n---\n", "***\n", "    code\n\n    more\n", "```\naaa\n~~~\n```\n",
    "~~~~\naaa\n~~~\n~~~~~\n",
    "```ruby\nx\n```\n", "  ```\n  aaa\n  ```\n", "   ```\n  aaa\n ```\n", "aaa\n```\nbbb\n```\n",
    "<div>\nfoo\n</div>\n\n",
    "<!-- a\n\nb -->\nc\n", "<?php\n\n?>\nokay\n", "<script>\n\nx\n</script>\nokay\n", "<style\n  type='x'>\n\nfoo\n",
    "<a href='x'>\n*foo*\n</a>\n", "<![CDATA[\nx\n]]>\nokay\n", "<!DOCTYPE html>\n", "[foo]: /url 'title'\n\n[foo]\n",
    "[foo]: /url '\ntitle\nline\n'\n", "[foo]:\n/url\n", "[x]: <bar>(baz)\n", "aaa\n\nbbb\n", "> # Foo\n> bar\n",
    "> bar\nbaz\n",
    "> - a\n> b\n", "> ```\n> aaa\n\n", "- foo\n- bar\n+ baz\n", "- foo\n\n  bar\n", "1.  A\n\n        code\n",
    "- - - a\n",
    "- a\n  - b\n    - c\n", "* a\n  > b\n  ```\n  c\n  ```\n", "- ```\n  a\n  ```\n", "-\n  foo\n",
    "10) foo\n   - bar\n",
    "- a\n\n      code\n", "| a | b |\n|---|---|\n| c | d |\n",
)  # fmt: skip


def _reference(text: str) -> list[int]:
    """Section starts by the reference parser's Python port."""
    offsets = [0]
    for line in text.split("\n"):
        offsets.append(offsets[-1] + len(line) + 1)
    starts, node = [0], commonmark.Parser().parse(text).first_child
    while node is not None:
        offset = offsets[node.sourcepos[0][0] - 1]
        if node.t == "heading" and text.startswith("#", offset) and offset > 0:
            starts.append(offset)
        node = node.nxt
    return starts


@pytest.mark.parametrize("text", EXAMPLES)
def test_each_example_is_cut_alike_by_all(text: str) -> None:
    """Between two headings, every rule of the specification leaves both of them headings, or neither parser sees it."""
    for whole in (text, f"# A\n{text}# B\n"):
        assert cut(whole) == section_starts(whole) == _reference(whole)


def test_texts_put_together_at_random_are_cut_as_the_reference_cuts_them() -> None:
    """Where the reference and the arbiter agree, so does the scanner."""
    chance = random.Random(20)
    agreed = 0
    for _ in range(1500):
        parts = (chance.choice(EXAMPLES) + chance.choice(("", "", "\n", "# h\n")) for _ in range(chance.randint(2, 6)))
        text = "".join(parts)
        expected = _reference(text)
        if expected == section_starts(text):
            agreed += 1
            assert cut(text) == expected, text
    assert agreed > 1400


def test_blocks_are_named_with_their_lines() -> None:
    """Lines are counted from 0; a carriage return before the break does no harm."""
    assert [(name, line) for name, line in top_level("# a\r\ntext\r\n\r\n- x\r\n") if name != "BlankLine"] == [
        ("Heading", 0),
        ("Paragraph", 1),
        ("List", 3),
    ]


def test_the_next_section_is_found_behind_the_doubt() -> None:
    """The arbiter reads up to the first heading that it sees as one."""
    text = "# A\n<div>\n# no\n\n# B\n# C\n"
    assert next_start(text, 0, text.index("\n\n")) == text.index("# B")
    assert next_start("# A\n<!--\n# no\n", 0, 13) is None


@pytest.mark.parametrize("depth", [300, 3000])
def test_nesting_without_bound_neither_crashes_nor_hangs(depth: int) -> None:
    """Lists and quotes in each other, with a doubt at the end that asks the arbiter."""
    lists = "# A\n" + "".join("  " * n + "- x\n" for n in range(depth)) + "  ```\n# B\n  ```\n# C\n"
    quotes = "# A\n" + ">" * depth + " x\n  ```\n# B\n  ```\n# C\n"
    begun = time.monotonic()
    for text in (lists, quotes, "- " * depth + "x\n<div>\n# B\n"):
        assert cut(text)[0] == 0
    assert time.monotonic() - begun < 20
