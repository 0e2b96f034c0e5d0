"""Everything that is wrong with one DICOM file, from its preamble to its pixels.

The file is read as leniently as it can be, and what had to be tolerated is a finding. Then come File Meta Information,
the encoding of every element, the Module tables of its IOD and the pixels; each layer knows its own rules. A SOP Class
whose tables are not known here leaves the IOD unchecked, and that is said as a warning.

Values above ``REFER_BYTES`` and all pixels stay on disk: memory does not grow with the file.
"""

from __future__ import annotations

from agent.app.source_file import opened
from agent.dataset.decode import decode
from agent.dataset.tag import PIXEL_DATA, tag_str
from agent.dataset.uid import EXPLICIT_VR_LE, MEDIA_STORAGE_DIRECTORY, uid_name
from agent.dataset.values import Element, Reference
from agent.errors import DecodeError, LimitError, NotDicomError
from agent.iod import modules, tables
from agent.iod.encoding import check_encoding
from agent.iod.modules import ERROR, WARNING, Finding
from agent.iod.pixel_data import Found, check_pixels
from agent.media import directory
from agent.media.lenient import odd_lengths
from agent.media.part10 import MAX_META_BYTES
from agent.transcode.frame_check import check_frames
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.media.file import DicomFile

# Longer values are bulk data, in which there is nothing to check but their length.
REFER_BYTES: Final = 1 << 20
_SOP_CLASS, _SOP_INSTANCE = 0x00080016, 0x00080018
DOCUMENT: Final = 0x00420011
_FILE: Final = "PS3.10 7.1"
_META_TYPE_1: Final = (0x00020000, 0x00020001, 0x00020002, 0x00020003, 0x00020010, 0x00020012)
# Notes about what is found again at its own element.
_FOUND_ELSEWHERE: Final = ("no Media Storage SOP", "no group length of File Meta")
_VERSION: Final = b"\0\1"


class Report(NamedTuple):
    """What was found in one file, and what it says it is."""

    sop_class: str
    transfer_syntax: str
    findings: list[Finding]


def check_file(
    path: str, *, frames: bool = True, watch: Callable[[int, int], None] = lambda _done, _frames: None
) -> Report:
    """Check one file.

    Args:
        path: Of a DICOM file.
        frames: Decode compressed frames too.
        watch: Called with the frames decoded and their number.

    Raises:
        FileError: It cannot be read.
        NotDicomError: It is no DICOM file, not even a broken one.
        LimitError: It is beyond what is read here.
    """
    try:
        with opened(path, lenient=True, refer_above=REFER_BYTES) as file:
            findings = list(dict.fromkeys(_findings(file)))
            if frames:
                findings += check_frames(file, watch)
            ds = file.dataset
            sop_class = ds.text(_SOP_CLASS) or file.meta.sop_class_uid
            return Report(uid_name(sop_class), uid_name(file.meta.transfer_syntax_uid), findings)
    except (NotDicomError, LimitError):  # nothing is said about the file
        raise
    except DecodeError as error:
        return Report("", "", [_damage(error)])


def _damage(error: DecodeError) -> Finding:
    """What stopped the decoder; nothing behind it can be judged."""
    where = "" if error.tag is None else tag_str(error.tag)
    message = error.message.replace(f" at {where}", "", 1) if where else error.message
    return Finding(ERROR, where, error.tag or 0, "PS3.5 7", "", "", message)


def _findings(file: DicomFile) -> Iterator[Finding]:
    elsewhere = odd_lengths(file.dataset, file.data_set_offset)
    for note in file.notes:
        if note not in elsewhere and not note.text.startswith(_FOUND_ELSEWHERE):
            yield Finding(ERROR, "", 0, _FILE, "", "", f"{note.text} (byte {note.offset})")
    yield from _meta(file)
    yield from check_encoding(file.dataset)
    yield from _directory(file)
    yield from _iod(file)
    yield from _pixels(file)


