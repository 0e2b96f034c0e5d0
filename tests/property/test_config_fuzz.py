"""Whatever stands in a configuration file: settings or one ``ConfigError`` whose line exists, never anything else."""

from __future__ import annotations

import contextlib
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from agent.config import load, render
from agent.config.edit import literal
from agent.config.lines import key_lines
from agent.config.schema import SECTIONS
from agent.config.source import parse_source
from agent.errors import ConfigError

EXAMPLE = (Path(__file__).resolve().parents[2] / "configs" / "agent.toml").read_text()
KEYS = [(section, key) for section in SECTIONS for key in section.keys]
VALUES = st.one_of(
    st.text(max_size=40), st.integers(), st.floats(), st.booleans(), st.lists(st.integers(), max_size=2), st.none()
)


def judge(text: str) -> None:
    try:
        settings = load.parse(text)
    except ConfigError as error:
        problems = error.problems
    else:
        assert load.parse(render.in_force(settings)) == settings
        return
    assert problems
    for line, _, message in problems:
        assert message
        assert line is None or 1 <= line <= len(text.splitlines()) + 1


@given(st.text(max_size=300))
def test_any_text(text: str) -> None:
    judge(text)
    key_lines(text)


@given(st.integers(0, len(EXAMPLE)), st.integers(0, 60), st.text(max_size=20))
def test_the_example_with_a_piece_replaced(at: int, length: int, new: str) -> None:
    judge(EXAMPLE[:at] + new + EXAMPLE[at + length :])


@given(st.sampled_from(KEYS), VALUES)
def test_any_value_for_any_key(where: tuple, value: object) -> None:
    section, key = where
    header = f"[[{section.name}]]" if section.repeated else f"[{section.name}]"
    text = "nan" if value is None else (repr(value) if isinstance(value, list) else literal(value))
    judge(f"{header}\n{key.name} = {text}\n")


@given(st.text(max_size=80))
def test_any_source(text: str) -> None:
    for uri in (text, f"pattern:{text}", f"pattern:us-rgb?{text}", f"replay:{text}"):
        with contextlib.suppress(ValueError):
            assert parse_source(uri).what
