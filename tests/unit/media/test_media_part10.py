"""File Meta Information: golden bytes, exact lengths, damage."""

from __future__ import annotations

import struct

import pytest

from agent.dataset.uid import EXPLICIT_VR_LE, IMPLEMENTATION_CLASS_UID, US
from agent.errors import DecodeError, EncodeError, NotDicomError
from agent.media.part10 import META_OFFSET, PREFIX_LIMIT_BYTES, FileMeta, decode_prefix, encode_prefix, min_filler_bytes

META = FileMeta(US, "1.2.3", EXPLICIT_VR_LE, "MODALITY")
PREFIX = encode_prefix(META)


def test_the_bytes_of_a_prefix() -> None:  # PS3.10 7.1
    body = (
        b"\2\0\1\0OB\0\0\2\0\0\0\0\1"
        b"\2\0\2\0UI\x1c\x001.2.840.10008.5.1.4.1.1.6.1\0"
        b"\2\0\3\0UI\6\x001.2.3\0"
        b"\2\0\x10\0UI\x14\x001.2.840.10008.1.2.1\0"
        b"\2\0\x12\0UI\x2c\0" + IMPLEMENTATION_CLASS_UID.encode() + b"\0"
        b"\2\0\x13\0SH\x10\0MODALITYAGENT_01"
        b"\2\0\x16\0AE\x08\0MODALITY"
    )
    assert bytes(128) + b"DICM\2\0\0\0UL\4\0" + struct.pack("<I", len(body)) + body == PREFIX


def test_what_is_written_is_read() -> None:
    assert decode_prefix(PREFIX + b"data set") == (META, len(PREFIX))
    anonymous = META._replace(source_ae_title="")
    assert decode_prefix(encode_prefix(anonymous))[0] == anonymous


@pytest.mark.parametrize("more", [0, min_filler_bytes(), min_filler_bytes() + 2, 4096, 100_000, 1_700_000])
def test_any_length_can_be_had(more: int) -> None:
    padded = encode_prefix(META, length=len(PREFIX) + more)
    assert len(padded) == len(PREFIX) + more
    assert decode_prefix(padded) == (META, len(padded))
    assert decode_prefix(padded[:PREFIX_LIMIT_BYTES]) == (META, len(padded))


@pytest.mark.parametrize("more", [-2, 2, min_filler_bytes() - 2, min_filler_bytes() + 1])
def test_some_lengths_cannot(more: int) -> None:
    with pytest.raises(EncodeError, match="cannot be made"):
        encode_prefix(META, length=len(PREFIX) + more)


@pytest.mark.parametrize(
    "meta",
    [META._replace(sop_class_uid=""), META._replace(sop_instance_uid="1.02"), META._replace(transfer_syntax_uid="x"),
     META._replace(source_ae_title="A" * 17), META._replace(source_ae_title="A\\B"), META._replace(source_ae_title=" "),
     META._replace(source_ae_title="\u00e9")],
)  # fmt: skip
def test_bad_meta_is_not_written(meta: FileMeta) -> None:
    with pytest.raises(EncodeError):
        encode_prefix(meta)


@pytest.mark.parametrize("data", [b"", b"DICM", bytes(200), b"x" * 128 + b"DIC"])
def test_what_is_not_dicom_is_told_apart(data: bytes) -> None:
    with pytest.raises(NotDicomError):
        decode_prefix(data)


def test_the_preamble_is_ignored() -> None:
    assert decode_prefix(b"MZ" + b"\xff" * 126 + PREFIX[128:])[0] == META


def test_cut_anywhere_is_refused() -> None:
    for end in range(META_OFFSET, len(PREFIX)):
        with pytest.raises(DecodeError):
            decode_prefix(PREFIX[:end])


def test_without_group_length_the_group_ends_where_another_begins() -> None:
    body = PREFIX[META_OFFSET + 12 :]
    data = PREFIX[:META_OFFSET] + body + b"\x08\0\x05\0CS\0\0"
    assert decode_prefix(data) == (META, META_OFFSET + len(body))
    assert decode_prefix(PREFIX[:META_OFFSET] + body) == (META, META_OFFSET + len(body))


def damaged(offset: int, data: bytes) -> bytes:
    return PREFIX[: META_OFFSET + offset] + data + PREFIX[META_OFFSET + offset + len(data) :]


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (damaged(8, struct.pack("<I", 0xFFFFFFF0)), "not believable"),
        (damaged(8, struct.pack("<I", 10)), "missing"),
        (damaged(8, struct.pack("<I", 1000)) + b"\x08\0\x05\0CS\0\0", "does not match"),
        (damaged(6, b"\2\0"), "not four bytes"),
        (damaged(16, b"\0\0"), "Explicit VR"),
        (PREFIX.replace(b"1.2.3", b"1.2.x"), "is no UID"),
        (PREFIX.replace(b"\2\0\3\0UI", b"\2\0\4\0UI"), "SOP Instance UID is missing"),
    ],
)
def test_damage_is_named(data: bytes, complaint: str) -> None:
    with pytest.raises(DecodeError, match=complaint):
        decode_prefix(data)


def test_a_vr_that_claims_gigabytes_costs_nothing() -> None:
    data = PREFIX[: META_OFFSET + 12] + b"\2\0\1\0OB\0\0\xf0\xff\xff\xff"
    with pytest.raises(DecodeError, match="cut short"):
        decode_prefix(data + bytes(100))
