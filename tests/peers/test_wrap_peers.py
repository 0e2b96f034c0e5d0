"""What ``wrap`` makes, judged by dciodvfy, DCMTK, pydicom and Pillow, and beside what DCMTK makes of the same files."""

from __future__ import annotations

import itertools
import json
import subprocess
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
import pytest
from fakes.cda import cda
from fakes.exposures import exposures
from PIL import Image
from pydicom.sr._concepts_dict import concepts

from agent.app import cli
from agent.iod import dose_events, dose_report, rules_dose
from agent.iod.content import Row

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
CDA = cda(
    ids='<id root="1.2.276.0.76.3.1.99" extension="42"/>',
    birth='<birthTime value="19700101"/>',
    title="<title>Befund Ä</title>",
)
PATIENT = ("--patient-id", "42", "--patient-name", "DÖE^JANE", "--set", "PatientBirthDate=19700101",
           "--set", "PatientSex=F", "--set", "Manufacturer=Bench Works", "--set", "StudyID=S1")  # fmt: skip
DX = ("--anatomy", "CHEST", "--set", r"PatientOrientation=L\F", "--set", r"ImagerPixelSpacing=0.14\0.14",
      "--set", "PixelIntensityRelationship=LIN", "--set", "PixelIntensityRelationshipSign=1")  # fmt: skip
# What a person would have to know, and what follows from an empty Patient Orientation and Laterality.
KNOWN_WARNINGS = ("only permitted to be empty when actually unknown", "needed to build DICOMDIR")

GREY = (np.add.outer(np.arange(48), np.arange(64)) * 2).astype(np.uint8)
COLOUR = np.stack([GREY, GREY[::-1], GREY[:, ::-1]], -1)
WIDE = GREY.astype(np.uint16) * 200


def wrap(out: Path, *words: str | Path) -> pydicom.Dataset:
    assert cli.main(["wrap", *map(str, words), "-o", str(out)]) == 0
    return pydicom.dcmread(out)


def judge(need: Callable[[str], str], path: Path) -> None:
    result = subprocess.run([need("dciodvfy"), str(path)], capture_output=True, text=True, check=False, timeout=30)
    said = (result.stdout + result.stderr).splitlines()
    bad = [line for line in said if "Error" in line or "Warning" in line]
    assert [line for line in bad if not any(known in line for known in KNOWN_WARNINGS)] == []
    assert cli.main(["check", str(path)]) == 0


def pictures(folder: Path) -> dict[str, tuple[Path, np.ndarray[Any, Any]]]:
    made = {"grey.png": GREY, "colour.png": COLOUR, "wide.png": WIDE, "grey.pgm": GREY, "colour.ppm": COLOUR}
    for name, data in made.items():
        Image.fromarray(data).save(folder / name)
    Image.fromarray(COLOUR).convert("P").save(folder / "palette.png")
    found = {name: (folder / name, data) for name, data in made.items()}
    found["palette.png"] = (folder / "palette.png", np.asarray(Image.open(folder / "palette.png").convert("RGB")))
    return found


@pytest.mark.parametrize("syntax", ["explicit", "rle"])
@pytest.mark.parametrize("name", ["grey.png", "colour.png", "wide.png", "palette.png", "grey.pgm", "colour.ppm"])
def test_pictures_come_out_as_they_went_in(name: str, syntax: str, need: Callable[[str], str], tmp_path: Path) -> None:
    path, data = pictures(tmp_path)[name]
    read = wrap(tmp_path / "a.dcm", path, *PATIENT, "--transfer-syntax", syntax)
    assert np.array_equal(read.pixel_array, data)
    assert str(read.PatientName) == "DÖE^JANE"
    assert read.BitsStored == (16 if name == "wide.png" else 8)
    judge(need, tmp_path / "a.dcm")


ROUNDING = 4  # pydicom makes RGB of the YCbCr that Pillow rounded, Pillow alone does both at once
JPEGS: dict[str, dict[str, Any]] = {
    "420": {"subsampling": 2},
    "422": {"subsampling": 1},
    "444": {"subsampling": 0},
    "rgb": {"keep_rgb": True},
    "grey": {},
    "odd": {},
}


