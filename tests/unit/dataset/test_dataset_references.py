"""Values left where they are: what refers to what, and that a Data Set is whole again when references are copied."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import pytest

from agent.dataset.dataset import DataSet
from agent.dataset.decode import Decoder, Limits
from agent.dataset.encode import encode, encode_parts
from agent.dataset.uid import (
    DEFLATED_EXPLICIT_VR_LE,
    EXPLICIT_VR_BE,
    EXPLICIT_VR_LE,
    IMPLICIT_VR_LE,
    JPEG_BASELINE,
    RLE_LOSSLESS,
)
from agent.dataset.values import Fragments, Reference
from agent.errors import DecodeError, EncodeError

if TYPE_CHECKING:
    from collections.abc import Sequence

TINY = Limits(value_bytes=8, text_bytes=200, total_bytes=700, fragments=1)
BEFORE = 132  # bytes of the file before the Data Set


def pictures(syntax: str) -> DataSet:
    """Large values at the root, in an item, as pixels and behind them."""
    ds = DataSet(
        {
            "SpecificCharacterSet": "ISO_IR 192",
            "PatientName": "M\u00fcller",
            "IconImageSequence": [DataSet({"Rows": 1, "RedPaletteColorLookupTableData": b"r" * 300})],
            "BitsAllocated": 8,
            "PixelData": Fragments(b"", (b"ab" * 400, b"cd")) if syntax == RLE_LOSSLESS else b"p" * 1002,
            "DataSetTrailingPadding": bytes(500),
        }
    )
    ds.set(0x00090010, "CREATOR")
    ds.set(0x00091001, "t\u00e9xt" * 100, vr="UT")
    return ds


def referred(data: bytes, syntax: str, *, step: int, seek: bool, size: int | None = None) -> DataSet:
    """Decode a Data Set that stands behind ``BEFORE`` other bytes."""
    file = bytes(BEFORE) + data
    decoder = Decoder(syntax, limits=TINY, refer_above=200, offset=BEFORE)
    at, end = BEFORE, len(file) if size is None else BEFORE + size
    while at < end:
        piece = file[at : min(at + step, end)]
        decoder.feed(piece)
        at = decoder.skip(end) if seek else at + len(piece)
    return decoder.finish()


def copied(parts: Sequence[bytes | Reference], file: bytes) -> bytes:
    return b"".join(
        file[part.offset : part.offset + part.length] if isinstance(part, Reference) else part for part in parts
    )


@pytest.mark.parametrize("syntax", [EXPLICIT_VR_LE, IMPLICIT_VR_LE, RLE_LOSSLESS])
@pytest.mark.parametrize("step", [1, 7, 64, 100_000])
@pytest.mark.parametrize("seek", [False, True])
def test_what_is_copied_is_the_same_data_set(syntax: str, step: int, seek: bool) -> None:
    data = encode(pictures(syntax), syntax)
    ds = referred(data, syntax, step=step, seek=seek)
    palette = ds.items_of("IconImageSequence")[0]["RedPaletteColorLookupTableData"]
    assert isinstance(palette, Reference)
    assert data[palette.offset - BEFORE :].startswith(b"r" * 300)
    assert ds["PixelData"] == Reference(
        BEFORE + data.index(b"p" * 1002 if syntax != RLE_LOSSLESS else b"\xfe\xff\x00\xe0\0\0\0\0\xfe\xff"),
        1002 if syntax != RLE_LOSSLESS else 8 + 8 + 800 + 8 + 2 + 8,
        encapsulated=syntax == RLE_LOSSLESS,
    )
    assert isinstance(ds["DataSetTrailingPadding"], Reference)
    ds["PatientName"] = "Meier"
    changed = pictures(syntax)
    changed["PatientName"] = "Meier"
    assert copied(encode_parts(ds, syntax), bytes(BEFORE) + data) == encode(changed, syntax)


def test_nothing_large_is_ever_held() -> None:
    decoder = Decoder(EXPLICIT_VR_LE, refer_above=100)
    tracemalloc.start()
    decoder.feed(b"\xe0\x7f\x10\0OW\0\0" + (1 << 31).to_bytes(4, "little"))
    for _ in range(1 << 11):
        decoder.feed(bytes(1 << 14))
    assert decoder.skip((1 << 31) + 12) == (1 << 31) + 12
    decoder.feed(b"\xfc\xff\xfc\xffOB\0\0\0\0\0\0")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert decoder.finish()["PixelData"] == Reference(12, 1 << 31)
    assert peak < 100_000


@pytest.mark.parametrize("syntax", [EXPLICIT_VR_LE, RLE_LOSSLESS])
@pytest.mark.parametrize("seek", [False, True])
def test_a_value_that_ends_behind_the_file_is_cut_short(syntax: str, seek: bool) -> None:
    ds = DataSet({"PixelData": Fragments(b"", (b"ab" * 400,)) if syntax == RLE_LOSSLESS else b"p" * 1000})
    data = encode(ds, syntax)
    for size in range(1, len(data)):
        with pytest.raises(DecodeError, match="cut short"):
            referred(data, syntax, step=64, seek=seek, size=size)


def test_a_value_is_not_longer_than_its_item() -> None:
    data = bytearray(encode(DataSet({"IconImageSequence": [DataSet({"PixelData": b"p" * 300})]}), EXPLICIT_VR_LE))
    at = data.index(b"OW\0\0") + 4
    data[at : at + 4] = (302).to_bytes(4, "little")
    with pytest.raises(DecodeError, match="longer than what encloses it"):
        referred(bytes(data), EXPLICIT_VR_LE, step=64, seek=True)


def test_big_endian_words_say_so() -> None:
    data = b"\x7f\xe0\x00\x10OW\x00\x00\x00\x00\x01\x00" + bytes(256) + b"\x7f\xe0\x00\x11OB\x00\x00\x00\x00\x01\x00"
    ds = referred(data + bytes(256), EXPLICIT_VR_BE, step=64, seek=True)
    pixels, others = ds["PixelData"], ds[0x7FE00011]
    assert isinstance(pixels, Reference)
    assert isinstance(others, Reference)
    assert (pixels.word, others.word) == (2, 1)


def test_deflated_values_are_held() -> None:
    data = encode(DataSet({"PixelData": bytes(300)}), DEFLATED_EXPLICIT_VR_LE)
    decoder = Decoder(DEFLATED_EXPLICIT_VR_LE, refer_above=100)
    decoder.feed(data)
    assert decoder.finish()["PixelData"] == bytes(300)


def test_what_cannot_be_written_with_references_says_why() -> None:
    native, encapsulated = (
        DataSet({"PixelData": Reference(0, 9)}),
        DataSet({"PixelData": Reference(0, 9, encapsulated=True)}),
    )
    with pytest.raises(EncodeError, match="not in memory"):
        encode(native, EXPLICIT_VR_LE)
    with pytest.raises(EncodeError, match="not in memory"):
        encode_parts(native, DEFLATED_EXPLICIT_VR_LE)
    with pytest.raises(EncodeError, match="cannot be encapsulated"):
        encode_parts(encapsulated, EXPLICIT_VR_LE)
    with pytest.raises(EncodeError, match="must be encapsulated"):
        encode_parts(native, JPEG_BASELINE)
    text = DataSet({"SpecificCharacterSet": "ISO_IR 100", "TextValue": Reference(0, 300)})
    with pytest.raises(EncodeError, match=r"another character set at \(0040,A160\)"):
        encode_parts(text, EXPLICIT_VR_LE)
    assert encode_parts(DataSet(), EXPLICIT_VR_LE) == [b""]


def test_an_odd_value_is_padded_behind_its_reference() -> None:
    parts = encode_parts(DataSet({"BitsAllocated": 8, "PixelData": Reference(7, 301)}), EXPLICIT_VR_LE)
    assert parts[1:] == [Reference(7, 301), b"\0"]
    assert isinstance(parts[0], bytes)
    assert parts[0].endswith((302).to_bytes(4, "little"))
