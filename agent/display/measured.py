"""What a photometer gives: a text file with a driving level and its luminance on each line.

Columns are parted by a semicolon, a tab or blanks, or by a comma where nothing else parts them; a fraction has a point
or, where the comma parts nothing, a comma. All lines of a file are alike in both. ``15,2,37`` can be 15 and 2.37 or
three columns: that is refused, for a luminance that was guessed is worse than none. Lines in front of the first number
are headings; empty lines and those that begin with ``#`` may stand anywhere; every other is a measurement or an error.
Raises ``DisplayError`` with the number of the line.
"""

from __future__ import annotations

import re

from agent.display.calibration import Measurement
from agent.errors import DisplayError
from agent.typed import Final, NamedTuple

_LEVEL: Final = re.compile(r"\d{1,9}", re.ASCII)
_LUMINANCE: Final = re.compile(r"\d+(?:([.,])\d+)?(?:[eE][+-]?\d{1,2})?", re.ASCII)
_BETWEEN: Final = re.compile(r"\s*[;\t]\s*|\s*,\s+|\s+,\s*|\s+")
_HINT: Final = "A line is LEVEL;LUMINANCE, as in 15;2.37 and 15;2,37, or LEVEL,LUMINANCE with a point, as in 15,2.37."
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")


class _Line(NamedTuple):
    measurement: Measurement
    parted_by: str
    fraction_behind: str  # "" for a whole number


def read(data: bytes) -> list[Measurement]:
    """The measurements of a file."""
    encoding = "utf-16" if data[:2] in _UTF_16 else "utf-8-sig"
    found: list[Measurement] = []
    like: dict[str, tuple[str, int]] = {}  # what the file does -> how, and in which line first
    for number, line in enumerate(data.decode(encoding, "replace").splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#") or not (found or text[0].isdigit()):
            continue
        read = _line(text, number)
        for what, how in (("columns are parted", read.parted_by), ("fractions are marked", read.fraction_behind)):
            first, where = like.setdefault(what, (how, number)) if how else ("", 0)
            if first != how:
                raise _refused(number, text, f"is unlike line {where}, where {what} by {first!r}")
        found.append(read.measurement)
    if not found:
        raise DisplayError("no line of it is a measurement", hint=_HINT)
    return found


def _line(text: str, number: int) -> _Line:
    between = _BETWEEN.search(text)
    mark = "," if between is None or "," in between[0] else ";" if ";" in between[0] else "blank"
    columns = text.split(",") if between is None else _BETWEEN.split(text)
    if mark == "," and text.count(",") == 2:
        raise _refused(number, text, "can be read in more than one way, the comma parts columns and marks a fraction")
    if len(columns) != 2:
        raise _refused(number, text, f"has {len(columns)} column{'s'[: len(columns) - 1]}, not a level and a luminance")
    level, luminance = columns
    match = _LUMINANCE.fullmatch(luminance)
    if not _LEVEL.fullmatch(level):
        raise _refused(number, text, f"has {level[:20]!r} in the place of a whole level")
    if match is None:
        raise _refused(number, text, f"has {luminance[:20]!r} in the place of a luminance")
    return _Line(Measurement(int(level), float(luminance.replace(",", "."))), mark, match[1] or "")


def _refused(number: int, text: str, reason: str) -> DisplayError:
    return DisplayError(f"line {number} {reason}: {text[:40]!r}", hint=_HINT)
