"""One destination, one thread: claim, send, ask for commitment, wait a little for the report, rest (promise P6).

The loop knows three moods. *Healthy:* while there is work, one association carries batch after batch; what it did not
propose a context for waits for the next association. When the queue is empty it asks for commitment on the same
association and lingers: a report often comes within seconds, and so does the next image. *Resting:* after a failure
of the way or the peer nothing is tried until the back-off has passed; new images are queued and wait. *Open breaker:*
after several failures in a row only a C-ECHO goes out until one succeeds; if that takes long, what waits is handed over
to another destination, where the site names one. Outside its windows (``schedule``) a destination gets no image;
commitment goes on at any hour. What is more urgent goes in front of the rest of a batch, which gives way once.

Nothing is decided here: ``policy`` says what a failure means, the spool says what is due, and every answer is written
to the ledger before the next batch is claimed. A stop lets the instance under way finish within ``STOP_GRACE_S`` and
puts back what was claimed and not begun. Raises only ``SpoolError``: a ledger that cannot be written ends the role.
"""

from __future__ import annotations

import time
from contextlib import suppress

from agent.dimse.status import DUPLICATE_SOP_INSTANCE
from agent.errors import AgentError, FileError, MediaError, NoAcceptedContext, SpoolError, StatusError
from agent.forward.aside import looked_at
from agent.forward.asking import Asking
from agent.forward.circuit import Circuit
from agent.forward.deliver import Delivery, Outcome, echo
from agent.forward.files import pair_of
from agent.forward.gate import Gate
from agent.forward.outgoing import Outgoing, Sent, instance_of
from agent.forward.policy import Health, Scope, judge_failure
from agent.forward.settings import draw
from agent.forward.standby import Standby
from agent.service import commitment
from agent.spool.forwarding import Answer
from agent.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from agent.forward.files import Pair
    from agent.forward.settings import Settings, Stop
    from agent.forward.settle import Settler
    from agent.link.flight import Flight
    from agent.spool.core import Item
    from agent.spool.store import Spool

IDLE_TICK_S = 2.0  # an idle worker looks at deadlines, and for a stop it was not woken for, so often
PAIRS = 100  # kinds of instance proposed at once; gate.BATCH of them may be new
LINGER_TICK_S = 0.2  # a lingering association notices a new image so fast
STOP_GRACE_S = 5.0  # for the instance under way when the agent stops


def _nobody(_level: str, _text: str) -> None:
    """Say nothing."""


def _unrecorded(_peer: object) -> None:
    """Keep no record of an association."""


