"""Commitment three ways, whatever becomes of it: each ends in its named state, and nothing is evicted too early.

pynetdicom is the SCP. A way is how its reports come: on the association that asked, on a new one of its own, or on the
next one that we open. A fate is what the reports say and what is odd about them. All the while the spool is asked for
more room than there is: an instance may go only after the SCP has vouched for it.
"""

from __future__ import annotations

import ssl
import threading
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest

pytest.importorskip("pynetdicom")

from fakes.link_bench import Bench
from fakes.peers import make_bench_ca
from fakes.reporting import send_report
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, build_role, evt
from pynetdicom.sop_class import (
    SecondaryCaptureImageStorage,
    StorageCommitmentPushModel,
    UltrasoundImageStorage,
)

from agent.app.flight_text import records
from agent.dataset.uid import US
from agent.link.tls import TlsSettings
from agent.spool.committing import SENDS_AGAIN
from agent.spool.quota import Policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from agent.spool.receipt import Custody

ASKS: Final = 2
END_S: Final = 20.0
NUDGE_S: Final = 3.0
POLICY: Final = Policy(reask_after_s=0.1, reask_cap_s=0.1, evict_after_s=0.0)
SETTINGS: Final[dict[str, Any]] = {"idle_close_s": 0.2, "most_asked": ASKS}
ROOM: Final = 10**15

# pynetdicom takes a request that crosses its report for the answer, and aborts: on a busy machine that happens.
CROSSED: Final = ("Received an invalid", "Received unexpected", "DIMSE timeout reached")
ATTEMPTS: Final = 3

Verdicts = dict[str, int]  # SOP Instance UID -> 0 committed, or Failure Reason; what is not in it is left out


class Fate(NamedTuple):
    """What the SCP says, and what is odd about how it says it."""

    says: Callable[[str, int], int | None]  # (SOP Instance UID, how often it was asked) -> verdict, None: no report
    ends: str | tuple[str, str]  # state of both instances, or of each
    asked: tuple[int, ...] = (1,)  # N-ACTIONs about an instance until then, at least and at most
    sent: int = 1  # C-STOREs of the first instance
    why: str = ""  # in the reason of the last
    title: str = "ARCHIVE"  # of the SCP when it reports
    called: str = "AGENT"
    role: bool = True
    syntax: str = ExplicitVRLittleEndian
    times: int = 1  # each report is sent so often
    transaction: str = ""  # reports are about this instead
    waits: bool = False  # until the agent was restarted
    deadline_s: float = 10.0  # of a report


def always(reason: int) -> Callable[[str, int], int | None]:
    return lambda _uid, _number: reason


def once(reason: int) -> Callable[[str, int], int | None]:
    return lambda _uid, number: reason if number == 1 else 0


def never(_uid: str, _number: int) -> int | None:
    return None


def only_the_first(uid: str, _number: int) -> int | None:
    return 0 if uid.endswith(".1") else 0x0110


COMMITTED, UNCONFIRMED, HELD = "committed", "unconfirmed", "held"
NEVER: Final[dict[str, Any]] = {"ends": UNCONFIRMED, "asked": (ASKS,), "why": "no report in time", "deadline_s": 0.4}
FATES: Final = {
    "success": Fate(always(0), COMMITTED),
    "part failure": Fate(only_the_first, (COMMITTED, UNCONFIRMED), (1, ASKS), why="0110 processing failure"),
    "0110 always": Fate(always(0x0110), UNCONFIRMED, (ASKS,), why="0110 processing failure"),
    "0110 once": Fate(once(0x0110), COMMITTED, (2,)),
    "0112 always": Fate(always(0x0112), HELD, (SENDS_AGAIN + 1,), SENDS_AGAIN + 1, "does not have it"),
    "0112 once": Fate(once(0x0112), COMMITTED, (2,), 2),
    "0119": Fate(always(0x0119), HELD, why="0119 SOP Class and instance do not match"),
    "0122": Fate(always(0x0122), HELD, why="0122 SOP Class not supported"),
    "0131 always": Fate(always(0x0131), UNCONFIRMED, (ASKS,), why="0131 duplicate Transaction UID"),
    "0131 once": Fate(once(0x0131), COMMITTED, (2,)),
    "0213 always": Fate(always(0x0213), UNCONFIRMED, (ASKS,), why="0213 resource limitation"),
    "0213 once": Fate(once(0x0213), COMMITTED, (2,)),
    "a reason of its own": Fate(always(0xC123), UNCONFIRMED, (ASKS,), why="C123"),
    "wrong title": Fate(always(0), COMMITTED, title="ROUTER"),
    "wrong title called": Fate(always(0), called="NOBODY", **NEVER),
    "no role selection": Fate(always(0), COMMITTED, role=False),
    "Implicit LE": Fate(always(0), COMMITTED, syntax=ImplicitVRLittleEndian),
    "late after restart": Fate(always(0), COMMITTED, (1, ASKS), waits=True),
    "twice": Fate(always(0), COMMITTED, times=2),
    "unknown transaction": Fate(always(0), transaction="2.25.1", **NEVER),
    "never": Fate(never, **NEVER),
}
# An association of ours has the called title that we gave it.
CASES: Final = [
    (way, fate) for way in ("same", "new", "next") for fate in FATES if way == "new" or fate != "wrong title called"
]


