"""``why``: each state has a sentence, each reason what to do, and what was learned is shown; with no agent running."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from fakes import spool_world

from agent.app import why
from agent.app.cli import main
from agent.dataset.uid import (
    EXPLICIT_VR_LE,
    IMPLICIT_VR_LE,
    JPEG_LS_LOSSLESS,
    JPEG_LS_NEAR,
    RLE_LOSSLESS,
    SC,
    STORAGE_COMMITMENT,
)
from agent.errors import NoAcceptedContext, class_of
from agent.media.part10 import FileMeta, encode_prefix
from agent.spool.core import Destination
from agent.spool.forwarding import Answer
from agent.spool.states import WORDS, State
from agent.spool.store import Spool
from agent.spool.view import SpoolView

if TYPE_CHECKING:
    from pathlib import Path

    from agent.spool.core import Item

FACTS = (
    ("sent_as", JPEG_LS_LOSSLESS), ("bytes", 100_000), ("link_s", 0.5), ("stored_as", EXPLICIT_VR_LE),
    ("stored_bytes", 300_000), ("native_bytes", 299_000), ("pixels", "grey8"), ("work_s", 0.01),
    ("why", "it is quicker"),
)  # fmt: skip


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A spool with one instance for each fate: queued 1, held 2, deferred 3, stored 4 and committed 5."""
    path = tmp_path / "spool"
    path.mkdir()
    with Spool.open(str(path), destinations=[Destination("pacs")]) as spool:
        for number in range(1, 6):
            spool_world.capture(spool, number)
        items = {int(item.sop_instance_uid.rsplit(".", 1)[1]): item for item in spool.claim("pacs", 1e12)}
        spool.put_back([items[1]])
        spool.held(items[2], f"it refused RLE Lossless [{NoAcceptedContext.code}]")
        spool.deferred(items[3], "archive out of resources [dimse.status]", 1e12, status=0xA700)
        spool.stored_many([Answer(items[number], facts=FACTS) for number in (4, 5)])
        committed(spool, items[5])
        spool.learned("pacs", SC, {EXPLICIT_VR_LE: True, RLE_LOSSLESS: False})
    return path


def committed(spool: Spool, item: Item) -> None:
    spool.open_transaction("pacs", [item], "2.25.77", 1e12)
    spool.settle("2.25.77", [item.sop_instance_uid], [], destination="pacs")


