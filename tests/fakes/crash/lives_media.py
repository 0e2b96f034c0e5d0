"""Lives that put instances of the spool onto a medium: a folder beside the spool, whose calls count, too."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from fakes.crash.lives_files import verb
from fakes.crash.lives_forward import CONFIG
from fakes.crash.site import Site
from fakes.spool_faults import look
from fakes.spool_world import word_of

from agent.dataset.uid import EXPLICIT_VR_LE, JPEG_LS_LOSSLESS
from agent.media.part10 import decode_prefix

if TYPE_CHECKING:
    from fakes.spool_world import World

COUNT = 3


class Stick(Site):
    """A spool and a stick."""

    @property
    def watched(self) -> str:
        return f"{self.folder}/s"  # of "spool" and "stick"

    @property
    def stick(self) -> str:
        """The folder of the medium."""
        return f"{self.folder}/stick"


def with_stick(world: World) -> None:
    from fakes import masters

    assert isinstance(world, Stick)
    for folder in (world.root, world.stick):
        os.makedirs(folder)
    Path(world.folder, "agent.toml").write_text(CONFIG)
    with world.open() as spool:
        for kind, syntax in (("us-mf", JPEG_LS_LOSSLESS), ("sc", EXPLICIT_VR_LE), ("us", EXPLICIT_VR_LE)):
            spool.import_file(str(masters.write(Path(world.folder), kind, syntax)))


def export(world: World) -> None:
    """Everything onto the stick; what is there already stays."""
    assert isinstance(world, Stick)
    verb(["media", "export", "--all", "--to", world.stick, "--profile", "none", "--config",
          f"{world.folder}/agent.toml"])  # fmt: skip
    world.promise("safe")


def look_at_stick(world: World) -> list[str]:
    """The spool is as it was; what was called safe is whole; exported again, it is whole at the latest."""
    assert isinstance(world, Stick)
    wrong = _whole(world) if ["safe"] in world.promises() else []
    export(world)
    return [*wrong, *_whole(world), *look(world, rebuilt=False)]


def _whole(world: Stick) -> list[str]:
    captured = {words[1]: words[2] for words in world.promises() if words[0] == "captured"}
    found, wrong = {}, []
    for path in sorted(Path(world.stick).rglob("*")):
        if path.is_file() and len(path.name) == 8 and path.name != "DICOMDIR":
            data = path.read_bytes()
            meta, offset = decode_prefix(data)
            found[word_of(meta.sop_instance_uid)] = hashlib.sha256(data[offset:]).hexdigest()
    if found != captured:
        wrong.append(f"what is on the stick is not what was captured: {len(found)} of {len(captured)}")
    verb(["media", "check", world.stick])  # every record and every file
    left = [path.name for path in Path(world.stick).rglob("*.NEW")]
    return wrong + [f"{name} was left" for name in left]