class Worker:
    """The forwarder of one destination; ``run`` is its thread. ``health`` may be read and replaced by others."""

    __slots__ = ("_asking", "_carried", "_claimed", "_clock", "_done", "_entropy", "_gate",
        "_pairs", "_record", "_say", "_settings", "_settler", "_spool", "_standby", "_stop", "_stop_seen", "_stored",
        "_total", "_troubled", "circuit", "outgoing")  # fmt: skip

    def __init__(
        self,
        spool: Spool,
        settings: Settings,
        settler: Settler,
        new_uid: Callable[[], str],
        *,
        say: Callable[[str, str], None] = _nobody,
        record: Callable[[object], Flight | None] = _unrecorded,
        clock: Callable[[], float] = time.monotonic,
        entropy: Callable[[], float] = draw,
    ) -> None:
        self._spool = spool
        self._settings = settings
        self._settler = settler
        self._say = say
        self._record = record
        self._clock = clock
        self._entropy = entropy
        self._stop: Stop | None = None
        self._stop_seen: float | None = None
        self._claimed: dict[int, Item] = {}  # not yet reported to the ledger
        self._pairs: dict[Pair, None] = {}  # SOP Class and transfer syntax of recent instances, all proposed each time
        self._stored = 0  # since the last question
        self._total = 0  # instances stored since start
        self._done = (0, 0)  # instances stored and bytes sent for them since the log was told
        self._carried: list[Item] = []  # of these: for the next association, which proposes their contexts
        self._troubled = False  # this association met a failure of the way or the peer: no more work on it
        self.circuit = Circuit()
        self._gate = Gate(spool, settings, say, clock)
        self._standby = Standby(spool, settings, say, clock)
        self._asking = Asking(
            spool, settings, new_uid, say=say, clock=clock, entropy=entropy, stopping=self._stopping,
            listening=lambda: settler.listening,
        )  # fmt: skip
        share = settings.cpu_share / settings.associations  # all of them together keep to it
        self.outgoing = Outgoing(
            spool, settings.destination, settings.transfer_syntax, share, say=say, cancelled=self._cancelled
        )

    @property
    def health(self) -> Health:
        """What is known of the destination, by all associations with it."""
        return self.circuit.health

    @health.setter
    def health(self, health: Health) -> None:
        self.circuit.health = health

    def run(self, stop: Stop) -> None:
        """Serve the destination until ``stop`` is set; wake the spool after setting it."""
        self._stop, self._stop_seen = stop, None
        self._put_back()
        try:
            while not stop.is_set():
                self._turn(stop)
        except BaseException:
            with suppress(SpoolError):  # the first error says more
                self._put_back()
            raise
        self._put_back()

    def _turn(self, stop: Stop) -> None:
        self._asking.end_overdue()
        if self._gate.outside() and self._carried:
            self._put_back()
        self._divert()
        now = self._clock()
        if now < self.health.next_at:
            self._rest(self.health.next_at, stop)
        elif (not self.health.open or self._probe()) and not self._work(now):
            if not self.health.failures:
                self.health = Health()
            self._rest(now + IDLE_TICK_S, stop, work_counts=not self._gate.closed)

    def _claim(self) -> list[Item]:
        items, more = self._gate.claim()
        self._claimed.update((item.id, item) for item in items)
        if more:
            self.circuit.call()
        return items

    def _divert(self) -> None:
        """Hand over what could go now, where this destination is down and the other one is not."""
        if not self._gate.closed and self._standby.due(self.health):
            self._put_back()
            self._standby.hand_over(self.health.reason, self._cancelled)

    def _reported(self, items: Iterable[Item]) -> None:
        for item in items:
            self._claimed.pop(item.id, None)
            self._gate.reported(item)

    def _defer(self, items: Sequence[Item], reason: str, next_at: float, **how: Any) -> None:
        self._spool.deferred_many(items, reason, next_at, **how)
        self._reported(items)

    def _put_back(self) -> None:
        """Return what is claimed and not reported."""
        items = list(self._claimed.values())
        self._carried = []
        self.outgoing.forget()
        self._spool.put_back(items)
        self._claimed.clear()

    # --- moods ---------------------------------------------------------------------------------

    def _rest(self, until: float, stop: Stop, *, work_counts: bool = False) -> None:
        """Sleep until ``until``, a deadline of commitment, a wake-up or (if it counts) work."""
        now = self._clock()
        mine = self._settings.destination
        deadlines = [open_.deadline for open_ in self._spool.open_transactions(1, destination=mine)]
        if self._asking.at > now:
            deadlines.append(self._asking.at)
        if work_counts and (question := self._asking.next_at()) is not None:
            deadlines.append(question)
        seconds = min([until, now + IDLE_TICK_S, *(max(at, now + LINGER_TICK_S) for at in deadlines)]) - now
        if not stop.is_set():
            not_before = None if work_counts else until
            self._spool.wait_for_work(mine, max(seconds, 0.0), not_before=not_before)

    def _probe(self) -> bool:
        try:
            peer = self._settings.peer
            echo(peer, self._clock, self._cancelled, self._record(peer))
        except NoAcceptedContext:
            pass  # an association without Verification proves the way as well
        except AgentError as error:
            self._failed(error)
            return False
        found = self.health.answered()
        self._well()
        self.health = found
        return True

    def _well(self) -> None:
        """Note that the peer answers; after failures that is news."""
        if self.health.failures:
            self._say("notice", f"{self._settings.peer} answers again")
        self.health = Health()

    def _work(self, now: float) -> bool:
        """Do what is due; False when nothing is."""
        self._troubled = False
        items, self._carried = self._carried or self._claim(), []
        if not items and not self._asking.due(now):
            return False
        try:
            delivery = self._open(items)
        except AgentError as error:
            self._failed(error)
            self._defer(items, self.health.reason, self.health.next_at)
            return True
        with delivery:
            self.outgoing.opened(delivery)
            self._asking.opened()
            while items:
                items = self._lead(delivery, items)
                if self._stored >= commitment.REQUEST_REFERENCES:
                    self._tell()
                    self._ask(delivery)  # a queue that never empties must not put the question off for ever
            self._tell()
            if not self._carried:
                self._ask_and_linger(delivery)
        return True

    def _tell(self) -> None:
        """Say what was stored since the last time: one line for a run of instances, not one for each."""
        (count, size), self._done = self._done, (0, 0)
        if count:
            self._total += count  # also tells two lines of the same size apart: a log may count repetitions only
            self._say(
                "info", f"{count} instance{'s' * (count > 1)} stored, {size} bytes sent; {self._total} since start"
            )

    def _open(self, items: Sequence[Item]) -> Delivery:
        for pair in [pair_of(instance_of(item)) for item in items]:
            self._pairs.pop(pair, None)
            self._pairs[pair] = None  # the latest are kept
        while len(self._pairs) > PAIRS:
            del self._pairs[next(iter(self._pairs))]
        needs = self.outgoing.needs(self._pairs, self._asking.needs())
        peer = self._settings.peer
        flight = self._record(peer)
        delivery = Delivery(peer, needs, clock=self._clock, cancelled=self._cancelled, flight=flight)
        contexts = delivery.conversation.driver.association.contexts
        told = () if flight is None else (flight.reported,)
        delivery.conversation.on_request = self._settler.on_request(
            peer.called_ae, lambda number: contexts[number].transfer_syntax, *told
        )
        return delivery

    def _lead(self, delivery: Delivery, items: Sequence[Item]) -> list[Item]:
        self.circuit.busy = True
        try:
            return self._batch(delivery, items)
        finally:
            self.circuit.busy = False

    def _batch(self, delivery: Delivery, items: Sequence[Item]) -> list[Item]:
        """Send one batch, write down what became of it and claim the next; empty: this association is done."""
        answers: list[Answer] = []
        way_given = False
        for item in items:
            way_given = self._gate.gives_way(item, self._claimed)
            if way_given or self._finished(delivery) or not self._send(delivery, item, answers):
                break
        while delivery.outstanding:
            self._await(delivery, answers)
        self._spool.stored_many(answers)
        self._reported(answer.item for answer in answers)
        self._stored += len(answers)
        if self._troubled:
            self._carried = []
            self._defer(list(self._claimed.values()), self.health.reason, self.health.next_at)
            return []
        if answers:
            self._well()
        if self.outgoing.ready and not self._stopping() and not way_given:
            self._carried = list(self._claimed.values())
            return []
        if self._stopping() or delivery.over or way_given:
            self._put_back()
        if self._stopping() or delivery.over:
            return []
        return [] if self._carried else self._proposed(delivery, self._claim())

    def _finished(self, delivery: Delivery) -> bool:
        return self._troubled or self._stopping() or delivery.over

    def _send(self, delivery: Delivery, item: Item, answers: list[Answer]) -> bool:
        """Send one instance as soon as the window has room for it; False: this association is done."""
        beside = delivery.outstanding.window > 1 and self.outgoing.startable(delivery, item)
        while delivery.outstanding.full or (delivery.outstanding and not beside):
            self._await(delivery, answers)
        if self._finished(delivery):
            return False
        sent = self.outgoing.start(delivery, item) if beside else self.outgoing.send(delivery, item)
        if sent is not None:
            self._answered(delivery, sent, answers)
        return beside or sent is not None  # None: its copy is ready, and the association was released meanwhile

    def _await(self, delivery: Delivery, answers: list[Answer]) -> None:
        """Wait for the next answer; none comes once another file has ended the association, which blames nobody."""
        of_another = isinstance(delivery.broken, FileError | MediaError)
        sent = self.outgoing.answer(delivery)
        if of_another:
            words = "another file could not be read, which ended the association before the answer"
            self._defer([self._item_of(sent.outcome)], words, self._clock())
        else:
            self._answered(delivery, sent, answers)

    def _item_of(self, outcome: Outcome) -> Item:
        uid = outcome.instance.sop_instance_uid
        return next(item for item in self._claimed.values() if item.sop_instance_uid == uid)

    def _answered(self, delivery: Delivery, sent: Sent, answers: list[Answer]) -> None:
        """Note what became of one instance: an answer to be written down, or why it is not stored."""
        outcome = sent.outcome
        item = self._item_of(outcome)
        if not (outcome.stored or self._arrived_before(item, outcome)):
            self._not_stored(item, outcome)
            return
        assert outcome.status is not None
        comment = outcome.comment or (outcome.meaning if outcome.status else "")
        now = self._spool.clock.wall()
        answers.append(
            Answer(item, outcome.status, comment, str(delivery.peer), now - outcome.seconds, now, sent.facts)
        )
        self._done = (self._done[0] + 1, self._done[1] + outcome.bytes)

    def _proposed(self, delivery: Delivery, items: list[Item]) -> list[Item]:
        """Keep the items that this association proposed a context for; the others are carried to the next one."""
        request = delivery.conversation.driver.association.request
        assert request is not None
        pairs = {(need.abstract_syntax, syntax) for need in request.contexts for syntax in need.transfer_syntaxes}
        self._carried += [item for item in items if pair_of(instance_of(item)) not in pairs]
        return [item for item in items if pair_of(instance_of(item)) in pairs]

    # --- failures ------------------------------------------------------------------------------

    def _arrived_before(self, item: Item, outcome: Outcome) -> bool:
        """Say whether "duplicate SOP Instance" may speak of an earlier try of ours.

        It counts as stored only where commitment decides afterwards whether the archive has *this* instance (P3): a
        first try cannot have left a duplicate, and without commitment nothing would ever tell it from a stranger.
        """
        return outcome.status == DUPLICATE_SOP_INSTANCE and self._settings.commitment and item.attempt > 1

    def _not_stored(self, item: Item, outcome: Outcome) -> None:
        error = outcome.error
        assert error is not None
        of_file = isinstance(error, FileError | MediaError)
        try:
            if of_file and looked_at(self._spool, item):
                self._say("error", f"{item.sop_instance_uid} is damaged and not sent: {error} [{error.code}]")
                self._reported([item])
                return  # the ledger says so
        except MediaError as away:  # nothing that this item could help
            at = self._clock() + self._settings.back_off.draw_s(1, self._entropy)
            self._defer([item], f"{away} [{away.code}]", at)
            return
        tries = self._spool.blamed(item) + 1
        verdict = judge_failure(error, tries, outcome.status, begun=outcome.begun)
        if verdict.scope is Scope.DESTINATION or (outcome.begun and outcome.status is None and not of_file):
            self._failed(error)
        if verdict.hold:
            self._say("error", f"{item.sop_instance_uid} is held: {verdict.reason}")
            self._spool.held(item, verdict.reason, status=outcome.status)
            self._reported([item])
            return
        at = self.health.next_at if verdict.scope is Scope.DESTINATION else self._clock()
        if verdict.scope is Scope.INSTANCE:
            at = max(at, self.health.next_at) + self._settings.back_off.draw_s(tries, self._entropy)
        self._defer([item], verdict.reason, at, status=outcome.status, blamed=verdict.scope is Scope.INSTANCE)

    def _failed(self, error: AgentError) -> None:
        """Note a failure of the way or the peer, unless it is our own stop."""
        self._troubled = True
        if self._stopping() and not isinstance(error, StatusError):
            self.health = self.health._replace(next_at=0.0, reason=str(error))
            return
        if not self.circuit.failed(error, self._clock(), self._settings.back_off, self._entropy):
            return
        if self._settings.failover:
            self.health = self.health.looked_at(self._settings.failover_after_s)
        if self.health.open:
            self.outgoing.forget()  # a copy that nobody takes for a while keeps no room from captures
        wait = max(0.0, self.health.next_at - self._clock())
        told = self.health.needs_operator or error.hint is not type(error).hint
        self._say("warning", f"{error} [{error.code}]; next try in {wait:.0f} s{told * f'; {error.hint}'}")

    # --- commitment ----------------------------------------------------------------------------

    def _ask_and_linger(self, delivery: Delivery) -> None:
        """Ask about what is stored, then stay a while: reports and new images are served as they come."""
        active = self._clock()
        while not delivery.over and not self._stopping() and not self._troubled:
            self._asking.end_overdue()
            busy = self._ask(delivery)
            busy = self._asking.look(delivery) or busy
            items = self._proposed(delivery, self._claim())
            while items:
                items = self._lead(delivery, items)
                busy = True
            self._tell()
            if self._carried or self._asking.elsewhere(delivery):
                return
            if busy or self._asking.to_ask(self._clock()):
                active = self._clock() if busy else active
                continue
            stay_s = self._settings.report_wait_s if self._asking.waiting() else self._settings.idle_close_s
            if self._clock() >= active + stay_s or not delivery.serve(LINGER_TICK_S):
                return

    def _ask(self, delivery: Delivery) -> bool:
        """Put one question; False when there is none to put."""
        try:
            asked = self._asking.ask(delivery)
        except SpoolError:  # nothing was asked, and the peer is not to blame
            raise
        except AgentError as error:
            self._failed(error)
            return False
        if asked:
            self._stored = 0
            self._well()
        return asked

    # --- stopping ------------------------------------------------------------------------------

    def _stopping(self) -> bool:
        return self._stop is not None and self._stop.is_set()

    def _cancelled(self) -> bool:
        """Say whether a wait is to be given up: the agent stops, and the grace for what is under way is over."""
        if not self._stopping():
            return False
        now = self._clock()
        if self._stop_seen is None:
            self._stop_seen = now
        return now >= self._stop_seen + STOP_GRACE_S
