"""What a person writes for the numbers of a calibrated region (PS3.3 C.8.5.5.1), and what belongs together there."""

from __future__ import annotations

from agent.iod import regions as numbers
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.iod.regions import Region

# Region Spatial Format (C.8.5.5.1.1)
FORMATS: Final = {
    "none": 0, "2d": numbers.TWO_D, "m-mode": numbers.M_MODE, "spectral": numbers.SPECTRAL,
    "waveform": numbers.WAVEFORM, "graphics": numbers.GRAPHICS,
}  # fmt: skip
# Region Data Type (C.8.5.5.1.2)
DATA_TYPES: Final = {
    "none": 0, "tissue": numbers.TISSUE, "colour-flow": numbers.COLOUR_FLOW, "pw-doppler": numbers.PW_DOPPLER,
    "cw-doppler": numbers.CW_DOPPLER, "mean-trace": numbers.MEAN_TRACE, "mode-trace": numbers.MODE_TRACE,
    "max-trace": numbers.MAX_TRACE, "volume-trace": numbers.VOLUME_TRACE, "ecg": numbers.ECG, "pulse": 11,
    "phonocardiogram": 12, "gray-bar": numbers.GRAY_BAR, "colour-bar": numbers.COLOUR_BAR,
    "integrated-backscatter": 15, "area-trace": 16, "area-change": 17, "other": 18,
}  # fmt: skip
# Physical Units X and Y Direction (C.8.5.5.1.15)
UNITS: Final = {
    "none": numbers.NO_UNIT, "percent": numbers.PERCENT, "dB": numbers.DECIBEL, "cm": numbers.CM, "s": numbers.SECOND,
    "Hz": numbers.HERTZ, "dB/s": numbers.DB_PER_SECOND, "cm/s": numbers.CM_PER_SECOND, "cm2": numbers.CM2,
    "cm2/s": numbers.CM2_PER_SECOND, "cm3": numbers.CM3, "cm3/s": numbers.CM3_PER_SECOND, "degree": numbers.DEGREE,
}  # fmt: skip
# Region Flags (C.8.5.5.1.3); of the last three at most one
FLAGS: Final = {
    "low-priority": numbers.LOW_PRIORITY, "scaling-protected": numbers.SCALING_PROTECTED,
    "doppler-frequency": numbers.DOPPLER_IS_FREQUENCY, "scrolling": numbers.SCROLLING, "sweeping": numbers.SWEEPING,
    "sweep-then-scroll": numbers.SWEEP_THEN_SCROLL,
}  # fmt: skip
# Spatial formats whose axes can only be these: X, Y.
_AXES: Final = {
    numbers.TWO_D: ((numbers.CM,), (numbers.CM,)),
    numbers.M_MODE: ((numbers.SECOND,), (numbers.CM,)),
    numbers.SPECTRAL: ((numbers.SECOND,), (numbers.HERTZ, numbers.CM_PER_SECOND)),
}
_DELTA_MAX: Final = {numbers.CM: 1.0}  # of a pixel: a picture of 100 rows would show a metre


def word_of(table: dict[str, int], number: int) -> str:
    """Return the word of a number."""
    return next((word for word, one in table.items() if one == number), str(number))


def contradictions(region: Region) -> Iterator[str]:
    """What no device shows, or what nobody could measure with."""
    axes = (("x", region.units_x, region.delta_x), ("y", region.units_y, region.delta_y))
    for (axis, unit, delta), allowed in zip(axes, _AXES.get(region.spatial_format, ((), ())), strict=True):
        if allowed and unit not in allowed:
            wanted = " or ".join(word_of(UNITS, one) for one in allowed)
            kind = word_of(FORMATS, region.spatial_format)
            yield f"units_{axis} is {word_of(UNITS, unit)}, and of {kind} it is {wanted}"
        if not 0 < abs(delta) <= _DELTA_MAX.get(unit, 1e9):
            most = f", and a pixel is at most {_DELTA_MAX[unit]:g} cm" if unit in _DELTA_MAX else ""
            yield f"delta_{axis} is {delta:g}{most}"
    frequency = bool(region.flags & numbers.DOPPLER_IS_FREQUENCY)
    if region.spatial_format == numbers.SPECTRAL:
        if frequency is not (region.units_y == numbers.HERTZ):
            yield "of a spectrum in Hz, and of no other, the flag doppler-frequency is set"
        if region.reference_y is None:
            yield "a spectrum needs its base line: reference_row and reference_value_y"
    for name, place, value in (
        ("column and reference_value_x", region.reference_x, region.reference_value_x),
        ("row and reference_value_y", region.reference_y, region.reference_value_y),
    ):
        if (place is None) is not (value is None):
            yield f"reference_{name} belong together"
