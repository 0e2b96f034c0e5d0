"""Application profiles as a table: what a File-set may hold that claims one of them (PS3.11).

A profile names a medium (PS3.12), the transfer syntaxes, and for ultrasound also the SOP Classes, the photometric
interpretations of each transfer syntax and the calibration. General purpose profiles allow every storage SOP Class.
``STD-GEN-SEC-...`` has the rules of its open twin, and every file of it, DICOMDIR too, is a Secure DICOM File (PS3.15
D.1). ``PLAIN`` claims nothing: each instance goes as it is stored.

JPEG-LS, HTJ2K, deflate and, outside ultrasound, RLE are in no profile, nor is Implicit VR.
"""

from __future__ import annotations

from agent.dataset import uid
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

USB, CARD, CD, DVD, BD, ZIP, MOD = "USB", "card", "CD", "DVD", "BD", "ZIP", "MOD"
ANY_MEDIUM = ""

PLAIN_NAME = "none"
DEFAULT_NAME = "STD-GEN-USB-JPEG"

_MPEG2_MAIN, _MPEG2_HIGH = "1.2.840.10008.1.2.4.100", "1.2.840.10008.1.2.4.101"
_MPEG4, _MPEG4_BD = "1.2.840.10008.1.2.4.102", "1.2.840.10008.1.2.4.103"
_NATIVE = (uid.EXPLICIT_VR_LE,)
_JPEG = (uid.JPEG_LOSSLESS_SV1, uid.EXPLICIT_VR_LE, uid.JPEG_BASELINE, uid.JPEG_EXTENDED)
_J2K = (uid.JPEG_2000_LOSSLESS, uid.EXPLICIT_VR_LE, uid.JPEG_2000)
_ULTRASOUND = (uid.RLE_LOSSLESS, uid.EXPLICIT_VR_LE, uid.JPEG_BASELINE)
_ULTRASOUND_PIXELS = {  # the pairs of PS3.11 C.3.3 and C.4.3; what is not listed there is in no pair
    uid.EXPLICIT_VR_LE: ("MONOCHROME2", "RGB", "PALETTE COLOR", "YBR_FULL_422"),
    uid.RLE_LOSSLESS: ("MONOCHROME2", "RGB", "PALETTE COLOR", "YBR_FULL"),
    uid.JPEG_BASELINE: ("YBR_FULL_422",),
}


class Profile(NamedTuple):
    """One application profile; ``syntaxes`` in the order in which we make them of a compressed master."""

    name: str
    section: str  # of PS3.11
    medium: str  # of PS3.12; ANY_MEDIUM: none is named
    syntaxes: tuple[str, ...]  # empty: any
    sop_classes: tuple[str, ...] = ()  # empty: any
    pixels: dict[str, tuple[str, ...]] = {}  # transfer syntax -> photometric interpretations; empty: any
    regions: bool = False  # US Region Calibration must be there
    components: bool = False  # and its calibration of pixel components
    secure: bool = False
    rich: bool = False  # the longer list of keys in the DICOMDIR (Table H.3-2)


class Facts(NamedTuple):
    """What a profile asks of an instance."""

    sop_class_uid: str
    transfer_syntax_uid: str
    photometric: str  # empty: no pixels
    regions: bool
    components: bool


# Keys that the directory has beside those of PS3.3, where the instance has them (Tables D.3-2 and H.3-2).
_KEYS: dict[str, tuple[int, ...]] = {"IMAGE": (0x00080008, 0x00081140)}
# what the pixels are, when and where they were taken, and their loss
_IMAGE_KEYS = (0x00280010, 0x00280011, 0x00280008, 0x00280030, 0x00282112, 0x00080008, 0x0008002A, 0x00081140)
_PLACE_KEYS = (0x00181800, 0x00200032, 0x00200037, 0x00200052, 0x00200200, 0x00500004)
_RICH_KEYS: dict[str, tuple[int, ...]] = {
    "PATIENT": (0x00100030, 0x00100040),
    "SERIES": (0x00080080, 0x00080081, 0x00081050),
    "IMAGE": (*_IMAGE_KEYS, *_PLACE_KEYS),
}

PLAIN = Profile(PLAIN_NAME, "", ANY_MEDIUM, ())


