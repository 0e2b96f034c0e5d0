"""Mutations that know what the bytes are: elements moved, wrapped and given other lengths, PDUs that stay whole.

Every function takes an input and a source of chance and returns another input; the same chance gives the same result.
They complement the blind mutations of libFuzzer, which break a length field long before they get past it.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

MOST_BYTES = 1 << 16
_LONG = frozenset({b"OB", b"OW", b"OD", b"OF", b"OL", b"OV", b"SQ", b"UC", b"UN", b"UR", b"UT", b"SV", b"UV"})
_SHORT = frozenset(
    {b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL", b"SS",
     b"ST", b"TM", b"UI", b"UL", b"US"}
)  # fmt: skip
_VRS = tuple(sorted(_LONG | _SHORT))
# Tags that change how others are read, and those around which structure turns.
_TAGS = (
    0x00080005, 0x00080016, 0x00080000, 0x00080001, 0x00081140, 0x00090010, 0x00091001, 0x0009FFFF, 0x00280002,
    0x00280008, 0x00280010, 0x00280011, 0x00280100, 0x00280103, 0x00280106, 0x00283002, 0x00020000, 0x00020010,
    0x00020102, 0x54000100, 0x60003000, 0x7FE00001, 0x7FE00002, 0x7FE00008, 0x7FE00009, 0x7FE00010, 0xFFFCFFFC,
    0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD, 0x00000000, 0xFFFFFFFF,
)  # fmt: skip
_LENGTHS = (0, 1, 2, 3, 4, 8, 12, 0x7F, 0xFE, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_ITEM = bytes.fromhex("feff00e0ffffffff")
_ITEM_END = bytes.fromhex("feff0de000000000")
_SEQUENCE_END = bytes.fromhex("feffdde000000000")
_DEFLATED = 3  # index into of_dataset.SYNTAXES

ELEMENT_TOKENS = (
    *(struct.pack("<HH", tag >> 16, tag & 0xFFFF) for tag in _TAGS),
    *_VRS,
    _ITEM,
    _ITEM_END,
    _SEQUENCE_END,
    b"SQ\0\0\xff\xff\xff\xff",
    b"UN\0\0\xff\xff\xff\xff",
    b"ISO_IR 192",
    b"ISO 2022 IR 87",
    b"DICM",
    b"1.2.840.10008.1.2.1",
    b"1.2.840.10008.1.2.1.99",
    b"1.2.840.10008.1.2.5",
)
CHARSET_TOKENS = (
    b"\x1b$B", b"\x1b(B", b"\x1b(J", b"\x1b)I", b"\x1b$(D", b"\x1b$)C", b"\x1b$)A", b"\x1b-A", b"\x1b-F", b"\x1b-T",
    b"ISO_IR ", b"ISO 2022 IR ", b"192", b"GB18030", b"\\", b"^", b"=", b"\r\n", b"\x81\x30", b"\xe3\x81\x82", b"\x8e",
)  # fmt: skip
JSON_TOKENS = (
    b'{"vr":"', b'"Value":[', b'"InlineBinary":"', b'"BulkDataURI":', b'"Alphabetic":', b'"00080005":', b'"7FE00010":',
    b"SQ", b"PN", b"AT", b"UN", b"OB or OW", b"null", b"true", b"1e999", b"-0", b"NaN", b"Infinity", b'"\\u0000"',
    b'"\\ud800"', b"[[", b"{}", b"]}", b'"PatientName"', b'"Rows"',
)  # fmt: skip
PDU_TOKENS = (
    *(bytes([kind, 0]) for kind in (*range(1, 8), 0x10, 0x20, 0x21, 0x30, 0x40, 0x50, *range(0x51, 0x5A))),
    b"1.2.840.10008.3.1.1.1",
    b"\xff\xff\xff\xff",
    b"\0\0\0\4",
)
COMMAND_TOKENS = (
    *(struct.pack("<HH", 0, tag) for tag in (0, 2, 3, 0x100, 0x110, 0x120, 0x800, 0x900, 0x901, 0x902, 0x1000)),
    *(struct.pack("<H", field) for field in (0x0001, 0x8001, 0x0030, 0x8030, 0x0FFF, 0x0130, 0x0100, 0x0101, 0x0020)),
)
CONFIG_TOKENS = (
    b"[[", b"]]\n", b"[agent]\n", b"[[source]]\n", b"[[destination]]\n", b"[tls]\n", b" = ", b'"""', b"'''", b"\\u0000",
    b"inf", b"nan", b"0x", b"1_0", b"1979-05-27T07:32:00Z", b"{a=1}", b"pattern:", b"replay:", b"?rate_hz=", b"&",
)  # fmt: skip
JPEG_TOKENS = (
    *(bytes([0xFF, marker]) for marker in (*range(0xC0, 0xE2), 0xEE, 0xF7, 0xF8, 0xFE)),
    b"JFIF\0",
    b"Adobe",
    b"Exif\0\0II*\0",
    b"Exif\0\0MM\0*",
)
CDA_TOKENS = (
    b"<id root='1.2'/>", b"nullFlavor='UNK'", b"<family>", b"</family>", b"use='IDE'", b"qualifier='VV'", b"<!--",
    b"-->", b"<![CDATA[", b"]]>", b"<!DOCTYPE x>", b"&#0;", b"&amp;", b" xmlns='urn:other'", b"19700101", b"+0100",
    b"99", b"^",
)  # fmt: skip
MEASURED_TOKENS = (b";", b",", b".", b" ", b"\t", b"\n", b"#", b"e9", b"0,4", b"15;2,37\n", b"\xff\xfe")
DER_TOKENS = (b"\x30\x82", b"\x30\x80", b"\x03\x82", b"\xa3", b"\x06\x03U\x04\x03", b"\x06\x03U\x1d\x11", b"\x1e\x04",
    b"\x17\x0d", b"\x18\x0f", b"20270131235959Z", b"\x02\x01", b"\x84\xff\xff\xff\xff")  # fmt: skip
