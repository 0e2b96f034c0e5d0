"""The open structures of a Data Set being decoded, and the header of one element (PS3.5 7.1, 7.5).

A level is the root or an item (both hold a Data Set), a sequence, or encapsulated Pixel Data. It ends where its length
says or at its delimiter, and never beyond the level around it. A list of levels takes the place of recursion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from agent.dataset.charset import Charset
    from agent.dataset.dataset import DataSet
    from agent.dataset.values import Wire

UNDEFINED = 0xFFFFFFFF  # the length that stands for none
NOWHERE = 1 << 64  # an end no offset reaches: the level has no length of its own


class Syntax(NamedTuple):
    """How headers are encoded; it may change inside UN (PS3.5 6.2.2)."""

    implicit: bool
    big: bool = False


class Header(NamedTuple):
    """The header of a Data Element as it stands in the bytes."""

    tag: int
    vr: str
    size: int  # of the header itself
    length: int  # of the value; UNDEFINED
    wire: Wire | None = None  # where the VR in the bytes is not ``vr``


class Level:
    """One open structure: ``dataset`` for root and items, ``items`` for a sequence, ``fragments`` for pixel data."""

    __slots__ = (
        "bound",
        "charset",
        "dataset",
        "end",
        "fragments",
        "items",
        "last",
        "ordered",
        "start",
        "syntax",
        "tag",
        "vr",
        "wire",
    )

    def __init__(self, tag: int, start: int, end: int, bound: int, syntax: Syntax, charset: Charset) -> None:
        self.tag = tag  # of the sequence or pixel data
        self.start = start  # where its content starts
        self.end = end  # where it ends by its length, or NOWHERE
        self.bound = end if end < bound else bound  # where it ends at the latest
        self.syntax = syntax
        self.charset = charset
        self.dataset: DataSet | None = None
        self.items: list[DataSet] | None = None
        self.fragments: list[bytes] | None = None
        self.vr = "SQ"
        self.wire: Wire | None = None
        self.last = -1  # the highest tag so far
        self.ordered = True  # whether tags have ascended so far