class Report(NamedTuple):
    asked_on: Any  # association
    transaction_uid: str
    verdicts: Verdicts


class Scp:
    """Stores, is asked, and reports one way; ultrasound images are committed at once, they are there to be sent."""

    def __init__(self, way: str, fate: Fate) -> None:
        self.way, self.fate = way, fate
        self.stored: list[str] = []
        self.asked: list[list[str]] = []  # SOP Instance UIDs of each request
        self.transactions: list[str] = []
        self.vouched: set[str] = set()
        self.statuses: list[int] = []  # answers to reports
        self.pending: list[Report] = []
        self.open = threading.Event()
        self.port = 0  # of the agent's listener
        self.tls: ssl.SSLContext | None = None
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        if not fate.waits:
            self.open.set()
        self.ae = AE("ARCHIVE" if fate.title == "ARCHIVE" or way == "new" else fate.title)
        self.ae.dimse_timeout = 2
        for sop_class in (SecondaryCaptureImageStorage, UltrasoundImageStorage):
            self.ae.add_supported_context(sop_class, ExplicitVRLittleEndian)
        self.ae.add_supported_context(StorageCommitmentPushModel, fate.syntax)
        handlers = [(evt.EVT_C_STORE, self._store), (evt.EVT_N_ACTION, self._action)]
        self.server = self.ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)

    def close(self) -> None:
        for thread in self._threads:
            thread.join(10)
        self.server.shutdown()

    @property
    def waits_for_the_next(self) -> bool:
        """Tell whether nothing will be said before the agent connects again."""
        return bool(self.pending) and self.open.is_set() and not self.server.active_associations

    def _store(self, event: Any) -> int:
        self.stored.append(str(event.request.AffectedSOPInstanceUID))
        return 0

    def _action(self, event: Any) -> tuple[int, None]:
        request = event.action_information
        classes = {
            str(one.ReferencedSOPInstanceUID): one.ReferencedSOPClassUID for one in request.ReferencedSOPSequence
        }
        plain: Verdicts = {uid: 0 for uid, sop_class in classes.items() if sop_class == US}
        ours = [uid for uid in classes if uid not in plain]
        uid = str(request.TransactionUID)
        self.transactions.append(uid)
        ready = [Report(None, uid, plain)] if plain else []
        if ours:
            self.asked.append(ours)
            counts = {one: sum(one in asked for asked in self.asked) for one in ours}
            said = {one: self.fate.says(one, counts[one]) for one in ours}
            verdicts = {one: verdict for one, verdict in said.items() if verdict is not None}
            reports = [Report(event.assoc, self.fate.transaction or uid, verdicts)] * self.fate.times
            if verdicts and self.way == "new":
                self._run(self._call, reports)
            elif verdicts and self.way == "same" and self.open.is_set():
                ready += reports
            elif verdicts:
                self.pending += reports
        if self.open.is_set():
            ready += [one for one in self.pending if one.asked_on is not event.assoc]
            self.pending = [one for one in self.pending if one.asked_on is event.assoc]
        if ready:
            self._run(self._on, event.assoc, ready)
        return 0, None

    def _run(self, work: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=work, args=args)
        self._threads.append(thread)
        thread.start()

    def _on(self, association: Any, reports: list[Report]) -> None:
        """Report on an association that the agent opened, one at a time: pynetdicom takes anything for the answer."""
        with self._lock:
            for report in reports:
                self._send(association, report)

    def _call(self, reports: list[Report]) -> None:
        """Report on an association of our own."""
        if not self.open.wait(END_S):
            return
        ae = AE(self.fate.title)
        ae.add_requested_context(StorageCommitmentPushModel, self.fate.syntax)
        roles = [build_role(StorageCommitmentPushModel, scu_role=False, scp_role=True)] if self.fate.role else []
        tls = {} if self.tls is None else {"tls_args": (self.tls, "localhost")}
        association = ae.associate("127.0.0.1", self.port, ae_title=self.fate.called, ext_neg=roles, **tls)
        if association.is_established:
            for context in association.accepted_contexts:
                context._as_scp = True  # without role selection pynetdicom would not even try
            for report in reports:
                self._send(association, report)
            association.release()

    def _send(self, association: Any, report: Report) -> None:
        data = Dataset()
        data.TransactionUID = report.transaction_uid
        good = [uid for uid, verdict in report.verdicts.items() if not verdict]
        bad = {uid: verdict for uid, verdict in report.verdicts.items() if verdict}
        if good:
            data.ReferencedSOPSequence = [self._reference(uid) for uid in good]
        if bad:
            data.FailedSOPSequence = [self._reference(uid) for uid in bad]
            for item, verdict in zip(data.FailedSOPSequence, bad.values(), strict=True):
                item.FailureReason = verdict
        if not self.fate.transaction:
            self.vouched.update(good)
        status = send_report(association, data)
        if status is None:
            self.pending.append(report)
        elif report.asked_on is not None:
            self.statuses.append(status)

    def _reference(self, uid: str) -> Dataset:
        item = Dataset()
        item.ReferencedSOPClassUID = UltrasoundImageStorage if ".7.7." in uid else SecondaryCaptureImageStorage
        item.ReferencedSOPInstanceUID = uid
        return item


