"""Lives that matter when the power goes: a clip under way, whose durable frames are kept, and exports to a stick."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fakes.spool_faults import look
from fakes.spool_world import uid_of

from agent.dataset.uid import EXPLICIT_VR_LE, RLE_LOSSLESS

if TYPE_CHECKING:
    from fakes.spool_world import World

_SYNTAXES: Final = {51: EXPLICIT_VR_LE, 52: RLE_LOSSLESS}
_MARKED: Final = (1, 3, 6)  # frames
_REPEATED: Final = 8  # one in so many sticks is exported to again


def clips(world: World) -> None:
    """Each mark is a promise: so many frames are kept. The second clip does not come to its end."""
    from fakes.spool_clips import Clip

    with world.open() as spool:
        for number, syntax in _SYNTAXES.items():
            clip = Clip(spool, number, syntax)
            if clip.log is None:  # whoever captures says so at once
                world.promise("said", "capture", "no room for the record of a clip")
            for frames in (1, 2, 3):
                clip.add(frames)
                if clip.mark():
                    world.promise("frames", number, clip.layout.frames)
            clip.add()
            if syntax == EXPLICIT_VR_LE:
                sealed = clip.seal()
                world.promise("captured", number, sealed.data_set_sha256)
            else:
                clip.draft.file.close()  # as if the process had ended here


def look_at_clips(world: World) -> list[str]:
    """What was promised is there, read by pydicom, frame by frame; all the rest as in every spool."""
    from fakes.spool_clips import cut_uid, frames_in

    promised = {int(words[1]): int(words[2]) for words in world.promises() if words[0] == "frames"}
    wrong = []
    with world.open() as spool:
        for number, frames in promised.items():
            uids = (uid_of(number), *(cut_uid(number, count) for count in _MARKED))
            receipts = [receipt for uid in uids if (receipt := spool.receipt(uid)) is not None]
            wrong += [f"I4 {number} is there {len(receipts)} times"] * (len(receipts) > 1)
            found = max((frames_in(spool.path(receipt.id), number) for receipt in receipts), default=0)
            if found < frames:
                wrong.append(f"P1 {found} frames of {number} are left, {frames} were durable")
    return wrong + look(world, rebuilt=False)


# --- exports: the root of the world is the stick ---------------------------------------------------


def empty_stick(world: World) -> None:
    from fakes.uml import stick

    os.makedirs(world.root)
    stick.spools(Path(world.folder))
    for number, root in enumerate(_spools(world)):  # what each export is: a copy is made alike every time
        other = Path(world.folder, f"other{number}")
        other.mkdir()
        Path(world.folder, f"set{number}").write_text(json.dumps(stick.digests(stick.export(root, str(other)))))


def exports(world: World) -> None:
    """One spool after the other to the same stick; the second adds to the set of the first."""
    from fakes.uml import stick

    for number, root in enumerate(_spools(world)):
        stick.export(root, world.root)
        world.promise("safe", number)


def complete(world: World) -> None:
    """Export again, as who finds a stick that is not safe is told to."""
    from fakes.uml import stick

    for root in _spools(world):
        stick.export(root, world.root)


def look_at_stick(world: World) -> list[str]:
    """The set in force is whole, what was called safe is in it; exported again, it is complete."""
    from fakes.uml import stick

    sets = [json.loads(path.read_text()) for path in sorted(Path(world.folder).glob("set*"))]
    ours: dict[str, set[str]] = {}
    for part in sets:
        for one, digest in part.items():
            ours.setdefault(one, set()).add(digest)
    count = sum(words[0] == "safe" for words in world.promises())
    safe = {one: digest for part in sets[:count] for one, digest in part.items()}
    wrong = stick.judge(world.root, safe, ours)
    if wrong or _lot(world) % _REPEATED:
        return wrong
    for _twice in range(2):
        for root in _spools(world):
            safe |= stick.digests(stick.export(root, world.root))
        wrong += [f"exported again: {text}" for text in stick.judge(world.root, safe, ours)]
    return wrong


def _spools(world: World) -> list[str]:
    return [f"{world.folder}/{number}/spool" for number in range(2)]


def _lot(world: World) -> int:
    """A number that depends on what is on the stick alone."""
    sizes: list[Any] = [
        (name, os.path.getsize(os.path.join(base, name)))
        for base, _, names in os.walk(world.root)
        for name in sorted(names)
    ]
    return sum(len(name) + size for name, size in sizes)
