"""New UIDs: entropy is drawn here, at the edge, and nowhere below (PS3.5 B.2)."""

from __future__ import annotations

import os

from agent.dataset.uid import uid_from_int128

_VERSION_4 = 0x4 << 76
_VARIANT = 0x2 << 62


def new_uid() -> str:
    """Return a new UID under 2.25 made from a random (version 4) UUID."""
    bits = int.from_bytes(os.urandom(16), "big")
    bits = bits & ~(0xF << 76) | _VERSION_4
    bits = bits & ~(0x3 << 62) | _VARIANT
    return uid_from_int128(bits)
