"""The figures of the project, each measured against a bare loop that does the same I/O, in the same run.

Run from the repository's root: ``python -m bench --help``.
"""
