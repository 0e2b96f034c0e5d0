"""The walk over a Data Set: runs of elements change what it costs and nothing that it says."""

from __future__ import annotations

import pytest

from agent.dataset.dataset import DataSet
from agent.dataset.encode import encode
from agent.dataset.uid import DEFLATED_EXPLICIT_VR_LE, EXPLICIT_VR_LE, IMPLICIT_VR_LE, RLE_LOSSLESS
from agent.dataset.values import Fragments
from agent.errors import DecodeError
from agent.spool import walk as page
from agent.spool.walk import Origin, walk

ITEM = DataSet({"PatientID": "7", "StudyInstanceUID": "9.9", "ReferencedSeriesSequence": [DataSet({"Modality": "US"})]})
WHOLE = DataSet({
    "SpecificCharacterSet": "ISO_IR 100", "SOPClassUID": "1.2.1", "SOPInstanceUID": "1.2.5",
    "PatientName": "A^B", "OtherPatientIDsSequence": [ITEM, ITEM],
    "StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.4", "Rows": 2, "PixelData": bytes(6000),
    0xFFFCFFFC: b"\0\0",
})  # fmt: skip
FOUND = Origin("1.2.3", "1.2.4", "1.2.1", "1.2.5")


def outcome(data: bytes, syntax: str, size: int | None = None) -> Origin | str:
    try:
        return walk(lambda length, at: data[at : at + length], len(data) if size is None else size, 0, syntax)
    except DecodeError as error:
        return str(error)


def slowly(data: bytes, syntax: str, size: int | None = None) -> Origin | str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page._Walker, "_pass", lambda _walker, at: at)
        return outcome(data, syntax, size)


@pytest.mark.parametrize("syntax", [EXPLICIT_VR_LE, IMPLICIT_VR_LE, DEFLATED_EXPLICIT_VR_LE])
def test_study_series_and_instance_are_found(syntax: str) -> None:
    assert outcome(encode(WHOLE, syntax), syntax) == FOUND


@pytest.mark.parametrize("syntax", [EXPLICIT_VR_LE, IMPLICIT_VR_LE])
def test_runs_say_the_same_of_every_cut_and_every_damage(syntax: str) -> None:
    small = WHOLE.copy()
    small["PixelData"] = bytes(6)
    data = encode(small, syntax)
    assert outcome(data, syntax) == slowly(data, syntax) == FOUND
    for at in range(len(data)):
        assert outcome(data[:at], syntax) == slowly(data[:at], syntax)
        assert outcome(data, syntax, at) == slowly(data, syntax, at)  # more can be read than was there
        for byte in (0, 0xFE, 0xFF, data[at] ^ 1):
            other = data[:at] + bytes([byte]) + data[at + 1 :]
            assert outcome(other, syntax) == slowly(other, syntax), (at, byte)


@pytest.mark.parametrize("syntax", [EXPLICIT_VR_LE, IMPLICIT_VR_LE, RLE_LOSSLESS])
def test_runs_end_where_the_window_does(syntax: str) -> None:
    many = DataSet({"StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.4"})
    many.set(0x00090010, "OURS", "LO")
    for number in range(250):
        many.set(0x00091000 + number, bytes((40 + number % 30) & ~1), "OB")
    many["PixelData"] = Fragments(b"", (b"ab",)) if syntax == RLE_LOSSLESS else b"ab"
    data = encode(many, syntax)
    assert len(data) > 3 * page.WINDOW_BYTES
    assert outcome(data, syntax) == slowly(data, syntax) == Origin("1.2.3", "1.2.4")
