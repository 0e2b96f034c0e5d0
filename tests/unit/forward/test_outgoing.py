"""What a destination is proposed and taught, how work keeps to its share of a core, and when nothing is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fakes import masters, spool_world

from agent.dataset.uid import (
    EXPLICIT_VR_LE,
    IMPLICIT_VR_LE,
    JPEG_BASELINE,
    RLE_LOSSLESS,
    SC,
    STORAGE_COMMITMENT,
    US,
)
from agent.errors import LinkClosed, SpoolFull
from agent.forward import outgoing as page
from agent.forward.deliver import Outcome
from agent.forward.outgoing import Outgoing
from agent.service import commitment
from agent.spool.core import Destination
from agent.spool.quota import Admission
from agent.spool.store import Spool
from agent.transcode.choose import AUTO, LOSSLESS
from agent.ul.limits import CONTEXT_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agent.forward.files import Instance


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool.open(str(tmp_path), destinations=[Destination("pacs", commitment=False)]) as opened:
        yield opened


class Peer:
    """A delivery that takes some syntaxes of Secondary Capture and stores what it is sent."""

    peer = "PEER@host:104"

    def __init__(self, **answers: bool) -> None:
        words = {"explicit": EXPLICIT_VR_LE, "rle": RLE_LOSSLESS}
        self.found = {SC: {words[word]: taken for word, taken in answers.items()}, STORAGE_COMMITMENT: {"x": True}}

    def changed(self, text: str) -> None:
        self.told = text

    def answers(self) -> dict[str, dict[str, bool]]:
        return self.found

    def takes(self, instance: Instance) -> bool:
        return self.found[SC].get(instance.transfer_syntax_uid, False)

    def send(self, instance: Instance) -> Outcome:
        return Outcome(instance, True, 0, "", "", (), 500, 0.004, True, None)


def make(spool: Spool, said: list[str] | None = None, **changes: Any) -> Outgoing:
    settings = {"mode": "as-stored", "cpu_share": 1.0, "cancelled": lambda: False, **changes}
    say = (said if said is not None else []).append
    return Outgoing(spool, "pacs", settings["mode"], settings["cpu_share"], say=lambda _level, text: say(text),
                    cancelled=settings["cancelled"])  # fmt: skip


def test_masters_are_proposed_first_and_then_what_copies_may_be_in(spool: Spool) -> None:
    needs = make(spool).needs([(SC, JPEG_BASELINE), (US, RLE_LOSSLESS)], [commitment.NEED])
    found = [(need.sop_class_uid, *need.transfer_syntaxes) for need in needs]
    assert found[:2] == [(SC, JPEG_BASELINE), (US, RLE_LOSSLESS)]
    assert found[2][0] == STORAGE_COMMITMENT
    assert found[3:] == [(US, syntax) for syntax in LOSSLESS if syntax != RLE_LOSSLESS]  # and nothing for the lossy one


def test_commitment_has_a_context_however_many_kinds_there_are(spool: Spool) -> None:
    pairs = [(f"1.2.{number}", EXPLICIT_VR_LE) for number in range(100)]
    needs = make(spool).needs(pairs, [commitment.NEED])
    assert STORAGE_COMMITMENT in [need.sop_class_uid for need in needs[:CONTEXT_LIMIT]]
    assert needs[101].sop_class_uid == "1.2.99"  # the latest kind comes first


def test_what_a_peer_takes_is_written_down_once_and_less_than_before_is_said(spool: Spool) -> None:
    said: list[str] = []
    for number, answers in enumerate([{"explicit": True, "rle": True}] * 2 + [{"rle": False}]):
        make(spool, said).opened(Peer(**answers))  # type: ignore[arg-type] # all of a Delivery that is used
        events = spool.ledger.read(
            "SELECT count(*) FROM event WHERE kind = 'peer takes' AND detail LIKE ?", (f"%{SC}%",)
        )
        assert events[0][0] == (1, 1, 2)[number]
    assert spool.accepted("pacs")[SC] == {EXPLICIT_VR_LE: True, RLE_LOSSLESS: False}
    assert said == ["PEER@host:104 no longer takes RLE Lossless of Secondary Capture Image Storage"]


@pytest.mark.parametrize(
    ("answers", "commits"), [([True, False], True), ([False, True], True), ([False, False], False)]
)
def test_whether_a_peer_commits_is_written_down(spool: Spool, answers: list[bool], commits: bool) -> None:
    peer = Peer(explicit=True)
    peer.found[STORAGE_COMMITMENT] = dict(zip((EXPLICIT_VR_LE, IMPLICIT_VR_LE), answers, strict=True))
    outgoing = make(spool)
    outgoing.opened(peer)  # type: ignore[arg-type] # all of a Delivery that is used
    assert set(spool.accepted("pacs")[STORAGE_COMMITMENT].values()) == {commits}
    peer.found[STORAGE_COMMITMENT] = {EXPLICIT_VR_LE: True, IMPLICIT_VR_LE: False}
    outgoing.opened(peer)  # type: ignore[arg-type] # all of a Delivery that is used
    assert set(spool.accepted("pacs")[STORAGE_COMMITMENT].values()) == {True}


def test_what_is_unconfirmed_is_asked_for_when_a_peer_begins_to_commit(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    reopened: list[str] = []
    monkeypatch.setattr(Spool, "reopen", lambda _spool, name: len(reopened.append(name) or reopened))
    said: list[str] = []
    peer = Peer(explicit=True)
    for taken in (True, False, True, True):
        peer.found[STORAGE_COMMITMENT] = {EXPLICIT_VR_LE: taken, IMPLICIT_VR_LE: False}
        make(spool, said).opened(peer)  # type: ignore[arg-type] # all of a Delivery that is used
    assert reopened == ["pacs"]
    assert said == [
        "PEER@host:104 no longer offers Storage Commitment Push Model",
        "PEER@host:104 now offers Storage Commitment Push Model; 1 unconfirmed are asked for anew",
    ]
    assert peer.told == "it now offers Storage Commitment Push Model"


def test_a_small_instance_is_not_even_opened(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        spool_world.capture(spool, number)
    outgoing = make(spool, mode=AUTO)
    items = spool.claim("pacs", spool.clock.monotonic())
    peer: Any = Peer(explicit=True)
    peer.taken = lambda _sop_class: [EXPLICIT_VR_LE]
    first = outgoing.send(peer, items[0])
    assert first is not None
    assert "takes nothing else" in dict(first.facts)["why"]  # type: ignore[operator] # it is text
    monkeypatch.setattr("agent.forward.copying.opened", None)
    for item in items[1:]:
        sent = outgoing.send(peer, item)
        assert sent is not None
        assert "too small" in dict(sent.facts)["why"]  # type: ignore[operator] # it is text


@pytest.mark.parametrize(("share", "pause"), [(1.0, None), (0.25, 0.3), (0.5, 0.1)])
def test_work_keeps_to_its_share_of_a_core(
    share: float, pause: float | None, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    times = iter([1.0, 1.1, 1.1, 1.2, 1.2])
    monkeypatch.setattr(page.time, "thread_time", lambda: next(times))
    monkeypatch.setattr(page.time, "sleep", pauses.append)
    make(spool, cpu_share=share)._between_frames()()
    assert pauses == ([] if pause is None else [pytest.approx(pause)])


@pytest.mark.parametrize("lasts", [True, False])
def test_a_copy_outlives_an_association_that_its_peer_ends_meanwhile(
    lasts: bool,
    spool: Spool,
    tmp_path: Path,
) -> None:
    spool.import_file(str(masters.write(tmp_path, "sc", RLE_LOSSLESS)))
    (item,) = spool.claim("pacs", spool.clock.monotonic())
    peer: Any = Peer(explicit=True)
    peer.taken = lambda _sop_class: [EXPLICIT_VR_LE]
    peer.serve = lambda _seconds: lasts
    outgoing = make(spool)
    sent = outgoing.send(peer, item)
    assert (sent is None) == outgoing.ready == (not lasts)
    if sent is None:
        sent = outgoing.send(peer, item)
    assert sent is not None
    assert dict(sent.facts)["sent_as"] == EXPLICIT_VR_LE
    assert not outgoing.ready
    assert list(tmp_path.rglob("*.part")) == []


def test_a_copy_is_made_where_captures_have_filled_the_medium(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool.import_file(str(masters.write(tmp_path, "sc", RLE_LOSSLESS)))
    (item,) = spool.claim("pacs", spool.clock.monotonic())
    peer: Any = Peer(explicit=True)
    peer.taken, peer.serve = lambda _sop_class: [EXPLICIT_VR_LE], lambda _seconds: True
    monkeypatch.setattr(Admission, "floor_bytes", lambda _self, free: free.bytes * 3 // 2)
    with pytest.raises(SpoolFull):
        spool.draft()
    sent = make(spool).send(peer, item)
    assert sent is not None
    assert sent.outcome.stored
    monkeypatch.setattr(Admission, "floor_bytes", lambda _self, free: free.bytes * 3)
    sent = make(spool).send(peer, item)
    assert sent is not None
    assert isinstance(sent.outcome.error, SpoolFull)


def test_a_stop_ends_the_work_before_the_first_frame(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A master of gigabytes is hashed for a long time."""
    spool.import_file(str(masters.write(tmp_path, "sc", RLE_LOSSLESS)))
    (item,) = spool.claim("pacs", spool.clock.monotonic())
    peer: Any = Peer(explicit=True)
    peer.taken = lambda _sop_class: [EXPLICIT_VR_LE]
    monkeypatch.setattr("agent.forward.copying.job_of", None)
    sent = make(spool, cancelled=lambda: True).send(peer, item)
    assert sent is not None
    assert isinstance(sent.outcome.error, LinkClosed)
    assert list(tmp_path.rglob("*.part")) == []


def test_a_stop_ends_the_work_between_two_frames(spool: Spool) -> None:
    with pytest.raises(LinkClosed):
        make(spool, cancelled=lambda: True)._between_frames()()
