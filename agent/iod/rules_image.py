"""What PS3.3 says in prose about X-ray, captured and visible light images; the rest is in rules.py.

Sources: PS3.3 A.8.2 to A.8.5, A.32, C.7.6.10, C.8.6.3, C.8.6.4, C.8.7.1, C.8.7.3, C.8.7.5, C.8.12.1.
"""

from __future__ import annotations

from agent.iod.conditions import first, values
from agent.iod.rules import window
from agent.iod.rules_numbers import numbers, positive, scaled, slope
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.dataset.dataset import DataSet
    from agent.iod.rules import Complaint, Rule

ENDOSCOPIC, PHOTOGRAPHIC = "1.2.840.10008.5.1.4.1.1.77.1.1", "1.2.840.10008.5.1.4.1.1.77.1.4"
PLANES = ("SINGLE PLANE", "BIPLANE A", "BIPLANE B")
STEREO = ("STEREO L", "STEREO R")
FRAME_TIMES = (0x00181063, 0x00181065)
VISIBLE = ("MONOCHROME2", "RGB", "YBR_FULL_422", "YBR_PARTIAL_420", "YBR_RCT", "YBR_ICT")
CAPTURED_COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_420", "YBR_RCT", "YBR_ICT")

VALUES: dict[tuple[str, int], tuple[str, ...]] = {
    ("C.8-26", 0x00280002): ("1",),
    ("C.8-26", 0x00280100): ("8", "16"),
    ("C.8-26", 0x00280101): ("8", "10", "12", "16"),
    ("C.8-26", 0x00280103): ("0",),
    ("C.8-77", 0x00280004): VISIBLE,
    ("C.8-77", 0x00280100): ("8",),
    ("C.8-77", 0x00280101): ("8",),
    ("C.8-77", 0x00280102): ("7",),
    ("C.8-77", 0x00280103): ("0",),
    ("C.8-77", 0x00280006): ("0",),
    ("C.7-16", 0x00286101): ("AVG_SUB", "TID", "REV_TID"),
}

# What each multi-frame SC IOD allows, by the last number of its SOP Class UID (A.8.2.4, A.8.3.4, A.8.4.4, A.8.5.4).
_CAPTURED: dict[str, tuple[str, tuple[tuple[int, tuple[object, ...]], ...]]] = {
    "1": (
        "A.8.2.4",
        (
            (0x00280002, (1,)),
            (0x00280004, ("MONOCHROME2",)),
            (0x00280100, (1,)),
            (0x00280101, (1,)),
            (0x00280102, (0,)),
            (0x00280103, (0,)),
        ),
    ),
    "2": (
        "A.8.3.4",
        (
            (0x00280002, (1,)),
            (0x00280004, ("MONOCHROME2",)),
            (0x00280100, (8,)),
            (0x00280101, (8,)),
            (0x00280102, (7,)),
            (0x00280103, (0,)),
            (0x00281052, (0,)),
            (0x00281053, (1,)),
            (0x00281054, ("US",)),
        ),
    ),
    "3": (
        "A.8.4.4",
        (
            (0x00280002, (1,)),
            (0x00280004, ("MONOCHROME2",)),
            (0x00280100, (16,)),
            (0x00280101, tuple(range(9, 17))),
            (0x00280103, (0,)),
        ),
    ),
    "4": (
        "A.8.5.4",
        (
            (0x00280002, (3,)),
            (0x00280004, CAPTURED_COLOUR),
            (0x00280100, (8,)),
            (0x00280101, (8,)),
            (0x00280102, (7,)),
            (0x00280103, (0,)),
        ),
    ),
}


def captured_pixels(ds: DataSet) -> Iterator[Complaint]:
    """A multi-frame SC IOD fixes its Image Pixel Attributes (A.8.2.4 to A.8.5.4)."""
    kind = str(first(ds, 0x00080016)).rpartition(".")[2]
    section, rows = _CAPTURED.get(kind, ("", ()))
    for tag, allowed in rows:
        value = first(ds, tag)
        if value is not None and value not in allowed:
            yield tag, f"has {value!r}, allowed are {', '.join(map(str, allowed))} ({section})"
    if kind == "4" and first(ds, 0x00280004) == "RGB" and first(ds, 0x00280006) not in {0, None}:
        yield 0x00280006, f"must be 0 for RGB ({section})"
    forbidden = [0x60000010, 0x60003000]
    if kind in {"1", "4"}:
        forbidden += [0x00283010, 0x00281050, 0x00281051]
    for tag in forbidden:
        if tag in ds:
            yield tag, f"must not be present ({section})"


