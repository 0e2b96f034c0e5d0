"""Picture files as frames: PNG, PGM and PPM.

Each reader looks at one open file and gives `Frames`: how the samples lie, how many frames there are, and either the
byte offset at which they lie in the file as the C core wants them (native, little endian, without gaps) or None, and a
function that makes them so one at a time. What cannot be carried exactly is refused, and nothing is scaled but
grey PNG of 1, 2 and 4 bits, which becomes 8 bits as PNG itself defines (13.12: times 255, 85 and 17; every level stays
a level of its own).

Raises `DeviceError`, naming the file and the reason.
"""

from __future__ import annotations

import os
import struct

from agent.dataset.pixels import PixelDescription
from agent.errors import DeviceError
from agent.typed import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

FRAME_BYTES_MAX = 1 << 30
"""What one ring slot may hold (MGA_FRAME_BYTES_MAX)."""
_OPAQUE = "Save it without transparency; what is behind it nobody can know."
_BINARY = "Save it in the binary form, or as PNG."
_CHECK_BYTES = 1 << 16  # samples looked at in one step
_PNM_HEADER_BYTES = 4096  # with comments; nobody writes longer ones
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


class Frames(NamedTuple):
    """The frames of one file."""

    description: PixelDescription
    total: int
    offset: int | None
    """Where they lie ready to use, or None."""
    read: Callable[[int], bytes]
    """Frame i, counted from 0, ready to use."""


def check_geometry(d: PixelDescription, path: str) -> None:
    """Refuse what neither the ring nor the SOP Classes of this agent carry, with the reason."""
    problem = ""
    if not (1 <= d.rows <= 65535 and 1 <= d.columns <= 65535):
        problem = f"{d.rows} x {d.columns} is no picture of 1..65535 rows and columns"
    elif d.samples_per_pixel not in (1, 3) or d.bits_allocated not in (8, 16):
        problem = f"{d.samples_per_pixel} samples of {d.bits_allocated} bits per pixel; 1 or 3 of 8 or 16 are possible"
    elif not 1 <= d.bits_stored <= d.bits_allocated or d.high_bit != d.bits_stored - 1:
        problem = f"bits stored {d.bits_stored} with high bit {d.high_bit} in {d.bits_allocated} bits allocated"
    elif d.pixel_representation > 1 or d.planar_configuration > 1:
        problem = "pixel representation and planar configuration are 0 or 1"
    elif d.photometric_interpretation == "PALETTE COLOR":
        problem = "PALETTE COLOR frames mean nothing without their palette, which is not carried"
    elif d.frame_bytes > FRAME_BYTES_MAX:
        problem = f"frames of {d.frame_bytes} bytes are larger than {FRAME_BYTES_MAX}"
    if problem:
        raise DeviceError(f"{path}: {problem}")


def describe(rows: int, columns: int, samples: int, bits_stored: int, bits_allocated: int) -> PixelDescription:
    """Describe unsigned grey or RGB by pixel."""
    name = "RGB" if samples == 3 else "MONOCHROME2"
    return PixelDescription(rows, columns, samples, bits_allocated, bits_stored, bits_stored - 1, 0, name, 0)


