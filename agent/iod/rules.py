"""What PS3.3 says about values in prose, beside its tables.

``VALUES`` closes value sets that stand in a section instead of a table row; ``RULES`` are the relations between
Attributes, each with the section that states it. Both are keyed by the table of the Module whose section that is, so
that they apply exactly where the Module is used. A rule is a generator of ``(place, text)``; an empty one is the normal
case. A place is a tag, or the way to one inside items, numbered from 1: ``(sequence, item, tag)``. Rules speak only of
Attributes that are present: what is absent is the business of the tables.

What numbers can be is in rules_numbers.py. What only X-ray, captured and visible light images have is in
rules_image.py, documents in rules_document.py; each joins ``RULES`` with the first instance that needs it.
"""

from __future__ import annotations

from agent.dataset import uid
from agent.dataset.tag import PIXEL_DATA
from agent.dataset.values import Reference
from agent.iod._generated_terms import MODALITIES
from agent.iod.conditions import first, values
from agent.iod.rules_numbers import (
    COLUMNS,
    DETECTOR_SIZES,
    ROWS,
    distances,
    luts,
    numbers,
    palette,
    positive,
    scaled,
    slope,
)
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.dataset.dataset import DataSet

    Place = int | tuple[int, ...]
    Complaint = tuple[Place, str]
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
SLICES = ("APEX_TO_BASE", "BASE_TO_APEX", "ANT_TO_INF", "INF_TO_ANT", "SEPTUM_TO_WALL", "WALL_TO_SEPTUM")  # 10.20.1.1
MAX_UNITS, MAX_REGION_FORMAT, MAX_REGION_TYPE, REGION_FLAG_BITS = 12, 5, 18, 0x1F  # C.8.5.5.1
US_MODE_DIGITS = 4  # Image Type value 4 (C.8.5.6.1.1)

# (table, tag) -> enumerated values the section gives
VALUES: dict[tuple[str, int], tuple[str, ...]] = {
    ("10-25", 0x00540500): SLICES,
    ("C.7-11c", 0x00280002): ("1", "3"),
    ("C.7-11c", 0x00280004): (*ONE_SAMPLE, *COLOUR),
    ("C.7-11c", 0x00280006): ("0", "1"),
    ("C.8-2", 0x00280004): MONOCHROME,
    ("C.8-18", 0x00280004): ("MONOCHROME2", "PALETTE COLOR", *COLOUR),
    ("C.8-18", 0x00280103): ("0",),
    ("C.8-18", 0x00280100): ("8", "16"),
}

# (table, tag) -> defined terms the section gives
DEFINED: dict[tuple[str, int], tuple[str, ...]] = {
    ("C.7-5a", 0x00080060): tuple(MODALITIES.split()),
    ("C.24-1", 0x00080060): tuple(MODALITIES.split()),
}


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
    """Columns are even where two pixels share chroma, unless it is JPEG that shares it (C.7.6.3.1.2).

    What was JPEG once still says so when it is native; only where the pixels are not known the method has to do.
    """
    columns, pixels = first(ds, 0x00280011), ds.get(PIXEL_DATA)
    native = isinstance(pixels, bytes) or (isinstance(pixels, Reference) and not pixels.encapsulated)
    if not native and "ISO_10918_1" in values(ds, 0x00282114):
        return
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


