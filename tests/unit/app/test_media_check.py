"""``media check`` finds every fault that was put into a File-set, and none in one that has none."""

from __future__ import annotations

import json
import os
import shutil
import struct

import pydicom
import pytest
from fakes.filesets import tree_of, write
from fakes.instances import DESCRIPTIONS, frames, make, with_pixels

from agent.app.cli import main
from agent.app.source_file import opened
from agent.app.transcoding import transcode
from agent.dataset.decode import decode
from agent.dataset.encode import encode
from agent.dataset.uid import EXPLICIT_VR_LE, IMPLICIT_VR_LE, RLE_LOSSLESS
from agent.dataset.values import Raw
from agent.media.dicomdir import Arrangement, FileSet, Row, stream
from agent.media.file_set_rules import RULES
from agent.media.records import entry_of

KINDS = ("us", "us-mf", "cr")
SET = FileSet("2.25.1", "CARD", "README", "ISO_IR 100")


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    root = tmp_path_factory.mktemp("sound")
    for number, kind in enumerate(KINDS):
        dataset = make(kind)
        pictures = frames(DESCRIPTIONS[kind], int(str(dataset.get("NumberOfFrames", 1))))
        write(root / "IMG" / f"{number:08d}", with_pixels(dataset, pictures, EXPLICIT_VR_LE))
    (root / "README").write_text("A card.")
    (root / "DICOMDIR").write_bytes(directory(rows(root)))
    return root


def rows(root) -> list[Row]:
    entries = []
    for path in sorted((root / "IMG").iterdir()):
        with opened(str(path), header_only=True) as file:
            entries.append(entry_of(f"IMG\\{path.name}", file.meta, file.dataset))
    return list(Arrangement(entries))


def directory(made, file_set=SET) -> bytes:
    return b"".join(stream(made, file_set))


@pytest.fixture
def card(sound, tmp_path):
    shutil.copytree(sound, tmp_path / "card")
    return tmp_path / "card"


def check(capsys, root, *words):
    status = main(["media", "check", "--json", str(root), *words])
    return status, json.loads(capsys.readouterr().out)


# --- how a card is spoilt: each takes its folder ------------------------------------------------------


def keyed(kind, **changes):
    """A directory whose first record of a type says something else; None: not at all."""

    def spoil(root):
        made = rows(root)
        number = next(at for at, row in enumerate(made) if row.kind == kind)
        said = decode(made[number].body, EXPLICIT_VR_LE)
        for keyword, value in changes.items():
            if value is None:
                del said[keyword]
            elif keyword == "ReferencedFileID":  # we would not write such ones
                text = "\\".join(value).encode()
                said.held[0x00041500] = Raw(0x00041500, "CS", text + b" " * (len(text) & 1))
            else:
                said.set(keyword, value)
        made[number] = made[number]._replace(body=encode(said, EXPLICIT_VR_LE, canonical=True))
        (root / "DICOMDIR").write_bytes(directory(made))

    return spoil


def arranged(change):
    def spoil(root):
        (root / "DICOMDIR").write_bytes(directory(change(rows(root))))

    return spoil


def of_two_patients(made):
    said = decode(made[0].body, EXPLICIT_VR_LE)
    said.set("PatientID", "ANOTHER")
    return [*made[:4], Row(0, "PATIENT", encode(said, EXPLICIT_VR_LE)), *made[1:]]


def patched(tag, value, record=0):
    """A number of group 0004 of a record (0: the root) overwritten; a callable is given the offsets of the records."""

    def spoil(root):
        data = bytearray((root / "DICOMDIR").read_bytes())
        tree = tree_of(root / "DICOMDIR")
        start = tree.offset(record - 1) if record else 0
        wanted = value([tree.offset(number) for number in range(len(tree))]) if callable(value) else value
        short = tag in {0x1212, 0x1410}
        at = data.index(struct.pack("<HH2sH", 4, tag, b"US" if short else b"UL", 2 if short else 4), start) + 8
        data[at : at + (2 if short else 4)] = struct.pack("<H" if short else "<I", wanted)
        (root / "DICOMDIR").write_bytes(data)

    return spoil


def file(change, name="IMG/00000000"):
    def spoil(root):
        path = root / name
        path.write_bytes(change(path.read_bytes()))

    return spoil


def linked(root):
    os.rename(root / "IMG", root.parent / "elsewhere")
    os.symlink(root.parent / "elsewhere", root / "IMG")


def file_linked(root):
    os.rename(root / "IMG/00000001", root.parent / "other")
    os.symlink(root.parent / "other", root / "IMG/00000001")


