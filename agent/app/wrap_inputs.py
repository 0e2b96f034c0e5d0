"""The files that ``wrap`` is given: what each of them is, told by its first bytes, and the frames in it.

Pictures that are compressed in a way DICOM carries (JPEG, JPEG-LS) stay as they are, byte for byte; all others become
native samples, one frame in memory at a time. Nothing is scaled, rotated or mixed with a background: what an instance
cannot say exactly is refused with the reason. Raises ``InputError`` for what is in a file, ``FileError`` for the file.
"""

from __future__ import annotations

import os
from functools import partial

from agent.acquire import pictures
from agent.acquire.lookalike import HEAD_BYTES, recognised
from agent.app.source_file import open_regular
from agent.app.wrap_raw import BITS_HINT, require
from agent.errors import DecodeError, DeviceError, FileError, InputError, UsageError
from agent.media import codestream
from agent.media.codestream import Stream
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.app.wrap_raw import Raw
    from agent.dataset.pixels import PixelDescription
    from agent.typed import TypeVar

    T = TypeVar("T")

MAX_STREAM_BYTES: Final = 256 << 20  # of one compressed picture, which is held in memory
UPRIGHT: Final = 1
_SAVE_AS: Final = "Was another file meant? A picture can be saved as PNG, JPEG or PGM, a document as PDF."

_BOMS: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


class Picture(NamedTuple):
    """One picture file; ``stream`` is there when it stays compressed as it is."""

    path: str
    description: PixelDescription
    frames: int
    size: int
    stream: Stream | None = None


def content_of(path: str, *, raw: bool) -> str:
    """What a file is: ``picture``, ``pdf``, ``cda`` or ``dose``."""
    if raw:
        return "picture"
    head = read_bytes(path, HEAD_BYTES, whole=False)
    if codestream.is_jpeg(head) or pictures.is_png(head) or pictures.is_pnm(head):
        return "picture"
    if head.startswith(b"%PDF-"):
        return "pdf"
    text = head
    for mark in _BOMS:
        text = text.removeprefix(mark)
    start = text.replace(b"\0", b"").lstrip()[:1]
    if start in (b"<", b"{"):
        return "cda" if start == b"<" else "dose"
    if not head:
        raise InputError(f"{path} is empty", hint="Was it copied to its end?")
    name = recognised(head, os.stat(path).st_size)
    if name == "a DICOM file":
        raise InputError(f"{path} is a DICOM file already", hint="'modality-agent transcode' changes its encoding.")
    if name is not None:
        raise InputError(f"{path} is {name}, which cannot be wrapped", hint=_SAVE_AS)
    raise InputError(
        f"{path} is nothing that wrap knows: no PNG, JPEG, JPEG-LS, PGM, PPM, PDF, CDA or exposure events",
        hint="Raw samples need --rows and --columns.",
    )


def read_bytes(path: str, limit: int, *, whole: bool = True) -> bytes:
    """The first ``limit`` bytes of a regular file; with ``whole`` it must not be longer."""
    try:
        with open(open_regular(path), "rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from None
    if whole and len(data) > limit:
        raise InputError(f"{path} is larger than {limit} bytes")
    return data[:limit]


def look(path: str, raw: Raw | None, *, ignore_orientation: bool) -> Picture:
    """Read what a picture file says about itself."""
    if raw is not None:
        return _look_raw(path, raw)
    head = read_bytes(path, HEAD_BYTES, whole=False)
    if codestream.is_jpeg(head):
        return _look_jpeg(path, ignore_orientation=ignore_orientation)
    with _opened(path) as opened:
        found = opened.frames()
        return Picture(path, found.description, found.total, opened.size)


def frames_of(picture: Picture, raw: Raw | None) -> Iterator[bytes]:
    """The frames of a picture file, native or as they are, one at a time."""
    if picture.stream is not None:
        yield read_bytes(picture.path, MAX_STREAM_BYTES)
        return
    with _opened(picture.path) as opened:
        if raw is None:
            found = opened.frames()
            for index in range(picture.frames):
                yield opened.guarded(partial(found.read, index))
            return
        size = picture.description.frame_bytes
        for index in range(picture.frames):
            at = raw.offset + index * size
            data = opened.guarded(partial(pictures.read_exactly, opened.fd, size, at, picture.path))
            opened.guarded(partial(pictures.check_samples, data, picture.description, picture.path), BITS_HINT)
            yield data


def same_kind(found: list[Picture]) -> None:
    """Refuse pictures that cannot be frames of one instance."""
    first = found[0]
    for other in found[1:]:
        if other.description != first.description:
            raise UsageError(
                f"{other.path} and {first.path} differ in size or kind of samples",
                hint="The frames of one instance are all alike; wrap the others on their own.",
            )
        mine, its = first.stream, other.stream
        if (mine and mine.transfer_syntax_uid) != (its and its.transfer_syntax_uid):
            raise UsageError(f"{other.path} and {first.path} are compressed in different ways")


def _look_raw(path: str, raw: Raw) -> Picture:
    with _opened(path) as opened:
        require(path, os.pread(opened.fd, HEAD_BYTES, 0), opened.size, raw)
        return Picture(path, raw.description, raw.frames, opened.size)


def _look_jpeg(path: str, *, ignore_orientation: bool) -> Picture:
    data = read_bytes(path, MAX_STREAM_BYTES)
    try:
        stream = codestream.read_jpeg(data)
    except DecodeError as error:
        hint = None if error.hint == DecodeError.hint else error.hint
        raise InputError(f"{path}: {error.message}", hint=hint) from None
    if stream.orientation != UPRIGHT and not ignore_orientation:
        raise InputError(
            f"{path}: Exif says it is to be turned (orientation {stream.orientation}), and DICOM cannot say so",
            hint="Turn it without loss first, or give --ignore-orientation to carry it as it lies.",
        )
    return Picture(path, stream.description, 1, len(data), stream)


class _opened:  # noqa: N801  a context manager, used like a function
    """A picture file open for reading; its readers' errors become errors of the input."""

    __slots__ = ("_path", "fd", "size")

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> _opened:
        self.fd = open_regular(self._path)
        self.size = os.fstat(self.fd).st_size
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)

    def frames(self) -> pictures.Frames:
        """What the reader of this kind of picture finds."""
        head = os.pread(self.fd, HEAD_BYTES, 0)
        if pictures.is_png(head):
            return self.guarded(lambda: pictures.png_frames(self.fd, self._path))
        if pictures.is_pnm(head):
            return self.guarded(lambda: pictures.pnm_frames(self.fd, self._path))
        raise InputError(f"{self._path} is no picture, and the first file is one", hint="Wrap it on its own.")

    def guarded(self, read: Callable[[], T], hint: str | None = None) -> T:
        """Run a reader."""
        try:
            return read()
        except DeviceError as error:
            raise InputError(error.message, hint=hint if error.hint == DeviceError.hint else error.hint) from None