PEM_TOKENS = (
    b"-----BEGIN ",
    b"-----END ",
    b"CERTIFICATE-----",
    b"X509 CRL-----",
    b"PRIVATE KEY-----",
    b"\n",
    b"=",
    b"MII",
    b": ",
)
VOLUME_TOKENS = (b"CD001", b"\x55\xaa", b"EXFAT   ", b"INST/", b"../", b"DICOMDIR", b"\n", b";1", b"MZ")
PICTURE_TOKENS = (b"P5 ", b"P6 ", b"#", b"\n", b"65535", b"0000001", b"\x89PNG\r\n\x1a\n", b"IHDR", b"65536 ", b"IDAT",
                  b"IEND", b"tRNS", b"\0\0\0\0", b"BM")  # fmt: skip


def plain(data: bytes, chance: random.Random) -> bytes:
    """Bytes changed, put in, taken out, repeated or cut off."""
    made = bytearray(data)
    for _ in range(1 + chance.randrange(4)):
        at = chance.randrange(len(made) + 1)
        kind = chance.randrange(7)
        if kind == 0 and at < len(made):
            made[at] ^= 1 << chance.randrange(8)
        elif kind == 1 and at < len(made):
            made[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        elif kind == 2:
            made[at:at] = chance.randbytes(1 + chance.randrange(4))
        elif kind == 3:
            del made[at : at + 1 + chance.randrange(8)]
        elif kind == 4:
            made[at:at] = made[at : at + 1 + chance.randrange(40)]
        elif kind == 5 and chance.random() < 0.2:
            del made[at:]
        else:
            made[at : at + 4] = struct.pack("<I", chance.choice(_NUMBERS))
    return bytes(made[:MOST_BYTES])


def data_set(data: bytes, chance: random.Random) -> bytes:
    """Two bytes of choices, then elements; a deflated Data Set is changed inside."""
    head, body = data[:2], data[2:]
    if len(head) < 2 or chance.random() < 0.15:
        return plain(data, chance)
    if chance.random() < 0.1:
        head = (
            bytes([chance.randrange(256), head[1]])
            if chance.random() < 0.5
            else bytes([head[0], chance.randrange(256)])
        )
    if head[0] % 5 == _DEFLATED:
        return head + _inside_deflated(body, chance)
    return head + elements(body, chance)


def file(data: bytes, chance: random.Random) -> bytes:
    """A preamble perhaps, then elements."""
    start = 132 if data[128:132] == b"DICM" else 0
    if chance.random() < 0.15:
        return plain(data, chance)
    return data[:start] + elements(data[start:], chance)


def chosen_file(data: bytes, chance: random.Random) -> bytes:
    """One byte of choices, then a file."""
    head = bytes([chance.randrange(256)]) if chance.random() < 0.2 else data[:1]
    return head + file(data[1:], chance)


def pdus(data: bytes, chance: random.Random) -> bytes:
    """One byte of choices, then PDUs, whose lengths are mostly made right again."""
    head, made = data[:1], bytearray(plain(data[1:], chance))
    if chance.random() < 0.8:
        at = 0
        while at + 6 <= len(made):
            if at + 6 + int.from_bytes(made[at + 2 : at + 6], "big") > len(made) or chance.random() < 0.1:
                made[at + 2 : at + 6] = (len(made) - at - 6).to_bytes(4, "big")
            at += 6 + int.from_bytes(made[at + 2 : at + 6], "big")
    return head + bytes(made)


def elements(body: bytes, chance: random.Random) -> bytes:
    """Change elements as wholes: where they start and end is guessed, Explicit VR before Implicit VR."""
    for _ in range(1 + chance.randrange(3)):
        found = _borders(body)
        if not found:
            return plain(body, chance)
        body = chance.choice(_CHANGES)(body, found, chance)
        if chance.random() < 0.2:
            body = plain(body, chance)
    return body[:MOST_BYTES]


def _inside_deflated(body: bytes, chance: random.Random) -> bytes:
    inflater = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    try:
        inside = inflater.decompress(body, MOST_BYTES)
    except zlib.error:
        return plain(body, chance)
    packer = zlib.compressobj(1, wbits=-zlib.MAX_WBITS)
    return packer.compress(elements(inside, chance)) + packer.flush()


def _borders(body: bytes) -> list[tuple[int, int, int]]:
    """Start, header bytes and end of what look like elements, at any depth."""
    found: list[tuple[int, int, int]] = []
    at = 0
    while at + 8 <= len(body) and len(found) < 300:
        vr = body[at + 4 : at + 6]
        if vr in _SHORT:
            header, length = 8, int.from_bytes(body[at + 6 : at + 8], "little")
        elif vr in _LONG and at + 12 <= len(body):
            header, length = 12, int.from_bytes(body[at + 8 : at + 12], "little")
        else:
            header, length = 8, int.from_bytes(body[at + 4 : at + 8], "little")
        inside = vr == b"SQ" or body[at : at + 2] == b"\xfe\xff" or length > len(body) - at - header
        end = at + header + (0 if inside else length)
        found.append((at, header, end))
        at = end
    return found


# --- changes: (body, borders, chance) -> body ------------------------------------------------------


def _set_length(body: bytes, found: list[tuple[int, int, int]], chance: random.Random) -> bytes:
    at, header, end = chance.choice(found)
    real = end - at - header
    length = chance.choice((*_LENGTHS, real + 1, max(real - 1, 0), real + 8, len(body) - at - header, len(body)))
    if header == 8 and body[at + 4 : at + 6] in _SHORT:
        return body[: at + 6] + struct.pack("<H", length & 0xFFFF) + body[at + 8 :]
    place = at + header - 4
    return body[:place] + struct.pack("<I", length) + body[place + 4 :]


def _set_tag(body: bytes, found: list[tuple[int, int, int]], chance: random.Random) -> bytes:
    at = chance.choice(found)[0]
    if chance.random() < 0.3:
        other = chance.choice(found)[0]
        return body[:at] + body[other : other + 4] + body[at + 4 :]
    tag = chance.choice(_TAGS)
    return body[:at] + struct.pack("<HH", tag >> 16, tag & 0xFFFF) + body[at + 4 :]


def _set_vr(body: bytes, found: list[tuple[int, int, int]], chance: random.Random) -> bytes:
    at, header, end = chance.choice(found)
    vr, value = chance.choice(_VRS), body[at + header : end]
    if chance.random() < 0.3:  # the letters alone
        return body[: at + 4] + vr + body[at + 6 :]
    new = struct.pack("<2sHI", vr, 0, len(value)) if vr in _LONG else vr + struct.pack("<H", len(value) & 0xFFFF)
    return body[: at + 4] + new + value + body[end:]


def _set_value(body: bytes, found: list[tuple[int, int, int]], chance: random.Random) -> bytes:
    at, header, end = chance.choice(found)
    value = bytearray(body[at + header : end])
    if not value:
        return body
    if chance.random() < 0.5:
        value = bytearray(plain(bytes(value), chance)[: len(value)].ljust(len(value), b" "))
    else:
        number = chance.choice(_NUMBERS).to_bytes(4, "little")
        value[:4] = number[: min(4, len(value))]
    return body[: at + header] + bytes(value) + body[end:]


def _drop(body: bytes, found: list[tuple[int, int, int]], chance: random.Random) -> bytes:
    at, _, end = chance.choice(found)
    return body[:at] + body[end:]


def _copy(body: bytes, found: list[tuple[int, int, int]], chance: random.Random) -> bytes:
    at, _, end = chance.choice(found)
    to = chance.choice(found)[chance.choice((0, 2))]
    return body[:to] + body[at:end] + body[to:]


def _wrap(body: bytes, found: list[tuple[int, int, int]], chance: random.Random) -> bytes:
    """Elements into an item of a sequence, or of many; with lengths or delimiters."""
    first, last = sorted((chance.randrange(len(found)), chance.randrange(len(found))))
    at, end = found[first][0], found[last][2]
    inside = body[at:end]
    vr = chance.choice((b"SQ\0\0", b"SQ\0\0", b"UN\0\0", b""))
    for _ in range(chance.choice((1, 1, 1, 2, 18))):
        tag = struct.pack("<HH", *chance.choice(((8, 0x1140), (9, 0x1001), (0x40, 0xA730), (0x7FE0, 0x10))))
        if chance.random() < 0.5:
            item = struct.pack("<HHI", 0xFFFE, 0xE000, len(inside)) + inside
            inside = tag + vr + struct.pack("<I", len(item)) + item
        else:
            inside = tag + vr + b"\xff" * 4 + _ITEM + inside + _ITEM_END + _SEQUENCE_END
    return body[:at] + inside + body[end:]


def _insert(body: bytes, found: list[tuple[int, int, int]], chance: random.Random) -> bytes:
    to = chance.choice(found)[chance.choice((0, 2))]
    tag, vr = chance.choice(_TAGS), chance.choice(_VRS)
    value = chance.choice((b"", b"ab", b"\0\0\0\0", b"ISO_IR 192", b"\\ISO 2022 IR 87", b"1.2.3\0"))
    layout = ("<HH2sHI", (0, len(value))) if vr in _LONG else ("<HH2sH", (len(value),))
    new = struct.pack(layout[0], tag >> 16, tag & 0xFFFF, vr, *layout[1]) + value
    return body[:to] + chance.choice((new, new, _ITEM, _ITEM_END, _SEQUENCE_END)) + body[to:]


def _cut(body: bytes, found: list[tuple[int, int, int]], chance: random.Random) -> bytes:
    at, header, end = chance.choice(found)
    return body[: chance.choice((at, at + header, end, end - 1))]


_CHANGES: tuple[Callable[[bytes, list[tuple[int, int, int]], random.Random], bytes], ...] = (
    _set_length, _set_length, _set_tag, _set_tag, _set_vr, _set_value, _set_value, _drop, _copy, _wrap, _insert, _cut,
)  # fmt: skip