def frame_time(ds: DataSet) -> Iterator[Complaint]:
    """Several frames follow each other forwards and not at once (C.7.6.5.1.1)."""
    count, spacing = numbers(ds, 0x00280008), numbers(ds, 0x00181063)
    if spacing and count and count[0] > 1 and not spacing[0] > 0:
        yield 0x00181063, f"must be above 0 with {count[0]:g} frames"


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
    for number, region in enumerate(ds.items_of(0x00186011), 1):
        for low, high, limit in ((0x00186018, 0x0018601C, columns), (0x0018601A, 0x0018601E, rows)):
            start, end = first(region, low), first(region, high)
            if isinstance(start, int) and isinstance(limit, int) and start >= limit:
                yield (0x00186011, number, low), f"is {start}, and the image ends at {limit - 1}"
            elif (
                isinstance(start, int) and isinstance(end, int) and isinstance(limit, int) and not start <= end < limit
            ):
                yield (0x00186011, number, high), f"must lie between {start} and {limit - 1}"
        for tag, limit in (
            (0x00186024, MAX_UNITS),
            (0x00186026, MAX_UNITS),
            (0x00186012, MAX_REGION_FORMAT),
            (0x00186014, MAX_REGION_TYPE),
            (0x00186016, REGION_FLAG_BITS),
        ):
            value = first(region, tag)
            if isinstance(value, int) and not 0 <= value <= limit:
                yield (0x00186011, number, tag), f"must lie between 0 and {limit}"


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


def known_region(ds: DataSet) -> Iterator[Complaint]:
    """Anatomic Region Sequence is empty only where nobody knows the body part (PS3.5 7.4.3)."""
    if 0x00082218 in ds and not ds.items_of(0x00082218) and values(ds, 0x00180015):
        yield 0x00082218, "is empty, and Body Part Examined says what it is"


def orientation(ds: DataSet) -> Iterator[Complaint]:
    """Patient Orientation is made of the letters of the human body (C.7.6.1.1.1)."""
    if first(ds, 0x00102210) == "QUADRUPED":
        return
    for value in values(ds, 0x00200020):
        letters = str(value)
        if letters.strip("APRLHF") or len(set(letters)) != len(letters):
            yield 0x00200020, f"has {value!r}, which is not made of A, P, R, L, H, F"


def sides(ds: DataSet) -> Iterator[Complaint]:
    """The image does not show the other side than its series does (C.7.6.1)."""
    if {first(ds, 0x00200060), first(ds, 0x00200062)} == {"R", "L"}:
        yield 0x00200062, "is the other side than Laterality of the series"


def instance_uids(ds: DataSet) -> Iterator[Complaint]:
    """The root of the Standard names nothing that anybody else made (PS3.5 9)."""
    for tag in (0x00080018, 0x0020000D, 0x0020000E, 0x00200052):
        if str(first(ds, tag) or "").startswith(DICOM_ROOT) and first(ds, tag) not in WELL_KNOWN_FRAMES:
            yield tag, f"is under {DICOM_ROOT}, the root of the Standard"


def different_uids(ds: DataSet) -> Iterator[Complaint]:
    """Instance, study, series and frame of reference are different things (PS3.5 9)."""
    seen: dict[object, int] = {}
    for tag in (0x0020000D, 0x0020000E, 0x00080018, 0x00200052):
        value = first(ds, tag)
        if value is not None and value in seen:
            yield tag, f"has the value of ({seen[value] >> 16:04X},{seen[value] & 0xFFFF:04X})"
        seen[value] = tag


def timezone(ds: DataSet) -> Iterator[Complaint]:
    """Offsets look like +0100 and lie between -1200 and +1400 (C.12.1.1.8)."""
    text = str(first(ds, 0x00080201) or "")
    if text and not (len(text) == 5 and text[0] in "+-" and text[1:].isdigit() and -1200 <= int(text) <= 1400):
        yield 0x00080201, f"has {text!r}, which is no offset such as +0100"
    elif text == "-0000":
        yield 0x00080201, "has '-0000'; zero is +0000"


def icon(ds: DataSet) -> Iterator[Complaint]:
    """An icon is one small monochrome or palette image (C.7.6.1.1.6)."""
    items = ds.items_of(ICON)
    if len(items) > 1:
        yield ICON, f"has {len(items)} items; one is allowed"
    for number, item in enumerate(items, 1):
        for tag, allowed in ICON_VALUES:
            value = first(item, tag)
            if value is not None and value not in allowed:
                yield (ICON, number, tag), f"has {value!r}; an icon allows {', '.join(map(str, allowed))}"
        for tag in (0x00280006, 0x00280034):
            if tag in item:
                yield (ICON, number, tag), "must not be present in an icon"
        for place, text in [*samples(item), *bits(item), *palette(item)]:
            yield (ICON, number, place) if isinstance(place, int) else place, text


