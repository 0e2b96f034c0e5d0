"""The verb ``check``: what it prints, how it ends, and that one bad file does not stop the rest."""

from __future__ import annotations

import json
import struct
import tracemalloc
from pathlib import Path

import pytest
from fakes.damaged import DAMAGE
from fakes.documents import DOCUMENTS
from fakes.instances import RGB, frames
from fakes.nodes import REGIONS, Damage, Node, file_bytes, find, inside, put
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.app.checking import check_file
from agent.app.cli import main
from agent.dataset import uid
from agent.dataset.dataset import DataSet
from agent.dataset.encapsulate import offsets_of
from agent.dataset.encode import encode
from agent.dataset.tag import PIXEL_DATA
from agent.dataset.values import Fragments
from agent.errors import AgentError
from agent.iod.modules import errors
from agent.media.part10 import FileMeta, encode_prefix
from agent.native import compress


def written(folder: Path, name: str, damage: Damage | None = None, kind: str = "us") -> str:
    path = folder / f"{name}.dcm"
    path.write_bytes(file_bytes(damage, damage.kind if damage else kind))
    return str(path)


def test_a_sound_file_is_clean(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = written(tmp_path, "good")
    assert main(["check", name]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{name}: Ultrasound Image Storage, Explicit VR Little Endian: clean"
    ]


def test_a_finding_names_severity_path_rule_and_section(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = written(tmp_path, "missing", DAMAGE["type 1 missing in an item: Physical Delta X"])
    prose = written(tmp_path, "prose", DAMAGE["relation: region outside the image"])
    assert main(["check", missing, prose]) == 32
    said = capsys.readouterr().out
    assert (
        "  error: (0018,6011)[1].(0018,602C) PhysicalDeltaX is absent: "
        "US Region Calibration (PS3.3 Table C.8-17, type 1)\n" in said
    )
    assert "must lie between 0 and 15: US Region Calibration (PS3.3 C.8.5.5.1)\n" in said
    assert said.splitlines()[-1] == "2 files: 0 without errors, 2 with errors"


def test_what_cannot_be_read_does_not_stop_the_rest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("no DICOM file at all, but long enough for a preamble " * 20)
    good = written(tmp_path, "good")
    assert main(["check", str(text), good]) == 30
    shown = capsys.readouterr()
    assert "good.dcm" in shown.out
    assert "1 without errors, 0 with errors, 1 not readable" in shown.out
    assert "notes.txt" in shown.err
    assert main(["check", str(tmp_path / "none"), good]) == 3


def test_warnings_can_be_left_out_and_are_no_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    warned = written(tmp_path, "warned", Damage("us", put(0x00180081, "3 ", "DS")))
    assert main(["check", warned]) == 0
    assert "warning: (0018,0081) EchoTime is not part of the IOD" in capsys.readouterr().out
    assert main(["check", "--warnings", "off", warned]) == 0
    assert "warning:" not in capsys.readouterr().out


def test_json_holds_every_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = written(tmp_path, "bad", DAMAGE["DA: no date"])
    assert main(["check", "--json", bad, str(tmp_path / "none")]) == 3
    shown = json.loads(capsys.readouterr().out)
    assert [each["file"] for each in shown] == [bad, str(tmp_path / "none")]
    assert shown[0]["findings"] == [
        {
            "severity": "error",
            "path": "(0008,0020)",
            "keyword": "StudyDate",
            "text": "'2026-3-1' is no date: YYYYMMDD",
            "module": "PS3.5 6.2 DA",
            "rule": "PS3.5 6.2 DA",
            "type": "",
        }
    ]
    assert shown[1]["error"]["code"] == "file"


def test_what_had_to_be_tolerated_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "bare.dcm"
    data = file_bytes(None, "us")
    path.write_bytes(data[data.index(b"\x08\0\x05\0CS") :])
    found = [str(finding) for finding in check_file(str(path)).findings]
    assert any("no preamble" in text for text in found), found


def test_memory_does_not_grow_with_the_pixels(tmp_path: Path) -> None:
    def pixels(level: list[list[object]]) -> None:
        next(node for node in level if node[0] == 0x7FE00010)[2] = bytes(32 << 20)

    big = written(tmp_path, "big", Damage("us", pixels))
    tracemalloc.start()
    try:
        assert [finding.tag for finding in check_file(big).findings] == [0x7FE00010]
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", DAMAGE)
def test_every_damage_is_found(name: str, tmp_path: Path) -> None:
    damage = DAMAGE[name]
    path = tmp_path / "instance.dcm"
    path.write_bytes(file_bytes(damage, damage.kind, damage.syntax))
    found = errors(check_file(str(path)).findings)
    assert found
    assert any("odd length" in finding.text for finding in found) is (name == "odd length")  # no other by mistake


@pytest.mark.parametrize(("head", "count"), [(b"%PDF-1.4\n", 0), (b"PK\3\4 zip", 1)])
def test_a_large_document_stays_on_disk_and_its_head_is_read(head: bytes, count: int, tmp_path: Path) -> None:
    ds = DOCUMENTS["pdf"]()
    data = head.ljust(3 << 20, b" ")
    ds.update({"EncapsulatedDocument": data, "EncapsulatedDocumentLength": len(data)})
    path = tmp_path / "large.dcm"
    meta = FileMeta(ds.text("SOPClassUID"), ds.text("SOPInstanceUID"), uid.EXPLICIT_VR_LE)
    path.write_bytes(encode_prefix(meta) + encode(ds, uid.EXPLICIT_VR_LE))
    assert [each.tag for each in check_file(str(path)).findings] == [0x00420011] * count


def test_what_no_sequence_has_in_its_items_is_a_warning(tmp_path: Path) -> None:
    slipped = Damage("us", inside(REGIONS, put(0x00280010, b"\1\0", "US")))
    found = check_file(written(tmp_path, "slipped", slipped)).findings
    assert [(each.severity, each.path, each.text) for each in found] == [
        ("warning", "(0018,6011)[1].(0028,0010)", "is not part of such an item")
    ]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), kind=st.sampled_from(["us", "us-mf", "xa", "vl-photo"]))