def _general() -> Iterator[Profile]:
    yield Profile("STD-GEN-CD", "D", CD, _NATIVE)
    yield Profile("STD-GEN-DVD-RAM", "D", DVD, _NATIVE)
    yield Profile("STD-GEN-BD", "D", BD, _NATIVE)
    for annex, word, medium in (
        ("H", "DVD", DVD),
        ("J", "USB", USB),
        ("J", "MMC", CARD),
        ("J", "CF", CARD),
        ("J", "SD", CARD),
        ("M", "BD", BD),
    ):
        yield Profile(f"STD-GEN-{word}-JPEG", annex, medium, _JPEG, rich=True)
        yield Profile(f"STD-GEN-{word}-J2K", annex, medium, _J2K, rich=True)
    # [advice] That BD has MPEG-2 and MPEG-4 is in PS3.11 M and N; the names of the single profiles, which annex each is
    # in, and that Explicit VR goes beside the film, are not proven by a table that we have.
    for annex, word, syntax in (
        ("M", "MPEG2-MPML", _MPEG2_MAIN),
        ("M", "MPEG2-MPHL", _MPEG2_HIGH),
        ("N", "MPEG4-HPLV41", _MPEG4),
        ("N", "MPEG4-HPLV41BD", _MPEG4_BD),
    ):
        yield Profile(f"STD-GEN-BD-{word}", annex, BD, (uid.EXPLICIT_VR_LE, syntax), rich=True)
    # [advice] Annex L leaves the syntaxes to the conformance statement; these are what readers have.
    yield Profile("STD-GEN-ZIP-MAIL", "L", ZIP, (*_JPEG, uid.JPEG_2000_LOSSLESS, uid.JPEG_2000), rich=True)


def _ultrasound() -> Iterator[Profile]:
    """STD-US-xx-yF-medium: ID shows, SC measures lengths, CC pixel values, too; SF has single frames only.

    [advice] That ID may have Region Calibration, that CC wants both kinds, and that SF leaves Multi-frame out, is how
    the names and C.3 are read here.
    """
    for kind in ("ID", "SC", "CC"):
        for frames, classes in (("SF", (uid.US,)), ("MF", (uid.US, uid.US_MULTIFRAME))):
            for word, medium in (("CDR", CD), ("DVD-RAM", DVD), ("DVD", DVD), ("MOD23-90", MOD)):
                yield Profile(
                    f"STD-US-{kind}-{frames}-{word}", "C", medium, _ULTRASOUND, classes, _ULTRASOUND_PIXELS,
                    regions=kind != "ID", components=kind == "CC",
                )  # fmt: skip


def _with_secure(profiles: Iterator[Profile]) -> Iterator[Profile]:
    """[advice] Each general profile has its secure twin here; the Standard names them by family."""
    for profile in profiles:
        yield profile
        yield profile._replace(name=profile.name.replace("STD-GEN-", "STD-GEN-SEC-"), secure=True)


PROFILES: dict[str, Profile] = {profile.name: profile for profile in (*_with_secure(_general()), *_ultrasound(), PLAIN)}


def keys_of(profile: Profile) -> dict[str, tuple[int, ...]]:
    """Attributes by type of record that the directory of such a set copies; without a profile the longer list."""
    return _RICH_KEYS if profile.rich or not profile.section else _KEYS


def misfit(profile: Profile, facts: Facts) -> str:
    """Why an instance of such facts may not be in a File-set of the profile, or ''."""
    if profile.sop_classes and facts.sop_class_uid not in profile.sop_classes:
        return f"{profile.name} has no {uid.uid_name(facts.sop_class_uid)}"
    if profile.regions and not facts.regions:
        return f"{profile.name} wants the US Region Calibration, which the instance lacks; STD-US-ID-... does not"
    if profile.components and not facts.components:
        return f"{profile.name} wants calibrated pixel components, which the instance lacks; STD-US-SC-... does not"
    if profile.syntaxes and facts.transfer_syntax_uid not in profile.syntaxes:
        return f"{profile.name} has no {uid.uid_name(facts.transfer_syntax_uid)}"
    allowed = profile.pixels.get(facts.transfer_syntax_uid)
    if allowed is not None and facts.photometric and facts.photometric not in allowed:
        return f"{profile.name} has no {facts.photometric} in {uid.uid_name(facts.transfer_syntax_uid)}"
    return ""


def find(name: str) -> Profile | None:
    """The profile of that name, in capitals or not."""
    return PROFILES.get(name) or PROFILES.get(name.upper())
