"""Grey as one sample per pixel against numpy: the same verdict on any frame, the same samples, and the frame again."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agent.native.frame import FrameDescription
from agent.native.grey import narrow, widen

# The core looks at 1024 pixels at a time and at 16 in a register.
COLUMNS = st.one_of(st.integers(1, 70), st.integers(1015, 1045), st.just(4097))


@given(
    rows=st.integers(1, 3), columns=COLUMNS, bits=st.sampled_from([8, 16]), planar=st.sampled_from([0, 1]),
    seed=st.integers(0, 2**32 - 1), coloured=st.integers(0, 2), misaligned=st.integers(0, 3),
)  # fmt: skip
def test_it_sees_what_numpy_sees(
    *, rows: int, columns: int, bits: int, planar: int, seed: int, coloured: int, misaligned: int
) -> None:
    rng = np.random.default_rng(seed)
    grey = rng.integers(0, 1 << bits, (rows, columns), dtype=f"<u{bits // 8}")
    frame = np.repeat(grey[..., np.newaxis], 3, axis=2)
    for _ in range(coloured):  # a sample that may happen to keep its value
        frame[rng.integers(rows), rng.integers(columns), rng.integers(3)] ^= rng.integers(0, 1 << bits)
    native = np.ascontiguousarray(frame.transpose(2, 0, 1) if planar else frame).tobytes()
    description = FrameDescription(
        rows, columns, 3, bits, bits, bits - 1, photometric_interpretation="RGB", planar_configuration=planar
    )
    is_grey = bool(np.all(frame == frame[..., :1]))
    plane = bytearray(len(native) // 3)
    assert narrow(memoryview(bytes(misaligned) + native)[misaligned:], description, plane) == is_grey
    if is_grey:
        assert plane == frame[..., 0].tobytes()
        again = bytearray(len(native))
        assert widen(plane, description, again) == len(native)
        assert again == native
