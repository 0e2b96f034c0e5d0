"""New UIDs: entropy is drawn here, at the edge, and nowhere below (PS3.5 B.2)."""

from __future__ import annotations

import os

from agent.dataset.uid import uid_from_int128

_VERSION_4 = 0x4 << 76
_VERSION_8 = 0x8 << 76
_VARIANT = 0x2 << 62


def new_uid() -> str:
    """Return a new UID under 2.25 made from a random (version 4) UUID."""
    return _uid(os.urandom(16), _VERSION_4)


def uid_of(digest: bytes) -> str:
    """Return the UID under 2.25 that belongs to a digest: a UUID of version 8 (RFC 9562 5.8) of its first 16 bytes."""
    return _uid(digest[:16], _VERSION_8)


def _uid(number: bytes, version: int) -> str:
    bits = int.from_bytes(number, "big")
    bits = bits & ~(0xF << 76) | version
    bits = bits & ~(0x3 << 62) | _VARIANT
    return uid_from_int128(bits)
