"""One file of a drop folder: whole or not, and what is in it.

A file is believed when its format says that it is all there: PNG by its checksums and its end (png.py), PGM, PPM and
BMP by the length that their header asks for, raw samples by their exact size, a DICOM File by a Data Set that leads to
its last byte with the Pixel Data that it describes. Everything else is refused with the reason; nothing is guessed, and
no half of a picture is ever taken.

What was looked at is one open descriptor. ``Stamp``s before and behind the reading say whether somebody has written to
it meanwhile; then what was read is forgotten.

Raises ``DeviceError`` for what is no picture or not whole, ``DecodeError`` for what is no whole DICOM File.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import signal
import stat

from agent.acquire.lookalike import HEAD_BYTES, recognised
from agent.acquire.pictures import check_geometry, check_samples, describe, is_png, is_pnm, pnm_frames, read_exactly
from agent.dataset.pixels import PixelDescription
from agent.errors import DecodeError, DeviceError
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from agent.acquire.pictures import Frames
    from agent.config.source import RawLayout
    from agent.dataset.dataset import DataSet

MIB: Final = 1 << 20
_STEP_BYTES: Final = 1 << 18
_PART10: Final = b"DICM"
_PART10_OFFSET: Final = 128
_HINT: Final = "It is looked at again as soon as it changes; what is rejected at last is kept, with the reason."


class Stamp(NamedTuple):
    """What tells one content of a file from another without reading it."""

    device: int
    inode: int
    size: int  # bytes
    mtime_ns: int


def stamp_of(found: os.stat_result) -> Stamp:
    """Take it of a status."""
    return Stamp(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


class Limits(NamedTuple):
    """What a file of the folder may be."""

    picture_bytes: int
    file_bytes: int
    raw: RawLayout | None


class Picture(NamedTuple):
    """A picture that is whole."""

    description: PixelDescription
    data: bytes  # samples as Pixel Data have them
    sha256: bytes  # of the file


class Instance(NamedTuple):
    """A DICOM File that is whole."""

    sop_instance_uid: str
    dataset: DataSet  # without the pixels
    frames: int


def kind_of(mode: int) -> str:
    """Say what something is that is no plain file, with its article; empty for a plain file."""
    names = {
        stat.S_IFDIR: "a folder", stat.S_IFLNK: "a link", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket",
        stat.S_IFBLK: "a device", stat.S_IFCHR: "a device",
    }  # fmt: skip
    return "" if stat.S_ISREG(mode) else names.get(stat.S_IFMT(mode), "no file")


def is_written(fd: int) -> bool:
    """Whether some program has the file open for writing, as far as the kernel tells: only of our own files.

    A lease is refused where somebody writes (fcntl(2)). Who begins to while we hold it is told with a signal that
    nobody hears, and waits for some microseconds.
    """
    try:
        fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except BlockingIOError:
        return True
    except OSError:  # a file of somebody else, or a file system that has no leases
        return False
    fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def look(fd: int, name: str, limits: Limits) -> Picture | Instance:
    """Read an open file of the folder; see the module."""
    size = os.fstat(fd).st_size
    if not size:
        raise DeviceError(f"{name}: is empty", hint=_HINT)
    if size > limits.file_bytes:
        raise DeviceError(f"{name}: {size} bytes are more than max_file_mib = {limits.file_bytes // MIB}", hint=_HINT)
    head = os.pread(fd, HEAD_BYTES, 0)
    if limits.raw is None and head[_PART10_OFFSET : _PART10_OFFSET + len(_PART10)] == _PART10:
        return _instance(fd, name, size)
    frames = _raw(fd, name, limits.raw, head) if limits.raw is not None else _picture(fd, name, head)
    d = frames.description
    if d.frame_bytes > limits.picture_bytes:
        raise DeviceError(
            f"{name}: {d.rows} x {d.columns} pixels, {d.frame_bytes} bytes, are more than max_mib = "
            f"{limits.picture_bytes // MIB}", hint=_HINT,
        )  # fmt: skip
    if frames.total != 1:
        raise DeviceError(f"{name}: holds {frames.total} pictures; each belongs into a file of its own", hint=_HINT)
    data = frames.read(0)
    if d.bits_stored < d.bits_allocated:
        check_samples(data, d, name)
    return Picture(d, data, _digest(fd, size, name))


def _picture(fd: int, name: str, head: bytes) -> Frames:
    if is_png(head):
        from agent.acquire import png

        other = png.other_kind(fd, name)
        if other:
            raise DeviceError(f"{name}: {other} is not taken: its samples could not be stored exactly", hint=_HINT)
        return png.plain_frames(fd, name)
    if is_pnm(head):
        return pnm_frames(fd, name)
    if head.startswith(b"BM"):
        from agent.acquire.bmp import bmp_frames  # few vendors do

        return bmp_frames(fd, name)
    what = recognised(head, os.fstat(fd).st_size)
    text = f"is {what}, which is not taken" if what else "is neither PNG, PGM, PPM, BMP nor a DICOM File (yet)"
    raise DeviceError(f"{name}: {text}", hint=_HINT)


def _raw(fd: int, name: str, raw: RawLayout, head: bytes) -> Frames:
    from agent.acquire.pictures import Frames

    size = os.fstat(fd).st_size
    if what := recognised(head, size):
        raise DeviceError(f"{name}: is {what}, and raw = ... says that there are raw samples here", hint=_HINT)
    d = describe(raw.rows, raw.columns, raw.samples, raw.bits, 16 if raw.bits > 8 else 8)
    check_geometry(d, name)
    if size != d.frame_bytes:
        raise DeviceError(f"{name}: {size} bytes, a frame has exactly {d.frame_bytes}", hint=_HINT)
    return Frames(d, 1, None, lambda _index: read_exactly(fd, d.frame_bytes, 0, name))


def _digest(fd: int, size: int, name: str) -> bytes:
    digest, at = hashlib.sha256(), 0
    while at < size:
        piece = os.pread(fd, min(_STEP_BYTES, size - at), at)
        if not piece:
            raise DeviceError(f"{name}: is cut short at byte {at} while it is read", hint=_HINT)
        digest.update(piece)
        at += len(piece)
    return digest.digest()


def _instance(fd: int, name: str, size: int) -> Instance:
    from agent.media.file import open_file
    from agent.media.reader import instance_of

    try:
        file = open_file(lambda length, offset: os.pread(fd, length, offset), size, refer_above=_STEP_BYTES)
        found = instance_of(file)
    except DecodeError as error:
        raise DecodeError(f"{name}: {error.message}", hint=error.hint) from None
    return Instance(file.meta.sop_instance_uid, file.dataset, found.number_of_frames)
