"""X-Ray Radiation Dose SR from exposure events (PS3.3 A.35.8; PS3.16 TID 10001 to 10004, 10007).

What a generator tells of each exposure becomes one Irradiation Event; what the Standard wants summed is summed here,
per plane, in exact decimal arithmetic, so that a total is the sum of what the report itself lists. A total of which one
summand is not known is not known: a sum that leaves out an exposure would be believed.

The report accumulates over its study. The observer is the device that made the exposures, not the agent: the agent is
in Contributing Equipment Sequence. Source, detector and mechanical data are available when one event has any of them,
because TID 10003 forbids what is said to be missing. What a template then demands of an event or a total and nobody
knows is written as a number whose value is unknown.
"""

from __future__ import annotations

from decimal import Context, Decimal
from hashlib import sha256

from agent.dataset import uid
from agent.errors import IodError
from agent.iod import content
from agent.iod.build import Kind, finish, identity
from agent.iod.codes import Code
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from agent.dataset.dataset import DataSet
    from agent.iod.acquisition import Acquisition
    from agent.iod.content import Fact, Item

KIND: Final = Kind("1.2.840.10008.5.1.4.1.1.88.67", "SR", ("SR",), (), multi_frame=False, compose="")
EXACT: Final = Context(prec=64)  # digits of a sum: more than summands of 16 digits and any unit need
MAX_EVENTS: Final = 10_000  # a long intervention has some hundred; an item takes about 4 KiB in memory

SINGLE_PLANE: Final = Code("113622", "DCM", "Single Plane")
BIPLANE: Final = (Code("113620", "DCM", "Plane A"), Code("113621", "DCM", "Plane B"))
FLUOROSCOPY: Final = Code("44491008", "SCT", "Fluoroscopy")
PULSED: Final = "113631"
MPPS_CONTENT: Final = "113858"
DIAGNOSTIC: Final = Code("261004008", "SCT", "Diagnostic Intent")
AUTOMATED: Final = Code("113856", "DCM", "Automated Data Collection")
_YES, _NO = Code("373066001", "SCT", "Yes"), Code("373067005", "SCT", "No")
_REPORT: Final = Code("113701", "DCM", "X-Ray Radiation Dose Report")
_ACCUMULATED: Final = Code("113702", "DCM", "Accumulated X-Ray Dose Data")
_EVENT: Final = Code("113706", "DCM", "Irradiation Event X-Ray Data")

