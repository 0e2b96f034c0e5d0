"""A file written anew from one that was read: other attributes, another transfer syntax, the same pixels.

The result is a plan and no bytes of pixels: ``parts`` are bytes, and ``Reference`` to bytes of the source that the
writer copies (with their words swapped where ``word`` says so). Its memory does not depend on the size of the file.
What is written obeys PS3.10 and PS3.5 whatever the source did, with the File Meta Information of the Data Set's own
SOP Class and Instance UID.

Pixels can go from any native transfer syntax to any other, and stay in the encapsulated one they are in. Everything
else needs a codec and happens frame by frame elsewhere (``agent.transcode``), which takes its head and tail from
here: ``around_pixels``.
"""

from __future__ import annotations

from agent.dataset.encode import SEQUENCE_END, encode_parts
from agent.dataset.tag import BITS_ALLOCATED, PIXEL_DATA
from agent.dataset.uid import (
    DEFLATED_EXPLICIT_VR_LE,
    EXPLICIT_VR_BE,
    EXPLICIT_VR_LE,
    is_encapsulated,
    uid_name,
)
from agent.dataset.values import Element, Reference
from agent.errors import EncodeError
from agent.media.directory import require_no_directory
from agent.media.part10 import FileMeta, encode_prefix
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent.dataset.dataset import DataSet
    from agent.media.file import DicomFile

Part = bytes | Reference
_SOP_CLASS_UID, _SOP_INSTANCE_UID = 0x00080016, 0x00080018


class Plan(NamedTuple):
    """What to write: ``prefix`` as it is, ``parts`` behind it, deflated where ``deflate`` says so."""

    prefix: bytes
    parts: list[Part]
    deflate: bool


def rewrite(
    file: DicomFile,
    *,
    changes: DataSet | None = None,
    removed: Iterable[int] = (),
    transfer_syntax_uid: str | None = None,
) -> Plan:
    """Plan a copy.

    Args:
        file: The source; references count in its ``pread``.
        changes: Elements to replace or add; their SOP Instance UID, if any, becomes that of the file.
        removed: Tags to leave out.
        transfer_syntax_uid: Native for native pixels, else that of the source; None: that of the source, where it may
            still be written (Explicit VR Big Endian becomes Little Endian).

    Raises:
        EncodeError: A rule of the Data Set is broken, or the pixels would have to be compressed or decompressed.
            A DICOMDIR, whose records are found by their place in the file.
    """
    require_no_directory(file)
    syntax = transfer_syntax_uid or file.meta.transfer_syntax_uid
    if syntax == EXPLICIT_VR_BE and transfer_syntax_uid is None:
        syntax = EXPLICIT_VR_LE
    _check_pixels(file, syntax)
    dataset = file.dataset.copy()
    if file.pixel_value is not None:
        value = file.pixel_value
        place = Reference(
            value.offset, value.end - value.offset, encapsulated=value.fragments is not None, word=pixel_word(file)
        )
        vr = _pixel_vr(dataset, value.vr) if value.tag == PIXEL_DATA and not place.encapsulated else value.vr
        dataset.stored[value.tag] = Element(value.tag, vr, place)
    for tag in removed:
        dataset.stored.pop(tag, None)
    if changes is not None:
        dataset.update(changes)
    parts = _parts(dataset, syntax)
    if (
        file.pixel_value is not None
        and file.pixel_value.fragments is not None
        and not file.pixel_value.fragments.closed
    ):
        parts.append(SEQUENCE_END)  # the file ended there, so that nothing stands behind
    return Plan(encode_prefix(meta_of(file, dataset, syntax)), parts, _is_deflated(syntax))


def around_pixels(dataset: DataSet, transfer_syntax_uid: str, length: int) -> tuple[list[Part], list[Part]]:
    """What stands in front of the value of Pixel Data and what behind it.

    Args:
        dataset: Without Pixel Data.
        transfer_syntax_uid: Encapsulated or native; that decides the header of Pixel Data.
        length: Of native pixels; the padding of an odd one is among what stands behind.

    Raises:
        EncodeError: A rule of the Data Set is broken.
    """
    encapsulated = is_encapsulated(transfer_syntax_uid)
    place = Reference(0, 2 if encapsulated else length, encapsulated=encapsulated)  # even: nothing to pad
    whole = dataset.copy()
    vr = "OB" if encapsulated else _pixel_vr(dataset, "OB")
    whole.stored[PIXEL_DATA] = Element(PIXEL_DATA, vr, place)
    parts = _parts(whole, transfer_syntax_uid)
    at = next(number for number, part in enumerate(parts) if part is place)
    return parts[:at], parts[at + 1 :]


def meta_of(file: DicomFile, dataset: DataSet, transfer_syntax_uid: str) -> FileMeta:
    """File Meta Information that agrees with the Data Set."""
    return FileMeta(
        dataset.text(_SOP_CLASS_UID) or file.meta.sop_class_uid,
        dataset.text(_SOP_INSTANCE_UID) or file.meta.sop_instance_uid,
        transfer_syntax_uid,
        _ae_title(file.meta.source_ae_title),
    )


def pixel_word(file: DicomFile) -> int:
    """Bytes of the big endian words that the pixels are in; 1 where nothing is to be swapped (PS3.5 7.3)."""
    value = file.pixel_value
    if value is None or file.meta.transfer_syntax_uid != EXPLICIT_VR_BE or value.vr == "OB":
        return 1
    if value.tag != PIXEL_DATA:
        return 4 if value.vr == "OF" else 8
    bits = file.dataset.get(BITS_ALLOCATED, 16)
    return max(2, bits // 8) if isinstance(bits, int) and bits % 8 == 0 and bits <= 64 else 2


def _pixel_vr(dataset: DataSet, vr: str) -> str:
    """OW above 8 bits allocated; below, what it was (PS3.5 A.2)."""
    bits = dataset.get(BITS_ALLOCATED, 16)
    return "OW" if not isinstance(bits, int) or bits > 8 else vr


def _parts(dataset: DataSet, syntax: str) -> list[Part]:
    return encode_parts(dataset, EXPLICIT_VR_LE if _is_deflated(syntax) else syntax, canonical=True)


def _is_deflated(syntax: str) -> bool:
    return syntax == DEFLATED_EXPLICIT_VR_LE


def _ae_title(text: str) -> str:
    """The Source AE Title if it is one: what a lenient reader took from a file may be anything."""
    fits = text.isascii() and text.isprintable() and text.strip() and "\\" not in text and len(text) <= 16
    return text if fits else ""


def _check_pixels(file: DicomFile, syntax: str) -> None:
    value = file.pixel_value
    if value is None:
        return
    if value.fragments is not None:
        if syntax != file.meta.transfer_syntax_uid or not is_encapsulated(syntax):
            raise EncodeError(
                f"pixels in {uid_name(file.meta.transfer_syntax_uid)} cannot be copied into {uid_name(syntax)}",
                tag=value.tag,
            )
    elif is_encapsulated(syntax) and value.tag == PIXEL_DATA:
        raise EncodeError(f"native pixels cannot be copied into {uid_name(syntax)}", tag=value.tag)
