"""The rules of a File-set, as data: what may be wrong, where the Standard says so, whose fault it is, what to do.

PS3.10 7.1 and 8 are about files and their names, PS3.3 Annex F is about the directory. Records are judged here by
themselves and against the instance that they refer to; what needs a file system is in ``agent.app.file_set_check``.
"""

from __future__ import annotations

from agent.dataset import dictionary
from agent.dataset.tag import SPECIFIC_CHARACTER_SET, tag_str
from agent.dataset.uid import EXPLICIT_VR_LE, MEDIA_STORAGE_DIRECTORY, is_valid_uid, uid_name
from agent.dataset.values import Raw
from agent.dataset.vr import VRS
from agent.media import file_id as file_ids
from agent.media._generated_records import KEYS
from agent.media.dicomdir_reader import DESCRIPTOR, FILE_ID, FIRST, FLAG, KIND, LABEL, LAST, NEXT, USED
from agent.media.dicomdir_reader import LOWER as BELOW
from agent.media.dicomdir_tree import AGAIN, LAST_ROOT, NOWHERE, ORPHAN, PLACE
from agent.media.record_scan import RECORDS
from agent.media.records import ABOVE, PATIENT_ID, PATIENT_NAME, keys_of, kind_of, plain_name
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agent.dataset.dataset import DataSet
    from agent.media.dicomdir_reader import Directory, Record
    from agent.media.part10 import FileMeta

ERROR, WARNING = "error", "warning"
_MAKER = "whoever made the medium"
_LATER = "whoever changed the medium since"
_DEVICE = "whoever made the instance"
_HARM = "whoever made the medium, and may mean harm"
_AGAIN = "Make the DICOMDIR anew, with 'media export' or DCMTK's dcmmkdir."
_BACK = "Put the file back, or make the medium again from its source."
_CARE = "Do not open it with anything but a DICOM reader; get it again from its source."


class Rule(NamedTuple):
    """Where the Standard says it, who broke it, what to do."""

    section: str
    whose: str
    todo: str


