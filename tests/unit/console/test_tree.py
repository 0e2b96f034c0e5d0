"""Words become commands: abbreviations, roles, completion, help; filters and their expressions."""

from __future__ import annotations

import itertools
import re
import time

import pytest

from agent.console import filters
from agent.console.assist import TreeAssist
from agent.console.commands import COMMANDS
from agent.console.pattern import Pattern
from agent.console.row import BOTH, CONFIGURATION, OPERATIONAL, ROLES, Command
from agent.console.shell import argv_of
from agent.console.tree import Refused, Tree
from agent.console.words import joined, split


def tree(role: str = "admin", mode: str = OPERATIONAL) -> Tree:
    def source(name: str, words: tuple[str, ...], part: str) -> list[tuple[str, str]]:
        return {"destination": [("pacs", ""), ("pacs2", "")], "uid": [("2.25.7", "")]}.get(name, [])

    return Tree(COMMANDS, mode, role, source)


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("show status", "show status"),
        ("sh sta", "show status"),
        ("sho q", "show queue"),
        ("sh conf", "show configuration"),
        ("show configuration commands", "show configuration commands"),
        ("sh conf com", "show configuration commands"),
        ("w 2.25.1", "why"),
        ("ret", "retry"),
    ],
)
def test_words_may_be_shortened(line: str, path: str) -> None:
    assert tree().find(line.split()).command.path == path


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "one more word"),
        ("xyz", "unknown word 'xyz'"),
        ("shwo", "did you mean 'show'"),
        ("ping 10.0.0.7", "here it is 'test network'"),
        ("reboot", "here it is 'restart'"),
        ("show", "one more word"),
        ("e", "ambiguous: echo, exit, export"),
        ("echo", "needs NAME"),
        ("echo pacs now", "too much"),
        ("echo --help", "begins with '-'"),
        ("queue", "here it is 'show queue'"),
        ("show queue destination", "needs a value"),
        ("show queue state nonsense", "not one of"),
        ("pr", "too short for 'priority'"),
        ("priority 2.25.1 soon", "not one of"),
    ],
)
def test_what_is_no_command_says_why(line: str, says: str) -> None:
    with pytest.raises(Refused, match=re.escape(says) if line else ".*"):
        tree().find(line.split())


def test_what_changes_something_takes_three_letters() -> None:
    table = (Command("retry", "viewer", "", act="x", changes=True), Command("up", "viewer", "", act="x", changes=True))
    few = Tree(table, OPERATIONAL, "viewer")
    assert few.find(["ret"]).command is table[0]
    assert few.find(["up"]).command is table[1]
    for typed in ("r", "re", "u"):
        with pytest.raises(Refused, match="too short"):
            few.find([typed])


def test_a_value_is_never_an_option() -> None:
    call = tree().find(["show", "queue", "destination", "pacs", "limit", "5"])
    assert argv_of(call, "x.toml", json=True) == (
        "agent", "queue", "list", "--destination=pacs", "--limit=5", "--config=x.toml", "--json",
    )  # fmt: skip
    assert argv_of(tree().find(["why", "pacs"]), "x.toml")[-2:] == ("--", "pacs")


@pytest.mark.parametrize(
    ("line", "more"),
    [("sh", "ow "), ("show sta", "tus "), ("echo p", "acs"), ("show queue dest", "ination "), ("x", ""),
        ("show status | co", "unt "), ("show status | ", "")],
)  # fmt: skip
def test_tab_adds_what_is_certain(line: str, more: str) -> None:
    assert TreeAssist(tree()).complete(line)[0] == more


def test_tab_shows_what_is_possible() -> None:
    assert TreeAssist(tree()).complete("e")[1] == ["echo    exit    export"]


