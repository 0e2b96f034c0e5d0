"""Round trip: what was read and not changed comes back in its bytes, what was changed as we write."""

from __future__ import annotations

import struct

import pytest

from agent.dataset.dataset import DataSet
from agent.dataset.decode import Decoder, decode
from agent.dataset.encode import encode, encode_parts
from agent.dataset.uid import EXPLICIT_VR_BE, EXPLICIT_VR_LE, IMPLICIT_VR_LE, RLE_LOSSLESS
from agent.dataset.unknown import items_in
from agent.dataset.values import Fragments
from agent.errors import EncodeError

ITEM, ITEM_END, SEQUENCE_END = (struct.pack("<HH", 0xFFFE, element) for element in (0xE000, 0xE00D, 0xE0DD))
NONE, UNDEFINED = bytes(4), b"\xff" * 4
CODE, CODE_IMPLICIT = b"\x08\0\0\1SH\2\0A ", b"\x08\0\0\1\2\0\0\0A "  # (0008,0100) Code Value
SEQUENCE, SEQUENCE_UN = b"\x08\0\x32\x10SQ\0\0", b"\x08\0\x32\x10UN\0\0"  # (0008,1032), length to follow
ITEMS_UNDEFINED = ITEM + UNDEFINED + CODE + ITEM_END + NONE + SEQUENCE_END + NONE
ITEMS_IMPLICIT = ITEM + b"\x0a\0\0\0" + CODE_IMPLICIT


def le(number: int) -> bytes:
    return struct.pack("<I", number)


EXPLICIT = {
    "undefined lengths": SEQUENCE + UNDEFINED + ITEMS_UNDEFINED,
    "undefined item": SEQUENCE + le(26) + ITEM + UNDEFINED + CODE + ITEM_END + NONE,
    "undefined sequence": SEQUENCE + UNDEFINED + ITEM + le(10) + CODE + SEQUENCE_END + NONE,
    "no items": SEQUENCE + UNDEFINED + SEQUENCE_END + NONE,
    "odd length": b"\x10\0\x20\0LO\1\0A",
    "padding of its own": b"\x10\0\x20\0LO\4\0A\0\0\0" + b"\x20\0\x0d\0UI\4\x001.2 ",
    "disorder": b"\x10\0\x20\0LO\2\0A " + b"\x10\0\x10\0PN\2\0B " + CODE,
    "disorder in an item": SEQUENCE + le(28) + ITEM + le(20) + b"\x10\0\x20\0LO\2\0A " + CODE,
    "group length": b"\x08\0\0\0UL\4\0" + le(10) + CODE + b"\x10\0\0\0UL\4\0" + le(9) + b"\x10\0\x20\0LO\1\0A",
    "group length in an item": SEQUENCE + le(30) + ITEM + le(22) + b"\x08\0\0\0UL\4\0" + le(10) + CODE,
    "UN of a known tag": b"\x28\0\x10\0UN\0\0" + le(2) + b"\2\0",
    "UN of a choice": b"\x28\0\x06\1UN\0\0" + le(2) + b"\2\0",
    "UN that is a sequence": SEQUENCE_UN + le(18) + ITEMS_IMPLICIT,
    "UN of undefined length": SEQUENCE_UN + UNDEFINED + ITEMS_IMPLICIT + SEQUENCE_END + NONE,
    "private UN of undefined length": b"\x09\0\1\x10UN\0\0" + UNDEFINED + ITEMS_IMPLICIT + SEQUENCE_END + NONE,
    "private UN": b"\x09\0\1\x10UN\0\0" + le(18) + ITEMS_IMPLICIT,
    "UN that is no sequence": SEQUENCE_UN + le(5) + b"junk!",
    "VR of the future": b"\x09\0\1\x10ZZ\0\0" + le(3) + b"abc",
    "trailing padding": CODE + b"\xfc\xff\xfc\xffOB\0\0" + le(3) + b"\1\2\3",
    "odd fragments": b"\xe0\x7f\x10\0OW\0\0" + UNDEFINED + ITEM + NONE + ITEM + le(3) + b"abc" + SEQUENCE_END + NONE,
    "sequence in UN in a sequence": SEQUENCE + le(38) + ITEM + le(30) + SEQUENCE_UN + le(18) + ITEMS_IMPLICIT,
}  # fmt: skip


