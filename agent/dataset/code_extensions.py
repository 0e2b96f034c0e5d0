"""Text that changes its character set on the way, and how terms of a set are spelt (PS3.5 6.1.2.5, PS3.3 C.12.1.1.2).

Apart from ``charset`` because few texts need it, and ``re`` and its patterns are 0.6 MiB that a sender of files can
do without.
"""

from __future__ import annotations

import re

from agent.dataset.charset import ASCII, CODE_SETS, ROMAJI, TWO_BYTES_G0, CodeSet, single_bytes
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

TERM = re.compile(r"ISO(?:_IR| 2022 IR) (\d+)")
LOOSE_TERM = re.compile(r"ISO[ _-]?(?:2022[ _-]?)?IR[ _-]?(\d+)")
_ESCAPE_OR_RESET = re.compile(rb"(\x1b\$?[()\-$]?[@-~]|[\\\r\n\f\t])")
_ESCAPE_OR_RESET_PN = re.compile(rb"(\x1b\$?[()\-$]?[@-~]|[\\\r\n\f\t^=])")
_SEGMENTS = re.compile(r"([\\\r\n\f\t])")
_SEGMENTS_PN = re.compile(r"([\\\r\n\f\t^=])")
_BY_G0 = {row.g0: row for row in (ASCII, ROMAJI, *TWO_BYTES_G0)} | {b"\x1b$@": CODE_SETS["87"]}
_BY_G1 = {row.g1: row for row in CODE_SETS.values() if row.g1}


def decode(data: bytes, first: CodeSet, *, name: bool) -> str:
    """Return the text of bytes with escape sequences, which start in ``first``; ``name``: of a Person Name."""
    return "".join(_decoded(data, first, _ESCAPE_OR_RESET_PN if name else _ESCAPE_OR_RESET))


def encode(text: str, sets: tuple[CodeSet, ...], *, name: bool) -> bytes:
    """Return the bytes of a text in ``sets``, from the first on; ``UnicodeEncodeError`` where they lack a character."""
    extensions = sets if len(sets) > 1 else ()
    segments = (_SEGMENTS_PN if name else _SEGMENTS).split(text)
    return b"".join(_encoded(segment, sets[0], extensions) for segment in segments)


# --- reading ------------------------------------------------------------------------------------


def _decoded(data: bytes, first: CodeSet, marks: re.Pattern[bytes]) -> Iterator[str]:
    """The text of bytes with escape sequences, piece by piece."""
    g0, g1 = _initial_g0(first), first
    at = 0
    while at < len(data):
        found = marks.search(data, at)
        while found is not None and g0 in TWO_BYTES_G0 and found[0] in (b"\\", b"^", b"="):
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
    return ROMAJI if first == ROMAJI else ASCII


def _run(data: bytes, g0: CodeSet, g1: CodeSet) -> str:
    """Bytes between two escape sequences or delimiters."""
    if g0 not in TWO_BYTES_G0:
        return single_bytes(data) if g1 == ROMAJI else data.decode(g1.codec, "replace")
    parts = re.split(rb"([\x80-\xff]+)", data)
    return "".join(
        _run(part, ASCII, g1) if number & 1 else (g0.g0 + part).decode(g0.codec, "replace")
        for number, part in enumerate(parts)
        if part
    )


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
        if row in TWO_BYTES_G0:
            if data.startswith(row.g0):  # the codec may know more sets than this one
                return row, data[len(row.g0) : len(row.g0) + 2]
        elif row != ROMAJI or len(data) == 1:
            return row, data
    at = text.index(character)
    raise UnicodeEncodeError(sets[-1].codec, text, at, at + 1, "no character set has it")
