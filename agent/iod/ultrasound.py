"""Ultrasound Image and Ultrasound Multi-frame Image (PS3.3 A.6, A.7; Modules C.8.5.5, C.8.5.6).

Regions are written only when the acquisition brings them: a picture from a frame grabber has no scale of its own, and
a guessed one would be measured with (regions.py). Image Type grows a third and fourth value only when exam or mode are
known. A cine is spaced as cine.py says.
"""

from __future__ import annotations

from agent.iod import cine, regions
from agent.iod.image import view_item
from agent.iod.xray import add_voi
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.dataset.dataset import DataSet
    from agent.dataset.pixels import PixelDescription
    from agent.iod.acquisition import Acquisition


def compose(ds: DataSet, description: PixelDescription, acquisition: Acquisition) -> None:
    """Add what a single ultrasound image has beside the common Modules."""
    facts = acquisition.ultrasound
    if not acquisition.image_type and (facts.exam_type or facts.mode_bits is not None):
        origin = "DERIVED" if acquisition.derivation is not None else "ORIGINAL"
        kind = [origin, "PRIMARY", facts.exam_type]
        if facts.mode_bits is not None:
            kind.append(f"{facts.mode_bits:04X}")
        ds["ImageType"] = kind
    if facts.view is not None:
        ds["ViewCodeSequence"] = [view_item(facts.view, facts.view_modifiers)]
    if facts.regions:
        ds["SequenceOfUltrasoundRegions"] = [regions.item(region) for region in facts.regions]
    if description.samples_per_pixel == 1:
        add_voi(ds, acquisition.xray)


def compose_cine(ds: DataSet, description: PixelDescription, acquisition: Acquisition) -> None:
    """Add Cine and Multi-frame to what a single image has."""
    compose(ds, description, acquisition)
    cine.compose(ds, acquisition)
