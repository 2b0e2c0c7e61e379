"""Changes to edits on the source text. Pure: no I/O, no clock. Imports ``parser`` and ``schema.records`` only."""
