"""The peer's end of one connection: what a script of misbehaviour is written with."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import time
from typing import TYPE_CHECKING

from agent.dataset.uid import EXPLICIT_VR_LE, STORAGE_COMMITMENT, STORAGE_COMMITMENT_INSTANCE, VERIFICATION
from agent.dimse import layout
from agent.dimse.fragment import split
from agent.dimse.message import CStoreResponse, NActionResponse
from agent.service import commitment
from agent.service.proposal import Need, associate_request, propose
from agent.ul import pdu as pdus
from agent.ul.items import ContextResult
from agent.ul.pdu import AssociateAccept, Fragment, ReleaseResponse
from agent.ul.user import UserInformation

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.dimse.message import Message
    from agent.ul.pdu import AssociateRequest

HOLD_S = 10.0  # longer than any wait of ours: what is held so long has hung
READ_BYTES = 1 << 16
RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: close() sends RST
OUR_AE, ARCHIVE_AE = "AGENT", "ARCHIVE"


class Line:
    """Reads and says PDUs; any ``OSError`` ends the script."""

    def __init__(self, connection: socket.socket, *, uid: str = "", transaction: str = "") -> None:
        self.socket = connection
        self.uid = uid  # of the instance under way, or of the one that a report may be about
        self.transaction = transaction  # its open request for commitment
        self.sop_class = ""
        self.took: list[str] = []  # instances that were answered with success after their last byte
        self.received: AssociateRequest | None = None
        self.store_context = self.action_context = 0
        self._message_id = 0
        self._whole = False
        connection.settimeout(HOLD_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    # --- bytes -----------------------------------------------------------------------------------

    def exactly(self, count: int) -> bytes:
        """Read ``count`` bytes."""
        data = bytearray(count)
        view = memoryview(data)
        while view:
            got = self.socket.recv_into(view)
            if not got:
                raise ConnectionError("the other side closed")
            view = view[got:]
        return bytes(data)

    def say(self, *data: bytes) -> None:
        """Write bytes as they are."""
        self.socket.sendall(b"".join(data))

    def drip(self, data: bytes, wait_s: float = 0.05) -> None:
        """Write byte by byte."""
        for byte in data:
            self.say(bytes([byte]))
            time.sleep(wait_s)

    def silent(self) -> None:
        """Say nothing and read until the other side closes."""
        while self.socket.recv(READ_BYTES):
            pass

    def deaf(self) -> None:
        """Neither say nor read anything until the other side closes."""
        poll = select.poll()
        poll.register(self.socket, select.POLLRDHUP)
        poll.poll(int(HOLD_S * 1000))

    def flood(self, data: bytes) -> None:
        """Write ``data`` again and again, and read what comes meanwhile, until the other side closes."""
        poll = select.poll()
        poll.register(self.socket, select.POLLIN | select.POLLOUT)
        ends, at, view = time.monotonic() + HOLD_S, 0, memoryview(data)
        self.socket.setblocking(False)
        blocked = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
        while time.monotonic() < ends:
            poll.poll(100)
            with contextlib.suppress(*blocked):
                at = (at + self.socket.send(view[at:])) % len(view)
            with contextlib.suppress(*blocked):
                if not self.socket.recv(READ_BYTES):
                    return

    def close(self) -> None:
        """Close with FIN."""
        self.socket.close()

    def reset(self) -> None:
        """Close with RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.socket.close()

    # --- PDUs and messages -----------------------------------------------------------------------

    def pdu(self) -> tuple[int, bytes]:
        """Read one PDU."""
        head = self.exactly(6)
        return head[0], self.exactly(int.from_bytes(head[2:], "big"))

    def message(self) -> tuple[Message, int, bytes]:
        """Read one message with its Data Set; its context is noted."""
        command, data = bytearray(), bytearray()
        found: Message | None = None
        while True:
            kind, body = self.pdu()
            if kind != pdus.DATA_TF:
                raise ConnectionError(f"PDU {kind:02X}H")
            for fragment in pdus.decode_fragments(memoryview(body)):
                (command if fragment.control & pdus.COMMAND else data).extend(fragment.data)
                if not fragment.control & pdus.LAST:
                    continue
                if fragment.control & pdus.COMMAND:
                    found, follows = layout.decode(bytes(command))
                    if follows:
                        continue
                assert found is not None
                return found, fragment.context_id, bytes(data)

    def send(self, message: Message, context_id: int, data: bytes | None = None) -> None:
        """Write one message."""
        self.say(encoded(message, context_id, data))

    # --- as archive ------------------------------------------------------------------------------

    def request(self) -> AssociateRequest:
        """Read the association request."""
        _, body = self.pdu()
        self.received = request = pdus.decode(pdus.ASSOCIATE_RQ, memoryview(body))  # type: ignore[assignment]
        assert isinstance(request, pdus.AssociateRequest)
        return request

    def accept(self, *, maximum_length: int = 16384, more: tuple[ContextResult, ...] = ()) -> None:
        """Read the association request and accept every context of it, and some that are not in it."""
        self.say(accepted(self.request(), maximum_length=maximum_length, more=more))

    def command(self) -> None:
        """Read the Command Set of a C-STORE, and nothing of its Data Set."""
        _, body = self.pdu()
        (fragment, *_) = pdus.decode_fragments(memoryview(body))
        self._asked(layout.decode(bytes(fragment.data))[0], fragment.context_id)

    def rest(self) -> bytes:
        """Read the rest of the Data Set behind ``command``, to the fragment that is marked as last; return it."""
        data = bytearray()
        while True:
            _, body = self.pdu()
            for fragment in pdus.decode_fragments(memoryview(body)):
                data += fragment.data
                if fragment.control & pdus.LAST:
                    self._whole = True
                    return bytes(data)

    def instance(self) -> None:
        """Read one C-STORE to its last byte."""
        message, context_id, _ = self.message()
        self._asked(message, context_id)
        self._whole = True

    def _asked(self, message: Message, context_id: int) -> None:
        self.store_context, self._message_id = context_id, message.message_id
        self.sop_class, self.uid = message.sop_class_uid, message.sop_instance_uid  # type: ignore[union-attr]

    def response(self, status: int = 0, *, message_id: int | None = None, uid: str = "") -> CStoreResponse:
        """Return the answer to the instance under way."""
        return CStoreResponse(
            self._message_id if message_id is None else message_id, status, self.sop_class, uid or self.uid
        )

    def stored(self, status: int = 0) -> None:
        """Answer the instance under way."""
        if self._whole and not status:
            self.took.append(self.uid)
        self.send(self.response(status), self.store_context)

    def take(self) -> None:
        """Be an archive as it should be, up to the answer to the instance."""
        self.accept()
        self.instance()
        self.stored()

    def action(self) -> int:
        """Read a request for commitment; its Transaction UID is noted. Returns the Message ID."""
        message, self.action_context, data = self.message()
        self.transaction = commitment.decode_request(data, EXPLICIT_VR_LE).transaction_uid
        return message.message_id

    def asked(self) -> None:
        """Take the request for commitment and answer it with success."""
        number = self.action()
        self.send(NActionResponse(number, 0, STORAGE_COMMITMENT, STORAGE_COMMITMENT_INSTANCE), self.action_context)

    def commit(self) -> None:
        """Take the request for commitment and report on the same association that the instance is committed."""
        self.asked()
        reference = commitment.Reference(self.sop_class, self.uid)
        report = commitment.Report(self.transaction, (reference,))
        self.send(commitment.report_request(7, report), self.action_context,
            commitment.encode_report(report, EXPLICIT_VR_LE))  # fmt: skip
        self.message()

    def release(self) -> None:
        """Answer the release."""
        kind, _ = self.pdu()
        if kind != pdus.RELEASE_RQ:
            raise ConnectionError(f"PDU {kind:02X}H")
        self.say(pdus.encode(ReleaseResponse()))

    # --- as caller -------------------------------------------------------------------------------

    def associate(self, *, role: bool = True) -> None:
        """Open an association as the archive does to deliver a report: contexts 1 Verification, 3 commitment."""
        self.say(request_pdu(role=role))
        kind, _ = self.pdu()
        if kind != pdus.ASSOCIATE_AC:
            raise ConnectionError(f"PDU {kind:02X}H")


