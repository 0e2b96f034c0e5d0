"""A DICOM File, opened: its meta information, all attributes, and where its pixels are (PS3.10 7.1).

``open_file`` reads everything but the pixels, in front of them and behind them. It asks nothing of the Data Set: a file
without Rows opens too, and only who wants frames (``reader``) must find them described. The file is reached through a
``pread(length, offset)`` function, so that this package stays free of files: ``functools.partial(os.pread, fd)`` with
its arguments in that order.

A Deflated file is inflated into memory, within the limits; what is found in it has offsets in the inflated Data Set,
and ``pread`` of the result reads there.

With ``lenient`` a file that breaks PS3.10 is read as far as its meaning is certain (``lenient``), and so is one with
padding or other bytes behind its Data Set. What was tolerated is in ``notes``. Bounds do not depend on it.
"""

from __future__ import annotations

from agent.dataset.decode import Decoder, Limits, Stop
from agent.dataset.encapsulate import FrameIndex
from agent.dataset.tag import DOUBLE_FLOAT_PIXEL_DATA, FLOAT_PIXEL_DATA, PIXEL_DATA
from agent.dataset.uid import DEFLATED_EXPLICIT_VR_LE, EXPLICIT_VR_LE, is_encapsulated, uid_name
from agent.errors import DecodeError, LimitError
from agent.media.part10 import META_OFFSET, PREFIX_LIMIT_BYTES, FileMeta, decode_prefix
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.dataset.dataset import DataSet
    from agent.media.lenient import Note

_STEP_BYTES = 16 * 1024  # most headers fit in one
# Pixel Data and its kin have these tags; nothing else stands between them (PS3.6).
PIXEL_TAGS = (FLOAT_PIXEL_DATA, DOUBLE_FLOAT_PIXEL_DATA, PIXEL_DATA)
_PADDING = (b"\0", b"\xff", b" ", b"\x1a")  # what block devices, erased flash and old editors leave behind a file


class PixelValue(NamedTuple):
    """Where the value of (Float, Double Float) Pixel Data is."""

    tag: int
    vr: str
    offset: int  # of the value: samples, or the item of the Basic Offset Table
    length: int  # -1: encapsulated
    end: int  # offset behind the value and its delimiter
    fragments: FrameIndex | None  # only where it is encapsulated; not grouped into frames yet


class DicomFile(NamedTuple):
    """What ``open_file`` found."""

    meta: FileMeta
    meta_offset: int  # of group 0002, or of the Data Set where there is none
    data_set_offset: int
    dataset: DataSet  # without the pixels
    pixel_value: PixelValue | None
    pread: Callable[[int, int], bytes]  # where the offsets of ``pixel_value`` count
    notes: list[Note]  # what was tolerated
    file_pread: Callable[[int, int], bytes]  # where ``meta_offset`` and ``data_set_offset`` count
    damage: DecodeError | None = None  # only with ``partial``: what ended the reading before its time


def open_file(
    pread: Callable[[int, int], bytes],
    size: int,
    *,
    limits: Limits = Limits(),  # noqa: B008  (immutable)
    lenient: bool = False,
    refer_above: int | None = None,
    header_only: bool = False,
    partial: bool = False,
) -> DicomFile:
    """Read everything but the pixels.

    Args:
        pread: ``pread(length, offset)``; it may return less only at the end of the file.
        size: Of the file in bytes.
        limits: Bounds on the attributes, and on a Deflated file as a whole.
        lenient: Read a file that breaks PS3.10 where its meaning is certain.
        refer_above: Leave values of more bytes than this where they are, as ``Reference``; None: none.
        header_only: Read what stands in front of the pixels, and neither look for their end nor behind it.
        partial: Where the Data Set is damaged, give what stands in front of that, and the error as ``damage``.

    Raises:
        NotDicomError: No DICM prefix; lenient: nothing like a Data Element at the start either.
        DecodeError: The file is damaged, cut short, or beyond the limits.
    """
    meta, syntax, meta_offset, offset, notes, start = _prefix(pread, size, lenient=lenient)
    base, file_pread, ahead = offset, pread, start[offset:]
    damage: DecodeError | None = None
    if syntax == DEFLATED_EXPLICIT_VR_LE:
        pread, size, damage = _inflated(pread, offset, size, limits, notes if lenient else None)
        if damage is not None and not partial:
            raise damage
        syntax, base, ahead = EXPLICIT_VR_LE, 0, b""
    walk = _Walk(pread, base, size, syntax, meta.transfer_syntax_uid, limits, notes if lenient else None, refer_above)
    walk.ahead, walk.header_only, walk.partial = ahead, header_only, partial
    dataset = walk.all()
    if lenient:
        from agent.media.lenient import odd_lengths

        meta = _completed(meta, dataset)
        value = walk.pixel_value
        if value is not None and value.fragments is None and is_encapsulated(meta.transfer_syntax_uid):
            actual = EXPLICIT_VR_LE if is_encapsulated(syntax) else syntax
            meta = meta._replace(transfer_syntax_uid=actual)  # whatever is stated
        notes += odd_lengths(dataset, offset)
    damage = damage or walk.damage
    return DicomFile(meta, meta_offset, offset, dataset, walk.pixel_value, pread, notes, file_pread, damage)


