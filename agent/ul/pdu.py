"""The seven protocol data units of the upper layer (PS3.8 9.3).

Every PDU starts with six bytes: type, reserved, 32-bit big-endian length of what follows. ``encode`` writes a whole
PDU; ``decode`` reads the body of one, after ``ul.buffer`` has found its borders and checked its length.
P-DATA-TF is special: the unit of conversation is not the PDU but the fragment (one presentation data value), so
``encode`` takes a ``Fragment`` and ``decode_fragments`` yields them, each a view of the body without a copy.
"""

from __future__ import annotations

from struct import Struct

from agent.errors import LocalProtocolError, RemoteProtocolError
from agent.typed import TYPE_CHECKING, NamedTuple
from agent.ul.items import (
    APPLICATION_CONTEXT,
    APPLICATION_CONTEXT_NAME,
    PRESENTATION_CONTEXT_AC,
    PRESENTATION_CONTEXT_RQ,
    UNRECOGNIZED_PDU,
    USER_INFORMATION,
    ContextResult,
    PresentationContext,
    decode_context,
    decode_result,
    decode_text,
    decode_uid,
    encode_context,
    encode_item,
    encode_result,
    encode_uid,
    invalid,
    walk_items,
)
from agent.ul.limits import CONTEXT_LIMIT, ITEM_LIMIT
from agent.ul.user import UserInformation, decode_user, encode_user

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.ul.items import Buffer

ASSOCIATE_RQ = 1
ASSOCIATE_AC = 2
ASSOCIATE_RJ = 3
DATA_TF = 4
RELEASE_RQ = 5
RELEASE_RP = 6
ABORT = 7

HEADER_BYTES = 6
PDV_HEADER_BYTES = 6  # item length, context identifier, message control header

COMMAND = 1  # message control header, bit 0: Command Set, else Data Set
LAST = 2  # bit 1: last fragment of it

_HEADER = Struct(">BxL")
_FOUR = Struct(">BxLxBBB")
_ASSOCIATE = Struct(">Hxx16s16s32s")
_DATA_HEAD = Struct(">BxLLBB")
_PDV = Struct(">LBB")


class AssociateRequest(NamedTuple):
    """A-ASSOCIATE-RQ (PS3.8 9.3.2): who calls whom, and what the requestor proposes."""

    called_ae: str
    calling_ae: str
    contexts: tuple[PresentationContext, ...]
    user: UserInformation
    application_context: str = APPLICATION_CONTEXT_NAME
    version: int = 1
    reserved: bytes = bytes(32)


class AssociateAccept(NamedTuple):
    """A-ASSOCIATE-AC (PS3.8 9.3.3): titles and reserved bytes echo the request, one result per proposed context."""

    called_ae: str
    calling_ae: str
    results: tuple[ContextResult, ...]
    user: UserInformation
    application_context: str = APPLICATION_CONTEXT_NAME
    version: int = 1
    reserved: bytes = bytes(32)


class AssociateReject(NamedTuple):
    """A-ASSOCIATE-RJ (PS3.8 9.3.4); words for the three numbers are in ``ul.reasons``."""

    result: int
    source: int
    reason: int


class Fragment(NamedTuple):
    """One presentation data value of a P-DATA-TF: ``control`` is COMMAND | LAST, ``data`` its bytes (PS3.8 Annex E)."""

    context_id: int
    control: int
    data: Buffer


class ReleaseRequest(NamedTuple):
    """A-RELEASE-RQ (PS3.8 9.3.6)."""


class ReleaseResponse(NamedTuple):
    """A-RELEASE-RP (PS3.8 9.3.7)."""


class Abort(NamedTuple):
    """A-ABORT (PS3.8 9.3.8): source 0 is the peer's application, 2 its upper layer."""

    source: int = 0
    reason: int = 0


Pdu = AssociateRequest | AssociateAccept | AssociateReject | Fragment | ReleaseRequest | ReleaseResponse | Abort


def encode_ae(title: str) -> bytes:
    """Return a title as 16 padded bytes; LocalProtocolError if it is empty, too long or not plain (PS3.8 9.3.2)."""
    text = title.strip(" ")
    if not 1 <= len(text) <= 16 or not text.isascii() or not text.isprintable() or "\\" in text:
        raise LocalProtocolError(f"{title!r} is not an AE Title: 1 to 16 printable characters without backslash")
    return text.encode("ascii").ljust(16)


def encode(pdu: Pdu) -> bytes:
    """Return one whole PDU; LocalProtocolError for values that PS3.8 does not allow."""
    return _ENCODERS[type(pdu)](pdu)


def data_head(context_id: int, control: int, length: int) -> bytes:
    """Return the 12 bytes before a fragment of ``length`` bytes: PDU header and PDV header."""
    return _DATA_HEAD.pack(DATA_TF, length + PDV_HEADER_BYTES, length + 2, context_id, control)


def _encode_request(pdu: AssociateRequest) -> bytes:
    if not 1 <= len(pdu.contexts) <= CONTEXT_LIMIT:
        raise LocalProtocolError(f"{len(pdu.contexts)} presentation contexts; 1 to {CONTEXT_LIMIT} can be proposed")
    if len({context.context_id for context in pdu.contexts}) != len(pdu.contexts):
        raise LocalProtocolError("two presentation contexts share an identifier")
    return _encode_associate(ASSOCIATE_RQ, pdu, b"".join(encode_context(context) for context in pdu.contexts))


def _encode_accept(pdu: AssociateAccept) -> bytes:
    return _encode_associate(ASSOCIATE_AC, pdu, b"".join(encode_result(result) for result in pdu.results))


