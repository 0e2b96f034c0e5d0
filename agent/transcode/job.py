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
import operator
import os
from array import array
from typing import TYPE_CHECKING, Any, Final, Protocol

from agent.dataset import encapsulate, uid
from agent.dataset.encode import SEQUENCE_END, item_header
from agent.dataset.tag import EXTENDED_OFFSET_TABLE, EXTENDED_OFFSET_TABLE_LENGTHS, PIXEL_DATA
from agent.errors import DecodeError, EncodeError, IodError, NativeError
from agent.iod import codes, syntaxes
from agent.iod.image import add_lossy_step, require_no_padding
from agent.media.codestream import near_of
from agent.media.part10 import encode_prefix
from agent.media.reader import instance_of
from agent.media.rewrite import around_pixels, meta_of, pixel_word, rewrite
from agent.transcode.frame_check import decodable, has_codec, undecodable
from agent.transcode.part_writer import Writer, swapped, write_plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.dataset.dataset import DataSet
    from agent.dataset.pixels import PixelDescription
    from agent.media.file import DicomFile
    from agent.media.reader import Instance
    from agent.transcode.part_writer import Sink

# Values longer than this are copied from file to file and never come into memory.
REFER_BYTES: Final = 64 * 1024
# An encoder may make a small frame of noise larger by its own headers; with this a frame's bound is safe.
_GROWTH_BYTES: Final = 4096
_RATIO_CHARACTERS: Final = 8


class Job(Protocol):
    """What is to be done about one file; ``frames`` is how many were compared, once ``prove`` has returned."""

    frames: int

    def write(self, sink: Sink, watch: Callable[[int, int], None]) -> str:
        """Write the new file; ``watch`` is called with the frames done and their number. Returns its SOP Instance UID.

        Raises ``DecodeError`` for a damaged source, ``DataSetError`` where the target may not hold it, and what the
        sink raises.
        """

    def prove(self, made: DicomFile) -> None:
        """Compare what was written with what was read; raises ``EncodeError`` or ``DecodeError``."""


def job_of(file: DicomFile, syntax: str, near: int = 0) -> Job:
    """Plan ``file``, opened with ``REFER_BYTES``, in another transfer syntax.

    Args:
        file: The source; it stays open until the job is done.
        syntax: Transfer Syntax UID; JPEG-LS Near-lossless exactly when ``near`` is not 0.
        near: Largest difference of a sample.

    Raises:
        DataSetError: The source is damaged, lossy, or nothing that the target may hold.
    """
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
        return _Copy(file, syntax)
    if uid.is_lossy(given):
        raise EncodeError(
            f"frames in {uid.uid_name(given)} are not decoded",
            hint="What a lossy codec has left out cannot be put back, and the file would no longer say so; keep it.",
        )
    if near:
        require_no_padding(file.dataset)
    return _Frames(file, instance_of(file), syntax, near)


class _Copy:
    """Pixels that only move; ``frames`` is known when they were compared."""

    def __init__(self, file: DicomFile, syntax: str) -> None:
        self._file, self._syntax = file, syntax
        self.frames = 0

    def write(self, sink: Sink, watch: Callable[[int, int], None]) -> str:
        found = decodable(self._file) if has_codec(self._file) else None
        for number, why in undecodable(found, watch) if found is not None else ():
            raise DecodeError(f"frame {number} cannot be decoded: {why}", tag=PIXEL_DATA)
        plan = rewrite(self._file, transfer_syntax_uid=self._syntax)
        write_plan(plan, sink, self._file.pread)
        return self._file.dataset.text("SOPInstanceUID")

    def prove(self, made: DicomFile) -> None:
        ours, theirs = made.pixel_value, self._file.pixel_value
        if _pixel_digest(made) != _pixel_digest(self._file):
            raise EncodeError("the copy does not hold the pixels of its source", tag=theirs and theirs.tag)
        if len(made.dataset) < len(self._file.dataset) - _group_lengths(self._file.dataset) or bool(ours) != bool(
            theirs
        ):
            raise EncodeError("the copy does not hold every attribute of its source")
        self.frames = _frames_in(made)


def _frames_in(file: DicomFile) -> int:
    """How many frames the pixels hold; 0 where they are not taken apart, as in video."""
    try:
        return instance_of(file).number_of_frames
    except DecodeError:
        return 0


