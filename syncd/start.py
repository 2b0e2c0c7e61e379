"""Where the programs begin, before anything is loaded.

Loading makes many objects and hardly any cycles: a collection looked for them each few hundred objects, for a
fiftieth of a command. `syncd run`, which stays for months, keeps Python's own limits.
"""

import gc
import sys

_OBJECTS = 200_000
"""New objects between two collections of a command."""


def syncd() -> int:
    """The program `syncd`; its exit code."""
    if sys.argv[1:2] != ["run"]:
        gc.set_threshold(_OBJECTS)
    from syncd.cli import main

    return main()


def mb() -> int:
    """The program `mb`; its exit code."""
    gc.set_threshold(_OBJECTS)
    from syncd.mb.cli import main

    return main()
