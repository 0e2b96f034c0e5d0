"""Storage and Verification: what to propose, where an instance goes, which answer counts."""

from __future__ import annotations

import pytest
from fakes.associations import Pair

from agent.dataset.uid import (
    DX_PRESENTATION,
    EXPLICIT_VR_LE,
    JPEG_LS_NEAR,
    RLE_LOSSLESS,
    US,
    VERIFICATION,
)
from agent.dimse.fragment import Received
from agent.dimse.message import CEchoRequest, CEchoResponse, CStoreRequest, CStoreResponse, Message
from agent.errors import RemoteProtocolError
from agent.service import storage, verification
from agent.service.proposal import Need, associate_request, propose
from agent.ul import pdu
from agent.ul.negotiate import AgreedContext


def test_one_context_per_class_and_syntax() -> None:
    pairs = [(US, EXPLICIT_VR_LE), (US, RLE_LOSSLESS), (US, EXPLICIT_VR_LE), (DX_PRESENTATION, JPEG_LS_NEAR)]
    assert storage.needs(pairs) == [
        Need(US, (EXPLICIT_VR_LE,)),
        Need(US, (RLE_LOSSLESS,)),
        Need(DX_PRESENTATION, (JPEG_LS_NEAR,)),
    ]


def test_contexts_are_odd_unique_and_at_most_128() -> None:
    needs = [Need(f"1.2.{number}", (EXPLICIT_VR_LE,)) for number in range(130)]
    contexts, left_over = propose([*needs, needs[0]])
    assert [context.context_id for context in contexts] == list(range(1, 256, 2))
    assert left_over == tuple(needs[128:])
    pdu.encode(associate_request("A", "B", contexts))


def match(message: Message, context_id: int = 3) -> CStoreResponse:
    received = Received(context_id, message, False)
    return storage.match(received, message_id=9, context_id=3, sop_instance_uid="1.2.3")


def test_the_answer_that_counts() -> None:
    assert match(CStoreResponse(9, 0, US, "1.2.3")).status == 0
    assert match(CStoreResponse(9, 0xA700)).status == 0xA700


@pytest.mark.parametrize(
    ("message", "context_id"),
    [
        (CStoreResponse(8, 0, US, "1.2.3"), 3),
        (CStoreResponse(9, 0, US, "1.2.3"), 1),
        (CStoreResponse(9, 0, US, "1.2.4"), 3),
        (CEchoResponse(9, 0), 3),
        (CEchoRequest(9), 3),
    ],
)
def test_answers_that_do_not(message: Message, context_id: int) -> None:
    with pytest.raises(RemoteProtocolError):
        match(message, context_id)


@pytest.mark.parametrize(
    ("sop_class", "instance", "status"),
    [
        (US, "1.2.3", 0),
        (US, "1.02.0", 0),
        (DX_PRESENTATION, "1.2.3", 0x0122),
        (US, "../../etc/passwd", 0x0117),
        (US, "1..2", 0x0117),
        (US, "1.2?", 0x0117),
        (US, "", 0x0117),
        (US, "1." + "0" * 63, 0x0117),
    ],
)
def test_what_an_archive_says_to_the_command(sop_class: str, instance: str, status: int) -> None:
    assert storage.check(CStoreRequest(1, sop_class, instance), AgreedContext(3, US, EXPLICIT_VR_LE)) == status


def test_echo() -> None:
    assert verification.respond(CEchoRequest(4)) == CEchoResponse(4, 0)
    assert verification.respond(CEchoRequest(4, "1.2")).status == 0x0118
    received = Received(1, CEchoResponse(4, 0), False)
    assert verification.match(received, message_id=4, context_id=1).status == 0
    for message_id, context_id in ((5, 1), (4, 3)):
        with pytest.raises(RemoteProtocolError, match="C-ECHO-RSP"):
            verification.match(received, message_id=message_id, context_id=context_id)


@pytest.mark.parametrize("step", [0, 1])
def test_echo_between_two_associations(step: int) -> None:
    from agent.dimse.fragment import Assembler, split
    from agent.dimse.layout import encode

    pair = Pair(step)
    (context_id,) = (c.context_id for c in pair.requestor.contexts.values() if c.abstract_syntax == VERIFICATION)
    for fragment in split(context_id, encode(CEchoRequest(1)), pair.requestor.fragment_bytes, command=True):
        pair.requestor.send(fragment, 0.0)
    (event,) = pair.to_acceptor()
    assert isinstance(event, pdu.Fragment)
    asked = Assembler().feed(event)
    assert isinstance(asked, Received)
    assert isinstance(asked.message, CEchoRequest)
    answer = encode(verification.respond(asked.message))
    pair.acceptor.send(pdu.Fragment(context_id, pdu.COMMAND | pdu.LAST, answer), 0.0)
    (event,) = pair.to_requestor()
    assert isinstance(event, pdu.Fragment)
    answered = Assembler().feed(event)
    assert isinstance(answered, Received)
    assert verification.match(answered, message_id=1, context_id=context_id).status == 0
