"""Targets of PS3.10 and of encapsulated Pixel Data: files are bytes behind a ``pread`` that counts.

``prefix`` and ``file`` take the bytes of a file as they are. ``fragments``: the first byte is the number of frames.
"""

from __future__ import annotations

import json
import zlib

from agent.app.checking import _findings
from agent.dataset.dataset import DataSet
from agent.dataset.decode import Limits
from agent.dataset.encapsulate import FrameIndex
from agent.dataset.tag import is_group_length
from agent.dataset.uid import DEFLATED_EXPLICIT_VR_LE, EXPLICIT_VR_BE, EXPLICIT_VR_LE, IMPLICIT_VR_LE, RLE_LOSSLESS, SC
from agent.errors import DecodeError, EncodeError
from agent.media.dicomdir import FileSet, build
from agent.media.dicomdir_reader import open_directory
from agent.media.dicomdir_tree import ORPHAN, Tree
from agent.media.file import PIXEL_TAGS, DicomFile, open_file
from agent.media.file_set_rules import check_head, check_record, compare
from agent.media.json_model import to_json
from agent.media.lenient import read_prefix
from agent.media.part10 import FileMeta, decode_prefix, encode_prefix
from agent.media.reader import instance_of
from agent.media.records import entry_of
from agent.media.rewrite import Plan, rewrite
from agent.transcode.part_writer import swapped

LIMITS = Limits(total_bytes=1 << 18, value_bytes=1 << 16, text_bytes=1 << 14, elements=400, fragments=64)
ROOMY = Limits(total_bytes=1 << 20, value_bytes=1 << 19, text_bytes=1 << 19, elements=1000)
SYNTAXES = (None, EXPLICIT_VR_LE, IMPLICIT_VR_LE, DEFLATED_EXPLICIT_VR_LE, RLE_LOSSLESS, EXPLICIT_VR_BE, None, None)
REFER_ABOVE_BYTES = 64  # UIDs are always held: the File Meta Information says them too
FRAMES_READ = 4
# Calls and bytes that reading a file may cost, beside those that its size explains: no loop goes in circles.
CALLS_FREE, BYTES_FREE = 64, 1 << 20


