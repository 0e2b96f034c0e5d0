"""One DICOM file into another transfer syntax, frame by frame, and proof that no sample changed.

Where the pixels only move (native to native, or into the syntax they are in) the file is copied in pieces; compressed
frames are decoded once all the same, because a damaged one is not to go on, and all the pixels of the copy are compared
with those of the source. Otherwise each frame is read, decoded, laid out as the target wants it (PS3.5 8.2), encoded
and written; room for the offset table is left in front and filled at the end. Memory is that of a few frames, whatever
their number.

``write`` makes the file; ``prove`` takes it, opened again like any other, and compares every frame, by digest, with
what the source held: until then the file is nothing. Where it is written and when it gets a name is the caller's. Lossy
frames are never decoded: that would hide what happened to them. The one lossy target is JPEG-LS Near-lossless, when
``near`` asks for it; its instance is a new one that names its source (PS3.3 C.7.6.1.1.5).
"""

from __future__ import annotations

import hashlib
import os
from functools import partial

from agent.dataset import encapsulate, uid
from agent.dataset.decode import Limits
from agent.dataset.encode import SEQUENCE_END, item_header
from agent.dataset.pixels import PixelDescription
from agent.dataset.tag import EXTENDED_OFFSET_TABLE, EXTENDED_OFFSET_TABLE_LENGTHS, PIXEL_DATA, tag_str
from agent.dataset.values import Element, Fragments, Reference
from agent.errors import DataSetError, DecodeError, EncodeError, IodError, LimitError
from agent.iod import codes, syntaxes
from agent.iod.image import add_lossy_step, require_no_padding
from agent.media.directory import require_no_directory
from agent.media.part10 import encode_prefix
from agent.media.reader import instance_of
from agent.media.rewrite import around_pixels, meta_of, pixel_word, rewrite
from agent.transcode import frame_codec
from agent.transcode.frame_check import (
    FRAMES_NAMED,
    behind_text,
    bytes_behind,
    bytes_text,
    frames_of,
    is_known,
    loss_of,
    samples_behind,
    troubles,
)
from agent.transcode.part_writer import Writer, swapped, write_plan
from agent.typed import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from agent.dataset.dataset import DataSet
    from agent.media.file import DicomFile
    from agent.media.reader import Instance
    from agent.media.rewrite import Part
    from agent.transcode.part_writer import Sink

    # Called with the step ("frames decoded", "bytes copied" ...), how many are done, and of how many.
    Watch = Callable[[str, int, int], None]

# Values longer than this are copied from file to file and never come into memory.
REFER_BYTES: Final = 64 * 1024
# An encoder may make a small frame of noise larger by its own headers; with this a frame's bound is safe.
_GROWTH_BYTES: Final = 4096
_RATIO_CHARACTERS: Final = 8
_ICON_HINT: Final = "A copy in the same syntax keeps it."
_BEHIND_HINT: Final = (
    "They may be a frame. --lenient leaves them out and says so; a copy in the same syntax keeps them."
)
_NATIVE_HINT: Final = (
    "Number of Frames and the pixels do not agree. With --lenient a copy in a native syntax keeps both and says so."
)


def _unwatched(_step: str, _done: int, _of: int) -> None:
    """Tell nobody how far it is."""


class Notes:
    """What is said of single frames: of the first few, and how many more there are."""

    __slots__ = ("_count", "_first")

    def __init__(self) -> None:
        self._count = 0
        self._first: list[str] = []

    def add(self, text: str) -> None:
        """Note something about one more frame."""
        self._count += 1
        if self._count <= FRAMES_NAMED:
            self._first.append(text)

    def __iter__(self) -> Iterator[str]:
        yield from self._first
        if self._count > FRAMES_NAMED:
            yield f"... and so of {self._count - FRAMES_NAMED} more frames"


