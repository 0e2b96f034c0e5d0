"""Specific Character Set: which bytes text becomes (PS3.5 6.1, PS3.3 C.12.1.1.2).

``CHARSETS`` names the sets that one codec can do alone. We read all of them; ``WRITABLE`` is what we write when the
Data Set does not say, in order of preference: nothing but ASCII where that is enough, because every archive reads it.
Sets that need ISO 2022 escapes are read by the codec of their first value; the raw bytes stay in the Data Set, so
passing such an element on unchanged loses nothing.

Text that was read with the wrong or no character set holds U+FFFD where bytes made no sense. It is never written
again as text: that would make the damage permanent.
"""

from __future__ import annotations

from typing import NamedTuple

REPLACEMENT = "\ufffd"

# Defined term -> Python codec. No element at all is the default repertoire, ISO IR 6.
CHARSETS = {
    "": "ascii",
    "ISO_IR 6": "ascii",
    "ISO_IR 100": "iso8859_1",
    "ISO_IR 101": "iso8859_2",
    "ISO_IR 109": "iso8859_3",
    "ISO_IR 110": "iso8859_4",
    "ISO_IR 144": "iso8859_5",
    "ISO_IR 127": "iso8859_6",
    "ISO_IR 126": "iso8859_7",
    "ISO_IR 138": "iso8859_8",
    "ISO_IR 148": "iso8859_9",
    "ISO_IR 203": "iso8859_15",
    "ISO_IR 166": "tis_620",
    "ISO_IR 13": "shift_jis",
    "ISO_IR 192": "utf_8",
    "GB18030": "gb18030",
    "GBK": "gbk",
}


class Charset(NamedTuple):
    """A character set in force: the value of (0008,0005) and the codec that reads it."""

    terms: str  # as in the element, several values separated by a backslash
    codec: str

    def decode(self, data: bytes) -> str:
        """Bytes to text; never fails, undecodable bytes become U+FFFD."""
        return data.decode(self.codec, "replace")

    def encode(self, text: str) -> bytes:
        """Text to bytes.

        Raises:
            UnicodeEncodeError: The set lacks a character.
        """
        return text.encode(self.codec)


DEFAULT = Charset("", "ascii")
WRITABLE = (DEFAULT, Charset("ISO_IR 192", "utf_8"))


def charset_for(terms: str) -> Charset | None:
    """The character set for a value of (0008,0005) if one codec can do it, else None."""
    codec = CHARSETS.get(terms.strip(" \0"))
    return None if codec is None else Charset(terms.strip(" \0"), codec)


def charset_to_read(terms: str) -> Charset:
    """The nearest character set for reading: that of the first value, or ASCII where it is unknown."""
    first = terms.split("\\", 1)[0].strip(" \0").replace("ISO 2022 IR ", "ISO_IR ")
    return Charset(terms.strip(" \0"), CHARSETS.get(first, "ascii"))
