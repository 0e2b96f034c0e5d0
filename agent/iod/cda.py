"""The header of a CDA document (HL7 CDA R2 4.2; PS3.20): what it says of itself and of its patient.

One pass with a parser that refuses every declaration (document types, entities, external subsets). Only the elements of
``_KEPT`` become a small tree, so that the size of the body costs time and no memory; depth, number and text of what is
kept are bounded. A ``nullFlavor`` in the place of a value says that nobody knows it. Raises ``IodError``.
"""

from __future__ import annotations

import re

from agent.errors import IodError
from agent.iod.codes import Code
from agent.typed import Final, NamedTuple

DOCUMENT: Final = 0x00420011
HL7_NAMESPACE: Final = "urn:hl7-org:v3"
MAX_XML_DEPTH: Final = 256
MAX_KEPT: Final = 256  # elements; a header has some twenty
MAX_TEXT_CHARACTERS: Final = 1024  # Document Title is ST
CDA_HINT: Final = "Encapsulated CDA holds HL7 CDA documents only; other XML has no SOP Class."
ENCODING_HINT: Final = "UTF-8, UTF-16, ISO-8859-1 and US-ASCII can be read; write the document in one of them."

_ROLE: Final = "recordTarget/patientRole"
_PATIENT: Final = f"{_ROLE}/patient"
_PARTS: Final = ("family", "given", "prefix", "suffix")
_KEPT: Final = frozenset(
    (
        "id", "code", "title", "effectiveTime", "setId", "versionNumber", "recordTarget", _ROLE, f"{_ROLE}/id",
        _PATIENT, f"{_PATIENT}/name", *(f"{_PATIENT}/name/{part}" for part in _PARTS),
        f"{_PATIENT}/administrativeGenderCode", f"{_PATIENT}/birthTime",
    )
)  # fmt: skip

# Object identifiers of code systems -> designators (PS3.16 Table 8-1)
_SCHEMES: Final = {"2.16.840.1.113883.6.1": "LN", "2.16.840.1.113883.6.96": "SCT", "1.2.840.10008.2.16.4": "DCM"}
_SEXES: Final = {"M": "M", "F": "F", "UN": "O"}  # HL7 AdministrativeGender -> PS3.3 C.7.1.1
_TIME: Final = re.compile(r"(\d{4}(?:\d{2}){0,5})(?:\.\d{1,6})?([+-]\d{4})?", re.ASCII)  # HL7 TS
_NOT_THE_NAME: Final = frozenset(("BR", "CL"))  # qualifiers of parts: of birth, call me
_GROUPS: Final = (("IDE", 1), ("SYL", 2))  # uses of a name -> group of PN (PS3.5 6.2.1.1)


class Identifier(NamedTuple):
    """An II of HL7: who gave it (an OID or a UUID), and what; without ``extension`` the root is all of it."""

    root: str
    extension: str

    @property
    def value(self) -> str:
        """What its issuer would call it."""
        return self.extension or self.root

    def __str__(self) -> str:
        return f"{self.root}^{self.extension}" if self.extension else self.root


class PersonName(NamedTuple):
    """The parts of a name in the order of PN; ``group`` counts its groups, ``loose`` is text without parts."""

    group: int
    family: str = ""
    given: str = ""
    middle: str = ""
    prefix: str = ""
    suffix: str = ""
    loose: str = ""
    legal: bool = False  # said to be what the patient is called in law, which others beside it are not

    def __str__(self) -> str:
        return self.loose or "^".join(self[1:6]).rstrip("^")


class CdaPatient(NamedTuple):
    """Whom a document is about; birth date (``YYYY``, ``YYYYMM`` or ``YYYYMMDD``) and sex are empty where unknown."""

    ids: tuple[Identifier, ...]
    names: tuple[PersonName, ...]
    birth_date: str
    sex: str


class CdaFacts(NamedTuple):
    """What a CDA document says in its header; ``effective_time`` is a time of HL7 (YYYYMMDDHHMMSS+ZZZZ, or less)."""

    identifier: Identifier
    code: Code | None
    title: str
    effective_time: str
    set_id: Identifier | None
    version: str
    patients: tuple[CdaPatient, ...]


class _Element:
    """A kept element."""

    __slots__ = ("attributes", "children", "name", "text")

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.attributes = attributes if "nullFlavor" not in attributes else {}
        self.children: list[_Element] = []
        self.text = ""

    def all(self, name: str) -> list[_Element]:
        return [child for child in self.children if child.name == name]

    def get(self, name: str, attribute: str) -> str:
        """An attribute of the first child of that name, or ""."""
        return next((child.attributes.get(attribute, "").strip() for child in self.all(name)), "")


def read(data: bytes) -> CdaFacts:
    """The header of a CDA document; raises ``IodError`` for anything else."""
    root = _Reader().parse(data)
    if root.name != f"{HL7_NAMESPACE} ClinicalDocument":
        raise IodError(f"the XML is no CDA document: its root is {root.name}", tag=DOCUMENT, hint=CDA_HINT)
    identifiers, sets = _identifiers(root.all("id")), _identifiers(root.all("setId"))
    if not identifiers:
        raise IodError("the CDA document has no id, which HL7 Instance Identifier needs", tag=DOCUMENT)
    return CdaFacts(
        identifiers[0],
        _concept(root),
        " ".join("".join(title.text for title in root.all("title")[:1]).split()),
        _time(root.get("effectiveTime", "value"), "effectiveTime"),
        sets[0] if sets else None,
        root.get("versionNumber", "value"),
        tuple(
            _patient(role, person)
            for target in root.all("recordTarget")
            for role in target.all("patientRole")
            for person in role.all("patient") or [_Element("patient", {})]
        ),
    )