def test_help_is_there_at_any_point() -> None:
    assist = TreeAssist(tree())
    assert [row.split()[0] for row in assist.explain("e") or []] == ["echo", "exit", "export"]
    assert [row.split()[0] for row in assist.explain("echo ") or []] == ["pacs", "pacs2", "NAME"]
    assert [row.split()[0] for row in assist.explain("show status ") or []] == ["<Enter>", "|"]
    assert [row.split()[0] for row in assist.explain("show status | m") or []] == ["match"]
    assert assist.explain('show status | match "a') is None


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: f"{one.path}-{one.mode}")
def test_each_command_with_each_role(command, role: str) -> None:
    modes = (OPERATIONAL, CONFIGURATION) if command.mode == BOTH else (command.mode,)
    needed = [one for one in command.arguments if not one.keyword and not one.optional]
    words = [*command.words, *(one.choices[0] if one.choices else "2" for one in needed)]
    for mode in modes:
        if ROLES.index(role) >= ROLES.index(command.role):
            assert tree(role, mode).find(words).command is command
        else:
            with pytest.raises(Refused, match=r"is for the role|unknown word|needs one more word"):
                tree(role, mode).find(words)
            first = [row.split()[0] for row in TreeAssist(tree(role, mode)).explain(command.words[0][:1]) or []]
            mine = [one for one in COMMANDS if one.words[0] == command.words[0] and one.mode in (mode, BOTH)]
            if all(ROLES.index(one.role) > ROLES.index(role) for one in mine):
                assert command.words[0] not in first


def test_the_table_is_sound() -> None:
    seen = set()
    for command in COMMANDS:
        assert (command.path, command.mode) not in seen
        seen.add((command.path, command.mode))
        assert bool(command.verb) != bool(command.act)
        assert command.role in ROLES
        assert command.help
        assert command.help[0].islower()
        if command.changes:
            assert command.role != "viewer" or command.path == "password"


@pytest.mark.parametrize("words", [("a",), ("a b",), ("",), ("a'b",), ('a"b\\',), ("a|b", "c?"), ("ü\n\t",), ("\x1b",)])
def test_what_is_quoted_is_read_again(words: tuple[str, ...]) -> None:
    assert split(joined(words))[0].words == words


def test_bars_part_pieces_outside_of_quotes() -> None:
    pieces = split("show queue | match 'a|b' | count")
    assert [piece.words for piece in pieces] == [("show", "queue"), ("match", "a|b"), ("count",)]


LINES = ["pacs ok", "pacs2 held", "other OK", ""]


@pytest.mark.parametrize(
    ("chain", "left"),
    [
        ([["match", "pacs"]], ["pacs ok", "pacs2 held"]),
        ([["match", "ok"]], ["pacs ok", "other OK"]),
        ([["except", "^pacs"]], ["other OK", ""]),
        ([["count"]], ["4 lines"]),
        ([["match", "held"], ["count"]], ["1 line"]),
        ([["last", "2"]], ["other OK", ""]),
        ([["last", "3"], ["match", "p"], ["count"]], ["1 line"]),
        ([["no-more"]], LINES),
    ],
)
def test_filters(chain: list[list[str]], left: list[str]) -> None:
    running = filters.read(chain).start()
    assert running.feed(list(LINES)) + running.end() == left


@pytest.mark.parametrize("row", ["", "frobnicate", "match", "match (", "last 0", "count x", "last x", "match a b"])
def test_filters_refuse_in_words(row: str) -> None:
    with pytest.raises(Refused):
        filters.read([row.split()])


def test_expressions_match_as_those_of_python() -> None:
    parts = ["a", "b", ".", "a*", "(a|b)", "[ab]", "[^a]", "b+", "c?", "^", "$", r"\d", "(ab)*"]
    for pattern in ("".join(three) for three in itertools.product(parts, repeat=3)):
        for line in ("", "a", "ab", "ba", "aab1", "cba", "1", "bb a"):
            assert Pattern(pattern).found_in(line) == (re.search(pattern, line, re.IGNORECASE) is not None), pattern


def test_no_expression_takes_long() -> None:
    begun = time.process_time()
    assert not Pattern("(a|aa)+(a*)*$b").found_in("a" * 400 + "c")
    assert time.process_time() - begun < 5


@pytest.mark.parametrize("pattern", ["(", ")", "*a", "a**", "[a", "\\", "(" * 30 + ")" * 30, "x" * 201])
def test_a_wrong_expression_says_so(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Pattern(pattern)
