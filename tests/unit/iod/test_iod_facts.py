"""Codes, frame timing and what a transfer syntax carries."""

from __future__ import annotations

import pytest
from fakes.instances import GRAY8, GRAY14, RGB, acquisition

from agent.dataset import uid
from agent.dataset.dataset import DataSet
from agent.errors import IodError
from agent.iod import _generated_codes, codes, syntaxes
from agent.iod.timing import MAX_VECTOR_BYTES, FrameClock

MS = 1_000_000


def clock(*stamps: tuple[int, float]) -> FrameClock:
    made = FrameClock()
    for number, at_ms in stamps:
        made.add(number, int(at_ms * MS) + 5_000_000_000)
    return made


def test_regular_clip_has_the_mean_and_no_vector() -> None:
    facts = clock((0, 0), (1, 33), (2, 67), (3, 100)).into(acquisition("us-mf"))
    assert facts.number_of_frames == 4
    assert facts.frame_time_ms == pytest.approx(33.333)
    assert facts.frame_times_ms is None
    assert facts.frames_dropped == 0


def test_a_gap_of_the_source_makes_a_vector() -> None:
    facts = clock((5, 0), (6, 33.3), (9, 133.3)).into(acquisition("us-mf"))
    assert facts.frame_times_ms == [0, 33.3, 100]
    assert facts.frames_dropped == 2


def test_wandering_spacing_makes_a_vector() -> None:
    assert clock((0, 0), (1, 20), (2, 60)).into(acquisition("us-mf")).frame_times_ms == [0, 20, 40]


def test_one_frame() -> None:
    facts = clock((7, 0)).into(acquisition("us-mf"))
    assert (facts.number_of_frames, facts.frame_time_ms, facts.frame_times_ms) == (1, 0, None)
    assert FrameClock().frame_time_ms == 0


def test_a_vector_too_long_for_its_element_becomes_a_comment() -> None:
    long = FrameClock()
    for number in range(40_000):
        long.add(number * 2, number * 33_333_333)
    facts = long.into(acquisition("us-mf", comments="A"))
    assert facts.frame_times_ms is None
    assert facts.comments == "A. Frame spacing varied from 33.333 to 33.333 ms"
    fits = FrameClock()
    for number in range(9_000):
        fits.add(number * 2, number * 33_333_333)
    increments = fits.increments_ms()
    assert increments is not None
    assert sum(len(str(value)) + 1 for value in increments) <= MAX_VECTOR_BYTES


@pytest.mark.parametrize("name", ["CHEST", "chest", "816094009", "Chest"])
def test_anatomy_by_term_code_or_meaning(name: str) -> None:
    assert codes.anatomy(name).code == codes.Code("816094009", "SCT", "Chest")


def test_tables_of_codes_are_sound() -> None:
    terms, numbers = set(), set()
    for line in _generated_codes.REGIONS.splitlines():
        value, meaning, part, paired, groups = line.split("|")
        assert value.isdigit()
        assert meaning
        assert len(part) <= 16
        assert value not in numbers
        assert not part or part not in terms
        assert paired in {"Y", "N", ""}
        assert set(groups) <= set("XEV")
        terms.add(part)
        numbers.add(value)
    for group, text in _generated_codes.GROUPS.items():
        head, *rows = text.splitlines()
        assert head.split("|")[2] in {"Extensible", "Non-Extensible"}, group
        assert len({row.partition("|")[0] for row in rows}) == len(rows), group
        assert all(row.partition("|")[0] and row.partition("|")[2] for row in rows), group


@pytest.mark.parametrize(
    ("name", "code", "term", "paired"),
    [
        ("CHEST", "816094009", "CHEST", False),
        ("KIDNEY", "64033007", "KIDNEY", None),
        ("HIP", "24136001", "HIP", True),
        ("CAROTID", "69105007", "CAROTID", True),
        ("HEART", "80891009", "HEART", False),
        ("Apex of Lung", "86598002", "", True),
        ("STOMACH", "69695003", "STOMACH", False),
    ],
)
def test_regions_of_the_standard(name: str, code: str, term: str, paired: bool | None) -> None:
    found = codes.anatomy(name)
    assert (found.code.value, found.body_part, found.paired) == (code, term, paired)


def test_every_short_name_of_a_view_is_in_its_group() -> None:
    for line in codes._VIEW_NAMES.splitlines():
        name, value, position = line.split("|")
        assert codes.view(name).position == position
        assert codes.view(name).code.value == value
        assert codes.view(codes.view(name).code.meaning) == codes.view(name)
        assert position in {"", "AP", "PA", "LL", "RL"}
    assert codes.view("parietoacanthial").code == codes.Code("399272005", "SCT", "parietoacanthial")


