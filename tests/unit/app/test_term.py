"""Terminal output: tables line up, colours and progress know where they are, nothing foreign moves the cursor."""

from __future__ import annotations

import io

import pytest

from agent.app import term


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_control_characters_do_not_reach_the_terminal() -> None:
    assert term.printable("a\x1b[2Jb\r\nc\x00") == "a?[2Jb??c?"
    assert term.printable("x" * 300, 10) == "xxxxxxxxx~"


def test_tables_line_up() -> None:
    assert term.table(("UID", "size"), [("1.2", "10"), ("1.2.3", "7")], right=(1,)) == [
        "UID    size",
        "1.2      10",
        "1.2.3     7",
    ]


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (3 << 20, "3.0 MiB"), (5 << 40, "5120.0 GiB")]
)
def test_sizes(count: int, text: str) -> None:
    assert term.size_text(count) == text


def test_colours_only_on_a_terminal_that_wants_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "vt220")
    assert term.paint("x", "red", Tty()) == "\x1b[31mx\x1b[0m"
    assert term.paint("x", "red", io.StringIO()) == "x"
    monkeypatch.setenv("NO_COLOR", "1")
    assert term.paint("x", "red", Tty()) == "x"


def test_progress_is_one_line_on_a_terminal_and_few_lines_in_a_log(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([10.0, 10.05, 10.2, 10.0, 11.0, 12.9, 13.5])
    monkeypatch.setenv("TERM", "vt220")
    monkeypatch.setattr(term.time, "monotonic", lambda: next(times))
    tty = Tty()
    line = term.Progress(tty)
    for text in ("a", "b", "c"):
        line.update(text)
    line.say("done")
    assert tty.getvalue() == "\ra\x1b[K\rc\x1b[K\r\x1b[Kdone\n"
    log = io.StringIO()
    line = term.Progress(log)
    for text in ("a", "b", "c"):
        line.update(text)
    assert log.getvalue() == "c\n"


def test_a_terminal_that_cannot_gets_no_escape_sequence(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([10.0, 13.5])
    monkeypatch.setattr(term.time, "monotonic", lambda: next(times))
    monkeypatch.setenv("TERM", "dumb")
    tty = Tty()
    line = term.Progress(tty)
    line.update("a")
    line.say("done")
    assert tty.getvalue() == "a\ndone\n"


@pytest.mark.parametrize(
    ("count", "words", "text"),
    [
        (0, ("try", "tries"), "0 tries"),
        (1, ("try", "tries"), "1 try"),
        (1, ("frame",), "1 frame"),
        (2, ("frame",), "2 frames"),
    ],
)
def test_counts(count: int, words: tuple[str, ...], text: str) -> None:
    assert term.count_text(count, *words) == text


def test_times() -> None:
    assert term.clock_text(None) == term.stamp_text(0) == "-"
    assert term.clock_text(1.25).endswith(".250")
    assert term.stamp_text(1e9).startswith("2001-09-")


def test_a_bar_is_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = Tty()
    term.Progress(stream).of(1, 4, "1 of 4 files")
    assert "[#####...............] 1 of 4 files" in stream.getvalue()
    log = io.StringIO()
    progress = term.Progress(log)
    progress._last = 0.0  # the first line of a log is due
    progress.of(4, 4, "4 of 4 files")
    assert log.getvalue() == "4 of 4 files\n"
    progress._last = 0.0
    progress.of(4, 4, "4 of 4 files")
    assert log.getvalue() == "4 of 4 files\n"  # nothing new
