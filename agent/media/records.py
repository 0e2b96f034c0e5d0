"""Directory Records: which an instance gets, and their keys, taken from its Data Set (PS3.3 F.3.2.2, F.4, F.5).

An instance stands in a directory with a record of its own below those of its series, study and patient; those that
belong to no patient, such as a Hanging Protocol, stand at the root. ``entry_of`` makes all four of one Data Set: bytes
that only lack the offsets, so that they can be kept and written again without the instance.

Keys are the bytes of the instance, with its Specific Character Set where they need one. Patient ID, Study Date, Study
Time, Study ID, Series Number and Instance Number may be empty in an instance and must not be in a record; whoever makes
the File-set supplies them (PS3.11), and the instance stays as it is. A date comes from the other dates of the instance;
without a Patient ID each study is a patient of its own, because nobody knows whether two are the same.
"""

from __future__ import annotations

import re
from functools import cache

from agent.dataset import dictionary
from agent.dataset.dataset import DataSet
from agent.dataset.encode import encode
from agent.dataset.tag import SPECIFIC_CHARACTER_SET, is_private, tag_str
from agent.dataset.uid import EXPLICIT_VR_LE, uid_name
from agent.dataset.values import Element, Raw, Reference, parse
from agent.dataset.vr import VRS, is_ambiguous
from agent.errors import EncodeError
from agent.media import file_id as file_ids
from agent.media._generated_records import KEYS, LOWER, ROOT, SOP_CLASSES
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent.dataset.values import Value
    from agent.media.part10 import FileMeta

__all__ = ["ABOVE", "LOWER", "Entry", "Key", "Part", "entry_of", "keys_of", "kind_of"]

ABOVE: Final = ("PATIENT", "STUDY", "SERIES")
REFER_ABOVE_BYTES: Final = 64 * 1024  # no key is longer: who opens files for their records leaves longer values there
SOP_CLASS, SOP_INSTANCE, RELATED_CLASSES = 0x00080016, 0x00080018, 0x0008001A
PATIENT_NAME, PATIENT_ID, ISSUER, BIRTH_DATE = 0x00100010, 0x00100020, 0x00100021, 0x00100030
STUDY_UID, SERIES_UID, INSTANCE_NUMBER = 0x0020000D, 0x0020000E, 0x00200013
CONTENT, ICON = 0x0040A730, 0x00880200
_STUDY_DATE, _STUDY_TIME, _SERIES_NUMBER = 0x00080020, 0x00080030, 0x00200011
_VERIFICATION, _VERIFIED_AT, _OBSERVERS = 0x0040A493, 0x0040A030, 0x0040A073
_RELATION = 0x0040A010
# What other Attributes say when the date and time of a key are empty: study, series, acquisition, content, creation.
_DATES = (0x00080020, 0x00080021, 0x00080022, 0x00080023, 0x00080012)
_TIME_OF_DATE = 0x10  # (0008,0030) belongs to (0008,0020), and so on; (0008,0013) to (0008,0012)
_DATE_KEYS = frozenset({_STUDY_DATE, 0x00080023, 0x00080012, 0x00700082})
_TIME_KEYS = frozenset({_STUDY_TIME, 0x00080033, 0x00700083})
_DATE, _TIME = re.compile(r"\d{8}"), re.compile(r"\d{6}(\.\d{1,6})?|\d{2}|\d{4}")
NO_DATE, NO_TIME = "19000101", "000000"  # a day on which nobody made an image, as DCMTK has it
_SUPPLIED: Final[Mapping[int, Value]] = {0x00200010: "NONE", _SERIES_NUMBER: 0, INSTANCE_NUMBER: 0, 0x00080060: "OT"}


class Key(NamedTuple):
    """One key of a record: its type, what of its items is copied, and whether that is everything in them."""

    tag: int
    type: str
    below: tuple[Key, ...] = ()
    whole: bool = False


class Part(NamedTuple):
    """A record above an instance.

    ``key`` says which records are the same, ``order`` where it stands among others, ``body`` are its encoded keys.
    ``person`` of a PATIENT: issuer of the Patient ID, name, and birth date, by which two of one Patient ID are told.
    """

    key: str
    order: str
    body: bytes
    person: tuple[str, str, str] = ("", "", "")


class Entry(NamedTuple):
    """An instance in a directory; ``body`` are the reference to its file and its keys, encoded."""

    file_id: str
    sop_instance_uid: str
    above: tuple[Part, ...]  # PATIENT, STUDY, SERIES; none of what stands at the root
    kind: str  # Directory Record Type
    order: str
    body: bytes
    notes: tuple[str, ...]  # what is wrong with the instance, where a key cannot be had from it


@cache
def keys_of(kind: str) -> tuple[Key, ...]:
    """The keys of a type of record, ascending; those of type 3 are not among them."""
    lines = [(line.count(">"), line.lstrip(">")) for line in KEYS.get(kind, "").split("|") if line]
    return _level(lines, 0)[0]


