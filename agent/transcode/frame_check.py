"""Whether compressed frames can be decoded (PS3.5 8.2, A.4).

Each frame is read, decoded into one buffer that all frames share, and forgotten; what its own header says about rows,
columns, samples and bits is compared with the Data Set by the decoder. Memory is that of one frame, whatever their
number. Frames that the C core has no codec for, or that are laid out in a way it does not take, are not decoded; where
they are JPEG, it is still seen whether bytes stand behind their end markers, which might be a frame that nobody counts.
RLE has no end marker: there it is seen what the segments have beside the packets that the pixels need.
"""

from __future__ import annotations

from contextlib import suppress

from agent.dataset import uid
from agent.dataset.tag import PIXEL_DATA, tag_str
from agent.errors import DecodeError, LimitError, NativeArgumentError, NativeError
from agent.iod.modules import ERROR, WARNING, Finding
from agent.media import tile_parts
from agent.media.codestream import behind_end, near_of
from agent.media.reader import instance_of
from agent.media.rewrite import pixel_word
from agent.media.wavelet import is_irreversible
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.dataset.pixels import PixelDescription
    from agent.media.file import DicomFile
    from agent.media.reader import Instance

# Rows and Columns may lie: together they can ask for 12 GB. 8192 x 8192 pixels of three 16 bit samples fit.
MAX_FRAME_BYTES: Final = 512 << 20
# An encoder may make noise larger; nothing makes it twice as large, and padding and markers fit into the rest.
_CODED_FACTOR, _CODED_SLACK_BYTES = 2, 1 << 20
_STEP_BYTES: Final = 256 * 1024
# One broken encoder breaks every frame; after these they are counted.
FRAMES_NAMED: Final = 8
SECTIONS: Final = {
    uid.RLE_LOSSLESS: "PS3.5 A.4.2",
    uid.JPEG_BASELINE: "PS3.5 A.4.1",
    uid.JPEG_EXTENDED: "PS3.5 A.4.1",
    uid.JPEG_LOSSLESS: "PS3.5 A.4.1",
    uid.JPEG_LOSSLESS_SV1: "PS3.5 A.4.1",
    uid.JPEG_LS_LOSSLESS: "PS3.5 A.4.3",
    uid.JPEG_LS_NEAR: "PS3.5 A.4.3",
    uid.HTJ2K_LOSSLESS: "PS3.5 8.2.14",
}
_NO_CODEC: Final = (uid.JPEG_BASELINE, uid.JPEG_EXTENDED)


class Frames(NamedTuple):
    """The compressed frames of a file, and what each decodes to."""

    instance: Instance
    syntax: str
    description: PixelDescription
    decodes: bool  # False: no decoder here takes them


class Trouble(NamedTuple):
    """What is to be said of one frame, counted from 1."""

    frame: int
    text: str
    damage: bool  # False: it can be decoded all the same


def is_known(file: DicomFile) -> bool:
    """Whether there are compressed Pixel Data in a transfer syntax that is looked into here."""
    value = file.pixel_value
    return bool(
        file.meta.transfer_syntax_uid in SECTIONS and value and value.tag == PIXEL_DATA and value.fragments is not None
    )


def can_decode(file: DicomFile) -> bool:
    """Whether ``check_frames`` decodes compressed frames of that transfer syntax, and not only looks at their ends."""
    return is_known(file) and _has_decoder(file.meta.transfer_syntax_uid)


def damage_of(file: DicomFile) -> str:
    """The first reason why a file is not what its maker wrote: a frame that cannot be decoded; empty: none is seen."""
    found = check_frames(file, lambda _done, _of: None)
    return next((f"Pixel Data {one.text}" for one in found if one.severity == ERROR), "")


def frames_of(file: DicomFile) -> Frames:
    """The frames of a file with ``is_known``.

    Raises:
        DecodeError: They are not all there, or the Data Set does not describe them.
        LimitError: They are too large.
    """
    instance, syntax = instance_of(file), file.meta.transfer_syntax_uid
    assert instance.pixels is not None
    description = instance.pixels.description
    require_frame_size(description)
    if syntax != uid.RLE_LOSSLESS:  # JPEG is by pixel, whatever the attribute says (PS3.5 8.2)
        description = description._replace(planar_configuration=0)
    return Frames(instance, syntax, description, _has_decoder(syntax) and takes(description))


def _has_decoder(syntax: str) -> bool:
    from agent.native import compress

    return syntax not in _NO_CODEC and compress.is_available(syntax)


def require_frame_size(description: PixelDescription) -> None:
    """Raise ``LimitError`` where one frame is more than is held in memory."""
    if description.frame_bytes > MAX_FRAME_BYTES:
        raise LimitError(f"frames of {description.frame_bytes} bytes, more than {MAX_FRAME_BYTES}", tag=PIXEL_DATA)


def takes(description: PixelDescription) -> bool:
    """Whether the codecs take samples that lie in their words like this."""
    return description.bits_allocated in (8, 16) and description.high_bit == description.bits_stored - 1