@pytest.mark.parametrize("kind", ["sc", "vl-photo", "us"])
@pytest.mark.parametrize("name", JPEGS)
def test_jpeg_is_carried_byte_for_byte(name: str, kind: str, need: Callable[[str], str], tmp_path: Path) -> None:
    source, out = tmp_path / "a.jpg", tmp_path / "a.dcm"
    data = GREY if name == "grey" else COLOUR[:, :63] if name == "odd" else COLOUR
    Image.fromarray(data).save(source, quality=90, **JPEGS[name])
    if name == "rgb" and kind != "sc":
        assert cli.main(["wrap", str(source), "-o", str(out), "--sop-class", kind]) == 33
        assert not out.exists()
        return
    read = wrap(out, source, *PATIENT, "--sop-class", kind)
    stream = source.read_bytes()
    frame = next(pydicom.encaps.generate_frames(read.PixelData, number_of_frames=1))
    assert frame[: len(stream)] == stream
    assert len(frame) - len(stream) == len(stream) % 2
    assert read.file_meta.TransferSyntaxUID == pydicom.uid.JPEGBaseline8Bit
    wanted = {"rgb": "RGB", "grey": "MONOCHROME2"}.get(name, "YBR_FULL_422")
    assert read.PhotometricInterpretation == wanted
    assert read.LossyImageCompression == "01"
    assert float(read.LossyImageCompressionRatio) == pytest.approx(data.size / len(stream), abs=0.001)
    assert read.LossyImageCompressionMethod == "ISO_10918_1"
    shown = np.asarray(Image.open(source), dtype=int)
    if name != "rgb":
        assert np.abs(read.pixel_array.astype(int) - shown).max() <= ROUNDING
    if name != "odd":  # dciodvfy is content with it; DCMTK and others too
        subprocess.run([need("dcmdjpeg"), str(out), str(tmp_path / "native.dcm")], check=True, timeout=30)
        native = pydicom.dcmread(tmp_path / "native.dcm").pixel_array.astype(int)
        if wanted != "YBR_FULL_422" or name == "444":
            assert np.abs(native - shown).max() <= 4
    judge(need, out)


def test_lossless_jpeg_and_jpeg_ls_of_dcmtk(need: Callable[[str], str], tmp_path: Path) -> None:
    Image.fromarray(WIDE).save(tmp_path / "wide.png")
    wrap(tmp_path / "native.dcm", tmp_path / "wide.png", *PATIENT)
    for program, options, syntax, lossy in (
        ("dcmcjpeg", ["+e1"], pydicom.uid.JPEGLosslessSV1, False),
        ("dcmcjpeg", ["+el", "+sv", "6"], pydicom.uid.JPEGLossless, False),
        ("dcmcjpls", ["+el"], pydicom.uid.JPEGLSLossless, False),
        ("dcmcjpls", ["+en", "+md", "2"], pydicom.uid.JPEGLSNearLossless, True),
    ):
        coded = tmp_path / "coded.dcm"
        subprocess.run([need(program), *options, str(tmp_path / "native.dcm"), str(coded)], check=True, timeout=30)
        stream = next(pydicom.encaps.generate_frames(pydicom.dcmread(coded).PixelData, number_of_frames=1))
        (tmp_path / "a.jpg").write_bytes(stream)
        out = tmp_path / f"{program}{options[-1]}.dcm"
        read = wrap(out, tmp_path / "a.jpg", *PATIENT)
        assert read.file_meta.TransferSyntaxUID == syntax
        assert (read.get("LossyImageCompression") == "01") is lossy
        assert read.BitsAllocated == read.BitsStored == 16
        decoder = "dcmdjpeg" if program == "dcmcjpeg" else "dcmdjpls"
        subprocess.run([need(decoder), str(out), str(tmp_path / "back.dcm")], check=True, timeout=30)
        back = pydicom.dcmread(tmp_path / "back.dcm").pixel_array.astype(int)
        assert np.abs(back - WIDE).max() <= (2 if lossy else 0)
        judge(need, out)


