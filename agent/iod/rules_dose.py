"""What PS3.3 and PS3.16 demand of an X-Ray Radiation Dose SR; rules.py says what a rule is.

A report is walked item by item: value types and relationships are those of its IOD (PS3.3 Table A.35.8-2), references
are by value. Below the root of a projection X-ray report stand the rows of TID 10001, 10002 with 10004, 10006 and
10007, 10003 with 10003A to C, and of TID 1002. A row here is the concept of its container, a test of what the report
says elsewhere (None: always), and the concept that must then be there; every name is that of the code in PS3.16.

Sources: PS3.3 A.35.8.3.1; PS3.16 2024c TID 1002 to 1004, 10001 to 10007.
"""

from __future__ import annotations

from agent.iod.conditions import first
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.dataset.dataset import DataSet
    from agent.iod.rules import Complaint, Rule

    Test = Callable[["Said", frozenset[str]], bool]

CONTENT, VALUE_TYPE, RELATIONSHIP, CONCEPT_NAME = 0x0040A730, 0x0040A040, 0x0040A010, 0x0040A043
VALUE = 0x0040A168

# Source, relationship -> targets (PS3.3 Table A.35.8-2); "" is any source.
_SAYING = ("TEXT", "CODE", "NUM")
_PLAIN = ("TEXT", "CODE", "NUM", "DATETIME", "UIDREF", "PNAME")
_ANY = (*_PLAIN, "IMAGE", "COMPOSITE", "CONTAINER")
ALLOWED: dict[tuple[str, str], tuple[str, ...]] = {
    ("CONTAINER", "CONTAINS"): _ANY,
    ("CONTAINER", "HAS OBS CONTEXT"): ("DATETIME", "CODE", "TEXT", "UIDREF", "PNAME", "CONTAINER"),
    **{(source, "HAS OBS CONTEXT"): (*_PLAIN, "COMPOSITE") for source in _SAYING},
    **{(source, "HAS ACQ CONTEXT"): (*_PLAIN, "CONTAINER") for source in ("CONTAINER", "IMAGE", "COMPOSITE")},
    ("", "HAS CONCEPT MOD"): ("TEXT", "CODE"),
    **{(source, "HAS PROPERTIES"): _ANY for source in _SAYING},
    ("PNAME", "HAS PROPERTIES"): ("TEXT", "CODE", "DATETIME", "UIDREF", "PNAME"),
    **{(source, "INFERRED FROM"): tuple(t for t in _ANY if t != "PNAME") for source in _SAYING},
}

_REPORT, _ACCUMULATED, _EVENT, _SCOPE = "113701", "113702", "113706", "113705"
_PROJECTION, _FLUOROSCOPY, _PULSED, _YES = "113704", "44491008", "113631", "373066001"
_GUIDED, _INTEGRATED, _CASSETTE = "113957", "113958", "113959"
_MPPS = "113858"
_NO_EVENTS = frozenset({_MPPS, "113866", "113867"})  # sources of dose that need no events (TID 10001 row 14)
_DOSES_AT_POINT = frozenset({"113725", "113728", "113729"})


class Said(NamedTuple):
    """What the report says at its top, and of the container that is asked about."""

    device: str  # Acquisition Device Type
    sources: frozenset[str]  # of dose
    available: frozenset[str]  # of 113945 detector, 113943 source: those that are not denied
    fluoroscopy: bool  # in one event
    values: dict[str, str]  # concept -> code, of the container


def _measured(said: Said, _below: frozenset[str]) -> bool:
    return bool(said.sources - {_MPPS})


def _both(*tests: Test) -> Test:
    return lambda said, below: all(test(said, below) for test in tests)


def _guided(said: Said, _below: frozenset[str]) -> bool:
    return said.device in {"", _GUIDED}


def _whole(said: Said, _below: frozenset[str]) -> bool:
    return said.device in {"", _GUIDED, _INTEGRATED}


def _fluoroscopic(said: Said, below: frozenset[str]) -> bool:
    return said.fluoroscopy and _guided(said, below)


def _cassette(said: Said, _below: frozenset[str]) -> bool:
    return said.device == _CASSETTE and "113945" in said.available


def _source(said: Said, _below: frozenset[str]) -> bool:
    return "113943" in said.available


def _pulses(said: Said, _below: frozenset[str]) -> bool:
    return said.values.get("113732", _PULSED) == _PULSED


def _pulsed(said: Said, _below: frozenset[str]) -> bool:
    return said.values.get("113732") == _PULSED


def _without_exposure(_said: Said, below: frozenset[str]) -> bool:
    return "113736" not in below