def _meta(file: DicomFile) -> Iterator[Finding]:
    """Group 0002: its own elements, and whether it speaks of the Data Set behind it."""
    length = file.data_set_offset - file.meta_offset
    if not 0 < length <= MAX_META_BYTES:
        return
    try:
        meta = decode(file.file_pread(length, file.meta_offset), EXPLICIT_VR_LE)
    except DecodeError as error:
        yield Finding(ERROR, "", 0, _FILE, "", "", f"File Meta Information is damaged: {error.message}")
        return
    yield from check_encoding(meta, meta=True)
    yield from modules.representation(meta)
    for tag in _META_TYPE_1:
        if not meta.get(tag):
            yield _meta_finding(tag, "is absent or empty" if tag in meta else "is absent")
    if meta.get(0x00020001) not in {_VERSION, None}:
        yield _meta_finding(0x00020001, "must be 00H 01H")
    for tag, own in ((0x00020002, _SOP_CLASS), (0x00020003, _SOP_INSTANCE)):
        said, wanted = meta.text(tag), file.dataset.text(own)
        if said and wanted and said != wanted:
            yield _meta_finding(tag, f"is {said}, and {tag_str(own)} is {wanted}")


def _meta_finding(tag: int, text: str) -> Finding:
    return Finding(ERROR, tag_str(tag), tag, _FILE, "", "", text)


def _directory(file: DicomFile) -> Iterator[Finding]:
    """What makes records of a DICOMDIR unreachable."""
    if not directory.is_directory(file):
        return
    syntax = file.meta.transfer_syntax_uid
    if syntax != EXPLICIT_VR_LE:
        text = f"a DICOMDIR is in Explicit VR Little Endian, not in {uid_name(syntax)}"
        yield Finding(ERROR, "", 0, "PS3.10 8.6", "", "", text)
    for path, tag, value in directory.stray_offsets(file):
        yield Finding(ERROR, path, tag, "Directory Information", "F.3-3", "", f"is {value}, and no record is there")


def _iod(file: DicomFile) -> Iterator[Finding]:
    ds = file.dataset
    value = file.pixel_value
    sop_class = ds.text(_SOP_CLASS)
    if sop_class not in tables.SOP_CLASSES:
        yield from modules.representation(ds)
        text = "is a SOP Class whose tables are not known here: its IOD is not checked"
        if not sop_class and file.meta.sop_class_uid != MEDIA_STORAGE_DIRECTORY:  # a DICOMDIR has none
            yield Finding(ERROR, tag_str(_SOP_CLASS), _SOP_CLASS, "SOP Common", "C.12-1", "1", "is absent")
        elif sop_class:
            yield Finding(WARNING, tag_str(_SOP_CLASS), _SOP_CLASS, "PS3.4 B.5", "", "", text)
        return
    if value is not None:  # the tables ask whether it is there; the decoder leaves it where it is
        ds = ds.copy()
        place = Reference(value.offset, max(value.length, 0), encapsulated=value.fragments is not None)
        ds.stored[value.tag] = Element(value.tag, value.vr, place)
    yield from modules.check(ds, pixel_data=True)
    yield from _bulk_document(file)
    yield from modules.check_items(ds)


def _bulk_document(file: DicomFile) -> Iterator[Finding]:
    """The first bytes of a document that was left in the file; the rules saw those of a small one."""
    value = file.dataset.get(DOCUMENT)
    if isinstance(value, Reference):
        from agent.iod.rules_document import HEAD_BYTES, first_bytes

        for _, text in first_bytes(file.dataset.text(_SOP_CLASS), file.pread(HEAD_BYTES, value.offset)):
            yield Finding(ERROR, tag_str(DOCUMENT), DOCUMENT, "Encapsulated Document", "C.24-2", "", text)


def _pixels(file: DicomFile) -> Iterator[Finding]:
    value = file.pixel_value
    if value is None or value.tag != PIXEL_DATA:
        return
    found = Found(value.vr, value.length, value.fragments, file.pread)
    yield from check_pixels(file.dataset, file.meta.transfer_syntax_uid, found)
