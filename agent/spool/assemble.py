"""A clip that turned to colour and was cut off before it was written anew: its frames are put together again.

Its grey frames lie in one place, as one sample per pixel, and those in colour in another (agent/acquire/recolour.py).
They are written into a new draft, the grey ones in colour, so that it is the instance that it would have been; the old
files stay until it is sealed. An encoder makes the same bytes each time, so that doing it again after a crash ends as
"the same content again".

Raises ``SpoolDamaged`` where no mark has frames that are whole, ``SpoolFull`` where there is no room now.
"""

from __future__ import annotations

from array import array
from contextlib import ExitStack, closing

from agent.errors import SpoolDamaged, SpoolError
from agent.spool.clip import checksum_of
from agent.spool.durable import File
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.dataset.pixels import PixelDescription
    from agent.spool.clip import Mark
    from agent.spool.draft import Draft
    from agent.spool.store import Spool

ITEM_BYTES = 8  # the header of a fragment


def assemble(spool: Spool, number: int, found: list[Mark]) -> tuple[Mark, Draft]:
    """Put the newest clip together whose frames are whole; returns its mark and a draft that is complete."""
    with ExitStack() as stack:
        files: dict[int, File] = {}
        for other in {number, *files_of(found)}:
            try:
                files[other] = stack.enter_context(closing(spool.medium.reopen(f"{spool.path(other)}.part")))
            except SpoolError as error:
                raise SpoolDamaged(f"{spool.path(number)}.part: {error}") from error
        files[0] = files[number]
        for mark in found:
            if mark.grey is not None and _is_whole(mark, files):
                draft = spool.draft()
                try:
                    _write(mark, files, draft)
                except BaseException:
                    draft.abandon()
                    raise
                return mark, draft
    raise SpoolDamaged(f"{spool.path(number)}.part: its frames in grey and in colour are not whole")


def files_of(found: list[Mark]) -> set[int]:
    """Return the numbers of the drafts that the frames of a clip lie in beside its own."""
    return {n for mark in found if mark.grey is not None for n in (mark.grey.file, mark.colour[0]) if n}


def _places(mark: Mark, files: dict[int, File]) -> Iterator[tuple[File, int, int]]:
    """Where each frame is: file, byte, bytes."""
    from agent.dataset.uid import is_encapsulated

    assert mark.grey is not None
    at = mark.grey.at
    item = ITEM_BYTES if is_encapsulated(mark.record.transfer_syntax_uid) else 0
    for length in mark.lengths[: mark.grey.frames]:
        yield files[mark.grey.file], at + item, length
        at += item + length
    at = mark.colour[1]
    for length in mark.lengths[mark.grey.frames :]:
        yield files[mark.colour[0]], at, length
        at += length


def _is_whole(mark: Mark, files: dict[int, File]) -> bool:
    return all(
        at + length <= file.size and checksum_of(file, at, length) == checksum
        for (file, at, length), checksum in zip(_places(mark, files), mark.checksums, strict=True)
    )


def _write(mark: Mark, files: dict[int, File], draft: Draft) -> None:
    from agent.dataset.decode import decode
    from agent.dataset.pixels import PixelDescription
    from agent.dataset.uid import EXPLICIT_VR_LE
    from agent.media.part10 import FileMeta
    from agent.media.stream import InstanceLayout

    assert mark.grey is not None
    syntax, colour = mark.record.transfer_syntax_uid, PixelDescription._make(mark.description)
    layout = InstanceLayout.resumed(syntax, colour, mark.max_frames, mark.pixel_offset, array("I"))
    widened = _widener(syntax, PixelDescription._make(mark.grey.description), colour)
    draft.seek(layout.pixel_offset)
    buffer = memoryview(bytearray(max(mark.lengths)))
    for index, (file, at, length) in enumerate(_places(mark, files)):
        body = buffer[:length]
        file.fill(at, body)
        if index < mark.grey.frames:
            body = widened(body)
        for part in (layout.before(body.nbytes), body, layout.after(body.nbytes)):
            if len(part):
                draft.write(part)
    meta = FileMeta(mark.record.sop_class_uid, mark.record.sop_instance_uid, syntax)
    head, tail = layout.finish(meta, decode(mark.data_set, EXPLICIT_VR_LE))
    draft.finishing()
    if tail:
        draft.write(tail)
    draft.write_at(0, head)


def _widener(syntax: str, grey: PixelDescription, colour: PixelDescription) -> Callable[[memoryview], memoryview]:
    """Give a grey frame as it is written its three samples, as it would have been written in colour."""
    from agent.dataset.uid import is_encapsulated
    from agent.native.grey import widen

    wide = memoryview(bytearray(colour.frame_bytes))
    if not is_encapsulated(syntax):

        def plain(body: memoryview) -> memoryview:
            widen(body, colour, wide)
            return wide

        return plain

    from agent.native import compress
    from agent.native.encoder import FrameEncoder

    plane, encoder = memoryview(bytearray(grey.frame_bytes)), FrameEncoder(colour, syntax, 0, lambda: True)

    def coded(body: memoryview) -> memoryview:
        compress.decode(body, syntax, grey, out=plane)
        widen(plane, colour, wide)
        return encoder.encode(wide)

    return coded
