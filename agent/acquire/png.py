"""PNG files without another library: grey of 1 to 16 bits and RGB of 8, not interlaced, nothing transparent.

    chunks in pieces, each with its CRC -> zlib -> lines in the C core -> samples as Pixel Data have them

A file counts as whole when all of it is as PNG has it: every chunk has its CRC, the compressed lines end exactly with
the last one and with their checksum, IEND is the last chunk, and no byte is behind it. Nothing else of a file proves
that its writer has come to an end. Other kinds of PNG are refused by name (``other_kind``).

Memory is the picture and some ten thousand bytes, twice the picture with 16 bits; what a file claims beyond its header
is never believed: it is inflated step by step, and ends with the first byte too many.

Raises ``DeviceError``, naming the file and the reason.
"""

from __future__ import annotations

import os
import struct
import zlib

from agent.acquire.pictures import Frames, check_geometry, describe, swapped
from agent.errors import DeviceError, NativeDataError
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_GREY, _RGB = 0, 2
_SAMPLES: Final = {_GREY: 1, _RGB: 3}
_DEPTHS: Final = {_GREY: (1, 2, 4, 8, 16), _RGB: (8,)}
_KINDS: Final = {3: "a palette", 4: "an alpha channel", 6: "an alpha channel"}
_CRITICAL: Final = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
_HEADER: Final = struct.Struct(">IIBBBBB")  # columns, rows, depth, colour, compression, filter, interlace
_SIGNATURE_BYTES: Final = 8
_STEP_BYTES: Final = 1 << 16
_MAX_CHUNK: Final = (1 << 31) - 1  # PNG 5.3


class _Header(NamedTuple):
    columns: int
    rows: int
    depth: int
    colour: int
    compression: int
    filtering: int
    interlace: int


class _Chunk(NamedTuple):
    kind: bytes
    offset: int  # of its data
    length: int


def other_kind(fd: int, path: str) -> str:
    """Say what of a PNG file is not read here; empty: nothing. Looks at headers alone."""
    header = _header(fd, path)
    if header.colour in _KINDS:
        return f"PNG with {_KINDS[header.colour]}"
    if header.colour not in _DEPTHS:
        return f"PNG of colour type {header.colour}, which there is not"
    if header.depth not in _DEPTHS[header.colour]:
        return f"PNG of {header.depth} bits for each of {_SAMPLES[header.colour]} samples"
    if header.interlace:
        return "interlaced PNG"
    for chunk in _chunks(fd, path):
        if chunk.kind in (b"tRNS", b"acTL"):
            return "PNG with transparency" if chunk.kind == b"tRNS" else "animated PNG"
        if chunk.kind == b"IDAT":
            break
    return ""


def plain_frames(fd: int, path: str) -> Frames:
    """Look at a PNG file that is of no ``other_kind``; reading its frame checks all of the file."""
    header = _header(fd, path)
    stored = 16 if header.depth == 16 else 8
    description = describe(header.rows, header.columns, _SAMPLES[header.colour], stored, stored)
    check_geometry(description, path)
    return Frames(description, 1, None, lambda _index: _Picture(fd, path, header).samples())


def _header(fd: int, path: str) -> _Header:
    first = next(_chunks(fd, path))
    data = os.pread(fd, _HEADER.size, first.offset)
    if first.kind != b"IHDR" or first.length != _HEADER.size or len(data) < _HEADER.size:
        raise DeviceError(f"{path}: damaged PNG: it does not begin with a header")
    header = _Header(*_HEADER.unpack(data))
    if header.compression or header.filtering or header.interlace > 1:
        raise DeviceError(f"{path}: damaged PNG: compression, filter or interlace method that there is not")
    return header


def _chunks(fd: int, path: str) -> Iterator[_Chunk]:
    """The chunks, by their headers."""
    at = _SIGNATURE_BYTES
    while True:
        head = os.pread(fd, 8, at)
        if len(head) < 8:
            raise DeviceError(f"{path}: the PNG is cut short at byte {at + len(head)}: it has no end chunk yet")
        length, kind = struct.unpack(">I4s", head)
        if length > _MAX_CHUNK or not kind.isalpha():
            raise DeviceError(f"{path}: damaged PNG: no chunk begins at byte {at}")
        yield _Chunk(kind, at + 8, length)
        if kind == b"IEND":
            return
        at += length + 12


