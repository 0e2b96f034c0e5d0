"""Twenty files cut at every byte: a DecodeError that says so, or the whole elements that stand before the cut."""

from __future__ import annotations

import pytest
from fakes.twenty import FILES, ROOT

from agent.dataset.decode import Decoder, decode
from agent.dataset.uid import DEFLATED_EXPLICIT_VR_LE
from agent.errors import DecodeError
from agent.media.part10 import decode_prefix

MOST_BYTES = 12_000  # of a Data Set; larger ones are cut within as many of their first bytes


def test_there_are_twenty() -> None:
    assert len(FILES) == 20


@pytest.mark.parametrize("name", FILES)
def test_cut_at_every_byte(name: str) -> None:
    """One decoder is fed byte by byte; asked after each byte, it knows whether the Data Set may end there.

    It may end behind a whole root element and nowhere else: without more knowledge such a Data Set is a shorter one.
    """
    file = (ROOT / name).read_bytes()
    meta, offset = decode_prefix(file)
    data = file[offset : offset + MOST_BYTES]
    decoder = Decoder(meta.transfer_syntax_uid)
    ends = []
    for end in range(1, len(data) + 1):
        decoder.feed(data[end - 1 : end])
        if may_end(decoder):
            ends.append(end)
    if meta.transfer_syntax_uid == DEFLATED_EXPLICIT_VR_LE:  # whole, or not at all
        assert ends == list(range(len(data) - 8, len(data) + 1))  # its checksum is not looked at
        return
    for end in ends[:: max(1, len(ends) // 8)]:
        assert list(decode(data[:end], meta.transfer_syntax_uid).stored) == sorted_before(decoder, end, ends)
    assert len(ends) <= len(decoder._root.stored)


def may_end(decoder: Decoder) -> bool:
    """Whether ``finish`` gives a Data Set, asked without ending the decoder."""
    try:
        decoder.finish()
    except DecodeError as error:
        assert "cut short" in str(error)  # noqa: PT017  (whether it is raised depends on where the cut is)
        decoder._dead = False
        return False
    return True


def sorted_before(decoder: Decoder, end: int, ends: list[int]) -> list[int]:
    """The tags of as many root elements as end at or before this byte."""
    return list(decoder._root.stored)[: ends.index(end) + 1]
