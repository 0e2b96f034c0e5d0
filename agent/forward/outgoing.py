"""What one destination gets of each instance: the master as it is stored, or a lossless copy that it takes (P10).

An association proposes the transfer syntax of every master and, behind these, the others that a copy may have, so that
the peer says about each by itself. Then for every instance:

* the master goes as it is where the peer takes it and nothing else is configured: no file is even opened;
* ``transfer_syntax = "auto"`` or a word, or a peer that refuses the master's: ``agent.transcode.choose`` weighs, a copy
  is made (``copying``), sent, and removed.

A copy that cannot be made where the master would do is no failure: the master goes. Where only a copy would do, the
instance is held with the reason. A copy of more than ``HURRY_S`` is made without an association, for peers end one that
is silent: it is released, the copy kept, and the next association begins with it. So does one whose peer ended it all
the same: what took longer than was thought would else take as long the next time, for ever.

What each answer showed goes into the receipt, and from there, after a restart, back into what is ``Known``. What a peer
accepts is written down whenever it changes, and said when it takes less than before.
"""

from __future__ import annotations

import time

from agent.dataset.uid import is_lossy, uid_name
from agent.dimse.message import HIGH, LOW, MEDIUM
from agent.errors import DataSetError, LinkClosed, NativeError, SpoolError
from agent.forward.deliver import failed, unchangeable
from agent.forward.files import Instance
from agent.service import commitment, query, storage
from agent.spool.quota import Floor
from agent.spool.states import Priority
from agent.transcode.choose import AS_STORED, AUTO, LOSSLESS, choose
from agent.transcode.learn import Figures, recall
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from agent.errors import AgentError
    from agent.forward.copying import Copy
    from agent.forward.deliver import Delivery, Outcome
    from agent.forward.files import Pair
    from agent.service.proposal import Need
    from agent.spool.core import Item
    from agent.spool.store import Spool
    from agent.transcode.choose import Master
    from agent.transcode.learn import Known

HURRY_S: Final = 2.0
# Below this a master is not worth opening: the file system and the headers of a copy cost as much.
SMALL_S: Final = 0.02
# Priority (0000,0700) of the C-STORE-RQ (PS3.7 9.3.1.1); few archives look at it.
_DIMSE_PRIORITY: Final[dict[int, int]] = {Priority.URGENT: HIGH, Priority.NORMAL: MEDIUM, Priority.LOW: LOW}
SERVICES: Final = (commitment.NEED.sop_class_uid, query.NEED.sop_class_uid)


class Sent(NamedTuple):
    """What became of an instance, and what its receipt says about the way it went."""

    outcome: Outcome
    facts: tuple[tuple[str, object], ...] = ()


