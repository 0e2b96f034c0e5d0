"""``wrap``: what it refuses, with a sentence and a status, leaving nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.app import cli

PGM = b"P5 4 2 255\n" + bytes(range(8))
PDF = b"%PDF-1.4\n%%EOF\n"


@pytest.mark.parametrize(
    ("data", "words", "status", "text"),
    [
        (b"", (), 33, "nothing that wrap knows"),
        (b"II*\0", (), 33, "is a TIFF"),
        (bytes(128) + b"DICM", (), 33, "is a DICOM file already"),
        (b"\xff\xd8\xff\xe0", (), 33, "cut short"),
        (b"%PDF-1.4", (), 33, "cut short"),
        (b"<a/>", (), 33, "no CDA document"),
        (b"{", (), 33, "is no JSON"),
        (b"{}", (), 33, "exposure events are an object"),
        (b"[" * 100000, (), 33, "nothing that wrap knows"),
        (b'{"a":' * 100000, (), 33, "is no JSON"),
        (PGM[:-1], (), 33, "cut short"),
        (PGM, ("--sop-class", "pdf"), 2, "is a picture and makes no instance of pdf"),
        (PDF, ("--sop-class", "us"), 2, "is pdf and makes no instance of us"),
        (PGM, ("--set", "Nonsense=1"), 2, "neither a tag"),
        (PGM, ("--set", "PatientID"), 2, "KEYWORD=VALUE"),
        (PGM, ("--set", "PatientBirthDate=yesterday"), 30, "is no date"),
        (PGM, ("--set", "KVP=80"), 31, "KVP is in no Module"),
        (PGM, ("--set", "Rows=3"), 31, "Rows of the attributes of the source contradicts"),
        (PGM, ("--sop-class", "us-mf", "--transfer-syntax", "jpeg-2000"), 31, "no instance can be made"),
        (PGM, ("--sop-class", "dx"), 31, "PixelIntensityRelationship is absent"),
        (PGM, ("--rows", "2"), 2, "both --rows and --columns"),
        (PGM, ("--rows", "5", "--columns", "5"), 33, "not whole frames"),
        (PGM, ("--rows", "0", "--columns", "5"), 2, "is no picture"),
        (PGM, ("--anatomy", "ELSEWHERE"), 31, "is not in the table"),
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
    assert cli.main(["wrap", "/dev/null", *out]) == 3
    (tmp_path / "a.pgm").write_bytes(PGM)
    (tmp_path / "b.pgm").write_bytes(b"P5 2 4 255\n" + bytes(8))
    assert cli.main(["wrap", str(tmp_path / "a.pgm"), str(tmp_path / "b.pgm"), *out]) == 2
    assert "differ in size" in capsys.readouterr().err
