"""Encoding: golden bytes written out from PS3.5, and every rule of the VR table broken once."""

from __future__ import annotations

import zlib

import pytest

from agent.dataset.dataset import DataSet
from agent.dataset.decode import decode
from agent.dataset.encode import MAX_DEPTH, encode
from agent.dataset.rules import decimal_string, format_value
from agent.dataset.uid import DEFLATED_EXPLICIT_VR_LE, EXPLICIT_VR_BE, EXPLICIT_VR_LE, IMPLICIT_VR_LE, RLE_LOSSLESS
from agent.dataset.values import Fragments, Raw, Value
from agent.errors import EncodeError

NAME = DataSet({"PatientName": "DOE^JANE"})


# --- golden bytes -------------------------------------------------------------------------------


def test_implicit_element() -> None:  # PS3.5 7.1.3
    assert encode(NAME, IMPLICIT_VR_LE) == b"\x10\0\x10\0\x08\0\0\0DOE^JANE"


def test_explicit_short_element() -> None:  # PS3.5 7.1.2
    assert encode(NAME, EXPLICIT_VR_LE) == b"\x10\0\x10\0PN\x08\0DOE^JANE"


def test_explicit_long_element_is_padded() -> None:
    ds = DataSet({"EncapsulatedDocument": b"abc"})
    assert encode(ds, EXPLICIT_VR_LE) == b"\x42\0\x11\0OB\0\0\x04\0\0\0abc\0"


def test_sequence_has_defined_lengths() -> None:  # PS3.5 7.5
    ds = DataSet({"ProcedureCodeSequence": [DataSet({"CodeValue": "A"}), DataSet()]})
    item = b"\x08\0\0\1SH\x02\0A "
    assert encode(ds, EXPLICIT_VR_LE) == (
        b"\x08\0\x32\x10SQ\0\0\x1a\0\0\0\xfe\xff\0\xe0\x0a\0\0\0" + item + b"\xfe\xff\0\xe0\0\0\0\0"
    )


def test_encapsulated_pixel_data() -> None:  # PS3.5 A.4
    ds = DataSet({"PixelData": Fragments(b"\0\0\0\0", (b"ab",))})
    assert encode(ds, RLE_LOSSLESS) == (
        b"\xe0\x7f\x10\0"
        b"OB\0\0\xff\xff\xff\xff"
        b"\xfe\xff\0\xe0\4\0\0\0"
        b"\0\0\0\0"
        b"\xfe\xff\0\xe0\2\0\0\0"
        b"ab"
        b"\xfe\xff\xdd\xe0\0\0\0\0"
    )


def test_deflated_is_raw_and_even() -> None:  # PS3.5 A.5
    for length in range(1, 12):
        ds = DataSet({"PatientName": "x" * length})
        data = encode(ds, DEFLATED_EXPLICIT_VR_LE)
        assert len(data) % 2 == 0
        assert zlib.decompressobj(-15).decompress(data) == encode(ds, EXPLICIT_VR_LE)


# --- values -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("vr", "value", "data"),
    [
        ("AE", "STORE", b"STORE "),
        ("AS", "042Y", b"042Y"),
        ("AT", [0x00100020, 0x7FE00010], b"\x10\0\x20\0\xe0\x7f\x10\0"),
        ("CS", ["ORIGINAL", "PRIMARY"], b"ORIGINAL\\PRIMARY"),
        ("DA", "20240229", b"20240229"),
        ("DS", [0.5, 1], b"0.5\\1 "),
        ("DT", "202402291530+0100", b"202402291530+0100 "),
        ("FD", 1.0, b"\0\0\0\0\0\0\xf0?"),
        ("FL", [1, 2.0], b"\0\0\x80?\0\0\0@"),
        ("IS", [-1, ""], b"-1\\ "),
        ("LT", " a\\b\r\n", b" a\\b\r\n"),
        ("OB", b"abc", b"abc\0"),
        ("OW", memoryview(b"ab"), b"ab"),
        ("SS", -2, b"\xfe\xff"),
        ("SV", -1, b"\xff" * 8),
        ("TM", "235960.5", b"235960.5"),
        ("UI", ["1.2", "1.3"], b"1.2\\1.3\0"),
        ("UL", 0xFFFFFFFF, b"\xff" * 4),
        ("UN", b"x", b"x\0"),
        ("UR", "http://x/", b"http://x/ "),
        ("US", (1, 2), b"\1\0\2\0"),
        ("UV", 1, b"\1" + b"\0" * 7),
        ("PN", "A^B=\u0041=C", b"A^B=A=C "),
        ("PN", None, b""),
        ("SH", "", b""),
    ],
)
def test_values_on_the_wire(vr: str, value: Value, data: bytes) -> None:
    assert format_value(vr, value) == data


