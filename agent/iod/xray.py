"""Digital X-Ray (For Presentation and For Processing) and Computed Radiography (PS3.3 A.26, A.2; C.8.11, C.8.1).

The grayscale chain of a For Presentation image is fixed: stored value, identity rescale, VOI, Presentation LUT Shape,
and what comes out are P-values (PS3.14). The GSDF belongs to the display and is never applied to stored pixels. A
detector curve goes into the VOI: the acquisition brings windows or a VOI LUT; without either the full range of stored
values is the window, which changes nothing. For Processing images make no such claim and carry no VOI.

Image Laterality is type 1 in DX, so a paired body part needs its side. Spacing, intensity relationship and its sign
come from the detector; nobody can make them up, so without them DX is refused.
"""

from __future__ import annotations

from agent.dataset.dataset import DataSet
from agent.iod.image import view_item
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.dataset.pixels import PixelDescription
    from agent.iod.acquisition import Acquisition, VoiLut, XrayFacts

LUT_ENTRIES_16_BIT = 65536  # is written as 0 in a LUT Descriptor (C.11.2.1.1)


def compose_dx(ds: DataSet, description: PixelDescription, acquisition: Acquisition) -> None:
    """Add the DX Modules of a For Presentation image."""
    ds["PresentationIntentType"] = "FOR PRESENTATION"
    _digital(ds, description, acquisition)
    add_voi(ds, acquisition.xray)
    if "VOILUTSequence" not in ds and "WindowCenter" not in ds:
        full = 1 << description.bits_stored
        ds["WindowCenter"] = full // 2
        ds["WindowWidth"] = full


def compose_dx_processing(ds: DataSet, description: PixelDescription, acquisition: Acquisition) -> None:
    """Add the DX Modules of a For Processing image: the same without VOI."""
    ds["PresentationIntentType"] = "FOR PROCESSING"
    _digital(ds, description, acquisition)


def compose_cr(ds: DataSet, description: PixelDescription, acquisition: Acquisition) -> None:
    """Add the CR Modules; its view is an Attribute of the series."""
    facts = acquisition.xray
    _view(ds, facts, with_code=False)
    _spacing(ds, facts)
    add_voi(ds, facts)
    if "VOILUTSequence" in ds or "WindowCenter" in ds:
        ds["PresentationLUTShape"] = _shape(description)


def _digital(ds: DataSet, description: PixelDescription, acquisition: Acquisition) -> None:
    facts = acquisition.xray
    if facts.pixel_intensity_relationship:
        ds["PixelIntensityRelationship"] = facts.pixel_intensity_relationship
    if facts.pixel_intensity_sign:
        ds["PixelIntensityRelationshipSign"] = facts.pixel_intensity_sign
    ds["RescaleIntercept"] = 0
    ds["RescaleSlope"] = 1
    ds["RescaleType"] = "US"
    ds["PresentationLUTShape"] = _shape(description)
    if "LossyImageCompression" not in ds:
        ds["LossyImageCompression"] = "00"
    if facts.detector_type:
        ds["DetectorType"] = facts.detector_type
    _view(ds, facts, with_code=True)
    _spacing(ds, facts)
    if facts.field_of_view is not None:
        ds["FieldOfViewOrigin"] = list(facts.field_of_view.origin)
        ds["FieldOfViewRotation"] = facts.field_of_view.rotation
        ds["FieldOfViewHorizontalFlip"] = "YES" if facts.field_of_view.horizontal_flip else "NO"


def _shape(description: PixelDescription) -> str:
    return "INVERSE" if description.photometric_interpretation == "MONOCHROME1" else "IDENTITY"


def _view(ds: DataSet, facts: XrayFacts, *, with_code: bool) -> None:
    if facts.view is None:
        return
    if facts.view.position:
        ds["ViewPosition"] = facts.view.position
    if with_code:
        ds["ViewCodeSequence"] = [view_item(facts.view, facts.view_modifiers)]


def _spacing(ds: DataSet, facts: XrayFacts) -> None:
    if facts.imager_pixel_spacing_mm is not None:
        ds["ImagerPixelSpacing"] = list(facts.imager_pixel_spacing_mm)


def add_voi(ds: DataSet, facts: XrayFacts) -> None:
    """Add windows and VOI LUT, as far as there are any."""
    if facts.windows:
        ds["WindowCenter"] = [window.center for window in facts.windows]
        ds["WindowWidth"] = [window.width for window in facts.windows]
        if any(window.explanation for window in facts.windows):
            ds["WindowCenterWidthExplanation"] = [window.explanation for window in facts.windows]
    if facts.voi_lut is not None:
        ds["VOILUTSequence"] = [_lut(facts.voi_lut)]


def _lut(lut: VoiLut) -> DataSet:
    item = DataSet()
    entries = 0 if len(lut.data) == LUT_ENTRIES_16_BIT else len(lut.data)
    item.set("LUTDescriptor", [entries, lut.first_mapped, lut.bits], "US")
    if lut.explanation:
        item["LUTExplanation"] = lut.explanation
    item.set("LUTData", b"".join(value.to_bytes(2, "little") for value in lut.data), "OW")
    return item
