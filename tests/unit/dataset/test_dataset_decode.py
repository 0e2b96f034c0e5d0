"""Decoding: every structure of PS3.5 7, every limit, every way to be cut short, and hostile input."""

from __future__ import annotations

import struct
import tracemalloc
import zlib

import pytest

from agent.dataset.dataset import DataSet
from agent.dataset.decode import Decoder, Limits, decode
from agent.dataset.encode import encode
from agent.dataset.tag import PIXEL_DATA
from agent.dataset.uid import DEFLATED_EXPLICIT_VR_LE, EXPLICIT_VR_BE, EXPLICIT_VR_LE, IMPLICIT_VR_LE, RLE_LOSSLESS
from agent.dataset.values import Fragments
from agent.errors import DecodeError, LimitError

ITEM, ITEM_END, SEQUENCE_END = (struct.pack("<HH", 0xFFFE, element) for element in (0xE000, 0xE00D, 0xE0DD))
NONE, UNDEFINED = b"\0\0\0\0", b"\xff\xff\xff\xff"
CODE = b"\x08\0\0\1SH\2\0A "  # (0008,0100) Code Value
SEQUENCE = b"\x08\0\x32\x10SQ\0\0"  # (0008,1032), length to follow
EVERYTHING = DataSet(
    {
        "SpecificCharacterSet": "ISO_IR 192",
        "ImageType": ["ORIGINAL", "PRIMARY"],
        "PatientName": "M\u00fcller^Zo\u00eb=\u5c71",
        "ProcedureCodeSequence": [
            DataSet(
                {"CodeValue": "1", "CodeMeaning": "\u00e9", "EquivalentCodeSequence": [DataSet({"CodeValue": "2"})]}
            ),
            DataSet(),
        ],
        "InstanceNumber": 7,
        "PixelSpacing": [0.5, 0.25],
        "Rows": 2,
        "FrameIncrementPointer": 0x00181063,
        "RedPaletteColorLookupTableData": b"ab",
        "PixelData": b"abcd",
    }
)


def le(number: int) -> bytes:
    return struct.pack("<I", number)


# --- structures ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        SEQUENCE + le(18) + ITEM + le(10) + CODE,
        SEQUENCE + UNDEFINED + ITEM + le(10) + CODE + SEQUENCE_END + NONE,
        SEQUENCE + UNDEFINED + ITEM + UNDEFINED + CODE + ITEM_END + NONE + SEQUENCE_END + NONE,
        SEQUENCE + le(26) + ITEM + UNDEFINED + CODE + ITEM_END + NONE,
    ],
    ids=["defined", "sequence undefined", "both undefined", "item undefined"],
)
def test_all_forms_of_a_sequence_are_the_same(data: bytes) -> None:
    assert decode(data, EXPLICIT_VR_LE) == DataSet({"ProcedureCodeSequence": [DataSet({"CodeValue": "A"})]})


@pytest.mark.parametrize("data", [SEQUENCE + NONE, SEQUENCE + UNDEFINED + SEQUENCE_END + NONE])
def test_an_empty_sequence_has_no_items(data: bytes) -> None:
    assert decode(data, EXPLICIT_VR_LE)["ProcedureCodeSequence"] == []


def test_un_of_undefined_length_is_an_implicit_sequence() -> None:  # PS3.5 6.2.2
    item = b"\x08\0\0\1\2\0\0\0A "
    data = b"\x09\0\1\x10UN\0\0" + UNDEFINED + ITEM + le(10) + item + SEQUENCE_END + NONE
    assert decode(data, EXPLICIT_VR_LE).items_of(0x00091001) == [DataSet({"CodeValue": "A"})]


def test_un_with_a_known_tag_is_what_the_dictionary_says() -> None:
    ds = decode(b"\x28\0\x10\0UN\0\0" + le(2) + b"\2\0", EXPLICIT_VR_LE)
    assert ds["Rows"] == 2
    ds = decode(b"\x08\0\x32\x10UN\0\0" + le(18) + ITEM + le(10) + b"\x08\0\0\1\2\0\0\0A ", EXPLICIT_VR_LE)
    assert ds.items_of("ProcedureCodeSequence")[0]["CodeValue"] == "A"
    ds = decode(b"\x08\0\x32\x10UN\0\0" + le(4) + b"junk", EXPLICIT_VR_LE)
    assert ds["ProcedureCodeSequence"] == b"junk"


