"""The keeper: what it finds at its start, and what it does when the medium is well again."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.spool_clips import Clip, cut_uid
from fakes.spool_world import BOTH, NO_WAIT, capture, uid_of

from agent.app import keeper as keeper_module
from agent.app.keeper import Keeper
from agent.config.load import parse
from agent.errors import MediaError
from agent.link.timekeeping import Kept
from agent.spool import anchor
from agent.spool.ops import Ops
from agent.spool.store import Spool
from agent.spool.view import SpoolView


class Said:
    """A journal that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, str]] = []

    def say(self, level: str, role: str, text: str, **_how: object) -> None:
        self.lines.append((level, role, text))

    def of(self, role: str) -> list[str]:
        return [text for _, one, text in self.lines if one == role]


class Failing(Ops):
    """A medium whose syncs fail while ``bad``."""

    __slots__ = ("bad",)

    def __init__(self) -> None:
        self.bad = False

    def step(self, call: str, path: str) -> None:
        if self.bad and call in {"fsync", "syncfs"}:
            raise OSError(errno.EIO, os.strerror(errno.EIO), path)


def keeper_of(spool: Spool, said: Said) -> Keeper:
    settings = parse("")
    return Keeper(spool, said, lambda: settings, lambda: None)  # type: ignore[arg-type]


@pytest.fixture
def root(tmp_path: Path) -> str:
    (tmp_path / "spool").mkdir()
    return str(tmp_path / "spool")


def open_(root: str, ops: Ops | None = None) -> Spool:
    return Spool.open(root, destinations=BOTH, policy=NO_WAIT, ops=ops)


# --- the head of the ledger ------------------------------------------------------------------------


def test_an_older_ledger_put_back_is_an_alarm_that_no_start_covers_up(root: str, tmp_path: Path) -> None:
    with open_(root) as spool:
        capture(spool, 1)
        keeper_of(spool, Said()).tell()
    shutil.copy(f"{root}/ledger.db", tmp_path / "old.db")
    with open_(root) as spool:
        number = capture(spool, 2).id
        keeper_of(spool, Said()).leave()
    cut = anchor.read(root)
    assert cut is not None
    shutil.copy(tmp_path / "old.db", f"{root}/ledger.db")
    os.unlink(f"{root}/INST/000000/{number:08X}")
    for _ in range(2):  # the second start finds its own head, and the alarm stands
        said = Said()
        with open_(root) as spool:
            capture(spool, 3)
            made = keeper_of(spool, said)
            made.look()
            made.tell()
            (alarm,) = made.alarms.facts
            assert (alarm["cause"], alarm["level"]) == ("ledger", "error")
            assert f"it does not have the event {cut}" in said.of("alarm")[0]
            made.leave()
        assert anchor.read(root) != cut
        with SpoolView.open(root) as view:
            assert any("head was written down" in one for one in view.verify(anchor.all_of(root)).faults)
    with open_(root) as spool:
        made = keeper_of(spool, said)
        made.look()
        os.unlink(f"{root}/ledger.db-head-kept")  # a person has seen it
        made.look()
        assert made.alarms.facts == []


