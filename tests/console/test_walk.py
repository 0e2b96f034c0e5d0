"""From the first start to the first image that the bench archive has committed: one transcript, with a real agent."""

from __future__ import annotations

import sys
from pathlib import Path

from fakes.consoles import Line, Player
from fakes.process import Process, free_port

WALKS = Path(__file__).parent / "walks"
CONFIG = """[spool]
path = "spool"
min_free_mib = 1
[[source]]
name = "probe"
uri = "pattern:us-rgb?rows=48&columns=64&rate_hz=30"
clip_frames = 3
"""
AGENT = [sys.executable, "-m", "agent"]


def archive(folder: Path, port: int) -> Process:
    received = folder / "received"
    options = ["--port", str(port), "--ae-title", "ARCHIVE", "--directory", str(received)]
    return Process([*AGENT, "archive", *options], folder / "archive.log")


def test_the_first_image(tmp_path: Path) -> None:
    config = tmp_path / "agent.toml"
    config.write_text(CONFIG)
    port = free_port()
    with archive(tmp_path, port) as peer:
        peer.wait_listening(port)
        with Process([*AGENT, "run", "--config", str(config)], tmp_path / "agent.log") as box:
            box.wait_until("the spool", (tmp_path / "spool" / "control.sock").exists)
            line = Line("pty", config)
            try:
                Player(line).play((WALKS / "first_image.transcript").read_text().replace("{port}", str(port)))
            finally:
                line.close()
    assert len(list((tmp_path / "received").rglob("*.dcm"))) + len(list((tmp_path / "received").rglob("[0-9]*"))) > 0


def test_a_box_without_a_configuration(tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir()
    port = free_port()
    with archive(tmp_path, port) as peer:
        peer.wait_listening(port)
        line = Line("pty", tmp_path / "agent.toml")
        try:
            Player(line).play((WALKS / "carton.transcript").read_text().replace("{port}", str(port)))
        finally:
            line.close()
