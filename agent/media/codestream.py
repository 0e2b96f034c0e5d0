"""What a JPEG or JPEG-LS picture says about itself: its markers, read without decoding it (T.81 Annex B, T.87 Annex C).

A picture that is already compressed goes into an instance as it is, bit by bit, so what the instance says must be what
the stream says: the process of its frame header gives the transfer syntax, its components and their markers the
photometric interpretation. Markers are walked up to the first scan, each step by the length the segment states, and
never beyond the bytes given; in the scans only markers are looked for, up to the end marker, which must be there with
nothing but padding behind it: a second picture, as in an MPO, would be a frame that nobody counts.

Colour: an APP14 marker of Adobe says whether components were transformed, a JFIF marker that they were, else components
named R, G and B were not (T.871; PS3.5 8.2.1). DCT colour that was transformed is YBR_FULL_422 in DICOM, whatever its
sampling. Refused with a reason: progressive, hierarchical and arithmetic processes, which no transfer syntax carries,
four components, and pictures whose number of rows comes behind the first scan.
"""

from __future__ import annotations

import re
import struct

from agent.dataset import uid
from agent.dataset.pixels import PixelDescription
from agent.errors import DecodeError, LimitError
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_MARKERS: Final = 4096  # before the first scan, and behind it; an ICC profile takes up to 255, metadata some dozen
_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_APP0, _APP1, _APP14 = 0xE0, 0xE1, 0xEE
_BASELINE, _EXTENDED, _LOSSLESS, _JPEG_LS = 0xC0, 0xC1, 0xC3, 0xF7
_LONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})  # TEM, RST: no length
# What ends entropy-coded data: neither FF 00, FF below 80 of JPEG-LS, fill bytes nor RST (T.81 B.1.1, T.87 C.1)
_AHEAD: Final = re.compile(rb"\xff[\xc0-\xcf\xd8-\xfe]")
_FRAMES: Final = frozenset({*range(0xC0, 0xD0), _JPEG_LS}) - {0xC4, 0xC8, 0xCC}
# Bits per sample by process (T.81 Table B.2, T.87 Table C.1).
_PRECISIONS: Final = {_BASELINE: (8,), _EXTENDED: (8, 12), _LOSSLESS: range(2, 17), _JPEG_LS: range(2, 17)}
_REFUSED: Final = {
    0xC2: "progressive JPEG",
    0xC6: "hierarchical progressive JPEG",
    0xCA: "progressive JPEG with arithmetic coding",
    0xC9: "JPEG with arithmetic coding",
    0xCB: "lossless JPEG with arithmetic coding",
}
_HINT: Final = "Save it as baseline JPEG, or as PNG; compressing a lossy picture again costs quality."
_WHOLE: Final = "Save the picture again; only a whole picture can be carried as it is."
_ALONE: Final = "Save the picture on its own; nothing else in its file can be carried."
_ORIENTATION: Final = 0x0112  # of Exif


class Stream(NamedTuple):
    """One compressed picture: the transfer syntax it is in, and the Image Pixel attributes of what it decodes to.

    ``lossy`` says whether information was lost; ``orientation`` is that of Exif, 1 where the picture stands upright.
    """

    transfer_syntax_uid: str
    description: PixelDescription
    lossy: bool
    orientation: int = 1


class _Found(NamedTuple):
    process: int
    precision: int
    rows: int
    columns: int
    components: tuple[int, ...]


def is_jpeg(head: bytes) -> bool:
    """Tell by the first marker."""
    return head[:3] == b"\xff\xd8\xff"


