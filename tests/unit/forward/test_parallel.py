"""Shares of a list of files, and what becomes of them side by side."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from agent.dataset.uid import EXPLICIT_VR_LE, SC
from agent.errors import AssociationRejected, LinkClosed
from agent.forward.deliver import Outcome, failed
from agent.forward.files import Files, Instance
from agent.forward.parallel import AGAIN_S, deliver_parallel
from agent.media.part10 import FileMeta, encode_prefix

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

REFUSAL = AssociationRejected("it has enough")


@pytest.fixture
def files(tmp_path: Path) -> Files:
    made = Files()
    for number in range(7):
        path = tmp_path / f"{number}.dcm"
        path.write_bytes(encode_prefix(FileMeta(SC, f"1.2.{number}", EXPLICIT_VR_LE)))
        made.add(str(path))
    return made


def stored(instance: Instance) -> Outcome:
    return Outcome(instance, True, 0, "", "", (), instance.size, 0.001, True, None)


def test_shares_are_all_files_once(files: Files) -> None:
    shares = [files.share(part, 3) for part in range(3)]
    assert [len(share) for share in shares] == [3, 2, 2]
    assert sorted(instance for share in shares for instance in share) == sorted(files)


def test_each_share_is_worked_on_at_the_same_time(files: Files) -> None:
    meeting = threading.Barrier(3, timeout=10)

    def work(share: Sequence[Instance]) -> Iterator[Outcome]:
        meeting.wait()
        yield from map(stored, share)

    outcomes = list(deliver_parallel(work, files, 3))
    assert sorted(outcome.instance for outcome in outcomes) == sorted(files)


def test_no_more_associations_than_files(files: Files) -> None:
    shares: list[int] = []

    def work(share: Sequence[Instance]) -> Iterator[Outcome]:
        shares.append(len(share))
        yield from map(stored, share)

    assert len(list(deliver_parallel(work, files, 16))) == 7
    assert shares == [1] * 7


def test_a_refused_association_gives_its_files_to_another(files: Files) -> None:
    seen: list[str] = []

    def work(share: Sequence[Instance]) -> Iterator[Outcome]:
        refused = files[1].path == share[0].path and share[0].path not in seen
        seen.extend(instance.path for instance in share)
        for instance in share:
            yield failed(instance, REFUSAL, begun=False) if refused else stored(instance)

    outcomes = list(deliver_parallel(work, files, 2, pause=lambda _: None))
    assert len(outcomes) == 7
    assert all(outcome.stored for outcome in outcomes)


def test_who_refuses_all_is_asked_some_more(files: Files) -> None:
    asked: list[int] = []
    waits: list[float] = []

    def work(share: Sequence[Instance]) -> Iterator[Outcome]:
        asked.append(len(share))
        yield from (failed(instance, REFUSAL, begun=False) for instance in share)

    outcomes = list(deliver_parallel(work, files, 2, pause=waits.append))
    assert [outcome.error for outcome in outcomes] == [REFUSAL] * 7
    assert sorted(asked) == [3, 4, 7, 7, 7]
    assert tuple(waits) == AGAIN_S


def test_a_dead_line_is_not_a_refusal(files: Files) -> None:
    def work(share: Sequence[Instance]) -> Iterator[Outcome]:
        first, *others = share
        yield stored(first)
        yield from (failed(instance, LinkClosed("cut"), begun=False) for instance in others)

    assert sum(outcome.stored for outcome in deliver_parallel(work, files, 2)) == 2


def test_what_one_share_raises_ends_all(files: Files) -> None:
    def work(share: Sequence[Instance]) -> Iterator[Outcome]:
        if share[0].path == files[1].path:
            raise ZeroDivisionError
        yield from map(stored, share)

    before = set(threading.enumerate())
    with pytest.raises(ZeroDivisionError):
        list(deliver_parallel(work, files, 2))
    assert set(threading.enumerate()) <= before
