"""Whether compressed frames can be decoded (PS3.5 8.2, A.4).

Each frame is read, decoded into one buffer that all frames share, and forgotten; what its own header says about rows,
columns, samples and bits is compared with the Data Set by the decoder. Memory is that of one frame, whatever their
number. Frames that the C core has no codec for, or that are laid out in a way it does not take, are left alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from agent.dataset import uid
from agent.dataset.tag import PIXEL_DATA, tag_str
from agent.errors import DecodeError, NativeArgumentError, NativeError
from agent.iod.modules import ERROR, WARNING, Finding
from agent.media.codestream import near_of
from agent.media.reader import instance_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.dataset.pixels import PixelDescription
    from agent.media.file import DicomFile
    from agent.media.reader import Instance

# Rows and Columns may lie: together they can ask for 12 GB. 8192 x 8192 pixels of three 16 bit samples fit.
MAX_FRAME_BYTES: Final = 512 << 20
# An encoder may make noise larger; nothing makes it twice as large, and padding and markers fit into the rest.
_CODED_FACTOR, _CODED_SLACK_BYTES = 2, 1 << 20
# One broken encoder breaks every frame; after these they are counted.
_FRAMES_NAMED: Final = 8
SECTIONS: Final = {
    uid.RLE_LOSSLESS: "PS3.5 A.4.2",
    uid.JPEG_LOSSLESS: "PS3.5 A.4.1",
    uid.JPEG_LOSSLESS_SV1: "PS3.5 A.4.1",
    uid.JPEG_LS_LOSSLESS: "PS3.5 A.4.3",
    uid.JPEG_LS_NEAR: "PS3.5 A.4.3",
}


class Decodable(NamedTuple):
    """A file whose frames can be decoded here, and what each decodes to."""

    instance: Instance
    syntax: str
    description: PixelDescription


def has_codec(file: DicomFile) -> bool:
    """Whether there are compressed Pixel Data in a transfer syntax that the C core has."""
    value = file.pixel_value
    return bool(
        file.meta.transfer_syntax_uid in SECTIONS and value and value.tag == PIXEL_DATA and value.fragments is not None
    )


def decodable(file: DicomFile) -> Decodable | None:
    """The frames of a file with ``has_codec``; None where their layout is none that the decoders take.

    Raises:
        DecodeError: They are not all there, or the Data Set does not describe them.
    """
    instance, syntax = instance_of(file), file.meta.transfer_syntax_uid
    assert instance.pixels is not None
    description = instance.pixels.description
    if description.bits_allocated not in (8, 16) or description.high_bit != description.bits_stored - 1:
        return None
    if syntax != uid.RLE_LOSSLESS:  # JPEG is by pixel, whatever the attribute says (PS3.5 8.2)
        description = description._replace(planar_configuration=0)
    return Decodable(instance, syntax, description)


def check_frames(file: DicomFile, watch: Callable[[int, int], None]) -> Iterator[Finding]:
    """Decode every frame of a file whose transfer syntax the C core has.

    Args:
        file: An open file; its Pixel Data may be damaged.
        watch: Called with the frames done and their number.
    """
    if not has_codec(file):
        return
    syntax = file.meta.transfer_syntax_uid
    try:
        found = decodable(file)
    except DecodeError as error:
        where = "" if error.tag is None else f" at {tag_str(error.tag)}"
        yield _finding(ERROR, f"cannot be taken apart into frames: {error.message.removesuffix(where)}", syntax)
        return
    if found is None:
        return
    if found.description.frame_bytes > MAX_FRAME_BYTES:
        text = f"has frames of {found.description.frame_bytes} bytes, which are not decoded here"
        yield _finding(WARNING, text, syntax)
        return
    damaged = 0
    for number, why in undecodable(found, watch):
        damaged += 1
        if damaged <= _FRAMES_NAMED:
            yield _finding(ERROR, f"frame {number} cannot be decoded: {why}", syntax)
    if damaged > _FRAMES_NAMED:
        yield _finding(ERROR, f"has {damaged} frames that cannot be decoded", syntax)


def undecodable(found: Decodable, watch: Callable[[int, int], None]) -> Iterator[tuple[int, str]]:
    """Numbers of damaged frames, from 1, and what the decoder says about them; nothing of frames that are too large."""
    from agent.native import compress

    instance, syntax, description = found
    if description.frame_bytes > MAX_FRAME_BYTES:
        return
    most = _CODED_FACTOR * description.frame_bytes + _CODED_SLACK_BYTES
    frames = instance.number_of_frames
    native = bytearray(description.frame_bytes)
    for number in range(frames):
        length = sum(extent.length for extent in instance.frame_extents(number))
        if length > most:
            yield number + 1, f"it has {length} bytes, and {description.frame_bytes} when it is decoded"
            continue
        data = instance.read_frame(number)
        try:
            compress.decode(data, syntax, description, out=native)
            if syntax == uid.JPEG_LS_LOSSLESS and near_of(data):
                yield number + 1, "it is near-lossless, and its transfer syntax says lossless"
        except NativeArgumentError:
            return  # a layout that the decoder does not take; the tables say whether it is allowed
        except (NativeError, DecodeError) as error:
            yield number + 1, error.message.removeprefix(_prefix(error.message))
        watch(number + 1, frames)


def _prefix(message: str) -> str:
    """What the decoder was doing, which the finding says better."""
    head, colon, _ = message.partition(": ")
    return head + colon if head.startswith("decoding ") else ""


def _finding(severity: str, text: str, syntax: str) -> Finding:
    return Finding(severity, tag_str(PIXEL_DATA), PIXEL_DATA, SECTIONS[syntax], "", "", text)
