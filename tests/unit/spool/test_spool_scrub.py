"""scrub.py, anchor.py, chain.py: what rots, what was tampered with, and what was cut off the end."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes.spool_world import BOTH, NO_WAIT, FakeTime, capture, uid_of

from agent.spool import anchor
from agent.spool.scrub import CHUNK_BYTES, RATE_BYTES_S, Scrub
from agent.spool.store import Spool
from agent.spool.view import SpoolView

ROUND_S = 1000.0


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    (tmp_path / "spool").mkdir()
    opened = Spool.open(str(tmp_path / "spool"), destinations=BOTH, policy=NO_WAIT, clock=FakeTime().clock())
    with opened:
        for number in range(1, 6):
            capture(spool=opened, number=number, size=3200)
        yield opened


def scrub(spool: Spool, waits: list[float] | None = None, *, stops_after: int = 10**9) -> Scrub:
    waits = [] if waits is None else waits

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return len(waits) >= stops_after

    return Scrub(spool, ROUND_S, wait)


def rot(spool: Spool, number: int, at: int = -9) -> None:
    path = Path(spool.path(number))
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)


def test_a_round_takes_its_time_and_reads_everything_once(spool: Spool) -> None:
    waits: list[float] = []
    round_ = scrub(spool, waits)
    for turn in range(10):
        assert round_.turn(ROUND_S / 10) == []
        assert len(waits) == (turn + 2) // 2, "a file of five each fifth of the round"
    assert round_.place.last_round_at
    assert round_.place.instance == 0
    assert round_.facts["last_round_at"]


def test_what_rots_is_found_said_and_set_aside(spool: Spool) -> None:
    rot(spool, 3)
    os.unlink(spool.path(4))
    found = scrub(spool).turn(ROUND_S)
    assert [text.partition(" ")[0] for text in found] == [uid_of(3), uid_of(4)]
    assert "damaged on the medium and set aside" in found[0]
    assert "gone from the medium" in found[1]
    receipt = spool.receipt(uid_of(3))
    assert (receipt.state, {row.state for row in receipt.deliveries}) == ("damaged", {"damaged"})
    assert os.listdir(f"{spool.root}/quarantine") == ["00000003"]
    assert spool.receipt(uid_of(4)).state == "lost"
    assert spool.receipt(uid_of(5)).state == "live"


DAY_S = 86_400.0


def mornings(spool: Spool, days: int, *, off: Callable[[], object] = lambda: None) -> Iterator[Scrub]:
    """A box that is on for ten hours of each day, and looks every ten minutes."""
    for _ in range(days):
        round_ = Scrub(spool, 30 * DAY_S, lambda _seconds: False)
        for _ in range(60):
            round_.turn(600.0)
        off()
        yield round_


def test_no_file_is_too_large_for_a_box_that_is_off_at_night(spool: Spool) -> None:
    capture(spool, 6, size=1 << 20)  # a day is worth 20 kB
    capture(spool, 7, size=3200)
    rot(spool, 7)
    ends = [round_.place.last_round_at > 0 for round_ in mornings(spool, 10)]
    assert spool.receipt(uid_of(7)).state == "damaged"
    assert ends[-1], "never more than a file a day late"


def test_a_file_that_takes_longer_than_the_box_is_on_is_read_to_its_end(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each start reads it twice as fast, and the others have their turn meanwhile."""
    monkeypatch.setattr("agent.spool.scrub.SLICE_BYTES", 1 << 20)
    monkeypatch.setattr("agent.spool.scrub.CHUNK_BYTES", 64 << 10)
    large = capture(spool, 6, size=2 << 20).id
    capture(spool, 7, size=3200)
    rot(spool, 6)
    rot(spool, 7)
    tries = []
    for _start in range(6):
        left = 0.1  # seconds until the power goes, at 4 MiB/s it takes half a second

        def off(seconds: float) -> bool:
            nonlocal left
            left -= seconds
            return left <= 0

        round_ = Scrub(spool, ROUND_S, off)
        for _ in range(2):
            round_.turn(ROUND_S)
            if left <= 0:
                break
        tries.append(round_.place.large)
        if spool.receipt(uid_of(6)).state == "damaged":
            break
    assert tries == [f"{large}:1", f"{large}:2", f"{large}:3", "-"]
    assert spool.receipt(uid_of(7)).state == "damaged"


