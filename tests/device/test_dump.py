"""``dump`` as a command, over the real files of the pydicom wheel and a file larger than memory would like."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import struct
import subprocess
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pydicom
import pytest
from fakes.command import run_command
from fakes.real_images import wheel_file
from fakes.site import AGENT

CT = wheel_file("CT_small.dcm")


def test_a_file_is_shown_with_its_meta_information_and_its_pixels() -> None:
    done = run_command("dump", CT, wheel_file("SC_rgb_rle_2frame.dcm"))
    assert done.returncode == 0
    assert done.stdout.startswith(f"# {CT}: 38.3 KiB, Explicit VR Little Endian\n(0002,0000) UL        4  ")
    assert "Explicit VR Little Endian)\n" in done.stdout
    assert "[GEMS_IDEN_01] xx27                862399669\n" in done.stdout
    assert "PixelData                          at byte 6300\n  begins af 00" in done.stdout
    assert "  Basic Offset Table at byte 1336: 0 672 (2 entries)\n  fragment 0: 664 bytes" in done.stdout


def test_json_is_an_array_that_pydicom_reads() -> None:
    found = run_command("dump", "--json", CT, wheel_file("rtplan.dcm")).json
    again = [pydicom.Dataset.from_json(json.dumps(one), lambda *_: b"") for one in found]
    assert [one.SOPInstanceUID for one in again] == [pydicom.dcmread(path).SOPInstanceUID for path in (
        CT, wheel_file("rtplan.dcm"))]  # fmt: skip
    uri = found[0]["7FE00010"]["BulkDataURI"]
    assert uri == f"file://{CT}?offset=6300&length=32768"
    with CT.open("rb") as file:
        file.seek(6300)
        assert file.read(32768) == pydicom.dcmread(CT).PixelData


@pytest.mark.parametrize(("path", "shown"), [
    ("PatientID", "(0010,0020) LO        4  PatientID                          1CT1\n"),
    ("0002,0010", "(0002,0010) UI       20  TransferSyntaxUID"),
    ("OtherPatientIDsSequence[1].PatientID", "  item 0\n    (0010,0020) LO        8  PatientID"),
])  # fmt: skip
def test_one_element_can_be_asked_for(path: str, shown: str) -> None:
    done = run_command("dump", CT, "--tag", path)
    assert (done.returncode, shown in done.stdout, "#" in done.stdout) == (0, True, False)
    if path == "PatientID":
        assert run_command("dump", CT, "--tag", path, "--json").json == [{"00100020": {"vr": "LO", "Value": ["1CT1"]}}]


def test_a_file_cut_in_its_pixels_still_says_whose_it_is(tmp_path: Path) -> None:
    cut = tmp_path / "cut.dcm"
    cut.write_bytes(CT.read_bytes()[:20_000])
    done = run_command("dump", cut, "--tag", "PatientID")
    assert (done.returncode, "1CT1" in done.stdout) == (0, True)


def test_what_is_asked_for_and_not_there_is_said() -> None:
    assert run_command("dump", CT, "--tag", "ViewPosition").returncode == 4
    wrong = run_command("dump", CT, "--tag", "Nonsense")
    assert (wrong.returncode, "'Nonsense' is not a keyword" in wrong.stderr) == (2, True)


def test_a_file_that_cannot_be_read_does_not_hide_the_others(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("hello")
    done = run_command("dump", tmp_path / "x.txt", tmp_path / "none", tmp_path, CT, "--json")
    assert (done.returncode, len(done.json)) == (30, 1)
    for said in ("x.txt: no DICM prefix", "none: No such file", f"{tmp_path} is a folder"):
        assert said in done.stderr


def test_every_file_of_the_wheel_is_read_or_refused(tmp_path: Path) -> None:
    files = sorted(wheel_file("").glob("*.dcm"))
    done = run_command("dump", "--lenient", *files)
    refused = [line for line in done.stderr.splitlines() if "error:" in line]
    shown = done.stdout.count("\n# /") + done.stdout.startswith("# /")
    assert shown + len(refused) - done.stdout.count("\n# damaged: ") == len(files)
    assert {Path(line.split("error: ")[1].split(": ")[0]).name for line in refused} <= {
        "MR_truncated.dcm", "rtplan_truncated.dcm", "badVR.dcm",
        "no_meta.dcm"}  # fmt: skip  # the last one starts with a stray byte
    assert "# tolerated: no File Meta Information (byte 0)" in done.stdout
    strict = run_command("dump", wheel_file("ExplVR_LitEndNoMeta.dcm"))
    assert strict.returncode == 30


def test_a_huge_file_takes_little_memory(tmp_path: Path) -> None:
    """A sparse file of 3 GB: pixels, and a document in front of them."""
    path = tmp_path / "huge.dcm"
    head = CT.read_bytes()[:6288]
    with path.open("wb") as file:
        file.write(head + struct.pack("<HH2sHI", 0x42, 0x11, b"OB", 0, 1 << 30))
        file.seek(1 << 30, os.SEEK_CUR)
        file.write(struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OW", 0, 1 << 31))
        file.truncate(file.tell() + (1 << 31))
    limit = partial(resource.setrlimit, resource.RLIMIT_DATA, (64 << 20, 64 << 20))
    done = subprocess.run([AGENT, "dump", path, "--json", "--full"], capture_output=True, preexec_fn=limit, check=True)
    assert "&length=1073741824" in json.loads(done.stdout)[0]["00420011"]["BulkDataURI"]


PLAN = wheel_file("rtplan.dcm").read_bytes()


@pytest.mark.parametrize("length", [700, 1498, 1500, 2088, 2092, 2093, 2200, 2600])
def test_of_a_cut_file_everything_in_front_of_the_cut_is_shown(length: int, tmp_path: Path) -> None:
    cut = tmp_path / "cut.dcm"
    cut.write_bytes(PLAN[:length])
    done = run_command("dump", cut)
    whole = run_command("dump", wheel_file("rtplan.dcm")).stdout.splitlines()[1:]
    head, *lines, said = done.stdout.splitlines()
    assert done.returncode == 30
    assert head.startswith(f"# {cut}: ")
    shown = [line for line in lines if not re.search(r"\d item", line)]  # how many there are is not known yet
    assert shown == [line for line in whole[: len(lines)] if not re.search(r"\d item", line)]
    assert said.startswith("# damaged: the Data Set is cut short")
    place = re.fullmatch(r"(.*) at byte (\d+) \[dataset.decode\]", done.stderr.splitlines()[0])
    assert place is not None
    assert place[1].startswith(f"modality-agent: error: {cut}: the Data Set is cut short")
    assert length - 100 < int(place[2]) <= length
    (found,) = run_command("dump", cut, "--json").json
    error = found.pop("error")
    assert (error["code"], error["offset"]) == ("dataset.decode", int(place[2]))
    read = pydicom.Dataset.from_json(json.dumps(found))
    expected = pydicom.dcmread(wheel_file("rtplan.dcm"))
    flat = [element for element in expected if element.VR != "SQ" and element.tag in read]
    assert [read[element.tag].value for element in flat] == [element.value for element in flat]
    assert len(flat) > 4


def test_damage_names_the_path_and_does_not_hide_the_next_file(tmp_path: Path) -> None:
    cut = tmp_path / "cut.dcm"
    cut.write_bytes(PLAN[:2100])
    done = run_command("dump", cut, CT, "--json")
    assert (done.returncode, len(done.json), "error" in done.json[1]) == (30, 2, False)
    path = "in (300A,00B0)[0](300A,0111)[0] at (300A,012C) at byte 2092"
    assert path in done.json[0]["error"]["message"]
    assert path in done.stderr
    beams = done.json[0]["300A00B0"]["Value"]
    assert beams[0]["300A0111"]["Value"][0]["300A012A"] == {"vr": "DS"}
    asked = run_command("dump", cut, "--tag", "PatientID", "--tag", "BeamSequence[0].BeamName")
    assert (asked.returncode, "PatientID" in asked.stdout, "BeamName" in asked.stdout) == (30, True, True)


@pytest.mark.parametrize(("name", "length", "last", "said"), [
    ("CT_small.dcm", 20_000, "RescaleSlope", "Pixel Data are cut short at (7FE0,0010) at byte 20000"),
    ("SC_rgb_rle_2frame.dcm", 1_400, "HighBit", "the fragments are cut short at (7FE0,0010)"),
    ("image_dfl.dcm", 1_100, "StudyDate", "the deflated Data Set is cut short at byte 1100"),
])  # fmt: skip
def test_a_file_cut_in_its_pixels_shows_its_attributes(
    name: str, length: int, last: str, said: str, tmp_path: Path
) -> None:
    cut = tmp_path / "cut.dcm"
    cut.write_bytes(wheel_file(name).read_bytes()[:length])
    done = run_command("dump", cut)
    assert (done.returncode, said in done.stderr, f" {last} " in done.stdout) == (30, True, True)
    assert f"# damaged: {said}" in done.stdout


@pytest.mark.parametrize("verb", ["dump", "check"])
def test_a_name_of_other_bytes_is_json_too(verb: str, tmp_path: Path) -> None:
    file = os.fsencode(tmp_path) + b"/of\xff.dcm"
    shutil.copy(wheel_file("MR_small.dcm"), file)
    large = pydicom.dcmread(os.fsdecode(file))
    large.add_new(0x00091010, "OB", bytes(100_000))
    large.add_new(0x00090010, "LO", "LARGE")
    large.save_as(os.fsdecode(file))
    done = subprocess.run([AGENT, verb, "--json", file], capture_output=True, check=False)
    found = json.loads(done.stdout.decode("utf-8"))
    if verb == "check":
        assert os.fsencode(found[0]["file"]) == file
    else:
        assert found[0]["00091010"]["BulkDataURI"].startswith(f"file://{quote(file)}?offset=")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_of_few_characters_shows_escapes(encoding: str, tmp_path: Path) -> None:
    file = tmp_path / "\u4e2d.dcm"
    shutil.copy(wheel_file("MR_small.dcm"), file)
    env = {**os.environ, "PYTHONIOENCODING": encoding}
    shown = subprocess.run([AGENT, "dump", file], capture_output=True, env=env, check=False)
    assert (shown.returncode, shown.stderr, b"\\u4e2d.dcm" in shown.stdout) == (0, b"", True)
    listed = subprocess.run([AGENT, "check", "--json", file], capture_output=True, env=env, check=False)
    assert json.loads(listed.stdout.decode(encoding))[0]["file"] == str(file)
