"""File names of the spool: numbers from our own counter, nothing else (P9).

``INST/<6 hex digits>/<8 hex digits>``: the folder is the number without its last byte, so that 256 instances share one.
Upper case, no extension: each component is a legal File ID (PS3.10 8.2). While a file is written it is
``<number>.part`` in the same folder, and a clip has ``<number>.clip`` beside it.

A number is never used twice for an instance. The counter is not stored: it starts after the highest number the ledger
or the folders know of. Folders are never removed, so even when files were evicted *and* the ledger was lost, the
highest folder still says which numbers may have been used; then the counter starts with the next folder.
"""

from __future__ import annotations

import os
import re
import threading

INSTANCES = "INST"
QUARANTINE = "quarantine"
LEDGER = "ledger.db"
LOCK = "spool.lock"
DIRECTORY = "DICOMDIR"  # the directory of the File-set that the spool is; see file_set.py
DIRECTORY_BEFORE = "DICOMDIR.BAK"  # the one before it
RECORDS = "records.db"  # what the instances are listed as, so that no file is read twice for it
STAGES = "stage"  # sets in clear that are being encrypted; see stage.py
PART = ".part"
CLIP = ".clip"  # beside the .part of a clip: what is known of it so far (clip.py)
FOLDER_BITS = 8  # 256 files per folder keep a folder sync and a listing short on any file system
LAST_NUMBER = 0xFFFFFFFF

_FOLDER = re.compile(r"[0-9A-F]{6}\Z")
_FILE = re.compile(r"[0-9A-F]{8}\Z")


def file_path(root: str, number: int) -> str:
    """Return the final path of instance ``number``."""
    return f"{root}/{INSTANCES}/{number >> FOLDER_BITS:06X}/{number:08X}"


def clip_path(part: str) -> str:
    """Return the path of the record of the clip that is written to ``part``."""
    return part.removesuffix(PART) + CLIP


def folder_path(root: str, folder: int) -> str:
    """Return the path of the folder with that number."""
    return f"{root}/{INSTANCES}/{folder:06X}"


def folder_number(name: str) -> int | None:
    """Read a folder name; None when it is not one of ours."""
    return int(name, 16) if _FOLDER.match(name) else None


def file_number(name: str, folder: int) -> int | None:
    """Read a file name without ``.part``; None when it is not ours or not of this folder."""
    number = int(name, 16) if _FILE.match(name) else None
    return number if number is not None and number >> FOLDER_BITS == folder else None


def folders(root: str) -> list[int]:
    """List the numbers of all folders, ascending."""
    found = (folder_number(name) for name in os.listdir(f"{root}/{INSTANCES}"))
    return sorted(number for number in found if number is not None)


class Counter:
    """Hands out numbers; thread safe."""

    __slots__ = ("_lock", "_next", "_used")

    def __init__(self, first: int) -> None:
        self._lock = threading.Lock()
        self._next = first
        self._used: frozenset[int] = frozenset()

    def avoid(self, used: frozenset[int]) -> None:
        """Never hand out one of these."""
        self._used = used

    def take(self) -> int:
        """Return the next number, from 1 to 2^32 - 1."""
        with self._lock:
            while self._next in self._used:
                self._next += 1
            number, self._next = self._next, self._next + 1
        if number > LAST_NUMBER:
            raise OverflowError("all 2^32 instance numbers are used up")  # 4,000 years at one per 30 s
        return number
