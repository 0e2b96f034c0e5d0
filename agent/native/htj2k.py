"""High-Throughput JPEG 2000, lossless (PS3.5 8.2.14, transfer syntax .201), by a library that may be there or not.

OpenJPH comes with the package imagecodecs (extra ``htj2k``); both are loaded when the first frame is coded, because
they bring numpy and some tens of MiB. What it writes: one tile, five levels of the reversible 5/3 wavelet, code-blocks
of 64 x 64, RPCL. Its reversible colour transform makes RGB YBR_RCT, which halves ultrasound in colour. The precision
of the codestream is Bits Allocated: the library takes that of the samples' type, and any Bits Stored fit into it.

A stranger's codestream is asked for its size before it is decoded: no more is given than the Data Set describes.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from struct import unpack_from

from agent.errors import NativeArgumentError, NativeDataError
from agent.typed import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from agent.native.frame import PixelDescription

_PACKAGE: Final = "imagecodecs"
HINT: Final = "pip install 'modality-agent[htj2k]' brings it."
_FORMATS: Final[dict[tuple[int, int], Literal["B", "b", "H", "h"]]] = {
    (8, 0): "B",
    (8, 1): "b",
    (16, 0): "H",
    (16, 1): "h",
}
_SIZ_BYTES: Final = 42  # SOC, and SIZ as far as the number of components (T.800 A.5.1)
# The worst that noise came to is a tenth more than its samples; the rest is markers.
_GROWTH_BYTES: Final = 1 << 16


def is_installed() -> bool:
    """Whether the library is there; does not load it."""
    return find_spec(_PACKAGE) is not None


def _library() -> Any:
    try:
        return import_module(_PACKAGE)
    except ImportError as error:
        raise NativeArgumentError(f"HTJ2K needs a library that is not here: {error}", hint=HINT) from None


def _format(description: PixelDescription) -> Literal["B", "b", "H", "h"]:
    d = description
    found = _FORMATS.get((d.bits_allocated, d.pixel_representation))
    if found is None or not 1 <= d.bits_stored <= d.bits_allocated or d.high_bit != d.bits_stored - 1:
        raise NativeArgumentError("HTJ2K: samples of 8 or 16 bits allocated, with high bit one less than bits stored")
    return found


def bound(description: PixelDescription) -> int:
    """Count the most bytes that one coded frame can take."""
    _format(description)
    return description.frame_bytes * 5 // 4 + _GROWTH_BYTES


def encode(frame: Buffer, description: PixelDescription) -> bytes:
    """Compress one native frame; of even length."""
    d, code = description, _format(description)
    shape = (d.rows, d.columns, d.samples_per_pixel)[: 3 if d.samples_per_pixel > 1 else 2]
    try:
        samples = memoryview(frame).cast("B").cast(code, shape)
    except TypeError:
        raise NativeArgumentError(f"encoding a frame as HTJ2K: not one frame of {d.frame_bytes} bytes") from None
    coloured = d.photometric_interpretation in ("RGB", "YBR_RCT")
    if d.samples_per_pixel == 3 and d.planar_configuration:
        samples = _reordered(samples.cast("B").cast(code), by_pixel=True).cast("B").cast(code, shape)
    turned = coloured and d.samples_per_pixel == 3
    coded = bytes(_library().htj2k_encode(samples, reversible=True, rgb=turned, planar=False))
    return coded + b"\0" * (len(coded) & 1)


def decode(data: Buffer, description: PixelDescription) -> memoryview:
    """Decompress one frame into flat bytes."""
    d, code = description, _format(description)
    _require_size(bytes(memoryview(data)[: _SIZ_BYTES + 3 * d.samples_per_pixel]), d)
    library = _library()
    try:
        samples = library.htj2k_decode(data, planar=False)
    except (RuntimeError, ValueError, MemoryError) as error:
        raise NativeDataError(f"decoding a HTJ2K frame: {str(error) or type(error).__name__}") from None
    native = memoryview(samples)
    if native.format != code or native.nbytes != d.frame_bytes:
        raise NativeDataError("decoding a HTJ2K frame: the codestream gives other samples than its header says")
    if d.samples_per_pixel == 3 and d.planar_configuration:
        return _reordered(native.cast("B").cast(code), by_pixel=False).cast("B")
    return native.cast("B")


def _reordered(samples: memoryview, *, by_pixel: bool) -> memoryview:
    """Planes as pixels, or pixels as planes: the codestream has pixels."""
    made: memoryview = memoryview(bytearray(samples.nbytes)).cast("B" if samples.itemsize == 1 else "H")
    samples = samples.cast("B").cast("B" if samples.itemsize == 1 else "H")
    plane = len(samples) // 3
    for k in range(3):
        apart, beside = slice(k * plane, (k + 1) * plane), slice(k, None, 3)
        made[beside if by_pixel else apart] = samples[apart if by_pixel else beside]
    return made


def _require_size(head: bytes, d: PixelDescription) -> None:
    """Refuse a codestream whose SIZ (T.800 A.5.1) is not that of the frame."""
    if len(head) < _SIZ_BYTES + 3 * d.samples_per_pixel or head[:4] != b"\xff\x4f\xff\x51":
        raise NativeDataError("decoding a HTJ2K frame: no codestream of JPEG 2000")
    right, bottom, left, top = unpack_from(">4I", head, 8)
    (components,) = unpack_from(">H", head, 40)
    sizes = {head[42 + 3 * k : 45 + 3 * k] for k in range(components)} if components == d.samples_per_pixel else set()
    first = next(iter(sizes), b"\0\0\0")
    precision = (first[0] & 0x7F) + 1
    fits = d.bits_stored <= precision <= d.bits_allocated and (precision > 8) == (d.bits_allocated > 8)
    if (
        len(sizes) != 1 or first[1:] != b"\x01\x01" or first[0] >> 7 != d.pixel_representation
        or (bottom - top, right - left) != (d.rows, d.columns) or not fits
    ):  # fmt: skip
        raise NativeDataError(
            "decoding a HTJ2K frame: the coded frame has other rows, columns, samples or bits than its description"
        )
