"""The recorder of a destination: bounded, whole or not at all, and an image never waits for it or fails with it."""

from __future__ import annotations

import errno
import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from fakes.associations import Pair

from agent.errors import ConnectFailed, LinkClosed, LinkTimeout
from agent.forward.flights import KEPT, REPEAT_S, Flights
from agent.spool.durable import Medium, Ops
from agent.spool.flights import FILE_LIMIT_BYTES, FOLDER, read_lines

if TYPE_CHECKING:
    from pathlib import Path

    from agent.errors import AgentError

NAME = "pacs"
REFUSED = ConnectFailed("PACS@10.0.0.5:104: nothing listens on this port")


class Recorder:
    """A recorder with a clock that stands still."""

    def __init__(self, root: Path, ops: Ops | None = None) -> None:
        self.root = str(root)
        self.now = 100.0
        self.said: list[str] = []
        self.flights = Flights(
            Medium(self.root, ops), NAME, lambda _level, text: self.said.append(text), lambda: self.now, lambda: 1e9
        )

    def fly(self, error: AgentError | None = None, *, rows: int = 3, associated: bool = True) -> None:
        flight = self.flights.begin("PACS@10.0.0.5:104")
        flight.association = Pair().requestor if associated else None
        for number in range(rows):
            flight.data_set(self.now, 1, number, 1)
        flight.end(self.now, error)

    def kept(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in read_lines(self.root, NAME)[1:]]


def test_the_last_associations_are_kept(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    for number in range(KEPT + 3):
        recorder.now += 1
        recorder.fly(rows=number + 1)
    assert [len(one["rows"]) for one in recorder.kept()] == list(range(4, KEPT + 4))
    assert os.stat(f"{tmp_path}/{FOLDER}/{NAME}").st_mode & 0o777 == 0o600


def test_the_file_is_bounded(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    for _ in range(KEPT):
        recorder.fly(LinkClosed("cut " * 100), rows=100_000)
    assert os.path.getsize(f"{tmp_path}/{FOLDER}/{NAME}") <= FILE_LIMIT_BYTES
    assert recorder.kept()


def test_one_failure_again_and_again_is_one_record_and_few_writes(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    recorder.fly()
    for _ in range(100):
        recorder.now += REPEAT_S / 50
        recorder.fly(REFUSED, rows=0, associated=False)
    good, failure = recorder.kept()
    assert good["end"]["code"] == ""
    assert (failure["end"]["code"], failure["times"]) == ("link.connect", 51)
    recorder.fly(LinkTimeout("PACS@10.0.0.5:104: no TCP connection in time"), rows=0, associated=False)
    assert [one["end"]["code"] for one in recorder.kept()] == ["", "link.connect", "link.timeout"]


def test_failures_never_push_out_associations(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    recorder.fly()
    for number in range(3 * KEPT):
        recorder.fly(ConnectFailed(f"failure {number}"), associated=False)
    assert [one["associated"] for one in recorder.kept()] == [True] + [False] * KEPT


def test_a_damaged_file_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / NAME).write_bytes(b"\x00" * 100)
    recorder = Recorder(tmp_path)
    recorder.fly()
    assert len(recorder.kept()) == 1


class Failing(Ops):
    """Fails at the change of the medium with that number."""

    def __init__(self, at: int) -> None:
        self.left = at

    def step(self, _call: str, _path: str) -> None:
        self.left -= 1
        if not self.left:
            raise OSError(errno.ENOSPC, "full")


@pytest.mark.parametrize("at", [1, 2, 3])  # create, write, rename
def test_a_medium_that_fails_costs_one_sentence_and_the_record(tmp_path: Path, at: int) -> None:
    Recorder(tmp_path).fly()
    before = read_lines(str(tmp_path), NAME)
    recorder = Recorder(tmp_path, Failing(at))
    recorder.fly(rows=9)
    assert len(recorder.said) == 1
    assert read_lines(str(tmp_path), NAME) == before
    recorder.fly(rows=10)
    assert len(recorder.kept()[-1]["rows"]) == 10
