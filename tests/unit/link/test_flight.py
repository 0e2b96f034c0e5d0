"""The record of an association: heads of PDUs however they are cut, commands, reasons; bounded, no contents."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest
from fakes.associations import Pair, acceptance, drain, request, written

from agent.dataset.uid import SC, US
from agent.dimse.layout import encode
from agent.dimse.message import CStoreRequest, CStoreResponse, OtherRequest
from agent.errors import LinkTimeout, MediaError, RemoteProtocolError, UserNotConfirmed
from agent.link.conversation import Conversation
from agent.link.driver import Driver
from agent.link.flight import FIRST_ROWS, LAST_ROWS, Flight, Heads
from agent.link.peer import Timeouts
from agent.ul import pdu as pdus
from agent.ul.pdu import Abort, AssociateReject, Fragment, ReleaseRequest, ReleaseResponse

if TYPE_CHECKING:
    from agent.link.transport import Transport
    from agent.ul.association import Association

SECRET = b"DOE^JANE"


def flight(association: Association | None = None) -> tuple[Flight, list[Flight]]:
    kept: list[Flight] = []
    made = Flight("PACS@10.0.0.5:104", 1e9, 100.0, kept.append)
    made.association = association
    return made, kept


def stream() -> bytes:
    return b"".join((
        pdus.encode(request()), pdus.encode(Fragment(1, 3, b"\x00" * 40)), pdus.encode(Fragment(1, 2, SECRET * 9)),
        pdus.encode(ReleaseRequest()), pdus.encode(AssociateReject(1, 1, 7)), pdus.encode(Abort(2, 6)),
    ))  # fmt: skip


@pytest.mark.parametrize("step", [1, 2, 5, 6, 7, 11, 12, 13, 64, 10_000])
def test_heads_are_found_however_the_bytes_are_cut(step: int) -> None:
    heads, data = Heads(), stream()
    found = [head for at in range(0, len(data), step) for head in heads.feed(data[at : at + step])]
    assert [head[0] for head in found] == [1, 4, 4, 5, 3, 7]
    assert all(len(head) <= 12 for head in found)


def test_what_is_no_pdu_is_noted_once() -> None:
    heads = Heads()
    assert [head[0] for head in heads.feed(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 9)] == [ord("H")]
    assert heads.lost
    assert not heads.feed(stream())


def test_rows_tell_type_length_context_control_and_reasons() -> None:
    made, _ = flight()
    made.sent(100.5, stream())
    rows = made.rows
    assert rows[1] == (500.0, ">", 4, 46, 1, 3)
    assert rows[2] == (500.0, ">", 4, 78, 1, 2)
    assert rows[3] == (500.0, ">", 5, 4)
    assert rows[4] == (500.0, ">", 3, 4, 1, 1, 7)
    assert rows[5] == (500.0, ">", 7, 4, 0, 2, 6)


def test_commands_are_noted_without_instance_and_comment() -> None:
    made, kept = flight()
    made.message(100.0, ">", 1, CStoreRequest(7, SC, "1.2.3.4.5.6"))
    made.message(100.0, "<", 1, CStoreResponse(7, 0xA700, SC, "1.2.3.4.5.6", (), "no room for DOE^JANE"))
    made.message(100.0, "<", 1, OtherRequest(8, 0x20, US))
    made.end(101.0)
    text = json.dumps(kept[0].facts())
    assert [row[2:6] for row in made.rows] == [
        ("C-STORE-RQ", 1, 7, None), ("C-STORE-RSP", 1, 7, 0xA700), ("other-RQ", 1, 8, None),
    ]  # fmt: skip
    assert "DOE" not in text
    assert "1.2.3.4.5.6" not in text


def test_a_long_association_keeps_its_beginning_and_its_end() -> None:
    made, _ = flight()
    for number in range(1000):
        made.data_set(100.0 + number, 1, number + 1, 1)
    sizes = [row[4] for row in made.rows]
    assert sizes[:2] == [1, 2]
    assert sizes[-1] == 1000
    assert len(sizes) == FIRST_ROWS + LAST_ROWS
    assert made.facts()["left_out"] == 1000 - len(sizes)


def test_negotiation_is_told_also_where_the_peer_never_answered() -> None:
    pair = Pair()
    made, _ = flight(pair.requestor)
    facts = made.facts()
    assert facts["called_ae"] == request().called_ae
    assert [row[0] for row in facts["contexts"]] == [context.context_id for context in request().contexts]
    answered = acceptance(request())
    assert facts["maximum_length"] == answered.user.maximum_length
    json.dumps(facts)


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (LinkTimeout("P@10.0.0.5:104: no response in time"), "link.timeout", "P@10.0.0.5:104: no response in time"),
        (MediaError("read /spool/INST/x: gone"), "spool.media", ""),
        (UserNotConfirmed("P@10.0.0.5:104 does not confirm the user 'm.weber'"), "association.user", ""),
        (RemoteProtocolError("about 1.2.840.99.1.2.3, not 2.25.1.2.3.4"), "protocol.remote", "about (UID), not (UID)"),
    ],
)
def test_the_first_reason_of_an_end_is_kept_in_words_that_may_leave_the_house(error: Any, code: str, text: str) -> None:
    made, kept = flight()
    made.end(101.0, error)
    made.end(102.0)
    assert len(kept) == 1
    assert made.ended == (code, text)
    assert made.facts()["seconds"] == 1.0


class Wire:
    """A transport whose other end is an acceptor that answers what it is told to."""

    name = "PACS@10.0.0.5:104"

    def __init__(self, acceptor: Association, answers: list[list[Any]]) -> None:
        self.acceptor = acceptor
        self.answers = answers

    def facts(self) -> dict[str, str]:
        return {"transport": "tcp"}

    def write(self, data: bytes, _ends: float) -> None:
        self.acceptor.receive(bytes(data), 0.0)
        drain(self.acceptor)

    def read(self, _deadline: float, _wait: str) -> bytes:
        for primitive in self.answers.pop(0):
            self.acceptor.send(primitive, 0.0)
        return written(self.acceptor)

    def close(self) -> None:
        pass


def test_a_driver_notes_both_directions_and_the_commands() -> None:
    pair = Pair()
    response = encode(CStoreResponse(1, 0, SC, "1.2.3.4.5.6"), data_set=False)
    wire = Wire(pair.acceptor, [[Fragment(1, 3, response)], [ReleaseResponse()]])
    driver = Driver(pair.requestor, cast("Transport", wire), Timeouts(), lambda: 100.0)
    made, kept = flight()
    driver.record(made)
    conversation = Conversation(driver)
    conversation.send(1, CStoreRequest(1, SC, "1.2.3.4.5.6"), SECRET)
    conversation.message("response", 200.0)
    assert driver.release()
    driver.ended()
    (done,) = kept
    told = [row[1:3] for row in done.rows]
    assert told == [
        ("-", "connected"), (">", "C-STORE-RQ"), (">", 4), (">", 4), ("<", 4), ("<", "C-STORE-RSP"), (">", 5), ("<", 6)
    ]  # fmt: skip
    assert SECRET.decode() not in json.dumps(done.facts())
