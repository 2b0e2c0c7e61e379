"""SQL text of the tables, indexes and views of the first schema.

The name of a CHECK is its message: SQLite shows it to whoever wrote the row that breaks it.
"""

# ruff: noqa: S608 - the names in these statements are those of our own tables

from __future__ import annotations

from schema.records import Priority, Status

_LOWER = "abcdefghijklmnopqrstuvwxyz"
_DIGITS = "0123456789"
_DATE = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
_TIME = "[0-9][0-9]:[0-9][0-9]"


def _one_of(column: str, words: type[Status | Priority]) -> str:
    names = ", ".join(w.value for w in words)
    allowed = ", ".join(f"'{w.value}'" for w in words)
    return f'CONSTRAINT "{column} must be one of {names}, or NULL" CHECK ({column} IS NULL OR {column} IN ({allowed}))'


def _task_id(column: str) -> str:
    rest = f"ltrim({column}, '{_LOWER.upper()}')"
    tail = f"ltrim(ltrim(ltrim(ltrim({rest}, '-'), '{_DIGITS}'), '{_LOWER}'), '{_DIGITS}')"
    return (
        f'CONSTRAINT "{column} must look like T21, T20a or META-1" CHECK ({column} GLOB \'[A-Z]*\' AND '
        f"({rest} GLOB '[0-9]*' OR {rest} GLOB '-[0-9]*') AND {tail} = '')"
    )


def _date(column: str, more: str = "*") -> str:
    return (
        f'CONSTRAINT "{column} must be a date like 2025-11-13, or NULL" '
        f"CHECK ({column} IS NULL OR {column} GLOB '{_DATE}{more}')"
    )


def _time(column: str) -> str:
    return (
        f'CONSTRAINT "{column} must be a time like 17:48 or 17:48:05, or NULL" '
        f"CHECK ({column} IS NULL OR {column} GLOB '{_TIME}*')"
    )


_RECORDS = f"""
CREATE TABLE tasks (
  id TEXT NOT NULL PRIMARY KEY,
  title TEXT,
  status TEXT,
  priority TEXT,
  started TEXT,
  completed TEXT,
  last_updated TEXT,
  details TEXT,
  description TEXT,
  {_task_id("id")},
  {_one_of("status", Status)},
  {_one_of("priority", Priority)},
  {_date("started")},
  {_date("completed")},
  {_date("last_updated")}
);
CREATE TABLE task_dependencies (
  task_id TEXT NOT NULL REFERENCES tasks(id) ON DELETE CASCADE ON UPDATE CASCADE,
  depends_on TEXT NOT NULL,
  PRIMARY KEY (task_id, depends_on),
  {_task_id("depends_on")}
) WITHOUT ROWID;
CREATE INDEX task_dependencies_depends_on ON task_dependencies(depends_on);
CREATE TABLE task_subtasks (
  id INTEGER PRIMARY KEY,
  task_id TEXT NOT NULL REFERENCES tasks(id) ON DELETE CASCADE ON UPDATE CASCADE,
  section TEXT,
  position INTEGER,
  text TEXT,
  status TEXT,
  {_one_of("status", Status)}
);
CREATE INDEX task_subtasks_task ON task_subtasks(task_id, position);
CREATE TABLE edit_entries (
  id INTEGER PRIMARY KEY,
  date TEXT,
  time TEXT,
  timezone TEXT,
  timestamp TEXT,
  task_id TEXT,
  task_description TEXT,
  created_at TEXT DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
  {_date("date", "")},
  {_time("time")}
);
CREATE INDEX edit_entries_date ON edit_entries(date, time);
CREATE INDEX edit_entries_task ON edit_entries(task_id);
CREATE TABLE file_modifications (
  id INTEGER PRIMARY KEY,
  edit_entry_id INTEGER NOT NULL REFERENCES edit_entries(id) ON DELETE CASCADE ON UPDATE CASCADE,
  action TEXT,
  file_path TEXT,
  description TEXT
);
CREATE INDEX file_modifications_entry ON file_modifications(edit_entry_id);
CREATE INDEX file_modifications_path ON file_modifications(file_path);
CREATE TABLE sessions (
  id INTEGER PRIMARY KEY,
  session_date TEXT,
  session_period TEXT,
  focus_task TEXT,
  start_time TEXT,
  end_time TEXT,
  status TEXT,
  content TEXT,
  path TEXT UNIQUE,
  {_date("session_date")}
);
CREATE INDEX sessions_date ON sessions(session_date);
CREATE TABLE session_cache (
  id INTEGER PRIMARY KEY CONSTRAINT "session_cache has one row, with id 1: update it" CHECK (id = 1),
  current_session_id TEXT,
  current_focus_task TEXT,
  active_count INTEGER,
  paused_count INTEGER,
  completed_count INTEGER,
  last_updated TEXT
);
CREATE TABLE error_logs (
  id INTEGER PRIMARY KEY,
  timestamp TEXT,
  task_id TEXT,
  file_path TEXT,
  error_message TEXT,
  cause TEXT,
  fix_applied TEXT
);
CREATE INDEX error_logs_task ON error_logs(task_id);
CREATE VIEW task_items AS
  SELECT id, title, status, priority, started, completed, last_updated, details FROM tasks;
"""

