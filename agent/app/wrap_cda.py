"""Whose document it is: the header of a CDA document beside what the command line of ``wrap`` says.

A document under the name of another patient is the worst that can happen, so each fact of the header is compared with
what was given: one that nobody gave is taken over, one that contradicts is refused, and ``--insist`` lets what was
given stand, for a patient who has another number here than where the document comes from. Names agree when family and
given names do, whatever their case, punctuation and number of given names; dates as far as both go.
"""

from __future__ import annotations

from agent.dataset.dataset import DataSet
from agent.dataset.encode import encode
from agent.dataset.uid import EXPLICIT_VR_LE
from agent.errors import EncodeError, InputError
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from agent.iod.cda import CdaFacts, CdaPatient, Identifier, PersonName

_ISSUER: Final = "IssuerOfPatientIDQualifiersSequence"
_GROUPS: Final = 3  # of PN
_SHOWN: Final = 64  # characters of a value that is refused
_WHO: Final = "Say which one with --patient-id ID."
_HINT: Final = (
    "Is it the right file for this patient? Correct what is given; only if both are the same person, --insist keeps it."
)


class Merged(NamedTuple):
    """Attributes given and taken over, and what to tell: keyword and value that came from the document, or did not."""

    found: DataSet
    written: tuple[str, str] | None
    taken: list[str]
    overruled: list[str]
    version: str  # of the document, for people: no Attribute holds it
    named: bool = True  # whether the document says whom it is about


def merge(path: str, found: DataSet, facts: CdaFacts, *, offset: str, insist: bool) -> Merged:
    """Bring the header and what was given together; ``offset`` is the time zone of the instance.

    Raises:
        InputError: They contradict each other, or the document does not say whom it is about.
    """
    if len(facts.patients) > 1:
        raise InputError(f"{path} is about {len(facts.patients)} patients, and an instance is of one",
                         hint="Ask who made it for one document for each patient.")  # fmt: skip
    version = f"{facts.version} of {facts.set_id}" if facts.version and facts.set_id else facts.version
    written = _written(path, facts.effective_time, offset)
    merged = Merged(found.copy(), written, [], [], version, named=bool(facts.patients))
    merging = _Merging(path, merged, insist=insist)
    if facts.patients:
        merging.patient(facts.patients[0])
    merging.fact("DocumentTitle", facts.title, agrees=_same_words(found.text("DocumentTitle"), facts.title))
    return merged._replace(written=merging.written())


class _Merging:
    """The facts of one document, one after the other."""

    __slots__ = ("_insist", "_merged", "_path")

    def __init__(self, path: str, merged: Merged, *, insist: bool) -> None:
        self._path, self._merged, self._insist = path, merged, insist

    def fact(self, keyword: str, value: str, *, agrees: bool, take: bool = True) -> bool:
        """Take over one fact, or compare it with what was given; True where the document's stands."""
        found = self._merged.found
        if not value:
            return False
        if keyword not in found:
            if take:
                self._possible(keyword, value)
                found[keyword] = value
                self._merged.taken.append(f"{keyword} {value}")
            return take
        if agrees:
            return True
        if not self._insist:
            given = found.text(keyword)
            raise InputError(f"{self._path} says {keyword} {value}, and {given or 'none'} is given", hint=_HINT)
        self._merged.overruled.append(f"{keyword} {value}")
        return False

    def _possible(self, keyword: str, value: str) -> None:
        """Refuse what no Attribute can hold, while it is known whose it is."""
        try:
            encode(DataSet({"SpecificCharacterSet": "ISO_IR 192", keyword: value}), EXPLICIT_VR_LE)
        except EncodeError as error:
            said = f"{self._path} says {keyword} {value[:_SHOWN]}: {error.message.partition(' at (')[0]}"
            raise InputError(said, hint=f"Correct the document, or give --set {keyword}=VALUE with --insist.") from None

    def patient(self, patient: CdaPatient) -> None:
        """Whom it is about."""
        found = self._merged.found
        self._identifier(patient.ids)
        self._name(patient.names)
        birth, given = patient.birth_date, found.text("PatientBirthDate")
        both = min(len(birth), len(given))
        self.fact(
            "PatientBirthDate",
            birth,
            agrees=both > 0 and birth[:both] == given[:both],
            take=len(birth) == len("YYYYMMDD"),
        )
        self.fact("PatientSex", patient.sex, agrees=patient.sex == found.text("PatientSex"))

    def _identifier(self, ids: tuple[Identifier, ...]) -> None:
        found = self._merged.found
        given = found.text("PatientID").strip()
        roots = {item.text("UniversalEntityID") for item in found.items_of(_ISSUER)}
        known = [one for one in ids if one.value == given and (not roots or one.root in roots)]
        if "PatientID" not in found and len(ids) > 1:
            raise InputError(f"{self._path} has {len(ids)} identifiers of the patient: {_list(ids)}", hint=_WHO)
        value = _list(ids) if given else ids[0].value if ids else ""
        if self.fact("PatientID", value, agrees=bool(known)):
            issuer = _issuer((known or ids)[0])
            if issuer is not None and not roots:
                found[_ISSUER] = [issuer]
                self._merged.taken.append(f"{_ISSUER} {issuer.text('UniversalEntityID')}")

    def _name(self, names: tuple[PersonName, ...]) -> None:
        given = self._merged.found.text("PatientName")
        if "PatientName" not in self._merged.found and any(name.loose for name in names):
            raise InputError(
                f"{self._path} names the patient {_list(names)}, without saying what is family name and given name",
                hint="Say it with --patient-name FAMILY^GIVEN.",
            )
        groups = [_called(names, number) for number in range(_GROUPS)]
        if "PatientName" not in self._merged.found and any(len(group) > 1 for group in groups):
            raise InputError(f"{self._path} has several names of the patient: {_list(names)}",
                             hint="Say which one with --patient-name FAMILY^GIVEN.")  # fmt: skip
        value = "=".join(group[0] if group else "" for group in groups).rstrip("=")
        self.fact("PatientName", value, agrees=_same_person(given, names))

    def written(self) -> tuple[str, str] | None:
        """Date and time of the content: those of the document; given ones must not contradict and are done with."""
        found, written = self._merged.found, self._merged.written
        if written is None:
            return None
        kept = []
        for keyword, value in zip(("ContentDate", "ContentTime"), written, strict=True):
            given = found.text(keyword)
            both = min(len(value), len(given))
            stands = self.fact(keyword, value, agrees=both > 0 and value[:both] == given[:both])
            kept.append(value if stands or not given else given)
            if keyword in found:
                del found[keyword]
        return kept[0], kept[1]