def in_implicit_vr(root):
    """A directory of one kind of old writers; its offsets are right in their own way."""
    data = (root / "DICOMDIR").read_bytes()
    at = data.index(b"\x02\x00\x10\x00UI")
    uid = EXPLICIT_VR_LE.encode() + b"\0"
    body = decode(data[data.index(b"\x04\x00\x30\x11CS") :], EXPLICIT_VR_LE)
    head = data[: data.index(b"\x04\x00\x30\x11CS")]
    head = head[:at] + head[at:].replace(uid, (IMPLICIT_VR_LE.encode() + b"\0").ljust(len(uid), b"\0"), 1)
    (root / "DICOMDIR").write_bytes(head + encode(body, IMPLICIT_VR_LE))


def without_meta(data):
    return data[data.index(b"\x08\x00\x05\x00CS") :]


FAULTS = {
    "no directory": (lambda root: os.unlink(root / "DICOMDIR"), "no-directory"),
    "directory of garbage": (file(lambda data: b"x" * 1000, "DICOMDIR"), "directory-unreadable"),
    "directory without prefix": (file(lambda data: data[:128] + b"XXXX" + data[132:], "DICOMDIR"), "meta-missing"),
    "directory cut short": (file(lambda data: data[:-200], "DICOMDIR"), "directory-cut"),
    "directory in Implicit VR": (in_implicit_vr, "directory-syntax"),
    "directory of another class": (file(lambda data: data.replace(b"1.2.840.10008.1.3.10", b"1.2.840.10008.1.3.99"),
        "DICOMDIR"), "directory-class"),
    "no consistency flag": (file(lambda data: data.replace(b"\x04\x00\x12\x12US", b"\x04\x00\x13\x12US"), "DICOMDIR"),
        "directory-key"),
    "consistency flag": (patched(0x1212, 0xFFFF), "consistency-flag"),
    "File-set ID": (file(lambda data: data.replace(b"CARD", b"card"), "DICOMDIR"), "file-set-id"),
    "descriptor is gone": (lambda root: os.unlink(root / "README"), "descriptor"),
    "offset to nowhere": (patched(0x1420, 12345, 1), "offset"),
    "offset off by two": (patched(0x1400, lambda places: places[4] + 2, 4), "offset"),
    "loop of siblings": (patched(0x1400, lambda places: places[2], 3), "loop"),
    "loop to the root": (patched(0x1420, lambda places: places[0], 4), "loop"),
    "orphan": (patched(0x1400, 0, 3), "orphan"),
    "last record of the root": (patched(0x1202, lambda places: places[1]), "last-offset"),
    "image below a study": (arranged(lambda made: [*made[:2], made[3]._replace(depth=2)]), "record-place"),
    "type that does not exist": (arranged(lambda made: [*made[:3], made[3]._replace(kind="PICTURE")]), "record-type"),
    "type of another class": (arranged(lambda made: [*made[:3], made[3]._replace(kind="WAVEFORM")]), "record-type"),
    "private record without UID": (arranged(lambda made: [*made, Row(0, "PRIVATE", b"")]), "record-private"),
    "record not in use": (patched(0x1410, 0, 4), "record-unused"),
    "empty series": (arranged(lambda made: made[:3]), "record-empty"),
    "study twice": (arranged(lambda made: [*made, *made[1:3]]), "record-twice"),
    "study of two patients": (arranged(of_two_patients), "study-shared"),
    "patient twice": (arranged(lambda made: [*made, *made[:2]]), "record-twice"),
    "Patient ID is gone": (keyed("PATIENT", PatientID=None), "key"),
    "Instance Number is empty": (keyed("IMAGE", InstanceNumber=""), "key"),
    "no reference": (keyed("IMAGE", ReferencedSOPInstanceUIDInFile=None), "reference"),
    "no File ID": (keyed("IMAGE", ReferencedFileID=None), "reference"),
    "File ID in lower case": (keyed("IMAGE", ReferencedFileID=["IMG", "abc"]), "file-id"),
    "File ID too long": (keyed("IMAGE", ReferencedFileID=["IMG", "123456789"]), "file-id"),
    "File ID too deep": (keyed("IMAGE", ReferencedFileID=list("ABCDEFGHI")), "file-id"),
    "File ID that leads out": (keyed("IMAGE", ReferencedFileID=["..", "PASSWD"]), "file-id"),
    "absolute File ID": (keyed("IMAGE", ReferencedFileID=["/ETC", "PASSWD"]), "file-id"),
    "file with an extension": (keyed("IMAGE", ReferencedFileID=["IMG", "A.DCM"]), "file-id"),
    "two records of one file": (arranged(lambda made: [*made[:4], made[3]]), "file-twice"),
    "file is gone": (lambda root: os.unlink(root / "IMG/00000001"), "file-missing"),
    "folder is a link": (linked, "file-link"),
    "file is a link": (file_linked, "file-link"),
    "a folder in place of a file": (lambda root: (os.unlink(root / "IMG/00000001"), os.mkdir(root / "IMG/00000001")),
        "file-missing"),
    "name in lower case": (lambda root: os.rename(root / "IMG", root / "img"), "file-name"),
    "extra file": (lambda root: shutil.copy(root / "IMG/00000000", root / "EXTRA"), "file-unlisted"),
    "extra file of another name": (lambda root: shutil.copy(root / "IMG/00000000", root / "x.dcm"), "file-unlistable"),
    "two files of one instance": (lambda root: shutil.copy(root / "IMG/00000000", root / "IMG/00000001"),
        "sop-instance"),
    "preamble of a program": (file(lambda data: b"MZ" + data[2:]), "preamble"),
    "preamble of a script": (file(lambda data: b"#!/bin/sh\nrm -rf /\n".ljust(128, b"\n") + data[128:]), "preamble"),
    "preamble of a page, directory": (file(lambda data: b"<html>" + data[6:], "DICOMDIR"), "preamble"),
    "preamble of noise": (file(lambda data: b"\x01" * 128 + data[128:]), "preamble"),
    "no meta information": (file(without_meta), "meta-missing"),
    "garbage in place of a file": (file(lambda data: b"?" * len(data)), "meta-missing"),
    "empty file": (file(lambda data: b""), "meta-missing"),
    "wrong group length": (file(lambda data: data[:140] + struct.pack("<I", 9) + data[144:]), "meta"),
    "file cut short": (file(lambda data: data[:-100]), "file-damaged"),
    "meta speaks of another instance": (file(lambda data: data.replace(b"2.25.1000\0", b"2.25.1999\0", 1)), "meta"),
    "wrong SOP Class": (keyed("IMAGE", ReferencedSOPClassUIDInFile="1.2.840.10008.5.1.4.1.1.7"), "sop-class"),
    "wrong SOP Instance": (keyed("IMAGE", ReferencedSOPInstanceUIDInFile="2.25.7"), "sop-instance"),
    "wrong transfer syntax": (keyed("IMAGE", ReferencedTransferSyntaxUIDInFile="1.2.840.10008.1.2.5"),
        "transfer-syntax"),
    "another patient": (keyed("PATIENT", PatientName="ROE^RICHARD"), "key-differs"),
    "another Patient ID": (keyed("PATIENT", PatientID="P-2"), "key-differs"),
    "Patient ID of two": (keyed("PATIENT", PatientID="P-1_2"), "patient-renamed"),
    "another study": (keyed("STUDY", StudyInstanceUID="2.25.9"), "key-differs"),
    "another number": (keyed("IMAGE", InstanceNumber=77), "key-differs"),
}  # fmt: skip