def check_frames(file: DicomFile, watch: Callable[[int, int], None]) -> Iterator[Finding]:
    """Decode every frame of a file whose transfer syntax the C core has, and see where those of JPEG end.

    Args:
        file: An open file; its Pixel Data may be damaged.
        watch: Called with the frames done and their number.
    """
    if not is_known(file):
        return
    syntax = file.meta.transfer_syntax_uid
    try:
        found = frames_of(file)
    except DecodeError as error:
        where = "" if error.tag is None else f" at {tag_str(error.tag)}"
        why = error.message.removesuffix(where)
        if isinstance(error, LimitError):
            yield _finding(WARNING, f"is not decoded here: {why}", syntax)
        else:
            yield _finding(ERROR, f"cannot be taken apart into frames: {why}", syntax)
        return
    counts = {True: 0, False: 0}
    for frame, text, damage in troubles(found, watch):
        counts[damage] += 1
        if counts[damage] <= FRAMES_NAMED:
            yield _finding(ERROR if damage else WARNING, f"frame {frame} {text}", syntax)
    if counts[True] > FRAMES_NAMED:
        yield _finding(ERROR, f"has {counts[True]} frames that cannot be decoded", syntax)
    if counts[False] > FRAMES_NAMED:
        yield _finding(WARNING, f"has {counts[False]} frames with bytes behind their ends", syntax)


def troubles(found: Frames, watch: Callable[[int, int], None]) -> Iterator[Trouble]:
    """What is wrong with each frame: what the decoder says about it, and bytes that nobody decodes."""
    instance, syntax, description, decodes = found
    most = _CODED_FACTOR * description.frame_bytes + _CODED_SLACK_BYTES
    frames = instance.number_of_frames
    native = bytearray(description.frame_bytes if decodes else 0)
    for number in range(frames):
        length = sum(extent.length for extent in instance.frame_extents(number))
        if length > most:
            text = f"cannot be decoded: it has {length} bytes, and {description.frame_bytes} when it is decoded"
            yield Trouble(number + 1, text, damage=True)
            continue
        data = instance.read_frame(number)
        if decodes:
            why = _damage(data, syntax, description, native)
            if why:
                yield Trouble(number + 1, f"cannot be decoded: {why}", damage=True)
        if behind := bytes_behind(data, syntax, description):
            yield Trouble(number + 1, f"has {behind_text(behind, syntax)}", damage=False)
        watch(number + 1, frames)


def bytes_behind(data: bytes, syntax: str, description: PixelDescription) -> int:
    """How many bytes of a frame no decoder looks at; 0 where it is damaged, which its decoder says."""
    if syntax == uid.RLE_LOSSLESS:
        from agent.native.compress import rle_beside

        with suppress(NativeError):
            return rle_beside(data, description)
        return 0
    if syntax == uid.HTJ2K_LOSSLESS:
        return tile_parts.behind_end(data)
    return behind_end(data) if syntax in SECTIONS else 0


def behind_text(count: int, syntax: str) -> str:
    """What ``bytes_behind`` found, in words."""
    where = "beside the packets of its planes" if syntax == uid.RLE_LOSSLESS else "behind its end marker"
    return f"{bytes_text(count)} {where}"


def bytes_text(count: int) -> str:
    """A number of bytes in words."""
    return f"{count} byte{'s' * (count != 1)}"


def samples_behind(file: DicomFile, used: int) -> int:
    """How many bytes native Pixel Data have behind the ``used`` of their frames, without the zeros that pad."""
    value = file.pixel_value
    if value is None or value.fragments is not None:
        return 0
    at = start = end = value.offset + used + -used % pixel_word(file)
    while at < value.end:
        piece = file.pread(min(_STEP_BYTES, value.end - at), at)
        if not piece:
            raise DecodeError("the file ends before its pixels do", tag=PIXEL_DATA, offset=at)
        if meant := piece.rstrip(b"\0"):
            end = at + len(meant)
        at += len(piece)
    return end - start


def _damage(data: bytes, syntax: str, description: PixelDescription, native: bytearray) -> str:
    """Why a frame cannot be decoded; empty where it can."""
    from agent.native import compress

    try:
        compress.decode(data, syntax, description, out=native, lenient=True)
    except NativeArgumentError:
        return ""  # a layout that the decoder does not take; the tables say whether it is allowed
    except (NativeError, DecodeError) as error:
        return error.message.removeprefix(_prefix(error.message))
    lossy = loss_of(data, syntax)
    return f"it is {lossy}, and its transfer syntax says lossless" if lossy else ""


def loss_of(data: bytes, syntax: str) -> str:
    """What a frame says of its loss that its lossless transfer syntax denies; empty where nothing was lost."""
    if syntax == uid.JPEG_LS_LOSSLESS and near_of(data):
        return "near-lossless"
    return "irreversible" if syntax == uid.HTJ2K_LOSSLESS and is_irreversible(data) else ""


def _prefix(message: str) -> str:
    """What the decoder was doing, which the finding says better."""
    head, colon, _ = message.partition(": ")
    return head + colon if head.startswith("decoding ") else ""


def _finding(severity: str, text: str, syntax: str) -> Finding:
    return Finding(severity, tag_str(PIXEL_DATA), PIXEL_DATA, SECTIONS[syntax], "", "", text)
