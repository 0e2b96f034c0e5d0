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

from agent.typed import NamedTuple

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
ASCII, ROMAJI = CODE_SETS["6"], CODE_SETS["13"]
_ALONE = {"ISO_IR 192": "utf_8", "GB18030": "gb18030", "GBK": "gbk"}
_EXTENSION_ONLY = frozenset({"87", "159", "149", "58"})  # no term without extensions
# Defined terms of a single value -> Python codec. No element at all is the default repertoire, ISO IR 6.
CHARSETS = {
    "": "ascii",
    **{f"ISO_IR {number}": row.codec for number, row in CODE_SETS.items() if number not in _EXTENSION_ONLY},
    **_ALONE,
}
TWO_BYTES_G0 = (CODE_SETS["87"], CODE_SETS["159"])
_MAX_CACHED = 64  # values of (0008,0005) in use at a time; an archive full of inventive ones must not add up


class Charset(NamedTuple):
    """A character set in force: the value of (0008,0005), the codec of its first set, and all its sets."""

    terms: str  # as in the element, several values separated by a backslash
    codec: str
    sets: tuple[CodeSet, ...] = ()  # none: no code extensions

    def decode(self, data: bytes, *, name: bool = False) -> str:
        """Bytes to text; never fails, undecodable bytes become U+FFFD. ``name``: of a Person Name."""
        if self.sets and b"\x1b" in data:
            from agent.dataset import code_extensions

            return code_extensions.decode(data, self.sets[0], name=name)
        if self.codec == "shift_jis":
            return single_bytes(data)
        return data.decode(self.codec, "replace")

    def encode(self, text: str, *, name: bool = False) -> bytes:
        """Text to bytes, with the escape sequences it needs.

        Raises:
            UnicodeEncodeError: The sets lack a character.
        """
        if not self.sets or text.isascii():
            return text.encode(self.codec)
        from agent.dataset import code_extensions

        return code_extensions.encode(text, self.sets, name=name)


DEFAULT = Charset("", "ascii", (ASCII,))
WRITABLE = (DEFAULT, Charset("ISO_IR 192", "utf_8"))
_known: dict[str, Charset] = {}


def charset_for(terms: str) -> Charset | None:
    """The character set for a value of (0008,0005) as the Standard has it, else None."""
    found = charset_to_read(terms)
    values = found.terms.split("\\")
    from agent.dataset.code_extensions import TERM

    if len(values) == 1:
        match = TERM.fullmatch(values[0])
        alone = not values[0] or values[0] in _ALONE or (match is not None and match[1] in CODE_SETS)
        extension = match is not None and match[1] in _EXTENSION_ONLY and "2022" not in values[0]
        return found if alone and not extension else None
    for number, value in enumerate(values):
        match = TERM.fullmatch(value)
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
    from agent.dataset.code_extensions import LOOSE_TERM

    if values[0] in _ALONE:
        return Charset(terms, _ALONE[values[0]])
    rows = []
    for number, value in enumerate(values):
        match = LOOSE_TERM.fullmatch(value)
        if match is not None and match[1] == "192" and number == 0:
            return Charset(terms, "utf_8")
        row = CODE_SETS.get(match[1]) if match is not None else None
        if number == 0 and (row is None or row in TWO_BYTES_G0):  # which no value can start in
            rows.append(ASCII)
        if row is not None and row not in rows:
            rows.append(row)
    return Charset(terms, rows[0].codec, tuple(rows))


def single_bytes(data: bytes) -> str:
    """JIS X 0201; the codec would take two bytes for a Kanji of Shift JIS, which is none of DICOM's sets."""
    if data.isascii():
        return data.decode("ascii")
    return "".join(chr(b) if b < 0x80 else chr(b - 0xA1 + 0xFF61) if 0xA1 <= b <= 0xDF else REPLACEMENT for b in data)
