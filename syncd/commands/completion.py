"""Have your shell complete syncd and mb: commands, options, words to choose from, folders and files.

The script is printed once and asks no program when you press Tab. Make it anew after an upgrade.

  bash  syncd completion bash > ~/.local/share/bash-completion/completions/syncd
        ln -s syncd ~/.local/share/bash-completion/completions/mb
  zsh   syncd completion zsh syncd > FOLDER/_syncd; syncd completion zsh mb > FOLDER/_mb   (a folder of $fpath)
  fish  syncd completion fish > ~/.config/fish/completions/syncd.fish
        ln -s syncd.fish ~/.config/fish/completions/mb.fish
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser

from syncd import output
from syncd.commands import common
from syncd.completion import PROGRAMS, SHELLS
from syncd.errors import Exit


def add(parser: ArgumentParser) -> None:
    """The options of `syncd completion`."""
    parser.add_argument("shell", choices=SHELLS, help="whose")
    parser.add_argument("program", nargs="?", choices=PROGRAMS, help="for this program only (default: both)")
    common(parser)


def run(shell: str, program: str | None, bank: str | None, as_json: bool) -> int:
    """Print the scripts."""
    from syncd.completion import script

    scripts = {name: script(shell, name) for name in ((program,) if program else PROGRAMS)}
    if as_json:
        output.show_json(scripts)
    else:
        sys.stdout.write("\n".join(scripts.values()))
    return Exit.CONVERGED
