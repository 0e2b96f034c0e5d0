"""What the C core borrows is given back before an error is raised: the collector crashes over a view that is lent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agent.errors import NativeError
from agent.native import compress, grey
from agent.native.frame import FrameDescription, frame_difference

GREY = FrameDescription(2, 3)
COLOUR = FrameDescription(2, 3, samples_per_pixel=3, photometric_interpretation="RGB")
SYNTAXES = (compress.RLE_LOSSLESS, compress.JPEG_LOSSLESS_SV1, compress.JPEG_LS_LOSSLESS)

CALLS: dict[str, Callable[[memoryview, memoryview], Any]] = {
    **{f"decode {syntax}": lambda data, out, s=syntax: compress.decode(data, s, GREY, out=out) for syntax in SYNTAXES},
    **{f"encode {syntax}": lambda data, out, s=syntax: compress.encode(data, s, description=GREY, out=out)
       for syntax in SYNTAXES},
    "rle_beside": lambda data, _out: compress.rle_beside(data, GREY),
    "difference": lambda data, out: frame_difference(data, out, GREY),
    "narrow": lambda data, out: grey.narrow(data, COLOUR, out),
    "widen": lambda data, out: grey.widen(data, COLOUR, out),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_a_call_that_fails_has_nothing_borrowed_any_more(name: str) -> None:
    data, out = memoryview(bytearray(b"\xff" * 77)), memoryview(bytearray(6))
    with pytest.raises(NativeError) as caught:
        CALLS[name](data, out)
    assert caught.value.__traceback__ is not None
    data.release()  # BufferError while the traceback keeps a borrower
    out.release()
