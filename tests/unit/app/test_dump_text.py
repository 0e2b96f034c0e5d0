"""What ``dump`` prints of a Data Set."""

from __future__ import annotations

from typing import Any

import pytest

from agent.app.dump_text import data_set_lines, escaped
from agent.dataset.dataset import DataSet
from agent.dataset.decode import decode
from agent.dataset.encode import encode
from agent.dataset.uid import EXPLICIT_VR_LE
from agent.dataset.values import Fragments, Reference


def lines(dataset: DataSet, **how: Any) -> list[str]:
    return [" ".join(line.split()) for line in data_set_lines(dataset, **how)]


def read(values: dict[Any, Any]) -> DataSet:
    return decode(encode(DataSet(values), EXPLICIT_VR_LE), EXPLICIT_VR_LE)


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"Modality": "US"}, "(0008,0060) CS 2 Modality US"),
        ({"StudyDate": None}, "(0008,0020) DA 0 StudyDate -"),
        ({"ImageType": ["A", "B"]}, "(0008,0008) CS 4 ImageType A\\B"),
        ({"PatientWeight": "1.50"}, "(0010,1030) DS 4 PatientWeight 1.50"),
        ({"Rows": 5}, "(0028,0010) US 2 Rows 5"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"},
         "(0008,0016) UI 26 SOPClassUID 1.2.840.10008.5.1.4.1.1.7 (Secondary Capture Image Storage)"),
        ({"FrameIncrementPointer": 0x00181063}, "(0028,0009) AT 4 FrameIncrementPointer (0018,1063) FrameTime"),
        ({"EncapsulatedDocument": b"%PDF"}, "(0042,0011) OB 4 EncapsulatedDocument 25 50 44 46"),
        ({"ImageComments": "a\x1b[31m\nb"}, "(0020,4000) LT 8 ImageComments a\\x1b[31m\\nb"),
        ({"ReferencedImageSequence": []}, "(0008,1140) SQ ReferencedImageSequence 0 items"),
    ],
)  # fmt: skip
def test_a_value_is_shown(values: dict[str, Any], line: str) -> None:
    assert lines(read(values)) == [line]


def test_items_stand_further_in_and_private_elements_have_an_owner() -> None:
    inner = DataSet({"Modality": "CT"})
    inner.set(0x00090010, "ACME 1.1")
    inner.set(0x00091002, b"\1", vr="UN")
    shown = list(data_set_lines(read({"ReferencedSeriesSequence": [inner, DataSet()], "PatientID": "7"})))
    assert [len(line) - len(line.lstrip()) for line in shown] == [0, 2, 4, 4, 4, 2, 0]
    assert "[ACME 1.1] xx02" in shown[4]
    nobody = decode(b"\x09\0\x02\x10UN\0\0\2\0\0\0ab", EXPLICIT_VR_LE)
    assert lines(nobody) == ["(0009,1002) UN 2 [no creator] 61 62"]


def test_long_values_are_cut_unless_they_are_wanted() -> None:
    long = read({"ImageComments": "x" * 500, "EncapsulatedDocument": bytes(500), "SmallestImagePixelValue": 0,
                 "RedPaletteColorLookupTableDescriptor": [0, 0, 16], "FrameTimeVector": [1.0] * 40,
                 "TableOfYBreakPoints": list(range(40))})  # fmt: skip
    short, full = lines(long), lines(long, full=True)
    assert "... (500 characters)" in "".join(short)
    assert "(40 values)" in "".join(short)
    assert all(len(line) < 250 for line in short)
    assert "x" * 500 in "".join(full)
    assert bytes(500).hex(" ") in "".join(full)


def test_what_is_elsewhere_is_said() -> None:
    dataset = DataSet({"EncapsulatedDocument": Reference(700, 1 << 30), "ImageComments": Reference(5, 99999)})
    dataset.set(0x7FE00010, Fragments(b"", (b"ab",)), vr="OB")
    assert lines(dataset, behind={0x00420011: ["begins 25"]}) == [
        "(0020,4000) LT 99999 ImageComments at byte 5",
        "(0042,0011) OB 1073741824 EncapsulatedDocument at byte 700",
        "begins 25",
        "(7FE0,0010) OB PixelData encapsulated, 1 fragment",
    ]


def test_nothing_moves_a_cursor() -> None:
    assert escaped("a\x07\u202eb\x9b\\é") == "a\\x07\\u202eb\\x9b\\é"
