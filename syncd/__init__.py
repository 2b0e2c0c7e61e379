"""syncd keeps a memory bank (a folder of markdown files) and a SQLite database equal, in both directions.

``syncd.open_bank`` is the way in for Python programs (`syncd.api`); it is loaded when it is asked for.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from syncd.api import Bank, InvalidOperation, Result, Transaction, open_bank

__all__ = ["Bank", "InvalidOperation", "Result", "Transaction", "__version__", "open_bank"]

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """The Python API, loaded late: most commands do not need it."""
    if name not in __all__:
        raise AttributeError(f"module 'syncd' has no attribute {name!r}")
    from syncd import api

    return getattr(api, name)
