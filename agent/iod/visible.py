"""VL Endoscopic and VL Photographic Image (PS3.3 A.32.1, A.32.4; Module C.8.12.1).

Pictures of a camera: 8 bits, grey or colour by pixel. Whether they were compressed with loss before they came is
seldom known, so Lossy Image Compression stays empty unless a step is known. Acquisition Context is there, empty when
there is nothing to say.
"""

from __future__ import annotations

from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.dataset.dataset import DataSet
    from agent.dataset.pixels import PixelDescription
    from agent.iod.acquisition import Acquisition


def compose(ds: DataSet, _description: PixelDescription, acquisition: Acquisition) -> None:
    """Add the VL Image Module; spacing where the camera is calibrated for one distance."""
    spacing = acquisition.xray.imager_pixel_spacing_mm
    if spacing is not None:
        ds["PixelSpacing"] = list(spacing)
