"""Replay: real frames from files, delivered by the C core as if a device made them.

A path may be one file (PNG, PGM, PPM, raw with a sidecar, DICOM) or a folder of such files with frames of one geometry,
taken in natural order of their names (``f2`` before ``f10``). What a file is, its first bytes say, not its name.

Frames that lie in a file as the C core wants them are read from there; everything else is unpacked frame by frame into
an unlinked file in TMPDIR (else /tmp), which must have room for all native frames; where that folder is a tmpfs, the
room is memory. A Deflated DICOM file is inflated in memory. Samples that have fewer bits than their container are all
looked at before the first one is delivered: none may need more bits than are stored.

DICOM files may be native or RLE Lossless; other compressed transfer syntaxes are refused by name, and so is what was
ever compressed lossily, because that history would be lost (promise P10). Raises `DeviceError` or `ConfigError`,
naming the file and the reason.
"""

from __future__ import annotations

import functools
import itertools
import os

from agent.acquire.lookalike import HEAD_BYTES, recognised
from agent.acquire.pictures import (
    Frames,
    check_geometry,
    check_samples,
    is_png,
    is_pnm,
    png_frames,
    pnm_frames,
    swapped,
)
from agent.acquire.raw_samples import raw_frames, sidecar_of
from agent.errors import AgentError, DeviceError
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.dataset.pixels import PixelDescription
    from agent.media.reader import Instance, Pixels

_LOSSY = ("LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod")
_HEAD_BYTES = 132  # up to the DICM prefix (PS3.10 7.1)
_FILE_HINT = "Get the file again from where it was made, or give another one to replay."
_PATH_HINT = "Check the path and its permissions."
_SUFFIXES = (".png", ".pgm", ".ppm", ".pnm", ".raw", ".dcm")  # what counts in a folder; other files may lie there too


class Replay(NamedTuple):
    """Frames ready for the C core: ``total`` of ``description.frame_bytes`` from ``offset`` on in ``fd``."""

    fd: int
    """To be closed by the caller."""
    offset: int
    description: PixelDescription
    total: int


def open_frames(path: str, limit: int | None = None) -> Replay:
    """Find the frames of a file or folder; of those that must be unpacked or looked at the first ``limit`` only."""
    try:
        if os.path.isdir(path):
            return _unpacked(path, itertools.islice(_folder(path), limit))
        fd = _open(path)
        try:
            frames = _look(fd, path)
            if frames.offset is None:
                return _unpacked(path, ((frames, i) for i in range(frames.total)[:limit]))
            if _has_spare_bits(frames):
                for index in range(frames.total)[:limit]:
                    frames.read(index)
            return Replay(os.dup(fd), frames.offset, frames.description, frames.total)
        finally:
            os.close(fd)
    except OSError as error:
        raise DeviceError(f"{error.filename or path}: {error.strerror or error}", hint=_PATH_HINT) from error
    except DeviceError as error:
        if error.hint == DeviceError.hint:  # no cable leads to a file
            error.hint = _FILE_HINT
        raise


def _open(path: str) -> int:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe must not hang the agent
    import stat

    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise DeviceError(f"{path}: not a regular file", hint=_PATH_HINT)
    return fd


def _has_spare_bits(frames: Frames) -> bool:
    return frames.description.bits_stored < frames.description.bits_allocated


def _look(fd: int, path: str) -> Frames:
    """Find out what a file is; its frames are checked as they are read."""
    frames = _recognised(fd, path)
    if not _has_spare_bits(frames):
        return frames

    def read(index: int) -> bytes:
        data = frames.read(index)
        check_samples(data, frames.description, f"{path}: frame {index + 1}")
        return data

    return frames._replace(read=read)


def _recognised(fd: int, path: str) -> Frames:
    head = os.pread(fd, _HEAD_BYTES, 0)
    if not head:
        raise DeviceError(f"{path}: the file is empty")
    if is_png(head):
        return png_frames(fd, path)
    if head[128:] == b"DICM":
        return _dicom_frames(fd, path)
    sidecar = sidecar_of(path)
    if sidecar is not None:
        return raw_frames(fd, path, sidecar)
    if is_pnm(head):
        return pnm_frames(fd, path)
    name = recognised(os.pread(fd, HEAD_BYTES, 0), os.fstat(fd).st_size)
    if name == "a DICOM file":
        name = "a Data Set without the head of a file"
    raise DeviceError(
        f"{path}: is {name}, which is not replayed" if name else f"{path}: is nothing that is replayed",
        hint="Use PNG, PGM, PPM, native or RLE DICOM, or raw samples beside a sidecar named FILE.toml.",
    )


