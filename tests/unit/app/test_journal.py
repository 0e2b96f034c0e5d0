"""The log: one line per event, repeats counted, systemd's form, never in anybody's way."""

from __future__ import annotations

import io
import threading

import pytest

from agent.app import journal


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(journal.time, "monotonic", lambda: now[0])
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    return now


def test_what_somebody_waits_for_is_always_said(clock: list[float]) -> None:
    stream = io.StringIO()
    log = journal.Journal(stream)
    for clock[0] in (100.0, 101.0, 102.0):
        log.say("notice", "reload", "nothing changed", always=True)
    assert log.flush()
    assert stream.getvalue().count("reload: nothing changed\n") == 3


def test_a_sentence_that_repeats_is_counted(clock: list[float]) -> None:
    stream = io.StringIO()
    log = journal.Journal(stream)
    for second in range(0, 125, 5):
        clock[0] = 100.0 + second
        log.say("warning", "to pacs", "connection refused")
    log.say("warning", "to other", "connection refused")
    assert log.flush()
    lines = [line.partition(" ")[2] for line in stream.getvalue().splitlines()]
    assert lines == [
        "warning to pacs: connection refused",
        "warning to pacs: connection refused (and 11 times since)",
        "warning to pacs: connection refused (and 11 times since)",
        "warning to other: connection refused",
    ]


def test_under_systemd_the_level_is_a_prefix(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    stream = io.StringIO()
    log = journal.Journal(stream)
    log.say("error", "spool", "full\x1b[2J")
    assert log.flush()
    assert stream.getvalue() == "<3>spool: full?[2J\n"


def test_memory_of_sentences_is_bounded_and_a_closed_stream_is_no_error(clock: list[float]) -> None:
    stream = io.StringIO()
    log = journal.Journal(stream)
    for number in range(1000):
        log.say("info", "x", f"event {number}")
    assert len(log._seen) <= 65
    assert log.flush()
    stream.close()
    log.say("info", "x", "nobody hears this")
    log.say("info", "x", "nor this")
    assert log.flush()


class Paused(io.StringIO):
    """A reader that has stopped: a paused pager, XOFF on a serial line."""

    def __init__(self) -> None:
        super().__init__()
        self.writing = threading.Event()
        self.go_on = threading.Event()

    def write(self, text: str) -> int:
        self.writing.set()
        assert self.go_on.wait(30)
        return super().write(text)


def test_a_reader_that_stops_blocks_nobody_and_hears_what_it_missed() -> None:
    stream = Paused()
    log = journal.Journal(stream)
    log.say("info", "x", "first")
    assert stream.writing.wait(5)
    for number in range(journal.WAITING_LINES + 40):
        log.say("info", "x", f"event {number}")
    assert not log.flush(0.01)
    stream.go_on.set()
    assert log.flush(5)
    log.say("info", "x", "last")
    assert log.flush(5)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 1 + journal.WAITING_LINES + 2
    assert lines[journal.WAITING_LINES].endswith(f"event {journal.WAITING_LINES - 1}")
    assert lines[-2].endswith("log: 40 lines were dropped because nobody read the log")
    assert lines[-1].endswith("last")
