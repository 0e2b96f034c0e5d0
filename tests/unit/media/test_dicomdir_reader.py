"""Reading a DICOMDIR: what is written is read, and what is broken is told and never followed in circles."""

from __future__ import annotations

import struct

import pytest

from agent.dataset.dataset import DataSet
from agent.dataset.encode import encode
from agent.dataset.uid import DEFLATED_EXPLICIT_VR_LE, EXPLICIT_VR_LE, IMPLICIT_VR_LE, MEDIA_STORAGE_DIRECTORY
from agent.errors import DecodeError, LimitError, NotDicomError
from agent.media import record_scan
from agent.media.dicomdir import FileSet, Row, stream
from agent.media.dicomdir_reader import open_directory
from agent.media.dicomdir_tree import AGAIN, LAST_ROOT, NOWHERE, ORPHAN, PLACE, Tree
from agent.media.part10 import FileMeta, encode_prefix

ROWS = [Row(depth, kind, b"") for depth, kind in (
    (0, "PATIENT"), (1, "STUDY"), (2, "SERIES"), (3, "IMAGE"), (3, "IMAGE"), (2, "SERIES"), (3, "SR DOCUMENT"),
    (0, "PATIENT"), (1, "STUDY"), (0, "HANGING PROTOCOL"))]  # fmt: skip


def written(rows=ROWS) -> bytearray:
    return bytearray(b"".join(stream(rows, FileSet("2.25.1", "X"))))


def opened(data):
    return open_directory(lambda length, at: bytes(data[at : at + length]), len(data))


def walked(data) -> tuple[list[tuple[int, str]], Tree]:
    tree = Tree(opened(data))
    return [(step.depth, tree.kind(step.number)) for step in tree.walk()], tree


def patch(data: bytearray, number: int, tag: int, value: int) -> None:
    """Change an offset of a record; -1 is the root."""
    start = 0 if number < 0 else Tree(opened(data)).offset(number)
    at = data.index(struct.pack("<HH2sH", 4, tag, b"UL", 4), start)
    data[at + 8 : at + 12] = struct.pack("<I", value)


def test_what_is_written_is_read():
    found, tree = walked(written())
    assert found == [(row.depth, row.kind) for row in ROWS]
    assert tree.faults == []
    assert tree.damage is None
    assert [record.kind for record in opened(written()).records()] == [row.kind for row in ROWS]
    assert opened(written()).root["FileSetID"] == "X"


def test_a_directory_without_records():
    data = written([])
    assert walked(data)[0] == []
    assert walked(data)[1].faults == []


@pytest.mark.parametrize(
    ("number", "tag", "value", "rule"),
    [
        (3, 0x1400, 12345, NOWHERE),
        (2, 0x1420, 0, ORPHAN),
        (4, 0x1400, "3", AGAIN),
        (9, 0x1400, "0", AGAIN),
        (-1, 0x1202, "0", LAST_ROOT),
        (-1, 0x1200, "1", PLACE),
        (8, 0x1420, "9", PLACE),
    ],
)
def test_wrong_offsets_are_told_and_end(number, tag, value, rule):
    data = written()
    target = Tree(opened(data)).offset(int(value)) if isinstance(value, str) else value
    patch(data, number, tag, target)
    found, tree = walked(data)
    assert len(found) <= len(ROWS)
    assert rule in {fault.rule for fault in tree.faults}


def test_a_directory_cut_short_gives_what_stands_in_front_of_the_cut():
    data = written()
    cut = data[: Tree(opened(data)).offset(5) + 20]
    found, tree = walked(cut)
    assert found[:4] == [(0, "PATIENT"), (1, "STUDY"), (2, "SERIES"), (3, "IMAGE")]
    assert "cut short" in str(tree.damage)


def directory(syntax: str, *, undefined: bool = False) -> bytes:
    """A directory of one record as others write it."""
    record = DataSet({"OffsetOfTheNextDirectoryRecord": 0, "DirectoryRecordType": "PATIENT", "PatientID": "1"})
    root = DataSet({"FileSetID": "OLD", "OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity": 0})
    root.set(0x00041220, [record])
    body = encode(root, syntax)
    if undefined:
        at = body.index(b"\xfe\xff\x00\xe0")
        head = body[: at - 4] + b"\xff\xff\xff\xff"
        ends = struct.pack("<HHIHHI", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
        body = head + body[at : at + 4] + b"\xff\xff\xff\xff" + body[at + 8 :] + ends
    return encode_prefix(FileMeta(MEDIA_STORAGE_DIRECTORY, "2.25.1", syntax)) + body


@pytest.mark.parametrize("undefined", [False, True])
@pytest.mark.parametrize("syntax", [EXPLICIT_VR_LE, IMPLICIT_VR_LE])
def test_the_directories_of_others(syntax, undefined):
    found = list(opened(directory(syntax, undefined=undefined)).records())
    assert [(record.kind, record.dataset["PatientID"]) for record in found] == [("PATIENT", "1")]


def test_what_is_no_directory():
    with pytest.raises(NotDicomError):
        opened(b"x" * 200)
    with pytest.raises(DecodeError, match="not in Deflated"):
        opened(directory(DEFLATED_EXPLICIT_VR_LE))
    meta = FileMeta("1.2.840.10008.5.1.4.1.1.7", "2.25.1", EXPLICIT_VR_LE)
    with pytest.raises(DecodeError, match="no DICOMDIR"):
        opened(encode_prefix(meta) + encode(DataSet({"PatientID": "1"}), EXPLICIT_VR_LE))


def test_a_record_that_never_ends_is_beyond_a_limit(monkeypatch):
    monkeypatch.setattr(record_scan, "MAX_RECORD_BYTES", 32)
    data = bytearray(directory(EXPLICIT_VR_LE, undefined=True))
    with pytest.raises(LimitError):
        list(opened(data).records())
    with pytest.raises(LimitError):
        list(opened(directory(EXPLICIT_VR_LE)).records())


def test_something_else_than_an_item_in_the_sequence():
    data = written()
    at = Tree(opened(data)).offset(4)
    data[at : at + 4] = b"\x08\x00\x05\x00"
    _, tree = walked(data)
    assert len(tree) == 4
    assert "no item" in str(tree.damage)


def test_records_in_a_row_are_read_at_once_and_others_one_by_one():
    """A directory whose offsets jump about must not be read as often as it has records."""
    data = bytes(written([ROWS[0]] * 2000))
    asked = []

    def pread(length, at):
        asked.append(min(length, len(data) - at))
        return data[at : at + length]

    tree = Tree(open_directory(pread, len(data)))
    assert len(asked) < 40
    asked.clear()
    for number in reversed(range(len(tree))):
        tree.read(number)
    assert sum(asked) < 2 * len(data)
