"""P3, P4, P6: claiming, answering, commitment, eviction, waiting."""

from __future__ import annotations

import errno
import os
import threading
import time

import pytest
from fakes.spool_world import BOTH, FakeTime, capture, digest, part10, uid_of

from agent.errors import FileUnreadable, SpoolError
from agent.spool.core import Destination
from agent.spool.forwarding import Answer
from agent.spool.ledger import REASON_LIMIT, move, reason_text
from agent.spool.quota import Policy
from agent.spool.states import Event, Life
from agent.spool.store import Spool, prepare


@pytest.fixture
def time_():
    return FakeTime()


@pytest.fixture
def spool(tmp_path, time_):
    root = str(tmp_path / "spool")
    prepare(root)
    with Spool.open(root, destinations=BOTH, clock=time_.clock(), policy=Policy(evict_after_s=100)) as opened:
        yield opened


def state(spool, number, destination="pacs"):
    return next(d for d in spool.receipt(uid_of(number)).deliveries if d.destination == destination)


def sent(spool, *numbers, destination="pacs"):
    for number in numbers:
        capture(spool, number)
    items = spool.claim(destination, spool.clock.monotonic(), 100)
    spool.stored_many(Answer(item) for item in items)
    return items


# --- claim and answer ----------------------------------------------------------------------------


def test_a_claim_takes_the_oldest_once(spool, time_):
    for number in (1, 2, 3):
        capture(spool, number)
    first = spool.claim("pacs", time_.now, 2)
    assert [item.id for item in first] == [1, 2]
    assert [item.id for item in spool.claim("pacs", time_.now, 2)] == [3]
    assert spool.claim("pacs", time_.now) == []
    assert [item.id for item in spool.claim("second", time_.now)] == [1, 2, 3]
    item = first[0]
    with open(item.path, "rb") as file:
        assert file.read() == part10(1)
    assert (item.attempt, item.asked, item.sop_instance_uid, item.size) == (1, 0, uid_of(1), len(part10(1)))
    assert item.data_set_sha256.hex() == digest(1)


def test_an_answer_is_recorded_with_its_words(spool, time_):
    capture(spool, 1)
    (item,) = spool.claim("pacs", time_.now)
    spool.stored(item, 0xB000, "coerced\n\x1b[31m" + "x" * 400, peer="PACS@h:104", sent_at=5.0, answered_at=6.0)
    line = state(spool, 1)
    assert (line.state, line.status, line.peer, line.sent_at, line.answered_at) == (
        "stored",
        0xB000,
        "PACS@h:104",
        5.0,
        6.0,
    )
    comment = spool.receipt(uid_of(1)).events[-1].detail["comment"]
    assert "\x1b" not in comment
    assert len(comment) == REASON_LIMIT


def test_what_is_not_stored_cannot_be_asked_for(spool, time_):
    capture(spool, 1)
    (item,) = spool.claim("pacs", time_.now)
    assert spool.open_transaction("pacs", [item], "1.2.3", time_.now + 9) == []
    with pytest.raises(SpoolError, match="impossible while it is active"):
        spool.ledger.write(lambda db: move(db, 1, 1, Event.ASK, at=0.0))


def test_a_report_said_twice_moves_once_and_an_answer_counts(spool, time_):
    """After an error of the medium a worker cannot know whether its report was written down; it says it again."""
    capture(spool, 1)
    (item,) = spool.claim("pacs", time_.now)
    for _ in range(2):
        spool.deferred(item, "busy", time_.now + 5)
        spool.put_back([item])
    assert (state(spool, 1).state, state(spool, 1).reason) == ("deferred", "busy")
    for _ in range(2):
        spool.stored(item)
        spool.put_back([item])
        spool.held(item, "no")
    assert state(spool, 1).state == "stored"


