"""graded.py: what the time of a move is worth stands in the same chain, in front of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.spool_world import BOTH, NO_WAIT, capture, uid_of

from agent.errors import MediaError
from agent.spool.core import Clock
from agent.spool.graded import LOOK_S, Graded
from agent.spool.grades import EARLIEST_WALL_S
from agent.spool.ops import Ops
from agent.spool.store import Spool

NOW = EARLIEST_WALL_S + 1e7


class Hands:
    """A clock whose two hands a test moves."""

    def __init__(self, wall: float = NOW) -> None:
        self.wall, self.monotonic = wall, 50.0

    def clock(self) -> Clock:
        return Clock(lambda: self.monotonic, lambda: self.wall)

    def passes(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds


def opened(tmp_path: Path, hands: Hands, ops: Ops | None = None) -> Spool:
    (tmp_path / "spool").mkdir(exist_ok=True)
    return Spool.open(str(tmp_path / "spool"), destinations=BOTH, policy=NO_WAIT, clock=hands.clock(), ops=ops)


def grades(spool: Spool, number: int) -> list[str]:
    return [event.clock for event in spool.receipt(uid_of(number)).events]


def clocks(spool: Spool) -> list[str]:
    return [row[0].replace("\n", " ") for row in spool.ledger.read("SELECT detail FROM event WHERE kind = 'clock'")]


@pytest.mark.parametrize(("wall", "grade"), [(NOW, "set"), (86_400.0, "never set")])
def test_every_move_has_the_grade_of_its_time(tmp_path: Path, wall: float, grade: str) -> None:
    with opened(tmp_path, Hands(wall)) as spool:
        capture(spool, 1)
        capture(spool, 2)
        assert set(grades(spool, 1)) == set(grades(spool, 2)) == {grade}
        assert len(clocks(spool)) == 1, "news, not noise"
        assert spool.reader.verify().faults == ()


def test_synchronised_where_somebody_says_so(tmp_path: Path) -> None:
    hands, mark = Hands(), tmp_path / "synchronized"
    clock = Graded(hands.clock(), 0.0, str(mark))
    clock.wall()
    assert clock._current == "set"
    mark.touch()
    hands.passes(LOOK_S / 2)
    clock.wall()
    assert clock._current == "set"
    hands.passes(LOOK_S)
    clock.wall()
    assert clock._current == "synchronised"


def test_who_keeps_the_clock_counts_before_any_file_and_at_once(tmp_path: Path) -> None:
    hands, mark = Hands(), tmp_path / "synchronized"
    clock = Graded(hands.clock(), 0.0, str(mark))
    for kept, grade in ((True, "synchronised"), (False, "set"), (None, "set")):
        clock.keeping(kept)
        clock.wall()
        assert clock._current == grade
    mark.touch()
    clock.keeping(False)
    clock.wall()
    assert clock._current == "set"


def test_what_changed_with_its_keeper_stands_in_front_of_the_next_move(tmp_path: Path) -> None:
    with opened(tmp_path, Hands()) as spool:
        capture(spool, 1)
        assert spool.ledger.time is not None
        spool.ledger.time.keeping(True)
        capture(spool, 2)
        assert [set(grades(spool, 1)), set(grades(spool, 2))] == [{"set"}, {"synchronised"}]
        assert len(clocks(spool)) == 2


def test_a_step_while_it_runs_is_noticed_before_the_next_move(tmp_path: Path) -> None:
    hands = Hands(86_400.0)
    with opened(tmp_path, hands) as spool:
        capture(spool, 1)
        hands.passes(5)
        hands.wall = NOW  # somebody sets it
        capture(spool, 2)
        hands.passes(5)
        hands.wall -= 3600
        capture(spool, 3)
        assert (grades(spool, 1)[0], grades(spool, 2)[0], grades(spool, 3)[0]) == ("never set", "set", "set")
        told = clocks(spool)
        assert told[1].startswith("clock=set step_s=+")
        assert told[2] == "clock=set step_s=-3600.000"


def test_a_clock_behind_its_own_record(tmp_path: Path) -> None:
    hands = Hands()
    with opened(tmp_path, hands) as spool:
        capture(spool, 1)
    hands.wall -= 1000
    hands.monotonic = 3.0
    with opened(tmp_path, hands) as spool:
        capture(spool, 2)
        assert set(grades(spool, 2)) == {"went back"}
        hands.passes(1100)
        capture(spool, 3)
        assert set(grades(spool, 3)) == {"set"}


def test_a_commit_that_fails_says_it_again(tmp_path: Path) -> None:
    class Once(Ops):
        __slots__ = ("left",)

        def step(self, call: str, path: str) -> None:
            if call == "ledger commit" and getattr(self, "left", 0):
                self.left -= 1
                raise OSError(5, "injected", path)

    hands, ops = Hands(86_400.0), Once()
    with opened(tmp_path, hands, ops) as spool:
        capture(spool, 1)
        hands.wall = NOW
        ops.left = 1
        with pytest.raises(MediaError):
            capture(spool, 2)
        capture(spool, 3)
        assert set(grades(spool, 3)) == {"set"}
        assert len(clocks(spool)) == 2
