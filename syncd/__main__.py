"""``python -m syncd``: the same as the command ``syncd``."""

from syncd.start import syncd

if __name__ == "__main__":
    raise SystemExit(syncd())