def test_deferred_waits_for_its_time(spool, time_):
    capture(spool, 1)
    (item,) = spool.claim("pacs", time_.now)
    spool.deferred(item, "timeout", time_.now + 15)
    assert spool.claim("pacs", time_.now + 14) == []
    (again,) = spool.claim("pacs", time_.now + 15)
    assert again.attempt == 2


def test_put_back_does_not_count(spool, time_):
    capture(spool, 1)
    spool.put_back(spool.claim("pacs", time_.now))
    assert spool.claim("pacs", time_.now)[0].attempt == 1


def test_held_waits_for_the_operator(spool, time_):
    for number in (1, 2):
        capture(spool, number)
    first, second = spool.claim("pacs", time_.now)
    spool.held(first, "cannot understand", status=0xC000)
    spool.deferred(second, "busy", time_.now + 1000)
    assert spool.claim("pacs", time_.now + 999) == []
    assert state(spool, 1).status == 0xC000
    assert spool.retry(sop_instance_uid=uid_of(1)) == 1
    assert spool.retry("second") == 0
    assert spool.retry("pacs") == 1
    assert [item.attempt for item in spool.claim("pacs", time_.now)] == [1, 1]


def test_new_images_are_not_behind_the_backlog_nor_the_backlog_behind_failures(spool, time_):
    for number in range(1, 9):
        capture(spool, number)
    time_.now += 3600
    failed = spool.claim("pacs", time_.now, 2)
    spool.deferred_many(failed, "busy", time_.now + 1)
    for number in (20, 21):
        capture(spool, number)
    time_.now += 2
    chosen = [item.sop_instance_uid.rsplit(".", 1)[1] for item in spool.claim("pacs", time_.now, 3)]
    assert sorted(chosen, key=int) == ["1", "3", "20"]


def test_unknown_destination(spool):
    with pytest.raises(SpoolError, match="nowhere"):
        spool.claim("nowhere", 0.0)


# --- waiting ---------------------------------------------------------------------------------------


@pytest.fixture
def real(tmp_path):
    root = str(tmp_path / "real")
    prepare(root)
    with Spool.open(root, destinations=BOTH) as opened:
        yield opened


def test_work_that_is_there_is_not_waited_for(real):
    capture(real, 1)
    assert real.wait_for_work("pacs", 60)
    assert not real.wait_for_work("pacs", 0, not_before=time.monotonic() + 60)


def test_no_work_times_out(real):
    assert not real.wait_for_work("pacs", 0.01)


def test_a_seal_wakes_and_wake_wakes(real):
    got = []
    thread = threading.Thread(target=lambda: got.append(real.wait_for_work("pacs", 60)))
    thread.start()
    capture(real, 1)
    thread.join(30)
    assert got == [True]
    real.claim("pacs", time.monotonic())
    thread = threading.Thread(target=lambda: got.append(real.wait_for_work("pacs", 60)))
    thread.start()
    while thread.is_alive():  # wake() may come before the wait begins; the runtime calls it until its threads end
        real.wake()
        thread.join(0.01)
    assert got == [True, False]


def test_a_deferred_delivery_ends_the_wait(real):
    capture(real, 1)
    (item,) = real.claim("pacs", time.monotonic())
    real.deferred(item, "busy", time.monotonic() + 0.05)
    assert real.wait_for_work("pacs", 60)


# --- commitment ------------------------------------------------------------------------------------


def ask(spool, time_, uid="1.2.3", wait_s=60.0):
    return spool.open_transaction("pacs", spool.awaiting_commitment("pacs", time_.now), uid, time_.now + wait_s)


def test_commitment_comes_for_each_instance(spool, time_):
    sent(spool, 1, 2, 3)
    assert [item.id for item in ask(spool, time_)] == [1, 2, 3]
    assert spool.awaiting_commitment("pacs", time_.now) == []
    assert spool.settle("1.2.3", [uid_of(1)], [(uid_of(2), 0x0112), (uid_of(3), 0x0119)], peer="PACS")
    assert [state(spool, n).state for n in (1, 2, 3)] == ["committed", "queued", "held"]
    assert spool.open_transactions() == []


