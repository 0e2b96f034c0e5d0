"""Lives of a drop folder: pictures, a DICOM File, one content twice, one file that never becomes whole.

What must be true at every moment: each content that was dropped is one instance of the spool, or its file is still in
the folder; and once all is done, exactly one, wherever the life was cut.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from fakes import masters, pngs
from fakes.crash.lives_capture import used
from fakes.crash.site import Site
from fakes.spool_faults import look as look_at_spool
from fakes.spool_world import word_of

from agent.acquire.exam import Exam
from agent.acquire.folder import FolderRecorder
from agent.acquire.folder_place import DONE, OWN, REJECTED, TAKING, Place
from agent.config import load
from agent.dataset.uid import EXPLICIT_VR_LE
from agent.errors import DeviceError
from agent.exchange.take_in import take
from agent.media.part10 import decode_prefix
from agent.spool.states import Life

if TYPE_CHECKING:
    from fakes.spool_world import World

    from agent.exchange.take_in import Taken
    from agent.spool.store import Spool

TOML = """
[[source]]
name = "box"
uri = "folder:{path}?settle_s=0&done={done}"
sop_class = "sc"
burned_in_annotation = "NO"
"""
HALF = "half.png"
TAKEN = {"a.png": "a", "b.png": "b", "again.png": "a", "it.dcm": "dicom"}  # name -> content
TURNS = 3
LINES = {name: [bytes([seed + row] * 16) for row in range(8)] for name, seed in (("a", 1), ("b", 90))}


class Drop(Site):
    """A spool and a folder beside it; both are watched."""

    done = "move"

    @property
    def watched(self) -> str:
        return f"{self.folder}/s"  # of "spool" and "source"

    @property
    def source(self) -> str:
        """The drop folder."""
        return f"{self.folder}/source"

    @property
    def originals(self) -> str:
        """The same files once more, where nothing is counted."""
        return f"{self.folder}/originals"


class Deleting(Drop):
    """One whose files are removed."""

    done = "delete"


def _picture(name: str) -> bytes:
    return pngs.png(16, LINES[name])


def dropped(world: World) -> None:
    """Files lie in the folder, and a spool that has been at work."""
    assert isinstance(world, Drop)
    used(world)
    pictures = {name: _picture(name) for name in LINES}
    os.makedirs(world.originals)
    pictures["dicom"] = Path(masters.write(Path(world.folder), "sc", EXPLICIT_VR_LE)).read_bytes()
    for name, content in TAKEN.items():
        Path(world.originals, name).write_bytes(pictures[content])
    Path(world.originals, HALF).write_bytes(pictures["a"][:-20])
    os.makedirs(world.source)
    work(world)  # the folder is known before anything lies in it
    for path in Path(world.originals).iterdir():
        Path(world.source, path.name).write_bytes(path.read_bytes())


def work(world: World) -> None:
    """Take what is there, as a start of the role does."""
    assert isinstance(world, Drop)
    settings = load.parse(TOML.format(path=world.source, done=world.done))
    with world.open() as spool, Place(world.source, ("*",)) as place:
        unit = FolderRecorder(
            settings.source[0], Exam(settings), spool, lambda _source, _done: None,
            warn=partial(world.promise, "said", "warning"), take_in=partial(_take_in, world, spool),
            refuse=lambda: None, say=partial(_say, world),
        )  # fmt: skip
        unit.path = "source"  # in the ledger: a world is lived, and looked at, elsewhere than it was made
        place.prepare()
        unit._take_over()
        for _turn in range(TURNS):
            unit._turn(place, SimpleNamespace(written=set()), threading.Event())  # type: ignore[arg-type]
            bad = {name: one.reason for name, one in unit.files.seen.items() if name != HALF and one.reason}
            if bad:
                raise DeviceError(f"attention: {bad}")
            if HALF in unit.files.seen:
                unit._reject(place, HALF)


def _say(world: World, level: str, text: str) -> None:
    world.promise("said", level, text)


def _take_in(world: World, spool: Spool, descriptor: int, **how: Any) -> Taken:
    taken = take(spool, [descriptor], **how)[0]
    known = spool.known(taken.sop_instance_uid) if not taken.code else None
    if known is not None:
        world.promise("captured", word_of(taken.sop_instance_uid), known[2].hex())
    return taken


def look_at_folder(world: World) -> list[str]:
    """Nothing is lost at this moment; once all is done, nothing is double, and every file is where it belongs."""
    assert isinstance(world, Drop)
    wrong = look_at_spool(world, rebuilt=False)
    there = _contents(world)
    with world.open() as spool:
        have = _instances(spool)
    for name, content in _originals(world).items():
        if not there[content] and not (name != HALF and _instance_of(content, have)):
            wrong.append(f"I1 {name} is neither in the folder nor in the spool")
    work(world)
    with world.open() as spool:
        have = _instances(spool)
        for name, content in _originals(world).items():
            count = _instance_of(content, have)
            if count != (name != HALF):
                wrong.append(f"I4 {name} is {count} instances")
    return wrong + _places(world)


def _places(world: Drop) -> list[str]:
    """Where files are at the end; a crash may have set aside the half one twice."""
    found = {folder: sorted(os.listdir(f"{world.source}/{folder}")) for folder in OWN}
    left = sorted(name for name in os.listdir(world.source) if name not in OWN)
    wrong = [f"{left} lie in the folder still"] if left else []
    wrong += [f"{found[TAKING]} lie between two folders"] if found[TAKING] else []
    if not any(name.startswith("half") and name.endswith(".png") for name in found[REJECTED]):
        wrong.append(f"{HALF} is not set aside: {found[REJECTED]}")
    want = sorted(TAKEN) if world.done == "move" else []
    if found[DONE] != want:
        wrong.append(f"done has {found[DONE]}, not {want}")
    return wrong


def _originals(world: Drop) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(world.originals).iterdir()}


def _contents(world: Drop) -> Counter[bytes]:
    return Counter(path.read_bytes() for path in Path(world.source).rglob("*") if path.is_file())


def _instances(spool: Spool) -> list[bytes]:
    """The files of all live instances."""
    rows = spool.ledger.read("SELECT id FROM instance WHERE life = ?", (int(Life.LIVE),))
    return [Path(spool.path(number)).read_bytes() for (number,) in rows]


def _instance_of(content: bytes, have: list[bytes]) -> int:
    """How many instances have the samples of a picture, or the Data Set of a DICOM File."""
    if content[128:132] == b"DICM":
        inner = content[decode_prefix(content)[1] :]
        return sum(file.endswith(inner) for file in have)
    samples = next((b"".join(LINES[name]) for name in LINES if _picture(name) == content), b"none such")
    return sum(samples in file for file in have)
