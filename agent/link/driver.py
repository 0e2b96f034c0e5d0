"""The whole shell around an association: read, ``receive``, drain events, write, and never wait for ever.

A ``Driver`` pumps one sans-IO ``Association`` over one ``Transport``. Every wait has a name and an absolute deadline;
besides the one the caller gives, four others are always watched: a PDU that has begun must end (``pdu``), ARTIM where
the state table runs it, and the association as a whole must end (``association``). So a peer that drips bytes, or
that keeps an association busy with nothing, is let go at a time known beforehand. Where the site limits the bandwidth
(``pace``), the waits for that are ours and count against none of these.

When anything goes wrong the peer gets an A-ABORT if it can take one without waiting, the connection is closed and the
error says which: ``LinkTimeout`` (names the wait), ``LinkClosed``, ``AssociationAborted``, ``RemoteProtocolError``, or
``TlsRefused`` when the "PDU" was a TLS record, that is when a TLS port was called without TLS.
"""

from __future__ import annotations

import time

from agent.errors import AgentError, LinkClosed, LinkTimeout, RemoteProtocolError, TlsRefused
from agent.link.train import PDV_OVERHEAD_BYTES, Train
from agent.typed import TYPE_CHECKING
from agent.ul.association import CloseTransport, TransportLost
from agent.ul.machine import State
from agent.ul.pdu import Abort, ReleaseRequest, ReleaseResponse
from agent.ul.reasons import abort_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.dimse.message import Message
    from agent.link.flight import Flight
    from agent.link.pace import Pace
    from agent.link.peer import Timeouts
    from agent.link.train import Check
    from agent.link.transport import Transport
    from agent.ul.association import Association, Indication
    from agent.ul.items import Buffer
    from agent.ul.pdu import Pdu

BEHIND_LIMIT_BYTES = 1 << 16  # what a peer may still say where nobody listens: behind a release, ours or its own
LAST_WORDS_READS = 16  # an abort is looked for so far behind what the peer had said before
_TLS_RECORD_TYPES = (0x15, 0x16)  # alert, handshake: neither is a PDU type


