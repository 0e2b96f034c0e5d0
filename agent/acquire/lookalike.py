"""What a file is that somebody calls raw samples: told by its first bytes, so that no picture is made of a program.

Raw samples have no mark of their own. A file that has one of another format is most likely that; marks of two or three
bytes count only where more of the format can be seen. Text is what is UTF-8 without control characters and has lines or
begins like XML or JSON; a flat grey of 100 is a row of the letter d, so that some variety belongs to it.
"""

from __future__ import annotations

import re

from agent.typed import Final

HEAD_BYTES: Final = 1024
_DATA_SET: Final = re.compile(rb"[\x02\x08]\0.\0(?:UL|OB|UI|CS|SH|LO|DA|TM)", re.DOTALL)  # without preamble
_PNM: Final = re.compile(rb"P[1-7]\s+[#0-9W]")
_DISTINCT: Final = 8  # different bytes that a text or a packet has at least
_TS_PACKET: Final = 188

# offset, first bytes, name
_MARKS: Final = (
    (128, b"DICM", "a DICOM file"),
    (0, b"\x89PNG\r\n\x1a\n", "a PNG"),
    (0, b"\xff\xd8\xff", "a JPEG or JPEG-LS"),
    (0, b"%PDF-", "a PDF"),
    (0, b"II*\0", "a TIFF"),
    (0, b"MM\0*", "a TIFF"),
    (0, b"II+\0", "a TIFF"),
    (0, b"GIF8", "a GIF"),
    (0, b"\0\0\0\x0cjP  ", "a JPEG 2000 file"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 codestream"),
    (8, b"WEBP", "a WebP"),
    (8, b"AVI ", "an AVI video"),
    (8, b"WAVE", "a sound"),
    (4, b"ftyp", "a video or picture of the MP4 family"),
    (0, b"\x1aE\xdf\xa3", "a Matroska or WebM video"),
    (0, b"\0\0\x01\xba", "an MPEG video"),
    (0, b"OggS", "an Ogg stream"),
    (0, b"\x7fELF", "a program"),
    (0, b"MZ\x90\0", "a program"),
    (0, b"PK\x03\x04", "a ZIP archive or office document"),
    (0, b"PK\x05\x06", "a ZIP archive or office document"),
    (0, b"\x1f\x8b\x08", "a gzip archive"),
    (4, b"1AY&SY", "a bzip2 archive"),
    (0, b"\xfd7zXZ\0", "an xz archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (0, b"Rar!\x1a\x07", "a RAR archive"),
    (0, b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (257, b"ustar", "a tar archive"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an office document"),
    (0, b"SQLite format 3\0", "an SQLite database"),
    (0, b"\x93NUMPY", "a NumPy array"),
    (0, b"NRRD000", "an NRRD"),
    (344, b"n+1\0", "a NIfTI"),
    (0, b"SIMPLE  =", "a FITS"),
)


def recognised(head: bytes, size: int) -> str | None:
    """What a file of ``size`` bytes with these first ``HEAD_BYTES`` is, with its article; None: it may be samples."""
    for offset, mark, name in _MARKS:
        if head[offset : offset + len(mark)] == mark:
            return name
    if head[:2] == b"BM" and int.from_bytes(head[2:6], "little") == size:
        return "a BMP"
    if _DATA_SET.match(head):
        return "a DICOM file"
    if _PNM.match(head):
        return "a PBM, PGM, PPM or PAM"
    packets = [head[at : at + _TS_PACKET] for at in range(0, 5 * _TS_PACKET, _TS_PACKET)]
    if len(set(packets[0])) >= _DISTINCT and all(packet[:1] == b"G" for packet in packets):
        return "an MPEG video"
    return "a text" if _is_text(head) else None


def _is_text(head: bytes) -> bool:
    from codecs import getincrementaldecoder

    try:
        text = getincrementaldecoder("utf-8")().decode(head)  # the last character may be cut
    except UnicodeDecodeError:
        return False
    if "\n" not in text and not text.startswith(("<?xml", "<!DOCTYPE", '{"', '[{"')):
        return False
    return len(set(text)) >= _DISTINCT and all(mark.isprintable() or mark in "\t\r\n\f\ufeff" for mark in text)