class Job(Protocol):
    """What is to be done about one file; ``frames`` is how many were compared, once ``prove`` has returned.

    ``notes`` say what stood behind frames.
    """

    frames: int
    notes: Notes

    def write(self, sink: Sink, watch: Watch = _unwatched) -> str:
        """Write the new file; ``watch`` is told how far it is. Returns its SOP Instance UID.

        Raises ``DecodeError`` for a damaged source, ``DataSetError`` where the target may not hold it, and what the
        sink raises.
        """

    def prove(self, made: DicomFile, watch: Watch = _unwatched) -> None:
        """Compare what was written with what was read; raises ``EncodeError`` or ``DecodeError``."""


def job_of(file: DicomFile, syntax: str, near: int = 0, *, lenient: bool = False) -> Job:
    """Plan ``file``, opened with ``REFER_BYTES``, in another transfer syntax.

    Args:
        file: The source; it stays open until the job is done.
        syntax: Transfer Syntax UID; JPEG-LS Near-lossless exactly when ``near`` is not 0.
        near: Largest difference of a sample.
        lenient: Leave out what stands behind the ends of frames that are decoded, with a note.

    Raises:
        DataSetError: The source is damaged, lossy, or nothing that the target may hold.
    """
    require_no_directory(file)
    value, given = file.pixel_value, file.meta.transfer_syntax_uid
    if value is None or value.tag != PIXEL_DATA:
        if uid.is_encapsulated(syntax):
            what = "there are no pixels" if value is None else "pixels that are real numbers are not compressed"
            raise EncodeError(
                f"{what}: {uid.uid_name(syntax)} carries Pixel Data only", hint="Use explicit, implicit or deflated."
            )
        return _Copy(file, syntax)
    native = value.fragments is None
    if (syntax == given and not near) if not native else not uid.is_encapsulated(syntax):
        return _Copy(file, syntax, lenient=lenient)
    if uid.is_lossy(given):
        raise EncodeError(
            f"frames in {uid.uid_name(given)} are not decoded",
            hint="What a lossy codec has left out cannot be put back, and the file would no longer say so; keep it.",
        )
    if near:
        require_no_padding(file.dataset)
    _require_one_syntax(file.dataset)
    return _Frames(file, instance_of(file), syntax, near, lenient=lenient)


def _require_one_syntax(dataset: DataSet) -> None:
    """Raise where an item has compressed pixels of its own, as an icon may: nobody would name their syntax."""
    stack = [(dataset, tag) for tag in dataset.tags()]
    while stack:
        level, tag = stack.pop()
        for item in level.items_of(tag):
            pixels = item.stored.get(PIXEL_DATA)
            if isinstance(pixels, Element) and _is_compressed(pixels.value):
                text = f"the image in {tag_str(tag)} is compressed, too, and only frames of the instance are decoded"
                raise EncodeError(text, tag=PIXEL_DATA, hint=_ICON_HINT)
            stack += [(item, below) for below in item.tags()]


def _is_compressed(value: object) -> bool:
    return isinstance(value, Fragments) or (isinstance(value, Reference) and value.encapsulated)


class _Copy:
    """Pixels that only move; ``frames`` is known when they were compared."""

    def __init__(self, file: DicomFile, syntax: str, *, lenient: bool = False) -> None:
        self._file, self._syntax = file, syntax
        self.frames = 0
        self.notes = Notes()
        self._lenient = lenient

    def write(self, sink: Sink, watch: Watch = _unwatched) -> str:
        found = frames_of(self._file) if is_known(self._file) else None
        for frame, text, damage in troubles(found, partial(watch, "frames decoded")) if found is not None else ():
            if damage:
                raise DecodeError(f"frame {frame} {text}", tag=PIXEL_DATA)
            self.notes.add(f"frame {frame} {text}; they are copied as they are")
        plan = rewrite(self._file, transfer_syntax_uid=self._syntax)
        if plan.deflate:
            _require_inflatable(_bytes_of(plan.parts))
        if (wrong := _miscounted(self._file)) is not None:
            if not self._lenient:
                raise wrong
            self.notes.add(f"{wrong.message}; they are copied as they are")
        copied = sum(part.length for part in plan.parts if isinstance(part, Reference))
        write_plan(plan, sink, self._file.pread, lambda done: watch("bytes copied", done, copied))
        return self._file.dataset.text("SOPInstanceUID")

    def prove(self, made: DicomFile, watch: Watch = _unwatched) -> None:
        ours, theirs = made.pixel_value, self._file.pixel_value
        if _pixel_digest(made, watch) != _pixel_digest(self._file, watch):
            raise EncodeError("the copy does not hold the pixels of its source", tag=theirs and theirs.tag)
        if len(made.dataset) < len(self._file.dataset) - _group_lengths(self._file.dataset) or bool(ours) != bool(
            theirs
        ):
            raise EncodeError("the copy does not hold every attribute of its source")
        self.frames = _frames_in(made)


