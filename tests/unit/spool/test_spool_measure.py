"""What reading a draft back tells is the same however its medium gives it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from fakes.spool_world import part10

from agent.errors import DecodeError, SpoolDamaged
from agent.spool import draft
from agent.spool.draft import Measured, measure

if TYPE_CHECKING:
    from collections.abc import Callable


def reading(data: bytes, most: int, reads: list[int]) -> Callable[[int, memoryview], int]:
    def read_into(offset: int, buffer: memoryview) -> int:
        piece = data[offset : offset + min(len(buffer), most)]
        buffer[: len(piece)] = piece
        reads.append(len(piece))
        return len(piece)

    return read_into


def told(data: bytes, most: int = 1 << 30, reads: list[int] | None = None) -> Measured:
    return measure(reading(data, most, [] if reads is None else reads), len(data))


@pytest.mark.parametrize("size", [512, 9000])
@pytest.mark.parametrize("most", [600, 1001, 4096, 1 << 30])
@pytest.mark.parametrize("chunk", [512, 2048, draft.HASH_CHUNK])
def test_it_is_the_same_in_pieces(monkeypatch: pytest.MonkeyPatch, size: int, most: int, chunk: int) -> None:
    data = part10(3, size)
    at_once = told(data)
    monkeypatch.setattr(draft, "HASH_CHUNK", chunk)
    assert told(data, most) == at_once
    assert at_once.file_sha256 == hashlib.sha256(data).digest()
    assert at_once.data_set_sha256 == hashlib.sha256(data[at_once.data_set_offset :]).digest()


def test_what_is_at_hand_is_read_once() -> None:
    reads: list[int] = []
    data = part10(3, 9000)
    told(data, reads=reads)
    assert reads == [len(data)]


@pytest.mark.parametrize("most", [600, 1 << 30])
def test_one_that_is_cut_is_refused(most: int) -> None:
    data = part10(3, 9000)
    with pytest.raises(DecodeError):
        told(data[:-1], most)
    with pytest.raises(SpoolDamaged, match="the file ends at byte"):
        measure(reading(data, most, []), len(data) + 1)