class Outgoing:
    """The sending side of one destination; used by its worker alone."""

    __slots__ = ("_accepts", "_cancelled", "_destination", "_known", "_mode", "_ready", "_say", "_share",
        "_spool")  # fmt: skip

    def __init__(
        self, spool: Spool, destination: str, mode: str, cpu_share: float, *, say: Callable[[str, str], None],
        cancelled: Callable[[], bool],
    ) -> None:  # fmt: skip
        self._spool = spool
        self._destination = destination
        self._mode = mode
        self._share = cpu_share
        self._say = say
        self._cancelled = cancelled
        self._known: Known | None = None
        self._accepts: dict[str, dict[str, bool]] = {}  # SOP Class -> transfer syntax -> taken
        self._ready: tuple[int, Copy | str] | None = None  # number of an instance; its copy, or why it goes as stored

    # --- the association -----------------------------------------------------------------------

    def needs(self, pairs: Iterable[Pair], services: Sequence[Need]) -> list[Need]:
        """Return what to propose: masters, other services, then what copies of the latest pairs may be in."""
        latest = list(pairs)
        found = [*storage.needs(latest), *services]
        return found + storage.alternatives([pair for pair in reversed(latest) if not is_lossy(pair[1])], LOSSLESS)

    def opened(self, delivery: Delivery) -> None:
        """Learn what the peer takes."""
        if not self._accepts:
            self._accepts = self._spool.accepted(self._destination)
        for sop_class, found in delivery.answers().items():
            # The context of a service offers several syntaxes, of which a peer takes one.
            service = sop_class in SERVICES
            answers = dict.fromkeys(found, any(found.values())) if service else found
            before = self._accepts.get(sop_class, {})
            if before.items() >= answers.items():
                continue
            lost = [uid_name(syntax) for syntax, taken in answers.items() if before.get(syntax) and not taken]
            if lost:
                what = (
                    f"offers {uid_name(sop_class)}" if service else f"takes {', '.join(lost)} of {uid_name(sop_class)}"
                )
                text = f"no longer {what}"
                delivery.changed(f"it {text}")
                self._say("warning", f"{delivery.peer} {text}")
            elif service and before and not any(before.values()):
                delivery.changed(f"it now offers {uid_name(sop_class)}")
                self._say("notice", f"{delivery.peer} now offers {uid_name(sop_class)}{self._asked_anew(sop_class)}")
            self._accepts[sop_class] = {**before, **answers}
            self._spool.learned(self._destination, sop_class, self._accepts[sop_class])

    def _asked_anew(self, service: str) -> str:
        """Let what is unconfirmed be asked for, and say so, when it is commitment that a peer has begun to offer."""
        count = self._spool.reopen(self._destination) if service == commitment.NEED.sop_class_uid else 0
        return f"; {count} unconfirmed are asked for anew" if count else ""

    # --- one instance --------------------------------------------------------------------------

    def send(self, delivery: Delivery, item: Item) -> Sent | None:
        """Send one instance; None when it is ``ready`` to be sent and needs a new association."""
        instance = instance_of(item)
        number, ready = self._ready or (0, "")
        if number == item.id and isinstance(ready, str) and delivery.takes(instance):
            self._ready = None
            return self._as_stored(delivery, instance, None, ready)
        if number == item.id and not isinstance(ready, str) and delivery.takes(ready.instance):
            self._ready = None
            return self._copy_sent(delivery, ready)
        self.forget()
        if delivery.takes(instance) and not self._weighs(item):
            why = "as stored: it is too small for anything else to be quicker" if self._mode == AUTO else ""
            return self._as_stored(delivery, instance, None, why)
        if not delivery.taken(item.sop_class_uid):
            return Sent(delivery.send(instance))  # which says why not
        try:
            return self._weighed(delivery, item, instance)
        except (DataSetError, NativeError, SpoolError, LinkClosed) as error:
            return self._without_copy(delivery, item, instance, error)

    def startable(self, delivery: Delivery, item: Item) -> bool:
        """Say whether one instance may be under way beside others: it goes as it is, and nothing is to be learned."""
        return self._mode == AS_STORED and self._ready is None and delivery.takes(instance_of(item))

    def start(self, delivery: Delivery, item: Item) -> Sent | None:
        """Begin one instance that is ``startable``; None: its answer is awaited."""
        outcome = delivery.start(instance_of(item))
        return None if outcome is None else Sent(outcome)

    def answer(self, delivery: Delivery) -> Sent:
        """Wait for the next answer."""
        return self._learned(delivery.answer(), None, None, "")

    def _without_copy(self, delivery: Delivery, item: Item, instance: Instance, error: AgentError) -> Sent | None:
        """Do what is left when no copy could be made: send the master, or say why it waits."""
        if isinstance(error, LinkClosed):
            return Sent(failed(instance, error, begun=False))
        if delivery.takes(instance):
            why = f"as stored: no copy can be made, {error}"
            if delivery.broken is None:
                return self._as_stored(delivery, instance, None, why)
            self._ready = item.id, why
            return None
        refused = f"{delivery.peer} refuses {uid_name(instance.transfer_syntax_uid)}, and no copy can be made"
        error.message = f"{refused}: {error.message}"
        return Sent(failed(instance, error, begun=False))

    @property
    def ready(self) -> bool:
        """Return whether an instance waits for a new association."""
        return self._ready is not None

    def forget(self) -> None:
        """Give the room of a copy back that was not sent."""
        ready, self._ready = self._ready, None
        if ready is not None and not isinstance(ready[1], str):
            ready[1].room.abandon()

    def _weighs(self, item: Item) -> bool:
        """Say whether anything but the master may be sent to a peer that takes it."""
        if self._mode != AUTO:
            return self._mode not in (AS_STORED, item.transfer_syntax_uid)
        link = self.known().link
        return not link.seen or link.seconds(item.size) - link.wait_s > SMALL_S

    def _weighed(self, delivery: Delivery, item: Item, instance: Instance) -> Sent | None:
        from agent.forward.copying import make_copy, master_of, opened  # media and the C core: where they are needed

        with opened(instance.path, instance.size) as file:
            master, known = master_of(file, instance, item.source), self.known()
            choice = choose(master, delivery.taken(item.sop_class_uid), self._mode, known, cpu_share=self._share)
            if choice is None:
                return Sent(unchangeable(delivery.send(instance)))
            if choice.syntax == item.transfer_syntax_uid:
                return self._as_stored(delivery, instance, master, choice.why)
            long = known.took_s(known.work_s(master, choice.syntax), self._share) > HURRY_S
            if long:
                delivery.close()
            size, _ = known.size(master, choice.syntax)
            room = self._spool.draft(size, Floor.HALF)
            copy = make_copy(room, instance, file, master, choice, self._between_frames())
        if long or not delivery.serve(0):  # the peer may have had enough of the silence
            self._ready = item.id, copy
            return None
        return self._copy_sent(delivery, copy)

    def _between_frames(self) -> Callable[[], None]:
        """Return what is called after each frame: it ends the work when the agent stops, and keeps to the CPU share."""
        last = time.thread_time()

        def watch() -> None:
            nonlocal last
            if self._cancelled():
                raise LinkClosed("the agent stops")
            if self._share < 1:
                time.sleep((time.thread_time() - last) * (1 / self._share - 1))
                last = time.thread_time()

        return watch

    # --- figures -------------------------------------------------------------------------------

    def known(self) -> Known:
        """Return what was learned, at first from the receipts."""
        if self._known is None:
            self._known = recall(self._spool, self._destination)
        return self._known

    def _as_stored(self, delivery: Delivery, instance: Instance, master: Master | None, why: str) -> Sent:
        return self._learned(delivery.send(instance), master, None, why)

    def _copy_sent(self, delivery: Delivery, copy: Copy) -> Sent:
        try:
            outcome = delivery.send(copy.instance)
        finally:
            copy.room.abandon()
        digest = copy.instance.data_set_sha256.hex()
        return self._learned(outcome, copy.master, copy, copy.why, ("copy_sha256", digest))

    def _learned(
        self, outcome: Outcome, master: Master | None, copy: Copy | None, why: str, *more: tuple[str, object]
    ) -> Sent:
        if not outcome.stored:
            return Sent(outcome)
        figures = Figures(outcome.instance.transfer_syntax_uid, outcome.bytes, round(outcome.seconds, 6))
        source = ""
        if master is not None:
            source = master.source
            figures = figures._replace(
                stored_as=master.syntax, stored_bytes=master.bytes, native_bytes=master.native_bytes,
                pixels=master.pixels,
            )  # fmt: skip
        if copy is not None:
            figures = figures._replace(work_s=round(copy.work_s, 6), took_s=round(copy.took_s, 6))
        self.known().add(figures, source)
        facts = {name: value for name, value in figures._asdict().items() if value}
        return Sent(outcome, (*facts.items(), *more, ("why", why)))


def instance_of(item: Item) -> Instance:
    """Return a claimed delivery as what ``deliver`` sends."""
    return Instance(
        item.path,
        item.sop_class_uid,
        item.sop_instance_uid,
        item.transfer_syntax_uid,
        item.data_set_offset,
        item.size,
        item.data_set_sha256,
        _DIMSE_PRIORITY[item.priority],
    )
