"""The conditions of type 1C and 2C Attributes, and of conditional Modules, as small named predicates.

A Module table says *that* a condition exists; what it is stands in prose. Here each one we can decide from the Data
Set itself is a function of (the item the Attribute stands in, the whole Data Set), and ``ROWS`` says which row of
which table it governs. A row that is not listed depends on something outside the instance (was the procedure
scheduled? is the patient an animal?) and is left alone: a checker that guesses is worse than one that is silent.

While its condition does not hold, an Attribute must not be there (PS3.5 7.4.2, 7.4.4); ``Condition.otherwise`` marks
the rows that say it may, and those whose predicate tells only one side. A predicate that cannot tell at all answers
None. ``EXEMPT`` are rows that another Module of the same IOD relaxes. What only other images and documents have is in
conditions_image.py and conditions_document.py and joins ``ROWS`` with the first instance that needs it: an ultrasound
probe or a detector never pays for it.

Sources: PS3.3 C.7.1-C.7.6, C.8.1, C.8.5-C.8.7, C.8.11, C.8.12, C.11.1-C.11.2, C.12.1, 8.8, 10.1-10.8.
"""

from __future__ import annotations

from agent.dataset.dataset import DataSet
from agent.iod import codes
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Predicate = Callable[[DataSet, DataSet], bool | None]


class Condition(NamedTuple):
    """When an Attribute is required; ``otherwise``: and else allowed; not ``required``: then merely allowed."""

    text: str
    holds: Predicate
    otherwise: bool = False
    required: bool = True


def values(ds: DataSet, tag: int) -> Sequence[object]:
    """Values of an element as a sequence; empty when absent or zero length."""
    value = ds.get(tag)
    if isinstance(value, list):
        return value
    return () if value is None or value in ("", b"") else (value,)


def first(ds: DataSet, tag: int) -> object:
    """First value of an element or None."""
    found = values(ds, tag)
    return found[0] if found else None


def present(*tags: int) -> Predicate:
    """At least one of the Attributes is there with a value."""
    return lambda item, _root: any(values(item, tag) for tag in tags)


def missing(*tags: int) -> Predicate:
    """None of the Attributes is there with a value."""
    return lambda item, _root: not any(values(item, tag) for tag in tags)


def equals(tag: int, *wanted: object) -> Predicate:
    """One of the values of the Attribute is one of those given."""
    return lambda item, _root: any(value in wanted for value in values(item, tag))


def root_equals(tag: int, *wanted: object) -> Predicate:
    """As ``equals``, asked of the whole Data Set."""
    return lambda _item, root: any(value in wanted for value in values(root, tag))


def both(*predicates: Predicate) -> Predicate:
    """All of the predicates hold."""
    return lambda item, root: all(holds(item, root) for holds in predicates)


def several_samples(item: DataSet, _root: DataSet) -> bool:
    """Whether Samples per Pixel is more than one."""
    samples = first(item, 0x00280002)
    return isinstance(samples, int) and samples > 1


def pointed_at(tag: int) -> Predicate:
    """Whether the Frame Increment Pointer names the Attribute."""
    return lambda _item, root: tag in values(root, 0x00280009)


def paired_without_laterality(_item: DataSet, root: DataSet) -> bool | None:
    """Whether the body part is one of a pair and nothing else says which side (PS3.16 Table L-5)."""
    if any(tag in root for tag in (0x00200062, 0x00209072, 0x00240113)):
        return False
    return codes.pairedness(root)


def image_is_lossy(_item: DataSet, root: DataSet) -> bool:
    """Whether a lossy step lies behind these pixels: a ratio or method is given."""
    return bool(values(root, 0x00282112) or values(root, 0x00282114))


def beyond_ascii(_item: DataSet, root: DataSet) -> bool:
    """Whether some text needs more than ISO IR 6."""
    return any_text(root, lambda text: not text.isascii())


