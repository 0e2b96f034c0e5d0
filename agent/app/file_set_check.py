"""Everything that is wrong with a File-set: its directory, every record, every file (PS3.10 8, PS3.3 Annex F).

The directory is followed by its offsets, and every file that it names is opened as a reader of File-sets may: by a
File ID that is one, through no symbolic link. Each is read to its end, its compressed frames are decoded, and it is
compared with its record and those above it. Then every file of the folder is looked for in the directory. The rules
themselves are in ``agent.media.file_set_rules``. Memory: some 200 bytes for each instance, for what may be there once
only, and one frame.
"""

from __future__ import annotations

import os
import stat
from collections import Counter

from agent.app.file_sets import file_of, opened_directory, sets_below
from agent.app.source_file import open_regular, opened
from agent.dataset.pixels import PixelDescription
from agent.dataset.tag import PIXEL_DATA
from agent.errors import DecodeError, FileError, IodError, NotDicomError, OutsideFileSet
from agent.iod.modules import ERROR as SEVERE
from agent.media import file_id as file_ids
from agent.media.dicomdir_reader import DESCRIPTOR
from agent.media.dicomdir_tree import ORPHAN, Tree
from agent.media.file_set_rules import (
    ERROR,
    WARNING,
    Finding,
    check_head,
    check_preamble,
    check_record,
    compare,
    tree_rule,
)
from agent.media.part10 import MAGIC, PREAMBLE_BYTES
from agent.media.records import ABOVE, REFER_ABOVE_BYTES
from agent.spool.names import DIRECTORY_BEFORE, INSTANCES, LEDGER, PART, QUARANTINE
from agent.transcode.frame_check import can_decode, check_frames
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.app.file_sets import Place
    from agent.media.dicomdir_reader import Directory, Record
    from agent.media.file import DicomFile

_HEAD_BYTES: Final = PREAMBLE_BYTES + len(MAGIC)
_NUMBER_OF_FRAMES: Final = 0x00280008
_SOP_CLASS, _SOP_INSTANCE = 0x00080016, 0x00080018
_UIDS: Final = {0: (0x00100020, "Patient ID"), 1: (0x0020000D, "Study Instance UID")}


class Counts(NamedTuple):
    """How much was looked at."""

    records: int = 0
    files: int = 0
    unlisted: int = 0
    undecoded: int = 0  # of the files: no frame was decoded, because nothing here can, or nobody wanted it


