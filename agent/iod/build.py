"""Building an instance: one way for all SOP Classes, and the table ``KINDS`` that tells them apart.

``build`` puts together what the patient's context, the pixel description and the acquisition say, lets the family of
the kind add its own Modules, fills in the type 2 Attributes nobody had a value for, and then has the result judged by
the same Module tables that ``modules.check`` walks. What the tables forbid never leaves this function.

How to add a SOP Class
    1. Add its IOD to ``IODS`` in scripts/gen_modules.py and run it: tables, usage and SOP Class UIDs are then known.
    2. Say in conditions.py and rules.py what the tables of its new Modules leave to prose.
    3. Write its composition (what only this family knows) in the module of its family, as ``ultrasound.compose``, or
       reuse one. It is named, not imported: a box that makes one family never loads the others.
    4. Add its row to ``KINDS``. The tests in tests/unit/iod and tests/peers walk ``KINDS`` and will ask for the rest.
    5. Add its key to ``SOP_CLASS_WORDS`` in agent/config/schema.py, so that a site can name it, and to
       ``MULTI_FRAME_WORDS`` where it holds several frames. Lists of their own, because the daemon reads its
       configuration without paying for these tables; a test compares the two. A fact that only the site knows becomes
       a key of ``[[source]]``, and an entry of ``KEYS`` in agent/acquire/exam.py, so that a refusal can ask for it.

Drops and the capture clock are carried where the Standard has a place for them: gaps in Frame Time Vector, the count
for people in Image Comments (0020,4000), and how spacing was measured in Contribution Description (0018,A003) of the
item of Contributing Equipment Sequence that names the agent (PS3.3 C.7.6.1, C.7.6.5, C.12.1).
"""

from __future__ import annotations

from importlib import import_module

from agent.dataset import dictionary, uid
from agent.dataset.dataset import DataSet
from agent.dataset.tag import is_private, tag_str
from agent.errors import IodError
from agent.iod import codes, conditions, image, modules, synchronization, syntaxes, tables
from agent.iod.acquisition import CineFacts
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.dataset.pixels import PixelDescription
    from agent.dataset.values import Value
    from agent.iod.acquisition import Acquisition

    Compose = Callable[[DataSet, PixelDescription, Acquisition], None]

CONTEXT_ENTITIES = "PSRFE"  # what a context may say: patient, study, series, frame of reference, equipment
CHARACTER_SET, LATERALITY = 0x00080005, 0x00200060
_ELSEWHERE = "Leave it out, or choose the SOP Class that it belongs to."
TIMES = ("InstanceCreation", "Acquisition", "Content")
UTF_8 = "ISO_IR 192"
MAX_COMPLAINTS = 20  # a message of more lines helps nobody


class Kind(NamedTuple):
    """One SOP Class we make.

    ``modality`` is written unless the context names another of ``modalities`` (empty: any). ``image_type`` is the
    default of Image Type. ``compose`` names the function that adds the Modules of the family, as module.function of
    this package. ``multi_frame`` says whether the IOD can hold several frames.
    """

    sop_class_uid: str
    modality: str
    modalities: tuple[str, ...]
    image_type: tuple[str, ...]
    multi_frame: bool
    compose: str

    @property
    def iod(self) -> str:
        """Key of the IOD in the generated tables."""
        return tables.SOP_CLASSES[self.sop_class_uid]


_PRIMARY = ("ORIGINAL", "PRIMARY")
_CAPTURED = ("DERIVED", "SECONDARY")
_DX = (*_PRIMARY, "")


def _kind(
    sop_class_uid: str,
    modality: str,
    compose: str,
    *,
    others: tuple[str, ...] = (),
    image_type: tuple[str, ...] = _PRIMARY,
    multi_frame: bool = False,
) -> Kind:
    return Kind(sop_class_uid, modality, (modality, *others), image_type, multi_frame, compose)


def _captured(sop_class_uid: str, compose: str, *, multi_frame: bool) -> Kind:
    """A secondary capture is of whatever modality its original is."""
    return Kind(sop_class_uid, "OT", (), _CAPTURED, multi_frame, compose)


