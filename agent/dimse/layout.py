"""How each message looks as a Command Set (PS3.7 9.3, 10.3, Annex E).

One row per message in ``LAYOUTS``: command field, the elements it carries, and whether a Data Set follows. ``encode``
and ``decode`` walk the row; a new service adds a class in ``dimse.message`` and a row here.

C-STORE-RQ is written thousands of times per second with little in it that changes, so its Command Set is cut once per
SOP Class, and only Message ID and SOP Instance UID are filled in.

Reading raises ``RemoteProtocolError`` for a missing mandatory element or a Data Set where none may be (a C-STORE-RSP
that announces one, for instance); writing raises ``LocalProtocolError`` for values that no element can hold.
"""

from __future__ import annotations

from struct import Struct

from agent.dimse import command as c
from agent.dimse.message import (
    RESPONSE,
    CCancelRequest,
    CEchoRequest,
    CEchoResponse,
    CFindRequest,
    CFindResponse,
    CStoreRequest,
    CStoreResponse,
    Message,
    NActionRequest,
    NActionResponse,
    NCreateRequest,
    NCreateResponse,
    NEventReportRequest,
    NEventReportResponse,
    NGetRequest,
    NGetResponse,
    NSetRequest,
    NSetResponse,
    OtherRequest,
    OtherResponse,
)
from agent.errors import LocalProtocolError, RemoteProtocolError
from agent.typed import Any, NamedTuple

# Prebuilt Command Sets kept at once: one association carries at most 128 SOP Classes.
_TEMPLATE_LIMIT = 128


class Layout(NamedTuple):
    """How one message looks: field names of its class by tag, which are mandatory, whether a Data Set follows."""

    command_field: int
    message: type[Any]
    fields: tuple[tuple[int, str], ...]
    required: frozenset[int]
    data_set: bool | None  # True always, False never, None as the sender likes


def _layout(field: int, message: type[Any], elements: str, *, data_set: bool | None) -> Layout:
    """Build a row from ``NAME`` (mandatory) and ``NAME?`` words, which are ascending tags of the command table."""
    fields = []
    required = set()
    for word in elements.split():
        name = word.rstrip("?")
        tag: int = getattr(c, name)
        fields.append((tag, _FIELD_NAMES.get(name, name.lower())))
        if not word.endswith("?"):
            required.add(tag)
    return Layout(field, message, tuple(fields), frozenset(required), data_set)


_FIELD_NAMES = {
    "AFFECTED_SOP_CLASS_UID": "sop_class_uid",
    "REQUESTED_SOP_CLASS_UID": "sop_class_uid",
    "AFFECTED_SOP_INSTANCE_UID": "sop_instance_uid",
    "REQUESTED_SOP_INSTANCE_UID": "sop_instance_uid",
    "MESSAGE_ID_RESPONDED_TO": "message_id",
    "OFFENDING_ELEMENT": "offending",
    "ATTRIBUTE_IDENTIFIER_LIST": "attributes",
    "ERROR_COMMENT": "comment",
}

# What N-CREATE, N-SET and N-GET answer with; the attribute list names what a warning or failure is about.
_ATTRIBUTES_ANSWER = (
    "AFFECTED_SOP_CLASS_UID? MESSAGE_ID_RESPONDED_TO STATUS ERROR_COMMENT? ERROR_ID? AFFECTED_SOP_INSTANCE_UID?"
    " ATTRIBUTE_IDENTIFIER_LIST?"
)