class Check:
    """One check of one File-set; ``findings`` may be asked for once, then ``counts`` is complete."""

    def __init__(self, place: Place, watch: Callable[[str, int, int], None], *, frames: bool = True) -> None:
        self._place = place
        self._frames = frames  # whether they are decoded
        self._watch = watch  # what is done, how much, of how much
        self._spool = os.path.exists(os.path.join(place.root, LEDGER))
        self._paths: dict[str, str] = {}  # file -> the record that refers to it
        self._uids: dict[str, str] = {}
        self.counts = Counts()
        self.undecoded: Counter[str] = Counter()  # by transfer syntax

    def findings(self) -> Iterator[Finding]:
        """Everything that is wrong.

        Raises:
            FileError: The folder cannot be read.
        """
        if self._place.directory:
            yield from self._directory()
        else:
            below = sets_below(self._place.root)
            text = f"; File-sets are below it: {', '.join(below)}. Check each of them" if below else ""
            yield Finding(ERROR, "no-directory", self._place.root, f"there is no DICOMDIR{text}")
            if below:
                return
        yield from self._others()

    # --- the directory -------------------------------------------------------------------------------

    def _directory(self) -> Iterator[Finding]:
        path = self._place.directory
        yield from self._name(path, file_ids.DICOMDIR)
        try:
            if stat.S_ISLNK(os.lstat(path).st_mode):
                yield Finding(ERROR, "file-link", file_ids.DICOMDIR, "it is a symbolic link")
                return
            yield from _head(file_ids.DICOMDIR, path)
            with opened_directory(path) as directory:
                for note in directory.notes:
                    yield Finding(ERROR, "meta", file_ids.DICOMDIR, note.text)
                yield from check_head(directory)
                yield from self._descriptor(directory)
                yield from self._tree(Tree(directory))
        except DecodeError as error:
            yield Finding(ERROR, "directory-unreadable", file_ids.DICOMDIR, error.message)
        except OSError as error:
            yield Finding(ERROR, "file-unreadable", file_ids.DICOMDIR, error.strerror or str(error))

    def _descriptor(self, directory: Directory) -> Iterator[Finding]:
        descriptor = directory.root.text(DESCRIPTOR)
        if descriptor and not file_ids.fault_of(descriptor):
            try:
                self._paths[file_of(self._place.root, descriptor)] = "the File-set Descriptor File"
            except FileError as error:
                yield Finding(ERROR, "descriptor", file_ids.DICOMDIR, error.message)

    def _tree(self, tree: Tree) -> Iterator[Finding]:
        if tree.damage is not None:
            yield Finding(ERROR, "directory-cut", file_ids.DICOMDIR, tree.damage.message)
        above: list[Record] = []
        seen: dict[tuple[str, ...], int] = {}
        shared: dict[str, str] = {}
        waiting = None  # a record whose successor shows whether something stands below it
        for done, step in enumerate(tree.walk()):
            record = tree.read(step.number)
            where = _where(step.number, record.kind, record.offset)
            if waiting is not None:
                yield from check_record(waiting[0], waiting[1], lower=step.depth > waiting[2])
            waiting = (where, record, step.depth)
            del above[step.depth :]
            yield from _twice(seen, step.number, above, record, where)
            yield from _shared(shared, above, record, where)
            if record.file_id and not file_ids.fault_of(record.file_id):
                yield from self._instance(where, above[: len(ABOVE)], record)
            above.append(record)
            self.counts = self.counts._replace(records=done + 1)
            self._watch("records", done + 1, len(tree))
        if waiting is not None:
            yield from check_record(waiting[0], waiting[1], lower=False)
        for fault in tree.faults:
            where = file_ids.DICOMDIR
            if fault.number >= 0:
                where = _where(fault.number, tree.kind(fault.number), tree.offset(fault.number))
            yield Finding(ERROR, tree_rule(fault.rule), where, fault.text)
            if fault.rule == ORPHAN:
                self._claim(tree.read(fault.number).file_id, where)

    def _claim(self, file_id: str, where: str) -> None:
        """Remember the file of a record that nobody reaches: it is told already."""
        try:
            self._paths.setdefault(file_of(self._place.root, file_id), where)
        except FileError:
            return

    # --- files ---------------------------------------------------------------------------------------

    def _instance(self, where: str, above: list[Record], record: Record) -> Iterator[Finding]:
        name = record.file_id
        try:
            path = file_of(self._place.root, name)
        except OutsideFileSet as error:
            yield Finding(ERROR, "file-link", where, error.message)
            return
        except FileError as error:
            if self._spool and name.startswith(f"{INSTANCES}\\"):
                uid = record.dataset.text(0x00041511)
                text = f"{name} is not there any more: evicted since, or lost; 'modality-agent receipt {uid}' tells"
                yield Finding(ERROR, "stale", where, text)
            else:
                yield Finding(ERROR, "file-missing", where, error.message)
            return
        if path in self._paths:
            yield Finding(ERROR, "file-twice", where, f"{name}: {self._paths[path]} refers to it, too")
            return
        self._paths[path] = where
        yield from self._name(path, name)
        self.counts = self.counts._replace(files=self.counts.files + 1)
        yield from _head(name, path)
        try:
            with opened(path, lenient=True, refer_above=REFER_ABOVE_BYTES) as file:
                yield from self._read(name, where, above, record, file)
        except NotDicomError:
            return  # told already
        except DecodeError as error:
            yield Finding(ERROR, "file-damaged", name, error.message)
        except FileError as error:
            yield Finding(ERROR, "file-unreadable", name, error.message)

    def _read(self, name: str, where: str, above: list[Record], record: Record, file: DicomFile) -> Iterator[Finding]:
        for note in file.notes:
            yield Finding(ERROR, "meta" if note.offset <= file.data_set_offset else "file-damaged", name, note.text)
        for tag, said, what in (
            (_SOP_CLASS, file.meta.sop_class_uid, "Class"),
            (_SOP_INSTANCE, file.meta.sop_instance_uid, "Instance"),
        ):
            inside = file.dataset.text(tag)
            if inside and said != inside:
                text = f"Media Storage SOP {what} UID is {said}, and its Data Set says {inside}"
                yield Finding(ERROR, "meta", name, text)
        uid = file.meta.sop_instance_uid
        if uid in self._uids:
            yield Finding(ERROR, "instance-twice", name, f"{self._uids[uid]} is instance {uid}, too")
        self._uids.setdefault(uid, name)
        yield from self._pictures(name, file)
        yield from (
            each._replace(where=f"{name}, {where}") for each in compare(name, above, record, file.meta, file.dataset)
        )

    def _pictures(self, name: str, file: DicomFile) -> Iterator[Finding]:
        """Whether every frame can be decoded; pixels that are not compressed are there, and no more of them."""
        value = file.pixel_value
        if value is None or value.fragments is None:
            yield from _native(name, file)
            return
        if not self._frames or not can_decode(file):
            self.counts = self.counts._replace(undecoded=self.counts.undecoded + 1)
            self.undecoded[file.meta.transfer_syntax_uid] += 1
            return

        def watch(done: int, of: int) -> None:
            self._watch(f"frames of {name}", done, of)

        for found in check_frames(file, watch):
            yield Finding(ERROR if found.severity == SEVERE else WARNING, "frame", name, f"Pixel Data {found.text}")

    def _name(self, path: str, file_id: str) -> Iterator[Finding]:
        """Whether the name in the file system is the File ID to the letter."""
        shown = os.path.relpath(path, self._place.root) if file_id != file_ids.DICOMDIR else os.path.basename(path)
        if file_ids.of_path(shown) != file_id:
            yield Finding(WARNING, "file-name", file_id, f"the file is called {shown}")

    def _others(self) -> Iterator[Finding]:
        """Every DICOM file of the folder that no record refers to."""

        def failed(error: OSError) -> None:
            raise FileError.of(str(error.filename), error)

        for folder, below, names in os.walk(self._place.root, onerror=failed):
            relative = os.path.relpath(folder, self._place.root)
            for name in sorted((*below, *names)):
                path = os.path.join(folder, name)
                shown = name if relative == "." else f"{relative}/{name}"
                if os.path.islink(path):
                    yield Finding(ERROR, "file-link", shown, "it is a symbolic link")
                elif name in names and path not in self._paths and path != self._place.directory:
                    yield from self._unlisted(path, shown)
            below.sort()

    def _unlisted(self, path: str, shown: str) -> Iterator[Finding]:
        if self._spool and (shown == DIRECTORY_BEFORE or shown.startswith(f"{QUARANTINE}/") or shown.endswith(PART)):
            return
        try:
            start = _start(path)
        except FileError as error:
            yield Finding(ERROR, "file-unreadable", shown, error.message)
            return
        if start[PREAMBLE_BYTES:_HEAD_BYTES] != MAGIC:
            return  # other files may be there, and nothing refers to them (PS3.10 8)
        self.counts = self.counts._replace(unlisted=self.counts.unlisted + 1)
        self._watch("files", self.counts.unlisted, 0)
        yield from check_preamble(shown, start)
        fault = file_ids.fault_of(file_ids.of_path(shown))
        if fault:
            yield Finding(WARNING, "file-unlistable", shown, f"its name is no File ID: {fault}")
        elif self._spool and shown.startswith(f"{INSTANCES}/"):
            yield Finding(ERROR, "stale", shown, "the DICOMDIR does not list this instance of the spool yet")
        else:
            yield Finding(ERROR, "file-unlisted", shown, "a DICOM file that no record refers to")