class World:
    """An agent and its SCP, and the eyes on both."""

    def __init__(self, folder: Path, way: str, fate: Fate, tls: TlsSettings | None = None) -> None:
        self.way, self.fate, self.tls = way, fate, tls
        self.folder = folder
        self.scp = Scp(way, fate)
        self.bench = Bench(folder, POLICY)
        self.uids = [f"2.25.{time.time_ns()}.{number}" for number in (1, 2)]
        for uid in self.uids:
            self.bench.capture(1, uid=uid)
        self.nudged = "", 0.0
        self.start()

    def start(self) -> None:
        if self.way == "new":
            self.scp.port = self.bench.listen(tls=self.tls)
        port = int(self.scp.server.server_address[1])
        stays = 0.5 if self.way == "same" else 0.1
        self.bench.work(port, report_deadline_s=self.fate.deadline_s, report_wait_s=stays, **SETTINGS)

    def restart(self) -> None:
        self.bench.close()
        self.bench = Bench(self.folder, POLICY)
        self.start()

    def close(self) -> None:
        self.scp.open.set()
        self.bench.stop.set()
        self.scp.close()
        self.bench.close()

    def custody(self) -> list[Custody]:
        found = [self.bench.spool.receipt(uid) for uid in self.uids]
        return [receipt.deliveries[0] for receipt in found if receipt is not None]

    def wait(self, *states: str) -> None:
        """Wait for the states of both instances."""
        self.until(lambda: tuple(one.state for one in self.custody()) == states)

    def until(self, done: Callable[[], bool]) -> None:
        """Wait while room is short, and let the agent connect if that is needed."""
        ends = time.monotonic() + END_S
        while not done():
            assert time.monotonic() < ends, (self.custody(), self.scp.statuses, self.bench.said)
            self.nudge()
            self.evict()
            time.sleep(0.01)

    def nudge(self) -> None:
        """Give the agent one image to send: pynetdicom cannot bear a question while it waits for an answer."""
        receipt = self.bench.spool.receipt(self.nudged[0])
        over = receipt is None or receipt.deliveries[0].state == COMMITTED or time.monotonic() > self.nudged[1]
        if over and self.scp.waits_for_the_next:
            uid = f"2.25.7.7.{time.time_ns()}"
            self.nudged = uid, time.monotonic() + NUDGE_S
            self.bench.capture(1, uid=uid, sop_class=US)

    def evict(self) -> None:
        """Take all the room that can be had; what was not vouched for stays."""
        self.bench.spool.evict(need_bytes=ROOM)
        for uid in self.uids:
            receipt = self.bench.spool.receipt(uid)
            assert receipt is not None
            assert receipt.state == "live" or uid in self.scp.vouched


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    made: list[World] = []

    def make(way: str, fate: Fate, tls: TlsSettings | None = None) -> World:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(World(folder, way, fate, tls))
        return made[-1]

    yield make
    for one in made:
        one.close()


