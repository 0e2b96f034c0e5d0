"""No false alarms: ``check`` over every file of the pydicom wheel, beside dciodvfy.

Each file on which the two disagree about having errors is in a table with the reason; nothing else may.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from fakes.judges import dciodvfy_errors

from agent.app.checking import Report, check_file
from agent.dataset.uid import uid_name
from agent.errors import NotDicomError
from agent.iod import tables
from agent.iod.modules import errors

DATA = Path(pydicom.__file__).parent / "data"
NO_DICOM = {".py", ".pyc", ".json", ".txt", ".md", ".icc", ".dump", ".gz", ".dcm.bak"}
FILES = sorted(path for path in DATA.rglob("*") if path.is_file() and path.suffix not in NO_DICOM)

# Files in which check has errors and dciodvfy has none, by what those errors say and why they are right.
ONLY_OURS: dict[str, str] = {
    "encapsulated ones are OB": "PS3.5 A.4: encapsulated Pixel Data have VR OB; dciodvfy does not look",
    "does not carry RGB with bits_allocated 32": "PS3.5 Table 8.2.2-1: RLE Lossless carries up to 16 bits",
    "is no integer string": "PS3.5 6.2 IS; dciodvfy stops at 32 bits allocated before it comes to values",
    "0123.4567.89012345678901' is no UID": "PS3.5 9.1: a component has a leading zero; dciodvfy stops as above",
    "(0002,0003) MediaStorageSOPInstanceUID is": "PS3.10 7.1: not the SOP Instance UID; dciodvfy stops as above",
    "PixelData has 6000 bytes, not the 400": "PS3.5 8.1.1: Number of Frames of the same file is no number",
    "is a private element that no block can hold": "PS3.5 7.8.1: (3109,000D)",
    "is a private creator without a name": "PS3.5 7.8.1: (3109,0020)",
    "a DICOMDIR is in Explicit VR Little Endian": "PS3.10 8.6; dciodvfy does not look at the transfer syntax",
}
# Errors of dciodvfy in files of our SOP Classes in which check has none, and why it need not.
ONLY_THEIRS: dict[str, str] = {
    "Element=<Laterality>": "PS3.3 C.7.3.1: wanted for a paired body part, and no body part is named",
    "PixelData has incorrect value length": "PS3.3 C.7.6.3.1.2: YBR_FULL_422 shares chroma between two pixels",
    "enumerated value <YBR_FULL_422>": "PS3.3 C.7.6.3.1.2: the same file",
    "Dicom dataset read failed": "PS3.5 A.5: it does not inflate a Deflated file",
    "MediaStorageSOPInstanceUID but missing": "PS3.5 A.5: the same file",
    "MediaStorageSOPClassUID but missing": "PS3.5 A.5: the same file",
    "Information Object Not found": "PS3.5 A.5: the same file",
}


def checked(path: Path) -> Report | None:
    try:
        return check_file(str(path))
    except NotDicomError:
        return None


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(DATA)))
def test_no_alarm_is_false(path: Path, need: Callable[[str], str]) -> None:
    need("dciodvfy")
    report = checked(path)
    if report is None:
        assert path.name in {"no_meta.dcm", "README"}
        return
    ours = [str(finding) for finding in errors(report.findings)]
    if ours:
        theirs = dciodvfy_errors(path)
        unexplained = [text for text in ours if not any(part in text for part in ONLY_OURS)]
        assert theirs or not unexplained, unexplained
    elif report.sop_class in {uid_name(each) for each in tables.SOP_CLASSES}:
        unexplained = [text for text in dciodvfy_errors(path) if not any(part in text for part in ONLY_THEIRS)]
        assert not unexplained


def test_the_wheel_brings_enough() -> None:
    assert len(FILES) > 150
