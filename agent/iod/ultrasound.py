"""Ultrasound Image and Ultrasound Multi-frame Image (PS3.3 A.6, A.7; Modules C.8.5.5, C.8.5.6, C.7.6.5, C.7.6.6).

Regions are written only when the acquisition brings them: a picture from a frame grabber has no scale of its own, and
a guessed one would be measured with. Image Type grows a third and fourth value only when exam or mode are known.

A cine always has a Frame Increment Pointer: to Frame Time Vector when the acquisition brings one (frames were dropped,
or the spacing wandered), else to Frame Time. A single frame points to Frame Time 0, as the Standard provides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.dataset.dataset import DataSet
from agent.errors import IodError

if TYPE_CHECKING:
    from agent.dataset.pixels import PixelDescription
    from agent.iod.acquisition import Acquisition, Region

FRAME_TIME, FRAME_TIME_VECTOR = 0x00181063, 0x00181065
MS_PER_S = 1000.0
MAX_RATE_HZ = 1000  # Cine Rate and Recommended Display Frame Rate are whole numbers of at least 1


def compose(ds: DataSet, _description: PixelDescription, acquisition: Acquisition) -> None:
    """Add what a single ultrasound image has beside the common Modules."""
    facts = acquisition.ultrasound
    if not acquisition.image_type and (facts.exam_type or facts.mode_bits is not None):
        kind = ["ORIGINAL", "PRIMARY", facts.exam_type]
        if facts.mode_bits is not None:
            kind.append(f"{facts.mode_bits:04X}")
        ds["ImageType"] = kind
    if facts.regions:
        ds["SequenceOfUltrasoundRegions"] = [_region(region) for region in facts.regions]


def compose_cine(ds: DataSet, description: PixelDescription, acquisition: Acquisition) -> None:
    """Add Cine and Multi-frame to what a single image has."""
    compose(ds, description, acquisition)
    count = acquisition.number_of_frames
    ds["NumberOfFrames"] = count
    vector = acquisition.frame_times_ms
    if vector is not None:
        ds["FrameIncrementPointer"] = FRAME_TIME_VECTOR
        ds["FrameTimeVector"] = list(vector)
        total_ms = sum(vector)
        mean_ms = total_ms / max(1, count - 1)
    else:
        mean_ms = _frame_time(acquisition)
        total_ms = mean_ms * (count - 1)
        ds["FrameIncrementPointer"] = FRAME_TIME
        ds["FrameTime"] = mean_ms
    if count > 1 and mean_ms > 0:
        rate_hz = min(MAX_RATE_HZ, max(1, round(MS_PER_S / mean_ms)))
        ds["CineRate"] = rate_hz
        ds["RecommendedDisplayFrameRate"] = rate_hz
        ds["EffectiveDuration"] = round((total_ms + mean_ms) / MS_PER_S, 3)
        ds["PreferredPlaybackSequencing"] = 0


def _frame_time(acquisition: Acquisition) -> float:
    if acquisition.frame_time_ms is not None:
        return acquisition.frame_time_ms
    if acquisition.number_of_frames > 1:
        raise IodError("FrameTime is not known: Cine Module, PS3.3 Table C.7-13, type 1C", tag=FRAME_TIME)
    return 0.0


def _region(region: Region) -> DataSet:
    item = DataSet()
    item["RegionSpatialFormat"] = region.spatial_format
    item["RegionDataType"] = region.data_type
    item["RegionFlags"] = region.flags
    item["RegionLocationMinX0"] = region.min_x
    item["RegionLocationMinY0"] = region.min_y
    item["RegionLocationMaxX1"] = region.max_x
    item["RegionLocationMaxY1"] = region.max_y
    item["PhysicalUnitsXDirection"] = region.units_x
    item["PhysicalUnitsYDirection"] = region.units_y
    item["PhysicalDeltaX"] = region.delta_x
    item["PhysicalDeltaY"] = region.delta_y
    if region.reference_x is not None:
        item["ReferencePixelX0"] = region.reference_x
    if region.reference_y is not None:
        item["ReferencePixelY0"] = region.reference_y
    return item
