"""Specific Character Set: which bytes text becomes (PS3.5 6.1, PS3.3 C.12.1.1.2).

One value of (0008,0005) names one set. Several name what may be reached by code extensions: the first is in force where
a value starts, an escape sequence puts another set into G0 (bytes below 80H) or G1 (above), and a delimiter brings the
first back: backslash, CR, LF, FF, TAB, and ``^`` and ``=`` of a Person Name. In a set of two bytes in G0 (IR 87 and
IR 159) the bytes of delimiters are halves of characters, so text is split only after it was decoded. UTF-8, GB18030 and
GBK know no extensions and stand alone.

``WRITABLE`` is what we write when the Data Set does not say, in order of preference: nothing but ASCII where that is
enough, because every archive reads it.

Text that was read with the wrong or no character set holds U+FFFD where bytes made no sense. It is never written
again as text: that would make the damage permanent.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

REPLACEMENT = "\ufffd"


class CodeSet(NamedTuple):
    """One set: its codec, and the escape sequences that bring it into G0 and G1 (empty: it has no such half)."""

    codec: str
    g0: bytes = b"\x1b(B"
    g1: bytes = b""


# By the number of the registration (ISO IR), for single values and for code extensions alike.
CODE_SETS = {
    "6": CodeSet("ascii"),
    "100": CodeSet("iso8859_1", g1=b"\x1b-A"),
    "101": CodeSet("iso8859_2", g1=b"\x1b-B"),
    "109": CodeSet("iso8859_3", g1=b"\x1b-C"),
    "110": CodeSet("iso8859_4", g1=b"\x1b-D"),
    "144": CodeSet("iso8859_5", g1=b"\x1b-L"),
    "127": CodeSet("iso8859_6", g1=b"\x1b-G"),
    "126": CodeSet("iso8859_7", g1=b"\x1b-F"),
    "138": CodeSet("iso8859_8", g1=b"\x1b-H"),
    "148": CodeSet("iso8859_9", g1=b"\x1b-M"),
    "203": CodeSet("iso8859_15", g1=b"\x1b-b"),
    "166": CodeSet("tis_620", g1=b"\x1b-T"),
    "13": CodeSet("shift_jis", g0=b"\x1b(J", g1=b"\x1b)I"),  # of which only the single bytes, JIS X 0201
    "87": CodeSet("iso2022_jp", g0=b"\x1b$B"),
    "159": CodeSet("iso2022_jp_2", g0=b"\x1b$(D"),
    "149": CodeSet("euc_kr", g1=b"\x1b$)C"),
    "58": CodeSet("gb2312", g1=b"\x1b$)A"),
}
_ASCII, _ROMAJI = CODE_SETS["6"], CODE_SETS["13"]
_ALONE = {"ISO_IR 192": "utf_8", "GB18030": "gb18030", "GBK": "gbk"}
_EXTENSION_ONLY = frozenset({"87", "159", "149", "58"})  # no term without extensions
# Defined terms of a single value -> Python codec. No element at all is the default repertoire, ISO IR 6.
CHARSETS = {
    "": "ascii",
    **{f"ISO_IR {number}": row.codec for number, row in CODE_SETS.items() if number not in _EXTENSION_ONLY},
    **_ALONE,
}
_TWO_BYTES_G0 = (CODE_SETS["87"], CODE_SETS["159"])
_BY_G0 = {row.g0: row for row in (_ASCII, _ROMAJI, *_TWO_BYTES_G0)} | {b"\x1b$@": CODE_SETS["87"]}
_BY_G1 = {row.g1: row for row in CODE_SETS.values() if row.g1}
_TERM = re.compile(r"ISO(?:_IR| 2022 IR) (\d+)")
_LOOSE_TERM = re.compile(r"ISO[ _-]?(?:2022[ _-]?)?IR[ _-]?(\d+)")
_ESCAPE_OR_RESET = re.compile(rb"(\x1b\$?[()\-$]?[@-~]|[\\\r\n\f\t])")
_ESCAPE_OR_RESET_PN = re.compile(rb"(\x1b\$?[()\-$]?[@-~]|[\\\r\n\f\t^=])")
_SEGMENTS = re.compile(r"([\\\r\n\f\t])")
_SEGMENTS_PN = re.compile(r"([\\\r\n\f\t^=])")
_MAX_CACHED = 64  # values of (0008,0005) in use at a time; an archive full of inventive ones must not add up


class Charset(NamedTuple):
    """A character set in force: the value of (0008,0005), the codec of its first set, and all its sets."""

    terms: str  # as in the element, several values separated by a backslash
    codec: str
    sets: tuple[CodeSet, ...] = ()  # none: no code extensions

    def decode(self, data: bytes, *, name: bool = False) -> str:
        """Bytes to text; never fails, undecodable bytes become U+FFFD. ``name``: of a Person Name."""
        if self.sets and b"\x1b" in data:
            return "".join(_decoded(data, self.sets[0], _ESCAPE_OR_RESET_PN if name else _ESCAPE_OR_RESET))
        if self.codec == "shift_jis":
            return _single_bytes(data)
        return data.decode(self.codec, "replace")

    def encode(self, text: str, *, name: bool = False) -> bytes:
        """Text to bytes, with the escape sequences it needs.

        Raises:
            UnicodeEncodeError: The sets lack a character.
        """
        if not self.sets or text.isascii():
            return text.encode(self.codec)
        extensions = self.sets if len(self.sets) > 1 else ()
        segments = (_SEGMENTS_PN if name else _SEGMENTS).split(text)
        return b"".join(_encoded(segment, self.sets[0], extensions) for segment in segments)


DEFAULT = Charset("", "ascii", (_ASCII,))
WRITABLE = (DEFAULT, Charset("ISO_IR 192", "utf_8"))
_known: dict[str, Charset] = {}


def charset_for(terms: str) -> Charset | None:
    """The character set for a value of (0008,0005) as the Standard has it, else None."""
    found = charset_to_read(terms)
    values = found.terms.split("\\")
    if len(values) == 1:
        match = _TERM.fullmatch(values[0])
        alone = not values[0] or values[0] in _ALONE or (match is not None and match[1] in CODE_SETS)
        extension = match is not None and match[1] in _EXTENSION_ONLY and "2022" not in values[0]
        return found if alone and not extension else None
    for number, value in enumerate(values):
        match = _TERM.fullmatch(value)
        if (value or number) and (match is None or match[1] not in CODE_SETS or "2022" not in value):
            return None
    return found if len(set(values)) == len(values) else None


def charset_to_read(terms: str) -> Charset:
    """The nearest character set for reading: unknown terms and misspelt ones mean what they come closest to."""
    known = _known.get(terms)
    if known is None:
        if len(_known) >= _MAX_CACHED:
            _known.clear()
        known = _known[terms] = _charset_of("\\".join(value.strip(" \0") for value in terms.split("\\")))
    return known


def _charset_of(terms: str) -> Charset:
    values = [value.upper() for value in terms.split("\\")]
    if values[0] in _ALONE:
        return Charset(terms, _ALONE[values[0]])
    rows = []
    for number, value in enumerate(values):
        match = _LOOSE_TERM.fullmatch(value)
        if match is not None and match[1] == "192" and number == 0:
            return Charset(terms, "utf_8")
        row = CODE_SETS.get(match[1]) if match is not None else None
        if number == 0 and (row is None or row in _TWO_BYTES_G0):  # which no value can start in
            rows.append(_ASCII)
        if row is not None and row not in rows:
            rows.append(row)
    return Charset(terms, rows[0].codec, tuple(rows))


# --- reading ------------------------------------------------------------------------------------


def _decoded(data: bytes, first: CodeSet, marks: re.Pattern[bytes]) -> Iterator[str]:
    """The text of bytes with escape sequences, piece by piece."""
    g0, g1 = _initial_g0(first), first
    at = 0
    while at < len(data):
        found = marks.search(data, at)
        while found is not None and g0 in _TWO_BYTES_G0 and found[0] in (b"\\", b"^", b"="):
            found = marks.search(data, found.end())  # half a character
        end = len(data) if found is None else found.start()
        if end > at:
            yield _run(data[at:end], g0, g1)
        if found is None:
            return
        mark, at = found[0], found.end()
        if mark in _BY_G0:
            g0 = _BY_G0[mark]
        elif mark in _BY_G1:
            g1 = _BY_G1[mark]
        else:
            yield mark.decode("ascii")  # a delimiter, or an escape sequence that we do not know and show as it is
            if mark[0] != 0x1B:
                g0, g1 = _initial_g0(first), first


def _initial_g0(first: CodeSet) -> CodeSet:
    return _ROMAJI if first == _ROMAJI else _ASCII


def _run(data: bytes, g0: CodeSet, g1: CodeSet) -> str:
    """Bytes between two escape sequences or delimiters."""
    if g0 not in _TWO_BYTES_G0:
        return _single_bytes(data) if g1 == _ROMAJI else data.decode(g1.codec, "replace")
    parts = re.split(rb"([\x80-\xff]+)", data)
    return "".join(
        _run(part, _ASCII, g1) if number & 1 else (g0.g0 + part).decode(g0.codec, "replace")
        for number, part in enumerate(parts)
        if part
    )


def _single_bytes(data: bytes) -> str:
    """JIS X 0201; the codec would take two bytes for a Kanji of Shift JIS, which is none of DICOM's sets."""
    if data.isascii():
        return data.decode("ascii")
    return "".join(chr(b) if b < 0x80 else chr(b - 0xA1 + 0xFF61) if 0xA1 <= b <= 0xDF else REPLACEMENT for b in data)


