"""Opening files: what stands behind the pixels, pixels of other kinds, and what only a lenient reader takes."""

from __future__ import annotations

import random
import struct
import zlib
from typing import TYPE_CHECKING

import pytest

from agent.dataset.dataset import DataSet
from agent.dataset.decode import Limits
from agent.dataset.deflate import deflate
from agent.dataset.encode import encode
from agent.dataset.pixels import PixelDescription
from agent.dataset.uid import (
    DEFLATED_EXPLICIT_VR_LE,
    EXPLICIT_VR_BE,
    EXPLICIT_VR_LE,
    IMPLICIT_VR_LE,
    JPEG_BASELINE,
    RLE_LOSSLESS,
    SC,
)
from agent.dataset.values import Fragments, Reference
from agent.errors import DecodeError, LimitError, NotDicomError
from agent.media.file import DicomFile, open_file
from agent.media.part10 import FileMeta, encode_prefix
from agent.media.reader import instance_of

if TYPE_CHECKING:
    from collections.abc import Callable

ATTRIBUTES = DataSet(
    {"SpecificCharacterSet": "ISO_IR 100", "SOPClassUID": SC, "SOPInstanceUID": "1.2.3", "PatientName": "Änne",
     "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2", "Rows": 2, "Columns": 3, "BitsAllocated": 8,
     "BitsStored": 8, "HighBit": 7, "PixelRepresentation": 0}
)  # fmt: skip
META = FileMeta(SC, "1.2.3", EXPLICIT_VR_LE)
PADDING = {0xFFFCFFFC: b"\1\2\3\4"}


def data_set(syntax: str = EXPLICIT_VR_LE, pixels: object = b"abcdef", *, behind: bool = True) -> bytes:
    whole = ATTRIBUTES.copy()
    whole.set(0x7FE00010, pixels, vr="OB")  # type: ignore[arg-type]
    if behind:
        whole.set(0x7FE10010, "Ärger")
        whole.set(0x7FE11001, "größer", vr="LO")
        whole.update(PADDING)
    return encode(whole, syntax)


def opened(data: bytes, *, lenient: bool = False) -> DicomFile:
    return open_file(lambda length, offset: data[offset : offset + length], len(data), lenient=lenient)


@pytest.mark.parametrize("syntax", [EXPLICIT_VR_LE, IMPLICIT_VR_LE, DEFLATED_EXPLICIT_VR_LE, JPEG_BASELINE])
def test_what_stands_behind_the_pixels_is_read(syntax: str) -> None:
    native = syntax != JPEG_BASELINE
    data = encode_prefix(META._replace(transfer_syntax_uid=syntax)) + data_set(
        syntax, b"abcdef" if native else Fragments(b"", (b"abcd", b"ef"))
    )
    file = opened(data)
    assert file.dataset["PatientName"] == "Änne"
    assert file.dataset[0xFFFCFFFC] == b"\1\2\3\4"
    if syntax != IMPLICIT_VR_LE:
        assert file.dataset[0x7FE11001] == "größer"  # in the character set of the whole Data Set
    assert 0x7FE00010 not in file.dataset
    assert file.pixel_value is not None
    if native:
        assert file.pread(file.pixel_value.length, file.pixel_value.offset) == b"abcdef"
        assert instance_of(file).read_frame(0) == b"abcdef"
    else:
        assert file.pixel_value.fragments is not None
        assert [file.pread(length, offset) for offset, length in file.pixel_value.fragments.fragments()] == [
            b"abcd", b"ef"]  # fmt: skip
        assert instance_of(file).read_frame(0) == b"abcdef"


@pytest.mark.parametrize(("tag", "vr", "value"), [(0x7FE00008, "OF", bytes(8)), (0x7FE00009, "OD", bytes(16))])
def test_pixels_of_real_numbers_are_found(tag: int, vr: str, value: bytes) -> None:
    whole = ATTRIBUTES.copy()
    whole.set(tag, value, vr=vr)
    file = opened(encode_prefix(META) + encode(whole, EXPLICIT_VR_LE))
    assert file.pixel_value is not None
    assert (file.pixel_value.tag, file.pixel_value.vr, file.pixel_value.length) == (tag, vr, len(value))
    assert instance_of(file).pixels is None  # no frames in the sense of Pixel Data


