"""Exposure events as a generator or a person writes them down, in JSON, into the facts of a dose report.

    {"device": {"manufacturer": "...", "model": "...", "serial_number": "...", "software_versions": "..."},
     "intent": "Diagnostic Intent", "source": "Automated Data Collection", "comment": "",
     "events": [{"started": "20260301101500", "type": "Stationary Acquisition", "target_region": "CHEST",
                 "dose_area_product_dgycm2": 1.25, "kvp": 110, "tube_current_ma": 320, "exposure_time_ms": 6.2}]}

A quantity has its unit in its name, and one unit only: ``QUANTITIES`` lists what there is and by what it is multiplied
into the unit of TID 10003. Numbers are taken as they are written, digit by digit. Codes are named by code value or
meaning, any case. What is not known here is refused by name: a misspelt dose must not be a missing one. So is what
is beyond any irradiation (``BOUNDS``), because then a number stands under the name of another unit.
"""

from __future__ import annotations

from decimal import Decimal

from agent.errors import IodError
from agent.iod import codes
from agent.iod.codes import Code
from agent.iod.dose_report import EXACT, MAX_EVENTS, Device, DoseReport, Event
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_DIGITS: Final = 16  # of a number: what a DS can hold
MAX_EXPONENT: Final = 30

# name in JSON -> quantity of Event, factor into its unit
QUANTITIES: Final[dict[str, tuple[str, str]]] = {
    "dose_area_product_gym2": ("dose_area_product", "1"),
    "dose_area_product_dgycm2": ("dose_area_product", "1E-5"),
    "dose_area_product_cgycm2": ("dose_area_product", "1E-6"),
    "dose_area_product_ugym2": ("dose_area_product", "1E-6"),
    "dose_area_product_mgycm2": ("dose_area_product", "1E-7"),
    "dose_rp_gy": ("dose_rp", "1"),
    "dose_rp_mgy": ("dose_rp", "1E-3"),
    "dose_rp_ugy": ("dose_rp", "1E-6"),
    "kvp": ("kvp", "1"),
    "tube_current_ma": ("tube_current", "1"),
    "tube_current_ua": ("tube_current", "1E-3"),
    "exposure_time_ms": ("exposure_time", "1"),
    "exposure_time_us": ("exposure_time", "1E-3"),
    "exposure_time_s": ("exposure_time", "1E3"),
    "exposure_uas": ("exposure", "1"),
    "exposure_mas": ("exposure", "1E3"),
    "irradiation_duration_s": ("irradiation_duration", "1"),
    "irradiation_duration_ms": ("irradiation_duration", "1E-3"),
    "pulse_rate_hz": ("pulse_rate", "1"),
    "pulse_width_ms": ("pulse_width", "1"),
    "number_of_pulses": ("number_of_pulses", "1"),
    "focal_spot_mm": ("focal_spot", "1"),
    "filter_minimum_mm": ("filter_minimum", "1"),
    "filter_maximum_mm": ("filter_maximum", "1"),
    "exposure_index": ("exposure_index", "1"),
    "target_exposure_index": ("target_exposure_index", "1"),
    "deviation_index": ("deviation_index", "1"),
    "primary_angle_degrees": ("primary_angle", "1"),
    "secondary_angle_degrees": ("secondary_angle", "1"),
    "distance_source_to_isocenter_mm": ("source_isocenter", "1"),
    "distance_source_to_reference_point_mm": ("source_reference_point", "1"),
    "distance_source_to_detector_mm": ("source_detector", "1"),
}
# quantity of Event -> largest size in its unit, unit. Far above what was ever measured in one event, and below what
# comes out where the unit of the number is a thousand times smaller than its name says (V for kV, mGy for Gy).
BOUNDS: Final[dict[str, tuple[int, str]]] = {
    "dose_area_product": (1, "Gy.m2"),  # the longest interventions together reach some tenths
    "dose_rp": (100, "Gy"),  # skin is lost at 20
    "kvp": (1000, "kV"),  # tubes for patients end at 150, for therapy at 450
    "tube_current": (10_000, "mA"),  # rotating anodes end at 2000
    "exposure_time": (86_400_000, "ms"),  # a day
    "irradiation_duration": (86_400, "s"),
    "exposure": (1_000_000_000, "uA.s"),  # 10 mA for a day
    "pulse_rate": (1000, "Hz"),  # cameras end at 120
    "pulse_width": (60_000, "ms"),  # a pulse of a minute is none
    "number_of_pulses": (100_000_000, "pulses"),  # a day at the highest rate
    "focal_spot": (100, "mm"),
    "filter_minimum": (1000, "mm"),
    "filter_maximum": (1000, "mm"),
    "exposure_index": (100_000_000, "units"),  # 1 Gy at the detector (IEC 62494-1)
    "target_exposure_index": (100_000_000, "units"),
    "deviation_index": (100, "units"),  # ten powers of ten from the target
    "primary_angle": (360, "degrees"),
    "secondary_angle": (360, "degrees"),
    "source_isocenter": (100_000, "mm"),  # 100 m: no room is larger
    "source_reference_point": (100_000, "mm"),
    "source_detector": (100_000, "mm"),
}
_WHOLE: Final = frozenset({"number_of_pulses"})
_SIGNED: Final = frozenset({"deviation_index", "primary_angle", "secondary_angle"})