def test_the_same_report_twice_changes_nothing(spool, time_):
    sent(spool, 1)
    ask(spool, time_)
    assert spool.settle("1.2.3", [uid_of(1)])
    head = spool.reader.head()
    assert spool.settle("1.2.3", [uid_of(1)], [(uid_of(1), 0x0112)])
    assert spool.reader.head() == head


def test_a_report_for_nothing_of_ours(spool, time_):
    sent(spool, 1, 2)
    items = spool.awaiting_commitment("pacs", time_.now)
    spool.open_transaction("pacs", items[:1], "1.2.3", time_.now + 60)
    assert not spool.settle("1.2.4", [uid_of(1)])
    assert not spool.settle("1.2.3", [uid_of(1)], destination="second")
    assert spool.settle("1.2.3", [uid_of(2), uid_of(99)], destination="pacs")
    assert [state(spool, n).state for n in (1, 2)] == ["awaiting commitment", "stored"]


def test_a_transaction_uid_is_used_once(spool, time_):
    sent(spool, 1)
    ask(spool, time_)
    with pytest.raises(SpoolError, match="used before"):
        ask(spool, time_)


def test_busy_is_asked_again_later_and_later(spool, time_):
    sent(spool, 1)
    for turn, wait in enumerate((60, 120, 240)):
        assert ask(spool, time_, f"1.2.3.{turn}")
        spool.settle(f"1.2.3.{turn}", [], [(uid_of(1), 0x0213)])
        assert spool.awaiting_commitment("pacs", time_.now + wait - 1) == []
        time_.now += wait
    assert state(spool, 1).asked == 3


def test_a_deadline_ends_the_transaction_and_a_late_report_still_counts(spool, time_):
    sent(spool, 1, 2)
    ask(spool, time_, wait_s=10)
    assert spool.expired_transactions(time_.now + 9) == []
    (ended,) = spool.expired_transactions(time_.now + 10)
    assert (ended.transaction_uid, ended.destination, ended.waiting) == ("1.2.3", "pacs", 2)
    assert spool.expired_transactions(time_.now + 10) == []
    ask(spool, time_, "1.2.4")
    assert spool.settle("1.2.3", [uid_of(1)], [(uid_of(2), 0x0112)])
    assert [state(spool, n).state for n in (1, 2)] == ["committed", "awaiting commitment"]


def test_a_report_that_could_not_be_kept_is_not_waited_for(spool, time_):
    sent(spool, 1)
    ask(spool, time_, wait_s=3600)
    spool.missed("1.2.3")
    spool.missed("1.2.99")  # nobody's
    spool.end_missed("second")
    assert state(spool, 1).state == "awaiting commitment"
    spool.end_missed("pacs")
    assert state(spool, 1).state == "stored"
    assert spool.open_transactions() == []
    assert spool.awaiting_commitment("pacs", time_.now) == [], "an archive that reports at once is not asked at once"
    assert [item.asked for item in spool.awaiting_commitment("pacs", time_.now + 60)] == [1]
    assert spool.settle("1.2.3", [uid_of(1)]), "the report comes again"
    assert state(spool, 1).state == "committed"


