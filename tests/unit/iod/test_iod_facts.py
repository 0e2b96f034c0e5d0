"""Codes, frame timing and what a transfer syntax carries."""

from __future__ import annotations

import pytest
from fakes.instances import GRAY8, GRAY14, RGB, acquisition

from agent.dataset import uid
from agent.dataset.dataset import DataSet
from agent.errors import IodError
from agent.iod import codes, syntaxes
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
    seen = set()
    for line in codes._ANATOMY.splitlines():
        value, meaning, part, paired = line.split("|")
        assert value.isdigit()
        assert meaning
        assert 0 < len(part) <= 16
        assert part not in seen
        assert paired in {"Y", "N", ""}
        seen.add(part)
    for line in codes._VIEWS.splitlines():
        name, _value, _meaning, position = line.split("|")
        assert codes.view(name).position == position
        assert position in {"", "AP", "PA", "LL", "RL"}


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
