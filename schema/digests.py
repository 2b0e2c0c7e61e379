"""What identifies a text."""

from __future__ import annotations

try:
    from _blake2 import blake2b  # what hashlib gives as well, without loading OpenSSL, which costs milliseconds
except ImportError:  # an interpreter that has it elsewhere
    from hashlib import blake2b


def text_digest(data: bytes) -> str:
    """32 hex digits of blake2b."""
    return str(blake2b(data, digest_size=16).hexdigest())
