"""Command Sets: golden bytes, pydicom as judge, and what peers get wrong."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from fakes.associations import golden

from agent.dataset.uid import STORAGE_COMMITMENT, STORAGE_COMMITMENT_INSTANCE, US
from agent.dimse import command, message
from agent.dimse.layout import LAYOUTS, decode, encode
from agent.errors import LocalProtocolError, RemoteProtocolError

STUDY_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
MPPS = "1.2.840.10008.3.1.2.3.3"

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
    (message.CFindRequest(5, STUDY_ROOT_FIND), True),
    (message.CFindRequest(5, STUDY_ROOT_FIND, message.LOW), True),
    (message.CFindResponse(5, 0xFF00, STUDY_ROOT_FIND), True),
    (message.CFindResponse(5, 0xFF01), True),
    (message.CFindResponse(5, 0xA900, STUDY_ROOT_FIND, (0x00080052,), "no such level"), False),
    (message.NCreateRequest(6, MPPS, "1.2.6"), True),
    (message.NCreateRequest(6, MPPS), False),
    (message.NCreateResponse(6, 0, MPPS, "1.2.6"), True),
    (message.NCreateResponse(6, 0x0120, MPPS, "1.2.6", (0x00400270, 0x00400252), "missing", 2), False),
    (message.NSetRequest(7, MPPS, "1.2.6"), True),
    (message.NSetResponse(7, 0x0110, MPPS, "1.2.6", (), "may no longer be updated", 0xA506), False),
    (message.NGetRequest(8, MPPS, "1.2.6"), False),
    (message.NGetRequest(8, MPPS, "1.2.6", (0x00400252, 0x7FE00010)), False),
    (message.NGetResponse(8, 0x0107, MPPS, "1.2.6", (0x7FE00010,)), True),
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


NAMES = {  # what pynetdicom calls the fields of ours; the others have the name of their element
    "message_id": ("MessageID", "MessageIDBeingRespondedTo"),
    "sop_class_uid": ("AffectedSOPClassUID", "RequestedSOPClassUID"),
    "sop_instance_uid": ("AffectedSOPInstanceUID", "RequestedSOPInstanceUID"),
    "priority": ("Priority",),
    "status": ("Status",),
    "offending": ("OffendingElement",),
    "attributes": ("AttributeIdentifierList",),
    "comment": ("ErrorComment",),
    "error_id": ("ErrorID",),
}
THEIR_DATA_SETS = ("Identifier", "AttributeList", "ModificationList")
NEW = (
    message.CFindRequest, message.CFindResponse, message.NCreateRequest, message.NCreateResponse, message.NSetRequest,
    message.NSetResponse, message.NGetRequest, message.NGetResponse,
)  # fmt: skip
PLAIN = [(one, data_set) for one, data_set in MESSAGES if isinstance(one, NEW)]


def kind_of(one: message.Message) -> str:
    """C_FIND of CFindRequest."""
    name = type(one).__name__.removesuffix("Request").removesuffix("Response")
    return f"{name[0]}_{name[1:].upper()}"


def number(value: Any) -> Any:
    """Tags as plain integers; nothing at all as None."""
    if value is None or value == "" or value == () or value == []:
        return None
    if isinstance(value, (list, tuple)) or type(value).__name__ == "MultiValue":
        return tuple(int(each) for each in value)
    return value


def same(ours: Any, theirs: Any) -> bool:
    ours, theirs = number(ours), number(theirs)
    return bool(ours == theirs or (isinstance(ours, tuple) and ours == (theirs,)))


@pytest.mark.parametrize(("one", "data_set"), PLAIN)
def test_pynetdicom_reads_the_same_as_we_wrote(one: message.Message, data_set: bool) -> None:
    messages = pytest.importorskip("pynetdicom.dimse_messages")
    theirs = messages.DIMSEMessage()
    primitive = pytest.importorskip("pynetdicom.pdu_primitives").P_DATA()
    primitive.presentation_data_value_list = [[1, b"\x03" + encode(one, data_set=data_set)]]
    if data_set:
        primitive.presentation_data_value_list.append([1, b"\x02ab"])
    assert theirs.decode_msg(primitive)
    assert type(theirs).__name__ == kind_of(one) + ("_RSP" if message.is_response(one) else "_RQ")
    found = theirs.message_to_primitive()
    for field, value in one._asdict().items():
        assert any(same(value, theirs.command_set.get(name)) for name in NAMES[field]), field
        known = [getattr(found, name) for name in NAMES[field] if hasattr(found, name)]
        assert not known or any(same(value, each) for each in known), field
    content = [getattr(found, name, None) for name in THEIR_DATA_SETS]
    assert any(each is not None and each.getvalue() == b"ab" for each in content) == data_set


@pytest.mark.parametrize(("one", "data_set"), PLAIN)
def test_we_read_the_same_as_pynetdicom_wrote(one: message.Message, data_set: bool) -> None:
    theirs = getattr(pytest.importorskip("pynetdicom.dimse_primitives"), kind_of(one))()
    for field, value in one._asdict().items():
        response = message.is_response(one)
        names = [name for name in NAMES[field] if hasattr(theirs, name)]
        if not names:  # their N-CREATE and N-SET know of no list of attributes in an answer
            assert field in {"attributes", "offending", "error_id"}
            one = one._replace(**{field: type(one)._field_defaults[field]})
            continue
        name = names[-1] if field == "message_id" and response else names[0]
        if field.startswith("sop_") and not response and len(names) > 1:
            name = names[-1]
        if number(value) is not None:
            setattr(theirs, name, list(value) if isinstance(value, tuple) else value)
    if data_set:
        setattr(theirs, next(name for name in THEIR_DATA_SETS if hasattr(theirs, name)), BytesIO(b"ab"))
    name = kind_of(one) + ("_RSP" if message.is_response(one) else "_RQ")
    written = getattr(pytest.importorskip("pynetdicom.dimse_messages"), name)()
    written.primitive_to_message(theirs)
    pdvs = [pdv for p in written.encode_msg(1, 16384) for pdv in p.presentation_data_value_list]
    assert decode(pdvs[0][1][1:]) == (one, data_set)
    assert len(pdvs) == 1 + data_set


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
    data = element(0x0003, b"1.2 ") + element(0x0100, b"\x21\0") + element(0x0110, b"\7\0") + element(0x0800, b"\2\1")
    request, data_set = decode(data)
    assert (request, data_set) == (message.OtherRequest(7, 0x0021, "1.2"), True)
    answer = message.refusal(request, 0x0211)
    assert answer is not None
    judge = pytest.importorskip("pynetdicom.dsutils").decode(BytesIO(encode(answer)), True, True)
    assert (judge.CommandField, judge.MessageIDBeingRespondedTo, judge.Status) == (0x8021, 7, 0x0211)
    assert decode(encode(request))[0] == request


def test_refusals() -> None:
    assert message.refusal(message.CEchoRequest(3), 0x0122) == message.CEchoResponse(3, 0x0122)
    assert message.refusal(message.CFindRequest(3, "1.2"), 0x0211) == message.CFindResponse(3, 0x0211)
    assert message.refusal(message.CCancelRequest(3), 0x0211) is None
    assert message.refusal(message.CStoreResponse(3, 0), 0x0211) is None


def test_responses_are_told_apart() -> None:
    kinds = {type(one).__name__ for one, _ in MESSAGES if message.is_response(one)}
    assert kinds == {layout.message.__name__ for layout in LAYOUTS.values() if layout.command_field & message.RESPONSE}


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