def test_any_bytes_are_reported_not_raised(data: st.DataObject, kind: str, tmp_path: Path) -> None:
    whole = bytearray(file_bytes(None, kind))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(whole) - 1))
        new = data.draw(st.sampled_from([b"", b"\0", b"\xff\xff\xff\xff", b"SQ", b"UN", b"DS", b"\xfe\xff\x00\xe0"]))
        whole[at : at + data.draw(st.integers(0, 4))] = new
    path = tmp_path / "any.dcm"
    path.write_bytes(whole)
    try:
        report = check_file(str(path))
    except AgentError:
        return
    assert all(str(finding) for finding in report.findings)


def test_an_extended_offset_table_that_is_right_is_clean(tmp_path: Path) -> None:
    def tables(level: list[Node]) -> None:
        fragments = find(level, PIXEL_DATA)[2].fragments
        put(0x7FE00001, struct.pack(f"<{len(fragments)}Q", *offsets_of([len(each) for each in fragments])), "OV")(level)
        put(0x7FE00002, struct.pack(f"<{len(fragments)}Q", *map(len, fragments)), "OV")(level)

    path = tmp_path / "table.dcm"
    path.write_bytes(file_bytes(Damage("us-mf", tables, uid.RLE_LOSSLESS), "us-mf", uid.RLE_LOSSLESS))
    assert check_file(str(path)).findings == []


def _coded(number: int, syntax: str) -> bytes:
    return compress.encode(frames(RGB, 3)[number], syntax, description=RGB)


def _shape(level: list[Node], syntax: str) -> None:
    """Three sound frames in the transfer syntax."""
    find(level, 0x00020010)[2] = syntax.encode() + b"\0" * (len(syntax) & 1)
    find(level, PIXEL_DATA)[2] = Fragments(b"", tuple(_coded(number, syntax) for number in range(3)))


