"""Text as DCMTK converts it to UTF-8, a second judge beside pydicom (``tests/unit/dataset/test_dataset_files.py``)."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pydicom
import pytest

from agent.dataset.dataset import DataSet
from agent.dataset.decode import decode
from agent.dataset.encode import encode
from agent.dataset.tag import SPECIFIC_CHARACTER_SET, tag_str
from agent.dataset.uid import EXPLICIT_VR_LE, SC
from agent.media.part10 import FileMeta, decode_prefix, encode_prefix

if TYPE_CHECKING:
    from collections.abc import Callable

FILES = sorted((Path(os.path.dirname(pydicom.__file__)) / "data" / "charset_files").glob("*.dcm"))
NO_SUCH_CODEC = "Cannot open character encoding"
# What this DCMTK cannot convert, and why; pydicom and we read these alike.
REFUSED = {
    "chrH31.dcm": NO_SUCH_CODEC,  # the iconv that Debian builds it with has no JIS X 0208 of its own
    "chrH32.dcm": NO_SUCH_CODEC,
    "chrJapMulti.dcm": NO_SUCH_CODEC,
    "chrJapMultiExplicitIR6.dcm": NO_SUCH_CODEC,
    "chrSQEncoding.dcm": "Cannot convert character encoding",  # an item in IR 13 and IR 87, in a Data Set in UTF-8
    "chrSQEncoding1.dcm": NO_SUCH_CODEC,
}
WRITTEN = {
    "ISO_IR 100": "M\u00fcller",
    "ISO_IR 101": "W\u0119gry\u0141",
    "ISO_IR 109": "\u0126al\u010b",
    "ISO_IR 110": "\u0100bols\u0137",
    "ISO_IR 144": "\u041b\u044e\u043c",
    "ISO_IR 127": "\u0642\u0628\u0627\u0646\u064a",
    "ISO_IR 126": "\u0394\u03b9\u03bf\u03bd",
    "ISO_IR 138": "\u05e9\u05e8\u05d5\u05df",
    "ISO_IR 148": "\u0130\u015f\u011f",
    "ISO_IR 166": "\u0e44\u0e17\u0e22",
    "ISO_IR 192": "\u738b\u5c0f\u6771",
    "GB18030": "\u738b\u5c0f\u4e1c",
    "\\ISO 2022 IR 149": "Hong^Gildong=\u6d2a^\u5409\u6d1e=\ud64d^\uae38\ub3d9",
    "\\ISO 2022 IR 58": "Zhang^XiaoDong=\u5f20^\u5c0f\u4e1c",
    "ISO 2022 IR 100\\ISO 2022 IR 144": "M\u00fcller^\u041b\u044e x\u00e9",
}


def read(path: Path) -> DataSet:
    data = path.read_bytes()
    meta, offset = decode_prefix(data)
    return decode(data[offset:], meta.transfer_syntax_uid)


def compare(ours: DataSet, theirs: DataSet) -> int:
    """Compare all text; how many values were beyond ASCII."""
    beyond = 0
    for tag in ours.tags():
        if tag & 0xFFFF == 0 or tag == SPECIFIC_CHARACTER_SET:
            continue
        for item, other in zip(ours.items_of(tag), theirs.items_of(tag), strict=True):
            beyond += compare(item, other)
        if isinstance(ours[tag], str | list) and ours.element(tag).vr != "SQ":
            assert ours.text(tag) == theirs.text(tag), tag_str(tag)
            beyond += not ours.text(tag).isascii()
    return beyond


def convert(need: Callable[[str], str], path: Path, converted: Path) -> str:
    result = subprocess.run([need("dcmconv"), "+U8", str(path), str(converted)], capture_output=True, check=False)
    return "" if result.returncode == 0 else result.stderr.decode("utf-8", "replace")


@pytest.mark.parametrize("path", FILES, ids=[path.name for path in FILES])
def test_dcmtk_reads_the_same_text(tmp_path: Path, need: Callable[[str], str], path: Path) -> None:
    said = convert(need, path, tmp_path / "x")
    if path.name in REFUSED:
        assert REFUSED[path.name] in said
        return
    assert said == ""
    assert compare(read(path), read(tmp_path / "x")) > 0


@pytest.mark.parametrize("terms", WRITTEN)
def test_dcmtk_reads_what_we_wrote(tmp_path: Path, need: Callable[[str], str], terms: str) -> None:
    value = terms.split("\\") if "\\" in terms else terms
    ds = DataSet(
        {"SpecificCharacterSet": value, "SOPClassUID": SC, "SOPInstanceUID": "1.2", "PatientName": WRITTEN[terms]}
    )
    path = tmp_path / "x"
    path.write_bytes(encode_prefix(FileMeta(SC, "1.2", EXPLICIT_VR_LE)) + encode(ds, EXPLICIT_VR_LE))
    assert convert(need, path, tmp_path / "y") == ""
    assert read(tmp_path / "y")["PatientName"] == WRITTEN[terms]
