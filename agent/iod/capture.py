"""Secondary Capture Image (PS3.3 A.8.1; Modules C.8.6.1, C.8.6.2).

General Equipment describes the modality the picture comes from, as far as the context knows it; the gateway stands in
the SC Equipment Module. Conversion Type is how the picture got in. Modality is that of the original device when the
context names it, else OT.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.dataset.dataset import DataSet
    from agent.dataset.pixels import PixelDescription
    from agent.iod.acquisition import Acquisition


def compose(ds: DataSet, _description: PixelDescription, acquisition: Acquisition) -> None:
    """Add SC Equipment and SC Image."""
    equipment = acquisition.equipment
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
