"""Every transcript over a line in memory, over pyserial's ``loop://`` and over a pseudo terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.consoles import LANES, Line, Player

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


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("name", sorted(path.stem for path in HERE.glob("*.transcript")))
def test_transcript(name: str, lane: str, tmp_path: Path) -> None:
    config = tmp_path / "agent.toml"
    config.write_text(CONFIG)
    line = Line(lane, config)
    try:
        Player(line).play((HERE / f"{name}.transcript").read_text())
    finally:
        line.close()
