"""Command Sets: golden bytes, pydicom as judge, and what peers get wrong."""

from __future__ import annotations

from io import BytesIO

import pytest
from fakes.associations import golden

from agent.dataset.uid import STORAGE_COMMITMENT, STORAGE_COMMITMENT_INSTANCE, US
from agent.dimse import command, message
from agent.dimse.layout import LAYOUTS, decode, encode
from agent.errors import LocalProtocolError, RemoteProtocolError

MESSAGES: list[tuple[message.Message, bool]] = [
    (message.CEchoRequest(1), False),
    (message.CEchoResponse(1), False),
    (message.CStoreRequest(7, US, "1.2.3"), True),
    (message.CStoreRequest(65535, US, "1.2.34", message.LOW, "MOVER", 3), True),
    (message.CStoreRequest(7, US, "1.2.3", message.HIGH, "MOVER"), True),
    (message.CStoreResponse(7, 0, US, "1.2.3"), False),
    (message.CStoreResponse(7, 0xB000, US, "1.2.3", (0x00100010, 0x7FE00010), "coerced", 9), False),
    (message.CCancelRequest(4), False),
    (message.NActionRequest(2, STORAGE_COMMITMENT, STORAGE_COMMITMENT_INSTANCE, 1), True),
    (message.NActionResponse(2, 0x0110, STORAGE_COMMITMENT, STORAGE_COMMITMENT_INSTANCE, None, "no", 5), False),
    (message.NActionResponse(2, 0, action_type_id=1), True),
    (message.NEventReportRequest(3, STORAGE_COMMITMENT, STORAGE_COMMITMENT_INSTANCE, 2), True),
    (message.NEventReportResponse(3, 0), False),
]


@pytest.mark.parametrize(("one", "data_set"), MESSAGES)
def test_what_is_written_is_read_and_pydicom_agrees(one: message.Message, data_set: bool) -> None:
    data = encode(one, data_set=data_set)
    assert decode(data) == (one, data_set)
    judge = pytest.importorskip("pynetdicom.dsutils").decode(BytesIO(data), True, True)
    assert judge.CommandGroupLength == len(data) - 12
    assert (judge.CommandDataSetType != 0x0101) == data_set
    assert [element.tag for element in judge] == sorted(element.tag for element in judge)
    number = judge.get("MessageID", judge.get("MessageIDBeingRespondedTo"))
    assert number == one.message_id
    assert BytesIO(data).getbuffer().nbytes % 2 == 0


def test_every_row_is_exercised() -> None:
    assert {type(one) for one, _ in MESSAGES} == {layout.message for layout in LAYOUTS.values()}


def test_the_worked_echo() -> None:
    assert encode(message.CEchoRequest(1)) == golden()["c-echo-rq_worked"][12:]


def test_pynetdicom_wrote_these() -> None:
    primitives = pytest.importorskip("pynetdicom.dimse_primitives")
    messages = pytest.importorskip("pynetdicom.dimse_messages")
    theirs = primitives.C_STORE()
    theirs.MessageID, theirs.Priority = 12, 2
    theirs.AffectedSOPClassUID, theirs.AffectedSOPInstanceUID = US, "1.2.345"
    theirs.DataSet = BytesIO(b"ab")
    rq = messages.C_STORE_RQ()
    rq.primitive_to_message(theirs)
    (command_pdv, _) = [pdv for p in rq.encode_msg(1, 16384) for pdv in p.presentation_data_value_list]
    assert decode(command_pdv[1][1:]) == (message.CStoreRequest(12, US, "1.2.345", 2), True)
    theirs = primitives.C_STORE()
    theirs.MessageIDBeingRespondedTo, theirs.Status = 12, 0xA700
    theirs.AffectedSOPClassUID, theirs.AffectedSOPInstanceUID = US, "1.2.345"
    theirs.ErrorComment = "disk full"
    rsp = messages.C_STORE_RSP()
    rsp.primitive_to_message(theirs)
    (response,) = [pdv for p in rsp.encode_msg(1, 16384) for pdv in p.presentation_data_value_list]
    assert decode(response[1][1:]) == (message.CStoreResponse(12, 0xA700, US, "1.2.345", comment="disk full"), False)


def test_the_template_follows_class_and_priority() -> None:
    for _ in range(2):
        for sop_class in ("1.2", "1.2.3", US):
            for priority in (0, 1, 2):
                one = message.CStoreRequest(5, sop_class, "1.9", priority)
                assert decode(encode(one)) == (one, True)
    for number in range(300):
        encode(message.CStoreRequest(1, f"1.2.{number}", "1.2"))


# --- tolerant on receive ------------------------------------------------------------------------