_DOCUMENTS = """
CREATE TABLE documents (
  id INTEGER PRIMARY KEY,
  path TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  hash TEXT NOT NULL,
  size INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,
  ctime_ns INTEGER NOT NULL,
  inode INTEGER NOT NULL,
  "transaction" INTEGER,
  problem TEXT
);
CREATE TABLE sections (
  id INTEGER PRIMARY KEY,
  document_id INTEGER NOT NULL REFERENCES documents(id) ON DELETE CASCADE,
  position REAL NOT NULL,
  level INTEGER NOT NULL,
  heading TEXT NOT NULL,
  text TEXT NOT NULL
);
CREATE INDEX sections_document ON sections(document_id, position);
CREATE TABLE readings (
  section_id INTEGER NOT NULL REFERENCES sections(id) ON DELETE CASCADE,
  ordinal INTEGER NOT NULL,
  "table" TEXT NOT NULL,
  key TEXT NOT NULL,
  role TEXT NOT NULL,
  PRIMARY KEY (section_id, ordinal)
) WITHOUT ROWID;
CREATE INDEX readings_record ON readings("table", key);
CREATE TABLE outbox (
  path TEXT NOT NULL PRIMARY KEY,
  expected TEXT,
  text BLOB,
  "transaction" INTEGER NOT NULL
);
"""

_JOURNAL = """
CREATE TABLE transaction_log (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  transaction_id TEXT NOT NULL UNIQUE,
  timestamp TEXT NOT NULL,
  operation_type TEXT NOT NULL,
  origin TEXT NOT NULL,
  affected_tables TEXT,
  row_count INTEGER,
  status TEXT,
  error_message TEXT,
  duration_ms REAL
);
CREATE TABLE row_changes (
  id INTEGER PRIMARY KEY,
  "transaction" INTEGER,
  "table" TEXT NOT NULL,
  key TEXT NOT NULL,
  operation TEXT NOT NULL CHECK (operation IN ('insert', 'update', 'delete')),
  before TEXT,
  after TEXT
);
CREATE INDEX row_changes_transaction ON row_changes("transaction");
CREATE INDEX row_changes_record ON row_changes("table", key);
CREATE TABLE replaced (
  "table" TEXT NOT NULL,
  key TEXT NOT NULL,
  before TEXT NOT NULL,
  PRIMARY KEY ("table", key)
) WITHOUT ROWID;
CREATE TABLE versions (
  id INTEGER PRIMARY KEY,
  path TEXT NOT NULL,
  "transaction" INTEGER NOT NULL,
  before BLOB,
  emitted INTEGER NOT NULL,
  size INTEGER,
  hash_after TEXT,
  deleted INTEGER NOT NULL
);
CREATE INDEX versions_path ON versions(path);
CREATE INDEX versions_transaction ON versions("transaction");
CREATE TABLE state (name TEXT NOT NULL PRIMARY KEY, value) WITHOUT ROWID;
"""

_PEOPLE = """
CREATE TABLE conflicts (
  id INTEGER PRIMARY KEY,
  document TEXT,
  "table" TEXT,
  key TEXT,
  field TEXT,
  base TEXT,
  file TEXT,
  db TEXT,
  kept TEXT,
  gone INTEGER NOT NULL DEFAULT 0,
  "transaction" INTEGER,
  created_at TEXT,
  resolved_at TEXT,
  resolution TEXT
);
CREATE INDEX conflicts_open ON conflicts(document) WHERE resolved_at IS NULL;
CREATE TABLE holds (
  id INTEGER PRIMARY KEY,
  path TEXT NOT NULL,
  kind TEXT NOT NULL,
  reason TEXT NOT NULL,
  hash TEXT,
  deletes INTEGER,
  created_at TEXT,
  state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'accepted', 'rejected', 'withdrawn')),
  settled_at TEXT
);
CREATE INDEX holds_open ON holds(path) WHERE state = 'open';
CREATE TABLE follows (
  "table" TEXT NOT NULL,
  key TEXT NOT NULL,
  field TEXT NOT NULL,
  "transaction" INTEGER,
  created_at TEXT,
  PRIMARY KEY ("table", key, field)
) WITHOUT ROWID;
CREATE TABLE requests (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  arguments TEXT,
  created_at TEXT,
  answered_at TEXT,
  answer TEXT
);
CREATE INDEX requests_open ON requests(id) WHERE answered_at IS NULL;
CREATE TABLE migrations (
  number INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  applied_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
);
"""

TABLES = _RECORDS + _DOCUMENTS + _JOURNAL + _PEOPLE
"""Everything but the triggers (`schema.triggers`)."""
