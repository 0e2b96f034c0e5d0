"""DIMSE messages as values (PS3.7 9.3, 10.3); how they look on the wire is in ``dimse.layout``.

In a request ``message_id`` is its own; in a response, and in C-CANCEL, it is that of the request it belongs to.
Requests of services we do not have become ``OtherRequest``, to be answered with "unrecognized operation".
"""

from __future__ import annotations

from agent.dataset.uid import VERIFICATION
from agent.typed import Any, NamedTuple

RESPONSE = 0x8000

# Message ID is 16 bits; 0 is legal but some peers take it for "none".
MESSAGE_ID_LIMIT = 0xFFFF

MEDIUM = 0
HIGH = 1
LOW = 2


class CEchoRequest(NamedTuple):
    """C-ECHO-RQ."""

    message_id: int
    sop_class_uid: str = VERIFICATION


class CEchoResponse(NamedTuple):
    """C-ECHO-RSP."""

    message_id: int
    status: int = 0
    sop_class_uid: str = VERIFICATION
    comment: str = ""


class CStoreRequest(NamedTuple):
    """C-STORE-RQ; the move originator is there only when a C-MOVE asked for the instance."""

    message_id: int
    sop_class_uid: str
    sop_instance_uid: str
    priority: int = MEDIUM
    move_originator_ae: str = ""
    move_originator_message_id: int | None = None


class CStoreResponse(NamedTuple):
    """C-STORE-RSP; ``offending`` are the tags a warning or failure names."""

    message_id: int
    status: int
    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    offending: tuple[int, ...] = ()
    comment: str = ""
    error_id: int | None = None


class CFindRequest(NamedTuple):
    """C-FIND-RQ; the Identifier follows as its Data Set."""

    message_id: int
    sop_class_uid: str
    priority: int = MEDIUM


class CFindResponse(NamedTuple):
    """C-FIND-RSP; an Identifier follows while ``status`` is pending, and never otherwise."""

    message_id: int
    status: int
    sop_class_uid: str = ""
    offending: tuple[int, ...] = ()
    comment: str = ""


class CCancelRequest(NamedTuple):
    """C-CANCEL-RQ of the operation ``message_id``; never answered."""

    message_id: int


class NActionRequest(NamedTuple):
    """N-ACTION-RQ."""

    message_id: int
    sop_class_uid: str
    sop_instance_uid: str
    action_type_id: int


class NActionResponse(NamedTuple):
    """N-ACTION-RSP; ``action_type_id`` only if a reply Data Set follows."""

    message_id: int
    status: int
    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    action_type_id: int | None = None
    comment: str = ""
    error_id: int | None = None


class NEventReportRequest(NamedTuple):
    """N-EVENT-REPORT-RQ."""

    message_id: int
    sop_class_uid: str
    sop_instance_uid: str
    event_type_id: int


class NEventReportResponse(NamedTuple):
    """N-EVENT-REPORT-RSP; ``event_type_id`` only if a reply Data Set follows."""

    message_id: int
    status: int
    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    event_type_id: int | None = None
    comment: str = ""
    error_id: int | None = None


class NCreateRequest(NamedTuple):
    """N-CREATE-RQ; without a SOP Instance UID the SCP makes one up."""

    message_id: int
    sop_class_uid: str
    sop_instance_uid: str = ""


class NCreateResponse(NamedTuple):
    """N-CREATE-RSP; ``attributes`` are the tags that a warning or failure names."""

    message_id: int
    status: int
    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    attributes: tuple[int, ...] = ()
    comment: str = ""
    error_id: int | None = None


class NSetRequest(NamedTuple):
    """N-SET-RQ; the Modification List follows as its Data Set."""

    message_id: int
    sop_class_uid: str
    sop_instance_uid: str


class NSetResponse(NamedTuple):
    """N-SET-RSP; ``attributes`` are the tags that a warning or failure names."""

    message_id: int
    status: int
    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    attributes: tuple[int, ...] = ()
    comment: str = ""
    error_id: int | None = None


class NGetRequest(NamedTuple):
    """N-GET-RQ of ``attributes`` (tags); none means all."""

    message_id: int
    sop_class_uid: str
    sop_instance_uid: str
    attributes: tuple[int, ...] = ()


class NGetResponse(NamedTuple):
    """N-GET-RSP; the attributes asked for follow as its Data Set, ``attributes`` are those a warning names."""

    message_id: int
    status: int
    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    attributes: tuple[int, ...] = ()
    comment: str = ""
    error_id: int | None = None


class OtherRequest(NamedTuple):
    """A request of a service the agent does not have; ``command_field`` says which."""

    message_id: int
    command_field: int
    sop_class_uid: str = ""


class OtherResponse(NamedTuple):
    """The answer to an ``OtherRequest``: its command field with the response bit, and a failure."""

    message_id: int
    command_field: int
    status: int
    sop_class_uid: str = ""


Request = (
    CEchoRequest | CStoreRequest | CFindRequest | CCancelRequest | NActionRequest | NEventReportRequest
    | NCreateRequest | NSetRequest | NGetRequest | OtherRequest
)  # fmt: skip
Response = (
    CEchoResponse | CStoreResponse | CFindResponse | NActionResponse | NEventReportResponse
    | NCreateResponse | NSetResponse | NGetResponse | OtherResponse
)  # fmt: skip
Message = Request | Response


def is_response(message: Message) -> bool:
    """True for a message that answers one of ours."""
    return type(message) in _RESPONSES


_RESPONSES = frozenset(Response.__args__)


def refusal(request: Message, status: int) -> Message | None:
    """Return the response that refuses ``request`` with ``status``; None for what is never answered."""
    if isinstance(request, OtherRequest):
        return OtherResponse(request.message_id, request.command_field | RESPONSE, status, request.sop_class_uid)
    response = _ANSWERS.get(type(request))
    return None if response is None else response(request.message_id, status)


_ANSWERS: dict[type[Any], type[Any]] = {
    CEchoRequest: CEchoResponse,
    CStoreRequest: CStoreResponse,
    CFindRequest: CFindResponse,
    NActionRequest: NActionResponse,
    NEventReportRequest: NEventReportResponse,
    NCreateRequest: NCreateResponse,
    NSetRequest: NSetResponse,
    NGetRequest: NGetResponse,
}
