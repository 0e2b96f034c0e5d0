"""Tags, UIDs, the dictionary and the VR table: small questions, exact answers."""

from __future__ import annotations

import pytest
from pydicom._dicom_dict import DicomDictionary
from pydicom._uid_dict import UID_dictionary

from agent.dataset import dictionary, tag, uid
from agent.dataset._generated_dictionary import TABLE
from agent.dataset.vr import VRS, choose


def test_a_tag_prints_as_the_standard_writes_it() -> None:
    assert tag.tag_str(0x00100020) == "(0010,0020)"
    assert tag.tag_str(0x7FE00010) == "(7FE0,0010)"


@pytest.mark.parametrize(
    ("number", "private"), [(0x00100010, False), (0x00090010, True), (0x00030010, False), (0xFFFF0010, False)]
)
def test_private_is_odd_but_not_every_odd_group(number: int, private: bool) -> None:
    assert tag.is_private(number) is private


def test_a_private_element_names_its_creator() -> None:
    assert tag.private_creator_of(0x00291043) == 0x00290010
    assert tag.private_creator_of(0x00290443) == 0
    assert tag.is_private_creator(0x002900FF)
    assert not tag.is_private_creator(0x00290100)


@pytest.mark.parametrize("text", ["1", "1.2.840.10008.1.2", "2.25.0", "1." + "2" * 62])
def test_valid_uids(text: str) -> None:
    assert uid.is_valid_uid(text)


@pytest.mark.parametrize("text", ["", ".", "1..2", "1.02", "1.2.", "1.a", "1.2 ", "1." + "2" * 63, "1.\u0662", "00"])
def test_invalid_uids(text: str) -> None:
    assert not uid.is_valid_uid(text)


def test_uids_from_entropy_fill_their_root() -> None:
    assert uid.uid_from_int128(0) == "2.25.0"
    largest = uid.uid_from_int128(2**128 - 1)
    assert len(largest) == 44
    assert uid.is_valid_uid(largest)
    with pytest.raises(ValueError, match="128"):
        uid.uid_from_int128(2**128)


def test_transfer_syntaxes_know_what_they_are() -> None:
    assert not uid.is_encapsulated(uid.IMPLICIT_VR_LE)
    assert not uid.is_encapsulated(uid.DEFLATED_EXPLICIT_VR_LE)
    assert uid.is_encapsulated(uid.RLE_LOSSLESS)
    assert uid.is_lossy(uid.JPEG_BASELINE)
    assert uid.is_lossy("1.2.840.10008.1.2.4.102.1")
    assert not uid.is_lossy(uid.JPEG_LS_LOSSLESS)
    assert not uid.is_video(uid.JPEG_2000)


def test_our_own_uids_are_uids() -> None:
    assert uid.is_valid_uid(uid.IMPLEMENTATION_CLASS_UID)
    assert uid.is_valid_uid(uid.PRIVATE_INFORMATION_CREATOR_UID)
    assert len(uid.IMPLEMENTATION_VERSION_NAME) <= 16


def test_uid_names() -> None:
    assert uid.uid_name(uid.RLE_LOSSLESS) == "RLE Lossless"
    assert uid.uid_name(uid.US_MULTIFRAME) == "Ultrasound Multi-frame Image Storage"
    assert uid.uid_name("1.2.3") == "1.2.3"


# --- dictionary ---------------------------------------------------------------------------------


def test_every_line_of_the_table_is_found_by_tag_and_keyword() -> None:
    for line in TABLE.strip().split("\n"):
        key, vm, keyword, vr = line.split(" ", 3)
        number = int(key.replace("X", "0"), 16)
        if "X" not in key:
            assert dictionary.entry(number) == (vr, vm, "" if keyword == "-" else keyword)
        if keyword != "-":
            assert dictionary.tag_for(keyword) == number


def test_the_table_says_its_edition() -> None:
    import inspect

    from agent.dataset import _generated_dictionary

    assert "2024e" in inspect.getsource(_generated_dictionary).split("\n", 1)[0]


