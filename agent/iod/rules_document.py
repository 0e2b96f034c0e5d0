"""What PS3.3 and PS3.16 say in prose about encapsulated documents and dose reports; rules.py says what a rule is.

A dose report is walked item by item: value types and relationships are those of its IOD (PS3.3 Table A.35.8-2),
references are by value, and below the root of TID 10001 stands what that template demands. A template in two words is
enough for that: the concept that names an item, and the concepts that must be under it.

Sources: PS3.3 A.35.8.3.1, A.45.1.4, C.24.2; PS3.16 TID 10001 to 10003.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.iod.conditions import first, values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.dataset.dataset import DataSet
    from agent.iod.rules import Complaint, Place, Rule

PDF, CDA = "1.2.840.10008.5.1.4.1.1.104.1", "1.2.840.10008.5.1.4.1.1.104.2"
CONTENT, VALUE_TYPE, RELATIONSHIP, CONCEPT_NAME = 0x0040A730, 0x0040A040, 0x0040A010, 0x0040A043
DOCUMENT, DOCUMENT_LENGTH, MIME_TYPE = 0x00420011, 0x00420015, 0x00420012
HEAD_BYTES = 1024  # readers look for the header of a PDF in this much (ISO 32000-1 Annex H.3.4.1)
MIME_TYPES = {PDF: "application/pdf", CDA: "text/XML"}

VALUES: dict[tuple[str, int], tuple[str, ...]] = {}

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

# Concept -> what must stand under it: (code, scheme, name). From TID 10001, 10002, 10003; all rows of type M.
_PROJECTION_REPORT = "113701"
MANDATORY: dict[str, tuple[tuple[str, str], ...]] = {
    _PROJECTION_REPORT: (
        ("121058", "Procedure reported"),
        ("113705", "Scope of Accumulation"),
        ("113854", "Source of Dose Information"),
    ),
    "121058": (("363703001", "Has Intent"),),
    "113702": (("113764", "Acquisition Plane"),),
    "113706": (
        ("113764", "Acquisition Plane"),
        ("113769", "Irradiation Event UID"),
        ("111526", "DateTime Started"),
        ("113721", "Irradiation Event Type"),
        ("123014", "Target Region"),
    ),
}
_ACCUMULATED, _EVENT, _SOURCE = "113702", "113706", "113854"
_NO_EVENTS = frozenset({"113858", "113866", "113867"})  # sources of dose that need no events (TID 10001 row 14)


def document(ds: DataSet) -> Iterator[Complaint]:
    """MIME type, length and first bytes are those of the document (A.45.1.4, C.24.2)."""
    kind = str(first(ds, 0x00080016))
    wanted, mime = MIME_TYPES.get(kind), first(ds, MIME_TYPE)
    if wanted is not None and mime is not None and str(mime).lower() != wanted.lower():
        yield MIME_TYPE, f"has {mime!r}, must be {wanted}"
    data, length = ds.get(DOCUMENT), first(ds, DOCUMENT_LENGTH)
    size = len(data) if isinstance(data, bytes) else getattr(data, "length", None)
    if isinstance(length, int) and size is not None and size != length + length % 2:
        yield DOCUMENT_LENGTH, f"is {length}, and the document has {size} bytes"
    if isinstance(data, bytes):
        yield from first_bytes(kind, data[:HEAD_BYTES])


def first_bytes(kind: str, head: bytes) -> Iterator[Complaint]:
    """Whether a document begins as its SOP Class says."""
    if kind == PDF and b"%PDF-" not in head:
        yield DOCUMENT, "does not start like a PDF"
    if kind == CDA and head.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")[:1] != b"<":
        yield DOCUMENT, "does not start like XML"


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
    for way, parent, item in _items(ds):
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
    """A projection X-ray report has the mandatory rows of TID 10001 to 10003 (PS3.16)."""
    if concept(ds) != _PROJECTION_REPORT:
        return
    for way, item in [((), ds), *((way, item) for way, _, item in _items(ds))]:
        below = [concept(child) for child in item.items_of(CONTENT)]
        for code, name in MANDATORY.get(concept(item), ()):
            if code not in below:
                yield (*way, CONTENT), f"lacks {name} ({code}) under {concept(item)}"
    top = ds.items_of(CONTENT)
    names = [concept(item) for item in top]
    if _ACCUMULATED not in names:
        yield CONTENT, f"lacks Accumulated X-Ray Dose Data ({_ACCUMULATED})"
    sources = {_code(item, 0x0040A168) for item in top if concept(item) == _SOURCE}
    if _EVENT not in names and not sources & _NO_EVENTS:
        yield CONTENT, f"lacks Irradiation Event X-Ray Data ({_EVENT})"
    for number, item in enumerate(top, 1):
        if concept(item) == "113705" and not any(
            first(child, VALUE_TYPE) == "UIDREF" for child in item.items_of(CONTENT)
        ):
            yield (CONTENT, number, CONTENT), "lacks the UID of what was accumulated"


def concept(item: DataSet) -> str:
    """Code of the concept that names a content item; empty without one."""
    return _code(item, CONCEPT_NAME)


def _code(item: DataSet, tag: int) -> str:
    return next((str(first(code, 0x00080100) or "") for code in item.items_of(tag)), "")


def _items(ds: DataSet) -> Iterator[tuple[tuple[int, ...], DataSet, DataSet]]:
    """Every content item below the root: the way to it, its parent, itself; a stack, for the depth is the file's."""
    stack: list[tuple[tuple[int, ...], DataSet]] = [((), ds)]
    while stack:
        way, parent = stack.pop()
        for number, item in enumerate(parent.items_of(CONTENT), 1):
            here = (*way, CONTENT, number)
            yield here, parent, item
            stack.append((here, item))


def evidence(ds: DataSet) -> Iterator[Complaint]:
    """Instances that the content refers to are listed as evidence (C.17.2.3)."""
    listed = {
        first(sop, 0x00081155)
        for sequence in (0x0040A375, 0x0040A385)
        for study in ds.items_of(sequence)
        for series in study.items_of(0x00081115)
        for sop in series.items_of(0x00081199)
    }
    for way, _, item in _items(ds):
        for number, reference in enumerate(item.items_of(0x00081199), 1):
            if values(reference, 0x00081155) and first(reference, 0x00081155) not in listed:
                place: Place = (*way, 0x00081199, number, 0x00081155)
                yield place, "is not listed in the Current Requested Procedure or Pertinent Other Evidence Sequence"


RULES: dict[str, tuple[tuple[str, Rule], ...]] = {
    "C.24-2": (("C.24.2", document),),
    "C.17-2": (("A.35.8.3.1.4", dose_flags), ("C.17.2.3", evidence)),
    "C.17-4": (
        ("C.17.3", dose_root),
        ("A.35.8.3.1.3", dose_relations),
        ("PS3.16 TID 10001", dose_template),
    ),
}