# --- writing ------------------------------------------------------------------------------------


def _encoded(text: str, first: CodeSet, extensions: tuple[CodeSet, ...]) -> bytes:
    """Text without delimiters; it starts in the first set and ends in it."""
    if text.isascii():
        return text.encode("ascii")
    start = _initial_g0(first)
    g0, g1, made = start, first, bytearray()
    for character in text:
        if ord(character) < 0x80:
            row, data = start, character.encode("ascii")
        else:
            row, data = _set_of(character, text, (g0, g1, first, *extensions))
        low = data[0] < 0x80
        if low and row.g0 != g0.g0:
            g0 = row
            made += row.g0
        elif not low and row.g1 != g1.g1:
            g1 = row
            made += row.g1
        made += data
    if g0.g0 != start.g0:
        made += start.g0
    if g1.g1 != first.g1:
        made += first.g1
    return bytes(made)


def _set_of(character: str, text: str, sets: tuple[CodeSet, ...]) -> tuple[CodeSet, bytes]:
    """The first of the sets that has a character, and its bytes there."""
    for row in sets:
        try:
            data = character.encode(row.codec)
        except UnicodeEncodeError:
            continue
        if row in _TWO_BYTES_G0:
            if data.startswith(row.g0):  # the codec may know more sets than this one
                return row, data[len(row.g0) : len(row.g0) + 2]
        elif row != _ROMAJI or len(data) == 1:
            return row, data
    at = text.index(character)
    raise UnicodeEncodeError(sets[-1].codec, text, at, at + 1, "no character set has it")
