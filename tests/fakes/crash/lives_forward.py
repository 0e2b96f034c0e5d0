"""Lives that send: the worker over a socket to an archive that really answers, copies, reports, and operators."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from fakes.crash.lives_capture import empty
from fakes.crash.lives_files import verb
from fakes.crash.site import Site, received
from fakes.spool_faults import look
from fakes.spool_world import uid_of

from agent.dataset.uid import EXPLICIT_VR_LE, JPEG_LS_LOSSLESS

if TYPE_CHECKING:
    from fakes.spool_world import World

CONFIG = """
[agent]
ae_title = "AGENT"
[spool]
path = "spool"
[[destination]]
name = "pacs"
called_ae = "ARCHIVE"
host = "127.0.0.1"
port = 9
[[destination]]
name = "second"
called_ae = "SECOND"
host = "127.0.0.1"
port = 9
commitment = false
"""


def three(world: World) -> None:
    empty(world)
    with world.open() as spool:
        for number in (1, 2, 3):
            world.capture(spool, number, size=3200 * number)


def forward(world: World) -> None:
    """Send, ask, take the report, write the flight record, evict what can go."""
    assert isinstance(world, Site)
    with world.open() as spool, world.archive() as archive:
        world.forward(spool, archive.port)
        world.send(spool, "second")
        assert spool.evict() == 3


def look_at_archive(world: World) -> list[str]:
    """What the archive has must be what was captured, byte for byte."""
    wrong = look(world, rebuilt=False)
    promised = {words[1]: words[2] for words in world.promises() if words[0] == "captured"}
    for uid, data in received(world).items():
        if promised.get(uid.rpartition(".")[2]) != hashlib.sha256(data).hexdigest():
            wrong.append(f"I4 the archive has another content of {uid}")
    return wrong


# --- copies for one sending --------------------------------------------------------------------


def compressed(world: World) -> None:
    from fakes import masters

    empty(world)
    folder = Path(world.folder)
    clip = masters.write(folder, "us-mf", JPEG_LS_LOSSLESS)
    (native,) = [path for path in folder.glob("*.dcm") if path != clip]
    (folder / "native").write_bytes(native.read_bytes())
    with world.open() as spool:
        spool.import_file(str(clip))


def copy(world: World) -> None:
    """A destination that wants explicit VR gets a copy, made for this sending and gone after it."""
    assert isinstance(world, Site)
    with world.open() as spool, world.archive(copies=True) as archive:
        world.forward(spool, archive.port, transfer_syntax=EXPLICIT_VR_LE)


def look_at_copy(world: World) -> list[str]:
    """The archive has the pixels, or the master where no copy could be made."""
    wrong = look(world, rebuilt=False)
    masters = {words[2] for words in world.promises() if words[0] == "captured"}
    samples = 2 * 12 * 16 * 3  # of the clip that masters.write makes; the last value of its Data Set
    native = Path(world.folder, "native").read_bytes()[-samples:]
    for uid, data in received(world).items():
        if not data.endswith(native) and hashlib.sha256(data).hexdigest() not in masters:
            wrong.append(f"I4 the archive has other pixels of {uid}")
    return wrong


# --- what an operator does -----------------------------------------------------------------------


def stuck(world: World) -> None:
    """One is held, one deferred, one stored; a configuration beside them, for the verbs."""
    three(world)
    Path(world.folder, "agent.toml").write_text(CONFIG)
    with world.open() as spool:
        now = spool.clock.monotonic()
        items = spool.claim("pacs", now, 3)
        spool.held(items[0], "refused", status=0xA900)
        spool.deferred(items[1], "busy", now + 1e6)
        spool.put_back(items[2:])


def operate(world: World) -> None:
    """``queue retry`` and ``queue priority`` of a box whose agent does not run."""
    config = ("--config", f"{world.folder}/agent.toml")
    verb(["queue", "priority", uid_of(3), "urgent", *config])
    verb(["queue", "retry", *config])
    with world.open() as spool:
        states = {row.state for row in spool.rows(destination="pacs")}
        assert states == {"queued"}, states
        assert {row.priority for row in spool.rows(sop_instance_uid=uid_of(3))} == {"urgent"}


def reconfigure(world: World) -> None:
    """A reload takes one destination away and brings another; what is captured then goes there."""
    from fakes.spool_world import BOTH

    from agent.spool.core import Destination

    with world.open() as spool:
        spool.configure([BOTH[0], Destination("third", commitment=False)])
        world.capture(spool, 4)
        spool.configure(BOTH)
        world.capture(spool, 5)
        assert os.path.isdir(f"{world.root}/INST")
