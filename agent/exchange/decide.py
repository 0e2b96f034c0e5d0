"""What becomes of an instance on a medium: it goes as it is, as a lossless copy, or not at all, with the reason.

A copy is made only where the profile does not have the transfer syntax of the master, and only of pixels that nothing
was lost of: lossy and video streams are never decoded, so they go as they are or not. Of what the profile allows, the
first is taken that can hold the pixels: its compressed syntax before native, because media are small. What was native
stays native.
"""

from __future__ import annotations

from agent.dataset import uid
from agent.dataset.pixels import PixelDescription
from agent.dataset.tag import PIXEL_DATA
from agent.errors import DataSetError
from agent.media.profile import Facts, misfit
from agent.transcode import frame_codec
from agent.transcode.choose import Master, impossible, short_name
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from agent.dataset.dataset import DataSet
    from agent.media.file import DicomFile
    from agent.media.profile import Profile

_REGIONS, _COMPONENTS = 0x00186011, 0x00186044  # Sequence of Ultrasound Regions; Pixel Component Organization in it
_PHOTOMETRIC: Final = 0x00280004


class Decision(NamedTuple):
    """``syntax`` is empty where the instance may not go; ``why`` says why, or why it is copied."""

    syntax: str
    why: str = ""
    bytes: int = 0  # that it will take, about


def decide(profile: Profile, file: DicomFile, size: int) -> Decision:
    """Decide about an open file of ``size`` bytes."""
    dataset, given = file.dataset, file.meta.transfer_syntax_uid
    facts = facts_of(file)
    why = misfit(profile, facts)
    if not why:
        return Decision(given, "", size)
    master = _master(file, size)
    reasons = []
    for syntax in profile.syntaxes:
        pixels = _photometric(dataset, given, syntax) if facts.photometric else ""
        still = misfit(profile, facts._replace(transfer_syntax_uid=syntax, photometric=pixels))
        reason = still or impossible(master, syntax)
        if not reason and not (syntax != uid.EXPLICIT_VR_LE and not uid.is_encapsulated(given)):
            return Decision(syntax, f"{why}; {short_name(syntax)} instead", _about(master, syntax))
        reasons.append(reason)
    if uid.is_lossy(given):
        return Decision("", f"{why}, and what was compressed with loss is never decoded for it")
    return Decision("", next((reason for reason in reasons if reason and reason != why), why))


def facts_of(file: DicomFile) -> Facts:
    """What profiles ask of an open file."""
    regions = file.dataset.items_of(_REGIONS)
    pixels = file.pixel_value is not None
    return Facts(
        file.dataset.text("SOPClassUID") or file.meta.sop_class_uid,
        file.meta.transfer_syntax_uid,
        file.dataset.text(_PHOTOMETRIC) if pixels else "",
        bool(regions),
        any(_COMPONENTS in region for region in regions),
    )


def _master(file: DicomFile, size: int) -> Master:
    """What is stored, as ``choose`` sees it."""
    value = file.pixel_value
    description, frames = None, 0
    if value is not None and value.tag == PIXEL_DATA:
        try:
            description = PixelDescription.from_data_set(file.dataset)
        except DataSetError:
            description = None  # what cannot be described is not decoded
        count = file.dataset.get("NumberOfFrames", 1)
        frames = count if isinstance(count, int) else 1
    native = description.frame_bytes * frames if description is not None else 0
    return Master(file.meta.transfer_syntax_uid, size, native, frames, description)


def _photometric(dataset: DataSet, given: str, syntax: str) -> str:
    """The photometric interpretation that a copy would have."""
    try:
        description = PixelDescription.from_data_set(dataset)
    except DataSetError:
        return dataset.text(_PHOTOMETRIC)
    if syntax == given or uid.is_lossy(syntax) or uid.is_lossy(given):
        return description.photometric_interpretation
    return frame_codec.coded(description, given, syntax).photometric_interpretation


def _about(master: Master, syntax: str) -> int:
    """Bytes of a copy: native ones are known, compressed ones taken as those of the master and a quarter."""
    if not uid.is_encapsulated(syntax):
        return max(master.bytes, master.native_bytes + (master.bytes if not master.native_bytes else 1 << 14))
    return min(master.bytes * 5 // 4, master.native_bytes + (1 << 14))