def _prefix(
    pread: Callable[[int, int], bytes], size: int, *, lenient: bool
) -> tuple[FileMeta, str, int, int, list[Note], bytes]:
    """What ``open_file`` must know of the meta information, and what was read already of the start of the file."""
    if lenient:
        from agent.media.lenient import read_prefix  # the rare path

        return (*read_prefix(pread, size), b"")
    start = pread(min(size, _STEP_BYTES), 0)
    try:
        meta, offset = decode_prefix(start)
    except DecodeError:
        if size <= _STEP_BYTES:
            raise
        meta, offset = decode_prefix(pread(min(size, PREFIX_LIMIT_BYTES), 0))  # a long group 0002, or the error again
    if offset > size:
        raise DecodeError("File Meta Information is cut short", offset=size)
    return meta, meta.transfer_syntax_uid, META_OFFSET, offset, [], start


def _completed(meta: FileMeta, dataset: DataSet) -> FileMeta:
    """Media Storage UIDs that are missing, from SOP Class UID and SOP Instance UID."""
    return meta._replace(
        sop_class_uid=meta.sop_class_uid or dataset.text(0x00080016),
        sop_instance_uid=meta.sop_instance_uid or dataset.text(0x00080018),
    )


def _inflated(
    pread: Callable[[int, int], bytes], offset: int, size: int, limits: Limits, notes: list[Note] | None
) -> tuple[Callable[[int, int], bytes], int, DecodeError | None]:
    """A ``pread`` into the inflated Data Set, its size, and why it is not whole."""
    from agent.dataset.deflate import Inflater, trailer_of  # zlib, for a transfer syntax that is rare

    inflater = Inflater(limits.total_bytes)
    body = bytearray()
    damage: DecodeError | None = None
    try:
        while offset < size and not inflater.ended:
            piece = pread(min(_STEP_BYTES, size - offset), offset)
            if not piece:
                break
            offset += len(piece)
            for part in inflater.pieces(piece):
                body += part
        if not inflater.ended:
            damage = DecodeError("the deflated Data Set is cut short", offset=offset)
        elif behind := size - (offset - len(inflater.behind)):
            damage = _behind_deflated(pread, size - behind, behind, trailer_of(body), notes)
    except DecodeError as error:
        damage = error
    view = memoryview(body)
    return lambda length, start: bytes(view[start : start + length]), len(body), damage


def _behind_deflated(
    pread: Callable[[int, int], bytes], end: int, count: int, trailer: bytes, notes: list[Note] | None
) -> DecodeError | None:
    """What is wrong with bytes behind a deflated Data Set; one zero pads (PS3.5 A.5), a checksum does no harm."""
    if count <= len(trailer) + 1 and pread(count, end) in (b"\0", trailer, trailer + b"\0"):
        return None
    text = f"{count} bytes behind the Data Set that are no Data Elements"
    if notes is None:
        return DecodeError(text, offset=end, hint="--lenient leaves them out and says so; ask first what they are.")
    from agent.media.lenient import Note

    notes.append(Note(end, text))
    return None