def test_a_sound_file_set_has_no_fault(sound, capsys):
    status, found = check(capsys, sound)
    assert (status, found["findings"]) == (0, [])
    assert (found["records"], found["files"]) == (8, 3)


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_is_found(name, card, capsys):
    spoil, rule = FAULTS[name]
    spoil(card)
    status, found = check(capsys, card)
    assert rule in {each["rule"] for each in found["findings"]}
    errors = [each for each in found["findings"] if each["severity"] == "error"]
    assert status == (32 if errors else 0)
    assert all(each["where"] and each["text"] and each["section"] and each["whose"] for each in found["findings"])


def packed(root):
    """A frame that its decoder refuses, in a directory that is right."""
    path = root / "IMG/00000000"
    target = root / "new"
    transcode(str(path), str(target), RLE_LOSSLESS)
    os.replace(target, path)
    (root / "DICOMDIR").write_bytes(directory(rows(root)))
    data = path.read_bytes()
    at = data.index(b"\x03\0\0\0", data.index(b"\xe0\x7f\x10\x00OB"))
    path.write_bytes(data[:at] + b"\x07" + data[at + 1 :])


def test_frames_are_decoded_unless_it_is_to_be_quick(card, capsys):
    packed(card)
    status, found = check(capsys, card)
    assert [each["rule"] for each in found["findings"]] == ["frame"]
    assert "frame 1 cannot be decoded" in found["findings"][0]["text"]
    assert (status, found["undecoded"]) == (32, 0)
    status, found = check(capsys, card, "--quick")
    assert (status, found["findings"], found["undecoded"]) == (0, [], 1)
    assert main(["media", "check", str(card), "--quick"]) == 0
    assert "frames of 1 file not decoded, --quick was asked for: RLE Lossless (1)" in capsys.readouterr().out