# CID 10006, 10007, 10025: scheme:code|meaning
FILTER_MATERIALS: Final = """\
SCT:66925006|Copper
SCT:12503006|Aluminum
SCT:71128006|Molybdenum
SCT:59801003|Rhodium
SCT:41967008|Silver
SCT:88488004|Lead
SCT:45215009|Tantalum
SCT:767776000|Niobium
SCT:767775001|Europium
SCT:12597001|Tin"""
FILTER_TYPES: Final = """\
DCM:113650|Strip filter
DCM:113651|Wedge filter
DCM:113652|Butterfly filter
DCM:113653|Flat filter
DCM:111609|No filter"""
REFERENCE_POINTS: Final = """\
DCM:113860|15cm from Isocenter toward Source
DCM:113861|30cm in Front of Image Input Surface
DCM:113862|1cm above Tabletop
DCM:113863|30cm above Tabletop
DCM:113864|15cm from Table Centerline
DCM:113941|In Detector Plane
DCM:113964|At Surface of Patient
DCM:113965|100cm from X-Ray Source"""


def _group(*cids: int) -> Callable[[str], Code]:
    return lambda name: codes.concept(name, *cids)


def _listed(table: str) -> Callable[[str], Code]:
    def find(name: str) -> Code:
        for line in table.splitlines():
            concept, meaning = line.split("|")
            scheme, value = concept.split(":")
            if name.strip().upper() in {value, meaning.upper()}:
                return Code(value, scheme, meaning)
        known = ", ".join(line.split("|")[1] for line in table.splitlines())
        raise IodError(f"{name!r} is none of {known}", hint=_HINT)

    return find


_CODES: Final[dict[str, Callable[[str], Code]]] = {
    "type": _group(10002),
    "target_region": lambda name: codes.anatomy(name).code,
    "plane": _group(10003),
    "laterality": lambda name: codes.concept({"R": "Right", "L": "Left", "B": "Bilateral"}.get(name, name), 244),
    "fluoro_mode": _group(10004),
    "reference_point": _listed(REFERENCE_POINTS),
    "filter_type": _listed(FILTER_TYPES),
    "filter_material": _listed(FILTER_MATERIALS),
}
_TEXTS: Final = frozenset({"uid", "started", "acquisition_protocol", "comment"})
_VALUE_HINT: Final = "Correct it in the file, or in what wrote the file."
_HINT: Final = "Keys of an event: " + ", ".join((*sorted(_TEXTS), *_CODES, *QUANTITIES)) + "."
_MANDATORY: Final = ("started", "type", "target_region")
_REPORT: Final = frozenset({"device", "events", "intent", "source", "comment"})


def read(found: object, new_uid: Callable[[], str]) -> DoseReport:
    """The facts of a dose report from parsed JSON (``parse_float=Decimal`` keeps every digit).

    Args:
        found: What was parsed.
        new_uid: Gives a UID to each event that brings none.

    Raises:
        IodError: A key is unknown, missing or of the wrong kind; names the event and the key.
    """
    if not isinstance(found, dict) or not isinstance(found.get("events"), list):
        raise IodError('exposure events are an object with an array "events"', hint=_HINT)
    _refuse_unknown(found, _REPORT, "the report")
    listed = found["events"]
    if not 1 <= len(listed) <= MAX_EVENTS:
        raise IodError(f"a dose report has 1 to {MAX_EVENTS} exposure events, not {len(listed)}", hint=_VALUE_HINT)
    events = tuple(_event(one, f"event {number}", new_uid) for number, one in enumerate(listed, 1))
    _refuse_same(listed)
    report = DoseReport(events, _device(found.get("device")), comment=_text(found.get("comment", ""), "comment"))
    if "intent" in found:
        report = report._replace(intent=codes.concept(_text(found["intent"], "intent"), 3629))
    if "source" in found:
        report = report._replace(source=codes.concept(_text(found["source"], "source"), 10020))
    return report


