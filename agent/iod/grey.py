"""Grey pixels of a source in colour, kept as MONOCHROME2: what the instance says instead (PS3.3 C.7.6.3.1.2).

Where R = G = B in every pixel, one sample says all there is. A viewer shows RGB as it stands but may choose a window
for grey, so the instance names the one that changes nothing, and what comes out of it are P-values (Presentation LUT
Shape IDENTITY, C.7.6.1). What only colour has is left out, also where the site says it. A region that calibrates the
components of a pixel would mean something else, so it is refused.
"""

from __future__ import annotations

from agent.dataset.dataset import DataSet
from agent.errors import IodError
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.dataset.pixels import PixelDescription
    from agent.iod.acquisition import Acquisition

_COLOUR_ONLY: Final = ("PlanarConfiguration", "ICCProfile", "ColorSpace", "UltrasoundColorDataPresent")
_REGIONS: Final = "SequenceOfUltrasoundRegions"
_COMPONENTS: Final = 0x00186044  # Pixel Component Organization


def description(colour: PixelDescription) -> PixelDescription:
    """One sample instead of three."""
    return colour._replace(samples_per_pixel=1, photometric_interpretation="MONOCHROME2", planar_configuration=0)


def facts(colour: PixelDescription, acquisition: Acquisition, remark: str) -> Acquisition:
    """The acquisition of the grey instance; ``remark`` says for the reader of the file why it is one.

    Raises:
        IodError: A region calibrates components of a pixel.
    """
    said = DataSet() if acquisition.attributes is None else acquisition.attributes.copy()
    if any(_COMPONENTS in region for region in said.items_of(_REGIONS)):
        raise IodError("a region calibrates the components of a colour pixel, which a grey one lacks", tag=_COMPONENTS)
    for keyword in _COLOUR_ONLY:
        if keyword in said:
            del said[keyword]
    if "WindowCenter" not in said and "VOILUTSequence" not in said:
        full = 1 << colour.bits_stored
        said["WindowCenter"], said["WindowWidth"] = full // 2, full
    if "PresentationLUTShape" not in said:
        said["PresentationLUTShape"] = "IDENTITY"
    return acquisition._replace(attributes=said, remark="; ".join(filter(None, (acquisition.remark, remark))))
