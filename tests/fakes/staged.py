"""A configuration file with its history, and clocks that a test moves."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from agent.config.generations import Folder
from agent.config.stage import Stage
from agent.config.unconfirmed import Times

if TYPE_CHECKING:
    from pathlib import Path

BEGAN = """\
# my box
[agent]
ae_title = "EDGE"   # ours

# the archive
[[destination]]
name = "pacs" # main
called_ae = "PACS"
host = "10.0.0.7"
# end
"""


class Clock:
    """Clocks that a test moves, and a machine that it starts again."""

    def __init__(self) -> None:
        self.wall, self.running, self.boot = 1.8e9, 100.0, "first"
        self.kept = False

    def times(self) -> Times:
        return Times(lambda: self.wall, lambda: self.running, lambda: self.boot, self.rest, lambda: self.kept)

    def rest(self, seconds: float) -> None:
        self.pass_s(seconds)
        self.meanwhile()

    def meanwhile(self) -> None:
        """Somebody does something while another one rests."""

    def pass_s(self, seconds: float) -> None:
        self.wall += seconds
        self.running += seconds

    def start_again(self, wall: float | None = None) -> None:
        self.boot += "'"
        self.running = 5.0
        self.wall = self.wall if wall is None else wall


class Box:
    """One configuration file, and time."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "agent.toml"
        self.file.write_text(BEGAN)
        self.clock = Clock()

    def stage(self) -> Stage:
        return Stage(str(self.file), times=self.clock.times())

    def folder(self) -> Folder:
        return Folder(str(self.file))

    def committed(self, port: str, confirm_s: float | None = None) -> Stage:
        stage = self.stage()
        self.committed_by(stage, port, confirm_s)
        return stage

    @staticmethod
    def committed_by(stage: Stage, port: str, confirm_s: float | None = None) -> None:
        stage.set(("destination", "pacs", "port"), port)
        assert stage.commit("anna", f"port {port}", confirm_s)

    @property
    def port(self) -> int:
        port: int = tomllib.loads(self.file.read_text())["destination"][0].get("port", 104)
        return port