def overlays(ds: DataSet) -> Iterator[Complaint]:
    """Overlay Data are bits of their own, one a pixel (C.9.2)."""
    for group in range(0x6000, 0x6020, 2):
        base = group << 16
        if base | 0x3000 not in ds:
            continue
        rows, columns, data = first(ds, base | 0x10), first(ds, base | 0x11), ds.get(base | 0x3000)
        frames_ = numbers(ds, base | 0x15) or [1]
        for tag, wanted in ((base | 0x100, 1), (base | 0x102, 0)):
            if first(ds, tag) not in {wanted, None}:
                yield tag, f"must be {wanted}"
        if isinstance(rows, int) and isinstance(columns, int) and isinstance(data, bytes):
            needed = (rows * columns * int(frames_[0]) + 7) // 8
            if len(data) != needed + needed % 2:
                yield base | 0x3000, f"has {len(data)} bytes; {rows} rows and {columns} columns need {needed}"


ICON = 0x00880200
ICON_VALUES: tuple[tuple[int, tuple[object, ...]], ...] = (
    (0x00280002, (1,)),
    (0x00280004, ONE_SAMPLE),
    (0x00280100, (1, 8)),
    (0x00280101, (1, 8)),
    (0x00280103, (0,)),
)
DICOM_ROOT = "1.2.840.10008."
WELL_KNOWN_FRAMES = frozenset(f"1.2.840.10008.1.4.{group}.{number}" for group in (1, 2) for number in range(1, 20))

RULES: dict[str, tuple[tuple[str, Rule], ...]] = {
    "C.7-11a": (
        ("C.7.6.3.1.2", samples),
        ("C.7.6.3.1.1", bits),
        ("C.7.6.3.1.2", chroma),
        ("C.7.6.3.1.5", palette),
        ("C.7.6.3", positive(ROWS, COLUMNS)),
        ("10.7.1.3", distances),
    ),
    "C.7-9": (
        ("C.7.6.1.1.2", image_type),
        ("C.7.6.1.1.5", lossy),
        ("C.7.6.1", presentation_shape),
        ("C.7.6.1", sides),
        ("C.7.6.1.1.1", orientation),
        ("C.7.6.1.1.6", icon),
    ),
    "C.7-13": (("C.7.6.5.1.1", frame_time), ("C.7.6.5.1.2", frame_times)),
    "C.7-14": (("C.7.6.6.1", frames),),
    "C.7-15": (("C.7.6.9", positive(0x00286010, 0x00286020)),),
    "C.8-2": (("10.7.1.1", spacing), ("C.8.1.2", scaled)),
    "C.8-17": (("C.8.5.5.1", regions),),
    "C.8-18": (
        ("C.8.5.6.1.12", ultrasound_pixels),
        ("C.8.5.6.1.4", ultrasound_pointer),
        ("C.8.5.6.1.1", ultrasound_type),
        ("C.8.5.6", positive(0x00082122, 0x00082124, 0x00082128, 0x0008212A)),
    ),
    "C.8-68": (("C.8.11.1", intent),),
    "C.8-33": (("C.8.7.8", scaled),),
    "C.8-34": (("C.8.7.9", scaled),),
    "C.8-69": (("PS3.5 7.4.3", known_region),),
    "C.8-70": (("C.8.11.3", no_voi_for_processing), ("C.11.2.1.2", window), ("C.11.2.1.1", luts)),
    "C.8-71": (("10.7.1.1", spacing), ("C.8.11.4", positive(*DETECTOR_SIZES))),
    "C.9-2": (("C.9.2", overlays),),
    "C.11-1": (("C.11.1", slope), ("C.11.1.1.1", luts)),
    "C.11-2": (("C.11.2.1.2", window), ("C.11.2.1.1", luts)),
    "C.12-1": (("C.12.1.1.8", timezone), ("PS3.5 9", instance_uids), ("PS3.5 9", different_uids)),
}
