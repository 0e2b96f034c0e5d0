"""Files that other packages bring, and files that their tools write in every form they know.

Each is read as pydicom reads it and written back byte for byte. GDCM and dicom3tools bring one file each, DCMTK dumps
that its ``dump2dcm`` makes files of; the highdicom wheel brings none.
"""

from __future__ import annotations

import os
import subprocess
import warnings
from array import array
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pydicom
import pytest
from fakes.pydicom_twin import compare

from agent.dataset.decode import Limits, decode
from agent.dataset.encode import encode
from agent.dataset.uid import DEFLATED_EXPLICIT_VR_LE, EXPLICIT_VR_BE, EXPLICIT_VR_LE
from agent.dataset.values import Fragments
from agent.media.lenient import read_prefix

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.dataset.dataset import DataSet

DATA = Path(os.path.dirname(pydicom.__file__)) / "data"
BROUGHT = [
    Path("/usr/share/doc/libgdcm3.0/examples/00191113.dcm"),
    Path("/usr/share/doc/dicom3tools/examples/0051.dcm"),
]
DUMPS = sorted(Path("/usr/share/doc/dcmtk/examples/wlistdb/OFFIS").glob("*.dump"))
SOURCES = ["rtplan.dcm", "reportsi.dcm", "CT_small.dcm", "liver_1frame.dcm", "priv_SQ.dcm", "waveform_ecg.dcm"]
DCMCONV = {
    "implicit, undefined, group lengths": ["+ti", "-e", "+g"],
    "explicit, undefined, group lengths": ["+te", "-e", "+g"],
    "explicit, defined, padded": ["+te", "+e", "+p", "2048", "256"],
    "big endian, undefined": ["+tb", "-e"],
    "big endian, defined, group lengths": ["+tb", "+e", "+g"],
    "deflated": ["+td"],
    "new VRs as UN": ["+te", "-u"],
}
GDCMCONV = {
    "implicit": ["--implicit"],
    "explicit": ["--explicit"],
    "UN": ["--explicit", "--use-dict"],
    "RLE": ["--rle"],
}


def run(*command: str) -> None:
    result = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert result.returncode == 0, f"{command}: {result.stderr.decode('utf-8', 'replace')[-500:]}"


def judge(path: Path) -> DataSet:
    """Read as pydicom does, and write back as it was."""
    data = path.read_bytes()
    prefix = read_prefix(lambda length, offset: data[offset : offset + length], len(data))
    body, syntax = data[prefix.data_set_offset :], prefix.syntax
    limits = Limits(elements=100_000)
    ds = decode(body, syntax, limits=limits)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = pydicom.dcmread(path)
        compare(ds, little_endian(theirs) if syntax == EXPLICIT_VR_BE else theirs, path.name)
    if syntax not in {EXPLICIT_VR_BE, DEFLATED_EXPLICIT_VR_LE}:
        assert encode(ds, syntax) == body
    if any(isinstance(element.value, Fragments) for element in ds):
        return ds
    target = EXPLICIT_VR_LE if syntax == EXPLICIT_VR_BE else syntax
    back = decode(encode(ds, target, canonical=True), target, limits=limits)
    assert [tag for tag in ds.tags() if tag & 0xFFFF] == [tag for tag in back.tags() if tag & 0xFFFF]
    return ds


def little_endian(theirs: Any) -> Any:
    """Words are little endian in all our Data Sets."""
    for element in theirs.iterall():
        if element.VR == "OW" and element.value:
            words = array("H", element.value)
            words.byteswap()
            element.value = words.tobytes()
    return theirs


@pytest.mark.parametrize("path", BROUGHT, ids=[path.name for path in BROUGHT])
def test_files_that_packages_bring(need: Callable[[str], str], path: Path) -> None:
    need("gdcmconv" if "gdcm" in str(path) else "dciodvfy")
    if not path.exists():
        pytest.skip(f"this package does not bring {path.name}")
    assert len(judge(path)) >= 40


@pytest.mark.parametrize("path", DUMPS, ids=[path.name for path in DUMPS])
@pytest.mark.parametrize("options", [["+ti", "-e"], ["+te", "+e", "+g"]], ids=["implicit", "explicit"])
def test_worklists_of_dcmtk(tmp_path: Path, need: Callable[[str], str], path: Path, options: list[str]) -> None:
    run(need("dump2dcm"), *options, str(path), str(tmp_path / "x"))
    assert judge(tmp_path / "x").items_of("ScheduledProcedureStepSequence")


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("form", DCMCONV)
def test_what_dcmconv_makes(tmp_path: Path, need: Callable[[str], str], name: str, form: str) -> None:
    run(need("dcmconv"), *DCMCONV[form], str(DATA / "test_files" / name), str(tmp_path / "x"))
    judge(tmp_path / "x")


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("form", GDCMCONV)
def test_what_gdcmconv_makes(tmp_path: Path, need: Callable[[str], str], name: str, form: str) -> None:
    command = [need("gdcmconv"), *GDCMCONV[form], str(DATA / "test_files" / name), str(tmp_path / "x")]
    result = subprocess.run(command, capture_output=True, timeout=60, check=False)
    if result.returncode == 0:
        judge(tmp_path / "x")
    else:
        assert form == "RLE" or name == "priv_SQ.dcm"  # it wants pixels, and lengths that it understands