def test_a_vr_of_the_future_is_carried_as_un() -> None:  # PS3.5 7.1.2
    ds = decode(b"\x09\0\1\x10ZZ\0\0" + le(2) + b"ab", EXPLICIT_VR_LE)
    assert ds.element(0x00091001).vr == "UN"
    assert ds[0x00091001] == b"ab"


def test_big_endian_is_read() -> None:
    data = (
        b"\x00\x10\x00\x10PN\x00\x04DOE " + b"\x00\x28\x00\x09AT\x00\x04\x00\x18\x10\x63"
        b"\x00\x28\x00\x10US\x00\x02\x02\x00" + b"\x7f\xe0\x00\x10OW\x00\x00\x00\x00\x00\x04\x01\x02\x03\x04"
    )
    ds = decode(data, EXPLICIT_VR_BE)
    assert (ds["PatientName"], ds["FrameIncrementPointer"], ds["Rows"]) == ("DOE", 0x00181063, 512)
    assert ds["PixelData"] == b"\2\1\4\3"


def test_choices_are_decided_at_the_end() -> None:
    ds = DataSet({"PixelRepresentation": 1, "SmallestImagePixelValue": -5, "ZeroVelocityPixelValue": -1})
    back = decode(encode(ds, IMPLICIT_VR_LE), IMPLICIT_VR_LE)
    assert (back["SmallestImagePixelValue"], back["ZeroVelocityPixelValue"]) == (-5, -1)
    assert back.element("SmallestImagePixelValue").vr == "SS"


def test_fragments_are_kept_apart() -> None:
    ds = DataSet({"PixelData": Fragments(b"", (b"ab", b"cdef"))})
    assert decode(encode(ds, RLE_LOSSLESS), RLE_LOSSLESS)["PixelData"] == Fragments(b"", (b"ab", b"cdef"))


def test_odd_lengths_and_disorder_are_tolerated() -> None:
    ds = decode(b"\x10\0\x20\0LO\1\0A" + b"\x10\0\x10\0PN\1\0B", EXPLICIT_VR_LE)
    assert (ds["PatientID"], ds["PatientName"]) == ("A", "B")
    assert encode(ds, EXPLICIT_VR_LE) == b"\x10\0\x20\0LO\1\0A" + b"\x10\0\x10\0PN\1\0B"
    assert encode(ds, EXPLICIT_VR_LE, canonical=True) == b"\x10\0\x10\0PN\2\0B \x10\0\x20\0LO\2\0A "


def test_items_inherit_the_character_set() -> None:
    data = encode(EVERYTHING, EXPLICIT_VR_LE)
    assert decode(data, EXPLICIT_VR_LE).items_of("ProcedureCodeSequence")[0]["CodeMeaning"] == "\u00e9"


def test_other_dictionaries_may_name_the_vrs() -> None:
    data = b"\0\0\0\1\2\0\0\0\x30\0"  # (0000,0100) Command Field
    assert decode(data, IMPLICIT_VR_LE)[0x00000100] == b"\x30\0"
    assert decode(data, IMPLICIT_VR_LE, vr_of=lambda _tag: "US")[0x00000100] == 0x30


# --- in pieces ----------------------------------------------------------------------------------


@pytest.mark.parametrize("syntax", [IMPLICIT_VR_LE, EXPLICIT_VR_LE, DEFLATED_EXPLICIT_VR_LE])
def test_whole_and_byte_by_byte_are_the_same(syntax: str) -> None:
    data = encode(EVERYTHING, syntax)
    decoder = Decoder(syntax)
    for at in range(len(data)):
        decoder.feed(data[at : at + 1])
    assert decoder.finish() == decode(data, syntax)
    assert encode(decoder.finish(), syntax) == data


