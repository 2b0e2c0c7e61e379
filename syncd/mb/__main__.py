"""`python -m syncd.mb`."""

from syncd.start import mb

if __name__ == "__main__":
    raise SystemExit(mb())
