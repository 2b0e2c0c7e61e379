"""What was saved into a document whose files are output, taken after all.

A conflict of the whole document keeps the lines that differ; the texts themselves are in the history.
"""

from __future__ import annotations

from parser.document import parse
from schema import history, store
from syncd.disk.files import Written, prepare
from syncd.engine import Engine
from syncd.errors import UsageError
from syncd.plan import putback
from syncd.plan.rebase import keyed_like, rebase

_VERSIONS = 12  # how many texts back the one is looked for that a save was made from


def take(engine: Engine, number: int) -> None:
    """Take the file's side of conflict ``number`` of the table ``documents``. Call inside `Database.atomic`.

    A text becomes an edit of the sections, as by any client of the database; a deletion is carried out and has its yes.
    Raises `UsageError` where it cannot be done any more.
    """
    path, base, file, gone, transaction = engine.db.rows(
        'SELECT document, base, file, gone, "transaction" FROM conflicts WHERE id = ?', (number,)
    )[0]
    if engine.state.base(path) is None:
        raise UsageError("the document is no longer there", path, f"`syncd log --file {path}` shows its history")
    if gone:
        _delete(engine, path)
    else:
        _edit(engine, path, base, file, transaction)


def _delete(engine: Engine, path: str) -> None:
    """The file goes now, and that it is gone is accepted already."""
    prepared = prepare(engine.bank, path, None)
    if not isinstance(prepared.publish(engine.state.rows[path].hash, engine.held), Written):
        raise UsageError("saved meanwhile", path, "run `syncd sync`, then again")
    now = engine.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    engine.db.run(
        """INSERT INTO holds(path, kind, reason, hash, deletes, created_at, state)
        VALUES (?, 'deletion', 'was deleted by hand, and that was taken', NULL, 0, ?, 'accepted')""",
        (path, now),
    )


def _edit(engine: Engine, path: str, base: str, file: str, transaction: int) -> None:
    now = engine.state.base(path)
    assert now is not None
    found = _texts(engine, path, base, file, transaction)
    if found is None:
        hint = f"`syncd cat {path} --at {transaction}` has the text; it is edited by hand in mode coexist"
        raise UsageError("what was saved cannot be told apart any more", path, hint)
    sections = store.load_sections(engine.db, engine.state.rows[path].id)
    edited = "".join(section.text for section in sections)
    if edited != now.document.text:  # by another conflict that was taken just now, or by a client
        now = keyed_like(now, parse(path, edited, now.document))
    merged = rebase(found[0], now, found[1], tell=False).text
    for position, section in enumerate(sections):
        engine.db.run("UPDATE sections SET text = ? WHERE id = ?", ("" if position else merged, section.id))


def _texts(engine: Engine, path: str, base: str, file: str, transaction: int) -> tuple[str, str] | None:
    """What a save was made from, and what it was without the fields that are conflicts of their own."""
    now = engine.state.base(path)
    assert now is not None
    texts: list[tuple[history.Version, str]] = []
    for version, content in history.texts(engine.db, path):
        if content is not None:
            texts.append((version, content.decode("utf-8", "replace")))
        if sum(v.transaction < transaction for v, _ in texts) == _VERSIONS:
            break
    for number, (version, text) in enumerate(texts):
        if version.transaction != transaction or version.emitted:
            continue
        for _, had in texts[number + 1 : number + 1 + _VERSIONS]:
            rest, _ = putback.split(had, now, text)
            if putback.differing(had, rest) == (base, file):
                return had, rest
    return None