def _encode_associate(kind: int, pdu: AssociateRequest | AssociateAccept, contexts: bytes) -> bytes:
    body = _ASSOCIATE.pack(pdu.version, encode_ae(pdu.called_ae), encode_ae(pdu.calling_ae), pdu.reserved)
    body += encode_item(APPLICATION_CONTEXT, encode_uid(pdu.application_context)) + contexts + encode_user(pdu.user)
    return _HEADER.pack(kind, len(body)) + body


def _encode_fragment(pdu: Fragment) -> bytes:
    return data_head(pdu.context_id, pdu.control, len(pdu.data)) + pdu.data


def _encode_reject(pdu: AssociateReject) -> bytes:
    return _FOUR.pack(ASSOCIATE_RJ, 4, *pdu)


def _encode_release_request(_: ReleaseRequest) -> bytes:
    return _FOUR.pack(RELEASE_RQ, 4, 0, 0, 0)


def _encode_release_response(_: ReleaseResponse) -> bytes:
    return _FOUR.pack(RELEASE_RP, 4, 0, 0, 0)


def _encode_abort(pdu: Abort) -> bytes:
    return _FOUR.pack(ABORT, 4, 0, *pdu)


_ENCODERS: dict[type, Callable[..., bytes]] = {
    AssociateRequest: _encode_request,
    AssociateAccept: _encode_accept,
    AssociateReject: _encode_reject,
    Fragment: _encode_fragment,
    ReleaseRequest: _encode_release_request,
    ReleaseResponse: _encode_release_response,
    Abort: _encode_abort,
}


def decode(kind: int, body: memoryview) -> Pdu:
    """Read the body of any PDU but P-DATA-TF; RemoteProtocolError if it is unknown or invalid."""
    decoder = _DECODERS.get(kind)
    if decoder is None:
        raise RemoteProtocolError(f"PDU of unknown type {kind:02X}H", reason=UNRECOGNIZED_PDU)
    return decoder(body)


def decode_fragments(body: memoryview) -> list[Fragment]:
    """Read the body of a P-DATA-TF: at least one presentation data value, none cut short, data as views."""
    fragments: list[Fragment] = []
    offset, end = 0, len(body)
    while offset < end:
        if end - offset < PDV_HEADER_BYTES:
            raise invalid(f"P-DATA-TF: {end - offset} stray bytes where a data value should begin")
        length, context_id, control = _PDV.unpack_from(body, offset)
        stop = offset + 4 + length
        if length < 2 or stop > end:
            raise invalid(f"P-DATA-TF: data value says {length} bytes, {end - offset - 4} are left")
        fragments.append(Fragment(context_id, control & 3, body[offset + PDV_HEADER_BYTES : stop]))
        offset = stop
    if not fragments:
        raise invalid("P-DATA-TF without a data value")
    return fragments


def _associate(body: memoryview, what: str) -> tuple[int, str, str, bytes]:
    if len(body) < _ASSOCIATE.size:
        raise invalid(f"{what} of {len(body)} bytes")
    version, called, calling, reserved = _ASSOCIATE.unpack_from(body)
    return version, decode_text(called), decode_text(calling), reserved


def _decode_request(body: memoryview) -> AssociateRequest:
    version, called, calling, reserved = _associate(body, "A-ASSOCIATE-RQ")
    application, user = "", UserInformation()
    contexts: dict[int, PresentationContext] = {}
    for kind, data in walk_items(body[_ASSOCIATE.size :], ITEM_LIMIT, "A-ASSOCIATE-RQ"):
        if kind == PRESENTATION_CONTEXT_RQ:
            context = decode_context(data)
            if context.context_id in contexts:
                raise invalid(f"A-ASSOCIATE-RQ: presentation context {context.context_id} comes twice")
            contexts[context.context_id] = context
        elif kind == APPLICATION_CONTEXT:
            application = decode_uid(data, "application context")
        elif kind == USER_INFORMATION:
            user = decode_user(data)
    if not contexts:
        raise invalid("A-ASSOCIATE-RQ without a presentation context")
    return AssociateRequest(called, calling, tuple(contexts.values()), user, application, version, reserved)


def _decode_accept(body: memoryview) -> AssociateAccept:
    version, called, calling, reserved = _associate(body, "A-ASSOCIATE-AC")
    application, user = "", UserInformation()
    results: dict[int, ContextResult] = {}
    for kind, data in walk_items(body[_ASSOCIATE.size :], ITEM_LIMIT, "A-ASSOCIATE-AC"):
        if kind == PRESENTATION_CONTEXT_AC:
            result = decode_result(data)
            results.setdefault(result.context_id, result)
        elif kind == APPLICATION_CONTEXT:
            application = decode_uid(data, "application context")
        elif kind == USER_INFORMATION:
            user = decode_user(data)
    return AssociateAccept(called, calling, tuple(results.values()), user, application, version, reserved)


def _decode_reject(body: memoryview) -> AssociateReject:
    return AssociateReject(body[1], body[2], body[3])


def _decode_release_request(_: memoryview) -> ReleaseRequest:
    return ReleaseRequest()


def _decode_release_response(_: memoryview) -> ReleaseResponse:
    return ReleaseResponse()


def _decode_abort(body: memoryview) -> Abort:
    return Abort(body[2], body[3])


_DECODERS: dict[int, Callable[[memoryview], Pdu]] = {
    ASSOCIATE_RQ: _decode_request,
    ASSOCIATE_AC: _decode_accept,
    ASSOCIATE_RJ: _decode_reject,
    RELEASE_RQ: _decode_release_request,
    RELEASE_RP: _decode_release_response,
    ABORT: _decode_abort,
}