TID_10001 = content.rows("""\
m|CODE|DCM:121049|Language of Content Item and Descendants|language|M
m|CODE|DCM:121058|Procedure reported|procedure|M
>m|CODE|SCT:363703001|Has Intent|intent|M
o|CODE|DCM:121005|Observer Type|observer|M
o|UIDREF|DCM:121012|Device Observer UID|device_uid|M
o|TEXT|DCM:121013|Device Observer Name|device_name
o|TEXT|DCM:121014|Device Observer Manufacturer|manufacturer
o|TEXT|DCM:121015|Device Observer Model Name|model
o|TEXT|DCM:121016|Device Observer Serial Number|serial_number
o|TEXT|DCM:121017|Device Observer Physical Location During Observation|location
o|CODE|DCM:113876|Device Role in Procedure|role
o|CODE|DCM:113705|Scope of Accumulation|scope|M
>p|UIDREF|DCM:110180|Study Instance UID|study_uid|M
c|CODE|DCM:113945|X-Ray Detector Data Available|detector_data|M
c|CODE|DCM:113943|X-Ray Source Data Available|source_data|M
c|CODE|DCM:113944|X-Ray Mechanical Data Available|mechanical_data|M""")
TID_10001_END = content.rows("""\
c|TEXT|DCM:121106|Comment|comment
c|CODE|DCM:113854|Source of Dose Information|source|M""")
# with TID 10007 and TID 10004
TID_10002 = content.rows("""\
m|CODE|DCM:113764|Acquisition Plane|plane|M
c|NUM|DCM:113722|Dose Area Product Total|dose_area_product|Gy.m2|M
c|NUM|DCM:113725|Dose (RP) Total|dose_rp|Gy
c|CODE|DCM:113780|Reference Point Definition|reference_point
c|TEXT|DCM:113780|Reference Point Definition|reference_text
c|NUM|DCM:113726|Fluoro Dose Area Product Total|fluoro_dose_area_product|Gy.m2
c|NUM|DCM:113728|Fluoro Dose (RP) Total|fluoro_dose_rp|Gy
c|NUM|DCM:113730|Total Fluoro Time|fluoro_irradiation_duration|s
c|NUM|DCM:113727|Acquisition Dose Area Product Total|acquisition_dose_area_product|Gy.m2
c|NUM|DCM:113729|Acquisition Dose (RP) Total|acquisition_dose_rp|Gy
c|NUM|DCM:113855|Total Acquisition Time|acquisition_irradiation_duration|s
c|NUM|DCM:113731|Total Number of Radiographic Frames|frames|1""")
TID_10003 = content.rows("""\
m|CODE|DCM:113764|Acquisition Plane|plane|M
c|UIDREF|DCM:113769|Irradiation Event UID|uid|M
c|DATETIME|DCM:111526|DateTime Started|started|M
c|CODE|DCM:113721|Irradiation Event Type|type|M
c|TEXT|DCM:125203|Acquisition Protocol|acquisition_protocol
c|CODE|DCM:123014|Target Region|target_region|M
>m|CODE|SCT:272741003|Laterality|laterality
c|NUM|DCM:122130|Dose Area Product|dose_area_product|Gy.m2|M
c|TEXT|DCM:121106|Comment|comment""")
# of the detector
TID_10003A = content.rows("""\
c|NUM|DCM:113845|Exposure Index|exposure_index|1
c|NUM|DCM:113846|Target Exposure Index|target_exposure_index|1
c|NUM|DCM:113847|Deviation Index|deviation_index|1""")
# of the source
TID_10003B = content.rows("""\
c|NUM|DCM:113738|Dose (RP)|dose_rp|Gy
c|CODE|DCM:113780|Reference Point Definition|reference_point
c|TEXT|DCM:113780|Reference Point Definition|reference_text
c|CODE|DCM:113732|Fluoro Mode|fluoro_mode
c|NUM|DCM:113791|Pulse Rate|pulse_rate|{pulse}/s
c|NUM|DCM:113768|Number of Pulses|number_of_pulses|1
c|NUM|DCM:113742|Irradiation Duration|irradiation_duration|s
c|NUM|DCM:113733|KVP|kvp|kV
c|NUM|DCM:113734|X-Ray Tube Current|tube_current|mA
c|NUM|DCM:113824|Exposure Time|exposure_time|ms
c|NUM|DCM:113793|Pulse Width|pulse_width|ms
c|NUM|DCM:113736|Exposure|exposure|uA.s
c|NUM|DCM:113766|Focal Spot Size|focal_spot|mm
c|CONTAINER|DCM:113771|X-Ray Filters|
>c|CODE|DCM:113772|X-Ray Filter Type|filter_type
>c|CODE|DCM:113757|X-Ray Filter Material|filter_material
>c|NUM|DCM:113758|X-Ray Filter Thickness Minimum|filter_minimum|mm
>c|NUM|DCM:113773|X-Ray Filter Thickness Maximum|filter_maximum|mm""")
# of the mechanics
TID_10003C = content.rows("""\
c|NUM|DCM:112011|Positioner Primary Angle|primary_angle|deg
c|NUM|DCM:112012|Positioner Secondary Angle|secondary_angle|deg
c|NUM|DCM:113748|Distance Source to Isocenter|source_isocenter|mm
c|NUM|DCM:113737|Distance Source to Reference Point|source_reference_point|mm
c|NUM|DCM:113750|Distance Source to Detector|source_detector|mm""")
EVENT_ROWS: Final = TID_10003 + TID_10003A + TID_10003B + TID_10003C


