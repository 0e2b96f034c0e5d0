"""A finished File-set in a folder of ours, onto what is carried: encrypted files, an archive to mail, a disc image.

The set is made and proven in the folder first (``export``); each carrier proves itself again, from what it has written:
every file in it has the digest that the set's has, and the whole comes back from the medium with the digest that was
written. Only then it gets its name, and an existing file is never replaced.

Raises ``NotSafe`` where the proof fails, ``MediaError`` and ``SpoolFull`` of the medium, ``FileError`` for a program
that is missing or fails.
"""

from __future__ import annotations

import hashlib
import io
import os
from contextlib import contextmanager, suppress
from functools import partial
from itertools import chain

from agent.errors import FileError, LimitError, NotSafe, SpoolError
from agent.exchange import cms, pages, tools
from agent.exchange.beside import at_work, part_of
from agent.exchange.iso9660 import image_of
from agent.exchange.reread import reread
from agent.exchange.writer import DIRECTORY, SetWriter, Written
from agent.media import profile as profiles
from agent.spool.durable import Medium
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from _typeshed import ReadableBuffer

    from agent.exchange.cms import Keys
    from agent.exchange.shelf import Rows
    from agent.exchange.writer import FileSink
    from agent.media.profile import Profile
    from agent.spool.durable import File
    from agent.spool.ops import Ops

_MODE: Final = 0o666  # umask takes from it
_PIECE_BYTES: Final = 1 << 18
# Python's zipfile keeps a KiB of each in memory, twice when it is proven.
ZIP_FILES: Final = 10_000
# In the journal of encrypted media: a directory beside it is that of an attempt that broke off.
_BROKEN: Final = "WRAPPED"
_HINT: Final = "Nothing was left under the name that you gave; make it again, on another medium if need be."


def encrypted(
    files: Rows[Written], source: str, target: str, keys: Keys, ops: Ops | None = None, *, proven: bool = False
) -> Rows[Written]:
    """Every DICOM File of a set as a Secure DICOM File below ``target``; other files go as they are.

    The folder ``source`` takes each wrapped file for a moment. ``proven``: whoever carries it on proves it.
    """
    writer = SetWriter(target, ops, written := files.another())
    broken = next(writer.leftovers(), "")
    if os.path.lexists(f"{target}/{DIRECTORY}") and broken != _BROKEN:
        hint = "Encrypted media are not added to: use an empty one."
        raise FileError(f"{target} holds a File-set already", hint=hint)
    writer.drop(chain([DIRECTORY] if broken else [], writer.leftovers()))
    writer.begin(chain([_BROKEN], (one.path for one in files if one.path != DIRECTORY), [DIRECTORY]))
    for one in files:
        path = f"{source}/{one.path}"
        if one.path == DIRECTORY:
            continue
        if "." in os.path.basename(path):
            if os.path.lexists(f"{target}/{one.path}") and pages.is_ours(f"{target}/{one.path}"):
                writer.drop([one.path])
            writer.put(one.path, partial(_fill, path))
            continue
        with _wrapped(path, source, keys) as wrapped:
            writer.put(one.path, partial(_fill, wrapped))
    writer.settle()
    with _wrapped(f"{source}/{DIRECTORY}", source, keys) as wrapped:
        writer.direct(_chunks(wrapped))
    if not writer.compare() and not proven:
        raise NotSafe(f"{target}: what was read back came from memory, which proves nothing", hint=_HINT)
    writer.end()  # until now all of it may be removed by the next attempt
    return written


@contextmanager
def _wrapped(path: str, folder: str, keys: Keys) -> Iterator[str]:
    """A file as a Secure DICOM File in ``folder``, for a moment."""
    wrapped = f"{folder}/{_BROKEN}"
    try:
        cms.wrap(path, wrapped, keys)
        yield wrapped
    finally:
        if os.path.lexists(wrapped):
            os.unlink(wrapped)


def archive(files: Rows[Written], source: str, target: str, ops: Ops | None = None) -> Written:
    """A ZIP of the set with its folders, the DICOMDIR at its root (PS3.12 V). Raises ``LimitError``."""
    import zipfile

    require_archive(len(files))

    def make(file: File) -> None:
        with zipfile.ZipFile(_Stream(file), "w", zipfile.ZIP_DEFLATED) as archive:
            for one in files:
                archive.write(f"{source}/{one.path}", one.path)

    def prove(path: str) -> None:
        with zipfile.ZipFile(path) as archive:
            if sorted(archive.namelist()) != sorted(one.path for one in files):
                raise NotSafe(f"{path} does not hold the files of the set", hint=_HINT)
            for one in files:
                with archive.open(one.path) as file:
                    _require(path, one, partial(file.read, _PIECE_BYTES))

    return _named(target, make, prove, ops)


def require_archive(count: int) -> None:
    """Refuse a ZIP of more files than its directory in memory may have. Raises ``LimitError``."""
    if count > ZIP_FILES:
        raise LimitError(
            f"a ZIP of {count} files is more than one of {ZIP_FILES}",
            hint="Nobody mails that: '--study' takes less, '--volume-size' makes several, a folder takes all.",
        )


