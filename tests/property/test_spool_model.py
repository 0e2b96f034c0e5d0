"""Any life of a spool keeps its promises: random calls in random order, with restarts, against the invariants."""

from __future__ import annotations

import os
import tempfile

from fakes.spool_faults import look
from fakes.spool_world import World, capture, data_set, digest, uid_of
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import DecodeError, NotFound, SpoolConflict
from agent.spool.states import Priority
from agent.spool.walk import Origin, walk

NUMBERS = st.integers(1, 6)
CALLS = st.one_of(
    st.tuples(st.just("capture"), NUMBERS, st.integers(0, 1)),
    st.tuples(st.just("send"), st.sampled_from(["pacs", "second"]), st.integers(1, 4)),
    st.tuples(
        st.just("fail"),
        st.sampled_from(["pacs", "second"]),
        st.sampled_from(["deferred", "held", "put_back", "nothing"]),
    ),
    st.tuples(st.just("ask"), st.just(0), st.just(0)),
    st.tuples(
        st.just("report"), st.integers(0, 5), st.sampled_from([0, 0x0110, 0x0112, 0x0119, 0x0131, 0x0213, 0x7777])
    ),
    st.tuples(st.just("expire"), st.just(0), st.just(0)),
    st.tuples(st.just("unanswered"), st.integers(0, 5), st.just(0)),
    st.tuples(st.just("end"), st.sampled_from(["not offered", "unlisted", "unconfirmed"]), st.integers(1, 4)),
    st.tuples(st.just("retry"), st.just(0), st.just(0)),
    st.tuples(st.just("prioritize"), NUMBERS, st.sampled_from(Priority)),
    st.tuples(st.just("divert"), st.just(0), st.just(0)),
    st.tuples(st.just("evict"), st.just(0), st.integers(0, 1)),
    st.tuples(st.just("restart"), st.just(0), st.just(0)),
)


class Life:
    """One spool, and what was asked of the archive so far."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.spool = world.open()
        self.requests: list[tuple[str, list[str]]] = []
        self.first: dict[int, int] = {}

    def capture(self, number: int, salt: int) -> None:
        try:
            sealed = capture(self.spool, number, salt=salt)
        except SpoolConflict:
            assert self.first[number] != salt
            return
        assert self.first.setdefault(number, salt) == salt
        assert sealed.data_set_sha256 == digest(number, salt=salt)
        self.world.promise("captured", number, sealed.data_set_sha256)

    def send(self, destination: str, limit: int) -> None:
        self.world.send(self.spool, destination, limit=limit)

    def fail(self, destination: str, how: str) -> None:
        items = self.spool.claim(destination, self.spool.clock.monotonic(), 2)
        for item in items:
            if how == "deferred":
                self.spool.deferred(item, "busy", self.spool.clock.monotonic())
            elif how == "held":
                self.spool.held(item, "no")
        if how == "put_back":
            self.spool.put_back(items)

    def ask(self, _a: int, _b: int) -> None:
        self.requests.append(self.world.ask(self.spool))

    def report(self, which: int, reason: int) -> None:
        if not self.requests:
            return
        uid, asked = self.requests[which % len(self.requests)]
        if reason:
            for one in asked:
                self.world.promise("missing", one.rsplit(".", 1)[1])
            assert self.spool.settle(uid, [], [(one, reason) for one in asked])
        else:
            self.world.settle(self.spool, uid, asked)

    def expire(self, _a: int, _b: int) -> None:
        self.spool.expired_transactions(self.spool.clock.monotonic() + 1e9)

    def unanswered(self, which: int, _b: int) -> None:
        if self.requests:
            self.spool.unanswered(self.requests[which % len(self.requests)][0], "it was cut off")

    def end(self, how: str, limit: int) -> None:
        items = self.spool.exhausted("pacs", self.spool.clock.monotonic() + 1e9, 0, limit)
        for item in items:
            self.world.promise("missing", item.sop_instance_uid.rsplit(".", 1)[1])
        if how == "not offered":
            self.spool.not_offered(items, "it has none")
        elif how == "unlisted":
            self.spool.unlisted(items, "not there")
        else:
            self.spool.unconfirmed(items, "there", listed=True)

    def retry(self, _a: int, _b: int) -> None:
        self.spool.retry()

    def prioritize(self, number: int, priority: Priority) -> None:
        try:
            self.spool.prioritize(uid_of(number), priority)
        except NotFound:
            assert number not in self.first

    def divert(self, _a: int, _b: int) -> None:
        self.world.divert(self.spool)

    def evict(self, _a: int, hurry: int) -> None:
        self.spool.evict(need_bytes=hurry)

    def restart(self, _a: int, _b: int) -> None:
        self.spool.close()
        self.spool = self.world.open()


@settings(max_examples=40)
@given(st.lists(CALLS, max_size=40))
def test_any_life_keeps_its_promises(calls: list[tuple[str, object, object]]) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as folder:
        world = World(folder)
        os.makedirs(world.root)
        life = Life(world)
        try:
            for name, a, b in calls:
                getattr(life, name)(a, b)
            conflicts = bool(os.listdir(f"{world.root}/quarantine"))
            assert world.check(life.spool.report, life.spool) == []
        finally:
            life.spool.close()
        assert look(world, rebuilt=False) == []
        assert conflicts or not os.listdir(f"{world.root}/quarantine")


# --- the walk --------------------------------------------------------------------------------------

WHOLE = data_set(1, size=64)
EXPLICIT, IMPLICIT, BIG, DEFLATED = (
    "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99",
)  # fmt: skip


def walked(data: bytes, syntax: str) -> Origin | DecodeError:
    try:
        return walk(lambda length, at: data[at : at + length], len(data), 0, syntax)
    except DecodeError as error:
        return error


@given(st.integers(0, len(WHOLE) - 1))
def test_a_data_set_cut_anywhere_but_between_elements_is_noticed(length: int) -> None:
    got = walked(WHOLE[:length], EXPLICIT)
    if isinstance(got, Origin):
        assert WHOLE[length:][:4] in {
            b"\x08\0\x16\0",
            b"\x08\0\x18\0",
            b"\x20\0\x0d\0",
            b"\x20\0\x0e\0",
            b"\xe0\x7f\x10\0",
        }


@given(st.binary(max_size=300), st.sampled_from([EXPLICIT, IMPLICIT, BIG, DEFLATED]))
def test_any_bytes_are_walked_or_refused(data: bytes, syntax: str) -> None:
    walked(data, syntax)


@given(st.data())
def test_spoilt_bytes_are_walked_or_refused(data: st.DataObject) -> None:
    spoilt = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 4))):
        spoilt[data.draw(st.integers(0, len(WHOLE) - 1))] = data.draw(st.integers(0, 255))
    walked(bytes(spoilt), data.draw(st.sampled_from([EXPLICIT, IMPLICIT, BIG])))


def test_a_whole_data_set_tells_its_origin() -> None:
    named = Origin("1.2.3.4", "1.2.3.4.5", "1.2.840.10008.5.1.4.1.1.7", "1.2.826.0.1.3680043.2.1143.9.1")
    assert walked(WHOLE, EXPLICIT) == named