@pytest.mark.parametrize(
    ("number", "vr", "keyword"),
    [
        (0x00100010, "PN", "PatientName"),
        (0x7FE00010, "OB or OW", "PixelData"),
        (0x60023000, "OB or OW", "OverlayData"),
        (0x60010010, "LO", None),
        (0x00280412, "LO", "CoefficientCoding"),
        (0x00091001, "UN", None),
        (0x00090010, "LO", None),
        (0x00080000, "UL", None),
        (0x0018FFFF, "UN", None),
        (0xFFFFFFFF, "UN", None),
        (0, "UL", None),
    ],
)
def test_the_dictionary_always_answers(number: int, vr: str, keyword: str | None) -> None:
    assert dictionary.vr_of(number) == vr
    assert dictionary.keyword_of(number) == keyword


@pytest.mark.parametrize("word", ["", "PatientNam", "patientname", "Patient Name", "1", "DS", "SS", "or", "1-n", "-"])
def test_what_is_no_keyword_is_refused(word: str) -> None:
    with pytest.raises(KeyError):
        dictionary.tag_for(word)


@pytest.mark.parametrize(
    ("vm", "good", "bad"),
    [("1", [0, 1], [2]), ("3", [3], [1, 2, 4]), ("1-n", [1, 99], []), ("2-n", [2, 3], [1]), ("2-2n", [2, 4], [1, 3]),
     ("1-8", [1, 8], [9]), ("3-3n", [3, 6], [1, 4])],
)  # fmt: skip
def test_value_multiplicity(vm: str, good: list[int], bad: list[int]) -> None:
    assert all(dictionary.vm_allows(vm, count) for count in good)
    assert not any(dictionary.vm_allows(vm, count) for count in bad)


# --- VRs ----------------------------------------------------------------------------------------


def test_the_vr_table_is_that_of_ps3_5() -> None:
    short = "AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US"  # PS3.5 7.1.2
    assert [name for name, row in VRS.items() if not row.long] == short.split()
    assert len(VRS) == 34
    assert {name for name, row in VRS.items() if row.charset} == {"SH", "LO", "ST", "LT", "UC", "UT", "PN"}


def test_choices_of_the_dictionary() -> None:
    assert choose("US or SS", 5, signed=True, wide=True) == "SS"
    assert choose("US or SS", 5, signed=False, wide=True) == "US"
    assert choose("OB or OW", b"", signed=False, wide=False) == "OB"
    assert choose("OB or OW", b"", signed=False, wide=True) == "OW"
    assert choose("US or OW", b"12", signed=False, wide=True) == "OW"
    assert choose("US or OW", [1], signed=True, wide=True) == "US"
    assert choose("US or SS or OW", [1], signed=True, wide=True) == "SS"


def test_every_uid_that_pydicom_knows_has_a_name() -> None:
    assert [text for text in UID_dictionary if uid.uid_name(text) == text] == []
    assert uid.uid_name("1.2.840.10008.6.1.1") == "CID 2 Anatomic Modifier"
    assert uid.uid_name("1.2.840.10008.1.2.4.52") == "JPEG Extended (Process 3 & 5) (Retired)"
    assert uid.uid_name("1.2.840.10008.5.1.4.1.1.481.2") == "RT Dose Storage"
    assert uid.uid_name("1.2.840.10008.99") == "1.2.840.10008.99"
    assert uid.uid_name("1.2.840.10008.1.1 Verification") == "1.2.840.10008.1.1 Verification"


NEWER_THAN_OURS = {0x00102161, 0x300A0054, 0x300A079F, 0x300A07A0, 0x300A07A1}


def test_attributes_are_those_that_pydicom_knows() -> None:
    """Retired ones included; only pydicom's edition has the newest."""
    differing = set()
    for tag_, (vr, vm, _, _, keyword) in DicomDictionary.items():
        if tag_ >> 16 in (0x0000, 0xFFFE) or not keyword:
            continue
        if dictionary.entry(tag_) != (vr, vm.replace(" or 1", ""), keyword):
            differing.add(tag_)
    assert differing == NEWER_THAN_OURS