def test_a_process_that_is_gone_in_a_large_file_has_noted_it(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.spool.scrub.SLICE_BYTES", 1 << 20)
    large = capture(spool, 6, size=2 << 20).id

    def killed(_seconds: float) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Scrub(spool, ROUND_S, lambda seconds: seconds > 0.05 and killed(seconds)).turn(ROUND_S)
    assert Scrub(spool, ROUND_S, lambda _: False).place.large == f"{large}:1"


def test_the_time_that_a_box_is_off_counts(tmp_path: Path) -> None:
    time = FakeTime()
    (tmp_path / "spool").mkdir()
    with Spool.open(str(tmp_path / "spool"), destinations=BOTH, policy=NO_WAIT, clock=time.clock()) as spool:
        for number in range(1, 91):
            capture(spool, number, size=3200)

        def night() -> None:
            time.now += DAY_S

        places = [round_.place for round_ in mornings(spool, 32, off=night)]
    assert not places[20].last_round_at
    assert 60 <= places[20].instance <= 75
    assert places[-1].last_round_at, "in 30 days, although it was on for 13 of them"


def test_what_was_read_before_its_time_is_owed(spool: Spool) -> None:
    capture(spool, 6, size=1 << 20)
    waits: list[float] = []
    round_ = scrub(spool, waits)
    while round_.place.instance < 6 and not round_.place.last_round_at:
        round_.turn(1.0)
    read = len(waits)
    for _ in range(900):
        round_.turn(1.0)
    assert len(waits) == read
    os.unlink(spool.path(6))  # what it cost is not owed for ever
    spool.examine_number(6)
    for _ in range(2100):
        round_.turn(1.0)
    assert len(waits) > read + 4


def test_how_much_there_is_is_counted_once_a_day(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = []
    real = Scrub._count
    monkeypatch.setattr(Scrub, "_count", lambda self: counted.append(real(self)))
    round_ = Scrub(spool, 30 * DAY_S, lambda _seconds: False)
    for _ in range(300):
        round_.turn(600.0)  # two days and two hours; a round that waits for credit counts no more often
    assert len(counted) == 3


def test_a_turn_is_bounded_and_its_place_is_kept(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.spool.scrub.SLICE_BYTES", 5000)
    first = scrub(spool)
    first.turn(ROUND_S)
    assert first.place.instance == 2
    assert scrub(spool).place.instance == 2
    first.turn(0.0)
    assert first.place.instance == 4


def test_a_file_that_cannot_be_read_stays(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.pread

    def pread(fd: int, length: int, at: int) -> bytes:
        if os.readlink(f"/proc/self/fd/{fd}").endswith("00000002"):
            raise OSError(5, "Input/output error")
        return real(fd, length, at)

    monkeypatch.setattr(os, "pread", pread)
    (text,) = scrub(spool).turn(ROUND_S)
    assert "cannot be read" in text
    assert spool.receipt(uid_of(2)).state == "live"


def test_it_goes_on_where_it_was_after_a_restart(spool: Spool) -> None:
    first = scrub(spool)
    first.turn(ROUND_S / 2)
    assert first.place.instance == 3
    waits: list[float] = []
    again = scrub(spool, waits)
    assert again.place == first.place
    again.turn(ROUND_S * 0.41)
    assert len(waits) == 2
    assert again.place.instance == 0


def test_a_stop_in_mid_file_reads_it_again(spool: Spool) -> None:
    capture(spool, 9, size=3 * CHUNK_BYTES)
    round_ = scrub(spool, stops_after=7)
    round_.turn(ROUND_S)
    assert round_.place.instance == 5
    assert scrub(spool).place.instance == 5


def test_the_rate_is_bounded(spool: Spool) -> None:
    size = 4 * CHUNK_BYTES
    capture(spool, 9, size=size)
    waits: list[float] = []
    scrub(spool, waits).turn(ROUND_S * 2)
    assert sum(waits) >= size / RATE_BYTES_S


def test_an_empty_spool_is_nothing_to_do(tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir()
    with Spool.open(str(tmp_path / "spool"), destinations=BOTH, policy=NO_WAIT) as empty:
        assert not empty.any_live()
        assert scrub(empty).turn(60.0) == []


def test_tampering_with_the_history_is_found_in_the_background(spool: Spool) -> None:
    with spool.ledger._lock:
        spool.ledger._db.execute("UPDATE event SET detail = 'x' WHERE seq = 4")
    (text,) = scrub(spool).turn(1.0)
    assert "event 4 does not continue the chain" in text


# --- the end of the chain ------------------------------------------------------------------------


def head_of(spool: Spool) -> anchor.Head:
    return anchor.Head(*spool.reader.head())


def test_a_head_is_written_and_read(spool: Spool) -> None:
    assert anchor.read(spool.root) is None
    anchor.write(spool.medium, head_of(spool))
    assert anchor.read(spool.root) == head_of(spool)
    assert anchor.parse(str(head_of(spool))) == head_of(spool)
    Path(f"{spool.root}/ledger.db-head").write_bytes(b"\0" * 70)
    assert anchor.read(spool.root) is None
    for text in ("", "1", "1:ab", "x:" + "0" * 64, "1:" + "g" * 64):
        with pytest.raises(ValueError, match="no head"):
            anchor.parse(text)


def test_an_end_that_was_cut_off_shows_by_its_head(spool: Spool) -> None:
    head = head_of(spool)
    assert spool.reader.verify([head]).faults == ()
    with spool.ledger._lock:  # the last instance, with all that speaks of it, as if it had never been
        for sql in ("delivery WHERE instance = 5", "event WHERE instance = 5", "instance WHERE id = 5"):
            spool.ledger._db.execute(f"DELETE FROM {sql}")
    assert spool.reader.verify().faults == (), "the chain alone cannot tell"
    (fault,) = spool.reader.verify([None, head]).faults
    assert f"to {head.seq} are missing: the end was cut off" in fault


def test_an_older_copy_put_back_shows_by_its_head(spool: Spool, tmp_path: Path) -> None:
    with spool.ledger._lock:
        spool.ledger._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(f"{spool.root}/ledger.db", tmp_path / "copy.db")
    capture(spool, 6)
    head = head_of(spool)
    spool.close()
    shutil.copy(tmp_path / "copy.db", f"{spool.root}/ledger.db")
    with SpoolView.open(spool.root) as view:
        assert view.verify().faults == ()
        assert "an older copy of the ledger was put back" in view.verify([head]).faults[0]
    again = Spool.open(spool.root, destinations=BOTH, policy=NO_WAIT)
    capture(again, 7)  # it goes on: the numbers are there again, and not the value
    capture(again, 8)
    assert "is not the one whose head was written down" in again.reader.verify([head]).faults[0]
    again.close()


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("UPDATE event SET at = at + 1 WHERE instance = 2 AND kind = 'durable'", "does not continue the chain"),
        ("UPDATE delivery SET state = 5 WHERE instance = 2", "its state is not what its last event says"),
        ("UPDATE instance SET life = 23 WHERE id = 2", "its state is not what its last event says"),
        ("UPDATE instance SET data_set_sha256 = zeroblob(32) WHERE id = 2", "UID or digest is not what was sealed"),
    ],
)
def test_a_receipt_knows_when_its_own_history_was_changed(spool: Spool, sql: str, fault: str) -> None:
    assert spool.reader.faults_of(2) == ()
    with spool.ledger._lock:
        spool.ledger._db.execute(sql)
    assert fault in spool.reader.faults_of(2)[0]
    assert spool.reader.faults_of(4) == ()


def test_a_head_goes_aside_with_its_ledger(spool: Spool) -> None:
    anchor.write(spool.medium, head_of(spool))
    spool.close()
    Path(f"{spool.root}/ledger.db").write_bytes(b"no database" * 400)
    with Spool.open(spool.root, destinations=BOTH, policy=NO_WAIT) as again:
        assert again.report.ledger_rebuilt
        assert anchor.read(again.root) is None
        assert os.path.exists(f"{again.report.ledger_aside}-head")
        assert again.reader.verify([anchor.read(again.root)]).faults == ()
