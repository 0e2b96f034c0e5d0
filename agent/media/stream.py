"""An instance written in one pass, frame by frame, in constant memory (PS3.10 7.1, PS3.5 A.4).

A cine's header depends on what is known only at its end: Number of Frames, measured frame times, the length of Pixel
Data, the offset tables. Rewriting a gigabyte to insert it is out of the question. So the pixels start at a fixed
``pixel_offset``, room is left before it, and the header is written last::

    layout = InstanceLayout(ts, description, max_frames=900)
    draft.write_at(layout.pixel_offset, ...)
    for frame in frames:
        draft.write(layout.before(len(frame))); draft.write(frame); draft.write(layout.after(len(frame)))
    head, tail = layout.finish(meta, dataset)          # head goes to offset 0, tail behind the last frame

The header never fills the room exactly. The rest hides in the File Meta Information, as Private Information of ours:
every reader must skip it, it is never sent over the network (group 0002 stays behind), and the Data Set itself carries
no padding. The room is rounded up to a page, so that frames of whole pages can be read and written page by page.

Deflated syntaxes compress the header with the pixels and cannot be written this way; see ``instance``.
"""

from __future__ import annotations

from array import array

from agent.dataset import encapsulate
from agent.dataset.encode import MAX_LONG_LENGTH, SEQUENCE_END, UNDEFINED_LENGTH, element_header, encode, item_header
from agent.dataset.pixels import PixelDescription
from agent.dataset.tag import EXTENDED_OFFSET_TABLE, EXTENDED_OFFSET_TABLE_LENGTHS, NUMBER_OF_FRAMES, PIXEL_DATA
from agent.dataset.uid import DEFLATED_EXPLICIT_VR_LE, IMPLICIT_VR_LE, is_encapsulated, is_video, uid_name
from agent.errors import EncodeError
from agent.media.part10 import MAX_META_BYTES, FileMeta, encode_prefix
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.dataset.dataset import DataSet

PAGE_BYTES = 4096
MAX_FRAMES = 100_000  # an hour at 30 frames/s; bounds the tables kept while writing (0.8 MB)
PREFIX_BYTES = 1024  # preamble and group 0002 with the longest UIDs, and the smallest filler
# Attributes of an ultrasound or X-ray instance take 2 to 6 KiB; regions, codes and long texts fit in the rest.
HEADER_BYTES = 16 * 1024
FRAME_TIME_BYTES = 8  # of Frame Time Vector per frame, "33.3333\"
MAX_FRAME_TIME_BYTES = 0x10000  # a DS element cannot be longer
_ELEMENT_HEADERS_BYTES = 3 * 12 + 8  # offset table, its lengths, Pixel Data, and the Basic Offset Table's item
_WORST_GROWTH_BYTES = 4096  # an encoder may make a small frame of noise larger by its own headers