@pytest.mark.parametrize(
    ("vr", "value", "complaint"),
    [
        ("AE", "A" * 17, "17 characters"),
        ("AE", "   ", "AE Title"),
        ("AE", "A\\B", "AE Title"),
        ("AS", "42Y", "age"),
        ("AT", -1, "AT holds tags"),
        ("AT", "x", "AT holds tags"),
        ("CS", "lower", "code string"),
        ("CS", "A" * 17, "17 characters"),
        ("DA", "20230229", "calendar"),
        ("DA", "19000229", "calendar"),
        ("DA", "20231301", "no date"),
        ("DA", "2023-01-01", "no date"),
        ("DS", "1,5", "decimal"),
        ("DS", "1" * 17, "17 characters"),
        ("DS", float("inf"), "decimal string"),
        ("DS", True, "holds text"),
        ("DT", "20230229", "calendar"),
        ("DT", "2023+1500", "date and time"),
        ("FL", 1e39, "range of FL"),
        ("FD", "1", "holds numbers"),
        ("IS", 2**31, "range of IS"),
        ("IS", 1.0, "holds text"),
        ("IS", "12 3", "integer"),
        ("LO", "x" * 65, "65 characters"),
        ("LO", "a\nb", "control"),
        ("LO", "a\\b", "backslash"),
        ("LT", "a\0", "control"),
        ("LT", ["a", "b"], "one value"),
        ("OB", "text", "OB holds bytes"),
        ("OF", b"abc", "multiple of 4"),
        ("OW", b"abc", "multiple of 2"),
        ("OW", Fragments(b"", ()), "encapsulated"),
        ("PN", "A=B=C=D", "component groups"),
        ("PN", "^^^^^", "components"),
        ("PN", "x" * 65, "65 characters"),
        ("SH", "x" * 17, "17 characters"),
        ("SH", "\ufffd", "wrong Specific Character Set"),
        ("ST", "x" * 1025, "1025 characters"),
        ("TM", "24", "no time"),
        ("TM", "12:00", "no time"),
        ("TM", "120061", "no time"),
        ("UI", "1.02", "no UID"),
        ("UR", " http://x", "URI"),
        ("US", 65536, "range of US"),
        ("US", -1, "range of US"),
        ("US", True, "holds numbers"),
        ("US", 1.5, "holds numbers"),
        ("US", b"ab", "cannot hold a bytes"),
        ("US", {}, "cannot hold a dict"),
        ("XX", "a", "not a Value Representation"),
    ],
)
def test_each_rule_refuses(vr: str, value: Value, complaint: str) -> None:
    with pytest.raises(EncodeError, match=complaint):
        format_value(vr, value)


@pytest.mark.parametrize(
    "number", [0.1, 1 / 3, -1 / 3, 1e-300, -1.7976931348623157e308, 123456789012345678.0, 0.0, -0.0]
)
def test_decimal_strings_fit_sixteen_characters(number: float) -> None:
    text = decimal_string(number)
    assert len(text) <= 16
    assert float(text) == pytest.approx(number, rel=1e-8)
    format_value("DS", number)


