"""Text to sections and readings. Pure: no I/O, no clock. Imports only ``schema.records`` outside itself."""

from parser.document import Document, Section, parse

__all__ = ["Document", "Section", "parse"]