def _level(lines: list[tuple[int, str]], depth: int) -> tuple[tuple[Key, ...], bool]:
    """The keys of one depth with those below them, and whether all that an item holds is meant."""
    found = []
    for number, (at, text) in enumerate(lines):
        if at == depth and text != "*":
            behind = range(number + 1, len(lines))
            end = next((other for other in behind if lines[other][0] <= depth), len(lines))
            found.append(Key(int(text[:8], 16), text[9:], *_level(lines[number + 1 : end], depth + 1)))
    return tuple(sorted(found, key=lambda key: key.tag)), (depth, "*") in lines


@cache
def _kinds() -> dict[str, str]:
    return {ROOT + uid: kind for kind, uids in SOP_CLASSES.items() for uid in uids.split()}


def kind_of(sop_class_uid: str, dataset: DataSet | None = None) -> str:
    """The type of record of a SOP Class; of one that is not known here, by what the Data Set holds; empty: none."""
    kinds = _kinds()
    known = kinds.get(sop_class_uid)
    if known is not None or dataset is None:
        return known or ""
    for related in dataset.values_of(RELATED_CLASSES):
        if str(related) in kinds:
            return kinds[str(related)]
    for tag, kind in ((0x00280010, "IMAGE"), (0x00420012, "ENCAP DOC"), (0x54000100, "WAVEFORM")):
        if tag in dataset:
            return kind
    return "SR DOCUMENT" if dataset.text(0x0040A040) == "CONTAINER" else ""


def entry_of(
    file_id: str,
    meta: FileMeta,
    dataset: DataSet,
    *,
    extra: Mapping[str, Sequence[int]] | None = None,
    icon: DataSet | None = None,
) -> Entry:
    r"""The records of one instance.

    Args:
        file_id: Where it is in the File-set: ``INST\000000\00000001``.
        meta: Of the file as it stands in the File-set; its transfer syntax may be that of a copy.
        dataset: All in front of the pixels; longer values may be left in the file (``REFER_ABOVE_BYTES``).
        extra: By type of record, the Attributes that an Application Profile wants copied where they are not empty.
        icon: The item of Icon Image Sequence (PS3.3 F.7).

    Raises:
        EncodeError: The File ID is none, the SOP Class has no record, or the instance belongs to no study or series.
    """
    fault = file_ids.fault_of(file_id)
    if fault:
        raise EncodeError(f"{file_id!r} is no File ID: {fault}", tag=0x00041500)
    kind = kind_of(meta.sop_class_uid, dataset)
    if not kind:
        raise EncodeError(
            f"{uid_name(meta.sop_class_uid)}: no Directory Record may refer to it (PS3.3 F.5)",
            tag=SOP_CLASS,
            hint="It cannot be in a DICOMDIR; send it over the network instead.",
        )
    notes: list[str] = []
    wanted = extra or {}
    reference = DataSet()
    reference.set(0x00041500, file_id.split("\\"))
    reference.set(0x00041510, meta.sop_class_uid)
    reference.set(0x00041511, meta.sop_instance_uid)
    reference.set(0x00041512, meta.transfer_syntax_uid)
    related = dataset.values_of(RELATED_CLASSES)
    if related:
        reference.set(0x0004151A, [str(uid) for uid in related])
    body = encode(reference, EXPLICIT_VR_LE) + _body(kind, dataset, wanted.get(kind, ()), notes, icon)
    above = () if kind in LOWER[""].split("|") else _above(dataset, wanted, notes)
    number = _number(dataset, INSTANCE_NUMBER)
    return Entry(file_id, meta.sop_instance_uid, above, kind, number, body, tuple(notes))


def _above(dataset: DataSet, extra: Mapping[str, Sequence[int]], notes: list[str]) -> tuple[Part, ...]:
    study, series = dataset.text(STUDY_UID), dataset.text(SERIES_UID)
    for tag, uid, name in ((STUDY_UID, study, "study"), (SERIES_UID, series, "series")):
        if not uid:
            raise EncodeError(f"it says no {name} that it belongs to", tag=tag)
    name = dataset.text(PATIENT_NAME)
    person = (dataset.text(ISSUER), plain_name(name), dataset.text(BIRTH_DATE))
    patient = dataset.text(PATIENT_ID) or _patient_of(study)
    date = dataset.text(_STUDY_DATE) + dataset.text(_STUDY_TIME)
    bodies = (_body(kind, dataset, extra.get(kind, ()), notes) for kind in ABOVE)
    return (
        Part(patient, f"{plain_name(name)}\0{patient}", next(bodies), person),
        Part(study, date, next(bodies)),
        Part(series, _number(dataset, _SERIES_NUMBER), next(bodies)),
    )


def plain_name(name: str) -> str:
    """A Person Name as it is compared: the first of its groups, without case and empty components."""
    return name.partition("=")[0].casefold().rstrip("^ ").strip()


def _patient_of(study: str) -> str:
    """A Patient ID for a study without one; LO has room for 64 characters."""
    return "NO_ID_" + study[-58:]


