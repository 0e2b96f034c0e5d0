"""P-values of an image for a preview: the grayscale chain of PS3.3 as one table (C.7.6.3.1.2, C.11.1, C.11.2, C.11.6).

    stored value -> Modality LUT or rescale -> VOI LUT or window -> Presentation LUT Shape -> P-value of 8 bits

The whole chain depends on the stored value alone, so it is worked out once for each value a sample can have and then
only looked up. Of several windows or VOI LUTs the first is taken, which the Standard makes the default; an image
without any is shown over its whole range. The stored samples are an input and stay as they are.

On a display that follows the GSDF the P-values are what to send; for another one ``calibration.Calibration.as_bytes``
is the table that comes behind (``bytes.translate``).
"""

from __future__ import annotations

import math

from agent.dataset.pixels import PixelDescription
from agent.errors import DisplayError
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.dataset.dataset import DataSet

    Step = Callable[[float], float]

P_MAX: Final = 255  # previews have 8 bits
MAX_BITS: Final = 16  # a table of 65 536 bytes at most
LUT_ENTRIES_16_BIT: Final = 65536  # is written as 0 in a LUT Descriptor (C.11.1.1)
GRAYSCALE: Final = ("MONOCHROME1", "MONOCHROME2")

MODALITY_LUT_SEQUENCE, VOI_LUT_SEQUENCE = 0x00283000, 0x00283010
RESCALE_INTERCEPT, RESCALE_SLOPE = 0x00281052, 0x00281053
WINDOW_CENTER, WINDOW_WIDTH, VOI_LUT_FUNCTION = 0x00281050, 0x00281051, 0x00281056
LUT_DESCRIPTOR, LUT_DATA = 0x00283002, 0x00283006
PRESENTATION_LUT_SHAPE = 0x20500020


def p_values(ds: DataSet) -> bytes:
    """Table of 8-bit P-values by sample: 256 entries for 8 bits allocated, 65 536 for 16.

    A sample stands for itself as unsigned number, whatever its Pixel Representation. Bits above Bits Stored do not
    matter.

    Raises:
        DisplayError: The image is not grayscale of up to 16 bits, or a table in it is damaged.
    """
    description = PixelDescription.from_data_set(ds)
    photometric = description.photometric_interpretation
    if photometric not in GRAYSCALE or description.samples_per_pixel != 1:
        raise DisplayError(f"{photometric} images have no P-values")
    if description.bits_allocated not in {8, MAX_BITS} or description.bits_stored > description.bits_allocated:
        raise DisplayError(f"no P-values for {description.bits_allocated} bits allocated")
    values = _stored(description)
    modality = _modality(ds, signed=description.pixel_representation == 1)
    low, high = sorted((modality(float(min(values))), modality(float(max(values)))))
    voi = _voi(ds, low, high, signed=low < 0)
    inverted = ds.text(PRESENTATION_LUT_SHAPE) == "INVERSE" or (
        photometric == "MONOCHROME1" and PRESENTATION_LUT_SHAPE not in ds
    )
    shown = bytes(min(P_MAX, max(0, math.floor(voi(modality(float(value))) * P_MAX + 0.5))) for value in values)
    if inverted:
        shown = shown.translate(bytes(range(P_MAX, -1, -1)))
    return shown * (1 << (description.bits_allocated - description.bits_stored))


def present(frame: bytes | bytearray | memoryview, table: bytes) -> bytes:
    """Look up each sample of a native frame (little endian); gives one byte per pixel."""
    if len(table) == P_MAX + 1:
        return bytes(frame).translate(table)
    return bytes(map(table.__getitem__, memoryview(frame).cast("B").cast("H")))


def _stored(description: PixelDescription) -> list[int]:
    """Value of each bit pattern of Bits Stored."""
    full = 1 << description.bits_stored
    if not description.pixel_representation:
        return list(range(full))
    return [pattern - full if pattern >= full // 2 else pattern for pattern in range(full)]


def _modality(ds: DataSet, *, signed: bool) -> Step:
    items = ds.items_of(MODALITY_LUT_SEQUENCE)
    if items:
        return _lut(items[0], signed=signed)[0]
    slope, intercept = _number(ds, RESCALE_SLOPE, 1.0), _number(ds, RESCALE_INTERCEPT, 0.0)
    return lambda value: value * slope + intercept


def _voi(ds: DataSet, low: float, high: float, *, signed: bool) -> Step:
    """Function to 0..1."""
    items = ds.items_of(VOI_LUT_SEQUENCE)
    if items:
        step, top = _lut(items[0], signed=signed)
        return lambda value: step(value) / top
    width = _number(ds, WINDOW_WIDTH, 0.0)
    if WINDOW_CENTER not in ds or width <= 0:
        span = (high - low) or 1.0
        return lambda value: (value - low) / span
    return window(_number(ds, WINDOW_CENTER, 0.0), width, ds.text(VOI_LUT_FUNCTION) or "LINEAR")


def window(center: float, width: float, function: str = "LINEAR") -> Step:
    """A window as a function to 0..1 (C.11.2.1.2, C.11.2.1.3): LINEAR, LINEAR_EXACT or SIGMOID."""
    if width <= 0 or (function == "LINEAR" and width < 1):
        raise DisplayError(f"a window {width:g} wide is none")
    if function == "SIGMOID":
        return lambda value: 1.0 / (1.0 + math.exp(min(700.0, -4.0 * (value - center) / width)))
    if function == "LINEAR_EXACT":
        return lambda value: min(1.0, max(0.0, (value - center) / width + 0.5))
    if function != "LINEAR":
        raise DisplayError(f"VOI LUT Function {function} is not known")
    if width == 1:
        return lambda value: 0.0 if value <= center - 0.5 else 1.0
    return lambda value: min(1.0, max(0.0, (value - (center - 0.5)) / (width - 1) + 0.5))


def _lut(item: DataSet, *, signed: bool) -> tuple[Step, float]:
    """A LUT item as a function, and the largest value that it can give (C.11.1.1, C.11.2.1.1)."""
    descriptor = [value for value in item.values_of(LUT_DESCRIPTOR) if isinstance(value, int)]
    if len(descriptor) != 3:
        raise DisplayError("a LUT Descriptor does not have three values")
    entries, first, bits = descriptor
    entries = entries or LUT_ENTRIES_16_BIT
    if signed and first > 0x7FFF:
        first -= 0x10000
    if bits not in range(8, MAX_BITS + 1):
        raise DisplayError(f"a LUT of {bits} bits is not known")
    data = _lut_data(item, entries)
    if len(data) < entries:
        raise DisplayError(f"a LUT of {entries} entries has {len(data)}")
    last = entries - 1
    return (lambda value: float(data[min(last, max(0, round(value) - first))])), float((1 << bits) - 1)


def _lut_data(item: DataSet, entries: int) -> list[int]:
    """Entries as numbers: US values, or bytes that hold words or, for 8 bits, one entry each."""
    value = item.get(LUT_DATA)
    if not isinstance(value, bytes):
        return [entry for entry in item.values_of(LUT_DATA) if isinstance(entry, int)]
    if len(value) < 2 * entries:
        return list(value)
    return [value[at] | value[at + 1] << 8 for at in range(0, 2 * entries, 2)]


def _number(ds: DataSet, tag: int, default: float) -> float:
    """First value as a number."""
    for value in ds.values_of(tag):
        try:
            return float(str(value))
        except ValueError:
            raise DisplayError(f"({tag >> 16:04X},{tag & 0xFFFF:04X}) holds {value!r}, not a number") from None
    return default