def ends(fate: Fate) -> tuple[str, str]:
    return (fate.ends, fate.ends) if isinstance(fate.ends, str) else fate.ends


@pytest.mark.parametrize(("way", "name"), CASES, ids=[f"{way}-{name}" for way, name in CASES])
def test_commitment_ends(way: str, name: str, world: Callable[..., World], caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(ATTEMPTS):
        caplog.clear()
        try:
            play(way, FATES[name], world)
        except AssertionError:
            if not any(words in caplog.text for words in CROSSED):
                raise
        else:
            return
    pytest.fail(f"pynetdicom could not bear it {ATTEMPTS} times")


def play(way: str, fate: Fate, world: Callable[..., World]) -> None:
    """Play one case to its end."""
    one = world(way, fate)
    if fate.waits:
        one.wait("awaiting commitment", "awaiting commitment")
        one.restart()
        one.scp.open.set()
    one.wait(*ends(fate))
    first, last = one.custody()
    assert fate.why in last.reason
    for uid in one.uids:
        asked = sum(uid in request for request in one.scp.asked)
        assert fate.asked[0] <= asked <= fate.asked[-1]
        receipt = one.bench.spool.receipt(uid)
        assert receipt is not None
        committed = receipt.deliveries[0].state == COMMITTED
        assert committed is (uid in one.scp.vouched and fate.called == "AGENT")
        assert committed or receipt.state == "live"
    assert one.scp.stored.count(one.uids[0]) == fate.sent
    assert len(set(one.scp.transactions)) == len(one.scp.transactions)
    if fate.times > 1 or fate.transaction:
        one.until(lambda: len(one.scp.statuses) >= fate.times)
        one.wait(*ends(fate))
        assert (0 in one.scp.statuses) is (not fate.transaction)
        assert len(set(one.scp.statuses)) == 1
    if fate.title == "ROUTER":
        heard = [text for text in one.bench.said if "reports come from AE Title ROUTER" in text]
        assert len(heard) == (way == "new")
        assert first.peer.startswith("ARCHIVE@")


@pytest.mark.parametrize("way", ["same", "new", "next"])
def test_how_reports_come_is_learned(way: str, world: Callable[..., World]) -> None:
    one = world(way, FATES["success"])
    one.wait(COMMITTED, COMMITTED)
    one.bench.close()
    one.bench = Bench(one.folder, POLICY)  # which close() may close again
    profile, flights = records(one.bench.spool.root, "pacs")
    assert [*profile["ways"]] == [way] if way != "next" else "next" in profile["ways"]
    assert profile["commits"] is True
    assert [flight for flight in flights if not flight["opened_by_us"]] == [
        flight for flight in flights if [report[0] for report in flight["reports"]] == ["new"]
    ]


def test_a_report_on_a_new_association_with_tls(tmp_path_factory: pytest.TempPathFactory, world: Any) -> None:
    ca = tmp_path_factory.mktemp("ca")
    make_bench_ca(ca)
    names = [str(ca / name) for name in ("ca.pem", "agent.pem", "agent.key")]
    one = world("new", FATES["late after restart"], TlsSettings(*names))
    one.wait("awaiting commitment", "awaiting commitment")
    one.restart()
    one.scp.tls = ssl.create_default_context(cafile=names[0])
    one.scp.tls.load_cert_chain(str(ca / "archive.pem"), str(ca / "archive.key"))
    one.scp.open.set()
    one.wait(COMMITTED, COMMITTED)
    assert any("2 instances committed" in text for text in one.bench.said)