def test_several_pictures_make_frames(need: Callable[[str], str], tmp_path: Path) -> None:
    found = pictures(tmp_path)
    names = ["colour.png", "colour.ppm", "palette.png"]
    pages = wrap(tmp_path / "pages.dcm", *(found[name][0] for name in names), *PATIENT)
    assert list(pages.PageNumberVector) == [1, 2, 3]
    assert np.array_equal(pages.pixel_array, np.stack([found[name][1] for name in names]))
    judge(need, tmp_path / "pages.dcm")
    clip = wrap(
        tmp_path / "clip.dcm", found["grey.png"][0], found["grey.pgm"][0], *PATIENT, "--frame-time-ms", "40",
        "--transfer-syntax", "rle", "--sop-class", "us-mf",
    )  # fmt: skip
    assert clip.FrameTime == 40
    assert np.array_equal(clip.pixel_array, np.stack([GREY, GREY]))
    judge(need, tmp_path / "clip.dcm")


def test_compressed_pictures_make_frames(need: Callable[[str], str], tmp_path: Path) -> None:
    for name, data in (("a.jpg", COLOUR), ("b.jpg", COLOUR[::-1])):
        Image.fromarray(data).save(tmp_path / name)
    read = wrap(tmp_path / "a.dcm", tmp_path / "a.jpg", tmp_path / "b.jpg", *PATIENT)
    frames = list(pydicom.encaps.generate_frames(read.PixelData, number_of_frames=2))
    for name, frame in zip(("a.jpg", "b.jpg"), frames, strict=True):
        stream = (tmp_path / name).read_bytes()
        assert frame[: len(stream)] == stream
    judge(need, tmp_path / "a.dcm")


def test_raw_samples(need: Callable[[str], str], tmp_path: Path) -> None:
    samples = GREY.astype("<i2") - 100
    words = ["--rows", "48", "--columns", "64", "--bits-stored", "12", "--signed", "--offset-bytes", "4"]
    (tmp_path / "b.raw").write_bytes(b"head" + samples.tobytes())
    read = wrap(tmp_path / "b.dcm", tmp_path / "b.raw", *words, *PATIENT)
    assert np.array_equal(read.pixel_array, samples)
    judge(need, tmp_path / "b.dcm")


def test_a_radiograph_from_png(need: Callable[[str], str], tmp_path: Path) -> None:
    Image.fromarray(WIDE).save(tmp_path / "wide.png")
    read = wrap(tmp_path / "dx.dcm", tmp_path / "wide.png", *PATIENT, *DX, "--sop-class", "dx")
    assert np.array_equal(read.pixel_array, WIDE)
    assert read.BurnedInAnnotation == "YES"
    judge(need, tmp_path / "dx.dcm")


# What DCMTK writes and we do not, and why.
DCMTK_ONLY = {
    "InstanceCreatorUID",  # type 3
    "SpecificCharacterSet",  # ours only where text needs it
    "PixelAspectRatio",  # from a JFIF density; square is the default
    "SeriesDate", "SeriesTime", "AcquisitionDate", "AcquisitionTime",  # type 3; we do not know when
    "PatientComments", "SeriesDescription", "StudyDescription", "ImageComments",  # type 3
    "SecondaryCaptureDeviceManufacturer", "SecondaryCaptureDeviceManufacturerModelName",
    "SecondaryCaptureDeviceSoftwareVersions",
}  # fmt: skip


def test_beside_img2dcm(need: Callable[[str], str], tmp_path: Path) -> None:
    Image.fromarray(COLOUR).save(tmp_path / "a.jpg")
    subprocess.run([need("img2dcm"), str(tmp_path / "a.jpg"), str(tmp_path / "theirs.dcm")], check=True, timeout=30)
    theirs = pydicom.dcmread(tmp_path / "theirs.dcm")
    ours = wrap(tmp_path / "ours.dcm", tmp_path / "a.jpg", *PATIENT)
    beside(ours, theirs)
    mine, its = (next(pydicom.encaps.generate_frames(one.PixelData, number_of_frames=1)) for one in (ours, theirs))
    jfif = 2 + int.from_bytes(mine[4:6], "big")
    assert (mine[:2] + mine[2 + jfif :]).rstrip(b"\0") == its.rstrip(b"\0")  # img2dcm takes the JFIF segment out


