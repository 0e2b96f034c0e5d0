"""Secondary Capture, single and multi-frame (PS3.3 A.8; Modules C.8.6.1 to C.8.6.4).

General Equipment describes the modality the picture comes from, as far as the context knows it; the gateway stands in
the SC Equipment Module. Conversion Type is how the picture got in. Modality is that of the original device when the
context names it, else OT.

A multi-frame grayscale capture says how its stored values are to be read: the output of identity rescale and VOI are
P-values, so it has Presentation LUT Shape IDENTITY; only 16-bit words may have another rescale. Its frames are a clip,
spaced by measured time, or the pages of a document, which have an order only.
"""

from __future__ import annotations

from agent.iod import cine
from agent.iod.xray import add_voi
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.dataset.dataset import DataSet
    from agent.dataset.pixels import PixelDescription
    from agent.iod.acquisition import Acquisition, Rescale

IDENTITY_ONLY = 8  # bits allocated that may have no other rescale (A.8.3.4, C.8.6.3)


def compose(ds: DataSet, description: PixelDescription, acquisition: Acquisition) -> None:
    """Add SC Equipment and SC Image, and the window of a grey one."""
    equipment = acquisition.equipment
    if acquisition.capture.conversion_type:
        ds["ConversionType"] = acquisition.capture.conversion_type
    for keyword, value in (
        ("SecondaryCaptureDeviceID", equipment.device_serial_number),
        ("SecondaryCaptureDeviceManufacturer", equipment.manufacturer),
        ("SecondaryCaptureDeviceManufacturerModelName", equipment.model),
        ("SecondaryCaptureDeviceSoftwareVersions", equipment.software_versions),
    ):
        if value:
            ds[keyword] = value
    ds["DateOfSecondaryCapture"] = acquisition.date
    ds["TimeOfSecondaryCapture"] = acquisition.time
    if description.samples_per_pixel == 1:
        add_voi(ds, acquisition.xray)


def compose_color(ds: DataSet, description: PixelDescription, acquisition: Acquisition) -> None:
    """Add what a multi-frame true colour capture has."""
    compose(ds, description, acquisition)
    if acquisition.number_of_frames == 1:
        ds["NumberOfFrames"] = 1  # and nothing that it is spaced by (C.8.6.3)
    elif acquisition.capture.pages:
        cine.compose_pages(ds, acquisition)
    else:
        cine.compose(ds, acquisition)


def compose_gray(ds: DataSet, description: PixelDescription, acquisition: Acquisition) -> None:
    """Add what a multi-frame grayscale capture has."""
    compose_color(ds, description, acquisition)
    rescale: Rescale = acquisition.capture.rescale
    ds["PresentationLUTShape"] = "IDENTITY"
    ds["RescaleIntercept"] = rescale.intercept
    ds["RescaleSlope"] = rescale.slope
    ds["RescaleType"] = rescale.type
