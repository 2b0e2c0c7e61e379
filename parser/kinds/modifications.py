"""Lines that say what was done to a file: ``- Modified `path` - what`` in all the spellings that people use."""

from __future__ import annotations

import re

from msgspec import Struct

from schema.patterns import pattern
from schema.records import Field, Reading, Role, Span, Table

FOUR = frozenset({"Created", "Modified", "Updated", "Deleted"})
"""The verbs that the format names; behind them a quoted name is a file, whatever it looks like."""

_OTHERS = frozenset({
    "Rewrote", "Rewritten", "Made", "Built", "Rebuilt", "Wrote", "Split", "Set", "Reset", "Put", "Cut", "Ran",
    "Took", "Kept", "Sent", "Undid", "Redid", "Overwrote", "Broke", "Found", "Brought", "Add", "Create", "Update",
    "Modify", "Delete", "Remove", "Fix", "Move", "Rename", "Refactor", "Edit", "Change", "Merge", "Copy", "Improve",
    "Rewrite", "Replace", "Extend", "Wrap",
})  # fmt: skip
_NO_VERBS = frozenset({
    "See", "Note", "Use", "Using", "The", "In", "For", "All", "Both", "With", "From", "Via", "When", "If", "Now",
    "Also", "Only", "And", "Run", "File", "Files", "Test", "Tests", "Location", "Path", "Like", "Where", "That",
    "This", "Each", "On", "At",
})  # fmt: skip
_BARE_FILES = frozenset({
    "LICENSE", "LICENCE", "README", "CHANGELOG", "NOTICE", "AUTHORS", "CONTRIBUTING", "TODO", "VERSION",
    "CODEOWNERS", "CNAME", "Makefile", "Dockerfile", "Procfile", "Gemfile", "Rakefile", "Vagrantfile",
    "Jenkinsfile", "Pipfile", "Brewfile", "Justfile",
})  # fmt: skip
_EXTENSIONS = frozenset({
    "md", "mdx", "mdc", "txt", "rst", "js", "jsx", "ts", "tsx", "mjs", "cjs", "mts", "cts", "json", "jsonl", "json5",
    "jsonc", "yaml", "yml", "toml", "ini", "cfg", "conf", "env", "lock", "css", "scss", "sass", "less", "html", "htm",
    "svg", "png", "jpg", "jpeg", "gif", "webp", "ico", "pdf", "py", "pyi", "ipynb", "sh", "bash", "zsh", "bat", "cmd",
    "ps1", "sql", "prisma", "db", "sqlite", "sqlite3", "csv", "tsv", "xml", "c", "h", "cc", "cpp", "hpp", "rs", "go",
    "rb", "java", "kt", "swift", "php", "vue", "svelte", "astro", "graphql", "gql", "proto", "glsl", "vert", "frag",
    "wasm", "wat", "tex", "bib", "r", "jl", "lua", "pl", "ex", "exs", "erl", "hs", "ml", "scala", "clj", "cs", "fs",
    "dart", "tf", "gradle", "properties", "log", "example", "sample", "template", "bak", "map", "snap", "service",
    "timer", "plist", "xlsx", "docx", "pptx", "zip", "tar", "gz", "tgz", "whl", "mmd", "cff", "woff", "woff2", "ttf",
    "mp3", "mp4", "wav", "d", "mod", "sum", "nix", "el", "vim", "patch", "diff", "pem", "crt",
})  # fmt: skip
_NO_NAME = pattern(r"[`|<>\"=(){};]")
_FILE = pattern(r"\.[A-Za-z][\w.-]*|[\w.@~*-]*[/\\][^\s=(){};<>\"|]*")
_PLAIN = pattern(r"[\w.@~*/\\+-]+(?=[\s,:]|$)")