def _native(name: str, file: DicomFile) -> Iterator[Finding]:
    """Whether pixels that are not compressed have the length that the Data Set says (PS3.5 8.1.1)."""
    value = file.pixel_value
    if value is None or value.tag != PIXEL_DATA:
        return
    try:
        description = PixelDescription.from_data_set(file.dataset)
        frames = int(file.dataset.text(_NUMBER_OF_FRAMES) or 1)
    except (IodError, ValueError) as error:
        yield Finding(ERROR, "pixel-length", name, f"the frames cannot be found: {error}")
        return
    needed = description.frame_bytes * frames
    if description.bits_allocated == 1:  # frames are not padded
        needed = (description.rows * description.columns * description.samples_per_pixel * frames + 7) // 8
    needed += needed & 1
    if value.length != needed:
        text = f"{value.length} bytes of Pixel Data, not the {needed} of {frames} frame{'s' * (frames != 1)}"
        yield Finding(ERROR, "pixel-length", name, text)


def _where(number: int, kind: str, offset: int) -> str:
    return f"record {number + 1}{f' ({kind})' if kind else ''} at byte {offset}"


def _twice(
    seen: dict[tuple[str, ...], int], number: int, above: list[Record], record: Record, where: str
) -> Iterator[Finding]:
    """A Patient ID that two records have, or a study that two records of one patient have."""
    tag, name = _UIDS.get(len(above), (0, ""))
    if not tag or record.kind != ABOVE[len(above)]:
        return
    said = record.dataset.text(tag)
    first = seen.setdefault((*(one.dataset.text(_UIDS[0][0]) for one in above), said), number)
    if said and first != number:
        yield Finding(ERROR, "record-twice", where, f"{name} {said} is that of record {first + 1}, too")


def _shared(patients: dict[str, str], above: list[Record], record: Record, where: str) -> Iterator[Finding]:
    """A study that is of two patients."""
    if len(above) == 1 and record.kind == ABOVE[1]:
        study, patient = record.dataset.text(_UIDS[1][0]), above[0].dataset.text(_UIDS[0][0])
        first = patients.setdefault(study, patient)
        if study and first != patient:
            text = f"{_UIDS[1][1]} {study} is that of a study of patient {first}, too"
            yield Finding(WARNING, "study-shared", where, text)


def _start(path: str) -> bytes:
    fd = open_regular(path)
    try:
        return os.pread(fd, _HEAD_BYTES, 0)
    except OSError as error:
        raise FileError.of(path, error) from None
    finally:
        os.close(fd)


def _head(name: str, path: str) -> Iterator[Finding]:
    """Preamble and prefix."""
    try:
        start = _start(path)
    except FileError:
        return  # opening it says so
    if start[PREAMBLE_BYTES:] == MAGIC:
        yield from check_preamble(name, start)
    else:
        yield Finding(ERROR, "meta-missing", name, f"no DICM prefix at byte {PREAMBLE_BYTES}")
