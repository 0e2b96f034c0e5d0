"""The log on disk: bounded, in turns, harmless where the medium is bad, and readable without an agent."""

from __future__ import annotations

import json
import os
import threading
import time

import pytest

from agent.app import cli, logbook, verb_log
from agent.app.journal import Journal
from agent.app.logbook import Logbook, Reader, entry_of


def lines(root) -> list[str]:
    return [one.line for one in Reader(str(root)).entries()]


def test_what_is_said_is_kept_with_its_time_whatever_systemd_wants(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    journal = Journal()
    journal.keep(Logbook(str(tmp_path)).write)
    before = int(time.time())
    journal.say("warning", "to pacs", "connection refused")
    journal.show("Traceback:\n  a line")
    assert journal.flush(5)
    first, *more = Reader(str(tmp_path)).entries()
    assert (first.level, first.text) == ("warning", "to pacs: connection refused")
    assert before <= first.at <= time.time()
    assert [(one.at, one.level, one.line) for one in more] == [(0.0, "error", "Traceback:"), (0.0, "error", "  a line")]
    assert ((tmp_path / "log/a").stat().st_mode & 0o777, (tmp_path / "log").stat().st_mode & 0o777) == (0o600, 0o700)


def test_two_files_in_turn_keep_the_last_half_at_least(tmp_path):
    book = Logbook(str(tmp_path), limit_bytes=1000)
    for number in range(1000):
        book.write(f"2026-03-01T10:00:00+0100 info    x: {number:04}\n")
        os.utime(tmp_path / "log" / logbook.NAMES[book._turn], ns=(number, number))
    kept = lines(tmp_path)
    assert kept == [f"2026-03-01T10:00:00+0100 info    x: {number:04}" for number in range(1000 - len(kept), 1000)]
    assert 500 < sum((tmp_path / "log" / name).stat().st_size for name in "ab") <= 2000
    again = Logbook(str(tmp_path), limit_bytes=1000)
    again.write("2026-03-01T10:00:00+0100 info    x: last\n")
    os.utime(tmp_path / "log" / logbook.NAMES[again._turn], ns=(5000, 5000))
    assert lines(tmp_path)[-1].endswith("last")


def test_a_follower_sees_what_comes_also_when_a_file_begins_anew(tmp_path):
    book, reader = Logbook(str(tmp_path), limit_bytes=300), Reader(str(tmp_path))
    seen: list[str] = []
    for number in range(60):
        book.write(f"2026-03-01T10:00:00+0100 info    x: {number}\n")
        os.utime(tmp_path / "log" / logbook.NAMES[book._turn], ns=(number, number))
        seen += [one.text for one in reader.entries()]
    assert seen == [f"x: {number}" for number in range(60)]


def test_a_bad_medium_costs_its_lines_and_nothing_else(tmp_path, monkeypatch):
    (tmp_path / "log").write_text("in the way")
    book = Logbook(str(tmp_path))
    book.write("lost\n")
    (tmp_path / "log").unlink()
    book.write("it rests\n")
    assert not (tmp_path / "log").exists()
    book._not_before = 0.0
    book.write("kept\n")
    assert lines(tmp_path) == ["kept"]
    os.unlink(tmp_path / "log/a")
    os.symlink("/etc/passwd", tmp_path / "log/b")
    other = Logbook(str(tmp_path))
    other.write("never there\n")
    assert os.readlink(tmp_path / "log/b") == "/etc/passwd"


def test_a_medium_that_hangs_holds_up_no_other_log(capsys):
    go_on, hangs = threading.Event(), threading.Event()

    def hang(_line: str) -> None:
        hangs.set()
        assert go_on.wait(30)

    journal = Journal()
    journal.keep(hang)
    journal.say("info", "x", "first")
    assert hangs.wait(30)
    for number in range(500):
        journal.say("info", "x", f"event {number}")
        assert journal._outlets[0].flush(time.monotonic() + 30)
    assert not journal.flush(0.01)
    go_on.set()
    assert journal.flush(30)


@pytest.mark.parametrize("line", ["", "x", "2026-03-01T10:00:00 info x", "2026-13-01T10:00:00+0100 info x", "a\x00b"])
def test_any_line_is_an_entry(line):
    assert entry_of(line) == (0.0, "error", line, line)


def test_a_time_is_that_of_its_zone():
    assert entry_of("2026-03-01T10:00:00+0130 info    x: y").at == entry_of("2026-03-01T08:30:00+0000 info x: y").at


@pytest.fixture
def book(tmp_path):
    made = Logbook(str(tmp_path))
    for minutes, level, text in ((90, "error", "to pacs: refused"), (60, "info", "from probe: captured"),
                                 (2, "warning", "to pacs: slow"), (1, "error", "agent: fault")):  # fmt: skip
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(time.time() - 60 * minutes))
        made.write(f"{stamp} {level:<7} {text}\n")
    made.write("  File x, line 1\n")
    return tmp_path


@pytest.mark.parametrize(
    ("options", "texts"),
    [
        ((), ["refused", "captured", "slow", "fault", "line 1"]),
        (("--since", "30m"), ["slow", "fault", "line 1"]),
        (("--level", "warning"), ["refused", "slow", "fault", "line 1"]),
        (("--match", "PACS"), ["refused", "slow"]),
        (("--last", "2"), ["fault", "line 1"]),
        (("--level", "error", "--since", "5m"), ["fault", "line 1"]),
    ],
)
def test_lines_are_chosen(book, capsys, options, texts):
    assert cli.main(["log", "--spool", str(book), *options]) == 0
    out = capsys.readouterr().out.splitlines()
    assert [line.split()[-1] if "line" not in line else "line 1" for line in out] == texts
    assert cli.main(["log", "--spool", str(book), "--json", *options]) == 0
    assert len(json.loads(capsys.readouterr().out)["entries"]) == len(texts)


@pytest.mark.parametrize(
    ("options", "status", "text"),
    [
        (("--match", "("), 2, "no regular expression"),
        (("--since", "soon"), 2, "is no time"),
        (("--last", "-1"), 2, "--last must not be less"),
        (("--follow", "--json"), 2, "never ends"),
    ],
)
def test_mistakes_are_said(book, capsys, options, status, text):
    assert cli.main(["log", "--spool", str(book), *options]) == status
    assert text in capsys.readouterr().err


def test_where_nothing_is_it_says_so(tmp_path, book, capsys):
    assert cli.main(["log", "--spool", str(tmp_path / "no"), "--last", "0"]) == 4
    (tmp_path / "bare").mkdir()
    assert cli.main(["log", "--spool", str(tmp_path / "bare")]) == 4
    assert cli.main(["log", "--spool", str(book), "--match", "nothing like it"]) == 0
    assert "nothing in the log" in capsys.readouterr().out


def test_following_prints_what_comes(book, capsys, monkeypatch):
    made = Logbook(str(book))
    turns = iter((lambda: made.write("2026-03-01T10:00:00+0000 info    x: came\n"), lambda: 1 / 0))
    monkeypatch.setattr(verb_log.time, "sleep", lambda _s: next(turns)())
    with pytest.raises(ZeroDivisionError):
        cli.main(["log", "--spool", str(book), "--follow", "--last", "1"])
    assert capsys.readouterr().out.splitlines() == ["  File x, line 1", "2026-03-01T10:00:00+0000 info    x: came"]