# --- folders ---------------------------------------------------------------------------------


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Sort key in which numbers count as numbers; the name itself decides the rest."""
    key: list[tuple[int, int, str]] = []
    at = 0
    while at < len(name):
        end = at + 1
        digits = name[at].isdecimal()
        while end < len(name) and name[end].isdecimal() == digits:
            end += 1
        key.append((0, int(name[at:end]), "") if digits else (1, 0, name[at:end].lower()))
        at = end
    return [*key, (2, 0, name)]


def _folder(path: str) -> Iterator[tuple[Frames, int]]:
    names = [n for n in os.listdir(path) if n.lower().endswith(_SUFFIXES) and not n.startswith(".")]
    if not names:
        named = " ".join("*" + suffix for suffix in _SUFFIXES)
        raise DeviceError(
            f"{path}: no frames in this folder (files named {named})", hint="Put them there, or name a file."
        )
    for name in sorted(names, key=_natural):
        file = os.path.join(path, name)
        fd = _open(file)
        try:
            frames = _look(fd, file)
            for index in range(frames.total):
                yield frames, index
        finally:
            os.close(fd)


# --- unpacking -------------------------------------------------------------------------------


def _unpacked(path: str, frames: Iterator[tuple[Frames, int]]) -> Replay:
    """Write the frames one behind the other into an unlinked file."""
    import tempfile

    description: PixelDescription | None = None
    count = 0
    with tempfile.TemporaryFile(prefix="replay-") as file:
        for source, index in frames:
            if description is None:
                description = source.description
            elif source.description != description:
                raise DeviceError(
                    f"{path}: frame {count + 1} is {_words(source.description)}, the first is {_words(description)}"
                )
            data = source.read(index)
            try:
                _write(file.fileno(), data)
            except OSError as error:
                folder = tempfile.gettempdir()
                raise DeviceError(
                    f"{path}: unpacking frame {count + 1} into {folder}: {error.strerror}",
                    hint="Make room there, or set TMPDIR to a folder that has room for the native frames.",
                ) from error
            count += 1
        if description is None:
            raise DeviceError(f"{path}: no frames")
        return Replay(os.dup(file.fileno()), 0, description, count)


def _write(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _words(d: PixelDescription) -> str:
    return f"{d.rows} x {d.columns} {d.photometric_interpretation} of {d.bits_stored} bits"


# --- DICOM -----------------------------------------------------------------------------------


def _dicom_frames(fd: int, path: str) -> Frames:
    from agent.dataset.uid import EXPLICIT_VR_BE, RLE_LOSSLESS, is_encapsulated, uid_name
    from agent.media.reader import open_instance

    def pread(length: int, offset: int) -> bytes:
        return os.pread(fd, length, offset)

    try:
        instance = open_instance(pread, os.fstat(fd).st_size)
    except AgentError as error:
        raise DeviceError(f"{path}: {error.message}", hint=error.hint) from error
    syntax = instance.meta.transfer_syntax_uid
    if instance.pixels is None:
        raise DeviceError(f"{path}: this instance has no Pixel Data")
    if is_encapsulated(syntax) and syntax != RLE_LOSSLESS:
        raise DeviceError(
            f"{path}: frames compressed as {uid_name(syntax)} ({syntax}) are not replayed",
            hint="Only native and RLE Lossless files are replayed; send compressed files as they are with 'send'.",
        )
    _refuse_lossy(instance, path)
    description = instance.pixels.description
    check_geometry(description, path)
    _refuse_more(instance.pixels, path)
    big = syntax == EXPLICIT_VR_BE
    if big and description.bits_allocated == 8:
        raise DeviceError(f"{path}: 8-bit samples in Explicit VR Big Endian are ambiguous and not replayed")
    read = functools.partial(_dicom_frame, instance, path, rle=syntax == RLE_LOSSLESS, big=big)
    ready = syntax != RLE_LOSSLESS and not big and instance.pixels.length >= 0 and instance.pixels.offset > 0
    return Frames(description, instance.number_of_frames, instance.pixels.offset if ready else None, read)


def _refuse_lossy(instance: Instance, path: str) -> None:
    """Each of the three attributes alone tells the history (PS3.3 C.7.6.1.1.5)."""
    for keyword in _LOSSY:
        if instance.dataset.get(keyword) not in (None, "", "00", []):
            raise DeviceError(f"{path}: was compressed lossily once ({keyword}), which new instances would not tell")


def _refuse_more(pixels: Pixels, path: str) -> None:
    """Refuse frames that Number of Frames does not count; one byte makes an odd length even (PS3.5 8.1.1)."""
    size, count = pixels.description.frame_bytes, pixels.number_of_frames
    if pixels.length > size * count + 1:
        raise DeviceError(f"{path}: {pixels.length} bytes of Pixel Data are more than {count} frames of {size}")


def _dicom_frame(instance: Instance, path: str, index: int, *, rle: bool, big: bool) -> bytes:
    if rle and len(instance.frame_extents(index)) != 1:
        raise DeviceError(f"{path}: frame {index + 1}: several fragments, an RLE frame has one (PS3.5 A.4.2)")
    try:
        data = instance.read_frame(index)
        if rle:
            from agent.native.compress import RLE_LOSSLESS, decode

            assert instance.pixels is not None
            data = bytes(decode(data, RLE_LOSSLESS, instance.pixels.description))
    except AgentError as error:
        raise DeviceError(f"{path}: frame {index + 1}: {error.message}", hint=error.hint) from error
    return swapped(data) if big else data