# Container, test, concept, its name, template.
ROWS: tuple[tuple[str, Test | None, str, str, str], ...] = (
    (_REPORT, None, "121058", "Procedure reported", "10001"),
    (_REPORT, None, _SCOPE, "Scope of Accumulation", "10001"),
    (_REPORT, None, "113854", "Source of Dose Information", "10001"),
    (_REPORT, lambda _said, below: "121005" not in below, "121008", "Person Observer Name", "1002"),
    (_REPORT, lambda said, _below: said.values.get("121005") == "121006", "121008", "Person Observer Name", "1003"),
    (_REPORT, lambda said, _below: said.values.get("121005") == "121007", "121012", "Device Observer UID", "1004"),
    (_REPORT, None, _ACCUMULATED, "Accumulated X-Ray Dose Data", "10001"),
    (_REPORT, lambda said, _: not said.sources & _NO_EVENTS, _EVENT, "Irradiation Event X-Ray Data", "10001"),
    ("121058", None, "363703001", "Has Intent", "10001"),
    (_ACCUMULATED, None, "113764", "Acquisition Plane", "10002"),
    (_ACCUMULATED, _whole, "113722", "Dose Area Product Total", "10007"),
    (_ACCUMULATED, _both(_whole, _measured), "113725", "Dose (RP) Total", "10007"),
    (
        _ACCUMULATED,
        _both(_whole, lambda _said, below: bool(below & _DOSES_AT_POINT)),
        "113780",
        "Reference Point Definition",
        "10007",
    ),
    (_ACCUMULATED, _fluoroscopic, "113726", "Fluoro Dose Area Product Total", "10004"),
    (_ACCUMULATED, _both(_fluoroscopic, _measured), "113728", "Fluoro Dose (RP) Total", "10004"),
    (_ACCUMULATED, _fluoroscopic, "113730", "Total Fluoro Time", "10004"),
    (_ACCUMULATED, _both(_guided, _measured), "113727", "Acquisition Dose Area Product Total", "10004"),
    (_ACCUMULATED, _both(_guided, _measured), "113729", "Acquisition Dose (RP) Total", "10004"),
    (_ACCUMULATED, _both(_guided, _measured), "113855", "Total Acquisition Time", "10004"),
    (_ACCUMULATED, _cassette, "113947", "Detector Type", "10006"),
    (_ACCUMULATED, _cassette, "113731", "Total Number of Radiographic Frames", "10006"),
    (_EVENT, None, "113764", "Acquisition Plane", "10003"),
    (_EVENT, None, "113769", "Irradiation Event UID", "10003"),
    (_EVENT, None, "111526", "DateTime Started", "10003"),
    (_EVENT, None, "113721", "Irradiation Event Type", "10003"),
    (_EVENT, None, "123014", "Target Region", "10003"),
    (_EVENT, None, "122130", "Dose Area Product", "10003"),
    (_EVENT, _both(_source, _measured), "113738", "Dose (RP)", "10003B"),
    (_EVENT, lambda _said, below: "113738" in below, "113780", "Reference Point Definition", "10003B"),
    (_EVENT, _both(_source, _pulsed), "113791", "Pulse Rate", "10003B"),
    (_EVENT, _both(_source, _pulses), "113768", "Number of Pulses", "10003B"),
    (_EVENT, _source, "113733", "KVP", "10003B"),
    (_EVENT, _both(_source, _without_exposure), "113734", "X-Ray Tube Current", "10003B"),
    (_EVENT, _both(_source, _without_exposure), "113824", "Exposure Time", "10003B"),
)
# Earlier editions name these rows by another code; what they wrote stays right.
FORMER = {"113824": "113735"}
# Rows of TID 10003A to C that stand nowhere when the data are said not to be available.
DENIED: dict[str, frozenset[str]] = {
    "113945": frozenset({"113845", "113846", "113847", "113795"}),
    "113943": frozenset(
        {
            *("113738", "113732", "113791", "113768", "113793", "113742", "113733"),
            *("113734", "113767", "113824", "113735", "113736", "113766", "113771"),
        }
    ),
    "113944": frozenset(
        {
            *("112011", "112012", "113739", "113740", "113770", "113754"),
            *("113755", "113756", "113748", "113737", "113750"),
        }
    ),
}


def dose_flags(ds: DataSet) -> Iterator[Complaint]:
    """A dose report is complete (A.35.8.3.1.4)."""
    if first(ds, 0x0040A491) not in {"COMPLETE", None}:
        yield 0x0040A491, "must be COMPLETE"


