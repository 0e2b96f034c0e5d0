"""Properties of the codec: what is written is read, in pieces as in one, and damage ends in DecodeError."""

from __future__ import annotations

import string
from io import BytesIO

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.dataset import dictionary
from agent.dataset.charset import DEFAULT
from agent.dataset.dataset import DataSet, Form
from agent.dataset.decode import Decoder, Limits, decode
from agent.dataset.encode import encode
from agent.dataset.tag import SPECIFIC_CHARACTER_SET
from agent.dataset.uid import DEFLATED_EXPLICIT_VR_LE, EXPLICIT_VR_BE, EXPLICIT_VR_LE, IMPLICIT_VR_LE, RLE_LOSSLESS
from agent.dataset.values import Element, Fragments, Raw, Value, Wire
from agent.dataset.vr import VRS
from agent.errors import DecodeError, NotDicomError
from agent.media.part10 import FileMeta, decode_prefix, encode_prefix
from agent.media.reader import open_instance

# The Standard has an element for values of every VR (PS3.3 C.23.4.1.1); UN is for private ones.
PRIVATE_TAG = 0x00091002
TAGS = {vr: dictionary.tag_for(f"Selector{vr}Value") for vr in VRS if vr not in {"SQ", "UN"}} | {"UN": PRIVATE_TAG}

ALPHABETS = {
    "ISO_IR 100": "\u00e4\u00d1\u00df",
    "ISO_IR 144": "\u041b\u044e\u043c",
    "ISO_IR 13": "\uff94\uff8f\uff80",
    "ISO_IR 192": "\u738b\U0001f600\u00e9",
    "GB18030": "\u738b\u4e1c\u00e9",
    "\\ISO 2022 IR 87\\ISO 2022 IR 159": "\u5c71\u7530\u4e02\u3084",
    "ISO 2022 IR 13\\ISO 2022 IR 87": "\uff94\u5c71\u3084",
    "\\ISO 2022 IR 149": "\u6d2a\ud64d\uae38",
    "\\ISO 2022 IR 58": "\u5f20\u4e1c",
    "ISO 2022 IR 100\\ISO 2022 IR 126\\ISO 2022 IR 144\\ISO 2022 IR 149": "\u00e9\u0394\u044e\uae38",
}

visible = st.characters(exclude_categories=("C", "Z"), exclude_characters="\\^=\ufffd")
words = st.text(visible, min_size=1, max_size=8)
digits = st.text(string.digits, min_size=1, max_size=3).map(lambda text: str(int(text)))
dates = st.dates().map(lambda day: day.strftime("%Y%m%d").zfill(8))
times = st.times().map(lambda time: time.strftime("%H%M%S.%f"))
SCALARS: dict[str, st.SearchStrategy[Value]] = {
    "AE": st.text(string.ascii_letters, min_size=1, max_size=16),
    "AS": st.integers(0, 999).map(lambda number: f"{number:03}Y"),
    "AT": st.integers(0, 0xFFFFFFFF),
    "CS": st.text(string.ascii_uppercase + "_", min_size=1, max_size=16),
    "DA": dates,
    "DS": st.integers(-(10**6), 10**6).map(lambda number: number / 1024),
    "DT": st.tuples(dates, times).map("".join),
    "FD": st.floats(allow_nan=False),
    "FL": st.floats(allow_nan=False, width=32),
    "IS": st.integers(-(2**31), 2**31 - 1),
    "LO": words,
    "PN": st.lists(words, min_size=1, max_size=5).map("^".join),
    "SH": words,
    "SL": st.integers(-(2**31), 2**31 - 1),
    "SS": st.integers(-(2**15), 2**15 - 1),
    "SV": st.integers(-(2**63), 2**63 - 1),
    "TM": times,
    "UC": words,
    "UI": st.lists(digits, min_size=1, max_size=16).map(".".join),
    "UL": st.integers(0, 2**32 - 1),
    "US": st.integers(0, 2**16 - 1),
    "UV": st.integers(0, 2**64 - 1),
}


def whole_words(data: bytes) -> bytes:
    return data + bytes(-len(data) % 8)


SINGLE: dict[str, st.SearchStrategy[Value]] = {
    "LT": words.map(lambda text: f" {text}\\\r\n{text}"),
    "ST": words,
    "UT": words,
    "UR": st.just("https://example.org/a?b=c"),
    **dict.fromkeys(("OB", "OD", "OF", "OL", "OV", "OW", "UN"), st.binary(max_size=12).map(whole_words)),
}