class Driver:
    """One association on one connection; used by one thread, except ``interrupt``."""

    __slots__ = ("_behind", "_clock", "_ends", "_flight", "_pace", "_pdu_left_s", "_timeouts", "_train",
        "association", "closed", "transport")  # fmt: skip

    def __init__(
        self,
        association: Association,
        transport: Transport,
        timeouts: Timeouts,
        clock: Callable[[], float] = time.monotonic,
        pace: Pace | None = None,
    ) -> None:
        self.association = association
        self.transport = transport
        self.closed = False
        self._timeouts = timeouts
        self._clock = clock
        self._ends = clock() + timeouts.association_s
        # Of waiting, for the PDU that has begun; what we do meanwhile is not its fault.
        self._pdu_left_s = timeouts.pdu_s
        self._behind = 0
        self._train: Train | None = None
        self._flight: Flight | None = None
        self._pace = pace

    def record(self, flight: Flight) -> None:
        """Let ``flight`` note what happens from here on."""
        flight.association, flight.transport = self.association, self.transport.facts()
        flight.step(self._clock(), "connected")
        self._flight = flight

    def message(self, side: str, context_id: int, message: Message) -> None:
        """Note a Command Set that was read (``<``) or is to be sent (``>``)."""
        if self._flight is not None:
            self._flight.message(self._clock(), side, context_id, message)

    def changed(self, text: str) -> None:
        """Note that the peer is not what it was; ``text`` is said already."""
        if self._flight is not None:
            self._flight.changes.append(text)

    def ended(self, error: AgentError | None = None) -> None:
        """Say that nobody uses this association any more, and which error is the reason; the first word counts."""
        if self._flight is not None:
            self._flight.end(self._clock(), error)

    @property
    def idle_s(self) -> float:
        """Return how long the peer may be silent between messages."""
        return self._timeouts.idle_s

    @property
    def old(self) -> bool:
        """Return whether half of the association's time is over: what begins now might not end in it."""
        return self._clock() >= self._ends - self._timeouts.association_s / 2

    def now(self) -> float:
        """Return the time of this association's clock, in seconds."""
        return self._clock()

    def event(self, wait: str, deadline: float) -> Indication:
        """Return the next event of the association; ``wait`` names what is waited for until ``deadline``.

        ``CloseTransport`` ends the association in good order; an abort or a cut raises.
        """
        while True:
            found = self._next()
            if found is not None:
                return found
            if self.association.over:
                return CloseTransport()
            self._read(wait, deadline)

    def arrived(self) -> Indication | None:
        """Return the next event of what has been read; never reads."""
        found = self._next()
        return CloseTransport() if found is None and self.association.over else found

    def poll(self) -> bool:
        """Read once if that needs no waiting; ``arrived`` tells what came. False when nothing did."""
        data = self.transport.poll()
        if data is not None:
            self._take(data, self._clock())
        return data is not None

    def readable(self, seconds: float) -> bool:
        """Wait up to ``seconds`` for bytes; what has been read already is seen by ``arrived`` only."""
        return self.transport.readable(seconds)

    def send(self, primitive: Pdu) -> None:
        """Ask the association for a service; ``flush`` writes it."""
        self.association.send(primitive, self._clock())

    def flush(self) -> None:
        """Write everything the association has for the peer, as one write."""
        out = self.association.outgoing()
        if out:
            data = out[0] if len(out) == 1 else b"".join(out)
            self._note_sent(data)
            if self._pace is not None:
                self._pace.spend(len(data))
            self._write(data)

    def send_data_set(
        self,
        fd: int,
        offset: int,
        size: int,
        context_id: int,
        refused: Callable[[], bool],
        check: Check | None = None,
    ) -> int:
        """Send the command that waits in the association and ``size`` bytes of ``fd`` behind it as its Data Set.

        ``refused`` is asked between writes whether the peer has refused it already; the rest is then not sent. Returns
        the bytes sent. ``check`` as in ``Train``; what it raises aborts the association.
        """
        fragment_bytes = self.association.begin_data_set(context_id, size + (size & 1))
        if self._train is None:
            batch_bytes, pace = self.transport.batch_bytes, self._pace
            if pace is not None:
                fragment_bytes = min(fragment_bytes, pace.train_bytes - PDV_OVERHEAD_BYTES)
                batch_bytes = min(batch_bytes, pace.train_bytes)
            self._train = Train(fragment_bytes, train_bytes=batch_bytes)
        command = b"".join(self.association.outgoing())
        self._note_sent(command)
        try:
            sent = self._train.send_data_set(
                fd,
                offset,
                size,
                context_id,
                command=command,
                send=self._write if self._pace is None else self._write_paced,
                answered=refused,
                check=check,
            )
        except AgentError:
            self.abort()
            raise
        self.association.end_data_set()
        if self._flight is not None:
            self._flight.data_set(self._clock(), context_id, sent, -(-sent // self._train.fragment_bytes))
        return sent

    def release(self) -> bool:
        """Release in good order; False when the peer did not answer. Closes the connection; never raises."""
        if self.closed:
            return False
        deadline = self._clock() + self._timeouts.release_s
        try:
            self.send(ReleaseRequest())
            self.flush()
            while not isinstance(self.event("release", deadline), ReleaseResponse | CloseTransport):
                if self.association.must_answer_release:
                    self.send(ReleaseResponse())
                    self.flush()
        except AgentError:
            self.abort()
            return False
        self.close()
        return True

    def finish(self) -> None:
        """Wait until the peer closes, as the side that answered a release must (ARTIM bounds it); never raises."""
        try:
            while not isinstance(self.event("artim", self._ends), CloseTransport):
                pass
        except AgentError:
            self.abort()
        self.close()

    def abort(self) -> None:
        """Abort, as far as the peer can be told without waiting, and close; never raises."""
        if not self.closed:
            self.association.abort(self._clock())
            last_words = b"".join(self.association.outgoing())
            self._note_sent(last_words)
            self.transport.write_now(last_words)
            self.close()

    def interrupt(self) -> None:
        """End the wait of the thread that uses this driver; for another thread that wants it to stop."""
        self.transport.interrupt()

    def close(self) -> None:
        """Close the connection."""
        self.closed = True
        self.transport.close()

    # --- inside --------------------------------------------------------------------------------

    def _next(self) -> Indication | None:
        try:
            found = self.association.next_event()
        except RemoteProtocolError as error:
            self.abort()
            error.message = f"{self.transport.name}: {error.message}"
            raise
        if found is not None or not self.association.receiving:
            self._pdu_left_s = self._timeouts.pdu_s
        if found is None:
            return None
        if isinstance(found, Abort):
            self.close()
            told = abort_error(found)
            told.message = f"{self.transport.name}: {told.message}"
            raise told
        if isinstance(found, TransportLost):
            self.close()
            raise LinkClosed(f"{self.transport.name} closed the connection in the middle of an association")
        return found

    def _read(self, wait: str, deadline: float) -> None:
        began, in_pdu = self._clock(), self.association.receiving
        wait, deadline = min(((deadline, wait), *self._other_deadlines(began)))[::-1]
        try:
            data = self.transport.read(deadline, wait)
        except LinkTimeout:
            if wait != "artim":
                self.abort()
                raise
            self.association.tick(self._clock())
            return
        except AgentError:
            self.close()
            raise
        now = self._clock()
        if in_pdu:
            self._pdu_left_s -= now - began
        if self.association.state is State.STA5 and looks_like_tls(data):
            self._note_received(data, now)
            self.close()
            raise TlsRefused(
                f"{self.transport.name} answers with TLS: this port wants TLS and was called without",
                hint="Switch TLS on for this destination, or use the peer's plain port.",
            )
        self._take(data, now)

    def _take(self, data: bytes, now: float) -> None:
        if self.association.state in (State.STA7, State.STA13):
            self._behind += len(data)
            if self._behind > BEHIND_LIMIT_BYTES:
                self.abort()
                raise LinkClosed(f"{self.transport.name} sends without end behind the end of the association")
        self._note_received(data, now)
        self.association.receive(data, now)

    def _note_received(self, data: bytes, now: float) -> None:
        if self._flight is not None:
            self._flight.received(now, data)

    def _note_sent(self, data: Buffer) -> None:
        if self._flight is not None:
            self._flight.sent(self._clock(), data)

    def _other_deadlines(self, now: float) -> list[tuple[float, str]]:
        found = [(self._ends, "association")]
        if self.association.deadline is not None:
            found.append((self.association.deadline, "artim"))
        if self.association.receiving:
            found.append((now + self._pdu_left_s, "pdu"))
        return found

    def _write(self, data: memoryview | bytes | bytearray) -> None:
        try:
            self.transport.write(data, self._ends)
        except LinkTimeout:
            self.abort()
            raise
        except AgentError as error:
            self._look_for_last_words(error)
            raise

    def _write_paced(self, data: memoryview) -> None:
        """Write at the rate of the site; a wait for it takes nothing from the association's time."""
        pace = self._pace
        assert pace is not None
        while data:
            part, data = data[: pace.chunk_bytes], data[pace.chunk_bytes :]
            self._ends += pace.wait(len(part), self.transport.cancelled)
            self._write(part)

    def _look_for_last_words(self, error: AgentError) -> None:
        """A peer that aborts while we write is heard before the broken connection is reported."""
        try:
            for _ in range(LAST_WORDS_READS):
                while self.arrived() not in (None, CloseTransport()):
                    pass
                if not self.poll():
                    break
        except LinkClosed:
            pass
        except AgentError as better:
            raise better from error
        finally:
            self.close()


def looks_like_tls(head: bytes) -> bool:
    """Whether bytes that should begin a PDU begin a TLS record instead (alert or handshake, version 3.x)."""
    return len(head) >= 2 and head[0] in _TLS_RECORD_TYPES and head[1] == 3