def _miscounted(file: DicomFile) -> DecodeError | None:
    """Native pixels that are not as many frames as the Data Set says; None, too, where nothing describes them."""
    value = file.pixel_value
    if value is None or value.tag != PIXEL_DATA or value.fragments is not None:
        return None
    try:
        description = PixelDescription.from_data_set(file.dataset)
        used = instance_of(file).number_of_frames * description.frame_bytes
    except (IodError, LimitError):
        return None
    except DecodeError as error:
        error.hint = _NATIVE_HINT
        return error
    behind = samples_behind(file, used)
    if not behind:
        return None
    return DecodeError(f"Pixel Data have {_behind_frames(behind)}", tag=PIXEL_DATA, hint=_NATIVE_HINT)


def _behind_frames(count: int) -> str:
    return f"{bytes_text(count)} behind the last frame"


def _bytes_of(parts: Iterable[Part]) -> int:
    return sum(part.length if isinstance(part, Reference) else len(part) for part in parts)


def _require_inflatable(size: int) -> None:
    """Raise where what is deflated could not be inflated again, by the proof or by another small reader."""
    most = Limits().total_bytes
    if size > most:
        raise LimitError(
            f"a Data Set of {size} bytes is not deflated: no more than {most} are inflated again",
            hint="What is deflated is read as a whole; '--to explicit' and '--to rle' have no such limit.",
        )


def _frames_in(file: DicomFile) -> int:
    """How many frames the pixels hold; 0 where they are not taken apart, as in video."""
    try:
        return instance_of(file).number_of_frames
    except DecodeError:
        return 0


def _group_lengths(dataset: DataSet) -> int:
    return sum(1 for tag in dataset.tags() if not tag & 0xFFFF)


def _pixel_digest(file: DicomFile, watch: Watch) -> bytes:
    """Of native samples, or of fragments without the padding that may follow."""
    value = file.pixel_value
    digest = hashlib.sha256()
    at, end = (value.offset, value.end) if value is not None else (0, 0)
    word, whole = pixel_word(file), end - at
    while at < end:
        piece = file.pread(min(1 << 18, end - at), at)
        if not piece:
            raise DecodeError("the file ends before its pixels do", tag=PIXEL_DATA, offset=at)
        at += len(piece)
        digest.update(swapped(piece, word))
        watch("bytes compared", whole - (end - at), whole)
    if value is not None and value.length > 0 and value.length & 1:
        digest.update(b"\0")  # the copy is padded
    return digest.digest()