def several(vr: str) -> st.SearchStrategy[Value]:
    """One value or a list of them, as far as the dictionary lets this element hold several."""
    scalar = SCALARS[vr]
    if not dictionary.vm_allows(dictionary.vm_of(TAGS[vr]), 2):
        return scalar
    return st.one_of(scalar, st.lists(scalar, min_size=2, max_size=4))


VALUES = {vr: SINGLE[vr] if vr in SINGLE else several(vr) for vr in TAGS}


@st.composite
def data_sets(draw: st.DrawFn, depth: int = 3) -> DataSet:
    ds = DataSet()
    for vr in draw(st.lists(st.sampled_from(sorted(TAGS)), unique=True, max_size=6)):
        if vr == "UN":
            ds[PRIVATE_TAG & 0xFFFF0000 | 0x10] = "PROPERTY TEST"
        ds.set(TAGS[vr], draw(st.one_of(st.none(), VALUES[vr])), vr=vr)
    if depth and draw(st.booleans()):
        ds["ProcedureCodeSequence"] = draw(st.lists(data_sets(depth=depth - 1), max_size=2))
    return ds


def plain(ds: DataSet) -> list[object]:
    """Tags and values that must survive; empty bytes or text and no value are the same on the wire."""
    seen: list[object] = []
    for element in ds:
        if element.vr == "SQ":
            seen.append((element.tag, [plain(item) for item in ds.items_of(element.tag)]))
        elif element.tag != SPECIFIC_CHARACTER_SET:
            seen.append((element.tag, None if element.value in (b"", "") else element.value))
    return seen


@settings(max_examples=80)
@given(data_sets())
@pytest.mark.parametrize("syntax", [IMPLICIT_VR_LE, EXPLICIT_VR_LE, DEFLATED_EXPLICIT_VR_LE, RLE_LOSSLESS])
def test_what_is_written_is_read(syntax: str, ds: DataSet) -> None:
    data = encode(ds, syntax)
    back = decode(data, syntax)
    assert plain(back) == plain(ds)
    assert encode(back, syntax) == data
    assert len(data) % 2 == 0


@settings(max_examples=60)
@given(data_sets())
def test_pydicom_reads_the_same(ds: DataSet) -> None:
    data = encode_prefix(FileMeta("1.2", "1.2.3", EXPLICIT_VR_LE)) + encode(ds, EXPLICIT_VR_LE)
    theirs = pydicom.dcmread(BytesIO(data))
    assert [int(element.tag) for element in theirs if element.tag != SPECIFIC_CHARACTER_SET] == ds.tags()
    for element in ds:
        if element.vr in {"LO", "SH", "CS", "UI", "DA", "TM", "DT", "AE"} and isinstance(element.value, str):
            assert theirs[element.tag].value == element.value


@settings(max_examples=60)
@given(data_sets(), st.lists(st.integers(1, 7), min_size=1))
@pytest.mark.parametrize("syntax", [IMPLICIT_VR_LE, EXPLICIT_VR_LE, DEFLATED_EXPLICIT_VR_LE])
def test_pieces_make_no_difference(syntax: str, ds: DataSet, sizes: list[int]) -> None:
    data = encode(ds, syntax)
    decoder, at, turn = Decoder(syntax), 0, 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        decoder.feed(data[at : at + size])
        at, turn = at + size, turn + 1
    assert decoder.finish() == decode(data, syntax)


@st.composite
def read_forms(draw: st.DrawFn, depth: int = 3) -> DataSet:
    """A Data Set as if it had been read: undefined lengths, odd values, disorder, UN and unknown VRs anywhere."""
    ds = draw(data_sets(depth=0))
    data = encode(ds, EXPLICIT_VR_LE)
    ds = decode(data, EXPLICIT_VR_LE)
    ds.set(0x000B0010, "FORMS")
    odd = draw(st.binary(min_size=1, max_size=5))
    ds.stored[0x000B1001] = Raw(0x000B1001, "OB", odd)
    ds.stored[0x000B1002] = Raw(0x000B1002, "UN", odd, DEFAULT, draw(st.sampled_from([None, Wire("ZZ")])))
    ds.stored[0x00280010] = Raw(0x00280010, "US", b"\2\0", DEFAULT, draw(st.sampled_from([None, Wire("UN")])))
    if depth and draw(st.booleans()):
        items = draw(st.lists(read_forms(depth=depth - 1), max_size=2))
        wire = draw(st.sampled_from([None, Wire("SQ", undefined=True)]))
        ds.stored[0x00081032] = Element(0x00081032, "SQ", items, wire)
    order = draw(st.permutations(sorted(ds.stored))) if draw(st.booleans()) else None
    ds.form = Form(draw(st.booleans()) and depth < 3, None if order is None else tuple(order))
    return ds


