"""Character sets: every defined term, code extensions with their resets, and writing them, against pydicom too."""

from __future__ import annotations

import warnings

import pydicom.charset
import pytest

from agent.dataset.charset import CHARSETS, CODE_SETS, charset_for, charset_to_read
from agent.dataset.dataset import DataSet
from agent.dataset.decode import decode
from agent.dataset.encode import encode
from agent.dataset.uid import EXPLICIT_VR_LE
from agent.errors import EncodeError

TEXTS = {
    "ISO_IR 100": "M\u00fcller",
    "ISO_IR 101": "W\u0119gry\u0141",
    "ISO_IR 109": "\u0126al\u010b",
    "ISO_IR 110": "\u0100bols\u0137",
    "ISO_IR 144": "\u041b\u044e\u043ace\u043c",
    "ISO_IR 127": "\u0642\u0628\u0627\u0646\u064a",
    "ISO_IR 126": "\u0394\u03b9\u03bf\u03bd",
    "ISO_IR 138": "\u05e9\u05e8\u05d5\u05df",
    "ISO_IR 148": "\u0130\u015f\u011f",
    "ISO_IR 203": "\u0152uvre\u20ac",
    "ISO_IR 166": "\u0e44\u0e17\u0e22",
    "ISO_IR 13": "\uff94\uff8f\uff80\uff9e",
    "ISO_IR 192": "\u738b\u5c0f\u6771 \U0001f600",
    "GB18030": "\u738b\u5c0f\u4e1c",
    "GBK": "\u738b\u5c0f\u4e1c",
}
EXTENDED = {
    "\\ISO 2022 IR 87": "Yamada^Tarou=\u5c71\u7530^\u592a\u90ce=\u3084\u307e\u3060^\u305f\u308d\u3046",
    "ISO 2022 IR 13\\ISO 2022 IR 87": "\uff94\uff8f\uff80\uff9e^\uff80\uff9b\uff73=\u5c71\u7530^\u592a\u90ce",
    "\\ISO 2022 IR 149": "Hong^Gildong=\u6d2a^\u5409\u6d1e=\ud64d^\uae38\ub3d9",
    "\\ISO 2022 IR 58": "Zhang^XiaoDong=\u5f20^\u5c0f\u4e1c=",
    "\\ISO 2022 IR 87\\ISO 2022 IR 159": "A^B=\u5c71\u4e02^\u7530\u4e02\u592a",
    "ISO 2022 IR 6\\ISO 2022 IR 100\\ISO 2022 IR 144": "M\u00fcller^\u041b\u044e x\u00e9",
    "ISO 2022 IR 100\\ISO 2022 IR 126": "\u00e9\u0394\u03b9\u00e9^\u0394\u03b9",
}
# PS3.5 Annexes H, I, J and K print these; the bytes are facts of the sets, found again by hand.
YAMADA = "\u5c71\u7530^\u592a\u90ce"
BYTES = [
    ("\\ISO 2022 IR 87", b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", f"Yamada^Tarou={YAMADA}"),
    ("ISO 2022 IR 13\\ISO 2022 IR 87", b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J",
     f"\uff94\uff8f\uff80\uff9e^\uff80\uff9b\uff73={YAMADA}"),
    ("\\ISO 2022 IR 149", b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7", "Hong^Gildong=\u6d2a^\u5409\u6d1e"),
    ("\\ISO 2022 IR 58", b"Wang^XiaoDong=\x1b$)A\xcd\xf5^\x1b$)A\xd0\xa1\xb6\xab", "Wang^XiaoDong=\u738b^\u5c0f\u4e1c"),
]  # fmt: skip


def value_of(terms: str, vr: str, data: bytes) -> object:
    """What a private element of this VR and these bytes says, in a Data Set with these terms."""
    terms_data = terms.encode() + b" " * (len(terms) % 2)
    head = b"\x08\0\5\0CS" + len(terms_data).to_bytes(2, "little") + terms_data
    return decode(head + b"\x09\0\1\x10" + vr.encode() + len(data).to_bytes(2, "little") + data, EXPLICIT_VR_LE)[
        0x00091001
    ]


@pytest.mark.parametrize(("terms", "text"), list(TEXTS.items()) + list(EXTENDED.items()))
def test_text_of_every_set_survives(terms: str, text: str) -> None:
    ds = DataSet({"SpecificCharacterSet": terms.split("\\") if "\\" in terms else terms, "PatientName": text})
    back = decode(encode(ds, EXPLICIT_VR_LE), EXPLICIT_VR_LE)
    assert back["PatientName"] == text.rstrip("=") or back["PatientName"] == text
    assert encode(back, EXPLICIT_VR_LE) == encode(ds, EXPLICIT_VR_LE)


@pytest.mark.parametrize(("terms", "text"), list(TEXTS.items()) + list(EXTENDED.items()))
def test_pydicom_reads_what_was_written(terms: str, text: str) -> None:
    """Except for what it does not know: IR 203 at all, and that the escape sequence of IR 58 is no text."""
    if terms == "ISO_IR 203":
        return
    charset = charset_for(terms)
    assert charset is not None
    codecs = pydicom.charset.convert_encodings(terms.split("\\"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        theirs = pydicom.valuerep.PersonName(charset.encode(text, name=True), codecs)
        assert str(theirs).replace("\x1b$)A", "").rstrip("=") == text.rstrip("=")


@pytest.mark.parametrize(("terms", "data", "text"), BYTES)
def test_known_bytes(terms: str, data: bytes, text: str) -> None:
    assert value_of(terms, "PN", data) == text
    charset = charset_for(terms)
    assert charset is not None
    assert charset.encode(text, name=True) == data


def test_every_term_has_a_text() -> None:
    assert set(TEXTS) | {"", "ISO_IR 6"} == set(CHARSETS)
    assert {term.split(" ")[-1] for terms in EXTENDED for term in terms.split("\\")} >= {"87", "159", "149", "58", "13"}
    assert len(CODE_SETS) == 17


@pytest.mark.parametrize(
    ("vr", "data", "text"),
    [
        ("LO", b"\x1b$B;3\x1b(B\\\xb1", ["\u5c71", "\uff71"]),
        ("LO", b"\x1b$)C\xb0\xa1\\\xb1", ["\uac00", "\uff71"]),  # the backslash brought G1 back
        ("LT", b"\x1b$)C\xb0\xa1\r\n\xb1", "\uac00\r\n\uff71"),
        ("LT", b"\x1b$)C\xb0\xa1\t\xb1\x1b$)C\xb0\xa1\f\xb1", "\uac00\t\uff71\uac00\f\uff71"),
        ("PN", b"\x1b$)C\xb0\xa1^\xb1=\xb1", "\uac00^\uff71=\uff71"),
        ("LO", b"\x1b$)C\xb0\xa1^\xb0\xa1", "\uac00^\uac00"),  # ^ delimits names only
        ("LO", b"\x1b$B!^!\\!=\x1b(J", "\u00b1\uff0b\u2015"),  # bytes of delimiters inside characters
        ("LO", b"\x1b$B;3\xb1\x1b(J", "\u5c71\uff71"),  # G1 stays when G0 changes
        ("LO", b"\x1b%Gx", "\x1b%Gx"),  # a sequence that DICOM does not have
        ("LO", b"\xe0\x41", "\ufffdA"),  # no Shift JIS
    ],
)
def test_what_resets_and_what_does_not(vr: str, data: bytes, text: object) -> None:
    assert value_of("ISO 2022 IR 13\\ISO 2022 IR 87\\ISO 2022 IR 149", vr, data) == text


@pytest.mark.parametrize(
    ("terms", "codec"),
    [("ISO-IR 100", "iso8859_1"), ("ISO IR 192", "utf_8"), ("iso_ir 144", "iso8859_5"), ("nonsense", "ascii"),
     ("ISO 2022 IR 87", "ascii"), ("ISO 2022 IR 100", "iso8859_1"), ("ISO_IR 192\\ISO 2022 IR 87", "utf_8")],
)  # fmt: skip
def test_misspelt_terms_are_understood(terms: str, codec: str) -> None:
    assert charset_to_read(terms).codec == codec


@pytest.mark.parametrize(
    "terms", ["ISO-IR 100", "nonsense", "ISO_IR 87", "ISO_IR 192\\ISO 2022 IR 87", "\\ISO_IR 87", "\\ISO 2022 IR 999",
              "ISO 2022 IR 100\\ISO 2022 IR 100"],
)  # fmt: skip
def test_wrong_terms_are_not_written(terms: str) -> None:
    assert charset_for(terms) is None
    with pytest.raises(EncodeError, match="cannot be written"):
        encode(DataSet({"SpecificCharacterSet": terms.split("\\"), "PatientName": "A"}), EXPLICIT_VR_LE)


def test_a_character_that_no_set_has_is_named() -> None:
    ds = DataSet({"SpecificCharacterSet": ["", "ISO 2022 IR 87"], "PatientName": "A=\u5c71\uac00"})
    with pytest.raises(EncodeError, match=r"U\+AC00"):
        encode(ds, EXPLICIT_VR_LE)
    with pytest.raises(EncodeError, match=r"U\+5C71"):
        encode(DataSet({"SpecificCharacterSet": "ISO_IR 13", "PatientName": "\u5c71"}), EXPLICIT_VR_LE)


def test_terms_that_anybody_invents_do_not_add_up() -> None:
    from agent.dataset import charset

    for number in range(1000):
        charset_to_read(f"INVENTED {number}")
    assert len(charset._known) <= 64


def test_a_character_set_that_comes_late_is_that_of_all() -> None:
    name, terms = b"\x10\0\x10\0PN\2\0\xe9\xe8", b"\x08\0\5\0CS\x0a\0ISO_IR 100"
    inner = b"\xfe\xff\x00\xe0\x0a\0\0\0" + name
    data = name + b"\x32\0\x64\x10SQ\0\0" + len(inner).to_bytes(4, "little") + inner + terms
    ds = decode(data, EXPLICIT_VR_LE)
    assert ds["PatientName"] == ds.items_of(0x00321064)[0]["PatientName"] == "\u00e9\u00e8"
    assert encode(ds, EXPLICIT_VR_LE) == data