def steps(*acts: Callable[[Line], object]) -> Callable[[Line], None]:
    """Return the script that does one thing after the other."""

    def play(line: Line) -> None:
        for act in acts:
            act(line)

    return play


def request_pdu(*, called_ae: str = OUR_AE, calling_ae: str = ARCHIVE_AE, role: bool = True) -> bytes:
    """Return an A-ASSOCIATE-RQ to our listener."""
    needs = [Need(VERIFICATION, (EXPLICIT_VR_LE,)), Need(STORAGE_COMMITMENT, (EXPLICIT_VR_LE,))]
    roles = [commitment.SCP_ROLE] if role else []
    return pdus.encode(associate_request(calling_ae, called_ae, propose(needs).contexts, roles=roles))


def encoded(message: Message, context_id: int, data: bytes | None = None) -> bytes:
    """Return the PDUs of one message."""
    fragments = [Fragment(context_id, 3, layout.encode(message, data_set=data is not None))]
    if data is not None:
        fragments += split(context_id, data, 16_000, command=False)
    return b"".join(map(pdus.encode, fragments))


def announcing(command: bytes, *, data_set: bool) -> bytes:
    """Return a Command Set whose Command Data Set Type (0000,0800) says that a Data Set follows, or that none does."""
    at = command.index(b"\0\0\0\x08") + 8
    return command[:at] + (b"\1\0" if data_set else b"\1\1") + command[at + 2 :]


def accepted(
    request: AssociateRequest,
    *,
    maximum_length: int = 16384,
    syntax: str = "",
    more: tuple[ContextResult, ...] = (),
    application_context: str = "1.2.840.10008.3.1.1.1",
) -> bytes:
    """Return the A-ASSOCIATE-AC that takes every context with its first transfer syntax, or with ``syntax``."""
    results = tuple(ContextResult(each.context_id, 0, syntax or each.transfer_syntaxes[0]) for each in request.contexts)
    user = UserInformation(maximum_length=maximum_length, implementation_class_uid="1.2.3.4")
    return pdus.encode(
        AssociateAccept(request.called_ae, request.calling_ae, results + more, user, application_context)
    )


def raw_pdu(kind: int, body: bytes, length: int | None = None) -> bytes:
    """Return a PDU with any type and any length field."""
    return struct.pack(">BxL", kind, len(body) if length is None else length) + body


def item(kind: int, body: bytes, length: int | None = None) -> bytes:
    """Return an item with any type and any length field."""
    return struct.pack(">BxH", kind, len(body) if length is None else length) + body


def with_body(pdu: bytes, more: bytes) -> bytes:
    """Return a PDU with ``more`` behind its body, its length field corrected."""
    return raw_pdu(pdu[0], pdu[6:] + more)