_BULLET = pattern(r" {0,3}[-*+][ \t]+(?:\[[ xX]\][ \t]+)?(?:[^\w\s\[\]*_`\"'(<!.\\-]+[ \t]+)?")
_VERB = pattern(
    r"(?:\*\*|__)?\[?(?P<action>[A-Z][A-Za-z-]+(?:(?:/| and | & )[A-Za-z][a-z]+)?)\]?"
    r"(?P<colon>:?)(?:\*\*|__)?(?P<colon2>:?)[ \t]+"
    r"(?:(?:the |a |an )?(?:new |existing )?(?:file |files |folder |directory )?)"
)
USUAL = pattern(
    rf"^( {{0,3}})[-*] ({'|'.join(sorted(FOUR))}) `([^`\s](?:[^`\n]*[^`\s])?)` [-—] (?=[^\s-])(.*\S)[ \t\r]*$", re.M
)
"""A line in the usual spelling, which most have: what it is indented by, action, path, description."""
_QUOTED = pattern(r"`(?P<code>[^`\n]+)`|\[`?(?P<name>[^\]\n`]*)`?\]\((?P<target>[^)\n]*)\)")
_JOIN = pattern(
    r"(?:[ \t]+(?:directory|folder|files?))?"
    r"(?:[ \t]*,[ \t]*(?:and[ \t]+|&[ \t]*)?|[ \t]*(?:&|\+|→|->|=>|/)[ \t]*|[ \t]+(?:and|to|into|through|as)[ \t]+)"
)
_NOTE = pattern(r"[ \t]+(?:directory|folder|files?|\([^()\n]*\))(?=[ \t]*(?:[-–—:]|$))")
_SEPARATOR = pattern(
    r"(?:\*\*|__)?(?:[ \t]*(?P<dash>[-–—]+|→|->)(?:[ \t]+|$)|[ \t]*:(?:[ \t]+|$)|[ \t]+to[ \t]+|[ \t]+)"
)
_NOTHING = frozenset({"-", "–", "—", "None", "N/A"})


class Path(Struct, frozen=True):
    """A path in a line: its text, the span of that text, and the span with the quotes or the link around it."""

    text: str
    span: Span
    outer: Span


class FileLine(Struct, frozen=True):
    """A line that says what was done to one or more files. Offsets count from the start of the line.

    ``description`` is None where nothing is said; its span is then empty and lies behind the last path.
    """

    action: str
    action_span: Span
    paths: tuple[Path, ...]
    description: str | None
    description_span: Span


def looks_like_path(text: str) -> bool:
    """Whether ``text`` is the name of a file or a folder: it has a slash, a known extension, or a known name."""
    if text in _BARE_FILES or _FILE.fullmatch(text):
        return True
    name, dot, extension = text.rpartition(".")
    return bool(dot) and extension.lower() in _EXTENSIONS and not _NO_NAME.search(name)


def read_line(line: str) -> FileLine | None:
    """What a list item (indented by three spaces at most) says was done to files; None where it is prose."""
    bullet = _BULLET.match(line)
    verb = _VERB.match(line, bullet.end()) if bullet else None
    if verb is None:
        return None
    paths = _paths(line, verb.end())
    if not paths:
        return None
    end = paths[-1].outer.end
    if note := _NOTE.match(line, end):
        end = note.end()
    separator = _SEPARATOR.match(line, end)
    start = separator.end() if separator else end
    text = line[start:].rstrip()
    quoted = paths[0].span != paths[0].outer
    if not _is_record(verb, paths[0].text, quoted, separator, text, line[end:].strip("* \t")):
        return None
    span = Span(verb.start("action"), verb.end("action"))
    if not text or text in _NOTHING:
        behind = paths[-1].outer.end
        return FileLine(verb["action"], span, paths, None, Span(behind, behind))
    return FileLine(verb["action"], span, paths, text, Span(start, start + len(text)))


def _is_record(
    verb: re.Match[str], path: str, quoted: bool, separator: re.Match[str] | None, text: str, rest: str
) -> bool:
    """Whether verb, name and what separates them from the rest make a record; else the line is prose."""
    action = verb["action"]
    dashed = separator is not None and (separator["dash"] is not None or ":" in separator[0])
    four = action in FOUR
    if not quoted:
        return four and (dashed or not rest)
    if four and ((dashed and text) or not rest):
        return True
    known = four or action.endswith("ed") or action in _OTHERS or " and " in action
    if not looks_like_path(path):
        return False
    if known:
        return separator is not None or not rest
    return dashed and action not in _NO_VERBS and not verb["colon"] and not verb["colon2"]


