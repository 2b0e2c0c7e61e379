"""Text to sections and readings. Pure: no I/O, no clock. Imports only ``schema.records`` outside itself."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from parser.document import Document, Section, parse

__all__ = ["Document", "Section", "parse"]


def __getattr__(name: str) -> Any:
    """What is exported is loaded when it is asked for: not every command that needs a part of this package parses."""
    if name not in __all__:
        raise AttributeError(f"module 'parser' has no attribute {name!r}")
    from parser import document

    return getattr(document, name)