def captured_pointer(ds: DataSet) -> Iterator[Complaint]:
    """Each vector has a value for every frame (C.8.6.4)."""
    count = numbers(ds, 0x00280008)
    for tag in range(0x00182001, 0x00182007):
        found = len(values(ds, tag))
        if found and count and found != count[0]:
            yield tag, f"needs one value per frame: {found} for {count[0]:g} frames"


def xray_type(ds: DataSet) -> Iterator[Complaint]:
    """Value 3 of Image Type says which plane it is (C.8.7.1.1.1)."""
    found = values(ds, 0x00080008)
    if found and (len(found) < 3 or found[2] not in PLANES):
        yield 0x00080008, f"value 3 must be {', '.join(PLANES)}"


def xray_frames(ds: DataSet) -> Iterator[Complaint]:
    """Labels are as many as frames; time alone is no further dimension (C.8.7.1, Table C.8-26)."""
    labels, count = values(ds, 0x00182002), numbers(ds, 0x00280008)
    if labels and count and len(labels) != count[0]:
        yield 0x00182002, f"needs one value per frame: {len(labels)} for {count[0]:g} frames"
    dimensions = values(ds, 0x0028000A)
    if len(dimensions) == 1 and dimensions[0] in FRAME_TIMES:
        yield 0x0028000A, "must not be present for frame times alone"


def xray_other_plane(ds: DataSet) -> Iterator[Complaint]:
    """The other plane is referred to as a whole, and it is one instance (C.8.7.1.1.13)."""
    if not any(value in PLANES[1:] for value in values(ds, 0x00080008)[2:3]):
        return
    items = ds.items_of(0x00081140)
    if len(items) == 1 and 0x00081160 in items[0]:
        yield (0x00081140, 1, 0x00081160), "must not be present for the other plane"


def moving(ds: DataSet) -> Iterator[Complaint]:
    """Increments are one per frame, or one for all (C.8.7.4.1.4, C.8.7.5.1.3)."""
    count = numbers(ds, 0x00280008)
    for tag in (0x00181520, 0x00181521, 0x00181135, 0x00181136, 0x00181137):
        found = len(values(ds, tag))
        if found > 1 and count and found != count[0]:
            yield tag, f"needs one value per frame: {found} for {count[0]:g} frames"


def once_each(ds: DataSet) -> Iterator[Complaint]:
    """A collimator shape is named once (C.8.7.3)."""
    shapes = values(ds, 0x00181700)
    if len(set(shapes)) != len(shapes):
        yield 0x00181700, "names a shape twice"


def visible_type(ds: DataSet) -> Iterator[Complaint]:
    """Value 3 of Image Type, if any, is a side of a stereo pair (C.8.12.1.1.6)."""
    found = values(ds, 0x00080008)
    if len(found) > 2 and found[2] not in {*STEREO, ""}:
        yield 0x00080008, f"value 3 must be {' or '.join(STEREO)}"


def visible_modality(ds: DataSet) -> Iterator[Complaint]:
    """An endoscope is ES, a camera XC (A.32.1.4, A.32.4.4)."""
    wanted = {ENDOSCOPIC: "ES", PHOTOGRAPHIC: "XC"}.get(str(first(ds, 0x00080016)))
    if wanted is not None and first(ds, 0x00080060) not in {wanted, None}:
        yield 0x00080060, f"must be {wanted} for this SOP Class"


def masks(ds: DataSet) -> Iterator[Complaint]:
    """Mask frames are frames of this image (C.7.6.10)."""
    count = numbers(ds, 0x00280008)
    for number, item in enumerate(ds.items_of(0x00286100), 1):
        for tag in (0x00286102, 0x00286110):
            if count and any(not 1 <= frame <= count[0] for frame in numbers(item, tag)):
                yield (0x00286100, number, tag), f"names a frame beyond the {count[0]:g} there are"


RULES: dict[str, tuple[tuple[str, Rule], ...]] = {
    "C.7-16": (("C.7.6.10", masks),),
    "C.8-25b": (("C.8.6.3", captured_pixels), ("C.8.6.3", slope)),
    "C.8-25c": (("C.8.6.4", captured_pointer),),
    "C.8-26": (
        ("C.8.7.1.1.1", xray_type),
        ("C.8.7.1", xray_frames),
        ("C.8.7.1.1.13", xray_other_plane),
    ),
    "C.8-27": (("C.8.7.2", scaled), ("C.8.7.2", positive(0x00181149))),
    "C.8-28": (("C.8.7.3", once_each),),
    "C.8-29": (("C.8.7.4.1.4", moving),),
    "C.8-30": (("C.8.7.5.1.3", moving),),
    "C.8-77": (("C.8.12.1.1.6", visible_type), ("A.32", visible_modality), ("C.11.2.1.2", window)),
}
