"""Calibrated regions of an ultrasound picture: what may be measured where (US Region Calibration, PS3.3 C.8.5.5).

A picture is a collage: a sector, a strip of M-mode, a Doppler spectrum, a gray bar, an ECG. A region is a rectangle of
it with bounds inclusive, physical units along both axes, and a distance per pixel step, right and down. What the pixels
mean is in Spatial Format and Data Type; Pixel Component Calibration says, where the device knows it, what a pixel
*value* means (a velocity, an intensity). Regions may overlap; then the one of high priority decides (flag bit 0).

The caller knows all this from the device. A frame grabber knows nothing of it, and a guessed scale would be measured
with: a picture without known scale has no region.
"""

from __future__ import annotations

from agent.dataset.dataset import DataSet
from agent.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.iod.codes import Code

# Physical Units X and Y Direction, Pixel Component Physical Units (C.8.5.5.1.15)
NO_UNIT, PERCENT, DECIBEL, CM, SECOND, HERTZ, DB_PER_SECOND, CM_PER_SECOND = range(8)
CM2, CM2_PER_SECOND, CM3, CM3_PER_SECOND, DEGREE = range(8, 13)
# Region Spatial Format (C.8.5.5.1.1)
TWO_D, M_MODE, SPECTRAL, WAVEFORM, GRAPHICS = range(1, 6)
# Region Data Type (C.8.5.5.1.2), those with names here
TISSUE, COLOUR_FLOW, PW_DOPPLER, CW_DOPPLER, MEAN_TRACE, MODE_TRACE, MAX_TRACE, VOLUME_TRACE = range(1, 9)
ECG, GRAY_BAR, COLOUR_BAR = 10, 13, 14
# Region Flags (C.8.5.5.1.3)
LOW_PRIORITY: Final = 0x01
SCALING_PROTECTED: Final = 0x02
DOPPLER_IS_FREQUENCY: Final = 0x04
SCROLLING, SWEEPING, SWEEP_THEN_SCROLL = 0x08, 0x10, 0x18
# Pixel Component Organization (C.8.5.5.1.16)
BIT_ALIGNED, RANGES, TABLE, BY_CODE = range(4)
# Pixel Component Data Type (C.8.5.5.1.17), those with names here
FLOW_VELOCITY, FLOW_VARIANCE, INTENSITY = 3, 4, 5


class PixelComponent(NamedTuple):
    """What the value of a pixel in the region means (PS3.3 C.8.5.5.1.16 to 20).

    ``organization`` decides what else counts: ``mask`` for bit-aligned, ``bounds`` (first and last value) for ranges;
    both then take their physical values from the break points, (pixel value, parameter) where the curve bends. A table
    gives each pixel value its parameter; ``meanings`` are the codes of the pixel values from 0 on.
    """

    organization: int
    units: int = NO_UNIT
    data_type: int = 0
    mask: int = 0
    bounds: tuple[int, int] = (0, 0)
    break_points: Sequence[tuple[int, float]] = ()
    table: Sequence[tuple[int, float]] = ()
    meanings: Sequence[Code] = ()


class Region(NamedTuple):
    """One calibrated region (PS3.3 C.8.5.5), bounds inclusive, deltas per pixel; see the constants of this page.

    ``reference_x``, ``reference_y`` are a pixel relative to the upper left corner of the region, the values at it are
    ``reference_value_x``, ``reference_value_y``: the base line of a spectrum, the start of a strip. ``sample_volume``
    and ``line`` (two points) are where a spectrum or a strip was taken, in the 2D picture.
    """

    min_x: int
    min_y: int
    max_x: int
    max_y: int
    delta_x: float
    delta_y: float
    units_x: int = CM
    units_y: int = CM
    spatial_format: int = TWO_D
    data_type: int = TISSUE
    flags: int = 0
    reference_x: int | None = None
    reference_y: int | None = None
    reference_value_x: float | None = None
    reference_value_y: float | None = None
    component: PixelComponent | None = None
    transducer_frequency_khz: int | None = None
    pulse_repetition_hz: int | None = None
    doppler_angle_degrees: float | None = None
    steering_angle_degrees: float | None = None
    sample_volume: tuple[int, int] | None = None
    line: tuple[int, int, int, int] | None = None


Bounds = tuple[int, int, int, int]


def tissue(bounds: Bounds, cm_per_pixel: float, *, colour_flow: bool = False) -> Region:
    """A 2D picture with square pixels."""
    kind = COLOUR_FLOW if colour_flow else TISSUE
    return Region(*bounds, cm_per_pixel, cm_per_pixel, data_type=kind, flags=SCALING_PROTECTED)


def m_mode(bounds: Bounds, seconds_per_pixel: float, cm_per_pixel: float, *, mode: int = SWEEPING) -> Region:
    """A strip of M-mode: time to the right, depth down."""
    return Region(
        *bounds,
        seconds_per_pixel,
        cm_per_pixel,
        units_x=SECOND,
        spatial_format=M_MODE,
        flags=SCALING_PROTECTED | mode,
    )


