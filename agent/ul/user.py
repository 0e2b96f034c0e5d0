"""The user information item 50H and its nine sub-items 51H to 59H (PS3.8 Annex D, PS3.7 Annex D.3.3).

========  ===============================  ==========================================================
51H       maximum length                   largest P-DATA-TF length field its sender accepts, 0 = any
52H, 55H  implementation                   class UID, version name
53H       asynchronous operations window   operations invoked, performed; absent = 1, 1; 0 = unlimited
54H       role selection                   which of SCU and SCP the requestor may be, per SOP Class
56H, 57H  SOP Class extended negotiation   bytes defined by the service class; related general classes
58H, 59H  user identity                    name, name and passcode, Kerberos, SAML, JWT; server response
========  ===============================  ==========================================================

Sub-items may come in any order; unknown ones are skipped. We write them ascending, because old peers want that.
"""

from __future__ import annotations

from struct import Struct

from agent.errors import LocalProtocolError
from agent.typed import TYPE_CHECKING, Any, NamedTuple
from agent.ul.items import USER_INFORMATION, decode_text, decode_uid, encode_item, encode_uid, invalid, walk_items
from agent.ul.limits import USER_ITEM_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable

MAXIMUM_LENGTH = 0x51
IMPLEMENTATION_CLASS_UID = 0x52
ASYNC_WINDOW = 0x53
ROLE_SELECTION = 0x54
IMPLEMENTATION_VERSION_NAME = 0x55
EXTENDED_NEGOTIATION = 0x56
COMMON_EXTENDED_NEGOTIATION = 0x57
USER_IDENTITY = 0x58
USER_IDENTITY_RESPONSE = 0x59

_U16 = Struct(">H")
_U32 = Struct(">L")
_PAIR = Struct(">HH")


class AsyncWindow(NamedTuple):
    """How many operations the sender of 53H may invoke and perform at once; 0 = no limit."""

    invoked: int
    performed: int


class RoleSelection(NamedTuple):
    """Roles of the association requestor for one SOP Class: proposed in RQ, granted in AC."""

    sop_class_uid: str
    scu: bool
    scp: bool


class ExtendedNegotiation(NamedTuple):
    """Application information of one SOP Class, opaque here (56H)."""

    sop_class_uid: str
    information: bytes


class CommonExtendedNegotiation(NamedTuple):
    """The service class of a SOP Class and its related general SOP Classes (57H, RQ only)."""

    sop_class_uid: str
    service_class_uid: str
    related_sop_class_uids: tuple[str, ...]


class UserIdentity(NamedTuple):
    """Who the requestor is (58H): kind 1 name, 2 name and passcode, 3 Kerberos, 4 SAML, 5 JWT."""

    kind: int
    primary: bytes
    secondary: bytes = b""
    response_requested: bool = False

    def __repr__(self) -> str:
        """Keep what proves the user out of every log."""
        return f"UserIdentity(kind={self.kind}, response_requested={self.response_requested})"


class UserInformation(NamedTuple):
    """Everything in item 50H; ``maximum_length`` is None when the peer left the mandatory 51H out."""

    maximum_length: int | None = None
    implementation_class_uid: str = ""
    implementation_version_name: str = ""
    window: AsyncWindow | None = None
    roles: tuple[RoleSelection, ...] = ()
    extended: tuple[ExtendedNegotiation, ...] = ()
    common_extended: tuple[CommonExtendedNegotiation, ...] = ()
    identity: UserIdentity | None = None
    identity_response: bytes | None = None


def encode_user(user: UserInformation) -> bytes:
    """Return item 50H, sub-items ascending; LocalProtocolError for what PS3.7 D.3.3 does not allow."""
    if user.maximum_length is None:
        raise LocalProtocolError("user information needs a maximum length")
    body = encode_item(MAXIMUM_LENGTH, _U32.pack(user.maximum_length))
    body += encode_item(IMPLEMENTATION_CLASS_UID, encode_uid(user.implementation_class_uid))
    if user.window is not None:
        body += encode_item(ASYNC_WINDOW, _PAIR.pack(*user.window))
    for role in user.roles:
        body += encode_item(ROLE_SELECTION, _prefixed(encode_uid(role.sop_class_uid)) + bytes([role.scu, role.scp]))
    if user.implementation_version_name:
        body += encode_item(IMPLEMENTATION_VERSION_NAME, _version_name(user.implementation_version_name))
    for extended in user.extended:
        body += encode_item(EXTENDED_NEGOTIATION, _prefixed(encode_uid(extended.sop_class_uid)) + extended.information)
    for common in user.common_extended:
        body += encode_item(COMMON_EXTENDED_NEGOTIATION, _encode_common(common))
    if user.identity is not None:
        body += encode_item(USER_IDENTITY, _encode_identity(user.identity))
    if user.identity_response is not None:
        body += encode_item(USER_IDENTITY_RESPONSE, _prefixed(user.identity_response))
    return encode_item(USER_INFORMATION, body)


