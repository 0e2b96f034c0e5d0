"""Any edits of a configuration text say what was asked, lines of a difference replay, comments stay."""

from __future__ import annotations

import re
import shlex
import tomllib
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from agent.config import edit
from agent.config.command_line import line, split
from agent.config.difference import apply, commands, delete_words, difference, set_words
from agent.config.edit import Edited, same, says, written
from agent.config.key import Key, Section
from agent.config.kinds import KINDS
from agent.config.load import parse
from agent.config.schema import SECTIONS
from agent.config.toml_text import statements
from agent.errors import AgentError, ConfigError

NAMES = st.sampled_from(["pacs", "second", "p-3", "x_y"])
PRINTABLE = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="\\"), max_size=12)
TEXTS = st.one_of(PRINTABLE, st.sampled_from(["", "a b", "it's", 'a "b" c', "#no", "[x]", "=", "104", '"104"', "ä ö"]))


def values(key: Key) -> st.SearchStrategy[str]:
    kind = KINDS[key.kind]
    if key.choices:
        return st.sampled_from(key.choices)
    if kind.word == "boolean":
        return st.sampled_from(["true", "false", "yes", "off"])
    if kind.word in ("integer", "number"):
        assert key.low is not None
        assert key.high is not None
        whole = st.integers(int(key.low), int(key.high)).map(str)
        return whole if kind.word == "integer" else whole | st.floats(key.low, key.high).map(repr)
    if kind.word == "array":
        return st.sampled_from(['["22:00-06:00", "Sat,Sun 00:00-24:00"]', "Mon-Fri 18:00-07:30", "", "[]"])
    if key.kind == "bandwidth":
        return st.sampled_from(["8 Mbit/s", "1000000", '"1000000"', ""])
    return st.sampled_from(["EDGE1", "10.0.0.7", "19800229", "explicit", "auto", "L/F", "pattern:us-rgb"]) | TEXTS


@st.composite
def edits(draw: st.DrawFn) -> tuple[str, tuple[str, ...], str | None]:
    section: Section = draw(st.sampled_from(SECTIONS))
    table = (section.name, draw(NAMES)) if section.repeated else (section.name,)
    what = draw(st.sampled_from(["set"] * 6 + ["delete key", "delete table", "make"]))
    if what == "delete table":
        return "delete", table, None
    if what == "make" and section.repeated:
        return "set", table, None
    key: Key = draw(st.sampled_from(section.keys))
    if what == "delete key":
        return "delete", (*table, key.name), None
    return "set", (*table, key.name), draw(values(key))


_TRICKY = (
    '[tls]\nca_file = """\\\n# no comment\\\n[agent]\\\n"""\n[[source]]\nname = "p-3"\n[[destination]]\n'
    'name = "pacs"\nsend_windows = [ # when\n  "22:00-06:00", # "night]"\n]\nhost = "h"\n[exam]\n'
    "description = 'a # b'\n"
)
_INLINE = (
    'agent = { ae_title = "X" }\ndestination = [{ name = "pacs", host = "h" }]\nspool.path = "/s"\n'
    '"exam".study_id = "1"\n'
)
LAYOUTS = (
    "",
    "# top\n\n[agent] # who\nae_title = 'EDGE' # ours\n\n# where\n[spool]\n  path = \"/s\"\n  keep_hours=1#h\n# end",
    '[[destination]]\r\nname = "pacs"\r\n# mine\r\nhost = "h"\r\n\r\n[[destination]]\r\nname="second"\r\n',
    _TRICKY,
    _INLINE,
)


def comments(text: str) -> list[str]:
    return [row.strip() for row in text.splitlines() if row.strip().startswith("#") and "# no comment" not in row]


def _done(what: str, text: str, document: dict[str, Any], words: tuple[str, ...], value: str | None) -> Edited:
    return set_words(text, document, words, value) if what == "set" else delete_words(text, document, words)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(LAYOUTS), st.lists(edits(), max_size=12))
