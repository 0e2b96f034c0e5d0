"""The line editor: what is on a dumb terminal is what will be run, however it was typed."""

from __future__ import annotations

import random

import pytest
from fakes.terminal import Teletype

from agent.console.editor import Editor, Entered
from agent.console.history import History
from agent.console.keys import Decoder
from agent.console.paint import Row, repaint


class Terminal:
    """An editor with a terminal at it."""

    def __init__(self, width: int = 80, prompt: str = "> ", **named: object) -> None:
        self.editor = Editor(width)
        self.decoder = Decoder()
        self.screen = Teletype()
        self.history = History()
        self.entered: list[Entered] = []
        self.bytes = 0
        self._again = lambda: self.editor.begin(prompt, history=self.history, **named)  # type: ignore[arg-type]
        self._again()
        self.show()

    def type(self, data: bytes) -> None:
        for key in self.decoder.feed(data):
            entered = self.editor.key(key)
            if entered is not None:
                self.entered.append(entered)
                self.history.add(entered.text)
                self.show()
                self._again()
        self.show()

    def show(self) -> None:
        text = "".join(self.editor.out).encode()
        self.editor.out.clear()
        self.bytes += len(text)
        self.screen.feed(text)


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"\r\0"])
def test_every_line_end_ends_one_line(end: bytes) -> None:
    terminal = Terminal()
    terminal.type(b"show" + end + b"exit" + end)
    assert [one.text for one in terminal.entered] == ["show", "exit"]
    assert not any(one.tainted for one in terminal.entered)


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (b"shox\x7fw", "show"),
        (b"shox\x08w", "show"),
        (b"how\x01s", "show"),
        (b"abc\x02\x02X", "aXbc"),
        (b"abc\x1b[D\x1bODX", "aXbc"),
        (b"abc\x1b[D\x1b[CX", "abcX"),
        (b"abc def\x17ghi", "abc ghi"),
        (b"abc\x15def", "def"),
        (b"abcdef\x01\x06\x06\x0b", "ab"),
        (b"abc\x01\x1b[3~", "bc"),
        (b"abc\x01\x04", "bc"),
        (b"ac\x02b\x05d", "abcd"),
        ("größe".encode(), "größe"),
        ("größe\x7f\x7f\x7f".encode(), "gr"),
        (b"abc\x1b[15~\x1b[1~X\x1b[4~Y", "XabcY"),
        (b"a\x16?b", "a?b"),
        (b"a\x11\x13b", "ab"),
    ],
)
def test_keys_edit(keys: bytes, line: str) -> None:
    terminal = Terminal()
    terminal.type(keys)
    assert terminal.screen.current == f"> {line}"
    terminal.type(b"\r")
    assert terminal.entered == [Entered(line, "enter", False)]


def test_history_is_gone_through_and_searched() -> None:
    terminal = Terminal()
    terminal.type(b"show status\rshow queue\rexit\r")
    terminal.type(b"half\x10\x10")
    assert terminal.screen.current == "> show queue"
    terminal.type(b"\x0e\x0e")
    assert terminal.screen.current == "> half"
    terminal.type(b"\x15\x12stat")
    assert terminal.screen.current == "(search 'stat') show status"
    terminal.type(b"\r")
    assert terminal.entered[-1].text == "show status"


@pytest.mark.parametrize(
    "noise", [b"\0", b"\xff", b"\xe9x", b"\x1b[\x01", b"\x9b", b"\x1c", b"\xc3\x28", b"\xed\xa0\x80"]
)
def test_noise_taints_the_line_until_it_is_begun_anew(noise: bytes) -> None:
    terminal = Terminal()
    terminal.type(b"exit" + noise + b"\r")
    assert terminal.entered[-1].tainted
    terminal.type(noise + b"\x15exit\r")
    assert terminal.entered[-1] == Entered("exit", "enter", False)