class Event(NamedTuple):
    """One irradiation event, in the units of TID 10003; what is None is not known."""

    uid: str
    started: str  # DT
    type: Code  # CID 10002
    target_region: Code  # CID 4031
    plane: Code = SINGLE_PLANE
    laterality: Code | None = None
    acquisition_protocol: str | None = None
    dose_area_product: Decimal | None = None  # Gy.m2
    dose_rp: Decimal | None = None  # Gy, at the reference point
    reference_point: Code | None = None  # CID 10025
    fluoro_mode: Code | None = None  # CID 10004
    pulse_rate: Decimal | None = None
    number_of_pulses: Decimal | None = None
    pulse_width: Decimal | None = None  # ms
    irradiation_duration: Decimal | None = None  # s, by the clock
    kvp: Decimal | None = None
    tube_current: Decimal | None = None  # mA
    exposure_time: Decimal | None = None  # ms of radiation
    exposure: Decimal | None = None  # uA.s
    focal_spot: Decimal | None = None
    filter_type: Code | None = None
    filter_material: Code | None = None
    filter_minimum: Decimal | None = None
    filter_maximum: Decimal | None = None
    exposure_index: Decimal | None = None
    target_exposure_index: Decimal | None = None
    deviation_index: Decimal | None = None
    primary_angle: Decimal | None = None
    secondary_angle: Decimal | None = None
    source_isocenter: Decimal | None = None
    source_reference_point: Decimal | None = None
    source_detector: Decimal | None = None
    comment: str | None = None


class Device(NamedTuple):
    """What made the exposures; the first four are type 1 in Enhanced General Equipment (PS3.3 C.7.5.2)."""

    manufacturer: str
    model: str
    serial_number: str
    software_versions: str
    uid: str = ""
    name: str = ""
    location: str = ""

    def observer_uid(self) -> str:
        """Its UID, or one under 2.25 that is always the same for this manufacturer, model and serial number."""
        if self.uid:
            return self.uid
        digest = sha256("\n".join((self.manufacturer, self.model, self.serial_number)).encode()).digest()
        bits = int.from_bytes(digest[:16], "big") & ~(0xF << 76) & ~(0x3 << 62)
        return uid.uid_from_int128(bits | 0x8 << 76 | 0x2 << 62)  # version 8: made by the application


class DoseReport(NamedTuple):
    """The exposures of one study by one device."""

    events: tuple[Event, ...]
    device: Device
    intent: Code = DIAGNOSTIC  # CID 3629
    source: Code = AUTOMATED  # CID 10020
    comment: str = ""


def build(report: DoseReport, *, context: DataSet, acquisition: Acquisition) -> DataSet:
    """Make the complete Data Set of a dose report; ``context`` and ``acquisition`` as for images.

    Raises:
        IodError: There is no event, one lacks what is mandatory, or a Module table forbids the result.
    """
    if not 1 <= len(report.events) <= MAX_EVENTS:
        raise IodError(f"a dose report has 1 to {MAX_EVENTS} exposure events, not {len(report.events)}")
    for number, event in enumerate(report.events, 1):
        if event.dose_rp is not None and event.reference_point is None:
            raise IodError(f"event {number} has a dose at the reference point and does not say where that is")
    ds = identity(KIND, acquisition, ("InstanceCreation", "Content"))
    device = report.device
    ds["Manufacturer"] = device.manufacturer
    ds["ManufacturerModelName"] = device.model
    ds["DeviceSerialNumber"] = device.serial_number
    ds["SoftwareVersions"] = device.software_versions
    ds["CompletionFlag"] = "COMPLETE"
    ds["VerificationFlag"] = "UNVERIFIED"
    ds.update(content.root(_REPORT, "10001", _tree(report, acquisition.study_instance_uid)))
    return finish(ds, KIND, context, acquisition)


def totals(plane: Code, report: DoseReport) -> dict[str, Fact | None]:
    """What TID 10002 wants of the events of one plane; None for a total that nobody can know.

    Where nothing was measured but copied from MPPS, what is not known is not said at all.
    """
    listed = [event for event in report.events if event.plane.value == plane.value]
    fluoroscopy = [event for event in listed if event.type.value == FLUOROSCOPY.value]
    acquisition = [event for event in listed if event.type.value != FLUOROSCOPY.value]
    points = {event.reference_point for event in listed if event.dose_rp is not None}
    found: dict[str, Fact | None] = {"dose_rp": _sum(listed, "dose_rp")}
    for name, group in (("fluoro", fluoroscopy), ("acquisition", acquisition)):
        if name == "acquisition" or any(event.type.value == FLUOROSCOPY.value for event in report.events):
            for key in ("dose_area_product", "dose_rp", "irradiation_duration"):
                found[f"{name}_{key}"] = _sum(group, key)
    if len(points) > 1:  # doses at different points do not add up
        found.update(dict.fromkeys([key for key in found if key.endswith("dose_rp")]))
    if not _is_measured(report):
        found = {key: value for key, value in found.items() if value is not None}
    found |= {"plane": plane, "dose_area_product": _sum(listed, "dose_area_product")}
    frames = _sum(acquisition, "number_of_pulses") if acquisition else None
    if frames is not None:
        found["frames"] = frames
    if any(key.endswith("dose_rp") for key in found):
        found |= _reference(points)
    return found


