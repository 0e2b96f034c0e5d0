"""Application profiles: the table itself, and what it says of instances."""

from __future__ import annotations

import pytest

from agent.dataset import uid
from agent.media.profile import DEFAULT_NAME, PLAIN, PROFILES, Facts, find, keys_of, misfit

US = Facts(uid.US, uid.RLE_LOSSLESS, "RGB", regions=True, components=False)


def test_every_family_is_there_with_its_secure_twin() -> None:
    for name in ("STD-GEN-CD", "STD-GEN-DVD-RAM", "STD-GEN-BD", "STD-GEN-USB-JPEG", "STD-GEN-USB-J2K",
        "STD-GEN-DVD-JPEG", "STD-GEN-BD-J2K", "STD-GEN-ZIP-MAIL"):  # fmt: skip
        twin = PROFILES[name.replace("STD-GEN-", "STD-GEN-SEC-")]
        assert twin.secure
        assert twin.syntaxes == PROFILES[name].syntaxes
    assert len([name for name in PROFILES if name.startswith("STD-US-")]) == 3 * 2 * 4
    assert DEFAULT_NAME in PROFILES
    assert find("std-gen-cd") is PROFILES["STD-GEN-CD"]
    assert find("STD-GEN-TAPE") is None


def test_every_profile_has_explicit_vr_and_no_syntax_that_none_may_have() -> None:
    never = {uid.IMPLICIT_VR_LE, uid.JPEG_LS_LOSSLESS, uid.HTJ2K_LOSSLESS, uid.DEFLATED_EXPLICIT_VR_LE}
    for profile in PROFILES.values():
        if profile is not PLAIN:
            assert uid.EXPLICIT_VR_LE in profile.syntaxes
            assert not never & set(profile.syntaxes)
            assert profile.section


@pytest.mark.parametrize(
    ("name", "facts", "words"),
    [
        ("STD-GEN-USB-JPEG", US, "has no RLE Lossless"),
        ("STD-US-ID-SF-CDR", US, ""),
        ("STD-US-CC-SF-CDR", US, "pixel components"),
        ("STD-US-SC-SF-CDR", US._replace(regions=False), "Region Calibration"),
        ("STD-US-ID-SF-CDR", US._replace(sop_class_uid=uid.US_MULTIFRAME), "Multi-frame"),
        ("STD-US-ID-MF-CDR", US._replace(sop_class_uid=uid.US_MULTIFRAME), ""),
        ("STD-US-ID-MF-DVD", US._replace(sop_class_uid=uid.SC), "Secondary Capture"),
        ("STD-US-ID-SF-CDR", US._replace(photometric="YBR_FULL_422"), "YBR_FULL_422 in RLE"),
        ("STD-US-ID-SF-CDR", US._replace(transfer_syntax_uid=uid.JPEG_BASELINE, photometric="RGB"), "RGB in JPEG"),
        ("STD-US-ID-SF-CDR", US._replace(transfer_syntax_uid=uid.JPEG_BASELINE, photometric="MONOCHROME2"),
            "MONOCHROME2 in JPEG"),
        ("STD-GEN-CD", US._replace(transfer_syntax_uid=uid.EXPLICIT_VR_LE), ""),
        ("STD-GEN-BD-MPEG4-HPLV41", US._replace(transfer_syntax_uid="1.2.840.10008.1.2.4.102"), ""),
        ("none", US._replace(transfer_syntax_uid=uid.JPEG_LS_NEAR), ""),
    ],
)  # fmt: skip
def test_what_fits(name: str, facts: Facts, words: str) -> None:
    said = misfit(PROFILES[name], facts)
    assert words in said
    assert bool(said) == bool(words)


def test_the_longer_list_of_keys_is_for_profiles_with_compression() -> None:
    assert 0x00280010 in keys_of(PROFILES["STD-GEN-USB-JPEG"])["IMAGE"]
    assert set(keys_of(PROFILES["STD-GEN-CD"])) == {"IMAGE"}