@pytest.mark.parametrize("syntax", [IMPLICIT_VR_LE, EXPLICIT_VR_LE, DEFLATED_EXPLICIT_VR_LE, RLE_LOSSLESS])
def test_cut_anywhere_is_refused(syntax: str) -> None:
    ds = EVERYTHING.copy()
    if syntax == RLE_LOSSLESS:
        ds["PixelData"] = Fragments(b"\0\0\0\0", (b"abcd",))
    data = encode(ds, syntax)
    ends = set()
    for end in range(1, len(data)):
        try:
            decode(data[:end], syntax)
        except DecodeError:
            continue
        ends.add(end)
    boundaries = {len(encode(ds.between(0, tag), syntax)) for tag in ds.tags()} | {len(data.rstrip(b"\0"))}
    assert ends <= boundaries or syntax == DEFLATED_EXPLICIT_VR_LE
    assert len(ends) <= len(ds)


def test_stopping_before_pixel_data_says_where_they_are() -> None:
    data = encode(EVERYTHING, EXPLICIT_VR_LE)
    decoder = Decoder(EXPLICIT_VR_LE, stop_before=PIXEL_DATA)
    for at in range(len(data)):
        decoder.feed(data[at : at + 1])
    assert decoder.stop is not None
    assert (decoder.stop.tag, decoder.stop.length) == (PIXEL_DATA, 4)
    assert data[decoder.stop.value_offset :] == b"abcd"
    assert data[decoder.stop.header_offset :].startswith(b"\xe0\x7f\x10\0")
    assert PIXEL_DATA not in decoder.finish()


def test_stopping_works_where_nothing_comes() -> None:
    decoder = Decoder(EXPLICIT_VR_LE, stop_before=PIXEL_DATA)
    decoder.feed(CODE)
    assert decoder.finish() == DataSet({"CodeValue": "A"})
    assert decoder.stop is None


def test_a_failed_decoder_stays_dead() -> None:
    decoder = Decoder(EXPLICIT_VR_LE)
    with pytest.raises(DecodeError):
        decoder.feed(b"\x08\0\0\1\0\0\0\0")
    with pytest.raises(DecodeError, match="failed before"):
        decoder.feed(CODE)
    with pytest.raises(DecodeError, match="failed before"):
        decoder.finish()


# --- broken -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (CODE + CODE, r"twice at \(0008,0100\) at byte 10"),
        (b"\x08\0\0\1\1\2\0\0", "not a Value Representation"),
        (b"\x08\0\0\1UT\0\0" + UNDEFINED, "undefined length"),
        (SEQUENCE + le(17) + ITEM + le(10) + CODE, "longer than what encloses it"),
        (SEQUENCE + le(18) + ITEM + le(8) + CODE, r"in \(0008,1032\)\[0\]"),
        (SEQUENCE + le(22) + ITEM + le(14) + CODE + NONE, "no room for another element"),
        (SEQUENCE + le(20) + ITEM + UNDEFINED + CODE + b"\0\0", "no room"),
        (SEQUENCE + le(18) + CODE + NONE + NONE, "item was expected"),
        (SEQUENCE + UNDEFINED + SEQUENCE_END + le(2), "delimiter"),
        (SEQUENCE + le(8) + SEQUENCE_END + NONE, "delimiter"),
        (SEQUENCE + le(26) + ITEM + le(18) + CODE + ITEM_END + NONE, "delimiter"),
        (ITEM_END + NONE, "delimiter"),
        (ITEM + NONE, "delimiter"),
        (b"\xe0\x7f\x10\0OB\0\0" + UNDEFINED + SEQUENCE_END + NONE, "Basic Offset Table"),
        (b"\xe0\x7f\x10\0OB\0\0" + UNDEFINED + CODE, "item was expected"),
        (CODE[:-1], "cut short"),
        (SEQUENCE + UNDEFINED, "cut short"),
    ],
)
def test_broken_structure_is_refused_with_its_place(data: bytes, complaint: str) -> None:
    with pytest.raises(DecodeError, match=complaint):
        decode(data, EXPLICIT_VR_LE)