class InstanceLayout:
    """The layout of one instance being written.

    Args:
        transfer_syntax_uid: Native or encapsulated; not deflated.
        description: What a native frame looks like.
        max_frames: No more frames than this will be written.
        header_budget: Bytes of attributes to make room for; more can never be written at the end.
        more_header_bytes: Added to the usual budget, for attributes that are larger than usual.
        extended: Write the Extended Offset Table even where the Basic one would do.

    Raises:
        EncodeError: The transfer syntax or the description cannot be written like this.
    """

    __slots__ = ("_extended", "_lengths", "_native_bytes", "_room_for_extended", "description", "frames", "max_frames",
                 "pixel_offset", "transfer_syntax_uid")  # fmt: skip

    def __init__(
        self,
        transfer_syntax_uid: str,
        description: PixelDescription,
        *,
        max_frames: int,
        header_budget: int | None = None,
        more_header_bytes: int = 0,
        extended: bool = False,
    ) -> None:
        if transfer_syntax_uid == DEFLATED_EXPLICIT_VR_LE or is_video(transfer_syntax_uid):
            raise EncodeError(f"{uid_name(transfer_syntax_uid)} cannot be written frame by frame")
        if not 1 <= max_frames <= MAX_FRAMES:
            raise EncodeError(f"an instance has 1 to {MAX_FRAMES} frames, not {max_frames}")
        if max_frames > 1 and description.bits_allocated % 8:
            raise EncodeError("frames that do not end on a byte cannot be written one by one")
        self.transfer_syntax_uid = transfer_syntax_uid
        self.description = description
        self.max_frames = max_frames
        self.frames = 0
        self._native_bytes = 0 if is_encapsulated(transfer_syntax_uid) else description.frame_bytes
        self._lengths = array("I")  # of the fragments, padding included
        self._extended = extended
        largest = max_frames * (description.frame_bytes * 9 // 8 + _WORST_GROWTH_BYTES)
        self._room_for_extended = not self._native_bytes and (extended or largest > encapsulate.MAX_BASIC_OFFSET)
        tables = 0 if self._native_bytes else max_frames * (16 if self._room_for_extended else 4)
        if header_budget is None:
            times = min(max_frames * FRAME_TIME_BYTES, MAX_FRAME_TIME_BYTES) if max_frames > 1 else 0
            header_budget = HEADER_BYTES + times + more_header_bytes
        needed = PREFIX_BYTES + header_budget + tables + _ELEMENT_HEADERS_BYTES
        self.pixel_offset = -(-needed // PAGE_BYTES) * PAGE_BYTES
        if self.pixel_offset > MAX_META_BYTES:
            raise EncodeError(f"a header of {self.pixel_offset} bytes is longer than readers accept")

    @classmethod
    def resumed(
        cls, transfer_syntax_uid: str, description: PixelDescription, max_frames: int, pixel_offset: int,
        lengths: array[int],
    ) -> InstanceLayout:  # fmt: skip
        """The layout of a file that another process was writing, whose frames have these lengths, padding included."""
        found = cls(transfer_syntax_uid, description, max_frames=max_frames)
        found.pixel_offset = pixel_offset
        found.frames = len(lengths)
        if not found._native_bytes:
            found._lengths = array("I", lengths)
        return found

    def room(self, frame_bytes: int | None = None) -> int:
        """How many more frames of this size may be written: Pixel Data end before 2^32 - 2 bytes (PS3.5 7.1)."""
        left = self.max_frames - self.frames
        if not self._native_bytes:
            return left
        size = frame_bytes or self._native_bytes
        return min(left, (MAX_LONG_LENGTH - self.frames * self._native_bytes) // size)

    def before(self, length: int) -> bytes:
        """Count a frame of this many bytes; what to write before it.

        Raises:
            EncodeError: There is no room left, or a native frame has another size than the description says.
        """
        if self.room() < 1:
            raise EncodeError(f"no room for another frame after {self.frames}", tag=PIXEL_DATA)
        if self._native_bytes:
            if length != self._native_bytes:
                raise EncodeError(f"a frame of {length} bytes where {self._native_bytes} belong", tag=PIXEL_DATA)
            self.frames += 1
            return b""
        if not 0 < length <= MAX_LONG_LENGTH - 1:
            raise EncodeError(f"a fragment cannot have {length} bytes", tag=PIXEL_DATA)
        self.frames += 1
        self._lengths.append(length + (length & 1))
        return encapsulate.fragment_header(length)

    def after(self, length: int) -> bytes:
        """What to write after a frame of this many bytes."""
        return b"\0" if length & 1 and not self._native_bytes else b""

    def forget(self) -> None:
        """Take the last frame back: it was counted and could not be written."""
        self.frames -= 1
        del self._lengths[-1:]

    def extents(self) -> Iterator[tuple[int, int]]:
        """Offset and length of each frame written so far, where each was written behind the one before."""
        at = self.pixel_offset
        for index in range(self.frames):
            at += 0 if self._native_bytes else encapsulate.ITEM_HEADER_BYTES
            length = self._native_bytes or self._lengths[index]
            yield at, length
            at += length

    def finish(self, meta: FileMeta, dataset: DataSet) -> tuple[bytes, bytes]:
        """The head of the file, exactly ``pixel_offset`` bytes, and what goes behind the last frame.

        ``dataset`` has everything but Pixel Data; Number of Frames is added where several frames were written and it
        is missing.

        Raises:
            EncodeError: The Data Set breaks a rule, contradicts the frames written, or is larger than the budget.
        """
        self._check(meta, dataset)
        body = dataset.copy()
        if self.frames > 1:
            body.set(NUMBER_OF_FRAMES, self.frames, vr="IS")
        pixels, tail = self._native() if self._native_bytes else self._encapsulated(body)
        attributes = encode(body, self.transfer_syntax_uid)
        left = self.pixel_offset - len(attributes) - len(pixels)
        if left < PREFIX_BYTES:
            raise EncodeError(
                f"the attributes take {PREFIX_BYTES - left} bytes more than there is room for",
                hint="Give the layout a larger header_budget, or shorten texts and sequences.",
            )
        return encode_prefix(meta, length=left) + attributes + pixels, tail

    def _native(self) -> tuple[bytes, bytes]:
        """Header and padding of native Pixel Data."""
        length = self.frames * self._native_bytes
        vr = "OW" if self.description.bits_allocated > 8 else "OB"
        explicit = self.transfer_syntax_uid != IMPLICIT_VR_LE
        return element_header(PIXEL_DATA, vr, length + (length & 1), explicit=explicit), b"\0" * (length & 1)

    def _encapsulated(self, body: DataSet) -> tuple[bytes, bytes]:
        """Header with offset table and end of encapsulated Pixel Data; an extended table goes into ``body``."""
        offsets = encapsulate.offsets_of(self._lengths)
        table = b""
        if self._extended or offsets[-1] > encapsulate.MAX_BASIC_OFFSET:
            if self._room_for_extended:  # else the tables stay empty, which is always allowed
                body.set(EXTENDED_OFFSET_TABLE, encapsulate.extended_offset_table(offsets), vr="OV")
                body.set(EXTENDED_OFFSET_TABLE_LENGTHS, encapsulate.extended_offset_table(self._lengths), vr="OV")
        else:
            table = encapsulate.basic_offset_table(offsets)
        header = element_header(PIXEL_DATA, "OB", UNDEFINED_LENGTH, explicit=True)
        return header + item_header(len(table)) + table, SEQUENCE_END

    def _check(self, meta: FileMeta, dataset: DataSet) -> None:
        """What is about to be written must be what was written."""
        if meta.transfer_syntax_uid != self.transfer_syntax_uid:
            raise EncodeError(f"the frames were written for {uid_name(self.transfer_syntax_uid)}")
        if not self.frames:
            raise EncodeError("an instance without frames", tag=PIXEL_DATA)
        if any(tag >= EXTENDED_OFFSET_TABLE for tag in dataset.tags()):
            raise EncodeError("Pixel Data and what follows it are the layout's", tag=dataset.tags()[-1])
        stated = dataset.get(NUMBER_OF_FRAMES, 1)
        if stated != self.frames and NUMBER_OF_FRAMES in dataset:
            raise EncodeError(f"{stated} frames are stated and {self.frames} were written", tag=NUMBER_OF_FRAMES)
        if self._native_bytes and PixelDescription.from_data_set(dataset).frame_bytes != self._native_bytes:
            raise EncodeError("the Image Pixel attributes do not describe the frames written", tag=PIXEL_DATA)