def read_jpeg(data: bytes) -> Stream:
    """Read the markers of a JPEG or JPEG-LS picture.

    Raises:
        DecodeError: It is damaged, or of a kind that no transfer syntax carries; says where and what.
    """
    if not is_jpeg(data):
        raise DecodeError("is no JPEG picture", offset=0)
    frame: _Found | None = None
    jfif, adobe, orientation = False, -1, 1
    at = 2
    for _ in range(MAX_MARKERS):
        marker, at, body = _segment(data, at)
        if marker in _FRAMES:
            if frame is not None:
                raise DecodeError("has two frame headers", offset=at)
            frame = _frame(marker, body, at)
        elif marker == _APP0 and body.startswith(b"JFIF\0"):
            jfif = True
        elif marker == _APP14 and body.startswith(b"Adobe") and len(body) >= 12:
            adobe = body[11]
        elif marker == _APP1 and body.startswith(b"Exif\0\0"):
            orientation = _exif_orientation(body[6:])
        elif marker == _SOS:
            if frame is None:
                raise DecodeError("has a scan before its frame header", offset=at)
            _require_end(data, at)
            return _stream(frame, list(_scans(data)), jfif=jfif, adobe=adobe)._replace(orientation=orientation)
    raise LimitError(f"has more than {MAX_MARKERS} markers before its first scan", offset=at)


def near_of(data: bytes) -> int:
    """The largest NEAR of all scans of a JPEG-LS picture (T.87 C.2.3); damaged markers are the decoder's to judge."""
    return max((body[1 + 2 * body[0]] for body in _scans(data) if body and len(body) > 1 + 2 * body[0]), default=0)


def _scans(data: bytes) -> Iterator[bytes]:
    """The header of each scan, up to the end marker or to damage."""
    at = 2
    try:
        for _ in range(2 * MAX_MARKERS):
            marker, at, body = _segment(data, at)
            if marker == _SOS:
                yield body
                ahead = _AHEAD.search(data, at)
                at = ahead.start() if ahead is not None else len(data)
    except DecodeError:
        return


def behind_end(data: bytes) -> int:
    """How many bytes stand behind the end marker of a picture, without the zeros that pad; 0 where there is no marker.

    A picture that begins before the end of this one counts as behind it.
    """
    at = 2
    try:
        for _ in range(2 * MAX_MARKERS):
            ahead = _AHEAD.search(data, at)
            if ahead is None:
                return 0
            marker = data[ahead.end() - 1]
            if marker in (_EOI, _SOI):
                return len(data[ahead.end() if marker == _EOI else ahead.start() :].rstrip(b"\0"))
            _, at, _ = _segment(data, ahead.start())
    except DecodeError:
        pass
    return 0


def _segment(data: bytes, at: int) -> tuple[int, int, bytes]:
    """The next marker, the offset behind its segment, and what the segment holds."""
    if data[at : at + 1] != b"\xff":
        raise DecodeError("is damaged: a marker was expected", offset=at)
    while data[at : at + 1] == b"\xff":  # any number of fill bytes (B.1.1.2)
        at += 1
    if at >= len(data):
        raise DecodeError("is cut short", offset=at)
    marker = data[at]
    at += 1
    if marker in _LONE:
        return marker, at, b""
    if marker in (_SOI, _EOI, 0):
        raise DecodeError("is damaged: it ends before its first scan", offset=at)
    if at + 2 > len(data):
        raise DecodeError("is cut short", offset=at)
    (length,) = struct.unpack_from(">H", data, at)
    if length < 2 or at + length > len(data):
        raise DecodeError("is cut short, or a segment states a wrong length", offset=at)
    return marker, at + length, data[at + 2 : at + length]


def _frame(marker: int, body: bytes, at: int) -> _Found:
    if marker not in (_BASELINE, _EXTENDED, _LOSSLESS, _JPEG_LS):
        what = _REFUSED.get(marker, "hierarchical or arithmetic JPEG")
        raise DecodeError(f"is {what}, which no transfer syntax carries", offset=at, hint=_HINT)
    if len(body) < 6 or len(body) < 6 + 3 * body[5]:
        raise DecodeError("has a frame header cut short", offset=at)
    precision, rows, columns, count = struct.unpack_from(">BHHB", body)
    if not rows or not columns:
        raise DecodeError("does not state its rows and columns in its frame header", offset=at, hint=_HINT)
    if count not in (1, 3):
        raise DecodeError(f"has {count} components; an instance holds 1 or 3", offset=at, hint=_HINT)
    return _Found(marker, precision, rows, columns, tuple(body[6 + 3 * i] for i in range(count)))


