"""Items of A-ASSOCIATE PDUs and the presentation contexts they carry (PS3.8 9.3.2, 9.3.3).

An item is one byte type, one reserved byte, a 16-bit big-endian length and that many bytes. Items nest twice.
We write exactly what the Standard says: no padding, UIDs of at most 64 characters. We read more than that: UIDs
padded with NUL or space, unknown items, any order, because old peers do all of it.

What cannot be read raises ``RemoteProtocolError`` with the A-ABORT reason to send; what we may not write raises
``LocalProtocolError``. Neither ever depends on the state: this module knows bytes, not conversations.
"""

from __future__ import annotations

from struct import Struct

from agent.errors import LocalProtocolError, RemoteProtocolError
from agent.typed import TYPE_CHECKING, NamedTuple
from agent.ul.limits import TRANSFER_SYNTAX_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterator

    Buffer = bytes | bytearray | memoryview

APPLICATION_CONTEXT_NAME = "1.2.840.10008.3.1.1.1"

APPLICATION_CONTEXT = 0x10
PRESENTATION_CONTEXT_RQ = 0x20
PRESENTATION_CONTEXT_AC = 0x21
ABSTRACT_SYNTAX = 0x30
TRANSFER_SYNTAX = 0x40
USER_INFORMATION = 0x50

# Result of a proposed presentation context (PS3.8 Table 9-18).
ACCEPTANCE = 0
ABSTRACT_SYNTAX_NOT_SUPPORTED = 3
TRANSFER_SYNTAXES_NOT_SUPPORTED = 4

# A-ABORT reasons of the provider (PS3.8 Table 9-26).
UNRECOGNIZED_PDU = 1
UNEXPECTED_PDU = 2
INVALID_PARAMETER = 6

_UID_LIMIT = 64
_HEADER = Struct(">BxH")
_RQ_HEAD = Struct(">Bxxx")
_AC_HEAD = Struct(">BxBx")


class PresentationContext(NamedTuple):
    """A context as the requestor proposes it: odd ``context_id`` 1..255, one SOP Class, some transfer syntaxes."""

    context_id: int
    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]


class ContextResult(NamedTuple):
    """The acceptor's answer to one proposed context; ``transfer_syntax`` means something only if ``result`` is 0."""

    context_id: int
    result: int
    transfer_syntax: str


def invalid(what: str) -> RemoteProtocolError:
    """Return the error for a parameter of the peer that breaks PS3.8 9.3 (A-ABORT reason 6)."""
    return RemoteProtocolError(what, reason=INVALID_PARAMETER)


def encode_item(kind: int, body: bytes) -> bytes:
    """Return one item; LocalProtocolError if the body does not fit its 16-bit length."""
    if len(body) > 0xFFFF:
        raise LocalProtocolError(f"item {kind:02X}H of {len(body)} bytes does not fit an A-ASSOCIATE PDU")
    return _HEADER.pack(kind, len(body)) + body


def walk_items(data: memoryview, limit: int, where: str) -> Iterator[tuple[int, memoryview]]:
    """Yield (type, body) of every item in ``data``; RemoteProtocolError past ``limit`` items or past the end."""
    offset = count = 0
    end = len(data)
    while offset < end:
        if end - offset < 4:
            raise invalid(f"{where}: {end - offset} stray bytes where an item should begin")
        kind, length = _HEADER.unpack_from(data, offset)
        offset += 4
        if length > end - offset:
            raise invalid(f"{where}: item {kind:02X}H says {length} bytes, {end - offset} are left")
        count += 1
        if count > limit:
            raise invalid(f"{where}: more than {limit} items")
        yield kind, data[offset : offset + length]
        offset += length


def encode_uid(uid: str) -> bytes:
    """Return a UID without padding (PS3.8 Annex F); LocalProtocolError if it is none."""
    if not 0 < len(uid) <= _UID_LIMIT or uid.strip("0123456789."):
        raise LocalProtocolError(f"{uid!r} is not a UID")
    return uid.encode("ascii")


def decode_text(data: Buffer) -> str:
    """Return peer text with padding stripped and everything that is not printable ASCII as ``?``."""
    text = bytes(data).decode("ascii", "replace").strip(" \0")
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in text)


def decode_uid(data: memoryview, where: str) -> str:
    """Return a UID as received, padding stripped; its components are not judged, only its length."""
    text = decode_text(data)
    if len(text) > _UID_LIMIT:
        raise invalid(f"{where}: UID of {len(text)} characters")
    return text


def encode_context(context: PresentationContext) -> bytes:
    """Return item 20H (PS3.8 9.3.2.2)."""
    if not context.context_id & 1 or not 1 <= context.context_id <= 255:
        raise LocalProtocolError(f"presentation context identifier {context.context_id} is not odd and 1..255")
    if not 1 <= len(context.transfer_syntaxes) <= TRANSFER_SYNTAX_LIMIT:
        raise LocalProtocolError(f"{len(context.transfer_syntaxes)} transfer syntaxes in one presentation context")
    body = _RQ_HEAD.pack(context.context_id) + encode_item(ABSTRACT_SYNTAX, encode_uid(context.abstract_syntax))
    for syntax in context.transfer_syntaxes:
        body += encode_item(TRANSFER_SYNTAX, encode_uid(syntax))
    return encode_item(PRESENTATION_CONTEXT_RQ, body)


def decode_context(body: memoryview) -> PresentationContext:
    """Read item 20H; RemoteProtocolError unless it holds an odd identifier, one class and at least one syntax."""
    if len(body) < 4:
        raise invalid(f"presentation context of {len(body)} bytes")
    context_id = body[0]
    where = f"presentation context {context_id}"
    if not context_id & 1:
        raise invalid(f"{where}: the identifier is even")
    abstract = ""
    syntaxes: list[str] = []
    for kind, data in walk_items(body[4:], TRANSFER_SYNTAX_LIMIT + 2, where):
        if kind == ABSTRACT_SYNTAX:
            abstract = abstract or decode_uid(data, where)
        elif kind == TRANSFER_SYNTAX:
            syntaxes.append(decode_uid(data, where))
    if not abstract or not syntaxes:
        raise invalid(f"{where}: no {'transfer' if abstract else 'abstract'} syntax")
    return PresentationContext(context_id, abstract, tuple(syntaxes))


def encode_result(result: ContextResult) -> bytes:
    """Return item 21H (PS3.8 9.3.3.2); a refused context still carries one transfer syntax."""
    body = _AC_HEAD.pack(result.context_id, result.result)
    return encode_item(PRESENTATION_CONTEXT_AC, body + encode_item(TRANSFER_SYNTAX, encode_uid(result.transfer_syntax)))


def decode_result(body: memoryview) -> ContextResult:
    """Read item 21H; the syntax of a refused context is not significant and may be missing."""
    if len(body) < 4:
        raise invalid(f"presentation context result of {len(body)} bytes")
    context_id, result = body[0], body[2]
    where = f"result of presentation context {context_id}"
    syntax = ""
    for kind, data in walk_items(body[4:], 4, where):
        if kind == TRANSFER_SYNTAX and not syntax:
            syntax = decode_text(data)[:_UID_LIMIT] if result else decode_uid(data, where)
    if not result and not syntax:
        raise invalid(f"{where}: accepted without a transfer syntax")
    return ContextResult(context_id, result, syntax)
