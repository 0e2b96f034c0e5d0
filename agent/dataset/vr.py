"""The Value Representations as a table (PS3.5 6.2 and 7.1.2), and the choice where the dictionary leaves one.

Encoding, decoding and checking all walk ``VRS``; a VR that is not in it has the long header form and is carried as
``UN``, as PS3.5 7.1.2 prescribes for those of the future.

The dictionary gives some elements two or three possible VRs ("US or SS"). Such an element keeps that name as its ``vr``
until it is written or its Data Set was read to the end, because what decides may be another element:

* ``US or SS`` follows Pixel Representation of the same Data Set, or of the one around it;
* ``OB or OW`` is OW in Implicit VR; in Explicit VR it is OW when Bits Allocated is above 8 (PS3.5 A.1, A.2);
* with OW among three choices the value itself decides: bytes are OW.
"""

from __future__ import annotations

from agent.typed import NamedTuple

TEXT, NUMBER, BYTES, SEQUENCE, TAG = "text", "number", "bytes", "sequence", "tag"


class Vr(NamedTuple):
    """One row: how values of a VR look in memory and on the wire."""

    kind: str
    long: bool  # explicit header with 32-bit length
    size: int  # bytes of one number or word; the value length is a multiple of it
    limit: int = 0  # longest single value: characters if ``charset``, else bytes; 0 = only the length field limits it
    code: str = ""  # struct code of a number
    pad: bytes = b"\0"
    charset: bool = False  # Specific Character Set applies
    multi: bool = True  # several values may be held


def _text(limit: int, *, charset: bool = False, multi: bool = True, long: bool = False, pad: bytes = b" ") -> Vr:
    return Vr(TEXT, long, 1, limit, "", pad, charset, multi)


def _number(code: str, size: int, *, long: bool = False) -> Vr:
    return Vr(NUMBER, long, size, 0, code)


def _bytes(size: int) -> Vr:
    return Vr(BYTES, long=True, size=size, multi=False)


VRS = {
    "AE": _text(16),
    "AS": _text(4),
    "AT": Vr(TAG, long=False, size=4),
    "CS": _text(16),
    "DA": _text(8),
    "DS": _text(16),
    "DT": _text(26),
    "FD": _number("d", 8),
    "FL": _number("f", 4),
    "IS": _text(12),
    "LO": _text(64, charset=True),
    "LT": _text(10240, charset=True, multi=False),
    "OB": _bytes(1),
    "OD": _bytes(8),
    "OF": _bytes(4),
    "OL": _bytes(4),
    "OV": _bytes(8),
    "OW": _bytes(2),
    "PN": _text(64, charset=True),
    "SH": _text(16, charset=True),
    "SL": _number("i", 4),
    "SQ": Vr(SEQUENCE, long=True, size=1, multi=False),
    "SS": _number("h", 2),
    "ST": _text(1024, charset=True, multi=False),
    "SV": _number("q", 8, long=True),
    "TM": _text(14),
    "UC": _text(0, charset=True, long=True),
    "UI": _text(64, pad=b"\0"),
    "UL": _number("I", 4),
    "UN": _bytes(1),
    "UR": _text(0, multi=False, long=True),
    "US": _number("H", 2),
    "UT": _text(0, charset=True, multi=False, long=True),
    "UV": _number("Q", 8, long=True),
}


def is_ambiguous(vr: str) -> bool:
    """Whether the dictionary leaves a choice that ``choose`` must make."""
    return len(vr) > 2


def choose(vr: str, value: object, *, signed: bool, wide: bool) -> str:
    """Decide an ambiguous VR.

    ``signed`` is Pixel Representation 1; ``wide`` says that words and not bytes are meant (Implicit VR, or more than
    8 bits allocated). ``value`` decides only between numbers and bytes.
    """
    if vr == "OB or OW":
        return "OW" if wide else "OB"
    if "OW" in vr and isinstance(value, bytes | bytearray | memoryview):
        return "OW"
    return "SS" if signed and "SS" in vr else "US"


def swapped(vr: str, data: bytes) -> bytes:
    """Big endian words as little endian ones (PS3.5 7.3); a rest that is no word stays as it is."""
    size = word_bytes(vr)
    if size == 1 or len(data) % size:
        return data
    words = bytearray(len(data))
    for place in range(size):
        words[place::size] = data[size - 1 - place :: size]
    return bytes(words)


def word_bytes(vr: str) -> int:
    """How many bytes of a value of this VR change places with the byte order."""
    row = VRS.get(vr)
    return 1 if row is None else 2 if row.kind is TAG else row.size
