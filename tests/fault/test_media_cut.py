"""Twenty files cut and opened, strictly and leniently: refused with a clear error, or whole elements.

Cut at every byte, but within long pixels, where all bytes are alike, at every ``STEP``th.

A Data Set that ends behind a root element is a shorter one to whoever has only its bytes; where a cut is tolerated
anywhere else, a note says so. Nothing but ``NotDicomError`` and ``DecodeError`` leaves.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fakes.twenty import FILES, ROOT

from agent.dataset.dataset import DataSet
from agent.errors import DecodeError, NotDicomError
from agent.media.file import DicomFile, PixelValue, open_file

NEAR_BYTES, STEP = 256, 53
MOST_TRAILING = 8  # bytes of the checksum behind a deflated stream, which nobody asks for


def pread_of(data: bytes) -> Callable[[int, int], bytes]:
    return lambda length, offset: data[offset : offset + length]


def opened(data: bytes, *, lenient: bool) -> DicomFile | None:
    try:
        return open_file(pread_of(data), len(data), lenient=lenient)
    except (NotDicomError, DecodeError):
        return None


def cuts(whole: DicomFile, size: int) -> list[int]:
    """Every byte, but of long pixels only those at the start, some in between, and the last ones."""
    value = whole.pixel_value
    plain = size if value is None else min(size, value.offset + NEAR_BYTES)
    last = max(plain, size - NEAR_BYTES)
    return [*range(plain), *range(plain, last, STEP), *range(last, size)]


@pytest.mark.parametrize("name", FILES)
def test_cut_at_every_byte(name: str) -> None:
    data = (ROOT / name).read_bytes()
    whole = open_file(pread_of(data), len(data), lenient=True)
    boundaries = 0
    for end in cuts(whole, len(data)):
        strict, lenient = (opened(data[:end], lenient=mode) for mode in (False, True))
        if strict is not None:
            boundaries += 1
            assert_beginning(strict.dataset, whole.dataset)
            assert strict.notes == []
            assert same_place(strict.pixel_value, whole.pixel_value)
        if lenient is not None:
            assert_beginning(lenient.dataset, whole.dataset)
            assert strict is not None or lenient.notes, f"nothing is said of the cut at {end}"
    assert boundaries <= len(whole.dataset.stored) + MOST_TRAILING


def same_place(part: PixelValue | None, whole: PixelValue | None) -> bool:
    """Whether the pixels are not there, or are those of the whole, all of them."""
    return part is None or (whole is not None and part[:-1] == whole[:-1])


def assert_beginning(part: DataSet, whole: DataSet) -> None:
    """The elements are the first of the whole, with their values."""
    tags = list(part.stored)
    assert tags == list(whole.stored)[: len(tags)]
    assert all(part.stored[tag] == whole.stored[tag] for tag in tags)
