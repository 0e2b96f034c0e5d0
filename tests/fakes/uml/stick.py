"""What must be true of a stick that instances were exported to, whatever happened to it; pydicom is the judge.

A DICOMDIR that is there is whole, and each file that it names holds the very bytes of an instance of ours. A set that
was called safe is named by it, all of it, whatever came later.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pydicom
from fakes import exports
from fakes.crash.mistakes import plant

from agent.dataset import uid
from agent.exchange.carry import FOLDER, Target, carry
from agent.exchange.export import Media, Request
from agent.exchange.writer import SetWriter
from agent.media.profile import PROFILES
from agent.spool.durable import File, Medium

if TYPE_CHECKING:
    from agent.exchange.export import Outcome
    from agent.spool.ops import Ops

# One export after the other goes to the same stick; each spool has other instances of these kinds.
KINDS: Final = (
    (("us", uid.RLE_LOSSLESS), ("sc", uid.EXPLICIT_VR_LE)),
    (("us-mf", uid.JPEG_LS_LOSSLESS),),
    (("dx", uid.EXPLICIT_VR_LE), ("sc", uid.IMPLICIT_VR_LE)),
)
# What a site may find in its hands: the kind of FAT by its size, and how desktops mount it (``flush``).
FORMATS: Final[dict[str, tuple[int, tuple[str, ...], str]]] = {
    "FAT12": (4, ("mkfs.vfat", "-F", "12", "-S", "512"), ""),
    "FAT16": (16, ("mkfs.vfat", "-F", "16", "-S", "512"), "flush"),
    "FAT32": (36, ("mkfs.vfat", "-F", "32", "-S", "512", "-s", "1"), ""),
}
_PROFILE: Final = "STD-GEN-USB-JPEG"
Safe = dict[str, str]  # SOP Instance UID -> SHA-256 of its file, of sets that were called safe


def _no_sync() -> None:
    """Nothing is synced, and what is read back comes from memory."""
    plant(File, "finish", lambda file: file.close())
    plant(Medium, "sync_file", lambda _medium, _path: None)
    plant(Medium, "sync_folder", lambda _medium, _path: None)
    plant(SetWriter, "compare", lambda _writer, _watch: True)


def _only_the_folder() -> None:
    """The renamed DICOMDIR is left to the sync of its folder."""
    plant(Medium, "sync_file", lambda _medium, _path: None)


# The mistakes of an export that real vfat must show: the first to pulls, both to power cuts.
MISTAKES: Final = {"export without a sync": _no_sync, "DICOMDIR synced by its folder": _only_the_folder}


def spools(folder: Path) -> list[str]:
    """Make the spools that are exported, closed."""
    return [str(exports.filled(folder / f"{number}", kinds)) for number, kinds in enumerate(KINDS)]


def brought(roots: list[str], folder: str) -> list[str]:
    """Copy the spools to where SQLite can open them."""
    copies = []
    for number, root in enumerate(roots):
        copies.append(f"{folder}/spool{number}")
        shutil.copytree(root, copies[-1])
    return copies


def export(root: str, point: str, ops: Ops | None = None) -> Outcome:
    """Export all of a spool."""
    return exports.run(Path(root), Path(point), media=Media(ops))


def carried(root: str, point: str, ops: Ops, *, remount: bool) -> Outcome:
    """The same as ``modality-agent media export`` does it; ``remount``: with ``--unmount``."""
    request = Request(exports.pieces(Path(root)), PROFILES[_PROFILE], "TEST")
    return carry(request, Target(point, FOLDER), lambda _step, _done, _of: None, remount=remount, ops=ops).outcome


def digests(outcome: Outcome) -> Safe:
    """What an outcome vouches for."""
    return {one.sop_instance_uid: one.sha256 for one in outcome.exported}


def judge(point: str, safe: Safe, ours: dict[str, set[str]]) -> list[str]:
    """What is wrong with a stick; ``ours``: every file that an instance of ours may be."""
    named, wrong = _named(point, ours) if os.path.lexists(f"{point}/DICOMDIR") else ({}, [])
    for one, digest in safe.items():
        if one not in named:
            wrong.append(f"{one} was called safe, and no DICOMDIR names it")
        elif named[one] != digest:
            wrong.append(f"{one} was called safe, and its file is another")
    return wrong


def _named(point: str, ours: dict[str, set[str]]) -> tuple[Safe, list[str]]:
    wrong, named = [], {}
    try:
        rows = pydicom.dcmread(f"{point}/DICOMDIR").DirectoryRecordSequence
        for row in rows:
            if "ReferencedFileID" not in row:
                continue
            name = row.ReferencedFileID
            path = "/".join([point, *([name] if isinstance(name, str) else name)])
            one = str(row.ReferencedSOPInstanceUIDInFile)
            if not os.path.isfile(path):
                wrong.append(f"the DICOMDIR names {path.removeprefix(point)}, which is not there")
                continue
            with open(path, "rb") as file:
                named[one] = hashlib.sha256(file.read()).hexdigest()
            if named[one] not in ours.get(one, ()):
                wrong.append(f"{path.removeprefix(point)} is in the DICOMDIR and is not what was exported")
    except Exception as error:  # noqa: BLE001 - whatever pydicom says, it cannot be read
        wrong.append(f"the DICOMDIR cannot be read: {type(error).__name__}: {error}")
    return named, wrong