def test_a_file_without_pixels_or_rows_opens() -> None:
    whole = DataSet({"SOPClassUID": SC, "PixelDataProviderURL": "https://x/y", **PADDING})
    file = opened(encode_prefix(META) + encode(whole, EXPLICIT_VR_LE))
    assert (file.pixel_value, file.dataset) == (None, whole)


# --- lenient --------------------------------------------------------------------------------------


def without(data: bytes, tag: int) -> bytes:
    """Group 0002 without one element (12 bytes of group length, 14 of version, then UIDs with short headers)."""
    prefix, at = data[:132], 132
    kept = b""
    while data[at : at + 2] == b"\2\0":
        long = data[at + 4 : at + 6] == b"OB"
        size = (12 + int.from_bytes(data[at + 8 : at + 12], "little")) if long else 8 + int.from_bytes(
            data[at + 6 : at + 8], "little")  # fmt: skip
        if 0x00020000 | int.from_bytes(data[at + 2 : at + 4], "little") != tag:
            kept += data[at : at + size]
        at += size
    return prefix + kept + data[at:]


GOOD = encode_prefix(META) + data_set(behind=False)
META_END = len(encode_prefix(META))
IMPLICIT = data_set(IMPLICIT_VR_LE, behind=False)
EMPTY_UIDS = GOOD.replace(b"\2\0\3\0UI\6\0" + b"1.2.3\0", b"\2\0\3\0UI\6\0" + bytes(6))
CASES: dict[str, tuple[bytes, str, str]] = {  # bytes, the note, the transfer syntax found
    "no preamble": (GOOD[128:], "no preamble", EXPLICIT_VR_LE),
    "no DICM": (bytes(128) + GOOD[132:], "no DICM prefix", EXPLICIT_VR_LE),
    "meta only": (GOOD[132:], "no preamble and no DICM prefix", EXPLICIT_VR_LE),
    "no meta, explicit": (GOOD[META_END:], "no File Meta Information", EXPLICIT_VR_LE),
    "no meta, implicit": (IMPLICIT, "no File Meta Information", IMPLICIT_VR_LE),
    "prefix but no meta": (GOOD[:132] + IMPLICIT, "no File Meta Information", IMPLICIT_VR_LE),
    "no group length": (without(GOOD, 0x00020000), "no group length", EXPLICIT_VR_LE),
    "group length too long": (GOOD[:140] + b"\xf0" + GOOD[141:], "the group length says", EXPLICIT_VR_LE),
    "group length too short": (GOOD[:140] + b"\x08" + GOOD[141:], "the group length says", EXPLICIT_VR_LE),
    "no transfer syntax": (without(GOOD, 0x00020010), "no Transfer Syntax UID; the bytes look like Explicit",
                           EXPLICIT_VR_LE),
    "no transfer syntax, implicit": (without(GOOD[:META_END], 0x00020010) + IMPLICIT, "look like Implicit",
                                     IMPLICIT_VR_LE),
    "explicit stated, implicit written": (GOOD[:META_END] + IMPLICIT, "Explicit VR Little Endian is stated",
                                          IMPLICIT_VR_LE),
    "implicit stated, explicit written": (
        encode_prefix(META._replace(transfer_syntax_uid=IMPLICIT_VR_LE)) + GOOD[META_END:],
        "Implicit VR Little Endian is stated, and the bytes are Explicit VR Little Endian", EXPLICIT_VR_LE),
    "deflated stated, explicit written": (
        encode_prefix(META._replace(transfer_syntax_uid=DEFLATED_EXPLICIT_VR_LE)) + GOOD[META_END:],
        "Deflated Explicit VR Little Endian is stated", EXPLICIT_VR_LE),
    "encapsulated stated, native written": (
        encode_prefix(META._replace(transfer_syntax_uid=JPEG_BASELINE)) + GOOD[META_END:],
        "Pixel Data are native in spite of JPEG Baseline", EXPLICIT_VR_LE),
    "no SOP Instance UID": (EMPTY_UIDS, "no Media Storage SOP Instance UID", EXPLICIT_VR_LE),
    "zeros behind": (GOOD + bytes(700), "700 bytes of padding", EXPLICIT_VR_LE),
    "zeros behind, implicit": (IMPLICIT + bytes(700), "700 bytes of padding", IMPLICIT_VR_LE),
    "0xFF behind": (GOOD + b"\xff" * 3, "3 bytes of padding", EXPLICIT_VR_LE),
    "garbage behind": (GOOD + b"trailing rubbish", "16 bytes behind the Data Set", EXPLICIT_VR_LE),
    "odd length": (GOOD[:-18] + b"\x20\0\x00\x40LT\3\0abc" + GOOD[-18:], "1 value of odd length, such as that of (0020",
                   EXPLICIT_VR_LE),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_lenient_reader_says_what_it_tolerated(name: str) -> None:
    data, text, syntax = CASES[name]
    file = opened(data, lenient=True)
    assert text in " / ".join(map(str, file.notes))
    assert all(0 <= note.offset <= len(data) for note in file.notes)
    assert (file.meta.transfer_syntax_uid, file.meta.sop_class_uid, file.meta.sop_instance_uid) == (syntax, SC, "1.2.3")
    assert file.dataset["PatientName"] == "Änne"
    assert file.pixel_value is not None
    assert file.pread(file.pixel_value.length, file.pixel_value.offset) == b"abcdef"
    assert 0 not in file.dataset


STRICT_TOO = {"no group length", "odd length"}  # harmless to everybody, as PS3.10 readers have always been


@pytest.mark.parametrize("name", sorted(set(CASES) - STRICT_TOO))
def test_a_strict_reader_does_not(name: str) -> None:
    with pytest.raises(DecodeError):
        opened(CASES[name][0])


def test_a_conforming_file_gives_no_note() -> None:
    for syntax in (EXPLICIT_VR_LE, IMPLICIT_VR_LE, DEFLATED_EXPLICIT_VR_LE):
        data = encode_prefix(META._replace(transfer_syntax_uid=syntax)) + data_set(syntax)
        assert opened(data, lenient=True).notes == []


def test_fragments_keep_their_codec_when_the_attributes_are_implicit() -> None:
    head = ATTRIBUTES.copy()
    value = encode(DataSet({0x7FE00010: Fragments(b"", (b"\xff\xd8",))}), RLE_LOSSLESS)[12:]
    data = encode_prefix(META._replace(transfer_syntax_uid=JPEG_BASELINE)) + encode(head, IMPLICIT_VR_LE)
    file = opened(data + b"\xe0\x7f\x10\0\xff\xff\xff\xff" + value, lenient=True)
    assert file.meta.transfer_syntax_uid == JPEG_BASELINE
    assert [note.text for note in file.notes] == [
        "JPEG Baseline (Process 1) is stated, and the bytes are Implicit VR Little Endian"]  # fmt: skip
    assert file.pixel_value is not None
    assert file.pixel_value.fragments is not None


def test_long_values_may_stay_where_they_are() -> None:
    data = encode_prefix(META) + encode(DataSet({"EncapsulatedDocument": b"%PDF" * 64,
                                                 "PixelData": b"abcdef", **PADDING}), EXPLICIT_VR_LE)  # fmt: skip
    file = open_file(lambda length, offset: data[offset : offset + length], len(data), refer_above=100)
    found = file.dataset["EncapsulatedDocument"]
    assert isinstance(found, Reference)
    assert data[found.offset : found.offset + found.length] == b"%PDF" * 64
    assert file.pixel_value is not None
    assert file.dataset[0xFFFCFFFC] == b"\1\2\3\4"


def test_big_endian_is_recognized() -> None:
    swapped = b"\0\x08\0\x16UI" + struct.pack(">H", 26) + SC.encode().ljust(26, b"\0")
    file = opened(swapped, lenient=True)
    assert (file.meta.transfer_syntax_uid, file.dataset["SOPClassUID"]) == (EXPLICIT_VR_BE, SC)


@pytest.mark.parametrize("data", [b"", b"hello", b"%PDF-1.4" + b"x" * 300, bytes(400), b"\x7fELF" + bytes(300),
                                  b"<?xml version='1.0'?><x/>" * 20, b"\xff\xd8\xff\xe0" + bytes(300)])  # fmt: skip
def test_what_is_not_dicom_stays_that(data: bytes) -> None:
    with pytest.raises(NotDicomError):
        opened(data, lenient=True)


@pytest.mark.parametrize("lenient", [False, True])
def test_a_file_cut_anywhere_is_refused_or_read(lenient: bool) -> None:
    encapsulated = data_set(RLE_LOSSLESS, Fragments(b"", (b"abcd", b"ef")))
    rle, deflated = (
        encode_prefix(META._replace(transfer_syntax_uid=uid)) for uid in (RLE_LOSSLESS, DEFLATED_EXPLICIT_VR_LE)
    )
    for data in (GOOD, IMPLICIT, rle + encapsulated, deflated + deflate(b"\x08\0")):
        for end in range(len(data)):
            try:
                opened(data[:end], lenient=lenient)
            except DecodeError:
                continue


def test_damage_anywhere_is_a_decode_error() -> None:
    chance = random.Random(1)
    for _ in range(1500):
        data = bytearray(chance.choice([GOOD, IMPLICIT, CASES["odd length"][0], GOOD[128:]]))
        for _ in range(chance.randrange(1, 4)):
            data[chance.randrange(len(data))] = chance.choice([0, 255, chance.randrange(256)])
        try:
            file = opened(bytes(data), lenient=True)
            instance_of(file)
        except DecodeError:
            continue


def test_file_meta_information_without_end_is_an_attack() -> None:
    endless: Callable[[int, int], bytes] = lambda length, offset: (b"\2\0\2\0UI\0\0" * 2)[offset % 8 :][:length]  # noqa: E731
    with pytest.raises(LimitError, match="more than 64 elements"):
        open_file(endless, 1 << 40, lenient=True)


def test_what_is_beyond_a_limit_is_not_taken_for_rubbish_behind_the_pixels() -> None:
    """A lenient reader ignores what makes no sense there, and this does."""
    pixels = PixelDescription(1, 2)
    behind = {0x7FE10010: "OURS", **{0x7FE11000 + number: b"ab" for number in range(20)}}
    dataset = DataSet({"SOPClassUID": SC, "SOPInstanceUID": "1.2", **pixels.to_elements(), "PixelData": b"ab"})
    for tag, value in behind.items():
        dataset.set(tag, value, "LO" if isinstance(value, str) else "OB")
    data = encode_prefix(FileMeta(SC, "1.2", EXPLICIT_VR_LE)) + encode(dataset, EXPLICIT_VR_LE)
    pread: Callable[[int, int], bytes] = lambda length, offset: data[offset : offset + length]  # noqa: E731
    for lenient in (False, True):
        assert 0x7FE11010 in open_file(pread, len(data), lenient=lenient).dataset
        with pytest.raises(LimitError, match="more than 20 elements"):
            open_file(pread, len(data), lenient=lenient, limits=Limits(elements=20))


@pytest.mark.parametrize("syntax", [EXPLICIT_VR_LE, IMPLICIT_VR_LE, DEFLATED_EXPLICIT_VR_LE])
def test_the_header_alone_asks_nothing_of_what_is_behind_it(syntax: str) -> None:
    data = encode_prefix(META._replace(transfer_syntax_uid=syntax)) + data_set(syntax)
    cut = data if syntax == DEFLATED_EXPLICIT_VR_LE else data[: data.index(b"abcdef") + 2]
    asked = 0

    def pread(length: int, offset: int) -> bytes:
        nonlocal asked
        asked = max(asked, offset)
        return cut[offset : offset + length]

    file = open_file(pread, len(cut), header_only=True)
    assert file.dataset.tags() == ATTRIBUTES.tags()
    assert file.pixel_value is None
    if cut is not data:
        assert asked == 0
        with pytest.raises(DecodeError, match="cut short"):
            opened(cut)


def encapsulated(syntax: str, table: bytes, *fragments: bytes) -> bytes:
    return encode_prefix(META._replace(transfer_syntax_uid=syntax)) + data_set(syntax, Fragments(table, fragments))


@pytest.mark.parametrize(
    ("syntax", "table", "fragments"),
    [
        (JPEG_BASELINE, b"", (b"\xff\xd8ab", b"\xff\xd8cd")),  # two pictures
        (JPEG_BASELINE, struct.pack("<2I", 0, 12), (b"abcd", b"efgh")),  # two entries
        (RLE_LOSSLESS, b"", (b"abcd", b"ef")),  # which has one fragment for each frame
    ],
)
def test_a_frame_too_many_is_refused_and_not_glued_to_the_first(
    syntax: str, table: bytes, fragments: tuple[bytes, ...]
) -> None:
    file = opened(encapsulated(syntax, table, *fragments))
    with pytest.raises(DecodeError, match="2 fragments do not make 1 frames"):
        instance_of(file)


def test_native_bytes_for_a_frame_too_many_are_refused() -> None:
    prefix = encode_prefix(META)
    with pytest.raises(DecodeError, match="12 bytes of Pixel Data are more than 1 frames of 6"):
        instance_of(opened(prefix + data_set(pixels=b"abcdefghijkl")))
    assert instance_of(opened(prefix + data_set(pixels=b"abcdefgh"))).number_of_frames == 1  # padding


def test_the_padding_of_a_single_sample_is_no_frame() -> None:
    one = ATTRIBUTES.copy()
    one.update({"Rows": 1, "Columns": 1, "PixelData": b"a"})
    data = encode_prefix(META) + encode(one, EXPLICIT_VR_LE)
    assert instance_of(opened(data)).read_frame(0) == b"a"


def test_meta_information_that_ends_behind_the_file_is_said() -> None:
    """Its group length is beyond the end, and the bytes that are missing are those nobody needs."""
    whole = encode_prefix(META, length=2000)
    with pytest.raises(DecodeError, match="File Meta Information is cut short at byte 1500"):
        opened(whole[:1500])
    assert len(opened(whole).dataset) == 0


@pytest.mark.parametrize("behind", [b"PATIENT", b"\0\0", b"\1"])
def test_bytes_behind_a_deflated_data_set_are_not_dropped_in_silence(behind: bytes) -> None:
    head = encode_prefix(FileMeta(SC, "1.2.3", DEFLATED_EXPLICIT_VR_LE))
    packed = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    data = head + packed.compress(encode(DataSet({"PatientID": "7"}), EXPLICIT_VR_LE)) + packed.flush()

    def opened(data: bytes, *, lenient: bool = False) -> DicomFile:
        return open_file(lambda length, at: data[at : at + length], len(data), lenient=lenient)

    assert opened(data + b"\0").dataset.text("PatientID") == "7"  # PS3.5 A.5
    text = f"{len(behind)} bytes behind the Data Set"
    with pytest.raises(DecodeError, match=text) as caught:
        opened(data + behind)
    assert caught.value.offset == len(data)
    found = opened(data + behind, lenient=True)
    assert found.dataset.text("PatientID") == "7"
    assert [note.text[: len(text)] for note in found.notes] == [text]
