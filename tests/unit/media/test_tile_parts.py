"""Where a codestream of JPEG 2000 ends, also one of many tiles or of lies."""

from __future__ import annotations

import struct

import imagecodecs
import numpy as np
import pytest

from agent.media.tile_parts import behind_end

GREY = np.arange(64 * 48, dtype=np.uint16).reshape(48, 64)
ONE = imagecodecs.jpeg2k_encode(GREY, codecformat="j2k", reversible=True)
PART = ONE.index(b"\xff\x90")
THREE = ONE[:PART] + 3 * ONE[PART:-2] + ONE[-2:]


@pytest.mark.parametrize("stream", [ONE, THREE], ids=["one part", "three parts"])
@pytest.mark.parametrize(("more", "count"), [(b"", 0), (bytes(3), 0), (b"more", 4), (b"\1\0\0", 1), (b"\xff\xd9", 2)])
def test_what_stands_behind_the_end_is_counted(stream: bytes, more: bytes, count: int) -> None:
    assert behind_end(stream + more) == count
    assert behind_end(stream + stream + more) == len(stream) + count


def test_what_states_no_length_or_a_wrong_one_says_nothing() -> None:
    for length in (0, 2, 1 << 31):
        assert behind_end(ONE[: PART + 6] + struct.pack(">I", length) + ONE[PART + 10 :] + b"more") == 0
    for size in range(PART + 14):
        assert behind_end(ONE[:size]) == 0
    assert behind_end(b"\xff\x4f" + b"\0\1\0\0" * 100 + b"\xff\xd9more") == 0