def test_no_head_is_written_over_one_that_cannot_be_compared(root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def compare(*_: object) -> list[anchor.Head]:
        raise MediaError("not now")

    with open_(root) as spool:
        capture(spool, 1)
        made = keeper_of(spool, Said())
        monkeypatch.setattr(anchor, "compare", compare)
        made.tell()
        assert anchor.read(root) is None
        monkeypatch.undo()
        made.tell()
        assert anchor.read(root) is not None


@pytest.mark.parametrize("spoil", [b"12:no head\n", b"\xff" * 70, None], ids=["text", "bits", "error"])
def test_a_head_that_cannot_be_read_is_an_alarm_until_a_person_has_seen_it(root: str, spoil: bytes | None) -> None:
    with open_(root) as spool:
        capture(spool, 1)
        keeper_of(spool, Said()).leave()
    os.unlink(f"{root}/ledger.db-head")
    if spoil is None:
        os.mkdir(f"{root}/ledger.db-head")  # every read of it fails
    else:
        Path(f"{root}/ledger.db-head").write_bytes(spoil)
    for _ in range(2):  # the second start finds its own head, and the alarm stands
        with open_(root) as spool:
            made = keeper_of(spool, Said())
            made.look()
            (alarm,) = made.alarms.facts
            assert (alarm["cause"], alarm["level"]) == ("head", "error")
            made.leave()
        assert anchor.read(root) is not None
    assert anchor.spoilt(root)
    with open_(root) as spool:
        made = keeper_of(spool, Said())
        made.look()
        spoilt = Path(f"{root}/ledger.db-head-spoilt")
        spoilt.rename(f"{root}/quarantine/seen")
        made.look()
        assert made.alarms.facts == []


@pytest.mark.parametrize("left", [b"", b"\0" * 70])
def test_what_a_power_cut_leaves_of_a_head_is_no_alarm(root: str, left: bytes) -> None:
    with open_(root) as spool:
        capture(spool, 1)
        Path(f"{root}/ledger.db-head").write_bytes(left)
        made = keeper_of(spool, Said())
        made.look()
        assert made.alarms.facts == []


# --- clips that failed with their medium -------------------------------------------------------------


@pytest.fixture
def cut(root: str) -> Iterator[tuple[Spool, Failing]]:
    """A clip whose salvage failed, and nothing else is wrong any more."""
    ops = Failing()
    with open_(root, ops) as spool:
        clip = Clip(spool, 9)
        clip.add(3)
        clip.mark()
        ops.bad = True
        with pytest.raises(MediaError):
            clip.seal()
        with pytest.raises(MediaError):
            clip.draft.salvage()
        ops.bad = False
        yield spool, ops


def test_a_clip_is_completed_when_no_alarm_was_ever_on(cut: tuple[Spool, Failing]) -> None:
    spool, _ = cut
    said = Said()
    made = keeper_of(spool, said)
    made.look()
    assert "clips that a fault of the medium cut off" in said.of("alarm")[0]
    assert cut_uid(9, 3) in said.of("keeper")[0]
    assert not spool.unfinished
    known = spool.known(cut_uid(9, 3))
    assert known is not None
    made.look()
    assert made.alarms.facts == []


def test_a_clip_that_fails_again_is_tried_ever_later_and_said(
    cut: tuple[Spool, Failing], monkeypatch: pytest.MonkeyPatch
) -> None:
    spool, ops = cut
    now, tries = [1000.0], []

    def resume(spool: Spool) -> list[Any]:
        tries.append(now[0])
        return []

    monkeypatch.setattr("agent.spool.salvage.resume", resume)
    monkeypatch.setattr(keeper_module.time, "monotonic", lambda: now[0])
    made = keeper_of(spool, Said())
    for _ in range(200):
        made.look()
        now[0] += 5.0
    assert [one["cause"] for one in made.alarms.facts] == ["clip"]
    assert tries == [1000.0, 1005.0, 1015.0, 1035.0, 1075.0, 1155.0, 1315.0, 1635.0]
    ops.bad = True
    made.watch.note(MediaError("it fails"))
    now[0] += 3600.0
    made.look()
    assert len(tries) == 8, "not while the medium is not well"


# --- the time ----------------------------------------------------------------------------------------


class Turns:
    """An event that stays unset for so many turns."""

    def __init__(self, left: int) -> None:
        self.left = left

    def wait(self, _seconds: float) -> bool:
        self.left -= 1
        return self.left < 0

    def is_set(self) -> bool:
        return self.left < 0


def test_what_becomes_of_the_keeper_of_the_clock_is_in_the_history(root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper_module, "TIME_S", 0.0)
    kept = Kept(synchronised=False, error_bound_s=None, by="")
    monkeypatch.setattr("agent.link.timekeeping.timekeeping", lambda: kept)
    with open_(root) as spool:
        keeper = keeper_of(spool, Said())
        for number, synchronised in enumerate((False, True, False), 1):
            kept = kept._replace(synchronised=synchronised)
            capture(spool, number)
            keeper.work(Turns(1))  # type: ignore[arg-type]
        capture(spool, 4)
        grades = [spool.receipt(uid_of(number)).events[0].clock for number in (2, 3, 4)]
    assert grades == ["set", "synchronised", "set"]