def test_any_edits_say_what_was_asked(layout: str, wanted: list[tuple[str, tuple[str, ...], str | None]]) -> None:
    text, document = layout, tomllib.loads(layout)
    lines: list[str] = []
    for what, words, value in wanted:
        try:
            edited = _done(what, text, document, words, value)
        except AgentError:
            continue
        assert same(tomllib.loads(edited.text), edited.document)
        if layout != _INLINE:
            assert not edited.anew
            if what == "set":
                assert [row for row in comments(text) if row not in comments(edited.text)] == []
        lines.append(line((what, *words, *(() if value is None else (value,)))))
        text, document = edited.text, edited.document
    again = apply(layout, tomllib.loads(layout), lines)
    assert same(again.document, document)
    assert again.text == text
    for before in (tomllib.loads(layout), {}):
        replayed = apply(written(before), before, difference(before, document))
        assert _meaning(replayed.document) == _meaning(document)
    assert difference(document, document) == []


def _meaning(document: dict[str, Any]) -> dict[str, Any]:
    """Without tables that say nothing."""
    return {name: value for name, value in document.items() if value not in ({}, [])}


ROWS = st.lists(st.tuples(NAMES, st.integers(1, 3)), max_size=4, unique_by=lambda row: row[0])


@settings(max_examples=100, deadline=None)
@given(ROWS, ROWS)
def test_a_difference_keeps_the_order_of_tables(old: list[tuple[str, int]], new: list[tuple[str, int]]) -> None:
    before, after = ({"destination": [{"name": n, "port": p} for n, p in rows]} if rows else {} for rows in (old, new))
    text = written(before)
    assert says(text, before)
    assert same(apply(text, before, difference(before, after)).document, after)
    assert same(apply("", {}, commands(after)).document, after)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=5))
def test_words_come_back_from_a_line(words: list[str]) -> None:
    assert split(line(words)) == words
    assert "\n" not in line(words)
    if all(word.isprintable() and "'" not in word for word in words):
        assert shlex.split(line(words)) == words  # what a shell makes of it


@settings(deadline=None)
@given(st.text(alphabet="[]\"'#=.,{} \\\nab1", max_size=40))
def test_the_scanner_takes_any_text(text: str) -> None:
    found = statements(text)
    assert all(one.start < one.end <= len(text) for one in found)
    assert all(one.end <= other.start for one, other in pairwise(found))
    try:
        document = tomllib.loads(text)
    except ValueError:
        return
    assert says(edit.written(document), document)


TYPED = [(section, key) for section in SECTIONS for key in section.keys if len(key.name) > 4]


def _mistaken(way: str, text: str, words: tuple[str, ...]) -> None:
    if way == "file":
        parse(text, path="box.toml")
    else:
        set_words("", {}, words, "1")


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(TYPED), st.integers(0, 40), st.integers(0, 3), st.sampled_from(["file", "set"]))
def test_a_mistyped_key_is_told_with_its_place_and_the_nearest(
    what: tuple[Section, Key], at: int, above: int, way: str
) -> None:
    section, key = what
    typo = key.name[: at % len(key.name)] + key.name[at % len(key.name) + 1 :]
    assume(typo not in {one.name for one in section.keys} and not typo.startswith("_"))
    assume(not any(typo == one.name for other in SECTIONS for one in other.keys))
    table = f"[[{section.name}]]" if section.repeated else f"[{section.name}]"
    text = f"# a\n{'# b' * above}\n{table}\n{typo} = 1 # c\n"
    with pytest.raises(AgentError) as caught:
        _mistaken(way, text, (section.name, *(("x",) if section.repeated else ()), typo))
    message = caught.value.message
    if isinstance(caught.value, ConfigError):
        told = {place: text for _, place, text in caught.value.problems}
        lines = {place: line for line, place, _ in caught.value.problems}
        place = f"{section.name}{'[0]' * section.repeated}.{typo}"
        assert lines[place] == 4
        message = told[place]
    named = re.search(r"did you mean '(.*)'\?", message)
    assert named
    assert named[1] in {one.name for one in section.keys}
    assert len(named[1]) <= len(key.name) + 2