def _stream(frame: _Found, scans: list[bytes], *, jfif: bool, adobe: int) -> Stream:
    colour = len(frame.components) == 3
    if any(len(scan) < 4 or len(scan) < 4 + 2 * scan[0] for scan in scans):
        raise DecodeError("has a scan header cut short")
    closing = [scan[1 + 2 * scan[0] : 4 + 2 * scan[0]] for scan in scans]
    syntax, lossy = _syntax(
        frame, {first for first, _, _ in closing}, shifted=any(last & 0x0F for _, _, last in closing)
    )
    photometric = "MONOCHROME2"
    if colour:
        dct = frame.process in (_BASELINE, _EXTENDED)
        named = frame.components == (0x52, 0x47, 0x42)
        transformed = adobe == 1 if adobe >= 0 else jfif or not named if dct else False
        photometric = ("YBR_FULL_422" if dct else "YBR_FULL") if transformed else "RGB"
    allocated = 8 if frame.precision <= 8 else 16
    samples = 3 if colour else 1
    description = PixelDescription(
        frame.rows, frame.columns, samples, allocated, frame.precision, frame.precision - 1, 0, photometric, 0
    )
    return Stream(syntax, description, lossy)


def _syntax(frame: _Found, firsts: set[int], *, shifted: bool) -> tuple[str, bool]:
    """Transfer syntax and whether it lost anything; what closes the headers of the scans differs by process."""
    wanted = _PRECISIONS[frame.process]
    if frame.precision not in wanted:
        raise DecodeError(f"has samples of {frame.precision} bits, which its process does not have")
    if frame.process == _JPEG_LS:  # NEAR, interleave, point transform (T.87 C.2.3)
        if shifted:
            raise DecodeError("is JPEG-LS with a point transform, which DICOM does not describe", hint=_HINT)
        return (uid.JPEG_LS_NEAR, True) if any(firsts) else (uid.JPEG_LS_LOSSLESS, False)
    if frame.process == _LOSSLESS:  # predictor, 0, point transform (B.2.3)
        if shifted:
            raise DecodeError("is lossless JPEG with a point transform, which is not lossless", hint=_HINT)
        return (uid.JPEG_LOSSLESS_SV1 if firsts == {1} else uid.JPEG_LOSSLESS), False
    return (uid.JPEG_BASELINE if frame.process == _BASELINE else uid.JPEG_EXTENDED), True


def _require_end(data: bytes, at: int) -> None:
    """Walk from the first scan to the end marker; nothing but zeros may lie behind it."""
    for _ in range(MAX_MARKERS):
        ahead = _AHEAD.search(data, at)
        if ahead is None:
            raise DecodeError("has no end marker: it is cut short", offset=len(data), hint=_WHOLE)
        at, marker = ahead.end(), data[ahead.end() - 1]
        if marker == _EOI:
            behind = len(data) - at
            if data.count(0, at) != behind:
                raise DecodeError(f"has {behind} bytes behind its end marker", offset=at, hint=_ALONE)
            return
        if marker == _SOI or marker in _FRAMES:
            raise DecodeError("has another picture before its end marker", offset=ahead.start(), hint=_ALONE)
        _, at, _ = _segment(data, ahead.start())
    raise LimitError(f"has more than {MAX_MARKERS} markers behind its first scan", offset=at)


def _exif_orientation(tiff: bytes) -> int:
    """Orientation of the first directory; 1 where it is not stated (Exif 2.3 4.6.4)."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None or len(tiff) < 8:
        return 1
    (at,) = struct.unpack_from(f"{order}I", tiff, 4)
    if at + 2 > len(tiff):
        return 1
    (count,) = struct.unpack_from(f"{order}H", tiff, at)
    for entry in range(at + 2, min(at + 2 + 12 * count, len(tiff) - 11), 12):
        tag, kind, _, value = struct.unpack_from(f"{order}HHIH", tiff, entry)
        if tag == _ORIENTATION and kind == 3 and 1 <= value <= 8:
            return int(value)
    return 1
