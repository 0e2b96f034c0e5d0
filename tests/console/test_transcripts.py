"""Every transcript over a line in memory, over pyserial's ``loop://`` and over a pseudo terminal."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from fakes.consoles import LANES, Line, Player

from agent.console.commands import COMMANDS
from agent.console.row import CONFIGURATION, OPERATIONAL
from agent.console.tree import Refused, Tree
from agent.console.words import split

HERE = Path(__file__).parent
CONFIG = """[agent]
ae_title = "MODALITY"
[spool]
path = "spool"
[[destination]]
name = "pacs"
called_ae = "PACS"
host = "127.0.0.1"
port = 11999
[[source]]
name = "probe"
uri = "pattern:us-rgb?rows=48&columns=64&rate_hz=30"
"""


# Much of these is the start of verbs, which is the same on every line.
IN_MEMORY = ("agentless", "field")
PLAYS = [
    (path.stem, lane)
    for path in sorted(HERE.glob("*.transcript"))
    for lane in LANES[: 1 if path.stem in IN_MEMORY else None]
]


@pytest.mark.parametrize(("name", "lane"), PLAYS, ids=lambda one: one)
def test_transcript(name: str, lane: str, tmp_path: Path) -> None:
    config = tmp_path / "agent.toml"
    config.write_text(CONFIG)
    line = Line(lane, config)
    try:
        Player(line).play((HERE / f"{name}.transcript").read_text())
    finally:
        line.close()


# A program is at the other end, or the machine would be changed: tests/device and tests/unit/app
# have them.
ELSEWHERE = {"clock ntp", "tls request", "machine"}


def test_every_command_is_in_a_transcript() -> None:
    typed = set()
    for path in HERE.rglob("*.transcript"):
        for row in path.read_text().splitlines():
            mark, _, text = row.partition(" ")
            if mark in (">", ">>"):
                words = split(text.partition("\\")[0])[0].words
                for mode in (OPERATIONAL, CONFIGURATION):
                    with contextlib.suppress(Refused):
                        typed.add(Tree(COMMANDS, mode, "admin").find(words).command)
    assert {command.path for command in COMMANDS if command not in typed} == ELSEWHERE
