"""Every DICOM file in the pydicom wheel: read without a crash, valued as pydicom values it, written back as it was."""

from __future__ import annotations

import os
import warnings
import zlib
from array import array
from pathlib import Path
from typing import TYPE_CHECKING

import pydicom
import pytest
from fakes.pydicom_twin import compare

from agent.dataset.decode import Limits, decode
from agent.dataset.encode import encode
from agent.dataset.uid import DEFLATED_EXPLICIT_VR_LE, EXPLICIT_VR_BE, EXPLICIT_VR_LE
from agent.errors import DecodeError, EncodeError, NotDicomError
from agent.media.lenient import read_prefix
from agent.media.part10 import decode_prefix

if TYPE_CHECKING:
    from agent.dataset.dataset import DataSet

ROOT = Path(os.path.dirname(pydicom.__file__)) / "data"
OTHER = {".py", ".pyc", ".json", ".txt"}
FILES = sorted(path for path in ROOT.rglob("*") if path.is_file() and path.suffix not in OTHER)
GENEROUS = Limits(elements=100_000, value_bytes=1 << 28, total_bytes=1 << 28)

# Broken on purpose (or by accident), and what we say about them.
REFUSED = {
    "DICOMDIR-nooffset": "longer than what encloses it",  # an item whose length reaches behind its sequence
    "MR_truncated.dcm": "cut short",  # in Pixel Data
    "rtplan_truncated.dcm": "cut short",  # in an item
    "winter.dcm": "occurs twice",  # two SOP Instance UIDs: whichever we took, somebody takes the other
    "SC_rgb_jpeg.dcm": "not a Value Representation",  # Implicit VR in spite of its transfer syntax
    "empty_charset_LEI.dcm": "Media Storage SOP Class UID is missing",
    "meta_missing_tsyntax.dcm": "Media Storage SOP Class UID is missing",
    "nested_priv_SQ.dcm": "Media Storage SOP Class UID is missing",
}
# What is refused for good; the others are read when PS3.10 and the transfer syntax need not be kept (``lenient``).
DAMAGED = {"DICOMDIR-nooffset", "MR_truncated.dcm", "rtplan_truncated.dcm", "winter.dcm"}
NO_DICOM = {"crayons.icc", "README", "README.md", "rtplan.dump", "rtstruct.dump", "zipMR.gz",
            "no_meta.dcm"}  # fmt: skip  # a stray byte stands in front of it


# Group lengths that are not those of their group are left out.
WRONG_GROUP_LENGTH = {
    "chrJapMulti.dcm": [0x00100000],
    "chrKoreanMulti.dcm": [0x00080000, 0x00100000],
    "693_J2KI.dcm": [0x00080000, 0x00280000, 0x7FE00000],
}


def read(path: Path) -> tuple[DataSet, bytes, str]:
    data = path.read_bytes()
    meta, offset = decode_prefix(data)
    return decode(data[offset:], meta.transfer_syntax_uid, limits=GENEROUS), data[offset:], meta.transfer_syntax_uid


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_a_file_is_read_as_pydicom_reads_it_or_refused(path: Path) -> None:
    try:
        ds, _, syntax = read(path)
    except NotDicomError:
        assert path.read_bytes()[128:132] != b"DICM"
        return
    except DecodeError as error:
        assert REFUSED[path.name] in str(error)  # noqa: PT017  (what is refused depends on the file)
        return
    assert path.name not in REFUSED
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = pydicom.dcmread(path)
        if (
            syntax == EXPLICIT_VR_BE and "PixelData" in theirs and theirs["PixelData"].VR == "OW"
        ):  # we keep all words little endian
            words = array("H", theirs.PixelData)
            words.byteswap()
            theirs.PixelData = words.tobytes()
        compare(ds, theirs, path.name)


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_an_unchanged_file_is_written_back_byte_for_byte(path: Path) -> None:
    try:
        ds, data, syntax = read(path)
    except DecodeError:
        return
    if syntax == EXPLICIT_VR_BE:  # not written
        again = encode(ds, EXPLICIT_VR_LE)
        assert decode(again, EXPLICIT_VR_LE, limits=GENEROUS) == ds
    elif syntax == DEFLATED_EXPLICIT_VR_LE:  # another compressor
        assert inflated(encode(ds, syntax)) == inflated(data)
    elif path.name in WRONG_GROUP_LENGTH:
        again = encode(ds, syntax)
        assert again != data
        for tag in WRONG_GROUP_LENGTH[path.name]:
            del ds[tag]
        assert decode(again, syntax, limits=GENEROUS) == ds
    else:
        assert encode(ds, syntax) == data
        assert encode(ds.copy(), syntax) == data


def inflated(data: bytes) -> bytes:
    return zlib.decompressobj(wbits=-15).decompress(data)


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_a_file_that_breaks_the_rules_of_files_is_read_leniently(path: Path) -> None:
    """The Data Set of every file that is refused otherwise, and of those without DICM."""
    data = path.read_bytes()
    if (data[128:132] == b"DICM" and path.name not in REFUSED) or path.name in DAMAGED:
        return
    try:
        prefix = read_prefix(lambda length, offset: data[offset : offset + length], len(data))
    except NotDicomError:
        assert path.name in NO_DICOM
        return
    body, syntax = data[prefix.data_set_offset :], prefix.syntax
    ds = decode(body, syntax, limits=GENEROUS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compare(ds, pydicom.dcmread(path, force=True), path.name)
    if path.name == "SC_rgb_jpeg.dcm":  # no transfer syntax is encapsulated in Implicit VR
        with pytest.raises(EncodeError, match="fragments are only for"):
            encode(ds, syntax)
    elif syntax != EXPLICIT_VR_BE:
        assert encode(ds, syntax) == body
