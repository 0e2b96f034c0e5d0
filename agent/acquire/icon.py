"""The icon of an instance: its first frame, small, as a person would see it (Icon Image Sequence, PS3.3 C.7.6.1.1.6).

An icon is MONOCHROME2 of 8 bits, whatever the frame is. Grey is shown through the first window of the acquisition, or
one found in the frame; colour gives its luma. A frame the C core has no picture of (palette, subsampled colour) gets no
icon.
"""

from __future__ import annotations

from agent.dataset.encode import encode
from agent.dataset.uid import EXPLICIT_VR_LE
from agent.errors import NativeArgumentError
from agent.iod.acquisition import Icon
from agent.iod.build import UTF_8
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.dataset.pixels import PixelDescription
    from agent.iod.acquisition import Acquisition
    from agent.native.picture import Window

# What the general purpose profiles of PS3.11 want in a DICOMDIR.
ICON_SIDE: Final = 64
_ITEM_BYTES: Final = 1024  # the attributes around its pixels


def more_header_bytes(facts: Acquisition, *, icon: bool) -> int:
    """Bytes that icon and the site's own attributes add to the head of an instance."""
    extra = ICON_SIDE * ICON_SIDE + _ITEM_BYTES if icon else 0
    if facts.attributes is not None:
        said = facts.attributes.copy()
        said["SpecificCharacterSet"] = UTF_8
        extra += len(encode(said, EXPLICIT_VR_LE))
    return extra


def make_icon(frame: memoryview, description: PixelDescription, facts: Acquisition) -> Icon | None:
    """Shrink a frame to at most 64 x 64 with its shape kept; None where there is no picture of it."""
    from agent.native.picture import luma, thumbnail  # only with an icon

    scale = min(1.0, ICON_SIDE / max(description.rows, description.columns))
    rows, columns = max(1, int(description.rows * scale)), max(1, int(description.columns * scale))
    try:
        data = thumbnail(frame, description, rows, columns, window=_window(facts))
    except NativeArgumentError:
        return None
    return Icon(rows, columns, luma(data) if description.samples_per_pixel == 3 else data)


def _window(facts: Acquisition) -> Window | None:
    """The values between which the first window rises (C.11.2.1.2)."""
    from agent.native.picture import Window

    if not facts.xray.windows:
        return None
    first = facts.xray.windows[0]
    middle, half = first.center - 0.5, (first.width - 1) / 2
    return Window(round(middle - half), max(round(middle - half) + 1, round(middle + half)))
