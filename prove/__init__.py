"""Campaigns that try to break the guarantees: ``make prove``, bounded in time, with a report in ``docs/proof.md``.

Each part is a module of this package: see `prove.frame.Part` for what it offers.
"""