@settings(max_examples=60)
@given(read_forms())
def test_every_form_comes_back_in_its_bytes(ds: DataSet) -> None:
    data = encode(ds, EXPLICIT_VR_LE)
    back = decode(data, EXPLICIT_VR_LE)
    assert encode(back, EXPLICIT_VR_LE) == data
    decoder = Decoder(EXPLICIT_VR_LE)
    for at in range(len(data)):
        decoder.feed(data[at : at + 1])
    assert encode(decoder.finish(), EXPLICIT_VR_LE) == data
    canonical = encode(back, EXPLICIT_VR_LE, canonical=True)
    again = decode(canonical, EXPLICIT_VR_LE)
    assert again.tags() == back.tags()
    assert list(again.stored) == sorted(again.stored)
    assert encode(again, EXPLICIT_VR_LE) == canonical


@settings(max_examples=60)
@given(data_sets(), st.binary(min_size=1, max_size=7))
@pytest.mark.parametrize("syntax", [IMPLICIT_VR_LE, EXPLICIT_VR_LE])
def test_a_tail_is_no_data_set(syntax: str, ds: DataSet, tail: bytes) -> None:
    with pytest.raises(DecodeError, match="cut short"):
        decode(encode(ds, syntax) + tail, syntax)


@settings(max_examples=60)
@given(st.sampled_from(sorted(ALPHABETS)), st.data())
def test_text_of_every_character_set_survives(terms: str, data: st.DataObject) -> None:
    letters = st.text(ALPHABETS[terms] + "abc ", min_size=1, max_size=10).map(str.strip)
    name = "=".join(data.draw(st.lists(st.lists(letters, max_size=5).map("^".join), max_size=3)))
    lines = data.draw(st.lists(letters, max_size=4).map("\r\n".join))
    ds = DataSet({"SpecificCharacterSet": terms.split("\\"), "PatientName": name, "TextValue": lines})
    back = decode(encode(ds, EXPLICIT_VR_LE), EXPLICIT_VR_LE)
    assert (back.text("PatientName"), back.text("TextValue")) == (name.rstrip(" "), lines.rstrip(" "))


@settings(max_examples=150)
@given(data_sets(), st.data())
@pytest.mark.parametrize("syntax", [IMPLICIT_VR_LE, EXPLICIT_VR_LE, EXPLICIT_VR_BE, DEFLATED_EXPLICIT_VR_LE])
def test_damage_ends_in_decode_error_or_a_data_set(syntax: str, ds: DataSet, data: st.DataObject) -> None:
    if data.draw(st.booleans()):
        ds["PixelData"] = Fragments(b"", (b"ab", b"cdef"))
        good = encode(ds, RLE_LOSSLESS)
    else:
        good = encode(ds, IMPLICIT_VR_LE if syntax == EXPLICIT_VR_BE else syntax)
    bad = bytearray(good)
    for at, byte in data.draw(st.lists(st.tuples(st.integers(0), st.integers(0, 255)), max_size=6)):
        if bad:
            bad[at % len(bad)] = byte
    end = data.draw(st.integers(0, len(bad)))
    judge_read(bytes(bad if data.draw(st.booleans()) else bad[:end]), syntax)


@settings(max_examples=100)
@given(st.binary(max_size=200))
@pytest.mark.parametrize("syntax", [IMPLICIT_VR_LE, EXPLICIT_VR_LE, EXPLICIT_VR_BE, DEFLATED_EXPLICIT_VR_LE])
def test_noise_ends_in_decode_error_or_a_data_set(syntax: str, data: bytes) -> None:
    judge_read(data, syntax)


@settings(max_examples=100)
@given(st.binary(max_size=300), st.booleans())
def test_files_of_noise_are_refused(noise: bytes, prefixed: bool) -> None:
    data = (bytes(128) + b"DICM" + noise) if prefixed else noise
    try:
        decode_prefix(data)
        open_instance(lambda length, offset: data[offset : offset + length], len(data))
    except (DecodeError, NotDicomError):
        return


def judge_read(data: bytes, syntax: str) -> None:
    """Decode, and if that works look at every value."""
    try:
        ds = decode(data, syntax, limits=Limits(total_bytes=1 << 20, value_bytes=1 << 16, elements=500))
    except DecodeError:
        return
    pending = [ds]
    while pending:
        for element in (current := pending.pop()):
            pending += current.items_of(element.tag)