def test_views_of_ultrasound() -> None:
    assert codes.ultrasound_view("apical four chamber").code.value == "399214001"
    assert codes.ultrasound_view("Transverse").code.value == "62824007"
    assert codes.ultrasound_view("130681").code.scheme == "DCM"
    assert codes.ultrasound_view("LIVER").code.value == "10200004"
    with pytest.raises(IodError, match="ultrasound views"):
        codes.ultrasound_view("postero-anterior")


def test_concepts_of_a_group() -> None:
    assert codes.concept("cephalad", *codes.PROJECTION_MODIFIERS) == codes.Code("399196006", "SCT", "cephalad")
    assert codes.concept("Lossy Compression", 7203) == codes.LOSSY_COMPRESSION
    assert codes.concept("121358", 7202) == codes.FOR_PROCESSING_PREDECESSOR
    assert codes.concept("121330", 7202) == codes.LOSSY_PREDECESSOR
    assert codes.concept("121320", 7202) == codes.UNCOMPRESSED_PREDECESSOR
    assert codes.concept("109101", 7005) == codes.ACQUISITION_EQUIPMENT
    with pytest.raises(IodError, match="CID 5 and CID 6"):
        codes.concept("nowhere", 5, 6)
    for name in ("", " "):
        with pytest.raises(IodError):
            codes.concept(name, 5)
        with pytest.raises(IodError):
            codes.anatomy(name)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(IodError, match="FLIPPER"):
        codes.anatomy("FLIPPER")
    with pytest.raises(IodError, match="UP"):
        codes.view("UP")


def test_code_items() -> None:
    assert codes.Code("1", "SCT", "One").item() == DataSet(
        {"CodeValue": "1", "CodingSchemeDesignator": "SCT", "CodeMeaning": "One"}
    )
    assert "LongCodeValue" in codes.Code("1" * 17, "SCT", "Long").item()
    with pytest.raises(IodError, match="SRT"):
        codes.Code("T-D3000", "SRT", "Chest").item()


def test_pairedness_prefers_the_region() -> None:
    region = codes.anatomy("CHEST").code.item()
    assert codes.pairedness(DataSet({"AnatomicRegionSequence": [region], "BodyPartExamined": "HAND"})) is False
    assert codes.pairedness(DataSet({"BodyPartExamined": "HAND"})) is True
    assert codes.pairedness(DataSet({"BodyPartExamined": "WING"})) is None
    assert codes.pairedness(DataSet()) is None


RCT = RGB._replace(photometric_interpretation="YBR_RCT")


@pytest.mark.parametrize(
    ("syntax", "description"),
    [
        (uid.EXPLICIT_VR_LE, RGB),
        (uid.EXPLICIT_VR_LE, RGB._replace(planar_configuration=1)),
        (uid.RLE_LOSSLESS, GRAY14),
        (uid.RLE_LOSSLESS, RGB),
        (uid.JPEG_BASELINE, RGB._replace(photometric_interpretation="YBR_FULL_422")),
        (uid.JPEG_EXTENDED, GRAY14._replace(bits_stored=12, high_bit=11)),
        (uid.JPEG_LS_LOSSLESS, GRAY14),
        (uid.JPEG_2000_LOSSLESS, RCT),
        (uid.HTJ2K, RGB._replace(photometric_interpretation="YBR_ICT")),
    ],
)
def test_allowed_combinations(syntax: str, description: object) -> None:
    syntaxes.require(syntax, description)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("syntax", "description", "tag"),
    [
        (uid.EXPLICIT_VR_LE, RCT, 0x00280004),
        (uid.RLE_LOSSLESS, RGB._replace(photometric_interpretation="YBR_FULL_422"), 0x00280004),
        (uid.RLE_LOSSLESS, GRAY8._replace(bits_allocated=32, bits_stored=32), 0x00280100),
        (uid.JPEG_BASELINE, GRAY14, 0x00280100),
        (uid.JPEG_EXTENDED, GRAY14, 0x00280101),
        (uid.JPEG_LS_LOSSLESS, RGB._replace(planar_configuration=1), 0x00280006),
        (uid.JPEG_LS_LOSSLESS, RGB._replace(pixel_representation=1), 0x00280103),
        (uid.EXPLICIT_VR_BE, RGB, 0x00020010),
    ],
)
def test_refused_combinations(syntax: str, description: object, tag: int) -> None:
    with pytest.raises(IodError) as caught:
        syntaxes.require(syntax, description)  # type: ignore[arg-type]
    assert caught.value.tag == tag
