"""Who begins anew waits for its medium; an agent that is started does not."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.app import anew, daemon
from agent.app.journal import Journal
from agent.errors import MediaError


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with (tmp_path / "log").open("w") as log:
        made = Journal(log)
        yield made
        made.flush()


def fails(times: int) -> Any:
    left = [times]

    def make() -> str:
        left[0] -= 1
        if left[0] >= 0:
            raise MediaError("it is read-only")
        return "agent"

    return make


def test_a_start_does_not_wait(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, journal: Journal) -> None:
    monkeypatch.delenv(daemon.ANEW, raising=False)
    with pytest.raises(MediaError):
        anew.patiently(fails(1), str(tmp_path), journal)
    assert anew.patiently(fails(0), str(tmp_path / "nothing yet"), journal) == "agent"


def test_who_begins_anew_waits_for_a_spool_that_is_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, journal: Journal
) -> None:
    looks: list[float] = []

    def look(_signals: object, seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 2:
            (tmp_path / "ledger.db").touch()

    monkeypatch.setenv(daemon.ANEW, "1")
    monkeypatch.setattr(signal, "sigtimedwait", look)
    assert anew.patiently(fails(1), str(tmp_path), journal) == "agent"
    assert looks == [anew.LOOK_S] * 3
    assert daemon.ANEW not in os.environ, "the next start is one like any other"
    journal.flush()
    said = (tmp_path / "log").read_text()
    assert "there is no spool at" in said
    assert "it is read-only" in said


def test_it_can_be_stopped_while_it_waits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, journal: Journal) -> None:
    monkeypatch.setenv(daemon.ANEW, "1")
    monkeypatch.setattr(signal, "sigtimedwait", lambda _signals, _seconds: object())
    assert anew.patiently(fails(0), str(tmp_path), journal) is None