def answer(root: Path, what: str, capsys: pytest.CaptureFixture[str]) -> tuple[str, dict[str, Any]]:
    assert main(["why", what, "--spool", str(root)]) == 0
    text = capsys.readouterr().out
    assert main(["why", what, "--spool", str(root), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["says"] == text.splitlines()
    return text, facts


def test_every_state_has_a_sentence() -> None:
    assert set(why.STATES) == {WORDS[state] for state in State}
    assert set(why.ENDS) < set(why.STATES)


@pytest.mark.parametrize(
    ("number", "state", "texts"),
    [
        (1, "queued", ["waits for its turn"]),
        (2, "held", ["is held until somebody acts", "it refused RLE Lossless", NoAcceptedContext.hint, "queue retry"]),
        (3, "deferred", ["could not be delivered yet (1 try)", "status A700 means: archive out of resources"]),
        (4, "stored", ["was stored at", "commitment will be asked for", "as JPEG-LS Lossless, 3.00 times smaller"]),
        (5, "committed", ["the archive has taken it over", "after 0.01 s of work (it is quicker)"]),
    ],
)
def test_an_instance_is_explained(
    number: int, state: str, texts: list[str], root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, facts = answer(root, spool_world.uid_of(number), capsys)
    (row,) = facts["destinations"]
    assert (row["destination"], row["state"], row["done"]) == ("pacs", state, state == "committed")
    assert [wanted for wanted in texts if wanted not in text] == []
    assert "[" not in text


def test_a_destination_is_explained(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, facts = answer(root, "pacs", capsys)
    assert facts["queue"] == {"queued": 1, "held": 1, "deferred": 1, "stored": 1, "committed": 1}
    assert {row["state"]: row["count"] for row in facts["waiting"]} == {"held": 1, "deferred": 1}
    assert facts["link"]["answers"] == 2
    assert facts["takes"] == {SC: {EXPLICIT_VR_LE: True, RLE_LOSSLESS: False}}
    assert [row["why"] for row in facts["sent"]] == ["it is quicker"] * 2
    lines = text.splitlines()
    (head,) = [number for number, line in enumerate(lines) if line.startswith("takes")]
    assert lines[head].split() == ["takes", "explicit", "rle"]
    assert lines[head + 1].split()[-2:] == ["yes", "no"]
    assert f"to do: {NoAcceptedContext.hint}" in text


@pytest.mark.parametrize("asked", [True, False], ids=["commitment", "stored is enough"])
def test_a_peer_without_storage_commitment_is_said(asked: bool, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Spool.open(str(root), destinations=[Destination("pacs", asked)]) as spool:
        spool.learned("pacs", STORAGE_COMMITMENT, {EXPLICIT_VR_LE: False, IMPLICIT_VR_LE: False})
    for what in ("pacs", spool_world.uid_of(4)):
        text, _ = answer(root, what, capsys)
        assert (why.NO_COMMITMENT in text) is asked
        assert ("commitment = false" in text) is asked
        assert "commitment will be asked for" not in text
    assert "takes" in answer(root, "pacs", capsys)[1]
    assert STORAGE_COMMITMENT not in answer(root, "pacs", capsys)[1]["takes"]
    with Spool.open(str(root), destinations=[Destination("pacs", asked)]) as spool:
        spool.learned("pacs", STORAGE_COMMITMENT, {EXPLICIT_VR_LE: True, IMPLICIT_VR_LE: True})
    assert why.NO_COMMITMENT not in answer(root, "pacs", capsys)[0]


def test_questions_that_came_to_nothing_are_said_and_their_end(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    uid = spool_world.uid_of(4)
    with Spool.open(str(root), destinations=[Destination("pacs")]) as spool:
        (item,) = spool.awaiting_commitment("pacs", 1e12)
        spool.open_transaction("pacs", [item], "2.25.78", 1e12)
        spool.unanswered("2.25.78", "the request was not answered: it aborted [association.aborted]")
    text, _ = answer(root, uid, capsys)
    assert "commitment was asked for 1 time, the last time: the request was not answered: it aborted\n" in text
    with Spool.open(str(root), destinations=[Destination("pacs")]) as spool:
        (item,) = spool.exhausted("pacs", 1e12, 1)
        spool.not_offered([item], f"it has none [{NoAcceptedContext.code}]")
        spool.learned("pacs", STORAGE_COMMITMENT, {EXPLICIT_VR_LE: False, IMPLICIT_VR_LE: False})
        (item,) = spool.exhausted("pacs", 1e12, 2)
        spool.unconfirmed([item], "the archive lists it", listed=True)
    text, facts = answer(root, uid, capsys)
    (row,) = facts["destinations"]
    assert row["do"][0] == why.UNCOMMITTED
    assert "never committed: no commitment after 2 questions; the last one: it has none; the archive lists it;" in text
    assert f"queue retry {uid}" in text
    assert "[" not in text


@pytest.mark.parametrize("listening", [False, True])
def test_who_may_not_hear_a_report_is_told_to_listen(
    listening: bool, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Orthanc reports on an association of its own; nothing but the missing listener is wrong."""
    config = root.parent / "agent.toml"
    config.write_text(f'[spool]\npath = "{root}"\n[listener]\nenabled = {str(listening).lower()}\n')
    wait(root, "2.25.79", end=False)
    assert main(["why", spool_world.uid_of(4), "--config", str(config)]) == 0
    assert why.DEAF not in capsys.readouterr().out  # it has reported on another one
    with Spool.open(str(root), destinations=[Destination("pacs")]) as spool:
        (item,) = spool.awaiting_commitment("pacs", 1e12)
        spool.ledger.write(lambda db: db.execute("DELETE FROM commitment WHERE transaction_uid = '2.25.77'"))
        spool.open_transaction("pacs", [item], "2.25.80", 1e12)
    for what in (spool_world.uid_of(4), "pacs"):
        wait(root, "2.25.80", end=True)
        assert main(["why", what, "--config", str(config)]) == 0
        out = capsys.readouterr().out
        assert (f"  to do: {why.DEAF}\n" in out) is not listening
        which = what if what != "pacs" else "--destination pacs"
        assert f"a late report still counts, and 'modality-agent queue retry {which}' sends it" in out


def wait(root: Path, transaction_uid: str, *, end: bool) -> None:
    """Let the time for the report on instance 4 be over, once or (``end``) for good."""
    with Spool.open(str(root), destinations=[Destination("pacs")]) as spool:
        for item in spool.awaiting_commitment("pacs", 1e12):
            spool.open_transaction("pacs", [item], transaction_uid, 0)
        spool.expired_transactions(1e12)
        if end:
            spool.unconfirmed(spool.exhausted("pacs", 1e12, 1), "found by C-FIND")


def test_a_master_with_loss_that_is_refused_has_ways_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "lossy"
    root.mkdir()
    with Spool.open(str(root), destinations=[Destination("pacs")]) as spool:
        record = spool_world.record(1)._replace(transfer_syntax_uid=JPEG_LS_NEAR)
        meta = FileMeta(record.sop_class_uid, record.sop_instance_uid, JPEG_LS_NEAR)
        data = encode_prefix(meta) + spool_world.data_set(1)
        with spool.draft(len(data)) as draft:
            draft.write(data)
            draft.seal(record)
        spool.held(spool.claim("pacs", 1e12)[0], f"refused [{NoAcceptedContext.code}]")
    text, facts = answer(root, spool_world.uid_of(1), capsys)
    assert "JPEG-LS" in facts["stored_as"]
    assert "send it to a peer that takes it" in text
    assert "capture without loss" in text
    assert "correct the cause" not in text


def test_what_a_running_agent_adds() -> None:
    link = {"failures": 0, "next_in_s": 0.0, "reason": "", "hint": "", "state": "ok", "peer": "A@b:1"}
    assert why.way(link, "pacs") == "the way is free"
    over = why.way({**link, "failures": 5, "reason": "cut", "handed_over_to": "other"}, "pacs")
    assert over == "the way is not: cut (5 failures); it is tried now; its images go to other meanwhile"
    closed = why.way({**link, "window": {"open": False, "turns_at": 1e9}}, "pacs")
    at = time.strftime("%a %Y-%m-%d %H:%M", time.localtime(1e9))
    assert closed == f"it waits for its window, opens at {at}; commitment does not wait; the way is free"
    limited = why.way({**link, "bandwidth": "8 Mbit/s"}, "pacs")
    assert limited == "the way is free, at most 8 Mbit/s by its configuration"
    bad = {**link, "failures": 3, "next_in_s": 12.4, "reason": "no connection [link.connect]"}
    kind = class_of("link.connect")
    assert kind is not None
    assert why.way(bad, "pacs") == f"the way is not: no connection (3 failures); the next try is in 12 s; {kind.hint}"
    exact = {**bad, "hint": "is this a TLS port?", "state": "needs the operator"}
    at_once = "once it is repaired, 'modality-agent queue retry --destination pacs' tries at once"
    assert why.way(exact, "pacs").endswith(f"; {at_once}; is this a TLS port?")
    assert why.hints(bad["reason"], None, exact) == ["is this a TLS port?"]
    assert why.hints("another [link.connect]", None, exact) == [kind.hint]


LINK = {"failures": 0, "next_in_s": 0.0, "reason": "", "state": "ok", "peer": "A@b:1", "hint": "",
        "commitment_asks": 2}  # fmt: skip


def test_the_standby_is_said_before_anything_is_handed_over() -> None:
    down = {**LINK, "failures": 2, "reason": "cut", "failover": "b", "failover_after_s": 600.0, "failover_in_s": None}
    assert "its images go to b when it is down still 600 s after 5 failures in a row" in why.way(down, "a")
    assert "its images go to b when it is down still in 42 s" in why.way({**down, "failover_in_s": 41.7}, "a")
    assert why.way({**LINK, "standby_for": ["main"]}, "b") == (
        "nothing is known against the way; it is the standby of main and gets only what that hands over"
    )


@pytest.mark.parametrize(
    ("asked", "due_s", "text"),
    [
        (0, 57.4, "question 1 of 2 is put in 57 s, and when they have come to nothing it is unconfirmed"),
        (1, -3.0, "question 2 of 2 is put now"),
        (2, 0.0, "it was asked for 2 times, as often as may be: it is unconfirmed soon"),
    ],
)
def test_when_the_next_question_is_put_is_said(asked: int, due_s: float, text: str, root: Path) -> None:
    with SpoolView.open(str(root)) as view:
        receipt = view.receipt(spool_world.uid_of(4))
    assert receipt is not None
    receipt = receipt._replace(deliveries=(receipt.deliveries[0]._replace(asked=asked),))
    facts = why.of_instance(receipt, frozenset(), {"pacs": LINK}, due_in_s={"pacs": due_s})
    assert text in facts["destinations"][0]["says"]


def test_a_reason_is_said_once(root: Path) -> None:
    reason = "archive out of resources [dimse.status]"
    down = {**LINK, "failures": 2, "next_in_s": 9.0, "reason": reason}
    with SpoolView.open(str(root)) as view:
        receipt = view.receipt(spool_world.uid_of(3))
        assert receipt is not None
        of_one = why.instance_lines(why.of_instance(receipt, frozenset(), {"pacs": down}), receipt)
        of_all = why.destination_lines(why.of_destination(view, "pacs", down))
        gone = why.destination_lines(why.of_destination(view, "pacs", None, running=True))
    kind = class_of("dimse.status")
    assert kind is not None
    for lines in (of_one, of_all):
        text = "\n".join(lines)
        assert (text.count("archive out of resources (2"), text.count(kind.hint)) == (0, 1)
        assert "the way is not free (2 failures); the next try is in 9 s" in text
    assert gone[0] == "pacs (not configured: nothing is sent to it)"


def test_what_nobody_has_is_refused(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for what in ("2.25.1", "pasc"):
        assert main(["why", what, "--spool", str(root)]) == 4
        assert what in capsys.readouterr().err


def test_class_of_a_code() -> None:
    assert class_of("association.no_context") is NoAcceptedContext
    assert class_of("nothing") is None