@pytest.mark.parametrize(("more", "text"), [(0, "cannot be found"), (1, "not the"), (-1, "not the"), (None, "not the")])
def test_native_pixels_have_their_length(card, capsys, more, text):
    """Rows says one more or less than there are; or there are two bytes more, which are no frame."""
    path = card / "IMG/00000000"
    made = pydicom.dcmread(path)
    if more is None:
        made.PixelData += b"\0\0"
    else:
        made.Rows = made.Rows + more if more else 0
    made.save_as(path)
    (card / "DICOMDIR").write_bytes(directory(rows(card)))
    _, found = check(capsys, card, "--quick")
    [one] = [each for each in found["findings"] if each["rule"] == "pixel-length"]
    assert text in one["text"]


def test_file_sets_below_a_folder_are_named(card, capsys):
    status, found = check(capsys, card.parent)
    assert status == 32
    assert [each["rule"] for each in found["findings"]] == ["no-directory"]
    assert "File-sets are below it: card. Check each of them" in found["findings"][0]["text"]


def test_nearly_every_rule_has_its_fault():
    assert sorted(set(RULES) - {rule for _, rule in FAULTS.values()}) == [
        "file-unreadable",
        "frame",
        "instance-twice",
        "key-charset",
        "pixel-length",
        "stale",
    ]


def test_text_beyond_ascii_needs_a_character_set(card, capsys):
    data = (card / "DICOMDIR").read_bytes()
    at = data.index(b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 192")
    (card / "DICOMDIR").write_bytes(data[: at + 8] + b" " * 10 + data[at + 18 :])
    assert "key-charset" in {each["rule"] for each in check(capsys, card)[1]["findings"]}


def test_two_records_of_one_instance(card, capsys):
    shutil.copy(card / "IMG/00000000", card / "IMG/00000003")
    (card / "DICOMDIR").write_bytes(directory(rows_twice(card)))
    assert "instance-twice" in {each["rule"] for each in check(capsys, card)[1]["findings"]}


def rows_twice(card):
    """The rows of the card, the first image once more under another name."""
    os.rename(card / "IMG/00000003", card / "SPARE")
    made = rows(card)
    os.rename(card / "SPARE", card / "IMG/00000003")
    at = next(number for number, row in enumerate(made) if row.kind == "IMAGE")
    again = made[at]._replace(body=made[at].body.replace(b"IMG\\00000000", b"IMG\\00000003"))
    return [*made[: at + 1], again, *made[at + 1 :]]


def test_people_see_where_whose_fault_and_what_to_do(card, capsys):
    for number in range(3):
        os.unlink(card / f"IMG/{number:08d}")
    assert main(["media", "check", "--limit", "2", str(card)]) == 32
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].startswith("error record 4 (IMAGE) at byte ")
    assert "'IMG\\\\00000000': no such file" in shown[0]
    assert (
        shown[1] == "  PS3.10 8.6; by whoever changed the medium since. Put the file back, or make the medium again "
        "from its source."
    )
    assert shown[4] == "and 1 more of [file-missing]"
    assert shown[5].endswith("3 errors, 0 warnings; 8 records and 0 files checked")


def test_a_spool_whose_directory_is_old_is_told_so(card, capsys):
    (card / "ledger.db").write_bytes(b"")
    os.makedirs(card / "INST/000000")
    shutil.copy(card / "IMG/00000000", card / "INST/000000/00000009")
    shutil.copy(card / "DICOMDIR", card / "DICOMDIR.BAK")
    found = check(capsys, card)[1]["findings"]
    assert [each["rule"] for each in found] == ["stale"]
    assert "running agent" in found[0]["todo"]
    os.rename(card / "INST/000000/00000009", card / "INST/000000/0000000A")
    keyed("IMAGE", ReferencedFileID=["INST", "000000", "00000009"])(card)
    found = check(capsys, card)[1]["findings"]
    assert "evicted since, or lost; 'modality-agent receipt 2.25.10" in found[0]["text"]


def test_nothing_to_check(tmp_path, capsys):
    assert main(["media", "check", str(tmp_path / "no")]) == 3
    assert main(["media", "check", "--limit", "0", str(tmp_path)]) == 2
