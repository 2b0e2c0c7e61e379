"""Whether syncd can do its work here: many small questions, each answered by a sentence, and what to do about it.

A check is a function that returns a `Check` and changes nothing; what it has to try it tries on files of its own inside
``.syncd`` and removes. `syncd.doctor.examine` knows them all.
"""
