"""syncd keeps a memory bank (a folder of markdown files) and a SQLite database equal, in both directions."""

__version__ = "0.1.0"