RULES: Final = {
    "no-directory": Rule("PS3.10 8.6", _MAKER, "Read the files themselves: 'media list --files'. " + _AGAIN),
    "directory-unreadable": Rule("PS3.10 8.6", _LATER, "Read the files themselves: 'media list --files'. " + _AGAIN),
    "directory-cut": Rule("PS3.5 7.5", _LATER, "Copy it again to its end, or read the files: 'media list --files'."),
    "directory-syntax": Rule("PS3.10 8.6", _MAKER, _AGAIN),
    "directory-class": Rule("PS3.10 8.6", _MAKER, _AGAIN),
    "directory-key": Rule("PS3.3 Table F.3-3", _MAKER, _AGAIN),
    "consistency-flag": Rule("PS3.3 Table F.3-3", _MAKER, "Its writer did not end its work; make the DICOMDIR anew."),
    "file-set-id": Rule("PS3.10 8.5", _MAKER, "Name it with A-Z, 0-9 and _, 16 characters at most."),
    "descriptor": Rule("PS3.3 Table F.3-2", _MAKER, "Put the file there, or leave File-set Descriptor File ID out."),
    "offset": Rule("PS3.3 Table F.3-3", _MAKER, _AGAIN),
    "loop": Rule("PS3.3 F.2.2.2", _HARM, _AGAIN),
    "orphan": Rule("PS3.3 F.2.2.2", _MAKER, "Readers do not see it. " + _AGAIN),
    "last-offset": Rule("PS3.3 Table F.3-3", _MAKER, _AGAIN),
    "record-place": Rule("PS3.3 Table F.4-1", _MAKER, _AGAIN),
    "record-type": Rule("PS3.3 F.5", _MAKER, _AGAIN),
    "record-unused": Rule("PS3.3 Table F.3-3", _MAKER, "Retired in 2008; readers list it all the same."),
    "record-empty": Rule("PS3.3 F.4", _MAKER, "Nothing is listed below it; readers show an empty entry."),
    "record-private": Rule("PS3.3 Table F.3-3", _MAKER, _AGAIN),
    "record-twice": Rule("PS3.3 F.5", _MAKER, "One entry hides the other in many readers. " + _AGAIN),
    "study-shared": Rule("PS3.3 A.1.2", _MAKER, "Ask the maker of the instances whose study it is; mix nothing up."),
    "key": Rule("PS3.3 F.5", _MAKER, _AGAIN),
    "key-charset": Rule("PS3.3 F.5", _MAKER, "Names may be shown wrong. " + _AGAIN),
    "reference": Rule("PS3.3 Table F.3-3", _MAKER, _AGAIN),
    "file-id": Rule("PS3.10 8.2", _HARM, "The file is not opened. " + _AGAIN),
    "file-twice": Rule("PS3.3 Table F.3-3", _MAKER, _AGAIN),
    "instance-twice": Rule("PS3.10 7.1", _MAKER, "Two files claim to be one instance; find out which one is right."),
    "file-missing": Rule("PS3.10 8.6", _LATER, _BACK),
    "file-link": Rule("PS3.10 8.6", _HARM, "It is not followed. Put the file itself there."),
    "file-unreadable": Rule("PS3.10 8.4", "the medium", "Copy what can be read elsewhere, then check the medium."),
    "file-name": Rule("PS3.12", _LATER, "Many readers want the name exactly; a mounted disc may show it like this."),
    "file-unlisted": Rule("PS3.10 8.6", _LATER, "Readers do not see it. Make the DICOMDIR anew."),
    "file-unlistable": Rule("PS3.10 8.2", _MAKER, "No record can refer to it: rename it, and make the DICOMDIR anew."),
    "stale": Rule("PS3.10 8.6", "nobody: the spool has gone on", "A running agent brings it up to date within a "
        "minute, another one at its next start."),
    "meta-missing": Rule("PS3.10 7.1", _DEVICE, "No File Meta Information: 'dump --lenient' shows what there is."),
    "meta": Rule("PS3.10 7.1", _DEVICE, "'modality-agent check' on the file says more."),
    "file-damaged": Rule("PS3.5 7", _LATER, _BACK),
    "frame": Rule("PS3.5 8.2", _LATER, "No reader shows it as it was. " + _BACK),
    "pixel-length": Rule("PS3.5 8.1.1", _LATER, "Readers show nothing, or another picture. " + _BACK),
    "preamble": Rule("PS3.10 7.1", _HARM, _CARE),
    "sop-class": Rule("PS3.3 Table F.3-3", _MAKER, _AGAIN),
    "sop-instance": Rule("PS3.3 Table F.3-3", _LATER, "Another file stands in its place. " + _BACK),
    "transfer-syntax": Rule("PS3.3 Table F.3-3", _MAKER, _AGAIN),
    "key-differs": Rule("PS3.3 F.5", _MAKER, "A reader shows what the directory says, and the file says otherwise: "
        "look whose image it is. " + _AGAIN),
    "patient-renamed": Rule("PS3.3 F.5.1", _DEVICE, "Two patients have one Patient ID; correct one at its source."),
}  # fmt: skip
_TREE: Final = {NOWHERE: "offset", AGAIN: "loop", ORPHAN: "orphan", PLACE: "record-place", LAST_ROOT: "last-offset"}
# What a preamble that is not zero makes of a file for others; a TIFF may be both (PS3.10 7.1).
_FACES: Final = (
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a Linux program"),
    (b"\xcf\xfa\xed\xfe", "a macOS program"),
    (b"#!", "a script"),
    (b"PK", "a ZIP archive"),
    (b"%PDF", "a PDF"),
    (b"<", "a web page"),
    (b"GIF8", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
)
_TIFF: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_REFERENCES: Final = ((0x00041510, "SOP Class"), (0x00041511, "SOP Instance"), (0x00041512, "Transfer Syntax"))


class Finding(NamedTuple):
    """One breach: which rule, where, and what."""

    severity: str
    rule: str
    where: str
    text: str


def tree_rule(fault: str) -> str:
    """The rule that a fault of the tree breaks."""
    return _TREE[fault]


def check_preamble(where: str, start: bytes) -> Iterator[Finding]:
    """What the first 128 bytes make of a file."""
    preamble = start[:128]
    if not preamble.strip(b"\0") or start.startswith(_TIFF):
        return
    for mark, face in _FACES:
        if start.startswith(mark):
            yield Finding(ERROR, "preamble", where, f"it is {face}, too")
            return
    yield Finding(WARNING, "preamble", where, "the preamble is not zero, and no TIFF either")


def check_head(directory: Directory) -> Iterator[Finding]:
    """What a directory says of itself."""
    where, root = file_ids.DICOMDIR, directory.root
    if directory.meta.sop_class_uid != MEDIA_STORAGE_DIRECTORY:
        text = f"Media Storage SOP Class is {uid_name(directory.meta.sop_class_uid) or 'missing'}"
        yield Finding(ERROR, "directory-class", where, text)
    if directory.meta.transfer_syntax_uid != EXPLICIT_VR_LE:
        text = f"it is in {uid_name(directory.meta.transfer_syntax_uid)}, not in Explicit VR Little Endian"
        yield Finding(ERROR, "directory-syntax", where, text)
    for tag in (LABEL, FIRST, LAST, FLAG, RECORDS):
        if tag not in root and (tag != RECORDS or not directory.has_records):
            yield Finding(ERROR, "directory-key", where, f"{_name(tag)} is absent")
    if root.get(FLAG, 0) != 0:
        yield Finding(ERROR, "consistency-flag", where, f"{_name(FLAG)} is {root[FLAG]!r}, not 0")
    label = root.text(LABEL)
    if not file_ids.is_label(label):
        yield Finding(ERROR, "file-set-id", where, f"{label!r} is no File-set ID")
    descriptor = root.text(DESCRIPTOR)
    fault = file_ids.fault_of(descriptor) if descriptor else ""
    if fault:
        yield Finding(ERROR, "descriptor", where, f"{descriptor!r} is no File ID: {fault}")


def check_record(where: str, record: Record, *, lower: bool) -> Iterator[Finding]:
    """What a record says by itself; ``lower``: whether something stands below it."""
    kind, said = record.kind, record.dataset
    if kind not in KEYS and kind != "PRIVATE":
        what = f"{kind!r} is no type of PS3.3 2024c" if kind else f"{_name(KIND)} is missing"
        yield Finding(ERROR, "record-type", where, what)
    for tag in (NEXT, USED, BELOW):
        if tag not in said:
            yield Finding(ERROR, "key", where, f"{_name(tag)} is absent")
    if said.get(USED, 0xFFFF) != 0xFFFF:
        yield Finding(WARNING, "record-unused", where, f"{_name(USED)} is {said[USED]!r}, not FFFFH")
    if kind == "PRIVATE" and not is_valid_uid(said.text(0x00041432)):
        yield Finding(ERROR, "record-private", where, "a PRIVATE record needs a Private Record UID")
    if kind in ABOVE and not lower:
        yield Finding(WARNING, "record-empty", where, f"a {kind} with nothing below it")
    yield from _keys(where, kind, said)
    if kind in KEYS and kind not in ABOVE:
        yield from _reference(where, record)


def _keys(where: str, kind: str, said: DataSet) -> Iterator[Finding]:
    for key in keys_of(kind):
        if key.type in {"1", "2"} and key.tag not in said:
            yield Finding(ERROR, "key", where, f"{_name(key.tag)} is absent, type {key.type}")
        elif key.type == "1" and said.get(key.tag) in (None, []):
            yield Finding(ERROR, "key", where, f"{_name(key.tag)} is empty, type 1")
    if not said.text(SPECIFIC_CHARACTER_SET):
        for stored in said.stored.values():
            if isinstance(stored, Raw) and VRS[stored.vr].charset and not stored.data.isascii():
                yield Finding(ERROR, "key-charset", where, f"{_name(stored.tag)} needs a Specific Character Set")


def _reference(where: str, record: Record) -> Iterator[Finding]:
    if FILE_ID not in record.dataset or not record.file_id:
        yield Finding(ERROR, "reference", where, f"{_name(FILE_ID)} is missing")
    else:
        fault = file_ids.fault_of(record.file_id)
        if fault:
            yield Finding(ERROR, "file-id", where, f"{record.file_id!r} is no File ID: {fault}")
    for tag, name in _REFERENCES:
        if not is_valid_uid(record.dataset.text(tag)):
            yield Finding(ERROR, "reference", where, f"Referenced {name} UID in File is missing or no UID")


def compare(where: str, above: Sequence[Record], record: Record, meta: FileMeta, dataset: DataSet) -> Iterator[Finding]:
    """A record and those above it against the file that it refers to."""
    for (tag, name), rule, actual in zip(
        _REFERENCES,
        ("sop-class", "sop-instance", "transfer-syntax"),
        (meta.sop_class_uid, meta.sop_instance_uid, meta.transfer_syntax_uid),
        strict=True,
    ):
        said = record.dataset.text(tag)
        if said and said != actual:
            yield Finding(ERROR, rule, where, f"{name} is {uid_name(said)} in the record and {uid_name(actual)} in it")
    wanted = kind_of(meta.sop_class_uid, dataset)
    if wanted and wanted != record.kind:
        text = f"{uid_name(meta.sop_class_uid)} has a record {wanted}, and this one is {record.kind or 'without type'}"
        yield Finding(ERROR, "record-type", where, text)
        return
    for each in (*above, record):
        yield from _differences(where, each, dataset)


def _differences(where: str, record: Record, dataset: DataSet) -> Iterator[Finding]:
    for key in keys_of(record.kind):
        if key.tag == SPECIFIC_CHARACTER_SET or key.below or key.whole or key.tag not in record.dataset:
            continue
        said, actual = record.dataset.text(key.tag), dataset.text(key.tag)
        if not actual or said == actual:  # an empty one is supplied by whoever makes the directory
            continue
        if key.tag == PATIENT_NAME and plain_name(said) == plain_name(actual):
            continue
        if key.tag == PATIENT_ID and said.startswith(f"{actual}_") and said[len(actual) + 1 :].isdecimal():
            text = f"Patient ID is {said!r} in the directory and {actual!r} in it: another patient has that one, too"
            yield Finding(WARNING, "patient-renamed", where, text)
            continue
        text = f"{_name(key.tag)} is {said!r} in the {record.kind} record and {actual!r} in it"
        yield Finding(ERROR, "key-differs", where, text)


def _name(tag: int) -> str:
    return f"{dictionary.keyword_of(tag) or 'element'} {tag_str(tag)}"
