"""Compress and decompress one frame (PS3.5 Annex A.4): the door to the C codecs.

`encode` takes a native frame and gives one fragment's worth of bytes; `decode` is the inverse. The frame is flat bytes
that a description lays out, or an array of shape (rows, columns) or (rows, columns, samples) that says itself what it
is. Which codec is a table keyed by Transfer Syntax UID: RLE Lossless, JPEG Lossless and JPEG-LS, and HTJ2K where its
library is (`agent.native.htj2k`). The interpreter lock is free while C works. `near` is for JPEG-LS Near-lossless
alone: no sample differs by more; everything else comes back bit for bit.
Give `out` to write into memory of your own (at least `encode_bound` bytes to be sure); the result is then a count.
What a layout needs (its C struct, its bounds) is remembered, and each thread keeps its working memory: a small frame
costs little more than its samples.

Raises `NativeArgumentError` for buffers that do not fit their description and for other transfer syntaxes,
`NativeDataError` when compressed bits are not what they claim to be (then `out` holds anything). Bytes that no plane of
an RLE frame needs, and that are no padding, are such an error, unless `lenient`: then `rle_beside` counts them.
"""

from __future__ import annotations

import threading
from functools import lru_cache

from agent.errors import NativeArgumentError
from agent.native import htj2k
from agent.native._core import ffi, lib
from agent.native.frame import Layout, PixelDescription, array_description, c_buffer, layout_of, layout_struct
from agent.native.status import check
from agent.typed import TYPE_CHECKING, Any, Final, NamedTuple, overload

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Buffer

RLE_LOSSLESS = "1.2.840.10008.1.2.5"
JPEG_LOSSLESS = "1.2.840.10008.1.2.4.57"
JPEG_LOSSLESS_SV1 = "1.2.840.10008.1.2.4.70"
JPEG_LS_LOSSLESS = "1.2.840.10008.1.2.4.80"
JPEG_LS_NEAR = "1.2.840.10008.1.2.4.81"
HTJ2K_LOSSLESS = "1.2.840.10008.1.2.4.201"
NEAR_MAX: Final = 255
"""NEAR is one byte in the scan header (T.87 C.2.3)."""
# Layouts that are remembered: a site has a few sources, and a struct is a hundred bytes.
_PLANS: Final = 32
# What a thread keeps from frame to frame; only frames with more than ten thousand columns need more.
_KEPT_WORK_BYTES: Final = 1 << 20


class _Codec(NamedTuple):
    name: str
    bound: Callable[[Any], int]
    work_bytes: Callable[[Any], int]
    encode: Callable[..., int]
    decode: Callable[..., int]
    params: str = ""
    """C type of the encoder's parameters; its first member is `near`."""
    method: str = ""
    """Lossy Image Compression Method (PS3.3 C.7.6.1.1.5.2); empty where nothing is ever lost."""


def _jls(name: str, method: str = "") -> _Codec:
    return _Codec(
        name, lib.mga_jls_encode_bound, lib.mga_jls_work_bytes, lib.mga_jls_encode, lib.mga_jls_decode,
        "mga_jls_params *", method,
    )  # fmt: skip


_CODECS = {
    RLE_LOSSLESS: _Codec(
        "RLE Lossless", lib.mga_rle_encode_bound, lib.mga_rle_work_bytes, lib.mga_rle_encode, lib.mga_rle_decode
    ),
    JPEG_LS_LOSSLESS: _jls("JPEG-LS"),
    JPEG_LS_NEAR: _jls("JPEG-LS Near-lossless", "ISO_14495_1"),
}
# Selection value 1 is legal in both; every selection value is read in both.
_CODECS |= dict.fromkeys(
    (JPEG_LOSSLESS, JPEG_LOSSLESS_SV1),
    _Codec("JPEG Lossless", lib.mga_jpl_encode_bound, lib.mga_jpl_work_bytes, lib.mga_jpl_encode, lib.mga_jpl_decode),
)
TRANSFER_SYNTAXES = tuple(_CODECS)
"""Of the C core."""


class _Plan(NamedTuple):
    """All that frames of one layout in one transfer syntax have in common."""

    codec: _Codec
    layout: Any
    params: tuple[Any, ...]
    frame_bytes: int
    bound: int
    work_bytes: int


@lru_cache(_PLANS)
def _plan(transfer_syntax: str, layout: Layout, near: int) -> _Plan:
    codec = _CODECS.get(transfer_syntax)
    if codec is None:
        raise NativeArgumentError(f"the C core has no codec for transfer syntax {transfer_syntax}")
    if near and not codec.method:
        raise NativeArgumentError(f"{codec.name} is lossless: near {near} is for JPEG-LS Near-lossless")
    if not 0 <= near <= NEAR_MAX:
        raise NativeArgumentError(f"near is 0 to {NEAR_MAX}, not {near}")
    struct = layout_struct(layout)
    return _Plan(
        codec,
        struct,
        (ffi.new(codec.params, [near]),) if codec.params else (),
        check(lib.mga_format_bytes(struct), codec.name),
        check(codec.bound(struct), codec.name),
        check(codec.work_bytes(struct), codec.name),
    )


_uncleared = ffi.new_allocator(should_clear_after_alloc=False)
_thread = threading.local()


def _work(size: int) -> Any:
    """Working memory of this thread; it holds nothing between calls."""
    work = getattr(_thread, "work", None)
    if work is None or len(work) < size:
        work = _uncleared("uint8_t[]", size)
        if size <= _KEPT_WORK_BYTES:
            _thread.work = work
    return work