def _group_lengths(dataset: DataSet) -> int:
    return sum(1 for tag in dataset.tags() if not tag & 0xFFFF)


def _pixel_digest(file: DicomFile) -> bytes:
    """Of native samples, or of fragments without the padding that may follow."""
    value = file.pixel_value
    digest = hashlib.sha256()
    at, end = (value.offset, value.end) if value is not None else (0, 0)
    word = pixel_word(file)
    while at < end:
        piece = file.pread(min(1 << 18, end - at), at)
        if not piece:
            raise DecodeError("the file ends before its pixels do", tag=PIXEL_DATA, offset=at)
        at += len(piece)
        digest.update(swapped(piece, word))
    if value is not None and value.length > 0 and value.length & 1:
        digest.update(b"\0")  # the copy is padded
    return digest.digest()


class _Frames:
    """Pixels that are decoded and encoded anew."""

    def __init__(self, file: DicomFile, instance: Instance, syntax: str, near: int) -> None:
        assert instance.pixels is not None
        self._file, self._instance, self._syntax, self._near = file, instance, syntax, near
        self.frames = instance.number_of_frames
        given = instance.pixels.description
        self._decode = _decoder(file, given, self.frames)
        self._given = _by_pixel(given) if _is_jpeg(file.meta.transfer_syntax_uid) else given
        self._target = _by_pixel(self._given) if _is_jpeg(syntax) else self._given
        syntaxes.require(syntax, self._target)
        self._encode, self._back = _codec(syntax, self._target, near)
        self._lengths: list[int] = []
        self._digests: list[bytes] = []
        self._instance_uid = file.dataset.text("SOPInstanceUID") or file.meta.sop_instance_uid
        self._new_uid = uid.uid_from_int128(int.from_bytes(os.urandom(16))) if near else ""
        bound = self.frames * (given.frame_bytes * 9 // 8 + _GROWTH_BYTES)
        self._extended = bound > encapsulate.MAX_BASIC_OFFSET

    # --- writing ---------------------------------------------------------------------------

    def write(self, sink: Sink, watch: Callable[[int, int], None]) -> str:
        writer = Writer(sink, self._file.pread)
        head, tail = self._around()
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
                watch(number + 1, self.frames)
        writer.parts(tail)
        writer.finish()
        if self._extended or self._near:  # the head holds what is known only now, in the same room
            sink.seek(len(prefix))
            writer.parts(self._around()[0])
        return dataset.text("SOPInstanceUID") or self._instance_uid

    def _encapsulate(self, sink: Sink, writer: Writer, watch: Callable[[int, int], None]) -> None:
        entries = 0 if self._extended else self.frames
        table_at = sink.tell()
        writer.write(item_header(4 * entries) + bytes(4 * entries))
        for number in range(self.frames):
            frame = self._coded(number)
            self._lengths.append(len(frame) + (len(frame) & 1))
            writer.write(encapsulate.fragment_header(len(frame)))
            writer.write(frame)
            writer.write(b"\0" * (len(frame) & 1))
            watch(number + 1, self.frames)
        writer.write(SEQUENCE_END)
        if entries:
            table = encapsulate.basic_offset_table(encapsulate.offsets_of(self._lengths))
            sink.write_at(table_at, item_header(len(table)) + table)

    def _coded(self, number: int) -> bytes:
        """One frame as the target has it; remembers what must come out of it."""
        data = self._instance.read_frame(number)
        if self._file.meta.transfer_syntax_uid == uid.JPEG_LS_LOSSLESS and near_of(data):
            raise DecodeError(f"frame {number + 1} is near-lossless, whatever its transfer syntax says", tag=PIXEL_DATA)
        try:
            native = self._decode(data)
        except DecodeError as error:
            error.message = f"frame {number + 1}: {error.message}"
            raise
        if self._given.planar_configuration != self._target.planar_configuration:
            native = _interleaved(native, self._given)
        coded = self._encode(native)
        kept = native
        if self._near:
            kept = self._back(coded)
            worst = _difference(native, kept, self._target)
            if worst > self._near:
                raise EncodeError(f"frame {number + 1} would differ by {worst}, more than {self._near}", tag=PIXEL_DATA)
        self._digests.append(hashlib.sha256(kept).digest())
        return coded

    def _around(self) -> tuple[list[Any], list[Any]]:
        return around_pixels(self._attributes(), self._syntax, self.frames * self._target.frame_bytes)

    def _attributes(self) -> DataSet:
        """The attributes of the new file; of the same encoded length before and after the frames are known."""
        dataset = self._file.dataset.copy()
        for tag in (EXTENDED_OFFSET_TABLE, EXTENDED_OFFSET_TABLE_LENGTHS):
            dataset.stored.pop(tag, None)
        if self._target.samples_per_pixel > 1:
            dataset["PlanarConfiguration"] = self._target.planar_configuration
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

    def prove(self, made: DicomFile) -> None:
        instance = instance_of(made)
        if instance.number_of_frames != self.frames:
            raise EncodeError(f"{instance.number_of_frames} frames came out of {self.frames}", tag=PIXEL_DATA)
        for number, digest in enumerate(self._digests):
            if hashlib.sha256(self._back(instance.read_frame(number))).digest() != digest:
                raise EncodeError(f"frame {number + 1} does not come back as it was", tag=PIXEL_DATA)


# --- codecs -------------------------------------------------------------------------------------


def _decoder(file: DicomFile, description: PixelDescription, frames: int) -> Callable[[bytes], bytes]:
    """From a frame as the source has it to a native one."""
    given, word = file.meta.transfer_syntax_uid, pixel_word(file)
    if given == uid.ENCAPSULATED_UNCOMPRESSED:
        return lambda data: data[: description.frame_bytes]
    if not uid.is_encapsulated(given):
        if description.frame_bytes % word and frames > 1:
            raise EncodeError("big endian words that belong to two frames are not transcoded", tag=PIXEL_DATA)
        return lambda data: swapped(data, word)
    return _codec(given, _by_pixel(description) if _is_jpeg(given) else description, 0)[1]


def _codec(syntax: str, description: PixelDescription, near: int) -> tuple[Callable[..., bytes], Callable[..., bytes]]:
    """Encoder and decoder of one frame; both keep a native frame as it is where the syntax is native."""
    if syntax == uid.ENCAPSULATED_UNCOMPRESSED or not uid.is_encapsulated(syntax):
        return bytes, lambda data: data[: description.frame_bytes]
    from agent.native import compress

    if syntax not in compress.TRANSFER_SYNTAXES:
        names = ", ".join(uid.uid_name(known) for known in compress.TRANSFER_SYNTAXES)
        raise EncodeError(f"there is no codec for {uid.uid_name(syntax)}", hint=f"There is one for: {names}.")
    if description.bits_allocated not in (8, 16) or description.high_bit != description.bits_stored - 1:
        raise IodError(
            f"samples of {description.bits_stored} in {description.bits_allocated} bits, high bit "
            f"{description.high_bit}, are neither compressed nor decompressed", tag=0x00280100,
            hint="The codecs take 8 or 16 bits allocated, with High Bit one less than Bits Stored.",
        )  # fmt: skip
    options: dict[str, Any] = {"near": near} if near else {}

    def decode(data: bytes) -> bytes:
        try:
            return bytes(compress.decode(data, syntax, description))
        except NativeError as error:
            raise DecodeError(error.message, tag=PIXEL_DATA) from None

    return lambda frame: bytes(compress.encode(frame, syntax, description=description, **options)), decode


def _is_jpeg(syntax: str) -> bool:
    """Whether frames are by pixel only (PS3.5 8.2); RLE alone keeps either way."""
    return uid.is_encapsulated(syntax) and syntax not in (uid.RLE_LOSSLESS, uid.ENCAPSULATED_UNCOMPRESSED)


def _by_pixel(description: PixelDescription) -> PixelDescription:
    return description._replace(planar_configuration=0)


def _interleaved(native: bytes, description: PixelDescription) -> bytes:
    """Planes as pixels."""
    width, samples = description.bits_allocated // 8, description.samples_per_pixel
    plane = len(native) // samples
    made = bytearray(len(native))
    for sample in range(samples):
        for byte in range(width):
            made[sample * width + byte :: samples * width] = native[
                sample * plane + byte : (sample + 1) * plane : width
            ]
    return bytes(made)


def _difference(one: bytes, other: bytes, description: PixelDescription) -> int:
    """The largest difference of two samples."""
    if one == other:
        return 0
    code = (
        ("b" if description.pixel_representation else "B")
        if description.bits_allocated == 8
        else ("h" if description.pixel_representation else "H")
    )
    largest: int = max(map(abs, map(operator.sub, array(code, one), array(code, other))))
    return largest


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
