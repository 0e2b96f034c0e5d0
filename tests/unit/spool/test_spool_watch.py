"""watch.py, alarms.py: what is wrong with a medium, said once for each cause, and over when it is over."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.spool_world import BOTH, NO_WAIT, capture

from agent.app.alarms import REMIND_S, Alarms
from agent.app.journal import Journal
from agent.errors import FileUnreadable, MediaError
from agent.spool.durable import Medium
from agent.spool.ops import Ops
from agent.spool.room import Free
from agent.spool.store import Spool
from agent.spool.watch import Levels, Trouble, Watch

GIB = 1 << 30


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    (tmp_path / "spool").mkdir()
    with Spool.open(str(tmp_path / "spool"), destinations=BOTH, policy=NO_WAIT, ops=Switch()) as opened:
        yield opened


class Switch(Ops):
    __slots__ = ("broken",)

    def step(self, call: str, path: str) -> None:
        if getattr(self, "broken", False) and call == "fsync":
            raise OSError(5, "Input/output error", path)


def causes(watch: Watch) -> list[tuple[str, str, bool]]:
    return [(one.cause, one.level, one.refuses) for one in watch.look()]


@pytest.mark.parametrize(
    ("free", "total", "inodes", "spare", "expected"),
    [
        (60, 100, (9000, 10_000), 0, []),
        (19, 100, (9000, 10_000), 0, [("level", "warning", False)]),
        (9, 100, None, 0, [("level", "error", False)]),
        (9, 100, None, 80, []),  # what is committed may go at once
        (9, 100, None, 6, [("level", "warning", False)]),
        (1, 100, None, 0, [("full", "error", True)]),
        (60, 100, (15_000, 100_000), 0, [("level", "warning", False)]),
        (60, 100, (900, 100_000), 0, [("full", "error", True)]),
    ],
)
def test_two_levels_and_the_end(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, free: int, total: int, inodes: tuple[int, int] | None, spare: int,
    expected: list[tuple[str, str, bool]],
) -> None:  # fmt: skip
    left, all_inodes = inodes or (None, 0)
    monkeypatch.setattr(Medium, "free", lambda _self: Free(free * GIB, total * GIB, left, all_inodes))
    monkeypatch.setattr(Spool, "evictable_bytes", lambda _self: spare * GIB)
    assert causes(Watch(spool, Levels())) == expected


def test_what_is_evictable_is_counted(spool: Spool) -> None:
    capture(spool, 1, size=3200)
    assert spool.evictable_bytes() == 0


def test_a_write_that_failed_is_tried_again_until_it_succeeds(spool: Spool) -> None:
    watch = Watch(spool, Levels())
    watch.note(FileUnreadable("one file"))
    assert causes(watch) == []
    spool.medium.ops.broken = True
    watch.note(MediaError("fsync: Input/output error"))
    for _ in range(2):
        assert causes(watch) == [("write", "error", True)]
    spool.medium.ops.broken = False
    assert causes(watch) == []
    assert not os.path.exists(f"{spool.root}/probe")


def test_a_medium_that_is_gone_and_comes_back(spool: Spool) -> None:
    watch = Watch(spool, Levels())
    os.rename(spool.root, f"{spool.root}-away")
    (one,) = watch.look()
    assert (one.cause, one.refuses, one.returned) == ("medium", True, False)
    assert "is gone" in one.text
    os.mkdir(spool.root)
    assert "is gone" in watch.look()[0].text, "an empty mount point"
    Path(f"{spool.root}/spool.lock").touch()
    (one,) = watch.look()
    assert (one.returned, "another one" in one.text) == (False, True)
    Path(f"{spool.root}/ledger.db").touch()
    (one,) = watch.look()
    assert one.returned, "a spool that must be opened anew"
    for name in ("spool.lock", "ledger.db"):
        os.unlink(f"{spool.root}/{name}")
    os.rmdir(spool.root)
    os.rename(f"{spool.root}-away", spool.root)
    assert watch.look() == []
    capture(spool, 1)


def test_one_alarm_for_each_cause(tmp_path: Path) -> None:
    now = [100.0]
    with (tmp_path / "log").open("w") as log:
        journal = Journal(log)
        alarms = Alarms(journal, lambda: now[0])
        warning = Trouble("level", "warning", "83 % full")
        for text in ("83 % full", "84 % full", "85 % full"):
            now[0] += 5
            assert alarms.take([warning._replace(text=text)]) == []
        assert [one["text"] for one in alarms.facts] == ["85 % full"]
        alarms.take([Trouble("level", "error", "91 % full"), Trouble("write", "error", "cannot be written")])
        now[0] += REMIND_S
        alarms.take([Trouble("level", "error", "91 % full"), Trouble("write", "error", "cannot be written")])
        assert sorted(alarms.take([])) == ["level", "write"]
        assert alarms.facts == []
        journal.flush()
    said = [line.split("alarm: ")[1] for line in (tmp_path / "log").read_text().splitlines()]
    assert [text.replace("over after 0 s: ", "over: ") for text in said] == [
        "83 % full", "91 % full", "cannot be written", "91 % full", "cannot be written", "over: 91 % full",
        "over: cannot be written",
    ]  # fmt: skip