def element(tag: int, value: bytes, group: int = 0) -> bytes:
    return group.to_bytes(2, "little") + tag.to_bytes(2, "little") + len(value).to_bytes(4, "little") + value


ECHO = {
    command.AFFECTED_SOP_CLASS_UID: element(0x0002, b"1.2.840.10008.1.1\0"),
    command.COMMAND_FIELD: element(0x0100, b"\x30\0"),
    command.MESSAGE_ID: element(0x0110, b"\7\0"),
    command.DATA_SET_TYPE: element(0x0800, b"\1\1"),
}


def test_order_group_length_and_strangers_do_not_matter() -> None:
    strangers = element(0x0000, b"\xff\xff\0\0") + element(0x0001, bytes(4)) + element(0x5010, b"retired ")
    data = b"".join(reversed(ECHO.values())) + strangers
    assert decode(data) == (message.CEchoRequest(7), False)


def test_comments_are_made_printable() -> None:
    text = b"bad\x1b[31m\xff "
    data = (
        element(0x0100, b"\x01\x80")
        + element(0x0120, b"\1\0")
        + element(0x0800, b"\1\1")
        + element(0x0900, b"\0\xc0")
        + element(0x0902, text)
    )
    response = decode(data)[0]
    assert isinstance(response, message.CStoreResponse)
    assert response.comment == "bad?[31m?"


@pytest.mark.parametrize("missing", [command.COMMAND_FIELD, command.MESSAGE_ID, command.DATA_SET_TYPE])
def test_a_missing_mandatory_element_is_named(missing: int) -> None:
    data = b"".join(value for tag, value in ECHO.items() if tag != missing)
    with pytest.raises(RemoteProtocolError, match=f"0000,{missing:04X}"):
        decode(data)


@pytest.mark.parametrize(
    "data",
    [
        b"\0\0\0",
        element(0x0100, b"\x30"),
        element(0x0100, b"\x30\0\0\0"),
        element(0x0010, b"ab", group=8),
        b"\0\0\0\x01\xff\xff\xff\xff",
        encode(message.CStoreResponse(1, 0)).replace(element(0x0800, b"\1\1"), element(0x0800, b"\1\0")),
        encode(message.CStoreRequest(1, US, "1.2")).replace(element(0x0800, b"\1\0"), element(0x0800, b"\1\1")),
        element(0x0100, b"\x20\x80") + element(0x0120, b"\1\0") + element(0x0800, b"\1\1"),
        b"",
    ],
)
def test_what_is_no_command_set_raises_a_remote_error(data: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        decode(data)


# --- requests we do not serve, and answers ------------------------------------------------------


def test_an_unknown_request_can_be_refused() -> None:
    data = element(0x0003, b"1.2 ") + element(0x0100, b"\x20\0") + element(0x0110, b"\7\0") + element(0x0800, b"\2\1")
    request, data_set = decode(data)
    assert (request, data_set) == (message.OtherRequest(7, 0x0020, "1.2"), True)
    answer = message.refusal(request, 0x0211)
    assert answer is not None
    judge = pytest.importorskip("pynetdicom.dsutils").decode(BytesIO(encode(answer)), True, True)
    assert (judge.CommandField, judge.MessageIDBeingRespondedTo, judge.Status) == (0x8020, 7, 0x0211)
    assert decode(encode(request))[0] == request


def test_refusals() -> None:
    assert message.refusal(message.CEchoRequest(3), 0x0122) == message.CEchoResponse(3, 0x0122)
    assert message.refusal(message.CCancelRequest(3), 0x0211) is None
    assert message.refusal(message.CStoreResponse(3, 0), 0x0211) is None


def test_responses_are_told_apart() -> None:
    kinds = {type(one).__name__ for one, _ in MESSAGES if message.is_response(one)}
    assert kinds == {"CEchoResponse", "CStoreResponse", "NActionResponse", "NEventReportResponse"}


# --- strict on send -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "data_set"),
    [
        (message.CStoreRequest(1, US, "1.2.x"), True),
        (message.CStoreRequest(1, US, ""), True),
        (message.CStoreRequest(1, US, "1" * 65), True),
        (message.CStoreRequest(1, "not a class", "1.2"), True),
        (message.CStoreResponse(1, 0x10000), False),
        (message.CStoreResponse(1, 0, comment="x" * 65), False),
        (message.CStoreResponse(1, 0, comment="schön"), False),
        (message.NActionRequest(1, "", "1.2", 1), True),
        (message.CEchoRequest(1), True),
    ],
)
def test_what_the_standard_forbids_is_not_written(one: message.Message, data_set: bool) -> None:
    with pytest.raises(LocalProtocolError):
        encode(one, data_set=data_set)