def test_what_is_not_deflated_is_refused() -> None:
    with pytest.raises(DecodeError, match="not deflated"):
        decode(b"\xff" * 16, DEFLATED_EXPLICIT_VR_LE)


# --- limits -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "complaint"),
    [
        (Limits(elements=10), "more than 10 elements"),
        (Limits(depth=1), "more than 1 deep"),
        (Limits(text_bytes=8), "above the limit"),
        (Limits(value_bytes=3), "above the limit"),
        (Limits(total_bytes=100), "more than 100 bytes"),
    ],
)
def test_each_limit_is_enforced(limits: Limits, complaint: str) -> None:
    decode(encode(EVERYTHING, EXPLICIT_VR_LE), EXPLICIT_VR_LE)
    with pytest.raises(LimitError, match=complaint):
        decode(encode(EVERYTHING, EXPLICIT_VR_LE), EXPLICIT_VR_LE, limits=limits)


def test_fragments_are_limited_too() -> None:
    data = encode(DataSet({"PixelData": Fragments(b"", (b"ab",) * 5)}), RLE_LOSSLESS)
    with pytest.raises(LimitError, match="more than 4 fragments"):
        decode(data, RLE_LOSSLESS, limits=Limits(fragments=4))
    with pytest.raises(LimitError, match="above the limit"):
        decode(data, RLE_LOSSLESS, limits=Limits(value_bytes=1))


@pytest.mark.parametrize("levels", [17, 1_100, 100_000])
@pytest.mark.parametrize("defined", [False, True])
def test_deep_nesting_ends_in_an_error(levels: int, defined: bool) -> None:
    parts = []
    for level in range(levels, 0, -1):
        size = le(level * 20) if defined else UNDEFINED
        parts.append(SEQUENCE + size + ITEM + (le(level * 20 - 8) if defined else UNDEFINED))
    with pytest.raises(LimitError, match="nested more than 16"):
        decode(b"".join(parts), EXPLICIT_VR_LE)


def test_the_depth_allowed_is_allowed() -> None:
    ds = DataSet({"CodeValue": "A"})
    for _ in range(16):
        ds = DataSet({"ProcedureCodeSequence": [ds]})
    assert decode(encode(ds, EXPLICIT_VR_LE), EXPLICIT_VR_LE) == ds


def test_a_length_allocates_nothing() -> None:
    decoder = Decoder(EXPLICIT_VR_LE, limits=Limits(value_bytes=1 << 32))
    tracemalloc.start()
    decoder.feed(b"\x42\0\x11\0OB\0\0" + le(0xFFFFFFF0) + b"x" * 100)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000
    with pytest.raises(DecodeError, match="cut short"):
        decoder.finish()


def test_a_deflate_bomb_is_stopped_early() -> None:
    element = b"\x42\0\x11\0OB\0\0" + le(1 << 28)
    bomb = zlib.compressobj(9, wbits=-15)
    data = bomb.compress(element + bytes(1 << 26)) + bomb.flush()
    tracemalloc.start()
    with pytest.raises(DecodeError, match="inflates to more"):
        decode(data, DEFLATED_EXPLICIT_VR_LE, limits=Limits(total_bytes=1 << 20, value_bytes=1 << 30))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 << 20


def test_a_decoder_goes_on_behind_what_it_stopped_before() -> None:
    head = b"\x28\x00\x00\x01US\x02\x00\x10\x00"
    pixels = b"\xe0\x7f\x10\x00OW\x00\x00\x10\x00\x00\x00" + bytes(16)
    tail = b"\xfc\xff\xfc\xffOB\x00\x00\x02\x00\x00\x00\x07\x08"
    decoder = Decoder(EXPLICIT_VR_LE, limits=Limits(total_bytes=len(head) + 12 + len(tail)), stop_before=0x7FE00010)
    decoder.feed(head + pixels)
    assert decoder.stop is not None
    decoder.resume(len(head + pixels))
    decoder.feed(tail[:9])
    decoder.feed(tail[9:])
    found = decoder.finish()
    assert found[0xFFFCFFFC] == b"\x07\x08"
    assert found.tags() == [0x00280100, 0xFFFCFFFC]
