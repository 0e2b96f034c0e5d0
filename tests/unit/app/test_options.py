"""The option parser: what it takes, and a sentence for everything it does not."""

from __future__ import annotations

import pytest

from agent.app.options import Parser
from agent.errors import UsageError


@pytest.fixture
def parser() -> Parser:
    made = Parser("modality-agent test", "Test.", "examples:\n  none")
    made.add("action", choices=("list", "show"), help="what to do")
    made.add("files", metavar="FILE", amount="+", help="files")
    made.add("-o", "--output", metavar="FILE", help="where to")
    made.add("--port", read=int, default=104, metavar="N", help="a port")
    made.add("--wait-s", read=float, help="seconds")
    made.add("--json", switch=True, help="as JSON")
    made.add("--to", repeated=True, help="to whom, " + "very far away " * 10)
    return made


def test_everything_it_takes(parser: Parser) -> None:
    words = ["list", "a", "-o", "x", "--port=11112", "b", "--to", "p", "--to=q", "--json", "--", "-c", "--port"]
    args = parser.parse(words)
    assert args is not None
    assert vars(args) == {
        "action": "list",
        "files": ["a", "b", "-c", "--port"],
        "output": "x",
        "port": 11112,
        "wait_s": None,
        "json": True,
        "to": ["p", "q"],
    }
    plain = parser.parse(["show", "-"])
    assert plain is not None
    assert (plain.files, plain.port, plain.json, plain.to) == (["-"], 104, False, [])
    negative = parser.parse(["show", "x", "--wait-s", "-1.5"])
    assert negative is not None
    assert negative.wait_s == -1.5


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "one of list, show is missing: what to do"),
        (["list"], "FILE is missing: files"),
        (["lst", "a"], "action: 'lst' is not one of list, show; did you mean list?"),
        (["list", "a", "--prt", "1"], "there is no option --prt; did you mean --port?"),
        (["list", "a", "--zzz"], "there is no option --zzz"),
        (["list", "a", "--port"], "--port needs a value: N"),
        (["list", "a", "--port", "x"], "--port: 'x' is not a whole number"),
        (["list", "a", "--wait-s", "x"], "--wait-s: 'x' is not a number"),
        (["list", "a", "--json=1"], "--json takes no value"),
        (["list", "a", "-o", "x", "--output", "y"], "-o/--output is given twice"),
    ],
)
def test_everything_it_does_not(parser: Parser, words: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parser.parse(words)
    assert str(caught.value) == message
    assert caught.value.hint == "See 'modality-agent test --help'."


def test_too_many_words_and_required_options() -> None:
    parser = Parser("p", "P.", "")
    parser.add("uid", amount="?", help="a UID")
    parser.add("--to", required=True, help="to whom")
    with pytest.raises(UsageError, match="nothing is known about 'b'"):
        parser.parse(["a", "b", "--to", "x"])
    with pytest.raises(UsageError, match="--to is missing: to whom"):
        parser.parse(["a"])
    args = parser.parse(["--to", "x"])
    assert args is not None
    assert args.uid is None


def test_help_names_everything(parser: Parser) -> None:
    assert parser.parse(["--help"]) is None
    assert parser.parse(["list", "-h"]) is None
    text = parser.usage()
    assert text.startswith("usage: modality-agent test [-h] {list,show} FILE... [--output FILE] [--port N]")
    assert "\n  -o, --output FILE       where to\n" in text
    assert "\n  --json                  as JSON\n" in text
    assert text.endswith("examples:\n  none")
    assert max(len(line) for line in text.splitlines()) <= 100


def test_help_of_a_long_option_keeps_its_column() -> None:
    parser = Parser("modality-agent test", "Test.", "")
    parser.add("--transfer-syntax", metavar="WORD|UID|SOMETHING", help="many words " * 30)
    lines = [line for line in parser.usage().splitlines() if "many words" in line or "words many" in line]
    assert len(lines) > 2
    assert {len(line) - len(line.lstrip()) for line in lines} == {26}