class Disk:
    """A file as ``pread(length, offset)`` that knows what was asked of it."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.calls = self.bytes = 0

    def __call__(self, length: int, offset: int) -> bytes:
        assert length >= 0, length
        assert offset >= 0, offset
        piece = self.data[offset : offset + length]
        self.calls += 1
        self.bytes += len(piece)
        assert self.calls <= CALLS_FREE + len(self.data), "too many reads"
        assert self.bytes <= BYTES_FREE + 64 * len(self.data), "too much is read"
        return piece


def run_prefix(data: bytes) -> None:
    """DecodeError or a prefix, strict and lenient; what was read survives being written."""
    try:
        meta, _ = decode_prefix(data)
    except DecodeError:
        meta = None
    try:
        found = read_prefix(Disk(data), len(data))
    except DecodeError:
        return
    assert all(str(note) for note in found.notes)
    if meta is None:
        return
    try:
        again, _ = decode_prefix(encode_prefix(meta))
    except EncodeError:
        return
    assert again == meta


def run_directory(data: bytes) -> None:
    """DecodeError or records, each met once at most; what the root does not lead to is told, each can be judged."""

    def pread(length: int, offset: int) -> bytes:
        assert min(length, offset) >= 0, (length, offset)
        return data[offset : offset + length]

    try:
        directory = open_directory(pread, len(data))
    except DecodeError:
        return
    assert all(str(finding) for finding in check_head(directory))
    tree = Tree(directory)
    assert len(tree) <= len(data) // 8
    met = [step.number for step in tree.walk()]
    assert len(set(met)) == len(met)
    orphans = [fault.number for fault in tree.faults if fault.rule == ORPHAN]
    assert sorted([*met, *orphans]) == list(range(len(tree)))
    assert len(tree.faults) <= 3 * len(tree) + 3
    for number in met:
        record = tree.read(number)
        assert record.offset == tree.offset(number)
        assert all(str(finding) for finding in check_record("", record, lower=False))
        assert all(str(finding) for finding in compare("", (), record, directory.meta, record.dataset))
        _listed(record.dataset)


def _listed(dataset: DataSet) -> None:
    """What a Data Set is listed as can be written, and says nothing that the reader does not take."""
    meta = FileMeta(SC, dataset.text("ReferencedSOPInstanceUIDInFile") or "1.2", EXPLICIT_VR_LE)
    try:
        made = build([entry_of("A", meta, dataset)], FileSet("2.25.1"))
    except EncodeError:
        return
    tree = Tree(open_directory(lambda length, offset: made[offset : offset + length], len(made)))
    assert [step.depth for step in tree.walk()] == [0, 1, 2, 3]
    assert tree.faults == []
    assert tree.damage is None


def run_file(data: bytes) -> None:
    """Strict and lenient reading find the same where they begin alike; frames lie inside the file."""
    strict, lenient = _opened(data, lenient=False), _opened(data, lenient=True)
    if strict is not None and lenient is not None and _beginning(strict) == _beginning(lenient):
        assert to_json(strict.dataset) == to_json(lenient.dataset)
        assert (strict.pixel_value is None) == (lenient.pixel_value is None)
    for found in (strict, lenient):
        if found is not None:
            _read_frames(found, len(data))
            assert all(str(finding) for finding in _findings(found))


def _beginning(found: DicomFile) -> tuple[str, int]:
    return found.meta.transfer_syntax_uid, found.data_set_offset


def _opened(data: bytes, *, lenient: bool) -> DicomFile | None:
    try:
        found = open_file(Disk(data), len(data), limits=LIMITS, lenient=lenient)
    except DecodeError as error:
        _show_what_there_is(data, lenient=lenient, error=error)
        return None
    assert lenient or not found.notes
    json.dumps(to_json(found.dataset), allow_nan=False)
    return found


def _show_what_there_is(data: bytes, *, lenient: bool, error: DecodeError) -> None:
    """In front of damage there is a Data Set that can be shown, unless the File Meta Information is damaged."""
    try:
        found = open_file(Disk(data), len(data), limits=LIMITS, lenient=lenient, partial=True)
    except DecodeError as again:
        assert str(again) == str(error)  # noqa: PT017 - no test
        return
    assert str(found.damage) == str(error)
    json.dumps(to_json(found.dataset), allow_nan=False)


def _read_frames(found: DicomFile, size: int) -> None:
    try:
        instance = instance_of(found)
    except DecodeError:
        return
    bound = size if found.pread.__class__ is Disk else LIMITS.total_bytes
    for number in range(min(instance.number_of_frames, FRAMES_READ)):
        extents = instance.frame_extents(number)
        try:
            frame = instance.read_frame(number)
        except DecodeError:
            continue
        assert len(frame) == sum(extent.length for extent in extents)
        assert all(extent.offset >= 0 and extent.offset + extent.length <= bound for extent in extents)


def run_rewrite(data: bytes) -> None:
    """First byte: the transfer syntax to write, and how the file is read; the rest is the file.

    What was read, however damaged, is written as a file that strict reading takes and that becomes itself when it is
    written again; every value is the one that was read.
    """
    if not data:
        return
    wanted, refer_above = SYNTAXES[data[0] & 7], REFER_ABOVE_BYTES if data[0] & 8 else None
    try:
        found = open_file(Disk(data[1:]), len(data) - 1, limits=LIMITS, lenient=True, refer_above=refer_above)
        plan = rewrite(found, transfer_syntax_uid=wanted)
    except (DecodeError, EncodeError):
        return
    first = written(plan, found)
    again = open_file(Disk(first), len(first), limits=ROOMY)
    assert _tags(found) == _tags(again)
    if set(PIXEL_TAGS) & set(found.dataset.tags()):
        return  # two kinds of pixels: which is left in the file depends on their order
    if found.pixel_value is not None and found.pixel_value.length >= 0:
        assert again.pixel_value is not None
        assert again.pixel_value.length == found.pixel_value.length + (found.pixel_value.length & 1)
    if found.pixel_value is not None and found.pixel_value.vr == "UN":
        return  # the second copy knows better, from the dictionary
    same_syntax = again.meta.transfer_syntax_uid
    try:
        second = rewrite(again, transfer_syntax_uid=same_syntax)
    except EncodeError:
        return  # a UID too long to be one, which had been left where it was
    assert written(second, again) == first


def _tags(found: DicomFile) -> list[int]:
    """Group lengths are not written; pixels behind a higher tag are read like any element, and not in the copy."""
    return [tag for tag in found.dataset.tags() if not (is_group_length(tag) or tag in PIXEL_TAGS)]


def written(plan: Plan, source: DicomFile) -> bytes:
    """The bytes of a plan."""
    body = b"".join(
        part if isinstance(part, bytes) else swapped(source.pread(part.length, part.offset), part.word)
        for part in plan.parts
    )
    if plan.deflate:
        packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        body = packer.compress(body) + packer.flush()
    return plan.prefix + body


def run_fragments(data: bytes) -> None:
    """Frames have at least a fragment each, in order, without overlap, and none before the Basic Offset Table."""
    if not data:
        return
    frames, body = data[0], data[1:]
    try:
        index = FrameIndex.read(Disk(body), 0, frames)
    except DecodeError:
        return
    assert len(index) == frames
    at = index.table.offset + index.table.length
    for number in range(frames):
        extents = index[number]
        assert extents
        for extent in extents:
            assert extent.offset >= at + 8
            at = extent.offset + extent.length
    assert at <= index.end <= len(body)
