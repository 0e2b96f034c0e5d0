"""What becomes of an instance: as it is, a lossless copy, or a refusal in words; never a decoded lossy stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fakes import masters

from agent.app.source_file import opened
from agent.dataset import uid
from agent.exchange.decide import Decision, decide
from agent.media.profile import PROFILES

if TYPE_CHECKING:
    from pathlib import Path

USB, CD, J2K, US_SC = "STD-GEN-USB-JPEG", "STD-GEN-CD", "STD-GEN-USB-J2K", "STD-US-SC-SF-CDR"


def decided(path: Path, profile: str) -> Decision:
    with opened(str(path)) as file:
        return decide(PROFILES[profile], file, path.stat().st_size)


@pytest.mark.parametrize(
    ("kind", "syntax", "profile", "target"),
    [
        ("us", uid.EXPLICIT_VR_LE, USB, uid.EXPLICIT_VR_LE),
        ("us", uid.IMPLICIT_VR_LE, USB, uid.EXPLICIT_VR_LE),  # native stays native
        ("us", uid.RLE_LOSSLESS, USB, uid.JPEG_LOSSLESS_SV1),
        ("dx", uid.JPEG_LS_LOSSLESS, USB, uid.JPEG_LOSSLESS_SV1),
        ("dx", uid.JPEG_LOSSLESS_SV1, USB, uid.JPEG_LOSSLESS_SV1),
        ("dx", uid.JPEG_LOSSLESS_SV1, CD, uid.EXPLICIT_VR_LE),
        ("us-mf", uid.RLE_LOSSLESS, J2K, uid.EXPLICIT_VR_LE),  # no encoder of it here
        ("us", uid.RLE_LOSSLESS, US_SC, uid.RLE_LOSSLESS),
        ("us", uid.JPEG_LS_LOSSLESS, US_SC, uid.RLE_LOSSLESS),
        ("us", uid.JPEG_LS_LOSSLESS, "none", uid.JPEG_LS_LOSSLESS),
        ("us", uid.DEFLATED_EXPLICIT_VR_LE, USB, uid.EXPLICIT_VR_LE),
    ],
)
def test_what_it_goes_as(tmp_path: Path, kind: str, syntax: str, profile: str, target: str) -> None:
    found = decided(masters.write(tmp_path, kind, syntax), profile)
    assert found.syntax == target
    assert bool(found.why) == (target != syntax)
    assert found.bytes > 0


@pytest.mark.parametrize("syntax", [uid.JPEG_LS_NEAR, uid.HTJ2K, "1.2.840.10008.1.2.4.102"])
def test_a_lossy_stream_is_not_decoded_to_fit(tmp_path: Path, syntax: str) -> None:
    path = masters.write(tmp_path, "us-mf", uid.EXPLICIT_VR_LE)
    masters.call_it(path, syntax)
    found = decided(path, USB)
    assert not found.syntax
    assert "never decoded" in found.why
    assert decided(path, "none").syntax == syntax


def test_a_class_that_the_profile_lacks_is_refused(tmp_path: Path) -> None:
    found = decided(masters.write(tmp_path, "dx", uid.EXPLICIT_VR_LE), US_SC)
    assert not found.syntax
    assert "Digital X-Ray" in found.why