def _paths(line: str, position: int) -> tuple[Path, ...]:
    """The paths that stand at ``position``, joined by commas, ``and``, ``to`` or arrows."""
    quoted = _QUOTED.match(line, position)
    if quoted is None:
        plain = _PLAIN.match(line, position)
        if plain is None or not _is_plain(plain[0]):
            return ()
        span = Span(plain.start(), plain.end())
        return (Path(plain[0], span, span),)
    found = [_path(quoted)]
    while join := _JOIN.match(line, found[-1].outer.end):
        following = _QUOTED.match(line, join.end())
        if following is None or not looks_like_path(_path(following).text):
            break
        found.append(_path(following))
    return tuple(found)


def _is_plain(text: str) -> bool:
    """Whether a word without quotes is a path: there a slash within it is not enough."""
    name, _, extension = text.rpartition(".")
    return (len(text) > 1 and text.endswith("/")) or (bool(name) and extension in _EXTENSIONS)


def _path(match: re.Match[str]) -> Path:
    """The path that a code span or a link shows: a link's name where that is a path, else its target."""
    group = "code"
    if match["code"] is None:
        group = "name" if looks_like_path(match["name"]) or not match["target"] else "target"
    raw = match[group]
    start = match.start(group) + len(raw) - len(raw.lstrip())
    text = raw.strip()
    return Path(text, Span(start, start + len(text)), Span(match.start(), match.end()))


def line_readings(line: str, start: int, end: int, role: Role) -> list[Reading]:
    """The readings of a list item from offset ``start`` to ``end``, its nested lines among it; [] for prose."""
    usual = USUAL.match(line)
    if usual is not None and (reading := usual_reading(usual, start, end, role)):
        return [reading]
    found = read_line(line)
    return readings(found, start, end, role) if found is not None else []


def usual_reading(match: re.Match[str], start: int, end: int, role: Role) -> Reading | None:
    """The reading of a match of `USUAL`, as the way through `read_line` would give it; None where it has to be asked.

    ``start`` is the offset in the section at which the text begins that was matched; the line's block ends at ``end``.
    """
    _, action, path, description = match.groups()
    if description in _NOTHING:
        return None
    (begin, _), _, (a, b), (c, d), (e, f) = match.regs
    fields = {
        "action": Field(action, Span(start + a, start + b)),
        "file_path": Field(path, Span(start + c, start + d)),
        "description": Field(description, Span(start + e, start + f)),
    }
    key = f"{action} {path} {description}"
    return Reading(Table.MODIFICATIONS, key, role, fields, Span(start + begin, end))


def readings(line: FileLine, start: int, end: int, role: Role) -> list[Reading]:
    """The readings of ``line``, which begins at offset ``start``; its block (with nested lines) ends at ``end``.

    The span of one path among several is the path with what joins it to its neighbour.
    """
    result = []
    action = Field(line.action, _moved(line.action_span, start))
    description = Field(line.description, _moved(line.description_span, start))
    for number, path in enumerate(line.paths):
        fields = {
            "action": action,
            "file_path": Field(path.text, _moved(path.span, start)),
            "description": description,
        }
        span = Span(start, end)
        if len(line.paths) > 1:
            span = _moved(_share(line.paths, number), start)
        key = f"{line.action} {path.text} {line.description or ''}"
        result.append(Reading(Table.MODIFICATIONS, key, role, fields, span))
    return result


def _share(paths: tuple[Path, ...], number: int) -> Span:
    if number == 0:
        return Span(paths[0].outer.start, paths[1].outer.start)
    return Span(paths[number - 1].outer.end, paths[number].outer.end)


def _moved(span: Span, by: int) -> Span:
    return Span(span.start + by, span.end + by)
