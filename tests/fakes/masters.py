"""Instances with pixels of every kind in every syntax that the spool may hold, and what a peer got of them."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pydicom
from fakes import instances

from agent.acquire.identity import new_uid
from agent.app.transcoding import transcode
from agent.dataset import uid
from agent.dataset.encode import encode
from agent.media.part10 import FileMeta, encode_prefix

if TYPE_CHECKING:
    from pathlib import Path

    from agent.dataset.pixels import PixelDescription


def picture(description: PixelDescription, seed: int) -> bytes:
    """A slope with a little noise, so that codecs have something to gain."""
    noise = random.Random(seed)
    top, width = 1 << description.bits_stored, description.bits_allocated // 8
    samples = bytearray()
    for row in range(description.rows):
        for column in range(description.columns):
            for _sample in range(description.samples_per_pixel):
                value = (row * 3 + column * 2 + noise.randrange(4)) % top
                samples += value.to_bytes(width, "little")
    return bytes(samples)


def write(folder: Path, kind: str, syntax: str, *, rows: int = 12, columns: int = 16, seed: int = 0) -> Path:
    """Write a new instance of a kind of ``fakes.instances``, with as many frames as that has, in ``syntax``."""
    description = instances.DESCRIPTIONS[kind]._replace(rows=rows, columns=columns)
    sop_instance_uid = new_uid()
    dataset = instances.make(kind, description=description, sop_instance_uid=sop_instance_uid)
    count = dataset.get("NumberOfFrames", 1)
    assert isinstance(count, int)
    pictures = [picture(description, seed + number) for number in range(count)]
    whole = instances.with_pixels(dataset, pictures, uid.EXPLICIT_VR_LE)
    path = folder / f"{sop_instance_uid}.dcm"
    meta = FileMeta(dataset.text("SOPClassUID"), sop_instance_uid, uid.EXPLICIT_VR_LE)
    path.write_bytes(encode_prefix(meta) + encode(whole, uid.EXPLICIT_VR_LE))
    if syntax == uid.EXPLICIT_VR_LE:
        return path
    target = folder / f"{sop_instance_uid}.{syntax}.dcm"
    transcode(str(path), str(target), syntax)
    return target


def pixels(path: Path) -> tuple[str, str, bytes]:
    """SOP Instance UID, transfer syntax and native samples of a file, as pydicom reads them."""
    found = pydicom.dcmread(path)
    return str(found.SOPInstanceUID), str(found.file_meta.TransferSyntaxUID), found.pixel_array.tobytes()


def call_it(path: Path, syntax: str) -> None:
    """Give a file another transfer syntax than it has: one native value becomes one fragment."""
    found = pydicom.dcmread(path)
    found.file_meta.TransferSyntaxUID = pydicom.uid.UID(syntax)
    found.PixelData = pydicom.encaps.encapsulate([found.PixelData] * int(found.NumberOfFrames))
    found["PixelData"].is_undefined_length = True
    found["PixelData"].VR = "OB"
    found.save_as(path, enforce_file_format=True)


def spoil_last_frame(path: Path) -> None:
    """Cut the end of image off the last frame; every length in the file stays true."""
    data = bytearray(path.read_bytes())
    at = data.rindex(b"\xff\xd9")
    data[at - 40 : at + 2] = bytes(42)
    path.write_bytes(data)
