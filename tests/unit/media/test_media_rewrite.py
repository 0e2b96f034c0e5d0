"""Copies with other attributes or another native transfer syntax, as plans that hold no pixels."""

from __future__ import annotations

from typing import Any

import pytest

from agent.dataset.dataset import DataSet
from agent.dataset.encode import encode
from agent.dataset.uid import (
    DEFLATED_EXPLICIT_VR_LE,
    EXPLICIT_VR_LE,
    IMPLICIT_VR_LE,
    JPEG_BASELINE,
    RLE_LOSSLESS,
    SC,
)
from agent.dataset.values import Fragments, Reference
from agent.errors import DecodeError, EncodeError
from agent.media.file import DicomFile, open_file
from agent.media.part10 import FileMeta, encode_prefix
from agent.media.rewrite import Plan, around_pixels, rewrite

PIXELS = bytes(range(256)) * 1024
ATTRIBUTES: dict[str, Any] = {"SOPClassUID": SC, "SOPInstanceUID": "1.2.3", "PatientName": "A", "BitsAllocated": 8}


def source(syntax: str = EXPLICIT_VR_LE, pixels: Any = PIXELS) -> tuple[bytes, DicomFile]:
    whole = DataSet({**ATTRIBUTES, 0xFFFCFFFC: b"\1\2"})
    whole.set(0x7FE00010, pixels, vr="OB")
    data = encode_prefix(FileMeta(SC, "1.2.3", syntax, "AE")) + encode(whole, syntax)
    return data, open_file(lambda length, offset: data[offset : offset + length], len(data), refer_above=1000)


def written(plan: Plan, data: bytes) -> bytes:
    assert sum(len(part) for part in plan.parts if isinstance(part, bytes)) < 2000
    return plan.prefix + b"".join(
        data[part.offset : part.offset + part.length] if isinstance(part, Reference) else part for part in plan.parts
    )


def test_an_unchanged_copy_is_the_same_file() -> None:
    data, file = source()
    assert written(rewrite(file), data) == data
    encapsulated, file = source(RLE_LOSSLESS, Fragments(b"", (PIXELS, PIXELS)))
    assert written(rewrite(file), encapsulated) == encapsulated


def test_attributes_change_and_the_meta_information_follows() -> None:
    data, file = source()
    made = written(rewrite(file, changes=DataSet({"SOPInstanceUID": "1.2.4", "PatientID": "7"}),
                           removed=[0x00100010, 0x00100030]), data)  # fmt: skip
    again = open_file(lambda length, offset: made[offset : offset + length], len(made))
    assert again.meta == FileMeta(SC, "1.2.4", EXPLICIT_VR_LE, "AE")
    assert (again.dataset["PatientID"], "PatientName" in again.dataset) == ("7", False)
    assert again.pixel_value is not None
    assert again.pread(again.pixel_value.length, again.pixel_value.offset) == PIXELS
    assert file.dataset["PatientName"] == "A"  # the source is as it was


def test_native_pixels_move_between_native_syntaxes() -> None:
    data, file = source()
    made = written(rewrite(file, transfer_syntax_uid=IMPLICIT_VR_LE), data)
    assert made == source(IMPLICIT_VR_LE)[0]
    deflated = rewrite(file, transfer_syntax_uid=DEFLATED_EXPLICIT_VR_LE)
    assert deflated.deflate
    assert b"".join(part for part in deflated.parts if isinstance(part, bytes)).startswith(b"\x08\0\x16\0UI")


@pytest.mark.parametrize(("given", "pixels", "wanted"), [
    (EXPLICIT_VR_LE, PIXELS, RLE_LOSSLESS),
    (RLE_LOSSLESS, Fragments(b"", (PIXELS,)), EXPLICIT_VR_LE),
    (RLE_LOSSLESS, Fragments(b"", (PIXELS,)), JPEG_BASELINE),
])  # fmt: skip
def test_what_needs_a_codec_is_refused(given: str, pixels: Any, wanted: str) -> None:
    with pytest.raises(EncodeError, match="cannot be copied into"):
        rewrite(source(given, pixels)[1], transfer_syntax_uid=wanted)


def test_a_lenient_source_becomes_a_strict_file() -> None:
    data, _ = source()
    broken = data[data.index(b"\x08\0\x16\0UI") :] + bytes(100)
    file = open_file(lambda length, offset: broken[offset : offset + length], len(broken), lenient=True)
    assert written(rewrite(file), broken) == data.replace(b"\2\0\x16\0AE\2\0AE", b"").replace(
        data[140:144], (int.from_bytes(data[140:144], "little") - 10).to_bytes(4, "little"), 1)  # fmt: skip


def test_fragments_without_an_end_get_one() -> None:
    whole = DataSet(ATTRIBUTES)
    whole.set(0x7FE00010, Fragments(b"", (PIXELS,)), vr="OB")
    good = encode_prefix(FileMeta(SC, "1.2.3", RLE_LOSSLESS, "AE")) + encode(whole, RLE_LOSSLESS)
    cut = good[:-8]
    with pytest.raises(DecodeError, match="the fragments are cut short"):
        open_file(lambda length, offset: cut[offset : offset + length], len(cut))
    file = open_file(lambda length, offset: cut[offset : offset + length], len(cut), lenient=True)
    assert [str(note) for note in file.notes] == [
        f"tolerated: no delimiter behind the fragments (byte {len(cut)})"]  # fmt: skip
    assert written(rewrite(file), cut) == good


@pytest.mark.parametrize(("syntax", "length", "end"), [(EXPLICIT_VR_LE, 27, [b"\0"]), (RLE_LOSSLESS, 27, []),
                                                      (IMPLICIT_VR_LE, 28, [])])  # fmt: skip
def test_the_pixels_have_a_head_and_a_tail(syntax: str, length: int, end: list[bytes]) -> None:
    head, tail = around_pixels(DataSet({**ATTRIBUTES}), syntax, length)
    assert tail == end
    assert all(isinstance(part, bytes) for part in head)
    count = 0xFFFFFFFF if syntax == RLE_LOSSLESS else length + length % 2
    assert b"".join(part for part in head if isinstance(part, bytes)).endswith(count.to_bytes(4, "little"))
