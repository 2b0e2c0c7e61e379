"""The daemon's log: events with key-values on stderr, readable on a terminal and JSON lines elsewhere.

The only module that configures structlog; only the daemon imports it.
"""

from __future__ import annotations

import logging
import sys
from typing import TextIO, cast

import structlog


def configure(level: str = "info", stream: TextIO | None = None) -> structlog.typing.FilteringBoundLogger:
    """Set up the log and return the logger. ``level`` is one of debug, info, warning, error."""
    stream = sys.stderr if stream is None else stream
    tty = stream.isatty()
    processors: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if tty else "iso", utc=not tty),
    ]
    if tty:
        processors.append(structlog.dev.ConsoleRenderer(colors=True))
    else:
        processors += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    return cast("structlog.typing.FilteringBoundLogger", structlog.get_logger())
