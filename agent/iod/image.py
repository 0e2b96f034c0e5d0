"""What every image says about itself: General Image, Image Pixel, lossy history, derivation, icon (PS3.3 C.7.6).

Lossy compression is a history, not a state: each step adds its ratio and method in order, and nothing takes the flag
back, not even decompression. What was made from other instances says so in Image Type, in words, in codes and by
reference. The icon is a picture of its own inside an item: grey, because a colour icon would need a palette, 8 bits,
and never compressed, whatever the transfer syntax.
"""

from __future__ import annotations

from agent.dataset import uid
from agent.dataset.dataset import DataSet
from agent.dataset.pixels import PixelDescription
from agent.errors import IodError
from agent.iod import syntaxes
from agent.iod.codes import Code
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.iod.acquisition import Acquisition, ContextItem, Derivation, Icon
    from agent.iod.codes import View

MAX_ICON: Final = 128  # rows and columns: what the profiles of PS3.11 allow at most
ICON_SEQUENCE = 0x00880200
ORIGINAL, DERIVED = "ORIGINAL", "DERIVED"


def compose(description: PixelDescription, acquisition: Acquisition, image_type: tuple[str, ...]) -> DataSet:
    """General Image, Image Pixel, General Reference; ``image_type`` is the default of its kind."""
    made = DataSet()
    made.update(description.to_elements())
    origin, *rest = acquisition.image_type or image_type
    made["ImageType"] = [DERIVED if acquisition.derivation is not None else origin, *rest]
    if acquisition.patient_orientation is not None:
        made["PatientOrientation"] = list(acquisition.patient_orientation)
    for keyword, known in (
        ("BurnedInAnnotation", acquisition.burned_in_annotation),
        ("RecognizableVisualFeatures", acquisition.recognizable_features),
    ):
        if known is not None:
            made[keyword] = "YES" if known else "NO"
    _anatomy(made, acquisition)
    comments = [acquisition.comments] if acquisition.comments else []
    if acquisition.frames_dropped:
        comments.append(f"Frames dropped during capture: {acquisition.frames_dropped}")
    if comments:
        made["ImageComments"] = ". ".join(comments)
    _lossy(made, acquisition)
    if acquisition.derivation is not None:
        _derivation(made, acquisition.derivation)
    if acquisition.icon is not None:
        made["IconImageSequence"] = [_icon(acquisition.icon)]
    if acquisition.context_items:
        made["AcquisitionContextSequence"] = [_context(item) for item in acquisition.context_items]
    return made


def view_item(view: View, modifiers: tuple[Code, ...]) -> DataSet:
    """Item of View Code Sequence with its modifiers."""
    item = view.code.item()
    if modifiers:
        item["ViewModifierCodeSequence"] = [modifier.item() for modifier in modifiers]
    return item


def _anatomy(made: DataSet, acquisition: Acquisition) -> None:
    if acquisition.anatomy is not None:
        made["AnatomicRegionSequence"] = [acquisition.anatomy.code.item()]
        if acquisition.anatomy.body_part:
            made["BodyPartExamined"] = acquisition.anatomy.body_part
    if acquisition.laterality:
        made["ImageLaterality"] = acquisition.laterality
    elif acquisition.anatomy is not None and acquisition.anatomy.paired is False:
        made["ImageLaterality"] = "U"


def _lossy(made: DataSet, acquisition: Acquisition) -> None:
    """Lossy steps in order; a lossy transfer syntax must be the last of them (PS3.3 C.7.6.1.1.5)."""
    steps = acquisition.lossy_steps
    syntax = acquisition.transfer_syntax_uid
    if uid.is_lossy(syntax) and (not steps or steps[-1].method != syntaxes.LOSSY_METHOD.get(syntax)):
        raise IodError(f"{uid.uid_name(syntax)} needs its ratio and method as the last lossy step", tag=0x00282112)
    for step in steps:
        add_lossy_step(made, round(step.ratio, 3), step.method)


def add_lossy_step(ds: DataSet, ratio: float | str, method: str) -> None:
    """State one more lossy compression behind those the Data Set knows."""
    ds["LossyImageCompression"] = "01"
    ds["LossyImageCompressionRatio"] = [*ds.values_of("LossyImageCompressionRatio"), ratio]
    ds["LossyImageCompressionMethod"] = [*ds.values_of("LossyImageCompressionMethod"), method]


def require_no_padding(ds: DataSet) -> None:
    """Refuse to lose samples that Pixel Padding Value tells from the picture (PS3.3 C.7.5.1.1.2)."""
    if ds.get("PixelPaddingValue") is not None:
        raise IodError(
            "near-lossless compression would change the samples that Pixel Padding Value marks", tag=0x00280120,
            hint="Compress it without loss: jpeg-ls.",
        )  # fmt: skip


def _derivation(made: DataSet, derivation: Derivation) -> None:
    if derivation.description:
        made["DerivationDescription"] = derivation.description
    if derivation.codes:
        made["DerivationCodeSequence"] = [code.item() for code in derivation.codes]
    items = []
    for source in derivation.sources:
        item = DataSet()
        item["ReferencedSOPClassUID"] = source.sop_class_uid
        item["ReferencedSOPInstanceUID"] = source.sop_instance_uid
        if source.frames:
            item["ReferencedFrameNumber"] = list(source.frames)
        item["PurposeOfReferenceCodeSequence"] = [source.purpose.item()]
        items.append(item)
    if items:
        made["SourceImageSequence"] = items


def _icon(icon: Icon) -> DataSet:
    """Item of Icon Image Sequence with its own Image Pixel Attributes and pixels (PS3.3 C.7.6.1.1.6)."""
    if not (1 <= icon.rows <= MAX_ICON and 1 <= icon.columns <= MAX_ICON):
        raise IodError(f"an icon of {icon.rows} x {icon.columns} is larger than {MAX_ICON}", tag=ICON_SEQUENCE)
    if len(icon.data) != icon.rows * icon.columns:
        raise IodError(f"{len(icon.data)} bytes are no icon of {icon.rows} x {icon.columns}", tag=ICON_SEQUENCE)
    item = DataSet()
    item.update(PixelDescription(icon.rows, icon.columns).to_elements())
    item.set("PixelData", icon.data + b"\0" * (len(icon.data) % 2), "OB")
    return item


def _context(condition: ContextItem) -> DataSet:
    item = DataSet()
    value = condition.value
    item["ValueType"] = "CODE" if isinstance(value, Code) else "TEXT" if isinstance(value, str) else "NUMERIC"
    item["ConceptNameCodeSequence"] = [condition.name.item()]
    if isinstance(value, Code):
        item["ConceptCodeSequence"] = [value.item()]
    elif isinstance(value, str):
        item["TextValue"] = value
    else:
        if condition.unit is None:
            raise IodError(f"{condition.name.meaning} has a number without unit", tag=0x004008EA)
        item["NumericValue"] = value
        item["MeasurementUnitsCodeSequence"] = [condition.unit.item()]
    return item