def _called(names: tuple[PersonName, ...], group: int) -> list[str]:
    """The different names of one group of PN: the legal ones, if any is said to be."""
    own = [name for name in names if name.group == group]
    return list(dict.fromkeys(str(name) for name in own if name.legal or not any(other.legal for other in own)))


def _list(values: tuple[object, ...]) -> str:
    return ", ".join(map(str, values))


def _issuer(identifier: Identifier) -> DataSet | None:
    """Who gave a Patient ID (PS3.3 Table 10-18); an identifier without extension is unique by itself."""
    import re

    kinds = {"ISO": r"[0-2](\.\d+)+", "UUID": r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"}
    kind = next((kind for kind, form in kinds.items() if re.fullmatch(form, identifier.root, re.ASCII)), None)
    if kind is None or not identifier.extension:
        return None
    return DataSet({"UniversalEntityID": identifier.root, "UniversalEntityIDType": kind})


# --- the same or not ------------------------------------------------------------------------


def _same_person(given: str, names: tuple[PersonName, ...]) -> bool:
    """Whether a PN is one of the names: every group that both have, and one at least."""
    shared = []
    for number, text in enumerate(given.split("=")):
        candidates = [name for name in names if name.group == number]
        if text and candidates:
            shared.append(any(_same_name(text, name) for name in candidates))
    return bool(shared) and all(shared)


def _same_name(given: str, name: PersonName) -> bool:
    family, first, middle, _, suffix = (given.split("^") + [""] * 5)[:5]
    mine = _words(f"{first} {middle}")
    if name.loose:
        said = _words(family) + mine
        return bool(said) and set(said) <= set(_words(name.loose))
    its = _words(f"{name.given} {name.middle}")
    both = min(len(mine), len(its))
    if _words(suffix) and _words(name.suffix) and _words(suffix) != _words(name.suffix):
        return False
    return _words(family) == _words(name.family) and mine[:both] == its[:both] and (both > 0 or mine == its)


def _same_words(one: str, other: str) -> bool:
    return one.split() == other.split()


def _words(text: str) -> list[str]:
    """A text as words that can be compared: no case, no forms of one letter, no punctuation; vowel signs stay."""
    from unicodedata import category, normalize

    plain = normalize("NFKC", text).casefold()
    return "".join(
        mark if mark.isalnum() or category(mark)[0] == "M" else " " for mark in plain.replace(".", "").replace("'", "")
    ).split()


def _written(path: str, moment: str, offset: str) -> tuple[str, str] | None:
    """The time of a document in the time zone of the instance, as DA and TM; None where it says no day."""
    import re
    from datetime import datetime

    parts = re.fullmatch(r"(\d+)(\.\d+)?([+-]\d{4})?", moment)
    if parts is None or len(parts[1]) < len("YYYYMMDD"):
        return None
    digits, fraction, zone = parts[1], parts[2] or "", parts[3] or ""
    date, time = digits[:8], digits[8:]
    try:
        read = datetime.strptime(f"{digits:0<14}{zone}", "%Y%m%d%H%M%S%z" if zone else "%Y%m%d%H%M%S")  # noqa: DTZ007  local
        if time and zone and offset:
            there = datetime.strptime(offset, "%z").tzinfo
            moved = read.astimezone(there).strftime("%Y%m%d%H%M%S")
            date, time = moved[:8], moved[8 : len(digits)] if zone[3:] == offset[3:] else moved[8:]
    except ValueError:
        raise InputError(f"{path}: its effectiveTime {moment} is no time that exists") from None
    return date, time + (fraction if len(digits) == 14 else "")