def _number(dataset: DataSet, tag: int) -> str:
    """A number as text that sorts: below zero first, what is none at the end."""
    value = dataset.get(tag, 0)
    return f"{value + (1 << 31):010d}" if isinstance(value, int) else "~"


# --- keys ---------------------------------------------------------------------------------------


def _body(kind: str, dataset: DataSet, extra: Sequence[int], notes: list[str], icon: DataSet | None = None) -> bytes:
    made = DataSet()
    rows = keys_of(kind)
    for key in rows:
        if key.tag != SPECIFIC_CHARACTER_SET:
            _copy(made, key, dataset, kind, notes)
    for tag in sorted(set(extra) - {key.tag for key in rows}):
        _copy(made, Key(tag, "1C", whole=True), dataset, kind, notes)
    if icon is not None:
        made.set(ICON, [icon])
    terms = dataset.text(SPECIFIC_CHARACTER_SET)
    if terms and _needs_set(made):
        made.held[SPECIFIC_CHARACTER_SET] = dataset.stored[SPECIFIC_CHARACTER_SET]
    while True:
        try:
            return encode(made, EXPLICIT_VR_LE, canonical=True)
        except EncodeError as error:
            if error.tag is None or made.get(error.tag) is None:
                raise
            notes.append(f"{error.message}: left empty in {kind}")
            made.set(error.tag, [] if made.element(error.tag).vr == "SQ" else None)


def _copy(made: DataSet, key: Key, dataset: DataSet, kind: str, notes: list[str]) -> None:
    tag = key.tag
    if tag == _VERIFIED_AT:
        dataset = _last_verified(dataset)
    value = dataset.get(tag)
    if isinstance(value, Reference):
        value = None
    if isinstance(value, list) and not value:
        value = None
    if value is not None and tag == CONTENT:
        value = [item for item in dataset.items_of(tag) if item.text(_RELATION) == "HAS CONCEPT MOD"] or None
    if value is None and "C" not in key.type:
        value = _supplied(key, dataset, kind, notes)
        made.set(tag, [] if value is None and dictionary.vr_of(tag) == "SQ" else value)
    elif value is not None and dictionary.vr_of(tag) == "SQ":
        made.set(tag, [_trimmed(item, key) for item in value if isinstance(item, DataSet)])  # type: ignore[union-attr]  # a list
    elif value is not None:
        stored = dataset.stored[tag]
        vr = dictionary.vr_of(tag)
        known = stored.vr == vr or is_ambiguous(vr)
        made.held[tag] = stored if known else Element(tag, vr, parse(stored) if isinstance(stored, Raw) else value)


def _trimmed(item: DataSet, key: Key) -> DataSet:
    """What a record keeps of an item."""
    if key.whole:
        kept = DataSet()
        kept.held = {t: e for t, e in item.stored.items() if t != CONTENT and not is_private(t)}
        return kept
    kept = DataSet()
    for row in key.below:
        if row.tag in item:
            stored = item.stored[row.tag]
            if row.below or row.whole:
                kept.set(row.tag, [_trimmed(each, row) for each in item.items_of(row.tag)])
            else:
                kept.held[row.tag] = stored
    return kept


def _supplied(key: Key, dataset: DataSet, kind: str, notes: list[str]) -> Value:
    """What stands in a record when the instance has nothing to say."""
    if key.type == "2":
        return None
    tag = key.tag
    if tag == PATIENT_ID:
        return _patient_of(dataset.text(STUDY_UID))
    if tag in _DATE_KEYS:
        return _when(dataset)[0]
    if tag in _TIME_KEYS:
        return _when(dataset)[1]
    if tag not in _SUPPLIED:
        notes.append(f"{tag_str(tag)} {dictionary.keyword_of(tag)}: the instance lacks it; {kind} needs it (PS3.3 F.5)")
    return _SUPPLIED.get(tag)


def _when(dataset: DataSet) -> tuple[str, str]:
    """The first date that the instance has, and its time."""
    for tag in _DATES:
        date = dataset.text(tag)
        if _DATE.fullmatch(date):
            time = dataset.text(tag + 1 if tag == _DATES[-1] else tag + _TIME_OF_DATE)
            return date, time if _TIME.fullmatch(time) else NO_TIME
    return NO_DATE, NO_TIME


def _last_verified(dataset: DataSet) -> DataSet:
    """The latest verification of a document (Table F.5-25); empty where there is none."""
    if dataset.text(_VERIFICATION) != "VERIFIED":
        return DataSet()
    return max(dataset.items_of(_OBSERVERS), key=lambda each: each.text(_VERIFIED_AT), default=DataSet())


def _needs_set(dataset: DataSet) -> bool:
    """Whether a text in it is more than the default repertoire."""
    for stored in dataset.stored.values():
        if isinstance(stored, Raw):
            if VRS[stored.vr].charset and (not stored.data.isascii() or b"\x1b" in stored.data):
                return True
        elif stored.vr == "SQ":
            if any(_needs_set(item) for item in stored.value if isinstance(item, DataSet)):  # type: ignore[union-attr]  # a list
                return True
        elif not str(stored.value).isascii():
            return True
    return False
