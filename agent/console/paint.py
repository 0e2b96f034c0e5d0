"""Bytes that turn the shown row into the wanted one, on any terminal.

A row is changed with text, blanks, BS and CR alone, which a teletype understands: no cursor addressing, no clearing, no
TERM. What is alike at the beginning stays; of the ways to the first difference the cheaper one is taken, because at
9600 baud a byte takes a millisecond. A typed letter at the end of the line costs itself.
"""

from __future__ import annotations

from agent.typed import Final, NamedTuple

_WIDE: Final = "WF"


class Row(NamedTuple):
    """What stands in the row of the cursor; ``at`` counts characters."""

    text: str = ""
    at: int = 0


def columns(text: str) -> int:
    """Return how many columns ``text`` takes."""
    if text.isascii():
        return len(text)
    import unicodedata

    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in _WIDE else 1 for c in text)


def repaint(old: Row, new: Row) -> str:
    """Return what turns ``old`` into ``new``."""
    same = 0
    while same < min(len(old.text), len(new.text)) and old.text[same] == new.text[same]:
        same += 1
    if old.text == new.text:
        return _move(old.text, old.at, new.at)
    # Forward to the difference over letters that are there already, back by BS, or anew from the margin.
    out = _move(new.text if old.at <= same else old.text, old.at, same)
    out += new.text[same:]
    surplus = columns(old.text) - columns(new.text)
    if surplus > 0:
        out += " " * surplus + "\b" * surplus
    return out + _move(new.text, len(new.text), new.at)


def _move(text: str, source: int, target: int) -> str:
    if target >= source:
        return text[source:target]
    back = "\b" * columns(text[target:source])
    anew = "\r" + text[:target]
    return back if len(back) <= len(anew.encode()) else anew


def erase(row: Row) -> str:
    """Return what leaves the row empty, with the cursor at the margin."""
    width = columns(row.text)
    return "\r" + " " * width + "\r" if width else ""


def clean(line: str) -> str:
    """Return ``line`` without anything that a terminal would act on."""
    text = line.rstrip("\r").expandtabs(8)
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)