_LAYOUTS = (
    _layout(0x0030, CEchoRequest, "AFFECTED_SOP_CLASS_UID? MESSAGE_ID", data_set=False),
    _layout(
        0x8030,
        CEchoResponse,
        "AFFECTED_SOP_CLASS_UID? MESSAGE_ID_RESPONDED_TO STATUS ERROR_COMMENT?",
        data_set=False,
    ),
    _layout(
        0x0001,
        CStoreRequest,
        "AFFECTED_SOP_CLASS_UID MESSAGE_ID PRIORITY? AFFECTED_SOP_INSTANCE_UID MOVE_ORIGINATOR_AE?"
        " MOVE_ORIGINATOR_MESSAGE_ID?",
        data_set=True,
    ),
    _layout(
        0x8001,
        CStoreResponse,
        "AFFECTED_SOP_CLASS_UID? MESSAGE_ID_RESPONDED_TO STATUS OFFENDING_ELEMENT? ERROR_COMMENT? ERROR_ID?"
        " AFFECTED_SOP_INSTANCE_UID?",
        data_set=False,
    ),
    _layout(0x0020, CFindRequest, "AFFECTED_SOP_CLASS_UID MESSAGE_ID PRIORITY?", data_set=True),
    _layout(
        0x8020,
        CFindResponse,
        "AFFECTED_SOP_CLASS_UID? MESSAGE_ID_RESPONDED_TO STATUS OFFENDING_ELEMENT? ERROR_COMMENT?",
        data_set=None,
    ),
    _layout(0x0FFF, CCancelRequest, "MESSAGE_ID_RESPONDED_TO", data_set=False),
    _layout(
        0x0130,
        NActionRequest,
        "REQUESTED_SOP_CLASS_UID MESSAGE_ID REQUESTED_SOP_INSTANCE_UID ACTION_TYPE_ID",
        data_set=None,
    ),
    _layout(
        0x8130,
        NActionResponse,
        "AFFECTED_SOP_CLASS_UID? MESSAGE_ID_RESPONDED_TO STATUS ERROR_COMMENT? ERROR_ID? AFFECTED_SOP_INSTANCE_UID?"
        " ACTION_TYPE_ID?",
        data_set=None,
    ),
    _layout(
        0x0100,
        NEventReportRequest,
        "AFFECTED_SOP_CLASS_UID MESSAGE_ID AFFECTED_SOP_INSTANCE_UID EVENT_TYPE_ID",
        data_set=None,
    ),
    _layout(
        0x8100,
        NEventReportResponse,
        "AFFECTED_SOP_CLASS_UID? MESSAGE_ID_RESPONDED_TO STATUS ERROR_COMMENT? ERROR_ID? AFFECTED_SOP_INSTANCE_UID?"
        " EVENT_TYPE_ID?",
        data_set=None,
    ),
    _layout(0x0140, NCreateRequest, "AFFECTED_SOP_CLASS_UID MESSAGE_ID AFFECTED_SOP_INSTANCE_UID?", data_set=None),
    _layout(0x8140, NCreateResponse, _ATTRIBUTES_ANSWER, data_set=None),
    _layout(0x0120, NSetRequest, "REQUESTED_SOP_CLASS_UID MESSAGE_ID REQUESTED_SOP_INSTANCE_UID", data_set=True),
    _layout(0x8120, NSetResponse, _ATTRIBUTES_ANSWER, data_set=None),
    _layout(
        0x0110,
        NGetRequest,
        "REQUESTED_SOP_CLASS_UID MESSAGE_ID REQUESTED_SOP_INSTANCE_UID ATTRIBUTE_IDENTIFIER_LIST?",
        data_set=False,
    ),
    _layout(0x8110, NGetResponse, _ATTRIBUTES_ANSWER, data_set=None),
)

LAYOUTS = {layout.command_field: layout for layout in _LAYOUTS}
_BY_TYPE = {layout.message: layout for layout in _LAYOUTS}

_UL = Struct("<L")
_LENGTH = Struct("<8sL")
_GROUP_LENGTH = bytes.fromhex("0000000004000000")


def encode(message: Message, *, data_set: bool = False) -> bytes:
    """Return the Command Set; ``data_set`` says that one follows (C-STORE-RQ always has one)."""
    if isinstance(message, CStoreRequest):
        return _encode_store_request(message)
    if isinstance(message, OtherRequest | OtherResponse):
        return _encode_other(message)
    kind = type(message)
    layout = _BY_TYPE[kind]
    if layout.data_set is not None and layout.data_set != data_set:
        raise LocalProtocolError(f"{kind.__name__} {'has no' if data_set else 'needs a'} Data Set")
    elements: list[tuple[int, c.Value]] = [(c.COMMAND_FIELD, layout.command_field)]
    elements.append((c.DATA_SET_TYPE, c.A_DATA_SET if data_set else c.NO_DATA_SET))
    for tag, name in layout.fields:
        value = getattr(message, name)
        if value or value == 0:
            elements.append((tag, value))
        elif tag in layout.required:
            raise LocalProtocolError(f"{kind.__name__} needs {name}")
    elements.sort()
    return c.encode(elements)