@pytest.mark.parametrize("name", EXPLICIT)
def test_what_was_not_changed_comes_back_in_its_bytes(name: str) -> None:
    data = EXPLICIT[name]
    ds = decode(data, EXPLICIT_VR_LE)
    syntax = RLE_LOSSLESS if "fragments" in name else EXPLICIT_VR_LE
    assert encode(ds, syntax) == data
    assert encode(ds.copy(), syntax) == data
    assert b"".join(encode_parts(ds, syntax)) == data  # type: ignore[arg-type]
    decoder = Decoder(EXPLICIT_VR_LE)
    for at in range(len(data)):
        decoder.feed(data[at : at + 1])
    assert encode(decoder.finish(), syntax) == data


@pytest.mark.parametrize("name", [name for name in EXPLICIT if "fragments" not in name and "private" not in name])
def test_the_canonical_form_is_another_one(name: str) -> None:
    ds = decode(EXPLICIT[name], EXPLICIT_VR_LE)
    data = encode(ds, EXPLICIT_VR_LE, canonical=True)
    assert data != EXPLICIT[name] or name in {"padding of its own"}
    assert len(data) % 2 == 0
    assert UNDEFINED not in data
    back = decode(data, EXPLICIT_VR_LE)
    assert list(back.stored) == sorted(back.stored)
    assert encode(back, EXPLICIT_VR_LE, canonical=True) == data


def test_implicit_forms_come_back_too() -> None:
    sequence = b"\x08\0\x32\x10"
    for data in (
        sequence + UNDEFINED + ITEM + UNDEFINED + CODE_IMPLICIT + ITEM_END + NONE + SEQUENCE_END + NONE,
        b"\x08\0\0\0\4\0\0\0" + le(10) + CODE_IMPLICIT + b"\x10\0\x10\0\1\0\0\0A",
    ):
        assert encode(decode(data, IMPLICIT_VR_LE), IMPLICIT_VR_LE) == data


def test_only_what_was_changed_is_canonical() -> None:
    other = b"\x08\0\x84\x10SQ\0\0" + UNDEFINED + ITEMS_UNDEFINED
    ds = decode(SEQUENCE + UNDEFINED + ITEMS_UNDEFINED + other + b"\x10\0\x20\0LO\1\0A", EXPLICIT_VR_LE)
    ds["ProcedureCodeSequence"] = [DataSet({"CodeValue": "A"})]
    ds["PatientName"] = "B"
    assert encode(ds, EXPLICIT_VR_LE) == (
        SEQUENCE + le(18) + ITEM + le(10) + CODE + other + b"\x10\0\x10\0PN\2\0B " + b"\x10\0\x20\0LO\1\0A"
    )


def test_an_item_with_a_changed_element_keeps_its_form_and_gets_its_length() -> None:
    ds = decode(SEQUENCE + UNDEFINED + ITEM + le(10) + CODE + SEQUENCE_END + NONE, EXPLICIT_VR_LE)
    ds.items_of("ProcedureCodeSequence")[0]["CodeValue"] = "LONGER"
    assert encode(ds, EXPLICIT_VR_LE) == (
        SEQUENCE + UNDEFINED + ITEM + le(14) + b"\x08\0\0\1SH\6\0LONGER" + SEQUENCE_END + NONE
    )


def test_a_group_length_goes_when_its_group_changes() -> None:
    ds = decode(EXPLICIT["group length"], EXPLICIT_VR_LE)
    ds["CodeValue"] = "LONGER"
    assert encode(ds, EXPLICIT_VR_LE).startswith(b"\x08\0\0\1SH\6\0LONGER\x10\0\0\0UL\4\0" + le(9))
    ds = decode(b"\x08\0\0\0UL\4\0" + le(11) + CODE, EXPLICIT_VR_LE)
    assert encode(ds, EXPLICIT_VR_LE) == CODE


def test_lengths_around_a_group_length_that_goes_are_right() -> None:
    ds = decode(EXPLICIT["group length in an item"], EXPLICIT_VR_LE)
    ds.items_of("ProcedureCodeSequence")[0]["CodeValue"] = "LONGER"
    assert encode(ds, EXPLICIT_VR_LE) == SEQUENCE + le(22) + ITEM + le(14) + b"\x08\0\0\1SH\6\0LONGER"