@pytest.mark.parametrize(("reason", "after"), [(0x0112, "queued"), (0x0119, "held")])
def test_old_good_news_does_not_outweigh_newer_bad_news(spool, time_, reason, after):
    sent(spool, 1, 2)
    ask(spool, time_, "1.2.1", wait_s=10)
    spool.expired_transactions(time_.now + 10)
    ask(spool, time_, "1.2.2")
    spool.settle("1.2.2", [], [(uid_of(1), reason), (uid_of(2), 0x0213)])
    for _ in range(2):
        for transaction in ("1.2.1", "1.2.2"):  # the older one, and the same one that now says the opposite
            assert spool.settle(transaction, [uid_of(1)], peer="PACS")
    assert state(spool, 1).state == after
    assert [entry.kind for entry in spool.receipt(uid_of(1)).events].count("older report not counted") == 2
    spool.settle("1.2.1", [uid_of(2)])  # "not yet" is no bad news
    assert state(spool, 2).state == "committed"
    # What is asked after the bad news counts again.
    spool.retry()
    items = spool.claim("pacs", time_.now)
    spool.stored_many(Answer(item) for item in items)
    spool.settle("1.2.1", [uid_of(1)])
    assert state(spool, 1).state == "stored"
    ask(spool, time_, "1.2.3", wait_s=10)
    spool.expired_transactions(time_.now + 10)
    spool.settle("1.2.3", [uid_of(1)])
    assert state(spool, 1).state == "committed"
    assert spool.reader.verify().faults == ()


def test_missing_here_and_there_is_lost(spool, time_):
    (item,) = sent(spool, 1)
    ask(spool, time_)
    os.unlink(item.path)
    assert spool.examine(item) is Life.LOST
    assert state(spool, 1).state == "awaiting commitment"
    spool.settle("1.2.3", [], [(uid_of(1), 0x0112)])
    assert state(spool, 1).state == "lost"
    assert state(spool, 1, "second").state == "lost"


def test_commitment_is_not_asked_where_it_is_switched_off(spool, time_):
    sent(spool, 1, destination="second")
    assert spool.awaiting_commitment("second", time_.now) == []


# --- damage ------------------------------------------------------------------------------------------


def test_rot_is_found_before_it_is_sent_and_heals(spool, time_):
    capture(spool, 1)
    (item,) = spool.claim("pacs", time_.now)
    assert spool.examine(item) is Life.LIVE
    with open(item.path, "r+b") as file:
        file.seek(-1, 2)
        file.write(b"!")
    assert spool.examine(item) is Life.DAMAGED
    assert not os.path.exists(item.path)
    assert os.listdir(f"{spool.root}/quarantine") == ["00000001"]
    assert state(spool, 1).state == "damaged"
    spool.stored(item)  # too late, recorded, nothing moves
    assert state(spool, 1).state == "damaged"
    assert capture(spool, 1).duplicate
    assert os.path.exists(item.path)
    assert spool.receipt(uid_of(1)).state == "live"
    assert [entry.id for entry in spool.claim("pacs", time_.now)] == [1]
    assert spool.reader.verify().faults == ()


def test_a_file_that_cannot_be_read_is_neither_whole_nor_damaged(spool, time_, monkeypatch):
    capture(spool, 1)
    (item,) = spool.claim("pacs", time_.now)

    def fails(*_):
        raise OSError(errno.EIO, "Input/output error")

    for name in ("preadv", "lstat"):  # the file gives an error, or already its name does
        with monkeypatch.context() as broken:
            broken.setattr(os, name, fails)
            with pytest.raises(FileUnreadable, match=r"00000001: Input/output error"):
                spool.examine(item)
    assert os.path.exists(item.path)
    assert (state(spool, 1).state, spool.receipt(uid_of(1)).state) == ("active", "live")
    assert spool.examine(item) is Life.LIVE


def test_damage_found_by_two_workers_at_once_is_damage_once(spool, time_):
    capture(spool, 1)
    items = [spool.claim(name, time_.now)[0] for name in ("pacs", "second")]
    with open(items[0].path, "r+b") as file:
        file.seek(-1, 2)
        file.write(b"!")
    lives = []
    threads = [threading.Thread(target=lambda item=item: lives.append(spool.examine(item))) for item in items]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lives == [Life.DAMAGED, Life.DAMAGED]
    assert [state(spool, 1, name).state for name in ("pacs", "second")] == ["damaged", "damaged"]
    assert os.listdir(f"{spool.root}/quarantine") == ["00000001"]
    assert [entry.kind for entry in spool.receipt(uid_of(1)).events if entry.destination is None][-1] == "damaged"