@pytest.mark.parametrize("kind", ["pdf", "cda"])
def test_documents_beside_dcmtk(kind: str, need: Callable[[str], str], tmp_path: Path) -> None:
    data, name = (PDF, "a.pdf") if kind == "pdf" else (CDA, "a.xml")
    (tmp_path / name).write_bytes(data)
    command = [need(f"{kind}2dcm"), str(tmp_path / name), str(tmp_path / "theirs.dcm")]
    subprocess.run(command, check=True, timeout=30, capture_output=True)
    ours = wrap(tmp_path / "ours.dcm", tmp_path / name, *PATIENT)
    theirs = pydicom.dcmread(tmp_path / "theirs.dcm")
    beside(ours, theirs)
    assert ours.EncapsulatedDocument[: ours.EncapsulatedDocumentLength] == data
    assert ours.EncapsulatedDocument == theirs.EncapsulatedDocument
    assert ours.MIMETypeOfEncapsulatedDocument.lower() == theirs.MIMETypeOfEncapsulatedDocument.lower()
    if kind == "cda":
        assert ours.HL7InstanceIdentifier == theirs.HL7InstanceIdentifier
        assert ours.DocumentTitle == "Befund Ä"  # theirs are bytes of UTF-8 called ISO_IR 100
        assert ours.ConceptNameCodeSequence[0].CodeValue == "18748-4"  # theirs is empty
    judge(need, tmp_path / "ours.dcm")


