"""Reverse deltas: what it takes to get a text from before a change out of the text after it.

A delta starts with one byte that names its method. All methods keep the common beginning and end as two numbers and
differ in how they keep what stood between: as it is, deflated, or compressed by zstd. The compressors know the text
after the change, so that what merely moved costs next to nothing.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import zstandard

_RAW, _DEFLATED, _ZSTD = b"\x00", b"\x01", b"\x02"
_SHORT = 24
"""Bytes up to which nothing is worth compressing."""
_SMALL = 128
"""Bytes to which deflate brought a text that zstd is not asked about, as it takes ten times as long. All recorded banks
together grow by a quarter of a percent."""
_DEFLATE_WINDOW = 32_000
"""What deflate can refer to; where text before and after exceed it, zstd is tried."""
_ZSTD_WINDOW = 32_000_000
"""How much of the text after a change zstd may refer to, around the change."""
_LARGE = 256_000
"""Bytes from which on compressing must be quick rather than thorough: somebody waits for it."""
_CHUNK = 1 << 16


class BadDelta(ValueError):
    """A delta that does not belong to the text, or is damaged."""


def encode(before: bytes, after: bytes) -> bytes:
    """A delta from which, with ``after``, `decode` gives ``before``."""
    prefix = _common_prefix(before, after)
    suffix = _common_suffix(before, after, min(len(before), len(after)) - prefix)
    middle = before[prefix : len(before) - suffix]
    head = _number(prefix) + _number(suffix)
    best = _RAW + head + middle
    if len(middle) <= _SHORT:
        return best
    for method, packed in _packed(middle, after, prefix, suffix):
        candidate = method + head + packed
        if len(candidate) < len(best):
            best = candidate
    return best


def decode(delta: bytes, after: bytes) -> bytes:
    """The text before the change that led to ``after``. Raises `BadDelta`."""
    prefix, position = _read_number(delta, 1)
    suffix, position = _read_number(delta, position)
    if prefix + suffix > len(after):
        raise BadDelta("the delta belongs to a longer text")
    middle = _unpacked(delta[:1], delta[position:], after, prefix, suffix)
    view = memoryview(after)
    return b"".join((view[:prefix], middle, view[len(after) - suffix :]))


def _packed(middle: bytes, after: bytes, prefix: int, suffix: int) -> list[tuple[bytes, bytes]]:
    found = []
    if len(middle) < _LARGE:
        known = _around(after, prefix, suffix, _DEFLATE_WINDOW)
        deflate = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_DEFAULT_STRATEGY, known)
        found.append((_DEFLATED, deflate.compress(middle) + deflate.flush()))
        if len(found[0][1]) <= _SMALL:
            return found
    if len(middle) > 400 and len(middle) + len(after) > _DEFLATE_WINDOW:
        found.append((_ZSTD, _zstd_pack(middle, _around(after, prefix, suffix, _ZSTD_WINDOW))))
    return found


def _unpacked(method: bytes, packed: bytes, after: bytes, prefix: int, suffix: int) -> bytes:
    try:
        if method == _RAW:
            return packed
        if method == _DEFLATED:
            inflate = zlib.decompressobj(-15, _around(after, prefix, suffix, _DEFLATE_WINDOW))
            return inflate.decompress(packed) + inflate.flush()
        if method == _ZSTD:
            return _zstd_unpack(packed, _around(after, prefix, suffix, _ZSTD_WINDOW))
    except (zlib.error, ValueError) as error:
        raise BadDelta(f"the delta is damaged or belongs to another text: {error}") from error
    raise BadDelta(f"a delta of an unknown method, {method!r}")


def _around(text: bytes, prefix: int, suffix: int, size: int) -> bytes:
    """At most ``size`` bytes of ``text``: the part between its common beginning and end, with what surrounds it."""
    if len(text) <= size:
        return text
    end = len(text) - suffix
    start = max(0, min(prefix - size // 8, len(text) - size))
    if end - prefix < size * 3 // 4:
        start = max(0, min((prefix + end - size) // 2, len(text) - size))
    return text[start : start + size]


def _zstd_pack(middle: bytes, known: bytes) -> bytes:
    import zstandard

    level = 6 if len(middle) + len(known) < _LARGE else 3
    return zstandard.ZstdCompressor(
        dict_data=zstandard.ZstdCompressionDict(known, dict_type=zstandard.DICT_TYPE_RAWCONTENT),
        compression_params=_zstd_parameters(level, len(middle) + len(known)),
    ).compress(middle)


def _zstd_parameters(level: int, size: int) -> zstandard.ZstdCompressionParameters:
    """Parameters under which a compressor sees all of ``size`` bytes; by itself it looks back two megabytes."""
    import zstandard

    bits = min(max(size.bit_length(), 10), 26)
    tables = {"hash_log": max(17, bits - 3), "chain_log": max(16, bits - 3)} if size >= _LARGE else {}
    return zstandard.ZstdCompressionParameters.from_level(
        level, source_size=size, window_log=bits, enable_ldm=size >= _LARGE, write_content_size=True,
        write_checksum=False, write_dict_id=False, format=zstandard.FORMAT_ZSTD1_MAGICLESS, **tables,
    )  # fmt: skip


def _zstd_unpack(packed: bytes, known: bytes) -> bytes:
    import zstandard

    try:
        return zstandard.ZstdDecompressor(
            dict_data=zstandard.ZstdCompressionDict(known, dict_type=zstandard.DICT_TYPE_RAWCONTENT),
            format=zstandard.FORMAT_ZSTD1_MAGICLESS,
        ).decompress(packed)
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from error


def _number(value: int) -> bytes:
    """Seven bits a byte, the lowest first; the highest bit says that more follow."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _read_number(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(data):
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise BadDelta("the delta ends too early")


def _common_prefix(a: bytes, b: bytes) -> int:
    """Length of the common beginning: whole chunks first, then halves of the first that differs."""
    limit = min(len(a), len(b))
    start = 0
    while start < limit and a[start : start + _CHUNK] == b[start : start + _CHUNK]:
        start += _CHUNK
    low, high = min(start, limit), min(start + _CHUNK, limit)
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _common_suffix(a: bytes, b: bytes, limit: int) -> int:
    """Length of the common end, at most ``limit``."""
    start = 0
    while start + _CHUNK <= limit and _tail(a, start, start + _CHUNK) == _tail(b, start, start + _CHUNK):
        start += _CHUNK
    low, high = start, min(start + _CHUNK, limit)
    while low < high:
        middle = (low + high + 1) // 2
        if _tail(a, low, middle) == _tail(b, low, middle):
            low = middle
        else:
            high = middle - 1
    return low


def _tail(text: bytes, near: int, far: int) -> bytes:
    """The bytes that stand between ``far`` and ``near`` bytes from the end."""
    return text[len(text) - far : len(text) - near]