# --- eviction -------------------------------------------------------------------------------------------


def commit(spool, time_, uid="1.2.3"):
    items = ask(spool, time_, uid)
    spool.settle(uid, [item.sop_instance_uid for item in items])


def test_only_what_every_destination_has_is_evicted(spool, time_):
    items = sent(spool, 1, 2)
    commit(spool, time_)
    time_.now += 1000
    assert spool.evict(need_bytes=1) == 0
    second = spool.claim("second", time_.now, 1)
    spool.stored(second[0])
    assert spool.evict(need_bytes=1 << 30) == 1
    assert not os.path.exists(items[0].path)
    assert os.path.exists(items[1].path)
    receipt = spool.receipt(uid_of(1))
    assert receipt.state == "evicted"
    assert receipt.evicted_at == time_.now + 1.7e9
    assert capture(spool, 1).duplicate
    assert not os.path.exists(items[0].path)


def test_eviction_is_lazy(spool, time_, monkeypatch):
    monkeypatch.setattr(type(spool), "_below_low_water", lambda _self: False)
    sent(spool, 1)
    sent(spool, destination="second")
    time_.now += 50
    commit(spool, time_)
    time_.now += 99
    assert spool.evict() == 0
    time_.now += 1
    assert spool.evict() == 1


def test_stored_is_not_enough_where_commitment_is_asked(spool, time_):
    sent(spool, 1)
    sent(spool, destination="second")
    assert spool.evict(need_bytes=1) == 0
    ask(spool, time_)
    assert spool.evict(need_bytes=1) == 0


def test_what_was_never_meant_for_anybody_stays(tmp_path):
    prepare(str(tmp_path / "none"))
    with Spool.open(str(tmp_path / "none")) as spool:
        capture(spool, 1)
        assert spool.evict(need_bytes=1) == 0


def test_need_is_met_with_the_oldest_and_no_more(spool, time_):
    sent(spool, 1, 2, 3)
    sent(spool, destination="second")
    commit(spool, time_)
    assert spool.evict(need_bytes=1) == 1
    assert spool.reader.lives() == {"live": 2, "evicted": 1}


def test_a_switched_off_commitment_frees_what_is_stored(tmp_path, time_):
    root = str(tmp_path / "spool")
    prepare(root)
    with Spool.open(root, destinations=[Destination("pacs")], clock=time_.clock()) as spool:
        sent(spool, 1)
        ask(spool, time_)
        assert spool.evict(need_bytes=1) == 0
    with Spool.open(root, destinations=[Destination("pacs", commitment=False)], clock=time_.clock()) as spool:
        assert spool.evict(need_bytes=1) == 1


def test_what_a_peer_takes_comes_back_whole_however_much_it_is(spool):
    answers = {f"1.2.840.10008.1.2.4.{number}": number % 7 > 0 for number in range(90, 105)}
    spool.learned("pacs", "1.2.840.10008.5.1.4.1.1.3.1", answers)
    assert spool.accepted("pacs") == {"1.2.840.10008.5.1.4.1.1.3.1": answers}


@pytest.mark.parametrize("words", [2, 60, 99, 100, 300])
@pytest.mark.parametrize("code", ["", " [spool.full]"])
def test_a_reason_ends_between_words_and_keeps_its_code(words, code):
    text = " ".join(["abc"] * words)
    kept = reason_text(text + code)
    assert len(kept) <= REASON_LIMIT
    assert kept.endswith(code)
    whole = len(text + code) <= REASON_LIMIT
    assert kept.removesuffix(code) == text if whole else kept.removesuffix(code).endswith("abc ...")
    assert whole or len(kept) > REASON_LIMIT - 5


def test_a_reason_of_one_word_is_cut_all_the_same():
    assert reason_text("y" * 500) == "y" * (REASON_LIMIT - 4) + " ..."