def image(
    files: Rows[Written], source: str, target: str, label: str, profile: Profile, ops: Ops | None = None
) -> Written:
    """An ISO 9660 image of level 1, for DVD and BD with UDF beside it (PS3.12 F, P, X)."""
    udf = profile.medium in (profiles.DVD, profiles.BD)
    words = _image_words(label, source, udf=udf)

    def make(file: File) -> None:
        tools.run((*words[:-1], "-o", file.path, words[-1]), os.path.basename(words[0]))

    def prove(path: str) -> None:
        with open(path, "rb", buffering=0) as file:
            fd = file.fileno()
            found = image_of(lambda length, offset: os.pread(fd, length, offset), os.fstat(fd).st_size)
            proven = files.another()
            for place in found.files:
                one = files.find(place.path)
                if one is None or place.path in proven:
                    raise NotSafe(f"{path} holds {place.path}, which is not of the set, or twice", hint=_HINT)
                _require(path, one, _pieces(fd, place.offset, place.size))
                proven.append(one)
            if found.label != label or len(proven) != len(files):
                raise NotSafe(f"{path} does not hold the files of the set", hint=_HINT)

    return _named(target, make, prove, ops, grows=True)


def image_program(profile: Profile) -> str:
    """The program that makes images for a profile; raises ``FileError`` with how to install it."""
    if profile.medium in (profiles.DVD, profiles.BD):
        return tools.found("genisoimage", "mkisofs")  # xorriso makes no UDF
    return tools.found("xorriso", "genisoimage", "mkisofs")


def _image_words(label: str, source: str, *, udf: bool) -> tuple[str, ...]:
    """The command; names of level 1 (8.3, capitals), nothing beside ISO 9660 but UDF."""
    common = ("-iso-level", "1", "-V", label, "-quiet")
    if udf:
        return (tools.found("genisoimage", "mkisofs"), *common, "-udf", source)
    program = tools.found("xorriso", "genisoimage", "mkisofs")
    if program.endswith("xorriso"):
        return (program, "-no_rc", "-rockridge", "off", "-as", "mkisofs", *common, source)
    return (program, *common, source)


def _named(
    target: str, make: Callable[[File], None], prove: Callable[[str], None], ops: Ops | None, *, grows: bool = False
) -> Written:
    """Make a file beside its name, prove it, name it; ``grows``: another program writes it."""
    whole = os.path.abspath(target)
    if os.path.lexists(whole):
        raise FileError(f"{target} already exists", hint="Choose another name, or remove it first.")
    medium = Medium(os.path.dirname(whole), ops)
    part = part_of(whole)
    file = medium.create(part, _MODE)
    try:
        with at_work(part):
            make(file)
            if grows:
                file.close()
                medium.sync_file(part)
            else:
                file.finish()
            prove(part)
            size, digest = _digest(part)
            found = reread(part, medium.ops)
            if (found.size, found.sha256) != (size, digest):
                raise NotSafe(f"{target} does not come back from the medium as it was written", hint=_HINT)
            if not found.uncached:
                raise NotSafe(f"{target}: what was read back came from memory, which proves nothing", hint=_HINT)
            medium.publish(part, whole)  # until it has its name, somebody else's export may take it for a leftover
    except BaseException:
        file.close()
        with suppress(SpoolError):  # a medium in trouble: the first error is the one to be told
            medium.remove(part if os.path.lexists(part) else whole, sync=False)
        raise
    return Written(target, size, digest)


def _require(path: str, one: Written, read: Callable[[], bytes]) -> None:
    digest, size = hashlib.sha256(), 0
    while data := read():
        digest.update(data)
        size += len(data)
    if (size, digest.hexdigest()) != (one.size, one.sha256):
        raise NotSafe(f"{one.path} in {path} is not what was put into it", hint=_HINT)


def _pieces(fd: int, offset: int, size: int) -> Callable[[], bytes]:
    at, end = offset, offset + size

    def read() -> bytes:
        nonlocal at
        data = os.pread(fd, min(_PIECE_BYTES, end - at), at)
        at += len(data)
        return data

    return read


def _digest(path: str) -> tuple[int, str]:
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:
        while data := file.read(_PIECE_BYTES):
            digest.update(data)
        return file.tell(), digest.hexdigest()


def _fill(path: str, sink: FileSink) -> None:
    """Copy a file into one of a set."""
    for data in _chunks(path):
        sink.write(data)


def _chunks(path: str) -> Iterator[bytes]:
    with open(path, "rb", buffering=0) as file:
        while data := file.read(_PIECE_BYTES):
            yield data


class _Stream(io.RawIOBase):
    """A ``File`` as the stream that zipfile wants."""

    def __init__(self, file: File) -> None:
        super().__init__()
        self._file = file
        self._at = 0

    def writable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is, too."""
        return True

    def write(self, data: ReadableBuffer) -> int:
        """Write at the place."""
        done = self._file.write_at(self._at, data)
        self._at += done
        return done

    def tell(self) -> int:
        """The place."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Another place."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._file.size}[whence]
        self._at = base + offset
        return self._at