class _Frames:
    """Pixels that are decoded and encoded anew."""

    def __init__(self, file: DicomFile, instance: Instance, syntax: str, near: int, *, lenient: bool) -> None:
        assert instance.pixels is not None
        self.notes = Notes()
        self._lenient = lenient
        self._file, self._instance, self._syntax, self._near = file, instance, syntax, near
        self.frames = instance.number_of_frames
        given = instance.pixels.description
        self._decode = frame_codec.decoder_of(file, given, self.frames)
        self._given = frame_codec.by_pixel(given) if frame_codec.is_jpeg(file.meta.transfer_syntax_uid) else given
        self._target = frame_codec.coded(self._given, file.meta.transfer_syntax_uid, syntax)
        syntaxes.require(syntax, self._target)
        self._overlays = frame_codec.overlays_in_bits(file.dataset)
        self._encode, self._back = frame_codec.codec_of(syntax, self._target, near, self._overlays)
        if behind := samples_behind(file, self.frames * given.frame_bytes):
            self._leave_out("Pixel Data have", _behind_frames(behind), _NATIVE_HINT)
        self._lengths: list[int] = []
        self._digests: list[bytes] = []
        self._instance_uid = file.dataset.text("SOPInstanceUID") or file.meta.sop_instance_uid
        self._new_uid = uid.uid_from_int128(int.from_bytes(os.urandom(16))) if near else ""
        bound = self.frames * (given.frame_bytes * 9 // 8 + _GROWTH_BYTES)
        self._extended = bound > encapsulate.MAX_BASIC_OFFSET

    # --- writing ---------------------------------------------------------------------------

    def write(self, sink: Sink, watch: Watch = _unwatched) -> str:
        writer = Writer(sink, self._file.pread)
        head, tail = self._around()
        if self._syntax == uid.DEFLATED_EXPLICIT_VR_LE:
            _require_inflatable(_bytes_of([*head, *tail]) + self.frames * self._target.frame_bytes)
        dataset = self._attributes()
        prefix = encode_prefix(meta_of(self._file, dataset, self._syntax))
        writer.write(prefix)
        if self._syntax == uid.DEFLATED_EXPLICIT_VR_LE:
            writer.deflate()
        writer.parts(head)
        if uid.is_encapsulated(self._syntax):
            self._encapsulate(sink, writer, watch)
        else:
            for number in range(self.frames):
                writer.write(self._coded(number))
                watch("frames written", number + 1, self.frames)
        writer.parts(tail)
        writer.finish()
        if self._extended or self._near:  # the head holds what is known only now, in the same room
            sink.seek(len(prefix))
            writer.parts(self._around()[0])
        return dataset.text("SOPInstanceUID") or self._instance_uid

    def _encapsulate(self, sink: Sink, writer: Writer, watch: Watch) -> None:
        entries = 0 if self._extended else self.frames
        table_at = sink.tell()
        writer.write(item_header(4 * entries) + bytes(4 * entries))
        for number in range(self.frames):
            frame = self._coded(number)
            self._lengths.append(len(frame) + (len(frame) & 1))
            writer.write(encapsulate.fragment_header(len(frame)))
            writer.write(frame)
            writer.write(b"\0" * (len(frame) & 1))
            watch("frames written", number + 1, self.frames)
        writer.write(SEQUENCE_END)
        if entries:
            table = encapsulate.basic_offset_table(encapsulate.offsets_of(self._lengths))
            sink.write_at(table_at, item_header(len(table)) + table)

    def _coded(self, number: int) -> bytes:
        """One frame as the target has it; remembers what must come out of it."""
        data = self._instance.read_frame(number)
        try:
            return self._recoded(data, f"frame {number + 1}")
        except DataSetError as error:
            if not error.message.startswith("frame "):
                error.message = f"frame {number + 1}: {error.message}"
            raise

    def _recoded(self, data: bytes, frame: str) -> bytes:
        given = self._file.meta.transfer_syntax_uid
        if lossy := loss_of(data, given):
            raise DecodeError(f"{frame} is {lossy}, whatever its transfer syntax says", tag=PIXEL_DATA)
        if behind := bytes_behind(data, given, self._given):
            self._leave_out(f"{frame} has", behind_text(behind, given))
        if given == uid.ENCAPSULATED_UNCOMPRESSED and (more := data[self._given.frame_bytes :].rstrip(b"\0")):
            self._leave_out(f"{frame} has", f"{bytes_text(len(more))} behind its samples")
        native = self._decode(data)
        if self._given.planar_configuration != self._target.planar_configuration:
            native = frame_codec.interleaved(native, self._given)
        if frame_codec.is_jpeg(self._syntax):
            frame_codec.require_plain_bits(native, self._target, self._overlays)
        coded = self._encode(native)
        kept = native
        if self._near:
            from agent.native.frame import frame_difference

            kept = self._back(coded)
            worst = frame_difference(native, kept, self._target)
            if worst > self._near:
                raise EncodeError(f"{frame} would differ by {worst}, more than {self._near}", tag=PIXEL_DATA)
        self._digests.append(hashlib.sha256(kept).digest())
        return coded

    def _leave_out(self, has: str, what: str, hint: str = _BEHIND_HINT) -> None:
        """Bytes that no decoder looks at: they may be a frame that nobody counts."""
        text = f"{has} {what}"
        if not self._lenient:
            raise DecodeError(f"{text}, which would be lost", tag=PIXEL_DATA, hint=hint)
        self.notes.add(f"{text}; they were left out")

    def _around(self) -> tuple[list[Any], list[Any]]:
        return around_pixels(self._attributes(), self._syntax, self.frames * self._target.frame_bytes)

    def _attributes(self) -> DataSet:
        """The attributes of the new file; of the same encoded length before and after the frames are known."""
        dataset = self._file.dataset.copy()
        for tag in (EXTENDED_OFFSET_TABLE, EXTENDED_OFFSET_TABLE_LENGTHS):
            dataset.stored.pop(tag, None)
        if self._target.samples_per_pixel > 1:
            dataset["PlanarConfiguration"] = self._target.planar_configuration
            dataset["PhotometricInterpretation"] = self._target.photometric_interpretation
        if uid.is_encapsulated(self._syntax) and self._extended:
            lengths = self._lengths or [0] * self.frames
            offsets = encapsulate.offsets_of(lengths)
            dataset.set(EXTENDED_OFFSET_TABLE, encapsulate.extended_offset_table(offsets), vr="OV")
            dataset.set(EXTENDED_OFFSET_TABLE_LENGTHS, encapsulate.extended_offset_table(lengths), vr="OV")
        if self._near:
            native = self.frames * self._target.frame_bytes
            _say_lossy(dataset, self._new_uid, self._near, native / (sum(self._lengths) or native))
        return dataset

    # --- proof -----------------------------------------------------------------------------

    def prove(self, made: DicomFile, watch: Watch = _unwatched) -> None:
        instance = instance_of(made)
        if instance.number_of_frames != self.frames:
            raise EncodeError(f"{instance.number_of_frames} frames came out of {self.frames}", tag=PIXEL_DATA)
        for number, digest in enumerate(self._digests):
            if hashlib.sha256(self._back(instance.read_frame(number))).digest() != digest:
                raise EncodeError(f"frame {number + 1} does not come back as it was", tag=PIXEL_DATA)
            watch("frames compared", number + 1, self.frames)


# --- lossy --------------------------------------------------------------------------------------


def _say_lossy(dataset: DataSet, new_uid: str, near: int, ratio: float) -> None:
    """A derived instance with its source and its loss (PS3.3 C.7.6.1.1.5, C.12.4)."""
    from agent.dataset.dataset import DataSet
    from agent.native import compress

    source = DataSet(
        {
            "ReferencedSOPClassUID": dataset.text("SOPClassUID"),
            "ReferencedSOPInstanceUID": dataset.text("SOPInstanceUID"),
            "PurposeOfReferenceCodeSequence": [codes.UNCOMPRESSED_PREDECESSOR.item()],
        }
    )
    dataset["SOPInstanceUID"] = new_uid
    dataset["SourceImageSequence"] = [*dataset.items_of("SourceImageSequence"), source]
    dataset["DerivationCodeSequence"] = [*dataset.items_of("DerivationCodeSequence"), codes.LOSSY_COMPRESSION.item()]
    told = dataset.text("DerivationDescription")
    step = f"JPEG-LS near-lossless, no sample differs by more than {near}"
    dataset["DerivationDescription"] = f"{told}; {step}" if told else step
    kinds = dataset.values_of("ImageType")
    if kinds:
        dataset["ImageType"] = ["DERIVED", *kinds[1:]]
    said = f"{min(ratio, 99999.0):.6f}"[:_RATIO_CHARACTERS]  # of one length, whatever the ratio
    add_lossy_step(dataset, said, compress.lossy_method(uid.JPEG_LS_NEAR))