def test_a_message_does_not_tear_the_line() -> None:
    terminal = Terminal()
    terminal.type(b"show stat\x02\x02")
    terminal.editor.message(["the link is down"])
    terminal.type(b"XY")
    assert terminal.screen.rows == ["the link is down"]
    assert terminal.screen.current == "> show stXYat"


def test_a_secret_is_not_shown_not_even_its_length() -> None:
    terminal = Terminal(prompt="Password: ", secret=True)
    before = terminal.bytes
    terminal.type(b"correct horse\x7f?\t")
    assert terminal.screen.current == "Password:"
    assert terminal.bytes - before <= 1  # a bell for TAB
    terminal.type(b"\r")
    assert terminal.entered[0].text == "correct hors?"


def test_a_letter_at_the_end_costs_itself() -> None:
    terminal = Terminal()
    before = terminal.bytes
    terminal.type(b"show status")
    assert terminal.bytes - before == len("show status")


def test_a_long_line_moves_under_a_window() -> None:
    terminal = Terminal(width=40)
    text = "".join(chr(97 + number % 26) for number in range(200))
    terminal.type(text.encode())
    assert len(terminal.screen.current) < 40
    assert terminal.screen.current.startswith("> $")
    assert terminal.screen.current.endswith(text[-10:])
    terminal.type(b"\x01")
    assert terminal.screen.current.startswith("> " + text[:20])
    terminal.type(b"\r")
    assert terminal.entered[0].text == text


def test_a_line_is_bounded() -> None:
    terminal = Terminal()
    terminal.type(b"x" * 5000 + b"\r")
    assert len(terminal.entered[0].text) == 2048
    assert terminal.screen.bells == 5000 - 2048


def test_any_row_becomes_any_other() -> None:
    chance = random.Random(7)
    alphabet = "aab ö日"
    shown = Row()
    screen = Teletype()
    for _ in range(2000):
        text = "".join(chance.choice(alphabet[:5]) for _ in range(chance.randrange(12)))
        wanted = Row(text, chance.randrange(len(text) + 1))
        screen.feed(repaint(shown, wanted).encode())
        assert screen.current == wanted.text.rstrip()
        assert screen.at == wanted.at
        shown = wanted


def test_any_bytes_leave_the_screen_as_the_line_is() -> None:
    chance = random.Random(11)
    terminal = Terminal(width=30)
    for _ in range(300):
        terminal.type(bytes(chance.choice(b"ab \x01\x02\x05\x06\x08\x0b\x0e\x10\x15\x17\x7f\r") for _ in range(20)))
        line = terminal.editor._line
        assert line is not None
        row = line.row()
        assert terminal.screen.current == row.text.rstrip()
        assert terminal.screen.at == row.at


class Long:
    """Help of thirty lines."""

    def complete(self, before: str) -> tuple[str, list[str]]:
        return "", []

    def explain(self, before: str) -> list[str] | None:
        return [f"word {number}" for number in range(30)]


@pytest.mark.parametrize(
    ("keys", "lines", "line"),
    [
        (b"", 23, ""),
        (b" ", 30, "set "),
        (b"\r", 24, ""),
        (b"q", 23, "set "),
        (b"\x03", 23, "set "),
        (b"a", 23, "set a"),
    ],
)
def test_long_help_waits_at_each_page(keys: bytes, lines: int, line: str) -> None:
    terminal = Terminal(assist=Long())
    terminal.editor.length = 24
    terminal.type(b"set ?" + keys)
    rows = [row for row in terminal.screen.rows if row]
    assert sum(row.startswith("word ") for row in rows) == lines
    assert terminal.screen.current == (f"> {line}".rstrip() if line else "--More--")
    assert terminal.entered == []


def test_a_message_ends_the_pages_of_help() -> None:
    terminal = Terminal(assist=Long())
    terminal.editor.length = 24
    terminal.type(b"set ?")
    terminal.editor.message(["Note: new"])
    terminal.show()
    assert terminal.screen.rows[-1].strip() == "Note: new"
    assert terminal.screen.current == "> set"
