"""The handful of DER (X.690) that certificates need: one element, and those inside it. Raises ``ValueError``."""

from __future__ import annotations

from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

SEQUENCE: Final = 0x30

Element = tuple[int, int, int]  # tag, start and end of the value


def children(der: bytes, parent: Element) -> Iterator[Element]:
    """Yield the elements that stand in the value of ``parent``."""
    _, position, end = parent
    while position < end:
        child = element(der, position)
        yield child
        position = child[2]


def element(der: bytes, position: int, wanted: int | None = None) -> Element:
    """Tag, start and end of the value of the DER element at ``position``."""
    if position + 2 > len(der):
        raise ValueError("not a certificate")
    tag, length = der[position], der[position + 1]
    start = position + 2
    if length & 0x80:
        count = length & 0x7F
        length = int.from_bytes(der[start : start + count], "big")
        start += count
    if start + length > len(der) or wanted not in (None, tag):
        raise ValueError("not a certificate")
    return tag, start, start + length
