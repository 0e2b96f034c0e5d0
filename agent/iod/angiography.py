"""X-Ray Angiographic and Radiofluoroscopic Image (PS3.3 A.14, A.16; Modules C.8.7.1 to C.8.7.6).

A gateway behind a C-arm sees pictures. What the generator and the gantry did it is told or does not know: tube data
and angles are then empty (type 2). Two facts nobody may leave open, so that without them the instance is refused:
whether the exposure was fluoroscopy or diagnostic (Radiation Setting), and what pixel values mean (Pixel Intensity
Relationship; DISP for a picture taken off a monitor). LOG wants the Modality LUT that leads back to X-ray intensity.

One frame is a single image without the Multi-frame Modules; several are a cine (cine.py).
"""

from __future__ import annotations

from agent.iod import cine
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.dataset.dataset import DataSet
    from agent.dataset.pixels import PixelDescription
    from agent.iod.acquisition import Acquisition, AngiographyFacts


def compose_xa(ds: DataSet, description: PixelDescription, acquisition: Acquisition) -> None:
    """Add X-Ray Image, X-Ray Acquisition and XA Positioner."""
    compose_xrf(ds, description, acquisition)
    facts = acquisition.angiography
    ds["PositionerPrimaryAngle"] = facts.primary_angle
    ds["PositionerSecondaryAngle"] = facts.secondary_angle
    if acquisition.number_of_frames > 1 or facts.positioner_motion:
        ds["PositionerMotion"] = facts.positioner_motion or None


def compose_xrf(ds: DataSet, _description: PixelDescription, acquisition: Acquisition) -> None:
    """Add X-Ray Image and X-Ray Acquisition."""
    facts, picture = acquisition.angiography, acquisition.xray
    if not acquisition.image_type and facts.plane:
        ds["ImageType"] = [*ds.values_of("ImageType"), facts.plane]
    if picture.pixel_intensity_relationship:
        ds["PixelIntensityRelationship"] = picture.pixel_intensity_relationship
    if facts.radiation_setting:
        ds["RadiationSetting"] = facts.radiation_setting
    _tube(ds, facts)
    if facts.table_motion:
        ds["TableMotion"] = facts.table_motion
    if picture.imager_pixel_spacing_mm is not None:
        ds["ImagerPixelSpacing"] = list(picture.imager_pixel_spacing_mm)
    if picture.windows:
        ds["WindowCenter"] = [window.center for window in picture.windows]
        ds["WindowWidth"] = [window.width for window in picture.windows]
    if acquisition.number_of_frames > 1:
        cine.compose(ds, acquisition)


def _tube(ds: DataSet, facts: AngiographyFacts) -> None:
    """Current and time, or their product: whichever is not known is empty only where the others do not tell it."""
    ds["KVP"] = facts.kvp
    both = facts.tube_current_ma is not None and facts.exposure_time_ms is not None
    for keyword, value, told in (
        ("XRayTubeCurrent", facts.tube_current_ma, facts.exposure_mas is not None),
        ("ExposureTime", facts.exposure_time_ms, facts.exposure_mas is not None),
        ("Exposure", facts.exposure_mas, both),
    ):
        if value is not None or not told:
            ds[keyword] = value