def spectrum(
    bounds: Bounds,
    seconds_per_pixel: float,
    step_per_pixel: float,
    base_line: int,
    *,
    continuous: bool = False,
    frequency: bool = False,
) -> Region:
    """A Doppler spectrum: time to the right, velocity (cm/s) or frequency (Hz) up, so that its delta is negative.

    ``base_line`` is the row of the picture where the velocity is 0, ``step_per_pixel`` its positive step.
    """
    return Region(
        *bounds,
        seconds_per_pixel,
        -abs(step_per_pixel),
        units_x=SECOND,
        units_y=HERTZ if frequency else CM_PER_SECOND,
        spatial_format=SPECTRAL,
        data_type=CW_DOPPLER if continuous else PW_DOPPLER,
        flags=SCALING_PROTECTED | (DOPPLER_IS_FREQUENCY if frequency else 0),
        reference_x=0,
        reference_y=base_line - bounds[1],
        reference_value_x=0.0,
        reference_value_y=0.0,
    )


def cropped(region: Region, top: int, left: int, rows: int, columns: int) -> Region | None:
    """What is left of a region in that part of the picture, counted from the part's corner; None: nothing.

    A pixel keeps its physical value: the reference pixel is counted from the corner of the region, and that may move.
    """
    min_x, min_y = max(region.min_x, left), max(region.min_y, top)
    max_x, max_y = min(region.max_x, left + columns - 1), min(region.max_y, top + rows - 1)
    if min_x > max_x or min_y > max_y:
        return None
    return region._replace(
        min_x=min_x - left, min_y=min_y - top, max_x=max_x - left, max_y=max_y - top,
        reference_x=None if region.reference_x is None else region.reference_x - (min_x - region.min_x),
        reference_y=None if region.reference_y is None else region.reference_y - (min_y - region.min_y),
        sample_volume=_moved(region.sample_volume, left, top),
        line=_moved(region.line, left, top),
    )  # fmt: skip


def _moved(points: tuple[int, ...] | None, left: int, top: int) -> Any:
    """Places in the picture, x and y by turns, counted from the corner of a part of it."""
    return points and tuple(place - (top if index % 2 else left) for index, place in enumerate(points))


def item(region: Region) -> DataSet:
    """Item of Sequence of Ultrasound Regions; what is not known is absent."""
    line = region.line or (None,) * 4
    volume = region.sample_volume or (None,) * 2
    values = {
        "RegionSpatialFormat": region.spatial_format,
        "RegionDataType": region.data_type,
        "RegionFlags": region.flags,
        "RegionLocationMinX0": region.min_x,
        "RegionLocationMinY0": region.min_y,
        "RegionLocationMaxX1": region.max_x,
        "RegionLocationMaxY1": region.max_y,
        "PhysicalUnitsXDirection": region.units_x,
        "PhysicalUnitsYDirection": region.units_y,
        "PhysicalDeltaX": region.delta_x,
        "PhysicalDeltaY": region.delta_y,
        "ReferencePixelX0": region.reference_x,
        "ReferencePixelY0": region.reference_y,
        "ReferencePixelPhysicalValueX": region.reference_value_x,
        "ReferencePixelPhysicalValueY": region.reference_value_y,
        "TransducerFrequency": region.transducer_frequency_khz,
        "PulseRepetitionFrequency": region.pulse_repetition_hz,
        "DopplerCorrectionAngle": region.doppler_angle_degrees,
        "SteeringAngle": region.steering_angle_degrees,
        "DopplerSampleVolumeXPosition": volume[0],
        "DopplerSampleVolumeYPosition": volume[1],
        "TMLinePositionX0": line[0],
        "TMLinePositionY0": line[1],
        "TMLinePositionX1": line[2],
        "TMLinePositionY1": line[3],
    }
    made = DataSet({keyword: value for keyword, value in values.items() if value is not None})
    if region.component is not None:
        made.update(_component(region.component))
    return made


def _component(component: PixelComponent) -> DataSet:
    made = DataSet()
    made["PixelComponentOrganization"] = component.organization
    made["PixelComponentPhysicalUnits"] = component.units
    made["PixelComponentDataType"] = component.data_type
    if component.organization == BIT_ALIGNED:
        made["PixelComponentMask"] = component.mask
    elif component.organization == RANGES:
        made["PixelComponentRangeStart"], made["PixelComponentRangeStop"] = component.bounds
    if component.organization in {BIT_ALIGNED, RANGES}:
        made["NumberOfTableBreakPoints"] = len(component.break_points)
        made["TableOfXBreakPoints"] = [pixel for pixel, _ in component.break_points]
        made["TableOfYBreakPoints"] = [value for _, value in component.break_points]
        return made
    if component.organization == BY_CODE:
        made["NumberOfTableEntries"] = len(component.meanings)
        made["PixelValueMappingCodeSequence"] = [code.item() for code in component.meanings]
        return made
    made["NumberOfTableEntries"] = len(component.table)
    made["TableOfPixelValues"] = [pixel for pixel, _ in component.table]
    made["TableOfParameterValues"] = [value for _, value in component.table]
    return made
