"""Building an instance: one way for all SOP Classes, and the table ``KINDS`` that tells them apart.

``build`` puts together what the patient's context, the pixel description and the acquisition say, lets the family of
the kind add its own Modules, fills in the type 2 Attributes nobody had a value for, and then has the result judged by
the same Module tables that ``modules.check`` walks. What the tables forbid never leaves this function.

How to add a SOP Class
    1. Add its IOD to ``IODS`` in scripts/gen_modules.py and run it: tables, usage and SOP Class UIDs are then known.
    2. Say in conditions.py and rules.py what the tables of its new Modules leave to prose.
    3. Write its composition (what only this family knows) beside ``ultrasound.compose``, or reuse one.
    4. Add its row to ``KINDS``. The tests in tests/unit/iod and tests/peers walk ``KINDS`` and will ask for the rest.
    5. Add its key to ``SOP_CLASS_WORDS`` in agent/config/schema.py, so that a site can name it. A list of its own,
       because the daemon reads its configuration without paying for these tables; a test compares the two.

``dx-processing`` is built and judged like the others, and no site can name it: an image For Processing needs a device
that says what was not done to it yet, and no source does.

Drops and the capture clock are carried where the Standard has a place for them: gaps in Frame Time Vector, the count
for people in Image Comments (0020,4000), and how spacing was measured in Contribution Description (0018,A003) of the
item of Contributing Equipment Sequence that names the agent (PS3.3 C.7.6.1, C.7.6.5, C.12.1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from agent.dataset import dictionary, uid
from agent.dataset.dataset import DataSet
from agent.dataset.tag import tag_str
from agent.errors import IodError
from agent.iod import capture, codes, conditions, modules, syntaxes, tables, ultrasound, xray

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.dataset.pixels import PixelDescription
    from agent.iod.acquisition import Acquisition

CONTEXT_ENTITIES = "PSRFE"  # what a context may say: patient, study, series, frame of reference, equipment
CHARACTER_SET = 0x00080005
UTF_8 = "ISO_IR 192"


class Kind(NamedTuple):
    """One SOP Class we make.

    ``modality`` is written unless the context names another of ``modalities`` (empty: any). ``image_type`` is the
    default of Image Type. ``compose`` adds the Modules of the family. ``multi_frame`` says whether Number of Frames is
    part of the IOD.
    """

    sop_class_uid: str
    modality: str
    modalities: tuple[str, ...]
    image_type: tuple[str, ...]
    multi_frame: bool
    compose: Callable[[DataSet, PixelDescription, Acquisition], None]

    @property
    def iod(self) -> str:
        """Key of the IOD in the generated tables."""
        return tables.SOP_CLASSES[self.sop_class_uid]


_PRIMARY = ("ORIGINAL", "PRIMARY")
KINDS: dict[str, Kind] = {
    "us": Kind(uid.US, "US", ("US", "IVUS"), _PRIMARY, multi_frame=False, compose=ultrasound.compose),
    "us-mf": Kind(uid.US_MULTIFRAME, "US", ("US", "IVUS"), _PRIMARY, multi_frame=True, compose=ultrasound.compose_cine),
    "dx": Kind(uid.DX_PRESENTATION, "DX", ("DX",), (*_PRIMARY, ""), multi_frame=False, compose=xray.compose_dx),
    "dx-processing": Kind(
        uid.DX_PROCESSING, "DX", ("DX",), (*_PRIMARY, ""), multi_frame=False, compose=xray.compose_dx_processing
    ),
    "cr": Kind(uid.CR, "CR", ("CR",), _PRIMARY, multi_frame=False, compose=xray.compose_cr),
    "sc": Kind(uid.SC, "OT", (), ("DERIVED", "SECONDARY"), multi_frame=False, compose=capture.compose),
}


def build(kind: str, *, description: PixelDescription, context: DataSet, acquisition: Acquisition) -> DataSet:
    """Make the complete Data Set of one instance, without Pixel Data.

    ``context`` holds Attributes of patient, study, series and equipment (an empty one is an unscheduled exam).
    Text beyond ASCII brings Specific Character Set ISO_IR 192 unless the context names another.

    Raises:
        IodError: The kind is unknown, an Attribute stands where it may not, two sources contradict each other, or a
            Module table forbids the result (names tag, Module, table and type of the first violation).
    """
    row = KINDS.get(kind)
    if row is None:
        raise IodError(f"no SOP Class is called {kind!r}; there are {', '.join(KINDS)}")
    syntaxes.require(acquisition.transfer_syntax_uid, description)
    if not row.multi_frame and acquisition.number_of_frames != 1:
        raise IodError(f"{kind} holds one frame, not {acquisition.number_of_frames}", tag=0x00280008)
    ds = _identity(row, acquisition)
    ds.update(_image(row, description, acquisition))
    row.compose(ds, description, acquisition)
    _add(ds, _context(row, context), "the context")
    if acquisition.attributes is not None:
        _add(ds, _known(row, acquisition.attributes), "the attributes of the source")
    if "Laterality" not in ds and "ImageLaterality" not in ds and codes.pairedness(ds) is None:
        ds["Laterality"] = None  # nobody can say that the body part is not paired (PS3.3 C.7.3.1, type 2C)
    if CHARACTER_SET not in ds and conditions.beyond_ascii(ds, ds):
        ds[CHARACTER_SET] = UTF_8
    modules.complete(ds, row.iod)
    _refuse(modules.errors(modules.check(ds)))
    return ds


def rehearse(kind: str, *, description: PixelDescription, context: DataSet, acquisition: Acquisition) -> None:
    """Raise what ``build`` would raise, before the first frame: a missing fact is no reason to lose an exposure.

    Frame fields are taken as if one frame had been captured; date and time may still be empty.
    """
    one = acquisition._replace(number_of_frames=1, frame_time_ms=0.0, frame_times_ms=None)
    build(kind, description=description, context=context, acquisition=one)


def _context(row: Kind, context: DataSet) -> DataSet:
    """Context after its check, with a Modality."""
    allowed = modules.tags_of(row.iod, CONTEXT_ENTITIES) | {CHARACTER_SET}
    for tag in context.tags():
        if tag not in allowed:
            raise IodError(f"{_name(tag)} does not belong to patient, study, series or equipment", tag=tag)
    ds = context.copy()
    modality = ds.text("Modality")
    if not modality:
        ds["Modality"] = row.modality
    elif row.modalities and modality not in row.modalities:
        raise IodError(f"Modality {modality} is not one of {', '.join(row.modalities)}", tag=0x00080060)
    return ds


def _known(row: Kind, attributes: DataSet) -> DataSet:
    known = modules.tags_of(row.iod, "PSRFEAI")
    for tag in attributes.tags():
        if tag not in known:
            raise IodError(f"{_name(tag)} is in no Module of this SOP Class", tag=tag)
    return attributes


def _add(ds: DataSet, more: DataSet, source: str) -> None:
    """Merge; where both have a value it must be the same."""
    for element in more:
        have = ds.get(element.tag)
        if have is None:
            ds.set(element.tag, element.value, element.vr)
        elif element.value not in (None, "", have):
            raise IodError(f"{_name(element.tag)} of {source} contradicts the acquisition", tag=element.tag)


def _identity(row: Kind, acquisition: Acquisition) -> DataSet:
    """SOP Common, study and series UIDs, times."""
    made = DataSet()
    made["SOPClassUID"] = row.sop_class_uid
    made["SOPInstanceUID"] = acquisition.sop_instance_uid
    made["StudyInstanceUID"] = acquisition.study_instance_uid
    made["SeriesInstanceUID"] = acquisition.series_instance_uid
    made["InstanceNumber"] = acquisition.instance_number
    for name in ("InstanceCreation", "Acquisition", "Content"):
        made[f"{name}Date"] = acquisition.date
        made[f"{name}Time"] = acquisition.time
    if acquisition.timezone_offset:
        made["TimezoneOffsetFromUTC"] = acquisition.timezone_offset
    made["ContributingEquipmentSequence"] = [_contribution(row, acquisition)]
    return made


def _contribution(row: Kind, acquisition: Acquisition) -> DataSet:
    equipment = acquisition.equipment
    item = DataSet()
    item["PurposeOfReferenceCodeSequence"] = [codes.MODIFYING_EQUIPMENT.item()]
    for keyword, value in (
        ("Manufacturer", equipment.manufacturer),
        ("InstitutionName", equipment.institution_name),
        ("StationName", equipment.station_name),
        ("ManufacturerModelName", equipment.model),
        ("DeviceSerialNumber", equipment.device_serial_number),
        ("SoftwareVersions", equipment.software_versions),
    ):
        if value:
            item[keyword] = value
    item["ContributionDateTime"] = f"{acquisition.date}{acquisition.time}{acquisition.timezone_offset}"
    text = "Captured and encoded as DICOM"
    if row.multi_frame:
        text += f"; frame spacing from a monotonic clock, frames dropped: {acquisition.frames_dropped}"
    item["ContributionDescription"] = text
    return item


def _image(row: Kind, description: PixelDescription, acquisition: Acquisition) -> DataSet:
    """General Image, Image Pixel and lossy bookkeeping."""
    made = DataSet()
    made.update(description.to_elements())
    made["ImageType"] = list(acquisition.image_type or row.image_type)
    if acquisition.patient_orientation is not None:
        made["PatientOrientation"] = list(acquisition.patient_orientation)
    if acquisition.burned_in_annotation is not None:
        made["BurnedInAnnotation"] = "YES" if acquisition.burned_in_annotation else "NO"
    if acquisition.anatomy is not None:
        made["AnatomicRegionSequence"] = [acquisition.anatomy.code.item()]
        if acquisition.anatomy.body_part:
            made["BodyPartExamined"] = acquisition.anatomy.body_part
    if acquisition.laterality:
        made["ImageLaterality"] = acquisition.laterality
    elif acquisition.anatomy is not None and acquisition.anatomy.paired is False:
        made["ImageLaterality"] = "U"
    comments = [acquisition.comments] if acquisition.comments else []
    if acquisition.frames_dropped:
        comments.append(f"Frames dropped during capture: {acquisition.frames_dropped}")
    if comments:
        made["ImageComments"] = ". ".join(comments)
    _lossy(made, acquisition)
    return made


def _lossy(made: DataSet, acquisition: Acquisition) -> None:
    """Lossy steps in order; a lossy transfer syntax must be the last of them (PS3.3 C.7.6.1.1.5)."""
    steps = acquisition.lossy_steps
    syntax = acquisition.transfer_syntax_uid
    if uid.is_lossy(syntax) and (not steps or steps[-1].method != syntaxes.LOSSY_METHOD.get(syntax)):
        raise IodError(f"{uid.uid_name(syntax)} needs its ratio and method as the last lossy step", tag=0x00282112)
    if steps:
        made["LossyImageCompression"] = "01"
        made["LossyImageCompressionRatio"] = [round(step.ratio, 3) for step in steps]
        made["LossyImageCompressionMethod"] = [step.method for step in steps]


def _refuse(found: list[modules.Finding]) -> None:
    if found:
        worst = found[0]
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        kind = f", type {worst.type}" if worst.type else ""
        where = f"{worst.module} Module, PS3.3 Table {worst.table}{kind}" if worst.table else worst.module
        raise IodError(f"{_name(worst.tag)} {worst.text}: {where}{more}", tag=worst.tag)


def _name(tag: int) -> str:
    return dictionary.keyword_of(tag) or tag_str(tag)