KINDS: dict[str, Kind] = {
    "us": _kind(uid.US, "US", "ultrasound.compose", others=("IVUS",)),
    "us-mf": _kind(uid.US_MULTIFRAME, "US", "ultrasound.compose_cine", others=("IVUS",), multi_frame=True),
    "dx": _kind(uid.DX_PRESENTATION, "DX", "xray.compose_dx", image_type=_DX),
    "dx-processing": _kind(uid.DX_PROCESSING, "DX", "xray.compose_dx_processing", image_type=_DX),
    "cr": _kind(uid.CR, "CR", "xray.compose_cr"),
    "xa": _kind(uid.XA, "XA", "angiography.compose_xa", multi_frame=True),
    "xrf": _kind(uid.XRF, "RF", "angiography.compose_xrf", multi_frame=True),
    "sc": _captured(uid.SC, "capture.compose", multi_frame=False),
    "sc-mf-byte": _captured(uid.SC_MF_BYTE, "capture.compose_gray", multi_frame=True),
    "sc-mf-word": _captured(uid.SC_MF_WORD, "capture.compose_gray", multi_frame=True),
    "sc-mf-color": _captured(uid.SC_MF_COLOR, "capture.compose_color", multi_frame=True),
    "vl-endoscopic": _kind(uid.VL_ENDOSCOPIC, "ES", "visible.compose"),
    "vl-photo": _kind(uid.VL_PHOTOGRAPHIC, "XC", "visible.compose"),
}


def _family(row: Kind) -> Compose:
    """The composition of a kind; its module is loaded when the first instance of the family is made."""
    module, _, function = row.compose.partition(".")
    found: Compose = getattr(import_module(f"agent.iod.{module}"), function)
    return found


def build(kind: str, *, description: PixelDescription, context: DataSet, acquisition: Acquisition) -> DataSet:
    """Make the complete Data Set of one instance, without Pixel Data.

    ``context`` holds Attributes of patient, study, series and equipment (an empty one is an unscheduled exam).
    Text beyond ASCII brings Specific Character Set ISO_IR 192 unless the context names another.

    Raises:
        IodError: The kind is unknown, an Attribute stands where it may not, two sources contradict each other, or a
            Module table forbids the result (names tag, Module, table and type of each violation).
    """
    row = KINDS.get(kind)
    if row is None:
        raise IodError(f"no SOP Class is called {kind!r}; there are {', '.join(KINDS)}")
    syntaxes.require(acquisition.transfer_syntax_uid, description)
    if not row.multi_frame and acquisition.number_of_frames != 1:
        raise IodError(f"{kind} holds one frame, not {acquisition.number_of_frames}", tag=0x00280008)
    ds = identity(row, acquisition)
    ds.update(image.compose(description, acquisition, row.image_type))
    _family(row)(ds, description, acquisition)
    _known(row, ds)
    synchronization.add(ds, row.iod, acquisition)
    return finish(ds, row, context, acquisition)


def rehearse(kind: str, *, description: PixelDescription, context: DataSet, acquisition: Acquisition) -> None:
    """Raise what ``build`` would raise, before the first frame: a missing fact is no reason to lose an exposure.

    Frame fields are taken as if one frame had been captured; date and time may still be empty.
    """
    one = acquisition._replace(
        number_of_frames=1,
        frame_time_ms=0.0,
        frame_times_ms=None,
        cine=CineFacts(),
        date=acquisition.date or "19000101",
        time=acquisition.time or "000000",
    )
    build(kind, description=description, context=context, acquisition=one)


def finish(ds: DataSet, row: Kind, context: DataSet, acquisition: Acquisition) -> DataSet:
    """The common end of images and documents: context, attributes of the source, type 2, judgement; gives ``ds``.

    Raises:
        IodError: See ``build``.
    """
    _add(ds, _context(row, context), "the context")
    if acquisition.attributes is not None:
        _add(ds, _known(row, acquisition.attributes), "the attributes of the source")
    paired = LATERALITY in modules.tags_of(row.iod, "R")
    if paired and LATERALITY not in ds and "ImageLaterality" not in ds and codes.pairedness(ds) is None:
        ds[LATERALITY] = None  # nobody can say that the body part is not paired (PS3.3 C.7.3.1, type 2C)
    if CHARACTER_SET not in ds and conditions.beyond_ascii(ds, ds):
        ds[CHARACTER_SET] = UTF_8
    modules.complete(ds, row.iod)
    _refuse(modules.errors(modules.check(ds)))
    return ds


