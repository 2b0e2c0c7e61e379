"""The direction of imports, what pure modules may not do, and how long things may get."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("syncd", "writer", "parser", "schema")
FILES = sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))
NAMES = [str(file.relative_to(ROOT)) for file in FILES]

MAY_IMPORT = {
    "schema": {"schema"},
    "parser": {"parser", "schema.records", "schema.patterns"},
    "writer": {"writer", "parser", "schema.records", "schema.patterns"},
    "syncd": {"syncd", "writer", "parser", "schema"},
}
ONLY_IN = {
    "apsw": {"schema/db.py"},
    "mistletoe": {"parser/blocks.py"},
    "watchdog": {"syncd/daemon/watch.py", "syncd/daemon/inotify.py"},
    "structlog": {"syncd/log.py"},
}
PURE_MODULES = ("model", "flips", *(f"plan/{name}" for name in ("reconcile", "identify", "merge", "guard", "putback")))
PURE = [name for name in NAMES if name.startswith(("parser/", "writer/", "schema/records.", "schema/patterns."))] + [
    f"syncd/{module}.py" for module in PURE_MODULES
]
IMPURE_MODULES = {"os", "io", "time", "random", "subprocess", "socket", "shutil", "tempfile", "logging"}
IMPURE_CALLS = {"open", "print", "input", "now", "utcnow", "today", "read_text", "write_text", "read_bytes"}


def _tree(name: str) -> ast.Module:
    return ast.parse((ROOT / name).read_text(encoding="utf-8"), name)


def _imports(name: str, everywhere: bool = True) -> Iterator[str]:
    """Full names of the modules that ``name`` imports; with ``everywhere`` those inside functions too."""
    tree = _tree(name)
    for node in ast.walk(tree) if everywhere else tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: a relative import"
            assert node.module is not None
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if (ROOT / (whole.replace(".", "/") + ".py")).exists() else node.module


@pytest.mark.parametrize("name", NAMES)
def test_imports_point_one_way(name: str) -> None:
    """A package imports only itself and those to its right; of schema parser and writer see two modules."""
    allowed = MAY_IMPORT[name.split("/")[0]]
    for module in _imports(name):
        if module.split(".")[0] in PACKAGES:
            assert any(module == a or module.startswith(a + ".") for a in allowed), f"{name} imports {module}"


@pytest.mark.parametrize(("library", "homes"), ONLY_IN.items())
def test_a_library_is_imported_by_its_one_module(library: str, homes: set[str]) -> None:
    """What a library can do to us is in one place."""
    users = {name for name in NAMES if any(m.split(".")[0] == library for m in _imports(name))}
    assert users == homes & set(NAMES)


@pytest.mark.parametrize("name", PURE)
def test_pure_modules_have_no_outside(name: str) -> None:
    """No file, no clock, no chance, no log."""
    assert not IMPURE_MODULES & {module.split(".")[0] for module in _imports(name)}
    for node in ast.walk(_tree(name)):
        if isinstance(node, ast.Call):
            called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            assert called not in IMPURE_CALLS, f"{name}:{node.lineno} calls {called}"


def test_heavy_libraries_are_imported_late() -> None:
    """Importing the command line, the bank and the parser loads none of the libraries that cost time."""
    heavy = {"mistletoe", "watchdog", "structlog", "rich", "merge3", "zstandard", "platformdirs", "tomlkit", "shtab"}
    homes = {"syncd/log.py", "syncd/daemon/watch.py", "syncd/daemon/inotify.py", "parser/blocks.py"}
    for name in set(NAMES) - homes:
        assert not heavy & {module.split(".")[0] for module in _imports(name, everywhere=False)}, name


@pytest.mark.parametrize("name", NAMES)
def test_modules_and_functions_stay_short(name: str) -> None:
    """A file has at most 450 lines, a function at most 60."""
    assert len((ROOT / name).read_text(encoding="utf-8").splitlines()) <= 450
    for node in ast.walk(_tree(name)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno < 60, f"{name}:{node.lineno} {node.name}"


@pytest.mark.parametrize("name", NAMES)
def test_every_module_says_what_it_is(name: str) -> None:
    """Each module has a docstring."""
    assert ast.get_docstring(_tree(name)), name


def test_our_packages_are_the_ones_imported() -> None:
    """`schema`, `writer` and `parser` also exist on the package index; ours must win."""
    import parser
    import schema
    import syncd
    import writer

    top = Path(syncd.__file__).resolve().parent.parent
    for package in (parser, schema, writer):
        assert Path(package.__file__ or "").resolve().parent.parent == top


def test_all_packages_are_installed() -> None:
    """The list of packages in pyproject.toml is complete."""
    import tomllib

    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    there = {".".join(file.relative_to(ROOT).parent.parts) for file in FILES if file.name == "__init__.py"}
    assert set(listed) == there
