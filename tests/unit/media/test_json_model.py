"""The DICOM JSON Model: what PS3.18 Annex F shows, what a person types, and what is refused."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from agent.dataset.dataset import DataSet
from agent.dataset.decode import decode
from agent.dataset.encode import encode
from agent.dataset.uid import EXPLICIT_VR_LE
from agent.dataset.values import Fragments
from agent.errors import DecodeError, LimitError
from agent.media.json_model import MAX_DEPTH, from_json, to_json

# value in memory -> attribute in JSON
PAIRS: list[tuple[str, Any, dict[str, Any]]] = [
    ("PatientID", "A 1", {"vr": "LO", "Value": ["A 1"]}),
    ("PatientName", "DOE^J=X=Y", {"vr": "PN", "Value": [{"Alphabetic": "DOE^J", "Ideographic": "X", "Phonetic": "Y"}]}),
    ("PatientName", "==Y", {"vr": "PN", "Value": [{"Phonetic": "Y"}]}),
    ("StudyDate", None, {"vr": "DA"}),
    ("ImageType", ["ORIGINAL", "", "X"], {"vr": "CS", "Value": ["ORIGINAL", None, "X"]}),
    ("InstanceNumber", 7, {"vr": "IS", "Value": [7]}),
    ("PixelSpacing", [0.5, 2.0], {"vr": "DS", "Value": [0.5, 2.0]}),
    ("Rows", 512, {"vr": "US", "Value": [512]}),
    ("FrameIncrementPointer", 0x00181063, {"vr": "AT", "Value": ["00181063"]}),
    ("ExtendedOffsetTable", b"\x08" + bytes(7), {"vr": "OV", "InlineBinary": "CAAAAAAAAAA="}),
    ("ReferencedImageSequence", [], {"vr": "SQ"}),
    (
        "ReferencedImageSequence",
        [DataSet({"ReferencedSOPInstanceUID": "1.2"}), DataSet()],
        {"vr": "SQ", "Value": [{"00081155": {"vr": "UI", "Value": ["1.2"]}}, {}]},
    ),
    ("SelectorUVValue", 2**64 - 1, {"vr": "UV", "Value": [2**64 - 1]}),
    ("TimeRange", [math.inf, -math.inf], {"vr": "FD", "Value": ["inf", "-inf"]}),
]


@pytest.mark.parametrize(("keyword", "value", "expected"), PAIRS)
def test_a_value_goes_out_and_comes_back(keyword: str, value: Any, expected: dict[str, Any]) -> None:
    dataset = DataSet({keyword: value})
    shown = to_json(dataset)
    assert list(shown.values()) == [expected]
    again = from_json(json.loads(json.dumps(shown, allow_nan=False)))
    assert again == dataset


def test_what_was_decoded_comes_back_as_bytes() -> None:
    dataset = DataSet({keyword: value for keyword, value, _ in PAIRS})
    dataset.set(0x00090010, "MINE")
    dataset.set(0x00091001, b"\1\2", vr="UN")
    data = encode(dataset, EXPLICIT_VR_LE)
    assert encode(from_json(to_json(decode(data, EXPLICIT_VR_LE))), EXPLICIT_VR_LE) == data


def test_no_number_is_said_in_text() -> None:
    assert to_json(DataSet({"EventTimeOffset": math.nan})) == {"00082134": {"vr": "FD", "Value": ["NaN"]}}


def test_group_lengths_stay_away_and_text_is_unicode() -> None:
    dataset = DataSet({0x00080000: 4, "SpecificCharacterSet": "ISO_IR 100", "PatientName": "Änne"})
    assert list(to_json(dataset)) == ["00080005", "00100010"]
    assert to_json(dataset)["00080005"]["Value"] == ["ISO_IR 192"]


def test_a_choice_of_vr_follows_pixel_representation() -> None:
    signed = DataSet({"PixelRepresentation": 1, "SmallestImagePixelValue": -5})
    assert to_json(signed)["00280106"] == {"vr": "SS", "Value": [-5]}
    item = DataSet({"PixelRepresentation": 1, "ModalityLUTSequence": [DataSet({"LUTDescriptor": [2, -1, 16]})]})
    assert to_json(item)["00283000"]["Value"][0]["00283002"]["vr"] == "SS"


def test_bytes_that_are_no_numbers_are_unknown() -> None:
    odd = decode(b"\x28\x00\x10\x00US\x03\x00abc", EXPLICIT_VR_LE)
    assert to_json(odd) == {"00280010": {"vr": "UN", "InlineBinary": "YWJj"}}


def test_bulk_data_may_be_elsewhere() -> None:
    dataset = DataSet({"PixelData": b"\0\1", "EncapsulatedDocument": b"%PDF"})
    shown = to_json(dataset, bulk_uri=lambda element: "x#1" if element.tag == 0x7FE00010 else None)
    assert shown["7FE00010"] == {"vr": "OW", "BulkDataURI": "x#1"}
    assert shown["00420011"] == {"vr": "OB", "InlineBinary": "JVBERg=="}
    fragments = DataSet()
    fragments.set(0x7FE00010, Fragments(b"", (b"ab",)), vr="OB")
    assert to_json(fragments) == {"7FE00010": {"vr": "OB"}}
    with pytest.raises(DecodeError, match=r"BulkDataURI at \(7FE0,0010\)"):
        from_json(shown)


def test_people_may_write_less() -> None:
    typed = {"PatientName": "DOE^JANE", "ImageType": ["DERIVED", "SECONDARY"], "Rows": 4, "StudyDate": None,
             "00080060": {"Value": ["US"]}, "ProcedureCodeSequence": [{"CodeValue": "1"}],
             "ReferencedStudySequence": []}  # fmt: skip
    assert from_json(typed) == DataSet(
        {"PatientName": "DOE^JANE", "ImageType": ["DERIVED", "SECONDARY"], "Rows": 4, "StudyDate": None,
         "Modality": "US", "ProcedureCodeSequence": [DataSet({"CodeValue": "1"})], "ReferencedStudySequence": []}
    )  # fmt: skip


def deep(levels: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _ in range(levels):
        found = {"ContentSequence": [found]}
    return found


WRONG: list[tuple[Any, str]] = [
    ([], "a Data Set is an object, not an array"),
    ({"Nonsense": 1}, "'Nonsense' is neither"),
    ({"0010001G": 1}, "'0010001G' is neither"),
    ({"PatientID": {"vr": "ZZ"}}, r"'ZZ' is not a Value Representation at \(0010,0020\)"),
    ({"PatientID": {"vr": ["LO"]}}, "is not a Value Representation"),
    ({"PatientID": {"vr": "LO", "Value": "x"}}, '"Value" is an array, not text'),
    ({"PatientID": True}, "LO cannot hold true or false"),
    ({"PatientID": {"a": 1}}, "LO cannot hold an object"),
    ({"PatientName": {"Value": [{"Alfabetic": "x"}]}}, "a name has the groups"),
    ({"PatientID": 1, "00100020": 2}, "twice"),
    ({"FrameIncrementPointer": "xyz"}, "'xyz' is neither"),
    ({"PixelData": {"vr": "OB", "InlineBinary": "&&&"}}, "not base64"),
    ({"PixelData": {"vr": "OB", "InlineBinary": 5}}, "is text, not a number"),
    ({"PixelData": {"vr": "OB", "Value": [5]}}, "InlineBinary"),
    ({"Rows": "many"}, "'many' is not a number of US"),
    ({"00091001": 5}, "needs a"),
    ({"ContentSequence": [5]}, "a Data Set is an object, not a number"),
    (deep(MAX_DEPTH + 2), "nested more than"),
]


@pytest.mark.parametrize(("found", "complaint"), WRONG)
def test_what_is_no_data_set_is_refused(found: Any, complaint: str) -> None:
    with pytest.raises(DecodeError, match=complaint):
        from_json(found)
    from_json(deep(MAX_DEPTH))
    with pytest.raises(LimitError):
        from_json(deep(MAX_DEPTH + 1))
