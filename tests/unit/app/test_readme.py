"""What README.md has people type is what there is: its command lines, its console, its configuration, its documents."""

from __future__ import annotations

import re
import shlex
from importlib import import_module
from pathlib import Path

import pytest

from agent.app.options import Parser
from agent.app.verbs import find
from agent.config.load import parse
from agent.config.schema import SECTIONS
from agent.console.commands import COMMANDS
from agent.console.row import CONFIGURATION, OPERATIONAL
from agent.console.tree import Tree
from agent.console.words import split

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text()


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", README, re.S | re.M)


LINES = [
    line.partition(" #")[0].strip().removesuffix("&")
    for line in "".join(blocks("sh")).replace("\\\n", " ").splitlines()
    if line.startswith("modality-agent ")
]
TYPED = re.findall(r"^admin@box([>#]) (.+?)(?:   .*)?$", README, re.M)


@pytest.mark.parametrize("line", LINES)
def test_command_lines(line: str) -> None:
    words = shlex.split(line)
    verb = find(words[1])
    assert verb is not None
    parser = Parser(verb.name, "", "")
    import_module(verb.module).arguments(parser)
    assert parser.parse(words[2:]) is not None


@pytest.mark.parametrize(("mode", "line"), TYPED)
def test_the_console(mode: str, line: str) -> None:
    if "<TAB>" not in line:
        Tree(COMMANDS, {">": OPERATIONAL, "#": CONFIGURATION}[mode], "admin").find(split(line)[0].words)


def test_the_configuration() -> None:
    (text,) = blocks("toml")
    assert parse(text).destination[0].called_ae == "ARCHIVE"


def test_it_names_at_once_where_every_command_and_key_is() -> None:
    named = {ROOT / name for name in re.findall(r"`([\w/.-]+\.(?:md|toml))`", README)}
    told = README + "".join(path.read_text() for path in named if path.exists())
    assert [one.path for one in COMMANDS if f"`{one.path}" not in told] == []
    assert [f"{one.name} {key.name}" for one in SECTIONS for key in one.keys if key.name not in told] == []
