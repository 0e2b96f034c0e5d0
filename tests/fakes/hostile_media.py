"""Media that mean harm, made of a good File-set: names that lead out, links, devices, damage, disguises."""

from __future__ import annotations

import os
import socket
import warnings
from typing import TYPE_CHECKING

import pydicom

if TYPE_CHECKING:
    from pathlib import Path


def rename_in_directory(folder: Path, file_ids: list[list[str] | str]) -> None:
    """Let the first records of instances name other File IDs."""
    directory = pydicom.dcmread(folder / "DICOMDIR")
    rows = [row for row in directory.DirectoryRecordSequence if "ReferencedFileID" in row]
    with warnings.catch_warnings():  # pydicom knows that these are none
        warnings.simplefilter("ignore")
        for row, file_id in zip(rows, file_ids, strict=False):
            row.add_new(0x00041500, "CS", file_id)
        # in place of the old ones; offsets may lead nowhere, which nobody who follows no offset minds
        directory.save_as(folder / "DICOMDIR")


def files(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / "INST").rglob("*") if path.is_file())


def link(path: Path, target: Path) -> None:
    """Put a link to a file elsewhere in the place of one."""
    path.unlink()
    path.symlink_to(target)


def link_folder(folder: Path, elsewhere: Path) -> None:
    """Put a link in the place of the folder of all instances."""
    (folder / "INST").rename(elsewhere)
    (folder / "INST").symlink_to(elsewhere)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def wire(path: Path) -> None:
    path.unlink()
    with socket.socket(socket.AF_UNIX) as side:
        here = os.getcwd()
        os.chdir(path.parent)
        try:
            side.bind(path.name)
        finally:
            os.chdir(here)


def disguise(path: Path, start: bytes) -> None:
    data = path.read_bytes()
    path.write_bytes(start.ljust(128, b"\0") + data[128:])


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])