class _Walk:
    """Reads one Data Set around its pixels; ``notes`` only where deviations are tolerated."""

    __slots__ = (
        "_base",
        "_limits",
        "_notes",
        "_pread",
        "_refer_above",
        "_size",
        "_stated",
        "_syntax",
        "ahead",
        "damage",
        "header_only",
        "partial",
        "pixel_value",
    )

    def __init__(
        self,
        pread: Callable[[int, int], bytes],
        base: int,
        size: int,
        syntax: str,
        stated: str,
        limits: Limits,
        notes: list[Note] | None,
        refer_above: int | None,
    ) -> None:
        self._pread, self._base, self._size = pread, base, size
        self._syntax, self._stated = syntax, stated
        self._limits, self._notes, self._refer_above = limits, notes, refer_above
        self.pixel_value: PixelValue | None = None
        self.ahead = b""  # the first bytes of the Data Set, where they came with the meta information
        self.header_only = self.partial = False
        self.damage: DecodeError | None = None

    def all(self) -> DataSet:
        """Every element but the pixels."""
        decoder = self._decoder()
        try:
            self._run(decoder, self._size)
            return decoder.finish()
        except DecodeError as error:
            # of what stands beyond a limit nothing is known
            end = None if isinstance(error, LimitError) else self._end_of_sense(decoder)
            if end is None and not self.partial:
                raise
            if end is None:
                self.damage = error
                return decoder.so_far()
        decoder = self._decoder()
        self._run(decoder, end)
        return decoder.finish()

    def _decoder(self) -> Decoder:
        return Decoder(
            self._syntax,
            limits=self._limits,
            stop_before=FLOAT_PIXEL_DATA,
            offset=self._base,
            refer_above=self._refer_above,
        )

    def _run(self, decoder: Decoder, size: int) -> None:
        self.pixel_value = None
        at = self._base
        while True:
            self._feed(decoder, at, size)
            stop = decoder.stop
            if stop is None or self.header_only:
                return
            at = stop.header_offset
            if stop.tag in PIXEL_TAGS:
                found = self._locate(stop)
                self.pixel_value, at = found, found.end
            decoder.resume(at)

    def _feed(self, decoder: Decoder, at: int, size: int) -> None:
        if at == self._base and self.ahead:
            decoder.feed(self.ahead if self._base + len(self.ahead) <= size else self.ahead[: size - at])
            at = decoder.skip(size)
        while at < size and decoder.stop is None:
            piece = self._pread(min(_STEP_BYTES, size - at), at)
            if not piece:
                break
            decoder.feed(piece)
            at = decoder.skip(size)

    def _locate(self, stop: Stop) -> PixelValue:
        """Find where the pixels end."""
        start = stop.value_offset
        self._check_form(stop)
        if stop.length < 0:
            fragments = FrameIndex.walk(self._pread, start, open_end=self._notes is not None)
            if not fragments.closed:
                self._note(fragments.end, "no delimiter behind the fragments")
            return PixelValue(stop.tag, stop.vr, start, -1, fragments.end, fragments)
        if start + stop.length > self._size:
            raise DecodeError("Pixel Data are cut short", tag=stop.tag, offset=self._size)
        return PixelValue(stop.tag, stop.vr, start, stop.length, start + stop.length, None)

    def _check_form(self, stop: Stop) -> None:
        """The transfer syntax says whether Pixel Data are encapsulated; the other two never are."""
        encapsulated = stop.length < 0
        if encapsulated == (stop.tag == PIXEL_DATA and is_encapsulated(self._stated)):
            return
        if stop.tag == PIXEL_DATA and self._notes is not None:
            form = "encapsulated" if encapsulated else "native"
            self._note(stop.value_offset, f"Pixel Data are {form} in spite of {uid_name(self._stated)}")
        elif encapsulated:
            raise DecodeError("native Pixel Data cannot have undefined length", tag=stop.tag, offset=stop.value_offset)
        else:
            message = "Pixel Data of this transfer syntax must be encapsulated"
            raise DecodeError(message, tag=stop.tag, offset=stop.value_offset)

    # --- tolerance -------------------------------------------------------------------------

    def _note(self, offset: int, text: str) -> None:
        from agent.media.lenient import Note

        note = Note(offset, text)
        if self._notes is not None and note not in self._notes:
            self._notes.append(note)

    def _end_of_sense(self, decoder: Decoder) -> int | None:
        """Where the Data Set ends, if what stands behind it may be ignored: padding, or anything behind the pixels."""
        end = decoder.sound_end
        if self._notes is None or end is None or end > self._size:  # behind it: a value left where it is not
            return None
        if end >= self._base + 8 and self._pread(8, end - 8) == bytes(8):  # which is an element in Implicit VR
            end -= 8
        if self._is_padding(end):
            self._note(end, f"{self._size - end} bytes of padding behind the Data Set")
        elif self.pixel_value is not None and end >= self.pixel_value.end:
            self._note(end, f"{self._size - end} bytes behind the Data Set that are no Data Elements")
        else:
            return None
        return end

    def _is_padding(self, at: int) -> bool:
        """Whether one byte of those that pad is all there is from here on."""
        filler = self._pread(1, at)
        while filler in _PADDING and at < self._size:
            piece = self._pread(min(_STEP_BYTES, self._size - at), at)
            if not piece or piece.count(filler) != len(piece):
                return False
            at += len(piece)
        return at == self._size
