"""``wrap``: what it refuses, with a sentence and a status, leaving nothing behind."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.app import cli
from agent.app.source_file import opened

PGM = b"P5 4 2 255\n" + bytes(range(8))
RAW = bytes(range(128, 152))
PDF = b"%PDF-1.4\n%%EOF\n"


@pytest.mark.parametrize(
    ("data", "words", "status", "text"),
    [
        (b"", (), 33, "file is empty"),
        (b"II*\0", (), 33, "is a TIFF"),
        (bytes(128) + b"DICM", (), 33, "is a DICOM file already"),
        (b"\xff\xd8\xff\xe0", (), 33, "cut short"),
        (b"%PDF-1.4", (), 33, "cut short"),
        (b"<a/>", (), 33, "no CDA document"),
        (b'<?xml version="1.0" encoding="shift_jis"?><a/>', (), 33, "UTF-8, UTF-16, ISO-8859-1 and US-ASCII can be"),
        (b"{", (), 33, "is no JSON"),
        (b"{}", (), 33, "exposure events are an object"),
        (b"[" * 100000, (), 33, "nothing that wrap knows"),
        (b'{"a":' * 100000, (), 33, "is no JSON"),
        (PGM[:-1], (), 33, "cut short"),
        (PGM, ("--sop-class", "pdf"), 2, "is a picture and makes no instance of pdf"),
        (PDF, ("--sop-class", "us"), 2, "is pdf and makes no instance of us"),
        (PGM, ("--set", "Nonsense=1"), 2, "neither a tag"),
        (PGM, ("--set", "PatientBirthDate=31.12.1970"), 30, "PatientBirthDate: '31.12.1970' is no date"),
        (PGM, ("--set", "PatientBirthDate=31.12.1970"), 30, "hint: Correct the value in --set KEYWORD=VALUE"),
        (PGM, ("--set", r"PatientID=a\b"), 31, "hint: Say or correct it with --set"),
        (PGM, ("--transfer-syntax", "foo"), 31, "hint: Words for --transfer-syntax are explicit, implicit"),
        (PGM, ("--anatomy", "ELSEWHERE"), 31, "hint: Words are the terms of Body Part Examined"),
        (PGM, ("--frame-time-ms", "40"), 2, "--frame-time-ms is for clips, and sc holds one frame"),
        (PDF, ("--frame-time-ms", "40"), 2, "--frame-time-ms says something of pictures"),
        (PDF, ("--laterality", "L"), 2, "--laterality says something of pictures"),
        (PDF, ("--anatomy", "CHEST"), 2, "--anatomy says something of pictures"),
        (PDF.replace(b"%%EOF", b"trailer <</Encrypt 9 0 R>>\n%%EOF"), (), 33, "the PDF is encrypted"),
        (RAW, ("--rows", "4", "--columns", "6", "--photometric", "BLUE"), 2, "'BLUE' is not one of MONOCHROME1"),
        (RAW, ("--rows", "4", "--columns", "6", "--photometric", "RGB"), 2, "RGB is not of 1 sample per pixel"),
        (RAW, ("--rows", "4", "--columns", "2", "--samples", "3", "--photometric", "MONOCHROME2"), 2, "of 3 samples"),
        (RAW, ("--rows", "4", "--columns", "6", "--bits-stored", "7"), 33, "hint: Check --bits-stored and --signed"),
        (b'{"device": {}, "events": []}', (), 33, "hint: Correct it in the file"),
        (PGM, ("--set", "PatientID"), 2, "KEYWORD=VALUE"),
        (PGM, ("--set", "PatientBirthDate=yesterday"), 30, "is no date"),
        (PGM, ("--sop-class", "us-mf", "--frame-time-ms", "-5"), 2, "--frame-time-ms is 0.001 to 86400000"),
        (PGM, ("--frame-time-ms", "0"), 2, "--frame-time-ms is 0.001 to 86400000"),
        (PGM, ("--frame-time-ms", "nan"), 2, "--frame-time-ms is 0.001 to 86400000"),
        (PGM, ("--frame-time-ms", "1e-310"), 2, "--frame-time-ms is 0.001 to 86400000"),
        (PGM, ("--set", "BurnedInAnnotation=no"), 2, "BurnedInAnnotation is YES or NO; 'no' was given"),
        (PGM, ("--set", "BurnedInAnnotation=MAYBE"), 2, "BurnedInAnnotation is YES or NO"),
        (PDF, ("--set", "BurnedInAnnotation=no"), 2, "BurnedInAnnotation is YES or NO"),
        (PGM, ("--set", "PatientOrientation=L"), 2, r"PatientOrientation is two values such as L\P"),
        (PGM, ("--set", r"PatientOrientation=L\P\F"), 2, "PatientOrientation is two values"),
        (PGM, ("--set", "PatientOrientation=L\\"), 2, "PatientOrientation is two values"),
        (PGM, ("--set", "Modality="), 2, "Modality is a word"),
        (PGM, ("--set", "InstanceNumber=abc"), 2, "InstanceNumber is a whole number up to 2147483647; 'abc' was given"),
        (PGM, ("--set", "InstanceNumber=1.5"), 2, "InstanceNumber is a whole number"),
        (PGM, ("--set", r"InstanceNumber=1\2"), 2, "InstanceNumber is a whole number"),
        (PGM, ("--set", "InstanceNumber=2147483648"), 2, "InstanceNumber is a whole number"),
        (PGM, ("--set", "InstanceNumber="), 2, "InstanceNumber is not empty"),
        (PGM, ("--set", "StudyInstanceUID="), 2, "StudyInstanceUID is not empty"),
        (b'{"events": 1, "events": 2}', (), 33, "says 'events' twice"),
        (b'{"events": [{"kvp": 1e-999999999999999999999}]}', (), 33, "exponent beyond all measure"),
        (b'{"events": [{"kvp": 0e99999999999999999999}]}', (), 33, "exponent beyond all measure"),
        (PGM, ("--set", "KVP=80"), 31, "KVP is in no Module"),
        (PGM, ("--set", "Rows=3"), 31, "Rows of the attributes of the source contradicts"),
        (PGM, ("--sop-class", "us-mf", "--transfer-syntax", "jpeg-2000"), 31, "no instance can be made"),
        (PGM, ("--sop-class", "dx"), 31, "PixelIntensityRelationship is absent"),
        (PGM, ("--rows", "2"), 2, "both --rows and --columns"),
        (PGM, ("--rows", "1", "--columns", "19"), 33, "is a PBM, PGM, PPM or PAM, and --rows"),
        (RAW, ("--rows", "5", "--columns", "5"), 33, "has 24 bytes, and 1 frame of 25 from byte 0 on need 25"),
        (RAW, ("--rows", "2", "--columns", "6"), 33, "Are there 2 frames in it? Say --frames 2."),
        (RAW, ("--rows", "2", "--columns", "6", "--frames", "1"), 33, "Say --frames 2."),
        (RAW, ("--rows", "2", "--columns", "6", "--offset-bytes", "40"), 33, "Check --rows"),
        (RAW, ("--rows", "2", "--columns", "6", "--frames", "0"), 2, "--frames is 1 or more, not 0"),
        (RAW, ("--rows", "2", "--columns", "6", "--offset-bytes", "-1"), 2, "--offset-bytes is 0 or more, not -1"),
        (RAW, ("--rows", "2", "--columns", "6", "--bits-allocated", "0"), 2, "samples of 0 bits per pixel"),
        (PGM, ("--bits-stored", "8"), 2, "--bits-stored is for raw samples"),
        (PGM, ("--signed",), 2, "--signed is for raw samples"),
        (b"\x7fELF" + bytes(20), (), 33, "is a program"),
        (b"\x7fELF" + bytes(20), ("--rows", "4", "--columns", "6"), 33, "give --insist"),
        (PGM, ("--rows", "0", "--columns", "5"), 2, "is no picture"),
        (PGM, ("--anatomy", "ELSEWHERE"), 31, "is not in the table"),
        (
            PGM,
            ("--set", "PatientID=1", "--set", "PatientID=2"),
            2,
            "PatientID is said twice: 1 by --set PatientID and 2",
        ),
        (PGM, ("--set", "PatientID=1", "--set", "00100020=2"), 2, "PatientID is said twice"),
        (
            PGM,
            ("--patient-id", "3", "--set", "PatientID=2"),
            2,
            "said twice: 3 by --patient-id and 2 by --set PatientID",
        ),
        (PGM, ("--patient-name", "A^B", "--set", "PatientName="), 2, "PatientName is said twice"),
        (PDF, ("--title", "A", "--set", "DocumentTitle=B"), 2, "DocumentTitle is said twice"),
        (PGM, ("--title", "A"), 31, "DocumentTitle is in no Module"),
        (
            PGM,
            ("--anatomy", "CHEST", "--set", "BodyPartExamined=HEAD"),
            31,
            "contradicts the acquisition: HEAD and CHEST",
        ),
        (PGM, ("--laterality", "L", "--set", "Laterality=R"), 31, "ImageLaterality is the other side than Laterality"),
        (PGM, ("--laterality", "L", "--set", "ImageLaterality=R"), 31, "contradicts the acquisition: R and L"),
        (PGM, ("--set", "PhotometricInterpretation=RGB"), 31, "contradicts the acquisition: RGB and MONOCHROME2"),
        (PGM, ("--sop-class", "us", "--set", "Modality=DX"), 31, "Modality DX is not one of US"),
    ],
)
def test_refusals_leave_nothing(
    data: bytes, words: tuple[str, ...], status: int, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_bytes(data)
    assert cli.main(["wrap", str(tmp_path / "file"), "-o", str(tmp_path / "out.dcm"), *words]) == status
    assert text in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_missing_and_odd_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ["-o", str(tmp_path / "out.dcm")]
    assert cli.main(["wrap", str(tmp_path / "none"), *out]) == 3
    assert cli.main(["wrap", str(tmp_path), *out]) == 3
    assert f"{tmp_path} is a folder" in capsys.readouterr().err
    (tmp_path / "p.pgm").write_bytes(PGM)
    assert cli.main(["wrap", str(tmp_path / "p.pgm"), "-o", str(tmp_path / "nowhere" / "a.dcm")]) == 3
    assert f"nowhere/a.dcm: there is no folder {tmp_path}/nowhere" in capsys.readouterr().err
    assert cli.main(["wrap", "/dev/null", *out]) == 3
    os.mkfifo(tmp_path / "pipe")  # nobody writes into it
    assert cli.main(["wrap", str(tmp_path / "pipe"), *out]) == 3
    assert "pipe: not a regular file" in capsys.readouterr().err
    assert cli.main(["wrap", str(tmp_path / "pipe"), *out, "--rows", "1", "--columns", "1"]) == 3
    assert cli.main(["wrap", "/dev/zero", *out, "--rows", "1", "--columns", "1"]) == 3
    (tmp_path / "a.pgm").write_bytes(PGM)
    assert cli.main(["wrap", str(tmp_path / "a.pgm"), str(tmp_path / "pipe"), *out]) == 3
    (tmp_path / "b.pgm").write_bytes(b"P5 2 4 255\n" + bytes(8))
    assert cli.main(["wrap", str(tmp_path / "a.pgm"), str(tmp_path / "b.pgm"), *out]) == 2
    assert "differ in size" in capsys.readouterr().err


def test_what_is_empty_is_listed_with_the_way_to_fill_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.pgm").write_bytes(PGM)
    for name, words, shown in (("a", (), True), ("b", ("--anatomy", "CHEST"), False)):
        assert cli.main(["wrap", str(tmp_path / "a.pgm"), "-o", str(tmp_path / name), *words]) == 0
        out = capsys.readouterr().out
        assert "StudyID" in out
        assert "fill them with --set" in out
        assert ("Laterality with --anatomy or --laterality" in out) is shown


def test_what_was_said_is_written(tmp_path: Path) -> None:
    (tmp_path / "a.pgm").write_bytes(PGM)
    words = [r"PatientOrientation=L\F", "BurnedInAnnotation=NO", "InstanceNumber=-7", "ImageComments="]
    said = [word for text in words for word in ("--set", text)]
    assert cli.main(["wrap", str(tmp_path / "a.pgm"), "-o", str(tmp_path / "out.dcm"), *said]) == 0
    with opened(str(tmp_path / "out.dcm")) as file:
        found = file.dataset
    assert found["PatientOrientation"] == ["L", "F"]
    assert (found["BurnedInAnnotation"], found["InstanceNumber"]) == ("NO", -7)


def test_attributes_are_said_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.pgm").write_bytes(PGM)
    (tmp_path / "a.json").write_text('{"PatientID": "1", "PatientID": "2"}')
    words = ["wrap", str(tmp_path / "a.pgm"), "-o", str(tmp_path / "out.dcm"), "--attributes", str(tmp_path / "a.json")]
    assert cli.main(words) == 33
    assert "says 'PatientID' twice" in capsys.readouterr().err


def test_the_same_said_twice_is_no_contradiction(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.pgm").write_bytes(PGM)
    (tmp_path / "a.json").write_text('{"PatientID": "1", "PatientName": "A^B"}')
    words = ["wrap", str(tmp_path / "a.pgm"), "-o", str(tmp_path / "out.dcm"), "--attributes", str(tmp_path / "a.json")]
    assert cli.main([*words, "--patient-id", "2"]) == 2
    assert (
        f"PatientID is said twice: 1 by --attributes {tmp_path}/a.json and 2 by --patient-id" in capsys.readouterr().err
    )
    assert cli.main([*words, "--patient-id", "1", "--set", "PatientID=1", "--set", "PatientName=A^B"]) == 0


def test_raw_samples_that_only_look_like_something_else(tmp_path: Path) -> None:
    (tmp_path / "a.raw").write_bytes(b"\x7fELF" + bytes(20))
    words = ["wrap", str(tmp_path / "a.raw"), "-o", str(tmp_path / "a.dcm"), "--rows", "4", "--columns", "6"]
    assert cli.main(words) == 33
    assert cli.main([*words, "--insist"]) == 0


@pytest.mark.parametrize("mask", [0o022, 0o027, 0o077])
def test_who_may_read_the_file_is_said_by_umask(mask: int, tmp_path: Path) -> None:
    (tmp_path / "a.pgm").write_bytes(PGM)
    before = os.umask(mask)
    try:
        assert cli.main(["wrap", str(tmp_path / "a.pgm"), "-o", str(tmp_path / "a.dcm")]) == 0
    finally:
        os.umask(before)
    assert (tmp_path / "a.dcm").stat().st_mode & 0o777 == 0o666 & ~mask


def test_an_encrypted_pdf_that_everybody_can_open(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(PDF.replace(b"%%EOF", b"trailer <</Encrypt 9 0 R>>\n%%EOF"))
    words = ["wrap", str(tmp_path / "a.pdf"), "-o", str(tmp_path / "a.dcm")]
    assert cli.main(words) == 33
    assert cli.main([*words, "--insist"]) == 0


def test_frames_in_the_order_of_a_shell_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in (1, 2, 10):
        (tmp_path / f"clip{number}.pgm").write_bytes(PGM[:-1] + bytes([number]))
    files = [str(path) for path in sorted(tmp_path.glob("clip*.pgm"))]
    words = ["--sop-class", "us-mf", "--frame-time-ms", "40", "-o"]
    assert cli.main(["wrap", *files, *words, str(tmp_path / "a.dcm")]) == 2
    assert "clip10.pgm is given before " in capsys.readouterr().err
    for order, more, last in (([0, 2, 1], [], 10), ([1, 2, 0], [], None), ([2, 0, 1], [], None), ([0, 0], [], None),
                              ([1, 2, 0], ["--insist"], 1), ([0, 0], ["--insist"], 1)):  # fmt: skip
        made = tmp_path / f"{order}{more}.dcm"
        status = cli.main(["wrap", *(files[at] for at in order), *words, str(made), *more])
        assert (status, made.exists()) == ((2, False) if last is None else (0, True))
        if last is not None:
            with opened(str(made)) as file:
                assert file.pixel_value is not None
                assert file.pread(1, file.pixel_value.end - 1) == bytes([last])
    assert "is given twice and would be two frames" in capsys.readouterr().err
    for name in ("j", "j444", "back"):  # names without a number in the same place have no order of their own
        (tmp_path / f"{name}.pgm").write_bytes(PGM)
    others = [str(tmp_path / f"{name}.pgm") for name in ("j", "j444", "back")]
    assert cli.main(["wrap", *others, *words, str(tmp_path / "f.dcm")]) == 0


def test_an_old_picture_is_no_old_instance(tmp_path: Path) -> None:
    (tmp_path / "a.pgm").write_bytes(PGM)
    words = ["--set", "ContentDate=19990101", "--set", "ContentTime=1200"]
    assert cli.main(["wrap", str(tmp_path / "a.pgm"), "-o", str(tmp_path / "a.dcm"), *words]) == 0
    with opened(str(tmp_path / "a.dcm")) as file:
        ds = file.dataset
    assert (ds.text("ContentDate"), ds.text("ContentTime")) == ("19990101", "1200")
    assert ds.text("InstanceCreationDate") >= "2025"
    item = ds.items_of("ContributingEquipmentSequence")[0]
    assert item.text("ContributionDateTime").startswith(
        ds.text("InstanceCreationDate") + ds.text("InstanceCreationTime")
    )


def test_now_is_told_in_the_time_zone_that_was_said(tmp_path: Path) -> None:
    (tmp_path / "a.pgm").write_bytes(PGM)
    moments = []
    for offset in ("-1100", "+1400"):
        out = str(tmp_path / f"{offset}.dcm")
        assert cli.main(["wrap", str(tmp_path / "a.pgm"), "-o", out, "--set", f"TimezoneOffsetFromUTC={offset}"]) == 0
        with opened(out) as file:
            ds = file.dataset
        assert ds.text("StudyDate") == ds.text("InstanceCreationDate")
        text = f"{ds.text('StudyDate')}{ds.text('StudyTime')}{offset}"
        moments.append(datetime.strptime(text, "%Y%m%d%H%M%S.%f%z"))
    assert abs(moments[1] - moments[0]) < timedelta(minutes=1)
    assert abs(datetime.now(UTC) - moments[0]) < timedelta(minutes=1)