def decode(data: bytes) -> tuple[Message, bool]:
    """Return (message, whether a Data Set follows) of a Command Set; RemoteProtocolError if it is none."""
    found = c.decode(data)
    try:
        field = found[c.COMMAND_FIELD]
        data_set = found[c.DATA_SET_TYPE] != c.NO_DATA_SET
    except KeyError as error:
        raise RemoteProtocolError(f"Command Set without (0000,{error.args[0]:04X})") from None
    assert isinstance(field, int)
    layout = LAYOUTS.get(field)
    if layout is None:
        return _decode_other(field, found), data_set
    name = layout.message.__name__
    if layout.data_set is not None and layout.data_set != data_set:
        raise RemoteProtocolError(f"{name} {'announces a' if data_set else 'comes without its'} Data Set")
    missing = layout.required - found.keys()
    if missing:
        raise RemoteProtocolError(f"{name} without (0000,{min(missing):04X})")
    message: Message = layout.message(**{field: found[tag] for tag, field in layout.fields if tag in found})
    return message, data_set


# (SOP Class UID, priority) -> bytes between group length and Message ID, and from there to the length of the instance
_templates: dict[tuple[str, int], tuple[bytes, bytes]] = {}


def _encode_store_request(message: CStoreRequest) -> bytes:
    template = _templates.get((message.sop_class_uid, message.priority))
    if template is None:
        template = _store_template(message)
    before, after = template
    uid = message.sop_instance_uid
    if not 0 < len(uid) <= 64 or uid.strip("0123456789."):
        raise LocalProtocolError(f"Command Set: {uid!r} is no SOP Instance UID")
    instance = uid.encode("ascii")
    if len(instance) & 1:
        instance += b"\0"
    tail = b""
    if message.move_originator_ae:
        tail = c.encode_text(c.MOVE_ORIGINATOR_AE, "AE", message.move_originator_ae)
        if message.move_originator_message_id is not None:
            tail += c.encode([(c.MOVE_ORIGINATOR_MESSAGE_ID, message.move_originator_message_id)])[12:]
    total = len(before) + len(after) + 6 + len(instance) + len(tail)
    return b"".join(
        (
            _LENGTH.pack(_GROUP_LENGTH, total),
            before,
            message.message_id.to_bytes(2, "little"),
            after,
            _UL.pack(len(instance)),
            instance,
            tail,
        )
    )


def _store_template(message: CStoreRequest) -> tuple[bytes, bytes]:
    """Cut the Command Set of a SOP Class around what differs between instances."""
    if len(_templates) >= _TEMPLATE_LIMIT:
        _templates.clear()
    whole = c.encode(
        [
            (c.AFFECTED_SOP_CLASS_UID, message.sop_class_uid),
            (c.COMMAND_FIELD, 0x0001),
            (c.MESSAGE_ID, 0),
            (c.PRIORITY, message.priority),
            (c.DATA_SET_TYPE, c.A_DATA_SET),
            (c.AFFECTED_SOP_INSTANCE_UID, ""),
        ]
    )[12:]
    # From the end: instance header 8 (its length 4 is refilled), Data Set type 10, priority 10, Message ID's value 2.
    template = whole[:-30], whole[-28:-4]
    _templates[message.sop_class_uid, message.priority] = template
    return template


def _encode_other(message: OtherRequest | OtherResponse) -> bytes:
    elements: list[tuple[int, c.Value]] = []
    if message.sop_class_uid:
        elements.append((c.AFFECTED_SOP_CLASS_UID, message.sop_class_uid))
    elements.append((c.COMMAND_FIELD, message.command_field))
    if isinstance(message, OtherResponse):
        elements += [(c.MESSAGE_ID_RESPONDED_TO, message.message_id), (c.DATA_SET_TYPE, c.NO_DATA_SET)]
        elements.append((c.STATUS, message.status))
    else:
        elements += [(c.MESSAGE_ID, message.message_id), (c.DATA_SET_TYPE, c.NO_DATA_SET)]
    return c.encode(elements)


def _decode_other(field: int, found: dict[int, c.Value]) -> OtherRequest:
    message_id = found.get(c.MESSAGE_ID)
    if field & RESPONSE or not isinstance(message_id, int):
        raise RemoteProtocolError(f"message {field:04X}H, which nobody asked for")
    uid = found.get(c.AFFECTED_SOP_CLASS_UID) or found.get(c.REQUESTED_SOP_CLASS_UID) or ""
    return OtherRequest(message_id, field, str(uid))