def _identifiers(found: list[_Element]) -> tuple[Identifier, ...]:
    made = (Identifier(*(one.attributes.get(key, "").strip() for key in ("root", "extension"))) for one in found)
    return tuple(identifier for identifier in made if identifier.root)


def _concept(root: _Element) -> Code | None:
    """The code of the document, where its scheme has a designator in DICOM."""
    scheme, value = _SCHEMES.get(root.get("code", "codeSystem")), root.get("code", "code")
    if scheme is None or not value:
        return None
    return Code(value, scheme, (root.get("code", "displayName") or value)[:64])


def _time(text: str, name: str) -> str:
    if text and not _TIME.fullmatch(text):
        raise IodError(f"the {name} of the CDA document is no time: {text[:40]!r}", tag=DOCUMENT)
    return text


def _patient(role: _Element, person: _Element) -> CdaPatient:
    names = tuple(name for name in map(_name, person.all("name")) if str(name))
    sex = _SEXES.get(person.get("administrativeGenderCode", "code"), "")
    birth = _time(person.get("birthTime", "value"), "birthTime")
    return CdaPatient(_identifiers(role.all("id")), names, re.split("[.+-]", birth)[0][:8], sex)


def _name(found: _Element) -> PersonName:
    uses = found.attributes.get("use", "").split()
    group = next((number for use, number in _GROUPS if use in uses), 0)
    parts: dict[str, list[str]] = {part: [] for part in _PARTS}
    for child in found.children:
        qualifiers = set(child.attributes.get("qualifier", "").split())
        text = " ".join(child.text.split())
        if not text or qualifiers & _NOT_THE_NAME:
            continue
        if any(mark in text for mark in "^=\\"):
            raise IodError(f"a name of the patient has a character that means something in DICOM: {text!r}",
                           tag=DOCUMENT)  # fmt: skip
        parts["family" if "VV" in qualifiers else child.name].append(text)  # VV: van, von, de la
    if not any(parts.values()):
        return PersonName(group, loose=" ".join(found.text.split()), legal="L" in uses)
    given = parts["given"]
    texts = (parts["family"], given[:1], given[1:], parts["prefix"], parts["suffix"])
    family, first, middle, prefix, suffix = map(" ".join, texts)
    return PersonName(group, family, first, middle, prefix, suffix, legal="L" in uses)


class _Reader:
    """Walks the XML once and keeps what is in ``_KEPT``."""

    __slots__ = ("_depth", "_kept", "_open", "_path", "_root")

    def __init__(self) -> None:
        self._root: _Element | None = None
        self._open: list[_Element] = []  # from the root to the innermost kept element
        self._path: list[str] = []
        self._depth = self._kept = 0

    def parse(self, data: bytes) -> _Element:
        """Read a document to its end; returns its root."""
        from xml.parsers import expat

        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        parser.ExternalEntityRefHandler = self._refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        try:
            parser.Parse(data, True)  # noqa: FBT003  has no keywords
        except expat.ExpatError as error:
            if error.code == expat.errors.codes[expat.errors.XML_ERROR_UNKNOWN_ENCODING]:
                raise IodError("has an encoding that cannot be read", tag=DOCUMENT, hint=ENCODING_HINT) from None
            raise IodError(f"is not well-formed XML: {error}", tag=DOCUMENT, hint=CDA_HINT) from None
        except (LookupError, ValueError):  # of the codecs that the parser asks for
            raise IodError("has an encoding that cannot be read", tag=DOCUMENT, hint=ENCODING_HINT) from None
        assert self._root is not None
        return self._root

    def _refuse(self, *_declaration: object) -> int:
        raise IodError("the XML declares a document type or entities, which CDA does not use", tag=DOCUMENT)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_XML_DEPTH:
            raise IodError(f"the XML is nested more than {MAX_XML_DEPTH} deep", tag=DOCUMENT)
        local = name.removeprefix(f"{HL7_NAMESPACE} ")
        if self._root is None:
            self._root = _Element(name, attributes)
            self._open.append(self._root)
            return
        path = "/".join((*self._path, local))
        if len(self._open) != self._depth - 1 or local == name or path not in _KEPT:
            return
        self._kept += 1
        if self._kept > MAX_KEPT:
            raise IodError(f"the header of the CDA document has more than {MAX_KEPT} elements", tag=DOCUMENT)
        element = _Element(local, attributes)
        self._open[-1].children.append(element)
        self._open.append(element)
        self._path.append(local)

    def _end(self, _name: str) -> None:
        if len(self._open) == self._depth and self._path:
            self._open.pop()
            self._path.pop()
        self._depth -= 1

    def _text(self, text: str) -> None:
        if self._path and len(self._open) == self._depth:
            innermost = self._open[-1]
            innermost.text += text
            if len(innermost.text) > MAX_TEXT_CHARACTERS:
                text = f"the {innermost.name} of the CDA document has more than {MAX_TEXT_CHARACTERS} characters"
                raise IodError(text, tag=DOCUMENT)