def _reference(points: set[Code | None]) -> dict[str, Fact | None]:
    """Where doses are meant; a template wants to know even where nobody does."""
    if len(points) == 1:
        return {"reference_point": next(iter(points))}
    return {"reference_text": "Not the same for all events" if points else "Not known"}


def _sum(events: list[Event], key: str) -> Decimal | None:
    """The exact sum of one quantity; None where one event does not have it."""
    total = Decimal(0)
    for event in events:
        value = getattr(event, key)
        if value is None:
            return None
        total = EXACT.add(total, value)
    return total


def _tree(report: DoseReport, study_uid: str) -> tuple[Item, ...]:
    planes = {event.plane.value: event.plane for event in report.events}
    if any(plane.value in planes for plane in BIPLANE):  # each is accumulated, whether it was used or not
        planes |= {plane.value: plane for plane in BIPLANE}
    items = list(content.fill(TID_10001, _head(report, study_uid)))
    items += [
        content.container(_ACCUMULATED, content.fill(TID_10002, totals(plane, report))) for plane in planes.values()
    ]
    wants_source = _is_available(report, TID_10003B)
    for event in report.events:
        known = {key: value for key, value in event._asdict().items() if value is not None}
        wanted = _wanted(event, measured=_is_measured(report)) if wants_source else {}
        items.append(content.container(_EVENT, content.fill(EVENT_ROWS, wanted | known)))
    return (*items, *content.fill(TID_10001_END, _given({"comment": report.comment, "source": report.source})))


def _wanted(event: Event, *, measured: bool) -> dict[str, Fact | None]:
    """Rows that TID 10003B demands of this event; the value of those that are not known stays None."""
    keys = ["kvp"]
    if measured or event.dose_rp is not None:
        keys.append("dose_rp")
    if event.exposure is None:
        keys += ["tube_current", "exposure_time"]
    if event.fluoro_mode is None or event.fluoro_mode.value == PULSED:
        keys.append("number_of_pulses")
    if event.fluoro_mode is not None and event.fluoro_mode.value == PULSED:
        keys.append("pulse_rate")
    reference = _reference({event.reference_point} - {None}) if "dose_rp" in keys else {}
    return dict.fromkeys(keys) | reference


def _head(report: DoseReport, study_uid: str) -> dict[str, Fact | None]:
    device = report.device
    return _given(
        {
            "language": Code("en", "RFC5646", "English"),
            "procedure": Code("113704", "DCM", "Projection X-Ray"),
            "intent": report.intent,
            "observer": Code("121007", "DCM", "Device"),
            "device_uid": device.observer_uid(),
            "device_name": device.name,
            "manufacturer": device.manufacturer,
            "model": device.model,
            "serial_number": device.serial_number,
            "location": device.location,
            "role": Code("113859", "DCM", "Irradiating Device"),
            "scope": Code("113014", "DCM", "Study"),
            "study_uid": study_uid,
            "detector_data": _YES if _is_available(report, TID_10003A) else _NO,
            "source_data": _YES if _is_available(report, TID_10003B) else _NO,
            "mechanical_data": _YES if _is_available(report, TID_10003C) else _NO,
        }
    )


def _is_measured(report: DoseReport) -> bool:
    return report.source.value != MPPS_CONTENT


def _is_available(report: DoseReport, template: tuple[content.Row, ...]) -> bool:
    """Whether an event has anything that the template has a row for."""
    keys = [row.key for row in template if row.key in Event._fields]
    return any(getattr(event, key) is not None for event in report.events for key in keys)


def _given(facts: dict[str, Fact | None]) -> dict[str, Fact | None]:
    return {key: value for key, value in facts.items() if value not in (None, "")}
