"""Where new text goes: lines and blocks put in without touching what stands there, in files with any line ends."""

from __future__ import annotations

from parser.document import Document
from schema.records import Reading, Span
from writer.edits import Edit
from writer.lines import newline_of


def newline(document: Document) -> str:
    """The line break that ``document`` uses."""
    return next((newline_of(s.text) for s in document.sections if "\n" in s.text), "\n")


def content_end(text: str) -> int:
    """Offset behind the last line with content, before its line break; 0 where there is none."""
    return len(text.rstrip())


def line_start(text: str, offset: int) -> int:
    """Offset of the start of the line that holds ``offset``."""
    return text.rfind("\n", 0, offset) + 1


def line_end(text: str, offset: int) -> int:
    """Offset of the end of the line that holds ``offset``, before its line break."""
    found = text.find("\n", offset)
    end = len(text) if found < 0 else found
    return end - 1 if end > offset and text[end - 1 : end] == "\r" else end


def line_behind(document: Document, section: int, offset: int, block: str) -> Edit:
    """Put ``block`` (lines without a final line break) behind the line that holds ``offset``.

    A file without a final line break stays one, and that line keeps its own.
    """
    text = document.sections[section].text
    end = line_end(text, offset)
    own = next((each for each in ("\r\n", "\n") if text.startswith(each, end)), newline(document))
    return Edit(section, Span(end, end), own + _broken(document, block))


def line_before(document: Document, section: int, offset: int, block: str) -> Edit:
    """Put ``block`` (lines without a final line break) before the line that holds ``offset``."""
    start = line_start(document.sections[section].text, offset)
    return Edit(section, Span(start, start), _broken(document, block + "\n"))


def behind_section(document: Document, section: int, block: str, blank: int = 1) -> Edit:
    """Put ``block`` (lines without a final line break) behind the content of a section.

    ``blank`` empty lines before it; what stood between the content and the next section stands behind it now.
    """
    text = document.sections[section].text
    end = content_end(text)
    lead = "\n" * (blank + 1) if end else ""
    if text[end:].strip("\r\n"):  # spaces at the end of the last line stay there
        end = line_end(text, end)
    return Edit(section, Span(end, end), _broken(document, lead + block))


def before_section(document: Document, section: int, block: str, blank: int = 1) -> Edit:
    """Put ``block`` (lines without a final line break) before a section, with ``blank`` empty lines behind it."""
    return Edit(section, Span(0, 0), _broken(document, block + "\n" * (blank + 1)))


def whole_lines(text: str, reading: Reading) -> Span:
    """The span of ``reading``, with the line break behind it where it covers whole lines."""
    start, end = reading.span
    if (start == 0 or text[start - 1] == "\n") and not text[start:end].endswith("\n"):
        if text.startswith("\r\n", end):
            end += 2
        elif text.startswith("\n", end):
            end += 1
        elif end == len(text) and start > 0:  # the last line of a file that ends without a line break
            start -= 2 if text.startswith("\r\n", start - 2) and start > 1 else 1
    return Span(start, end)


def _broken(document: Document, block: str) -> str:
    line_break = newline(document)
    return block.replace("\r\n", "\n").replace("\n", line_break)