def _device(found: object) -> Device:
    if not isinstance(found, dict):
        raise IodError('"device" is missing: it says what made the exposures', hint=_HINT)
    _refuse_unknown(found, frozenset(Device._fields), "device")
    texts = {key: _text(value, f"device {key}") for key, value in found.items()}
    missing = [key for key in Device._fields[:4] if not texts.get(key)]
    if missing:
        raise IodError(f"device lacks {', '.join(missing)} (PS3.3 C.7.5.2, type 1)", hint=_HINT)
    return Device(**texts)


def _event(found: object, where: str, new_uid: Callable[[], str]) -> Event:
    if not isinstance(found, dict):
        raise IodError(f"{where} is no object", hint=_HINT)
    _refuse_unknown(found, _TEXTS | _CODES.keys() | QUANTITIES.keys(), where)
    missing = [key for key in _MANDATORY if not found.get(key)]
    if missing:
        raise IodError(f"{where} lacks {', '.join(missing)} (PS3.16 TID 10003)", hint=_HINT)
    values: dict[str, Any] = {}
    for key, value in found.items():
        if key in _TEXTS:
            values[key] = _text(value, f"{where} {key}")
        elif key in _CODES:
            values[key] = _code(key, value, where)
        else:
            name, factor = QUANTITIES[key]
            if name in values:
                raise IodError(f"{where} says {name} twice", hint=_HINT)
            values[name] = _quantity(value, name, factor, f"{where} {key}")
    values.setdefault("uid", "")
    return Event(**{**values, "uid": values["uid"] or new_uid()})


def _code(key: str, value: object, where: str) -> Code:
    try:
        return _CODES[key](_text(value, key))
    except IodError as error:
        raise IodError(f"{where} {key}: {error.message}", hint=_HINT) from None


def _quantity(value: object, name: str, factor: str, where: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise IodError(f"{where} is no number", hint=_VALUE_HINT)
    number = Decimal(value) if isinstance(value, int) else Decimal(str(value))
    if not number.is_finite() or len(number.as_tuple().digits) > MAX_DIGITS or abs(number.adjusted()) > MAX_EXPONENT:
        raise IodError(f"{where} is no number of at most {MAX_DIGITS} digits", hint=_VALUE_HINT)
    if number < 0 and name not in _SIGNED:
        raise IodError(f"{where} is negative", hint=_VALUE_HINT)
    if name in _WHOLE and number != number.to_integral_value():
        raise IodError(f"{where} is no whole number", hint=_VALUE_HINT)
    number = EXACT.multiply(number, Decimal(factor))
    limit, unit = BOUNDS[name]
    if abs(number) > limit:
        hint = "The name of a quantity has its unit in it; give the number in that unit."
        raise IodError(f"{where} is beyond {limit} {unit}, which no exposure reaches", hint=hint)
    return number


def _refuse_same(listed: list[Any]) -> None:
    """Refuse events with one UID: readers would count them once (PS3.16 TID 10003)."""
    seen: dict[object, int] = {}
    for number, event in enumerate(listed, 1):
        if event.get("uid") and seen.setdefault(event["uid"], number) != number:
            raise IodError(f"event {number} has the uid of event {seen[event['uid']]}", hint=_VALUE_HINT)


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise IodError(f"{where} is no text", hint=_VALUE_HINT)
    return value


def _refuse_unknown(found: dict[str, Any], known: frozenset[str], where: str) -> None:
    import difflib

    for key in found:
        if key not in known:
            close = difflib.get_close_matches(key, known, 1)
            more = f"; did you mean {close[0]}?" if close else ""
            raise IodError(f"{where} has an unknown key {key!r}{more}", hint=_HINT)