# --- structure ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ds", "complaint"),
    [
        (DataSet({"PatientName": ["A", "B"]}), "2 values where 1 are allowed"),
        (DataSet({"PixelSpacing": 0.1}), "1 values where 2"),
        (DataSet({"PatientName": "x" * 65}), r"\(0010,0010\)"),
        (DataSet({0x00020010: "1.2"}), "File Meta Information"),
        (DataSet({0x00000002: "1.2", "Rows": 1}), "Command Set"),
        (DataSet({"ProcedureCodeSequence": [DataSet({0x00000002: "1.2"})]}), "item cannot hold"),
        (DataSet({"ProcedureCodeSequence": "x"}), "list of Data Sets"),
        (DataSet({"ProcedureCodeSequence": ["x"]}), "not a str"),
        (DataSet({"PixelData": Fragments(b"", (b"ab",))}), "encapsulated"),
        (DataSet({"PatientComments": "x" * 10241}), "10241 characters"),
        (DataSet({"FrameTimeVector": [1.234567] * 8192}), "length field"),
    ],
)
def test_what_may_not_be_written(ds: DataSet, complaint: str) -> None:
    with pytest.raises(EncodeError, match=complaint):
        encode(ds, EXPLICIT_VR_LE)


def test_reserved_groups_are_refused() -> None:
    ds = DataSet()
    ds.set(0xFFFEE000, b"", vr="UN")
    with pytest.raises(EncodeError, match="reserved"):
        encode(ds, EXPLICIT_VR_LE)


def test_private_elements_need_their_creator() -> None:
    ds = DataSet()
    ds.set(0x00091001, b"xx", vr="OB")
    with pytest.raises(EncodeError, match="creator"):
        encode(ds, EXPLICIT_VR_LE)
    ds.set(0x00090010, "US")
    assert decode(encode(ds, EXPLICIT_VR_LE), EXPLICIT_VR_LE)[0x00091001] == b"xx"


def test_a_command_set_may_be_written() -> None:
    ds = DataSet()
    ds.set(0x00000000, 0, vr="UL")
    ds.set(0x00000002, "1.2.840.10008.1.1", vr="UI")
    assert encode(ds, IMPLICIT_VR_LE).startswith(b"\0\0\0\0\4\0\0\0")


def test_group_lengths_are_dropped() -> None:
    ds = DataSet({0x00100000: 8, "PatientID": "A"})
    assert encode(ds, IMPLICIT_VR_LE) == encode(DataSet({"PatientID": "A"}), IMPLICIT_VR_LE)


def test_nesting_has_an_end() -> None:
    ds = DataSet()
    for _ in range(MAX_DEPTH + 1):
        ds = DataSet({"ProcedureCodeSequence": [ds]})
    with pytest.raises(EncodeError, match="nested"):
        encode(ds, EXPLICIT_VR_LE)


def test_big_endian_is_not_written() -> None:
    with pytest.raises(EncodeError, match="retired"):
        encode(NAME, EXPLICIT_VR_BE)


def test_encapsulated_syntaxes_need_fragments() -> None:
    with pytest.raises(EncodeError, match="Fragments"):
        encode(DataSet({"PixelData": b"ab"}), RLE_LOSSLESS)
    with pytest.raises(EncodeError, match="padded"):
        encode(DataSet({"PixelData": Fragments(b"", (b"abc",))}), RLE_LOSSLESS)


@pytest.mark.parametrize(
    ("elements", "vr"),
    [
        ({"BitsAllocated": 16, "PixelData": b"ab"}, b"OW"),
        ({"BitsAllocated": 8, "PixelData": b"ab"}, b"OB"),
        ({"PixelRepresentation": 1, "SmallestImagePixelValue": 5}, b"SS"),
        ({"PixelRepresentation": 0, "SmallestImagePixelValue": 5}, b"US"),
        ({"LUTData": b"ab"}, b"OW"),
        ({"LUTData": [1, 2]}, b"US"),
    ],
)
def test_choices_are_made_when_written(elements: dict[str, Value], vr: bytes) -> None:
    last = max(DataSet(elements).tags())
    data = encode(DataSet(elements), EXPLICIT_VR_LE)
    at = data.index((last >> 16).to_bytes(2, "little") + (last & 0xFFFF).to_bytes(2, "little"))
    assert data[at + 4 : at + 6] == vr