def any_text(ds: DataSet, test: Callable[[str], bool]) -> bool:
    """Whether ``test`` is true of any text value at any depth; item nesting is that of the tables, so shallow."""
    stack = [ds]
    while stack:
        level = stack.pop()
        for tag in level.tags():
            items = level.items_of(tag)
            stack.extend(items)
            if not items and any(isinstance(value, str) and test(value) for value in level.values_of(tag)):
                return True
    return False


def window_wanted(item: DataSet, root: DataSet) -> bool | None:
    """Whether it is FOR PRESENTATION with no VOI LUT Sequence."""
    return for_presentation(item, root) and not values(item, 0x00283010)


def voi_lut_wanted(item: DataSet, root: DataSet) -> bool | None:
    """Whether it is FOR PRESENTATION with no window."""
    return for_presentation(item, root) and not values(item, 0x00281050)


def not_specimen_view(_item: DataSet, root: DataSet) -> bool:
    """Whether the view is not that of a tissue specimen (119376003, SCT)."""
    return not any(first(view, 0x00080100) == "119376003" for view in root.items_of(0x00540220))


def animal(_item: DataSet, root: DataSet) -> bool | None:
    """Whether a species is named that is not man, or else something that only animals have; None where nothing is."""
    codes_of_species = [first(item, 0x00080100) for item in root.items_of(0x00102202)]
    named = [*values(root, 0x00102201), *codes_of_species]
    if named:
        return not any(str(name).upper() in HUMAN for name in named)
    return True if any(values(root, tag) for tag in BREEDING) else None


HUMAN = frozenset({"HUMAN", "HOMO SAPIENS", "447612001", "337915000", "L-85B00"})
# Strain, breed and registration: Attributes of animals (C.7.1.1)
BREEDING = (0x00100212, 0x00100213, 0x00100216, 0x00100218, 0x00100219, 0x00102292, 0x00102293, 0x00102294)


def refers(_item: DataSet, root: DataSet) -> bool | None:
    """False where nothing in the instance is a reference; of which study a reference is stands elsewhere."""
    return None if has_reference(root) else False


def has_reference(ds: DataSet) -> bool:
    """Whether an instance is named at any depth, but for the lists of those that are (C.12.4)."""
    stack = [(ds, tag) for tag in ds.tags() if tag not in {0x00081115, 0x00081200}]
    while stack:
        level, tag = stack.pop()
        if tag == 0x00081155:
            return True
        stack += [(item, below) for item in level.items_of(tag) for below in item.tags()]
    return False


def staged(_item: DataSet, root: DataSet) -> bool | None:
    """Whether a stage or view is named; else nobody knows whether the protocol had stages."""
    return True if any(values(root, tag) for tag in STAGES) else None


def oblong(item: DataSet, _root: DataSet) -> bool | None:
    """Whether pixels of no known size are said to be no squares; None where they are not said to be anything."""
    if any(values(item, tag) for tag in (0x00280030, 0x00181164, 0x00182010)):
        return False
    ratio = values(item, 0x00280034)
    return ratio[0] != ratio[1] if len(ratio) == 2 else None


STAGES = (0x00082120, 0x00082122, 0x00082124, 0x00082127, 0x00082128, 0x0008212A, 0x0040000A)
for_presentation = root_equals(0x00080068, "FOR PRESENTATION")
palette = equals(0x00280004, "PALETTE COLOR")
ivus = root_equals(0x00080060, "IVUS")
PULLBACK = ("MOTOR_PULLBACK", "GATED_PULLBACK")
component_organization = equals(0x00186044, 0, 1, 2, 3)


FRAME_LISTS = frozenset({0x00081161, 0x00081162, 0x00081163})
RETRIEVALS = (0x0040E021, 0x0040E022, 0x0040E023, 0x0040E024, 0x0040E025)