def check_samples(data: bytes, d: PixelDescription, where: str) -> None:
    """Refuse little-endian samples beyond Bits Stored (PS3.5 8.1.1): the bits above must be 0, or repeat the sign.

    A step takes some ten thousand samples as one large number and tests all of them with one mask.
    """
    size = d.bits_allocated // 8
    if d.pixel_representation:  # neighbours from the sign bit up must be equal
        wrong, what = (1 << (d.bits_allocated - 1)) - (1 << (d.bits_stored - 1)), "signed"
    else:
        wrong, what = (1 << d.bits_allocated) - (1 << d.bits_stored), "unsigned"
    mask = int.from_bytes(wrong.to_bytes(size, "little") * (_CHECK_BYTES // size), "little")
    view = memoryview(data)
    for at in range(0, len(view), _CHECK_BYTES):
        many = int.from_bytes(view[at : at + _CHECK_BYTES], "little")
        if d.pixel_representation:
            many ^= many >> 1
        if many & mask:
            raise DeviceError(f"{where}: holds {what} samples that need more than the {d.bits_stored} bits stored")


def swapped(data: bytes | bytearray) -> bytes:
    """Exchange the bytes of each 16-bit word."""
    out = bytearray(data)
    out[0::2], out[1::2] = data[1::2], data[0::2]
    return bytes(out)


def read_exactly(fd: int, length: int, offset: int, path: str) -> bytes:
    """Read that many bytes from there, or say that the file is cut short."""
    parts = []
    while length > 0:
        part = os.pread(fd, length, offset)
        if not part:
            raise DeviceError(f"{path}: the file is cut short at byte {offset}")
        parts.append(part)
        offset += len(part)
        length -= len(part)
    return b"".join(parts)


def is_png(head: bytes) -> bool:
    """Tell by the signature."""
    return head.startswith(_PNG_SIGNATURE)


def is_pnm(head: bytes) -> bool:
    """Tell by the magic number of any Netpbm format."""
    return head[:1] == b"P" and head[1:2] in b"1234567" and head[2:3] in b" \t\r\n#"


# --- PNG -------------------------------------------------------------------------------------


def png_frames(fd: int, path: str) -> Frames:
    """Look at a PNG file: grey of up to 16 bits, RGB or palette of 8; nothing may be transparent.

    What `agent.acquire.png` reads needs no other library.
    """
    from agent.acquire import png

    if not png.other_kind(fd, path):
        return png.plain_frames(fd, path)
    head = read_exactly(fd, 26, 0, path)
    columns, rows, depth, colour = struct.unpack(">IIBB", head[16:26])
    if depth == 16 and colour != 0:
        raise DeviceError(f"{path}: 16-bit colour PNG cannot be carried exactly; use 8 bits per sample")
    samples = 1 if colour in (0, 4) else 3
    stored = 16 if depth == 16 else 8
    description = describe(rows, columns, samples, stored, stored)
    check_geometry(description, path)

    def read(_index: int) -> bytes:
        return _decode_png(fd, path, "L" if samples == 1 else "RGB", description.frame_bytes)

    return Frames(description, 1, None, read)


def _decode_png(fd: int, path: str, mode: str, frame_bytes: int) -> bytes:
    try:
        from PIL import Image
    except ImportError:
        raise DeviceError(
            f"{path}: reading PNG needs Pillow", hint="Install modality-agent[images], or use PGM or PPM."
        ) from None
    try:
        with open(fd, "rb", closefd=False) as file:
            file.seek(0)
            Image.open(file, formats=["PNG"]).verify()  # decoding alone does not look at every checksum
            file.seek(0)
            image: Any = Image.open(file, formats=["PNG"])
            count = getattr(image, "n_frames", 1)
            if count > 1:
                raise DeviceError(f"{path}: {count} pictures in one PNG; use one file for each, in a folder")
            if image.mode in ("LA", "RGBA") or "transparency" in image.info:
                image = _opaque(image, path)
            if not image.mode.startswith("I"):  # 16-bit grey stays as it is
                image = image.convert(mode)
            data: bytes = image.tobytes()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DeviceError(f"{path}: damaged PNG: {error}") from error
    if len(data) != frame_bytes:
        raise DeviceError(f"{path}: PNG of an unknown kind (mode {image.mode})")
    return data


def _opaque(image: Any, path: str) -> Any:
    if image.mode.startswith("I"):
        raise DeviceError(f"{path}: transparency cannot be carried", hint=_OPAQUE)
    rgba = image.convert("RGBA")
    if rgba.getchannel("A").getextrema() != (255, 255):
        raise DeviceError(f"{path}: transparency cannot be carried", hint=_OPAQUE)
    return rgba


# --- PGM, PPM --------------------------------------------------------------------------------


class _PnmHeader(NamedTuple):
    magic: bytes
    columns: int
    rows: int
    maximum: int
    length: int


def _pnm_header(head: bytes, path: str) -> _PnmHeader:
    magic, at = head[:2], 2
    if magic not in (b"P5", b"P6"):
        raise DeviceError(
            f"{path}: only binary PGM (P5) and PPM (P6) are read, not {magic.decode('ascii', 'replace')}", hint=_BINARY
        )
    numbers: list[int] = []
    while len(numbers) < 3:
        while head[at : at + 1].isspace() or head[at : at + 1] == b"#":
            at = head.find(b"\n", at) + 1 or len(head) if head[at : at + 1] == b"#" else at + 1
        end = at
        while head[end : end + 1].isdigit() and end - at < 7:
            end += 1
        if end == at or not head[end : end + 1].isspace():
            raise DeviceError(f"{path}: damaged {magic.decode()} header")
        numbers.append(int(head[at:end]))
        at = end
    columns, rows, maximum = numbers
    if not 1 <= maximum <= 65535:
        raise DeviceError(f"{path}: maximum value {maximum} is not in 1..65535")
    return _PnmHeader(magic, columns, rows, maximum, at + 1)


def _pnm_description(header: _PnmHeader, path: str) -> PixelDescription:
    samples = 3 if header.magic == b"P6" else 1
    allocated = 16 if header.maximum > 255 else 8
    if samples == 3 and header.maximum != 255:
        raise DeviceError(f"{path}: colour needs a maximum value of 255, not {header.maximum}")
    description = describe(header.rows, header.columns, samples, header.maximum.bit_length(), allocated)
    check_geometry(description, path)
    return description


def pnm_frames(fd: int, path: str) -> Frames:
    """Look at a PGM or PPM file; several pictures of one geometry may follow each other (Netpbm)."""
    size = os.fstat(fd).st_size
    offsets: list[int] = []
    first: _PnmHeader | None = None
    at = 0
    while at < size or first is None:
        header = _pnm_header(os.pread(fd, _PNM_HEADER_BYTES, at), path)
        if first is None:
            first = header
            description = _pnm_description(header, path)
        elif header[:4] != first[:4]:
            raise DeviceError(f"{path}: picture {len(offsets) + 1} has another geometry than the first")
        offsets.append(at + header.length)
        at += header.length + description.frame_bytes
        if at > size:
            raise DeviceError(f"{path}: the file is cut short, {at - size} bytes are missing")
    maximum, wide = first.maximum, description.bits_allocated == 16
    full = maximum + 1 == 1 << description.bits_allocated

    def read(index: int) -> bytes:
        data = read_exactly(fd, description.frame_bytes, offsets[index], path)
        data = swapped(data) if wide else data
        if not full:  # values above it are possible and illegal
            brightest = max(memoryview(data).cast("H")) if wide else max(data)
            if brightest > maximum:
                raise DeviceError(f"{path}: a value above the maximum {maximum}")
        return data

    ready = not wide and len(offsets) == 1 and maximum == 255
    return Frames(description, len(offsets), offsets[0] if ready else None, read)