def test_an_item_inherits_pixel_representation() -> None:
    item = DataSet({"LUTDescriptor": [256, 0, 16]})
    ds = DataSet({"PixelRepresentation": 1, "ModalityLUTSequence": [item]})
    assert b"\x02\x30SS" in encode(ds, EXPLICIT_VR_LE)


# --- character sets -----------------------------------------------------------------------------


def test_ascii_needs_no_character_set() -> None:
    assert b"\x08\0\x05\0" not in encode(NAME, EXPLICIT_VR_LE)


def test_other_text_becomes_utf_8_and_says_so() -> None:
    ds = DataSet({"PatientName": "M\u00fcller^Zo\u00eb"})
    back = decode(encode(ds, EXPLICIT_VR_LE), EXPLICIT_VR_LE)
    assert back["SpecificCharacterSet"] == "ISO_IR 192"
    assert back["PatientName"] == "M\u00fcller^Zo\u00eb"
    assert "SpecificCharacterSet" not in ds


def test_a_preferred_set_is_used_where_it_suffices() -> None:
    ds = DataSet({"PatientName": "M\u00fcller"})
    assert b"M\xfcller" in encode(ds, EXPLICIT_VR_LE, charset="ISO_IR 100")
    greek = DataSet({"PatientName": "\u0391"})
    assert b"ISO_IR 192" in encode(greek, EXPLICIT_VR_LE, charset="ISO_IR 100")


def test_the_stated_set_binds() -> None:
    ds = DataSet({"SpecificCharacterSet": "ISO_IR 100", "PatientName": "\u0391"})
    with pytest.raises(EncodeError, match=r"ISO_IR 100 cannot write U\+0391"):
        encode(ds, EXPLICIT_VR_LE)
    with pytest.raises(EncodeError, match="cannot be written"):
        encode(DataSet({"SpecificCharacterSet": "ISO_IR 999"}), EXPLICIT_VR_LE)


def test_an_item_may_have_its_own_set() -> None:
    item = DataSet({"SpecificCharacterSet": "ISO_IR 100", "CodeMeaning": "\u00e9"})
    data = encode(DataSet({"ProcedureCodeSequence": [item], "PatientName": "\u00e9"}), EXPLICIT_VR_LE)
    back = decode(data, EXPLICIT_VR_LE)
    assert b"\xe9" in data
    assert back.items_of("ProcedureCodeSequence")[0]["CodeMeaning"] == back["PatientName"] == "\u00e9"


def test_text_read_in_another_set_is_written_anew() -> None:
    ds = DataSet({"SpecificCharacterSet": "ISO_IR 100", "PatientName": "\u00e9", "PatientID": "A"})
    back = decode(encode(ds, EXPLICIT_VR_LE), EXPLICIT_VR_LE)
    back["SpecificCharacterSet"] = "ISO_IR 192"
    assert b"\xc3\xa9" in encode(back, EXPLICIT_VR_LE)


def test_unchanged_elements_keep_their_bytes() -> None:
    ds = DataSet()
    ds.stored[0x00100030] = Raw(0x00100030, "DA", b"not a date")
    ds.stored[0x00100010] = Raw(0x00100010, "PN", b"\xe9\xe8")
    assert encode(ds, IMPLICIT_VR_LE).endswith(b"not a date")
    assert b"\xe9\xe8" in encode(ds, IMPLICIT_VR_LE)
    ds["PatientID"] = "\u00e9"  # now the whole Data Set must be UTF-8, and nobody knows what E9 E8 meant
    with pytest.raises(EncodeError, match="wrong Specific Character Set"):
        encode(ds, IMPLICIT_VR_LE)