@pytest.mark.parametrize(
    ("syntax", "section"),
    [(uid.RLE_LOSSLESS, "A.4.2"), (uid.JPEG_LS_LOSSLESS, "A.4.3"), (uid.JPEG_LOSSLESS_SV1, "A.4.1")],
)
@pytest.mark.parametrize("rows", [False, True])
def test_every_compressed_frame_is_decoded(
    syntax: str, section: str, rows: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A frame cut in the middle, and frames whose header contradicts Rows."""
    path = tmp_path / "frames.dcm"

    def damage(level: list[Node]) -> None:
        node = find(level, PIXEL_DATA)
        coded = [_coded(number, syntax) for number in range(3)]
        if rows:
            find(level, 0x00280010)[2] = struct.pack("<H", 2 * RGB.rows)
        else:
            coded[2] = coded[2][: len(coded[2]) // 4 * 2]
        node[2] = node[2]._replace(fragments=tuple(coded), offset_table=b"")

    sound = Damage("us-mf", lambda level: _shape(level, syntax), uid.RLE_LOSSLESS)
    path.write_bytes(file_bytes(sound, "us-mf", uid.RLE_LOSSLESS))
    assert [str(each) for each in check_file(str(path)).findings] == []
    broken = Damage("us-mf", lambda level: (_shape(level, syntax), damage(level), None)[2], uid.RLE_LOSSLESS)
    path.write_bytes(file_bytes(broken, "us-mf", uid.RLE_LOSSLESS))
    assert main(["check", str(path)]) == 32
    said = [line for line in capsys.readouterr().out.splitlines() if "cannot be decoded" in line]
    assert [line.split()[4] for line in said] == (["1", "2", "3"] if rows else ["3"])
    assert all(line.startswith("  error: (7FE0,0010) PixelData frame ") for line in said), said
    assert all(line.endswith(f": PS3.5 {section}") for line in said), said
    main(["check", "--frames", "off", str(path)])
    assert "cannot be decoded" not in capsys.readouterr().out


def test_many_damaged_frames_are_counted(tmp_path: Path) -> None:
    def damage(level: list[Node]) -> None:
        _shape(level, uid.RLE_LOSSLESS)
        node = find(level, PIXEL_DATA)
        node[2] = node[2]._replace(fragments=(bytes(64),) * 20, offset_table=b"")
        find(level, 0x00280008)[2] = b"20"

    path = tmp_path / "many.dcm"
    path.write_bytes(file_bytes(Damage("us-mf", damage, uid.RLE_LOSSLESS), "us-mf", uid.RLE_LOSSLESS))
    done: list[tuple[int, int]] = []
    said = [each.text for each in check_file(str(path), watch=lambda *seen: done.append(seen)).findings]
    assert sum("cannot be decoded:" in text for text in said) == 8
    assert "has 20 frames that cannot be decoded" in said
    assert done[-1] == (20, 20)


def test_a_limit_of_ours_is_no_breach_of_the_standard(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    item = DataSet()
    for _ in range(20):
        item = DataSet({"ReferencedSeriesSequence": [item]})
    item.update(DataSet({"SOPClassUID": uid.SC, "SOPInstanceUID": "1.2"}))
    deep = tmp_path / "deep.dcm"
    deep.write_bytes(encode_prefix(FileMeta(uid.SC, "1.2", uid.EXPLICIT_VR_LE)) + encode(item, uid.EXPLICIT_VR_LE))
    assert main(["check", str(deep), written(tmp_path, "good")]) == 35
    shown = capsys.readouterr()
    assert f"error: {deep}: sequences are nested more than 16 deep" in shown.err
    assert "[dataset.limit]\n  hint: This is a limit of the agent" in shown.err
    assert "PS3.5" not in shown.out
    assert shown.out.splitlines()[-1] == "2 files: 1 without errors, 0 with errors, 1 not readable"


def test_frames_that_only_their_header_makes_huge_are_not_decoded(tmp_path: Path) -> None:
    def damage(level: list[Node]) -> None:
        for tag in (0x00280010, 0x00280011):
            find(level, tag)[2] = b"\xff\xff"

    path = tmp_path / "huge.dcm"
    path.write_bytes(file_bytes(Damage("us", damage, uid.RLE_LOSSLESS), "us", uid.RLE_LOSSLESS))
    assert any("is not decoded here: frames of" in each.text for each in check_file(str(path)).findings)


def directory(folder: Path, **more: str) -> Path:
    """The DICOMDIR of a File-set with 50 records, File Meta Information longer by what is given."""
    from pydicom import dcmread
    from pydicom.data import get_testdata_file

    found = dcmread(str(get_testdata_file("DICOMDIR", download=False)))
    for keyword, value in more.items():
        setattr(found.file_meta, keyword, value)
    path = folder / "DICOMDIR"
    found.save_as(path)
    return path


def test_records_of_a_directory_that_are_not_where_they_are_sought(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(directory(tmp_path))]) == 0
    assert main(["check", str(directory(tmp_path, SourceApplicationEntityTitle="MOVED"))]) == 32
    said = capsys.readouterr().out
    assert "  error: (0004,1200) OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity is " in said
    assert ", and no record is there: Directory Information (PS3.3 Table F.3-3)" in said
    assert "(0004,1220)[1].(0004,1420) OffsetOfReferencedLowerLevelDirectoryEntity is " in said


def test_a_directory_in_another_transfer_syntax(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from pydicom import dcmread

    found = dcmread(directory(tmp_path))
    found.file_meta.TransferSyntaxUID = uid.IMPLICIT_VR_LE
    path = tmp_path / "implicit"
    found.save_as(path, implicit_vr=True, little_endian=True)
    assert main(["check", str(path)]) == 32
    assert "a DICOMDIR is in Explicit VR Little Endian, not in Implicit VR Little Endian" in capsys.readouterr().out