def shutter(shape: str, first_tag: int, count: int) -> dict[tuple[str, int], Condition]:
    """Rows of one shape in the Display Shutter and X-Ray Collimator tables, which are built alike."""
    found: dict[tuple[str, int], Condition] = {}
    for table, base, shape_tag in (("C.7-17a", 0x00181600, 0x00181600), ("C.8-28b", 0x00181700, 0x00181700)):
        for step in range(count):
            when = Condition(f"the shape is {shape}", equals(shape_tag, shape))
            found[table, base + first_tag + 2 * step] = when
    return found


ROWS: dict[tuple[str, int], Condition] = {
    # code sequences (8.8)
    ("8.8-1a", 0x00080100): Condition("no long or URN code value is used", missing(0x00080119, 0x00080120)),
    ("8.8-1a", 0x00080119): Condition("no short or URN code value is used", missing(0x00080100, 0x00080120)),
    ("8.8-1a", 0x00080120): Condition("no short or long code value is used", missing(0x00080100, 0x00080119)),
    ("8.8-1a", 0x00080102): Condition("a code value is present", present(0x00080100, 0x00080119), otherwise=True),
    ("8.8-1a", 0x00080103): Condition("a Coding Scheme Designator is present", present(0x00080102), required=False),
    ("8.8-1b", 0x00080105): Condition("a Context Identifier is present", present(0x0008010F)),
    ("8.8-1b", 0x00080106): Condition("a Context Identifier is present", present(0x0008010F)),
    ("8.8-1b", 0x00080107): Condition("the context group is extended", equals(0x0008010B, "Y")),
    ("8.8-1b", 0x0008010D): Condition("the context group is extended", equals(0x0008010B, "Y")),
    # issuers, references
    ("10-1", 0x00080080): Condition("no Institution Code Sequence is present", missing(0x00080082), otherwise=True),
    ("10-1", 0x00080082): Condition("no Institution Name is present", missing(0x00080080), otherwise=True),
    **{
        ("10-2", tag): Condition(f"the Value Type is {name}", equals(0x0040A040, name))
        for tag, name in (
            (0x0040A120, "DATETIME"),
            (0x0040A121, "DATE"),
            (0x0040A122, "TIME"),
            (0x0040A123, "PNAME"),
            (0x0040A124, "UIDREF"),
            (0x0040A160, "TEXT"),
            (0x0040A168, "CODE"),
            (0x0040A30A, "NUMERIC"),
            (0x004008EA, "NUMERIC"),
        )
    },
    ("10-2", 0x00081199): Condition("it refers to an instance", equals(0x0040A040, "COMPOSITE", "IMAGE", "WAVEFORM")),
    ("10-2", 0x0040A163): Condition("a Rational Numerator Value is present", present(0x0040A162)),
    ("10-3b", 0x0020000D): Condition("the instances are DICOM", equals(0x0040E020, "DICOM")),
    ("10-3b", 0x0020000E): Condition("the instances are DICOM", equals(0x0040E020, "DICOM")),
    ("10-3b", 0x0040E001): Condition("the instances are CDA", equals(0x0040E020, "CDA")),
    **{
        ("10-3b", tag): Condition(
            "no other retrieval is given", missing(*(each for each in RETRIEVALS if each != tag)), otherwise=True
        )
        for tag in RETRIEVALS
    },
    ("10-17", 0x00400032): Condition("no Local Namespace Entity ID is present", missing(0x00400031), otherwise=True),
    ("10.36-1", 0x3010001C): Condition("a Device Alternate Identifier is present", present(0x3010001B)),
    ("10.36-1", 0x3010001D): Condition("a Device Alternate Identifier is present", present(0x3010001B)),
    ("10-17", 0x00400031): Condition("no Universal Entity ID is present", missing(0x00400032), otherwise=True),
    ("10-17", 0x00400033): Condition("a Universal Entity ID is present", present(0x00400032)),
    ("10-18", 0x00400033): Condition("a Universal Entity ID is present", present(0x00400032)),
    ("10-10", 0x00280030): Condition("the spacing is calibrated", present(0x00280A02, 0x00280A04), otherwise=True),
    ("10-10", 0x00280A04): Condition("a calibration type is given", present(0x00280A02)),
    **{
        ("10.41-1", tag): Condition("no other protocol element is named", missing(other), required=False)
        for tag, other in ((0x00189938, 0x0018993A), (0x0018993A, 0x00189938))
    },
    # patient, study, series, equipment
    ("C.7-1", 0x00100035): Condition("an alternative calendar date is present", present(0x00100033, 0x00100034)),
    ("C.7-1", 0x00120063): Condition(
        "the identity was removed and no method code says how",
        lambda item, root: equals(0x00120062, "YES")(item, root) and not values(item, 0x00120064),
        otherwise=True,
    ),
    ("C.7-1", 0x00120064): Condition(
        "the identity was removed and no text says how",
        lambda item, root: equals(0x00120062, "YES")(item, root) and not values(item, 0x00120063),
        otherwise=True,
    ),
    ("C.7-1", 0x00102201): Condition(
        "the patient is an animal and its species has no code", both(animal, missing(0x00102202)), otherwise=True
    ),
    ("C.7-1", 0x00102202): Condition(
        "the patient is an animal and its species no name", both(animal, missing(0x00102201)), otherwise=True
    ),
    ("C.7-1", 0x00102298): Condition("a Responsible Person is present", present(0x00102297)),
    **{("C.7-1", tag): Condition("the patient is an animal", animal) for tag in (0x00102293, 0x00102294)},
    **{("C.7-1", tag): Condition("the patient is an animal", animal, otherwise=True) for tag in (0x00102297,)},
    ("C.7-1", 0x00102299): Condition("the patient is an animal", animal, otherwise=True),
    ("C.7-1", 0x00102292): Condition(
        "an animal's breed has no code", both(animal, missing(0x00102293)), otherwise=True
    ),
    ("C.7-4a", 0x00102203): Condition("the patient is an animal", animal, otherwise=True),
    ("C.7-2b", 0x00120040): Condition(
        "no Clinical Trial Subject Reading ID is present", missing(0x00120042), otherwise=True
    ),
    ("C.7-2b", 0x00120042): Condition("no Clinical Trial Subject ID is present", missing(0x00120040), otherwise=True),
    ("C.7-2b", 0x00120081): Condition("an Approval Number is present", present(0x00120082)),
    ("C.7-4b", 0x00120053): Condition("a Longitudinal Temporal Offset is present", present(0x00120052)),
    ("C.7-4b", 0x00120084): Condition("distribution was decided", equals(0x00120085, "YES", "WITHDRAWN")),
    ("C.7-18", 0x00500017): Condition("a Device Diameter is present", present(0x00500016)),
    ("C.7-5a", 0x00200060): Condition(
        "the body part is paired and no other laterality is given", paired_without_laterality
    ),
    ("C.7-8", 0x00280120): Condition("a Pixel Padding Range Limit is present", present(0x00280121), otherwise=True),
    # image
    ("C.7-9", 0x00200020): Condition("no image plane is given", missing(0x00200037, 0x00200032), otherwise=True),
    ("C.7-11c", 0x00280006): Condition("Samples per Pixel is above 1", several_samples),
    **{
        ("C.7-11c", tag): Condition("the photometric interpretation is PALETTE COLOR", palette)
        for tag in (0x00281101, 0x00281102, 0x00281103, 0x00281201, 0x00281202, 0x00281203)
    },
    ("C.7-11c", 0x00280034): Condition("pixels are not square and their size is not given", oblong),
    ("C.7-11a", 0x7FE00010): Condition("no Pixel Data Provider URL is present", missing(0x00287FE0)),
    ("C.7-11a", 0x7FE00002): Condition("an Extended Offset Table is present", present(0x7FE00001)),
    ("C.7-13", 0x00181063): Condition("the Frame Increment Pointer names it", pointed_at(0x00181063)),
    ("C.7-13", 0x00181065): Condition("the Frame Increment Pointer names it", pointed_at(0x00181065)),
    ("C.12-10", 0x00200020): Condition("the source was only reoriented", equals(0x0028135A, "REORIENTED_ONLY")),
    **{
        ("C.7-22a", tag): Condition("no segmented data are present", missing(tag + 0x20))
        for tag in (0x00281201, 0x00281202, 0x00281203)
    },
    **{
        ("C.7-22a", tag): Condition("no unsegmented data are present", missing(tag - 0x20))
        for tag in (0x00281221, 0x00281222, 0x00281223)
    },
    ("C.7-16", 0x00286102): Condition("the mask is REV_TID", equals(0x00286101, "REV_TID"), otherwise=True),
    ("C.7-16", 0x00286110): Condition("the mask is an average", equals(0x00286101, "AVG_SUB")),
    ("C.7-16", 0x00286120): Condition("the mask is TID or REV_TID", equals(0x00286101, "TID", "REV_TID")),
    **{
        ("C.7.6.16-1", tag): Condition("a Concatenation UID is present", present(0x00209161))
        for tag in (0x00200242, 0x00209162, 0x00209228)
    },
    ("C.7.6.16-12b", 0x00409212): Condition("no Real World Value Intercept is present", missing(0x00409224)),
    ("C.7.6.16-12b", 0x00409224): Condition("no Real World Value LUT Data are present", missing(0x00409212)),
    ("C.7.6.16-12b", 0x00409225): Condition("no Real World Value LUT Data are present", missing(0x00409212)),
    # ultrasound (C.8.5)
    ("C.8-18", 0x00280006): Condition("Samples per Pixel is above 1", several_samples),
    **{
        ("C.8-18", tag): Condition("a stage or view of a staged protocol is named", staged)
        for tag in (0x00082124, 0x0008212A)
    },
    ("C.8-18", 0x00280009): Condition("Number of Frames is present", present(0x00280008)),
    ("C.8-18", 0x00282110): Condition("a lossy step lies behind the pixels", image_is_lossy, otherwise=True),
    ("C.8-18", 0x0008002A): Condition("the modality is IVUS", ivus, otherwise=True),
    ("C.8-18", 0x00183100): Condition("the modality is IVUS", ivus),
    ("C.8-18", 0x00183101): Condition("the pullback is by motor", equals(0x00183100, "MOTOR_PULLBACK")),
    ("C.8-18", 0x00183102): Condition("the pullback is gated", equals(0x00183100, "GATED_PULLBACK")),
    ("C.8-17", 0x00186046): Condition("components are bit aligned", equals(0x00186044, 0)),
    ("C.8-17", 0x00186048): Condition("components are ranges", equals(0x00186044, 1)),
    ("C.8-17", 0x0018604A): Condition("components are ranges", equals(0x00186044, 1)),
    ("C.8-17", 0x0018604C): Condition("Pixel Component Organization is present", component_organization),
    ("C.8-17", 0x0018604E): Condition("Pixel Component Organization is present", component_organization),
    **{
        ("C.8-17", tag): Condition("components are bit aligned or ranges", equals(0x00186044, 0, 1))
        for tag in (0x00186050, 0x00186052, 0x00186054)
    },
    ("C.8-17", 0x00186056): Condition("components are by table or code", equals(0x00186044, 2, 3)),
    ("C.8-17", 0x00186058): Condition("components are by table", equals(0x00186044, 2)),
    ("C.8-17", 0x0018605A): Condition("components are by table", equals(0x00186044, 2)),
    ("C.8-17", 0x00409098): Condition("components are by code", equals(0x00186044, 3)),
    ("C.8-18", 0x00183103): Condition("there is a pullback", equals(0x00183100, *PULLBACK)),
    ("C.8-18", 0x00183104): Condition("there is a pullback", equals(0x00183100, *PULLBACK)),
    # digital X-ray (C.8.11)
    ("C.8-70", 0x00282112): Condition("Lossy Image Compression is 01", equals(0x00282110, "01")),
    ("C.8-70", 0x00200020): Condition("the view is not that of a specimen", not_specimen_view, otherwise=True),
    ("C.8-70", 0x00283010): Condition("FOR PRESENTATION without a window", voi_lut_wanted, otherwise=True),
    ("C.8-70", 0x00281050): Condition("FOR PRESENTATION without a VOI LUT", window_wanted, otherwise=True),
    ("C.8-70", 0x00281051): Condition("a Window Center is present", present(0x00281050)),
    ("C.8-71", 0x00187030): Condition(
        "a rotation or flip of the field of view is given", present(0x00187032, 0x00187034)
    ),
    ("C.8-71", 0x00187032): Condition("a flip of the field of view is given", present(0x00187034)),
    ("C.8-71", 0x00187034): Condition("a rotation of the field of view is given", present(0x00187032)),
    # grayscale transformations (C.11)
    ("C.11-1b", 0x00281052): Condition("no Modality LUT is present", missing(0x00283000)),
    ("C.11-1b", 0x00283000): Condition("no Rescale Intercept is present", missing(0x00281052)),
    ("C.11-1b", 0x00281053): Condition("a Rescale Intercept is present", present(0x00281052)),
    ("C.11-1b", 0x00281054): Condition("a Rescale Intercept is present", present(0x00281052)),
    ("C.11-2b", 0x00283010): Condition("no window is present", missing(0x00281050), otherwise=True),
    ("C.11-2b", 0x00281050): Condition("no VOI LUT is present", missing(0x00283010), otherwise=True),
    ("C.11-2b", 0x00281051): Condition("a Window Center is present", present(0x00281050)),
    # SOP Common
    ("C.12-1", 0x00080304): Condition("a block is partly identifying", equals(0x00080303, "MIXED")),
    ("C.12-1", 0x0008030B): Condition("the private element is a sequence", equals(0x0008030A, "SQ")),
    **{("C.12-8", tag): Condition("it refers to instances", refers) for tag in (0x00081115, 0x00081200)},
    **{
        ("C.12-9", tag): Condition(
            "no other list of frames is present", missing(*(FRAME_LISTS - {tag})), otherwise=True
        )
        for tag in FRAME_LISTS
    },
    ("C.12-6", 0x04000305): Condition("a Certified Timestamp is present", present(0x04000310)),
    ("C.12-1", 0x00080005): Condition("text goes beyond ISO IR 6", beyond_ascii, otherwise=True),
    **shutter("RECTANGULAR", 2, 4),
    **shutter("CIRCULAR", 0x10, 2),
    **shutter("POLYGONAL", 0x20, 1),
}

# Conditional Modules, by IOD and table. Those not listed (contrast medium, graphic annotation) depend on facts outside
# the instance and count, like user options, as used when an Attribute is present that no other Module of the IOD has.
MODULES: dict[tuple[str, str], Condition] = {
    ("us", "C.7-22"): Condition("the photometric interpretation is PALETTE COLOR", palette),
    ("us-mf", "C.7-22"): Condition("the photometric interpretation is PALETTE COLOR", palette),
    ("us-mf", "C.7-7"): Condition("the modality is IVUS", ivus),
    ("dx", "C.11-2"): Condition("Presentation Intent Type is FOR PRESENTATION", for_presentation),
}

# The same in every IOD that has the Module: what is said of an animal belongs to it (C.7.1.4, C.7.2.2).
EVERYWHERE: dict[str, Condition] = {"C.7-4a": Condition("the patient is an animal", animal)}

# Rows of Macros that a table includes on a condition, whatever their type; conditions_document.py has them.
MACROS: dict[tuple[str, int], Condition] = {}

# Rows of type 1 that another Module of the IOD makes conditional; conditions_image.py has them.
EXEMPT: dict[tuple[str, int], Predicate] = {}
