"""Compress and decompress one frame (PS3.5 Annex A.4): the door to the C codecs.

`encode` takes a native frame as its description says and gives one fragment's worth of bytes; `decode` is the inverse.
Which codec is a table keyed by Transfer Syntax UID: RLE Lossless, JPEG Lossless and JPEG-LS. The interpreter lock is
free while C works. `near` is for JPEG-LS Near-lossless alone: no sample differs by more; everything else comes back
bit for bit.
Give `out` to write into memory of your own (at least `encode_bound` bytes to be sure); the result is then a count.

Raises `NativeArgumentError` for buffers that do not fit their description and for other transfer syntaxes,
`NativeDataError` when compressed bits are not what they claim to be (then `out` holds anything).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, overload

from agent.errors import NativeArgumentError
from agent.native._core import ffi, lib
from agent.native.frame import PixelDescription, c_buffer, c_format
from agent.native.status import check

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Buffer

RLE_LOSSLESS = "1.2.840.10008.1.2.5"
JPEG_LOSSLESS = "1.2.840.10008.1.2.4.57"
JPEG_LOSSLESS_SV1 = "1.2.840.10008.1.2.4.70"
JPEG_LS_LOSSLESS = "1.2.840.10008.1.2.4.80"
JPEG_LS_NEAR = "1.2.840.10008.1.2.4.81"


class _Codec(NamedTuple):
    name: str
    bound: Callable[[Any], int]
    work_bytes: Callable[[Any], int]
    encode: Callable[..., int]
    decode: Callable[..., int]
    params: str = ""
    """C type of the encoder's parameters; its first member is `near`."""
    lossy: bool = False


def _jls(name: str, *, lossy: bool) -> _Codec:
    return _Codec(
        name, lib.mga_jls_encode_bound, lib.mga_jls_work_bytes, lib.mga_jls_encode, lib.mga_jls_decode,
        "mga_jls_params *", lossy,
    )  # fmt: skip


_CODECS = {
    RLE_LOSSLESS: _Codec(
        "RLE Lossless", lib.mga_rle_encode_bound, lib.mga_rle_work_bytes, lib.mga_rle_encode, lib.mga_rle_decode
    ),
    JPEG_LS_LOSSLESS: _jls("JPEG-LS", lossy=False),
    JPEG_LS_NEAR: _jls("JPEG-LS Near-lossless", lossy=True),
}
# Selection value 1 is legal in both; every selection value is read in both.
_CODECS |= dict.fromkeys(
    (JPEG_LOSSLESS, JPEG_LOSSLESS_SV1),
    _Codec("JPEG Lossless", lib.mga_jpl_encode_bound, lib.mga_jpl_work_bytes, lib.mga_jpl_encode, lib.mga_jpl_decode),
)
TRANSFER_SYNTAXES = tuple(_CODECS)
NEAR_MAX = 255
"""NEAR is one byte in the scan header (T.87 C.2.3)."""

_uncleared = ffi.new_allocator(should_clear_after_alloc=False)


def _codec(transfer_syntax: str) -> _Codec:
    codec = _CODECS.get(transfer_syntax)
    if codec is None:
        raise NativeArgumentError(f"the C core has no codec for transfer syntax {transfer_syntax}")
    return codec


def _work(codec: _Codec, layout: Any) -> Any:
    return _uncleared("uint8_t[]", check(codec.work_bytes(layout), codec.name))


def _params(codec: _Codec, near: int) -> tuple[Any, ...]:
    if near and not codec.lossy:
        raise NativeArgumentError(f"{codec.name} is lossless: near {near} is for JPEG-LS Near-lossless")
    if not 0 <= near <= NEAR_MAX:
        raise NativeArgumentError(f"near is 0 to {NEAR_MAX}, not {near}")
    return (ffi.new(codec.params, [near]),) if codec.params else ()


def encode_bound(description: PixelDescription, transfer_syntax: str) -> int:
    """Count the most bytes that one coded frame can take."""
    codec = _codec(transfer_syntax)
    return check(codec.bound(c_format(description)), codec.name)


@overload
def encode(frame: Buffer, transfer_syntax: str, *, description: PixelDescription, near: int = 0) -> bytes: ...
@overload
def encode(
    frame: Buffer, transfer_syntax: str, *, description: PixelDescription, near: int = 0, out: Buffer
) -> int: ...
def encode(
    frame: Buffer, transfer_syntax: str, *, description: PixelDescription, near: int = 0, out: Buffer | None = None
) -> int | bytes:
    """Compress one native frame; gives the bytes, or with `out` how many were written there (always even)."""
    codec = _codec(transfer_syntax)
    params = _params(codec, near)
    layout = c_format(description)
    src = c_buffer(frame)
    dst = (
        _uncleared("uint8_t[]", check(codec.bound(layout), codec.name)) if out is None else c_buffer(out, writable=True)
    )
    work = _work(codec, layout)
    written = codec.encode(dst, len(dst), src, len(src), layout, *params, work, len(work))
    count = check(written, f"encoding a frame as {codec.name}")
    return bytes(ffi.buffer(dst, count)) if out is None else count


@overload
def decode(data: Buffer, transfer_syntax: str, description: PixelDescription) -> bytearray: ...
@overload
def decode(data: Buffer, transfer_syntax: str, description: PixelDescription, *, out: Buffer) -> int: ...
def decode(
    data: Buffer, transfer_syntax: str, description: PixelDescription, *, out: Buffer | None = None
) -> int | bytearray:
    """Decompress one frame; gives the native frame, or with `out` how many bytes were written there."""
    codec = _codec(transfer_syntax)
    layout = c_format(description)
    src = c_buffer(data)
    frame: Buffer = bytearray(check(lib.mga_format_bytes(layout), codec.name)) if out is None else out
    dst = c_buffer(frame, writable=True)
    work = _work(codec, layout)
    written = codec.decode(dst, len(dst), src, len(src), layout, work, len(work))
    count = check(written, f"decoding a {codec.name} frame")
    return frame if isinstance(frame, bytearray) and out is None else count
