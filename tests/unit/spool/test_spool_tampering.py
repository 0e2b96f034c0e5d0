"""chain.py, checking.py, anchor.py: whoever changes rows, removes them or puts an old ledger back is found out."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.spool_world import BOTH, NO_WAIT, capture, uid_of

from agent.spool import anchor, checking
from agent.spool.anchor import Head
from agent.spool.store import Spool
from agent.spool.view import SpoolView


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    (tmp_path / "spool").mkdir()
    with Spool.open(str(tmp_path / "spool"), destinations=BOTH, policy=NO_WAIT) as opened:
        for number in (1, 2, 3):
            capture(opened, number)
        yield opened


def tamper(spool: Spool, sql: str, *values: object) -> None:
    with spool.ledger._lock:
        spool.ledger._db.execute("PRAGMA foreign_keys = OFF")
        spool.ledger._db.execute(sql, values)


def wrong_files(spool: Spool) -> list[str]:
    with SpoolView.open(spool.root) as view:
        return [one.reason for one in checking.verified(spool.root, view.ask, lambda _done, _total: None)[2]]


def test_a_life_is_without_fault(spool: Spool) -> None:
    (item,) = spool.claim("second", 0.0, 1)
    os.unlink(spool.path(2))
    spool.examine_number(2)
    capture(spool, 2)  # it comes back
    spool.examine(item)
    assert spool.receipt(uid_of(2)).state == "live"
    assert spool.reader.verify().faults == ()
    assert wrong_files(spool) == []


def test_pixels_and_digest_of_the_file_changed_together(spool: Spool) -> None:
    path = Path(spool.path(2))
    data = bytearray(path.read_bytes())
    data[-5] ^= 0xFF
    path.write_bytes(data)
    tamper(spool, "UPDATE instance SET file_sha256 = ? WHERE id = 2", hashlib.sha256(data).digest())
    (reason,) = wrong_files(spool)
    assert "its Data Set is not what was sealed" in reason
    (fault,) = spool.reader.verify().faults
    assert fault == "instance 00000002: size or digest of its file is not what was sealed, or came back"
    assert spool.reader.faults_of(2) == (fault,)
    assert spool.reader.faults_of(1) == ()


def test_a_head_of_a_file_changed_with_its_digests(spool: Spool) -> None:
    """File Meta Information is no part of the Data Set: only the event knows what it was."""
    path = Path(spool.path(2))
    data = b"X" + path.read_bytes()[1:]
    path.write_bytes(data)
    tamper(spool, "UPDATE instance SET file_sha256 = ? WHERE id = 2", hashlib.sha256(data).digest())
    assert wrong_files(spool) == []
    assert "size or digest" in spool.reader.verify().faults[0]


def test_where_the_data_set_begins_is_held_against_the_file(spool: Spool) -> None:
    tamper(spool, "UPDATE instance SET data_set_offset = data_set_offset + 8 WHERE id = 1")
    (reason,) = wrong_files(spool)
    assert "does not begin where the ledger says" in reason


@pytest.mark.parametrize(
    ("sql", "faults"),
    [
        ("DELETE FROM delivery WHERE instance = 1 AND destination = 1",
            ["instance 00000001, pacs: it was queued there, and the ledger has no row of it"]),
        ("DELETE FROM instance WHERE id = 3", ["instance 00000003 was sealed, and the ledger has no row of it"]),
        ("UPDATE instance SET size = size + 1 WHERE id = 1",
            ["instance 00000001: size or digest of its file is not what was sealed, or came back"]),
        ("UPDATE delivery SET destination = 9 WHERE instance = 1 AND destination = 1",
            ["instance 00000001, destination 9: its state is not what its last event says",
             "instance 00000001, pacs: it was queued there, and the ledger has no row of it"]),
    ],
)  # fmt: skip
def test_rows_that_are_gone_or_changed(spool: Spool, sql: str, faults: list[str]) -> None:
    tamper(spool, sql)
    assert list(spool.reader.verify().faults) == faults


def test_a_row_put_back_to_an_older_event(spool: Spool) -> None:
    (item,) = spool.claim("second", 0.0, 1)
    sql = "UPDATE delivery SET state = 1, seq = (SELECT seq FROM event e WHERE e.instance = ? AND e.destination = "
    tamper(
        spool, f"{sql}delivery.destination AND e.state = 1) WHERE instance = ? AND destination = 2", item.id, item.id
    )
    (fault,) = spool.reader.verify().faults
    assert "second: its state is not what its last event says" in fault


# --- the head is compared before it is replaced ----------------------------------------------------


def chain_of(spool: Spool, seq: int) -> bytes | None:
    rows = spool.ledger.read("SELECT chain FROM event WHERE seq = ?", (seq,))
    return bytes(rows[0][0]) if rows else None


def test_a_head_that_the_ledger_has_is_nothing_to_keep(spool: Spool) -> None:
    assert anchor.compare(spool.medium, lambda seq: chain_of(spool, seq)) == []
    anchor.write(spool.medium, Head(*spool.reader.head()))
    assert anchor.compare(spool.medium, lambda seq: chain_of(spool, seq)) == []
    assert anchor.all_of(spool.root) == [Head(*spool.reader.head())]


def test_heads_that_the_ledger_does_not_have_are_kept(spool: Spool) -> None:
    own = Head(*spool.reader.head())
    for count, strange in enumerate((Head(own.seq, "ab" * 32), Head(own.seq + 1, "cd" * 32)), 1):
        anchor.write(spool.medium, strange)
        for _ in range(2):
            found = anchor.compare(spool.medium, lambda seq: chain_of(spool, seq))
            assert (len(found), found[-1]) == (count, strange)
    anchor.write(spool.medium, own)
    assert len(anchor.all_of(spool.root)) == 3
    faults = spool.reader.verify(anchor.all_of(spool.root)).faults
    assert f"event {own.seq} is not the one whose head was written down" in faults[0]
    assert "are missing" in faults[1]
    assert len(faults) == 2


def test_heads_that_are_kept_are_bounded_and_go_aside_with_their_ledger(spool: Spool) -> None:
    for seq in range(100, 100 + 2 * anchor.KEPT_LIMIT):
        anchor.write(spool.medium, Head(seq, "ab" * 32))
        anchor.compare(spool.medium, lambda seq: chain_of(spool, seq))
    found = anchor.kept(spool.root)
    assert (len(found), found[0].seq) == (anchor.KEPT_LIMIT, 100)
    spool.close()
    with Spool.open(spool.root, destinations=BOTH, policy=NO_WAIT, anew=True) as again:
        assert anchor.all_of(again.root) == []
        assert again.report.ledger_aside is not None
        assert os.path.exists(f"{again.report.ledger_aside}{anchor.KEPT_SUFFIX}")
