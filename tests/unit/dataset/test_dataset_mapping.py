"""The Data Set as a mapping, and the Image Pixel attributes read from one."""

from __future__ import annotations

import pytest

from agent.dataset.dataset import DataSet
from agent.dataset.pixels import PixelDescription
from agent.dataset.values import Element, Raw
from agent.errors import EncodeError, IodError


def test_elements_are_reached_by_keyword_and_by_tag() -> None:
    ds = DataSet({"PatientName": "DOE^JANE"})
    ds[0x00100020] = "7"
    assert ds[0x00100010] == ds["PatientName"] == "DOE^JANE"
    assert ds.element("PatientID") == Element(0x00100020, "LO", "7")
    assert "PatientID" in ds
    assert 0x00100030 not in ds
    del ds["PatientID"]
    assert "PatientID" not in ds
    with pytest.raises(KeyError):
        ds["PatientID"]


def test_iteration_is_in_ascending_order() -> None:
    ds = DataSet({"PixelData": b"", "Rows": 1, "PatientName": "A", "Modality": "US"})
    assert [element.tag for element in ds] == sorted(ds.tags()) == [0x00080060, 0x00100010, 0x00280010, 0x7FE00010]


def test_an_unknown_keyword_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="PatientsName"):
        DataSet({"PatientsName": "X"})


def test_private_elements_must_say_their_vr() -> None:
    ds = DataSet()
    with pytest.raises(EncodeError, match=r"\(0009,1001\)"):
        ds[0x00091001] = b"x"
    ds.set(0x00091001, b"x", vr="OB")
    ds[0x00090010] = "CREATOR"
    assert ds.element(0x00090010).vr == "LO"


def test_empty_and_absent_read_alike_with_get() -> None:
    ds = DataSet({"PatientID": None})
    assert ds.get("PatientID", "?") == ds.get("PatientName", "?") == "?"
    assert ds["PatientID"] is None


def test_values_as_list_and_text() -> None:
    item = DataSet({"CodeValue": "1"})
    ds = DataSet({"ImageType": ["A", "B"], "Modality": "US", "PatientID": None, "ProcedureCodeSequence": [item]})
    assert ds.values_of("ImageType") == ["A", "B"]
    assert ds.values_of("Modality") == ["US"]
    assert ds.values_of("PatientID") == ds.values_of("Rows") == []
    assert ds.text("ImageType") == "A\\B"
    assert ds.text("PatientID", "none") == "none"
    assert ds.items_of("ProcedureCodeSequence") == [item]
    assert ds.items_of("Modality") == ds.items_of("Rows") == []


def test_copies_share_no_items() -> None:
    ds = DataSet({"ProcedureCodeSequence": [DataSet({"CodeValue": "1"})]})
    twin = ds.copy()
    assert twin == ds
    twin.items_of("ProcedureCodeSequence")[0]["CodeValue"] = "2"
    assert ds.items_of("ProcedureCodeSequence")[0]["CodeValue"] == "1"
    other = DataSet()
    other.update(ds)
    other.items_of("ProcedureCodeSequence")[0]["CodeValue"] = "3"
    assert ds.items_of("ProcedureCodeSequence")[0]["CodeValue"] == "1"
    assert ds != other
    assert ds != "a data set"


def test_update_takes_a_mapping_too() -> None:
    ds = DataSet({"Rows": 1})
    ds.update({"Rows": 2, "Columns": 3})
    assert (ds["Rows"], ds["Columns"]) == (2, 3)


def test_repr_tells_no_patient() -> None:
    assert "DOE" not in repr(DataSet({"PatientName": "DOE"}))


@pytest.mark.parametrize(
    ("vr", "data", "value"),
    [
        ("IS", b" 12 ", 12),
        ("IS", b"1.5 ", "1.5"),
        ("IS", b"9" * 400, "9" * 400),
        ("IS", b"1\\\\3 ", [1, "", 3]),
        ("DS", b"1.50", 1.5),
        ("DS", b"1_0 ", "1_0"),
        ("DS", b"nan ", "nan"),
        ("US", b"\1\0", 1),
        ("US", b"\1\0\2\0", [1, 2]),
        ("US", b"\1\0\2", b"\1\0\2"),
        ("AT", b"\x10\0\x20\0", 0x00100020),
        ("SH", b"A \\ B ", ["A", " B"]),
        ("CS", b"A \\ B ", ["A", "B"]),
        ("LT", b" a\\b ", " a\\b"),
        ("UI", b"1.2\0", "1.2"),
        ("PN", b"\xe9", "\ufffd"),
        ("LO", b"  ", None),
        ("OB", b"", b""),
        ("US", b"", None),
    ],
)
def test_reading_values_never_fails(vr: str, data: bytes, value: object) -> None:
    ds = DataSet()
    ds.stored[0x00100010] = Raw(0x00100010, vr, data)
    assert ds[0x00100010] == value


# --- pixels -------------------------------------------------------------------------------------

US = PixelDescription(480, 640, 3, 8, 8, 7, 0, "RGB", 0)


def test_a_description_survives_a_data_set() -> None:
    assert PixelDescription.from_data_set(DataSet(US.to_elements())) == US
    assert "PlanarConfiguration" not in PixelDescription(1, 1).to_elements()


@pytest.mark.parametrize("keyword", ["Rows", "BitsAllocated", "PixelRepresentation", "PhotometricInterpretation"])
def test_a_missing_attribute_is_named(keyword: str) -> None:
    ds = DataSet(US.to_elements())
    del ds[keyword]
    with pytest.raises(IodError, match=keyword):
        PixelDescription.from_data_set(ds)


@pytest.mark.parametrize("value", [0, b"ab", [1, 2]])
def test_an_unusable_attribute_is_named(value: object) -> None:
    ds = DataSet(US.to_elements())
    ds["Rows"] = value  # type: ignore[assignment]
    with pytest.raises(IodError, match="Rows"):
        PixelDescription.from_data_set(ds)


@pytest.mark.parametrize(
    ("description", "size"),
    [(US, 921600), (PixelDescription(3, 5, 1, 16, 12, 11), 30), (PixelDescription(3, 5, 1, 1, 1, 0), 2),
     (PixelDescription(2, 4, 3, 8, 8, 7, 0, "YBR_FULL_422"), 16)],
)  # fmt: skip
def test_frame_size(description: PixelDescription, size: int) -> None:
    assert description.frame_bytes == size