def decode_user(body: memoryview) -> UserInformation:
    """Read item 50H; the first of a sub-item that may come once counts, unknown sub-items are skipped."""
    found: dict[str, Any] = {}
    for kind, data in walk_items(body, USER_ITEM_LIMIT, "user information"):
        entry = _DECODERS.get(kind)
        if entry is None:
            continue
        name, many, decode = entry
        if many:
            found.setdefault(name, []).append(decode(data))
        elif name not in found:
            found[name] = decode(data)
    fields: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in found.items()}
    return UserInformation(**fields)


def _prefixed(data: bytes) -> bytes:
    if len(data) > 0xFFFF:
        raise LocalProtocolError(f"a user information field of {len(data)} bytes is too long")
    return _U16.pack(len(data)) + data


def _take(data: memoryview, offset: int, where: str) -> tuple[memoryview, int]:
    """Return (field, next offset) of a field with a 16-bit length before it."""
    start = offset + 2
    if start > len(data):
        raise invalid(f"{where}: cut short")
    end = start + _U16.unpack_from(data, offset)[0]
    if end > len(data):
        raise invalid(f"{where}: a field of {end - start} bytes, {len(data) - start} are left")
    return data[start:end], end


def _version_name(name: str) -> bytes:
    if not (len(name) <= 16 and name.isascii() and name.isprintable()):
        raise LocalProtocolError(f"implementation version name {name!r} is not 1 to 16 printable characters")
    return name.encode("ascii")


def _encode_common(common: CommonExtendedNegotiation) -> bytes:
    related = b"".join(_prefixed(encode_uid(uid)) for uid in common.related_sop_class_uids)
    head = _prefixed(encode_uid(common.sop_class_uid)) + _prefixed(encode_uid(common.service_class_uid))
    return head + _prefixed(related)


def _encode_identity(identity: UserIdentity) -> bytes:
    if identity.secondary and identity.kind != 2:
        raise LocalProtocolError(f"user identity of kind {identity.kind} has no second field")
    head = bytes([identity.kind, identity.response_requested])
    return head + _prefixed(identity.primary) + _prefixed(identity.secondary)


def _decode_maximum_length(data: memoryview) -> int:
    if len(data) != 4:
        raise invalid(f"maximum length item of {len(data)} bytes")
    value: int = _U32.unpack(data)[0]
    return value


def _decode_class_uid(data: memoryview) -> str:
    return decode_uid(data, "implementation class UID")


def _decode_version_name(data: memoryview) -> str:
    return decode_text(data)[:16]


def _decode_window(data: memoryview) -> AsyncWindow:
    if len(data) != 4:
        raise invalid(f"asynchronous operations window of {len(data)} bytes")
    return AsyncWindow(*_PAIR.unpack(data))


def _decode_role(data: memoryview) -> RoleSelection:
    uid, end = _take(data, 0, "role selection")
    if len(data) - end < 2:
        raise invalid("role selection without its roles")
    return RoleSelection(decode_uid(uid, "role selection"), data[end] != 0, data[end + 1] != 0)


def _decode_extended(data: memoryview) -> ExtendedNegotiation:
    uid, end = _take(data, 0, "extended negotiation")
    return ExtendedNegotiation(decode_uid(uid, "extended negotiation"), bytes(data[end:]))


def _decode_common(data: memoryview) -> CommonExtendedNegotiation:
    where = "common extended negotiation"
    sop_class, end = _take(data, 0, where)
    service_class, end = _take(data, end, where)
    related: list[str] = []
    if end < len(data):
        listed, _ = _take(data, end, where)
        at = 0
        while at < len(listed):
            uid, at = _take(listed, at, where)
            related.append(decode_uid(uid, where))
    return CommonExtendedNegotiation(decode_uid(sop_class, where), decode_uid(service_class, where), tuple(related))


def _decode_identity(data: memoryview) -> UserIdentity:
    if len(data) < 2:
        raise invalid("user identity cut short")
    primary, end = _take(data, 2, "user identity")
    secondary = _take(data, end, "user identity")[0] if end < len(data) else memoryview(b"")
    return UserIdentity(data[0], bytes(primary), bytes(secondary), data[1] != 0)


def _decode_identity_response(data: memoryview) -> bytes:
    return bytes(_take(data, 0, "user identity response")[0])


# Sub-item type: field of UserInformation, may come many times, decoder of its body.
_DECODERS: dict[int, tuple[str, bool, Callable[[memoryview], object]]] = {
    MAXIMUM_LENGTH: ("maximum_length", False, _decode_maximum_length),
    IMPLEMENTATION_CLASS_UID: ("implementation_class_uid", False, _decode_class_uid),
    ASYNC_WINDOW: ("window", False, _decode_window),
    ROLE_SELECTION: ("roles", True, _decode_role),
    IMPLEMENTATION_VERSION_NAME: ("implementation_version_name", False, _decode_version_name),
    EXTENDED_NEGOTIATION: ("extended", True, _decode_extended),
    COMMON_EXTENDED_NEGOTIATION: ("common_extended", True, _decode_common),
    USER_IDENTITY: ("identity", False, _decode_identity),
    USER_IDENTITY_RESPONSE: ("identity_response", False, _decode_identity_response),
}