def dose_root(ds: DataSet) -> Iterator[Complaint]:
    """The root is a titled container (C.17.3)."""
    if first(ds, VALUE_TYPE) not in {"CONTAINER", None}:
        yield VALUE_TYPE, "must be CONTAINER at the root"
    if not ds.items_of(CONCEPT_NAME):
        yield CONCEPT_NAME, "must be present at the root"


def dose_relations(ds: DataSet) -> Iterator[Complaint]:
    """Items relate by value, and only as the IOD allows (A.35.8.3.1.2, A.35.8.3.1.3)."""
    for way, parent, item in items(ds):
        kind, relation = str(first(item, VALUE_TYPE)), str(first(item, RELATIONSHIP))
        if 0x0040DB73 in item:
            yield (*way, 0x0040DB73), "must not be present: relationships are by value"
            continue
        if kind not in _ANY:
            yield (*way, VALUE_TYPE), f"has {kind!r}, allowed are {', '.join(_ANY)}"
            continue
        source = str(first(parent, VALUE_TYPE))
        targets = ALLOWED.get((source, relation), ALLOWED.get(("", relation), ()))
        if kind not in targets:
            yield (*way, RELATIONSHIP), f"{source} {relation} {kind} is not allowed"


def dose_template(ds: DataSet) -> Iterator[Complaint]:
    """A projection X-ray report has the rows that its templates demand, and none that they forbid (PS3.16)."""
    if concept(ds) != _REPORT:
        return
    top = ds.items_of(CONTENT)
    projection = _PROJECTION in {_code(item, VALUE) for item in top if concept(item) == "121058"} or not any(
        concept(item) == "121058" for item in top
    )
    said = _said(ds)
    for way, item in [((), ds), *((way, item) for way, _, item in items(ds))]:
        name = concept(item)
        here = said._replace(values=_values(item))
        below = frozenset(map(concept, item.items_of(CONTENT)))
        for parent, test, code, meaning, template in ROWS:
            if parent != name or not (projection or template in {"10001", "1002", "1003", "1004"}):
                continue
            if (test is None or test(here, below)) and not below & {code, FORMER.get(code, code)}:
                yield (*way, CONTENT), f"lacks {meaning} ({code}) under {name}, TID {template}"
        for flag, rows in DENIED.items() if name == _EVENT else ():
            for number, child in enumerate(item.items_of(CONTENT), 1):
                if flag not in said.available and concept(child) in rows:
                    yield (*way, CONTENT, number, CONCEPT_NAME), f"has data that ({flag}) says are not available"
    for number, item in enumerate(top, 1):
        kinds = {first(child, VALUE_TYPE) for child in item.items_of(CONTENT)}
        if concept(item) == _SCOPE and "UIDREF" not in kinds:
            yield (CONTENT, number, CONTENT), "lacks the UID of what was accumulated"


def _said(ds: DataSet) -> Said:
    top = ds.items_of(CONTENT)
    values = _values(ds)
    types = {_values(item).get("113721") for item in top if concept(item) == _EVENT}
    return Said(
        values.get("122142", ""),
        frozenset(_code(item, VALUE) for item in top if concept(item) == "113854"),
        frozenset(flag for flag in DENIED if values.get(flag, _YES) == _YES),
        _FLUOROSCOPY in types,
        values,
    )


def _values(item: DataSet) -> dict[str, str]:
    """Concept -> code of the coded items below an item."""
    below = item.items_of(CONTENT)
    return {concept(child): _code(child, VALUE) for child in below if first(child, VALUE_TYPE) == "CODE"}


def concept(item: DataSet) -> str:
    """Code of the concept that names a content item; empty without one."""
    return _code(item, CONCEPT_NAME)


def _code(item: DataSet, tag: int) -> str:
    return next((str(first(code, 0x00080100) or "") for code in item.items_of(tag)), "")


def items(ds: DataSet) -> Iterator[tuple[tuple[int, ...], DataSet, DataSet]]:
    """Every content item below the root: the way to it, its parent, itself; a stack, for the depth is the file's."""
    stack: list[tuple[tuple[int, ...], DataSet]] = [((), ds)]
    while stack:
        way, parent = stack.pop()
        for number, item in enumerate(parent.items_of(CONTENT), 1):
            here = (*way, CONTENT, number)
            yield here, parent, item
            stack.append((here, item))


REPORT: dict[str, tuple[tuple[str, Rule], ...]] = {
    "C.17-4": (
        ("A.35.8.3.1.4", dose_flags),
        ("C.17.3", dose_root),
        ("A.35.8.3.1.3", dose_relations),
        ("PS3.16 TID 10001", dose_template),
    ),
}
