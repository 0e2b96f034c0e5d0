"""The conditions of X-ray, captured and visible light Modules; conditions.py says what a condition is.

Sources: PS3.3 A.8, A.14, A.16, C.8.6, C.8.7, C.8.12.
"""

from __future__ import annotations

from agent.iod.conditions import (
    Condition,
    both,
    equals,
    first,
    image_is_lossy,
    missing,
    pointed_at,
    present,
    root_equals,
    several_samples,
    values,
)
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.dataset.dataset import DataSet
    from agent.iod.conditions import Predicate

SC_MULTI_FRAME = tuple(f"1.2.840.10008.5.1.4.1.1.7.{number}" for number in range(1, 5))
frames_in_time = root_equals(0x00280009, 0x00181063, 0x00181065)
multi_frame_data = present(0x00280008, 0x00280009)


def absent(*tags: int) -> Predicate:
    """One of the Attributes is not even there."""
    return lambda item, _root: any(tag not in item for tag in tags)


def several_frames(_item: DataSet, root: DataSet) -> bool:
    """Whether Number of Frames is more than one."""
    count = first(root, 0x00280008)
    return isinstance(count, int) and count > 1


def scanned(_item: DataSet, root: DataSet) -> bool | None:
    """Whether film was digitized; None for a document or image that was scanned, which may have a spacing."""
    kind = first(root, 0x00080064)
    return None if kind in {"SD", "SI"} else kind == "DF"


def not_tiled(_item: DataSet, root: DataSet) -> bool:
    """Whether frames are anything but the tiles of a whole."""
    return first(root, 0x00209311) != "TILED_FULL"


def in_space(_item: DataSet, root: DataSet) -> bool:
    """Whether the functional groups place frames in space."""
    groups = [item for sequence in (0x52009229, 0x52009230) for item in root.items_of(sequence)]
    return any(tag in item for item in groups for tag in (0x00289110, 0x00209113, 0x00209116))


def gray_levels(_item: DataSet, root: DataSet) -> bool:
    """Whether the pixels are MONOCHROME2 with more than one bit."""
    stored = first(root, 0x00280101)
    return first(root, 0x00280004) == "MONOCHROME2" and isinstance(stored, int) and stored > 1


def stereo_or_biplane(*names: str) -> Predicate:
    """Whether value 3 of Image Type is one of the names."""
    return lambda _item, root: any(value in names for value in values(root, 0x00080008)[2:3])


ROWS: dict[tuple[str, int], Condition] = {
    # secondary capture (C.8.6)
    **{
        ("C.8-25b", tag): Condition("the pixels are MONOCHROME2 of more than one bit", gray_levels)
        for tag in (0x00281052, 0x00281053, 0x00281054, 0x20500020)
    },
    ("C.8-25b", 0x00280009): Condition("there is more than one frame", several_frames),
    ("C.8-25b", 0x00182010): Condition("film or paper was scanned", scanned),
    ("C.7.6.17-1", 0x00209222): Condition("frames are not those of a whole tiling", not_tiled, otherwise=True),
    **{
        ("C.8-25c", tag): Condition("the Frame Increment Pointer names it", pointed_at(tag))
        for tag in (0x00181065, *range(0x00182001, 0x00182007))
    },
    # angiography and fluoroscopy (C.8.7)
    ("C.8-26", 0x00280009): Condition("Number of Frames is present", present(0x00280008)),
    ("C.8-26", 0x00282110): Condition("a lossy step lies behind the pixels", image_is_lossy, otherwise=True),
    ("C.8-26", 0x00081140): Condition(
        "it is one plane of two", stereo_or_biplane("BIPLANE A", "BIPLANE B"), otherwise=True
    ),
    ("C.8-27", 0x00181150): Condition("no Exposure is present", absent(0x00181152), otherwise=True),
    ("C.8-27", 0x00181151): Condition("no Exposure is present", absent(0x00181152), otherwise=True),
    ("C.8-27", 0x00181152): Condition("time or current is not present", absent(0x00181150, 0x00181151), otherwise=True),
    **{
        ("C.8-29", tag): Condition("the table moves", equals(0x00181134, "DYNAMIC"))
        for tag in (0x00181135, 0x00181136, 0x00181137)
    },
    ("C.8-30", 0x00181500): Condition("there is more than one frame", several_frames, otherwise=True),
    ("C.8-30", 0x00181520): Condition("the positioner moves", equals(0x00181500, "DYNAMIC")),
    ("C.8-30", 0x00181521): Condition("the positioner moves", equals(0x00181500, "DYNAMIC")),
    # visible light (C.8.12)
    ("C.8-77", 0x00280006): Condition("Samples per Pixel is above 1", several_samples),
    ("C.8-77", 0x00081140): Condition(
        "it is one of a stereo pair", stereo_or_biplane("STEREO L", "STEREO R"), otherwise=True
    ),
    ("C.8-77", 0x00281051): Condition("a Window Center is present", present(0x00281050)),
    ("C.8-77", 0x00082218): Condition(
        "Number of Frames is present and no specimen", both(present(0x00280008), missing(0x00400560)), otherwise=True
    ),
}

_multi_frame = Condition("the pixel data are multi-frame", multi_frame_data)
_log = Condition("the Pixel Intensity Relationship is LOG", equals(0x00281040, "LOG"))
_timed = Condition("the Frame Increment Pointer names a frame time", frames_in_time)
# Conditional Modules, by IOD and table.
MODULES: dict[tuple[str, str], Condition] = {
    **{(iod, table): _multi_frame for iod in ("xa", "xrf") for table in ("C.7-13", "C.7-14")},
    **{(iod, "C.11-1"): _log for iod in ("xa", "xrf")},
    ("xrf", "C.8-32"): Condition("Scan Options is TOMO", equals(0x00180022, "TOMO")),
    **{
        (f"sc-mf-{kind}", "C.7-6"): Condition("a functional group places frames in space", in_space)
        for kind in ("byte", "word", "color")
    },
    ("sc", "C.7-6"): Condition("an image plane is given", present(0x00200032, 0x00200037)),
    **{(f"sc-mf-{kind}", "C.7-13"): _timed for kind in ("bit", "byte", "word", "color")},
    **{
        (f"sc-mf-{kind}", "C.8-25c"): Condition("there is more than one frame", several_frames)
        for kind in ("bit", "byte", "word", "color")
    },
}

# Rows of type 1 that another Module of the IOD makes conditional: a multi-frame SC with one frame needs no pointer.
EXEMPT: dict[tuple[str, int], Predicate] = {
    ("C.7-14", 0x00280009): lambda item, root: (
        first(root, 0x00080016) in SC_MULTI_FRAME and not several_frames(item, root)
    ),
}
