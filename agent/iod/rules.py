"""What PS3.3 says about values in prose, beside its tables.

``VALUES`` closes or suggests value sets that stand in a section instead of a table row; ``RULES`` are the relations
between Attributes. Both are keyed by the table of the Module whose section states them, so that they apply exactly
where the Module is used. A rule is a generator of ``(tag, text)``; an empty one is the normal case. Rules speak only
of Attributes that are present: what is absent is the business of the tables.

Sources: PS3.3 C.7.5.1, C.7.6.1, C.7.6.3, C.7.6.5, C.7.6.6, C.8.1.2, C.8.5.5, C.8.5.6, C.8.11.1, C.8.11.3, C.8.11.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.dataset import uid
from agent.iod.conditions import first, values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.dataset.dataset import DataSet

    Complaint = tuple[int, str]
    Rule = Callable[[DataSet], Iterator[Complaint]]

MONOCHROME = ("MONOCHROME1", "MONOCHROME2")
ONE_SAMPLE = (*MONOCHROME, "PALETTE COLOR")
COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_420", "YBR_ICT", "YBR_RCT")
LOSSY_METHODS = (
    "ISO_10918_1",
    "ISO_14495_1",
    "ISO_15444_1",
    "ISO_15444_15",
    "ISO_13818_2",
    "ISO_14496_10",
    "ISO_23008_2",
)
MAX_UNITS, MAX_REGION_FORMAT, MAX_REGION_TYPE, REGION_FLAG_BITS = 12, 5, 18, 0x1F  # C.8.5.5.1
US_MODE_DIGITS = 4  # Image Type value 4 (C.8.5.6.1.1)

# (table, tag) -> enumerated values the section gives
VALUES: dict[tuple[str, int], tuple[str, ...]] = {
    ("C.7-11c", 0x00280002): ("1", "3"),
    ("C.7-11c", 0x00280004): (*ONE_SAMPLE, *COLOUR),
    ("C.7-11c", 0x00280006): ("0", "1"),
    ("C.8-2", 0x00280004): MONOCHROME,
    ("C.8-18", 0x00280004): ("MONOCHROME2", "PALETTE COLOR", *COLOUR),
    ("C.8-18", 0x00280103): ("0",),
    ("C.8-18", 0x00280100): ("8", "16"),
}


def numbers(ds: DataSet, tag: int) -> list[float]:
    """Values as numbers, also those given as text; what is none is left to the encoder."""
    return [number for number in map(_number, values(ds, tag)) if number is not None]


def _number(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None


def samples(ds: DataSet) -> Iterator[Complaint]:
    """One sample for grayscale and palette, three for colour (C.7.6.3.1.2)."""
    photometric = first(ds, 0x00280004)
    wanted = 1 if photometric in ONE_SAMPLE else 3 if photometric in COLOUR else None
    if wanted is not None and first(ds, 0x00280002) != wanted:
        yield 0x00280002, f"must be {wanted} for {photometric}"


def bits(ds: DataSet) -> Iterator[Complaint]:
    """High Bit is Bits Stored - 1, and the bits fit their allocation (C.7.6.3.1.1)."""
    allocated, stored, high = (first(ds, tag) for tag in (0x00280100, 0x00280101, 0x00280102))
    if isinstance(allocated, int) and allocated != 1 and allocated % 8:
        yield 0x00280100, "must be 1 or a multiple of 8"
    if isinstance(stored, int) and isinstance(allocated, int) and stored > allocated:
        yield 0x00280101, f"must not exceed Bits Allocated, which is {allocated}"
    if isinstance(stored, int) and high != stored - 1:
        yield 0x00280102, f"must be one less than Bits Stored, which is {stored}"


def chroma(ds: DataSet) -> Iterator[Complaint]:
    """Columns are even where two pixels share chroma (C.7.6.3.1.2)."""
    columns = first(ds, 0x00280011)
    if first(ds, 0x00280004) == "YBR_FULL_422" and isinstance(columns, int) and columns % 2:
        yield 0x00280011, "must be even for YBR_FULL_422"


def image_type(ds: DataSet) -> Iterator[Complaint]:
    """Values 1 and 2 say where the pixels come from (C.7.6.1.1.2)."""
    found = values(ds, 0x00080008)
    for at, allowed in enumerate((("ORIGINAL", "DERIVED"), ("PRIMARY", "SECONDARY"))):
        if found and (len(found) <= at or found[at] not in allowed):
            yield 0x00080008, f"value {at + 1} must be {' or '.join(allowed)}"


def lossy(ds: DataSet) -> Iterator[Complaint]:
    """Ratio and method belong together and to the flag (C.7.6.1.1.5)."""
    flag, ratios, methods = first(ds, 0x00282110), values(ds, 0x00282112), values(ds, 0x00282114)
    if (ratios or methods) and flag != "01":
        yield 0x00282110, "must be 01 where a ratio or method is given"
    if ratios and methods and len(ratios) != len(methods):
        yield 0x00282114, "needs as many values as the ratio has"


def presentation_shape(ds: DataSet) -> Iterator[Complaint]:
    """IDENTITY goes with MONOCHROME2, INVERSE with MONOCHROME1 (C.7.6.1)."""
    shape, photometric = first(ds, 0x20500020), first(ds, 0x00280004)
    wanted = {"MONOCHROME1": "INVERSE", "MONOCHROME2": "IDENTITY"}.get(str(photometric))
    if shape is not None and wanted is not None and shape != wanted:
        yield 0x20500020, f"must be {wanted} for {photometric}"


def frames(ds: DataSet) -> Iterator[Complaint]:
    """There is at least one frame, and what the pointer names is there (C.7.6.6)."""
    count = numbers(ds, 0x00280008)
    if count and count[0] < 1:
        yield 0x00280008, "must be above 0"
    for tag in values(ds, 0x00280009):
        if isinstance(tag, int) and not values(ds, tag):
            yield 0x00280009, f"names ({tag >> 16:04X},{tag & 0xFFFF:04X}), which has no value"


def frame_times(ds: DataSet) -> Iterator[Complaint]:
    """Frame Time Vector has one value per frame and starts with 0 (C.7.6.5.1.2)."""
    vector, count = numbers(ds, 0x00181065), numbers(ds, 0x00280008)
    if vector and count and len(vector) != count[0]:
        yield 0x00181065, f"needs one value per frame: {len(vector)} for {count[0]:g} frames"
    if vector and vector[0] != 0:
        yield 0x00181065, "must start with 0"


def ultrasound_pixels(ds: DataSet) -> Iterator[Complaint]:
    """Bits Stored equals Bits Allocated; 16 bits only with a palette (C.8.5.6.1.12 to 14)."""
    allocated, stored = first(ds, 0x00280100), first(ds, 0x00280101)
    if stored != allocated:
        yield 0x00280101, f"must equal Bits Allocated, which is {allocated}"
    if allocated == 16 and first(ds, 0x00280004) != "PALETTE COLOR":
        yield 0x00280100, "must be 8 unless the photometric interpretation is PALETTE COLOR"


def ultrasound_pointer(ds: DataSet) -> Iterator[Complaint]:
    """Ultrasound frames are spaced by time (C.8.5.6.1.4)."""
    for tag in values(ds, 0x00280009):
        if tag not in {0x00181063, 0x00181065}:
            yield 0x00280009, "must name Frame Time or Frame Time Vector"


def ultrasound_type(ds: DataSet) -> Iterator[Complaint]:
    """Value 4 of Image Type is a sum of mode bits in four hex digits (C.8.5.6.1.1)."""
    found = values(ds, 0x00080008)
    mode = str(found[3]) if len(found) > 3 else ""
    if mode and (len(mode) != US_MODE_DIGITS or mode.strip("0123456789ABCDEF")):
        yield 0x00080008, "value 4 must be four hex digits"


def regions(ds: DataSet) -> Iterator[Complaint]:
    """Regions lie inside the image and use the listed units, formats and flags (C.8.5.5.1)."""
    rows, columns = first(ds, 0x00280010), first(ds, 0x00280011)
    for region in ds.items_of(0x00186011):
        for low, high, limit in ((0x00186018, 0x0018601C, columns), (0x0018601A, 0x0018601E, rows)):
            start, end = first(region, low), first(region, high)
            if isinstance(start, int) and isinstance(end, int) and isinstance(limit, int) and not start <= end < limit:
                yield high, f"must lie between {start} and {limit - 1}"
        for tag, limit in (
            (0x00186024, MAX_UNITS),
            (0x00186026, MAX_UNITS),
            (0x00186012, MAX_REGION_FORMAT),
            (0x00186014, MAX_REGION_TYPE),
            (0x00186016, REGION_FLAG_BITS),
        ):
            value = first(region, tag)
            if isinstance(value, int) and not 0 <= value <= limit:
                yield tag, f"must lie between 0 and {limit}"


def intent(ds: DataSet) -> Iterator[Complaint]:
    """Presentation Intent Type is that of the SOP Class (C.8.11.1)."""
    wanted = {uid.DX_PRESENTATION: "FOR PRESENTATION", uid.DX_PROCESSING: "FOR PROCESSING"}.get(
        str(first(ds, 0x00080016))
    )
    if wanted is not None and first(ds, 0x00080068) not in {wanted, None}:
        yield 0x00080068, f"must be {wanted} for this SOP Class"


def no_voi_for_processing(ds: DataSet) -> Iterator[Complaint]:
    """FOR PROCESSING instances carry no VOI; no DX carries a Modality or Presentation LUT (A.26.4, C.8.11.3)."""
    forbidden = [0x00283000, 0x20500010]
    if first(ds, 0x00080068) == "FOR PROCESSING":
        forbidden += [0x00283010, 0x00281050, 0x00281051, 0x00281055, 0x00281056]
    for tag in forbidden:
        if tag in ds:
            yield tag, "must not be present"


def window(ds: DataSet) -> Iterator[Complaint]:
    """Centers and widths are pairs, a width is at least 1 (C.11.2.1.2)."""
    if len(values(ds, 0x00281050)) != len(values(ds, 0x00281051)):
        yield 0x00281051, "needs as many values as the Window Center has"
    linear = first(ds, 0x00281056) in {None, "LINEAR"}
    for width in numbers(ds, 0x00281051):
        if width <= 0 or (linear and width < 1):
            yield 0x00281051, "must be at least 1" if linear else "must be above 0"


def spacing(ds: DataSet) -> Iterator[Complaint]:
    """Pixel Spacing differs from the spacing at the detector only when it was calibrated (10.7.1.1)."""
    plain, imager = numbers(ds, 0x00280030), numbers(ds, 0x00181164)
    if plain and imager and 0x00280A02 not in ds and plain != imager:
        yield 0x00280030, "must equal Imager Pixel Spacing unless a calibration type is given"
    for tag, found in ((0x00280030, plain), (0x00181164, imager)):
        if any(value <= 0 for value in found):
            yield tag, "must be above 0"


RULES: dict[str, tuple[Rule, ...]] = {
    "C.7-11a": (samples, bits, chroma),
    "C.7-9": (image_type, lossy, presentation_shape),
    "C.7-13": (frame_times,),
    "C.7-14": (frames,),
    "C.8-2": (spacing,),
    "C.8-17": (regions,),
    "C.8-18": (ultrasound_pixels, ultrasound_pointer, ultrasound_type),
    "C.8-68": (intent,),
    "C.8-70": (no_voi_for_processing, window),
    "C.8-71": (spacing,),
    "C.11-2": (window,),
}