class _Picture:
    """One picture while it is read."""

    def __init__(self, fd: int, path: str, header: _Header) -> None:
        bits = header.depth * _SAMPLES[header.colour]
        self._fd, self._path, self._header = fd, path, header
        self._line_bytes = (header.columns * bits + 7) // 8
        self._pixel_bytes = max(1, bits // 8)
        self._lines = bytearray(header.rows * self._line_bytes)
        self._done = 0  # bytes of lines
        self._filtered = bytearray()  # less than a line
        self._inflater = zlib.decompressobj()

    def samples(self) -> bytes:
        """Read and check all of the file; its samples as Pixel Data have them."""
        seen: list[bytes] = []
        end = 0
        for chunk in _chunks(self._fd, self._path):
            self._one(chunk, seen)
            seen.append(chunk.kind)
            end = chunk.offset + chunk.length + 4
        if not self._inflater.eof or self._done != len(self._lines):
            raise self._damage("its lines end before the picture does")
        if os.pread(self._fd, 1, end):
            raise self._damage(f"bytes are behind its end at byte {end}")
        return self._native()

    def _one(self, chunk: _Chunk, seen: list[bytes]) -> None:
        if not chunk.kind[0] & 0x20 and chunk.kind not in _CRITICAL:
            raise self._damage(f"it needs what chunk {chunk.kind.decode('ascii')} says, which is not known here")
        again = chunk.kind in seen and chunk.kind in _CRITICAL
        if again and not (chunk.kind == b"IDAT" and seen[-1] == b"IDAT"):
            raise self._damage(f"chunk {chunk.kind.decode('ascii')} comes again at byte {chunk.offset - 8}")
        at, crc = chunk.offset, zlib.crc32(chunk.kind)
        end = at + chunk.length
        while at < end:
            piece = os.pread(self._fd, min(_STEP_BYTES, end - at), at)
            if not piece:
                raise DeviceError(f"{self._path}: the PNG is cut short at byte {at}")
            at += len(piece)
            crc = zlib.crc32(piece, crc)
            if chunk.kind == b"IDAT":
                self._inflate(piece)
        stated = os.pread(self._fd, 4, end)
        if len(stated) < 4:
            raise DeviceError(f"{self._path}: the PNG is cut short at byte {end + len(stated)}")
        if int.from_bytes(stated, "big") != crc:
            raise self._damage(f"the checksum of chunk {chunk.kind.decode('ascii')} at byte {chunk.offset - 8}")

    def _inflate(self, piece: bytes) -> None:
        while piece:
            if self._inflater.eof:
                raise self._damage("compressed bytes are behind its last line")
            try:
                out = self._inflater.decompress(piece, max(_STEP_BYTES, self._line_bytes + 1))
            except zlib.error as error:
                raise self._damage(f"its lines: {error}") from None
            piece = self._inflater.unconsumed_tail or self._inflater.unused_data
            self._add(out)

    def _add(self, out: bytes) -> None:
        from agent.native.png import unfilter

        self._filtered += out
        line = self._line_bytes + 1
        whole = len(self._filtered) // line * line
        if self._done + len(self._filtered) - whole // line > len(self._lines):
            raise self._damage("it has more lines than its header says")
        if not whole:
            return
        lines = bytes(memoryview(self._filtered)[:whole])
        try:
            self._done = unfilter(self._lines, self._done, lines, self._line_bytes, self._pixel_bytes)
        except NativeDataError:
            raise self._damage("a line has a filter that there is not") from None
        del self._filtered[:whole]

    def _native(self) -> bytes:
        depth = self._header.depth
        if depth == 16:
            return swapped(self._lines)
        return bytes(self._lines) if depth == 8 else b"".join(self._spread(depth))

    def _spread(self, depth: int) -> Iterator[bytes]:
        """Lines of several pixels to a byte as one each, scaled to 8 bits (PNG 13.12)."""
        most = (1 << depth) - 1
        pixels = [bytes((byte >> shift & most) * (255 // most) for shift in range(8 - depth, -1, -depth))
                  for byte in range(256)]  # fmt: skip
        for at in range(0, len(self._lines), self._line_bytes):
            line = self._lines[at : at + self._line_bytes]
            yield b"".join(pixels[byte] for byte in line)[: self._header.columns]

    def _damage(self, why: str) -> DeviceError:
        return DeviceError(f"{self._path}: damaged PNG: {why}")