def encode_bound(description: PixelDescription, transfer_syntax: str) -> int:
    """Count the most bytes that one coded frame can take."""
    if transfer_syntax == HTJ2K_LOSSLESS:
        return htj2k.bound(description)
    return _plan(transfer_syntax, layout_of(description), 0).bound


def is_available(transfer_syntax: str) -> bool:
    """Whether frames of this transfer syntax can be compressed and decompressed here."""
    return transfer_syntax in _CODECS or (transfer_syntax == HTJ2K_LOSSLESS and htj2k.is_installed())


def coded_photometric(transfer_syntax: str, photometric_interpretation: str) -> str:
    """Name what the encoder makes of the colours: HTJ2K turns RGB into YBR_RCT, which its decoder turns back."""
    if transfer_syntax == HTJ2K_LOSSLESS and photometric_interpretation == "RGB":
        return "YBR_RCT"
    return photometric_interpretation


def native_photometric(photometric_interpretation: str) -> str:
    """Name the colours of decoded samples."""
    return "RGB" if photometric_interpretation == "YBR_RCT" else photometric_interpretation


def _put(data: Buffer, out: Buffer) -> int:
    """Copy what a library has made into memory of the caller."""
    given, room = memoryview(data), memoryview(out).cast("B")
    if given.nbytes > room.nbytes:
        raise NativeArgumentError(f"the destination is too small for {given.nbytes} bytes")
    room[: given.nbytes] = given
    return given.nbytes


def lossy_method(transfer_syntax: str) -> str:
    """Name what the encoder loses samples by (PS3.3 C.7.6.1.1.5.2); empty where nothing is ever lost."""
    codec = _CODECS.get(transfer_syntax)
    return codec.method if codec is not None else ""


@overload
def encode(
    frame: Buffer, transfer_syntax: str, *, description: PixelDescription | None = None, near: int = 0,
    bits_stored: int | None = None,
) -> bytes: ...  # fmt: skip
@overload
def encode(
    frame: Buffer, transfer_syntax: str, *, description: PixelDescription | None = None, near: int = 0,
    bits_stored: int | None = None, out: Buffer,
) -> int: ...  # fmt: skip
def encode(
    frame: Buffer,
    transfer_syntax: str,
    *,
    description: PixelDescription | None = None,
    near: int = 0,
    bits_stored: int | None = None,
    out: Buffer | None = None,
) -> int | bytes:
    """Compress one native frame; gives the bytes, or with `out` how many were written there (always even).

    `frame` is flat bytes with a `description`, or an array without: then `bits_stored` says how many bits of its items
    mean something, where those are not all.
    """
    if description is None:
        description = array_description(frame, bits_stored)
    elif bits_stored not in (None, description.bits_stored):
        raise NativeArgumentError(f"{bits_stored} bits stored, and {description.bits_stored} in the description")
    if transfer_syntax == HTJ2K_LOSSLESS:
        if near:
            raise NativeArgumentError(f"HTJ2K is lossless: near {near} is for JPEG-LS Near-lossless")
        coded = htj2k.encode(frame, description)
        return coded if out is None else _put(coded, out)
    plan = _plan(transfer_syntax, layout_of(description), near)
    src = c_buffer(frame)
    dst = _uncleared("uint8_t[]", plan.bound) if out is None else c_buffer(out, writable=True)
    work = _work(plan.work_bytes)
    written = plan.codec.encode(dst, len(dst), src, len(src), plan.layout, *plan.params, work, len(work))
    count = written if written >= 0 else check(written, f"encoding a frame as {plan.codec.name}", src, dst)
    return ffi.buffer(dst, count)[:] if out is None else count


@overload
def decode(
    data: Buffer, transfer_syntax: str, description: PixelDescription, *, lenient: bool = False
) -> bytearray: ...
@overload
def decode(
    data: Buffer, transfer_syntax: str, description: PixelDescription, *, out: Buffer, lenient: bool = False
) -> int: ...
def decode(
    data: Buffer,
    transfer_syntax: str,
    description: PixelDescription,
    *,
    out: Buffer | None = None,
    lenient: bool = False,
) -> int | bytearray:
    """Decompress one frame; gives the native frame, or with `out` how many bytes were written there."""
    if transfer_syntax == HTJ2K_LOSSLESS:
        native = htj2k.decode(data, description)
        return bytearray(native) if out is None else _put(native, out)
    plan = _plan(transfer_syntax, layout_of(description), 0)
    src = c_buffer(data)
    frame: Buffer = bytearray(plan.frame_bytes) if out is None else out
    dst = c_buffer(frame, writable=True)
    work = _work(plan.work_bytes)
    written = plan.codec.decode(dst, len(dst), src, len(src), plan.layout, work, len(work))
    if lenient and written == lib.MGA_ERR_DATA_BESIDE:
        written = plan.frame_bytes  # all of them were written
    count = written if written >= 0 else check(written, f"decoding a {plan.codec.name} frame", src, dst)
    return frame if isinstance(frame, bytearray) and out is None else count


def rle_beside(data: Buffer, description: PixelDescription) -> int:
    """Count the bytes of an RLE frame that stand beside the packets of its planes and are no padding."""
    plan = _plan(RLE_LOSSLESS, layout_of(description), 0)
    src = c_buffer(data)
    return check(lib.mga_rle_beside(src, len(src), plan.layout), f"looking through a {plan.codec.name} frame", src)