def _context(row: Kind, context: DataSet) -> DataSet:
    """Context after its check, with a Modality."""
    allowed = modules.tags_of(row.iod, CONTEXT_ENTITIES) | {CHARACTER_SET}
    for tag in context.tags():
        if tag not in allowed:
            raise IodError(
                f"{_name(tag)} does not belong to patient, study, series or equipment", tag=tag, hint=_ELSEWHERE
            )
    ds = context.copy()
    modality = ds.text("Modality")
    if not modality:
        ds["Modality"] = row.modality
    elif row.modalities and modality not in row.modalities:
        raise IodError(
            f"Modality {modality} is not one of {', '.join(row.modalities)}", tag=0x00080060, hint=_ELSEWHERE
        )
    return ds


def _known(row: Kind, attributes: DataSet) -> DataSet:
    known = modules.tags_of(row.iod, "PSRFEAI")
    for tag in attributes.tags():
        if tag not in known and not is_private(tag):
            raise IodError(f"{_name(tag)} is in no Module of this SOP Class", tag=tag, hint=_ELSEWHERE)
    return attributes


def _add(ds: DataSet, more: DataSet, source: str) -> None:
    """Merge; where both have a value it must be the same."""
    for element in more:
        have = ds.get(element.tag)
        if have is None:
            ds.set(element.tag, element.value, element.vr)
        elif element.value not in (None, "", have):
            both = f"{_shown(element.value)} and {_shown(have)}"
            hint = "Which one is right? Leave the other one out where it is said."
            raise IodError(
                f"{_name(element.tag)} of {source} contradicts the acquisition: {both}", tag=element.tag, hint=hint
            )


def _shown(value: Value) -> str:
    if isinstance(value, list) and not isinstance(value[0], DataSet):
        value = "\\".join(map(str, value))
    return str(value)[:64] if isinstance(value, str | int | float) else "something else"


def identity(row: Kind, acquisition: Acquisition, times: tuple[str, ...] = TIMES) -> DataSet:
    """SOP Common, study and series UIDs, and the moments (of ``TIMES``) that the IOD has."""
    made = DataSet()
    made["SOPClassUID"] = row.sop_class_uid
    made["SOPInstanceUID"] = acquisition.sop_instance_uid
    made["StudyInstanceUID"] = acquisition.study_instance_uid
    made["SeriesInstanceUID"] = acquisition.series_instance_uid
    made["InstanceNumber"] = acquisition.instance_number
    content = acquisition.date, acquisition.time
    for name in times:
        moment = acquisition.created or content if name == "InstanceCreation" else content
        made[f"{name}Date"], made[f"{name}Time"] = moment
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
    date, time = acquisition.created or (acquisition.date, acquisition.time)
    item["ContributionDateTime"] = f"{date}{time}{acquisition.timezone_offset}"
    text = "Captured and encoded as DICOM"
    if row.multi_frame:
        text += f"; frame spacing from a monotonic clock, frames dropped: {acquisition.frames_dropped}"
    item["ContributionDescription"] = f"{text}; {acquisition.remark}" if acquisition.remark else text
    return item


def _refuse(found: list[modules.Finding]) -> None:
    """Raise for all findings at once: a site that lacks three facts wants to hear of all three."""
    if not found:
        return
    more = [_complaint(finding) for finding in found[:MAX_COMPLAINTS]]
    if len(found) > MAX_COMPLAINTS:
        more.append(f"and {len(found) - MAX_COMPLAINTS} more")
    raise IodError("; ".join(more), tag=found[0].tag, tags=tuple(finding.tag for finding in found))


def _complaint(finding: modules.Finding) -> str:
    kind = f", type {finding.type}" if finding.type else ""
    where = f"{finding.module} Module, PS3.3 Table {finding.table}{kind}" if finding.table else finding.module
    return f"{_name(finding.tag)} {finding.text}: {where}"


def _name(tag: int) -> str:
    return dictionary.keyword_of(tag) or tag_str(tag)
