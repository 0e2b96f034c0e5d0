"""Messages out of fragments."""

from __future__ import annotations

import random

import pytest

from agent.dataset.uid import US
from agent.dimse.fragment import (
    BLOCK_BYTES,
    COMMAND_LIMIT_BYTES,
    FRAGMENT_LIMIT,
    Assembler,
    Collector,
    DataSetPart,
    Received,
    split,
)
from agent.dimse.layout import encode
from agent.dimse.message import CEchoRequest, CStoreRequest, CStoreResponse
from agent.errors import RemoteProtocolError
from agent.ul.pdu import COMMAND, LAST, Fragment

STORE = CStoreRequest(1, US, "1.2.3")
DATA = bytes(range(256)) * 10


def fragments(size: int) -> list[Fragment]:
    return [*split(3, encode(STORE), size, command=True), *split(3, DATA, size, command=False)]


@pytest.mark.parametrize("size", [2, 10, 256, 16378])
def test_a_message_survives_any_fragment_length(size: int) -> None:
    assembler, collector = Assembler(), Collector()
    results = [assembler.feed(fragment) for fragment in fragments(size)]
    found = [one for one in results if one is not None]
    assert found[0] == Received(3, STORE, True)
    whole = [collector.feed(part) for part in found[1:] if isinstance(part, DataSetPart)]
    assert whole[-1] == DATA
    assert whole[:-1] == [None] * (len(whole) - 1)


def test_split_lends_and_does_not_copy() -> None:
    parts = list(split(1, DATA, 1000, command=False))
    assert [len(part.data) for part in parts] == [1000, 1000, 560]
    assert all(isinstance(part.data, memoryview) and part.data.obj is DATA for part in parts)
    assert [part.control for part in parts] == [0, 0, LAST]
    assert next(split(1, DATA, len(DATA), command=False)).data is DATA


def test_data_set_pieces_are_handed_on_as_they_come() -> None:
    assembler = Assembler()
    assembler.feed(Fragment(3, COMMAND | LAST, encode(STORE)))
    piece = memoryview(b"some")
    part = assembler.feed(Fragment(3, 0, piece))
    assert isinstance(part, DataSetPart)
    assert part.data is piece
    assert assembler.feed(Fragment(3, LAST, b"")) == DataSetPart(3, b"", last=True)


def test_messages_follow_each_other_on_any_context() -> None:
    assembler = Assembler()
    echo = encode(CEchoRequest(1))
    for context_id in (1, 3, 1):
        assert assembler.feed(Fragment(context_id, COMMAND | LAST, echo)) == Received(
            context_id, CEchoRequest(1), False
        )


def refuse(*sequence: Fragment, match: str) -> None:
    assembler = Assembler()
    for fragment in sequence[:-1]:
        assembler.feed(fragment)
    with pytest.raises(RemoteProtocolError, match=match):
        assembler.feed(sequence[-1])


def test_rules_of_annex_e() -> None:
    command = encode(STORE)
    refuse(Fragment(1, 0, b"ab"), match="before its command")
    refuse(Fragment(1, COMMAND, command[:50]), Fragment(1, LAST, b"ab"), match="before its command")
    refuse(Fragment(1, COMMAND, command[:50]), Fragment(3, COMMAND, command[50:]), match="interleaved")
    refuse(Fragment(1, COMMAND | LAST, command), Fragment(3, 0, b"ab"), match="interleaved")
    refuse(Fragment(1, COMMAND | LAST, command), Fragment(1, COMMAND, command), match="in the middle")


def test_a_response_without_end_meets_a_limit() -> None:
    refuse(*[Fragment(1, COMMAND, bytes(1000))] * 9, match=str(COMMAND_LIMIT_BYTES))
    refuse(*[Fragment(1, COMMAND, b"")] * (FRAGMENT_LIMIT + 1), match=str(FRAGMENT_LIMIT))
    refuse(Fragment(1, COMMAND | LAST, bytes(9000)), match=str(COMMAND_LIMIT_BYTES))
    refuse(
        Fragment(1, COMMAND | LAST, encode(STORE)),
        *[Fragment(1, 0, b"")] * (FRAGMENT_LIMIT + 1),
        match="empty fragments",
    )


def test_a_data_set_to_a_store_response_is_refused_at_its_command() -> None:
    response = encode(CStoreResponse(1, 0)).replace(b"\0\x08\2\0\0\0\1\1", b"\0\x08\2\0\0\0\1\0")
    refuse(Fragment(1, COMMAND | LAST, response), match="announces a Data Set")


@pytest.mark.parametrize("size", [1, 1000, 65_536, 65_537, 100_000])
def test_a_collected_data_set_grows_block_by_block(size: int) -> None:
    whole, collector = random.Random(7).randbytes(300_001), Collector()
    parts = [DataSetPart(1, whole[at : at + size], last=at + size >= len(whole)) for at in range(0, len(whole), size)]
    assert [collector.feed(part) for part in parts] == [None] * (len(parts) - 1) + [whole]
    assert max(map(len, collector._blocks)) <= max(size, BLOCK_BYTES)


def test_a_collected_data_set_is_bounded() -> None:
    collector = Collector(limit_bytes=100)
    for _ in range(10):
        assert collector.feed(DataSetPart(1, bytes(10), last=False)) is None
    with pytest.raises(RemoteProtocolError, match="100 bytes"):
        collector.feed(DataSetPart(1, b"ab", last=True))