def test_disorder_ends_when_a_tag_is_added() -> None:
    ds = decode(EXPLICIT["disorder"], EXPLICIT_VR_LE)
    ds["PatientName"] = "C"
    assert encode(ds, EXPLICIT_VR_LE).startswith(b"\x10\0\x20\0LO\2\0A \x10\0\x10\0PN\2\0C ")
    ds["Modality"] = "US"
    assert encode(ds, EXPLICIT_VR_LE).startswith(b"\x08\0\x60\0CS\2\0US" + CODE)


def test_a_form_stays_with_its_data_set() -> None:
    made = DataSet()
    made.update(decode(EXPLICIT["odd length"] + EXPLICIT["UN of a known tag"], EXPLICIT_VR_LE))
    assert encode(made, EXPLICIT_VR_LE) == b"\x10\0\x20\0LO\2\0A \x28\0\x10\0US\2\0\2\0"


def test_fragments_made_here_must_be_even() -> None:
    ds = decode(EXPLICIT["odd fragments"], EXPLICIT_VR_LE)
    ds["PixelData"] = Fragments(b"", (b"abc",))
    with pytest.raises(EncodeError, match="not padded"):
        encode(ds, RLE_LOSSLESS)


# --- UN inside Explicit VR Big Endian -----------------------------------------------------------


def test_un_is_little_endian_whatever_is_around_it() -> None:  # PS3.5 6.2.2
    data = (
        b"\x00\x28\x00\x10UN\x00\x00\x00\x00\x00\x02\x02\x00" + b"\x00\x28\x00\x11US\x00\x02\x00\x02"
        b"\x00\x29\x10\x01UN\x00\x00" + UNDEFINED + ITEMS_IMPLICIT + SEQUENCE_END + NONE
    )
    ds = decode(data, EXPLICIT_VR_BE)
    assert (ds["Rows"], ds["Columns"]) == (2, 2)
    assert ds.items_of(0x00291001) == [DataSet({"CodeValue": "A"})]


@pytest.mark.parametrize(
    ("vr", "big", "value"),
    [
        ("US", b"\1\2", 0x0102),
        ("SS", b"\xff\xfe", -2),
        ("UL", b"\1\2\3\4", 0x01020304),
        ("SL", b"\xff\xff\xff\xfe", -2),
        ("UV", b"\0\0\0\0\1\2\3\4", 0x01020304),
        ("SV", b"\xff\xff\xff\xff\xff\xff\xff\xfe", -2),
        ("FL", b"\x3f\x80\0\0", 1.0),
        ("FD", b"\x3f\xf0\0\0\0\0\0\0", 1.0),
        ("AT", b"\x00\x10\x00\x20\x00\x10\x00\x10", [0x00100020, 0x00100010]),
        ("OB", b"\1\2\3\4", b"\1\2\3\4"),
        ("UN", b"\1\2\3\4", b"\1\2\3\4"),
        ("OW", b"\1\2\3\4", b"\2\1\4\3"),
        ("OL", b"\1\2\3\4\5\6\7\x08", b"\4\3\2\1\x08\7\6\5"),
        ("OF", b"\1\2\3\4", b"\4\3\2\1"),
        ("OD", b"\1\2\3\4\5\6\7\x08", b"\x08\7\6\5\4\3\2\1"),
        ("OV", b"\1\2\3\4\5\6\7\x08", b"\x08\7\6\5\4\3\2\1"),
        ("OW", b"\1\2\3", b"\1\2\3"),
        ("UC", b"ab", "ab"),
        ("UR", b"ab", "ab"),
    ],
)
def test_big_endian_values_of_every_vr(vr: str, big: bytes, value: object) -> None:
    short = vr in {"US", "SS", "UL", "SL", "FL", "FD", "AT"}
    length = struct.pack(">H", len(big)) if short else b"\0\0" + struct.pack(">I", len(big))
    ds = decode(b"\x00\x09\x10\x01" + vr.encode() + length + big, EXPLICIT_VR_BE)
    assert ds[0x00091001] == value
    assert ds.element(0x00091001).vr == vr


def test_items_in_un_of_defined_length_are_found_when_asked_for() -> None:
    ds = decode(EXPLICIT["private UN"], EXPLICIT_VR_LE)
    assert items_in(ds[0x00091001]) == [DataSet({"CodeValue": "A"})]
    for other in (b"", b"junk", ITEM, ITEM + le(99), ITEM + NONE + b"junk", None, "text", ITEM * 3):
        assert items_in(other) is None
    assert items_in(ITEM + NONE) == [DataSet()]
    assert encode(ds, EXPLICIT_VR_LE) == EXPLICIT["private UN"]