def test_the_patient_of_a_cda_is_whom_dcmtk_reads(need: Callable[[str], str], tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_bytes(CDA)
    command = [need("cda2dcm"), str(tmp_path / "a.xml"), str(tmp_path / "theirs.dcm")]
    subprocess.run(command, check=True, timeout=30, capture_output=True)
    theirs, ours = pydicom.dcmread(tmp_path / "theirs.dcm"), wrap(tmp_path / "ours.dcm", tmp_path / "a.xml")
    name = str(theirs.PatientName).encode("latin-1").decode()  # they call the bytes of the document ISO_IR 100
    assert str(ours.PatientName) == name.rstrip("^")
    for keyword in ("PatientID", "PatientBirthDate", "PatientSex"):
        assert ours[keyword].value == theirs[keyword].value
    issuer = ours.IssuerOfPatientIDQualifiersSequence[0]
    assert (issuer.UniversalEntityID, issuer.UniversalEntityIDType) == ("1.2.276.0.76.3.1.99", "ISO")


@pytest.mark.parametrize("odd", [0, 1])
@pytest.mark.parametrize("kind", ["pdf", "cda"])
@pytest.mark.parametrize("syntax", ["explicit", "implicit", "deflated"])
def test_others_get_the_same_bytes_out(
    syntax: str, kind: str, odd: int, need: Callable[[str], str], tmp_path: Path
) -> None:
    data = PDF if kind == "pdf" else CDA
    data += b"\n" * ((len(data) + odd) % 2)
    (tmp_path / "a").write_bytes(data)
    path, out = tmp_path / "a.dcm", tmp_path / "out"
    read = wrap(path, tmp_path / "a", *PATIENT, "--transfer-syntax", syntax)
    assert read.EncapsulatedDocument[: read.EncapsulatedDocumentLength] == data
    if syntax != "deflated":  # dciodvfy does not inflate
        judge(need, path)
    if kind == "pdf":
        subprocess.run([need("dcm2pdf"), str(path), str(out)], check=True, timeout=30)
    else:
        subprocess.run([need("gdcmraw"), "-t", "42,11", "-i", str(path), "-o", str(out)], check=True, timeout=30)
    pad = b"\0" * (kind == "cda" and len(data) % 2)  # gdcmraw gives the value, dcm2pdf the document
    assert out.read_bytes() == data + pad


def beside(ours: pydicom.Dataset, theirs: pydicom.Dataset) -> None:
    assert ours.SOPClassUID == theirs.SOPClassUID
    assert ours.file_meta.TransferSyntaxUID == theirs.file_meta.TransferSyntaxUID
    lacking = {element.keyword for element in theirs if element.tag not in ours and not element.is_empty}
    assert lacking <= DCMTK_ONLY


# --- dose --------------------------------------------------------------------------------------


def dose_file(tmp_path: Path) -> Path:
    (tmp_path / "exposures.json").write_text(json.dumps(exposures()))
    wrap(tmp_path / "dose.dcm", tmp_path / "exposures.json", *PATIENT[:8], "--set", "StudyID=S1")
    return tmp_path / "dose.dcm"


def test_the_dose_report_is_clean(need: Callable[[str], str], tmp_path: Path) -> None:
    judge(need, dose_file(tmp_path))


def test_dcmtk_reads_the_tree_and_writes_it_back(need: Callable[[str], str], tmp_path: Path) -> None:
    path = dose_file(tmp_path)
    text = subprocess.run([need("dsrdump"), str(path)], capture_output=True, text=True, check=True, timeout=30)
    assert "X-Ray Radiation Dose SR Document" in text.stdout
    assert [line for line in text.stderr.splitlines() if not line.startswith("W: The VR checker")] == []
    subprocess.run([need("dsr2xml"), str(path), str(tmp_path / "a.xml")], check=True, timeout=30)
    subprocess.run([need("xml2dsr"), str(tmp_path / "a.xml"), str(tmp_path / "b.dcm")], check=True, timeout=30)
    ours, theirs = pydicom.dcmread(path), pydicom.dcmread(tmp_path / "b.dcm")
    assert list(walk(ours)) == list(walk(theirs))
    assert len(list(walk(ours))) > 60


def walk(item: pydicom.Dataset, depth: int = 0) -> Any:
    """Every content item: depth, relationship, type, concept, value."""
    for child in item.get("ContentSequence", []):
        name = child.ConceptNameCodeSequence[0]
        value: Any = None
        if child.ValueType == "CODE":
            value = (child.ConceptCodeSequence[0].CodeValue, child.ConceptCodeSequence[0].CodeMeaning)
        elif child.ValueType == "NUM" and child.MeasuredValueSequence:
            measured = child.MeasuredValueSequence[0]
            value = (str(measured.NumericValue), measured.MeasurementUnitsCodeSequence[0].CodeValue)
        elif child.ValueType in ("TEXT", "UIDREF", "DATETIME"):
            value = str(child.get({"TEXT": "TextValue", "UIDREF": "UID", "DATETIME": "DateTime"}[child.ValueType]))
        yield depth, child.RelationshipType, child.ValueType, name.CodeValue, name.CodeMeaning, value
        yield from walk(child, depth + 1)


def test_values_read_back_are_those_that_came_in(tmp_path: Path) -> None:
    read = pydicom.dcmread(dose_file(tmp_path))
    events = [one for one in read.ContentSequence if one.ConceptNameCodeSequence[0].CodeValue == "113706"]
    numbers = itertools.count()
    report = dose_events.read(json.loads(json.dumps(exposures()), parse_float=Decimal), lambda: f"2.25.{next(numbers)}")
    keys = {row.name.value: row.key for row in dose_report.EVENT_ROWS if row.type == "NUM"}
    for item, event in zip(events, report.events, strict=True):
        said = {code: Decimal(value[0]) for *_, kind, code, _, value in walk(item) if kind == "NUM" and value}
        wanted = {code: getattr(event, key) for code, key in keys.items() if getattr(event, key) is not None}
        assert said == wanted


CODES = {
    (code, scheme): meaning
    for scheme, words in concepts.items()
    for word, meanings in words.items()
    if not word.endswith("_Retired")
    for code, (meaning, _) in meanings.items()
}
OTHER_WORDS = {"363703001": "Has Intent"}  # pydicom names it as SNOMED does; PS3.16 TID 10001 row 3


@pytest.mark.parametrize("template", ["TID_10001", "TID_10001_END", "TID_10002", "EVENT_ROWS"])
def test_concepts_are_those_of_the_standard(template: str) -> None:
    rows: tuple[Row, ...] = getattr(dose_report, template)
    for row in rows:
        meaning = CODES[row.name.value, row.name.scheme]
        assert row.name.meaning in (meaning, OTHER_WORDS.get(row.name.value))


def test_rows_that_check_asks_for_have_the_names_of_the_standard() -> None:
    for *_, code, meaning, _template in rules_dose.ROWS:
        said = {CODES[code, scheme] for scheme in ("DCM", "SCT") if (code, scheme) in CODES}
        assert meaning in said | {OTHER_WORDS.get(code)}


@pytest.mark.parametrize("table", ["FILTER_MATERIALS", "FILTER_TYPES", "REFERENCE_POINTS"])
def test_listed_codes_are_those_of_the_standard(table: str) -> None:
    for line in getattr(dose_events, table).splitlines():
        concept, meaning = line.split("|")
        scheme, code = concept.split(":")
        assert CODES[code, scheme] == meaning
