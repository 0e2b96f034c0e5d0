"""A clip of four small frames, written as the capture writes it, but in one thread: marks come where the test says."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from fakes.spool_world import SECONDARY_CAPTURE, uid_of

from agent.dataset.dataset import DataSet
from agent.dataset.encode import encode
from agent.dataset.pixels import PixelDescription
from agent.dataset.uid import EXPLICIT_VR_LE, RLE_LOSSLESS
from agent.media.part10 import FileMeta
from agent.media.stream import InstanceLayout
from agent.spool.clip import Mark
from agent.spool.draft import InstanceRecord
from agent.spool.states import Priority

if TYPE_CHECKING:
    from agent.spool.draft import Draft, Sealed
    from agent.spool.store import Spool

ROWS, COLUMNS = 5, 7  # an odd number of bytes, so that padding is in the way
PIXELS = PixelDescription(ROWS, COLUMNS)


def frame(number: int, index: int) -> bytes:
    return bytes((number * 31 + index * 7 + at) % 256 for at in range(ROWS * COLUMNS))


def cut_uid(number: int, frames: int) -> str:
    """The SOP Instance UID of a clip that was cut off after so many frames."""
    return uid_of(1000 * number + frames)


def data_set(uid: str, frames: int) -> DataSet:
    values = {
        "SOPClassUID": SECONDARY_CAPTURE, "SOPInstanceUID": uid, "StudyInstanceUID": "1.2.3.4",
        "SeriesInstanceUID": "1.2.3.4.5", "PatientName": "DOE^JANE", "NumberOfFrames": frames, "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2", "Rows": ROWS, "Columns": COLUMNS, "BitsAllocated": 8,
        "BitsStored": 8, "HighBit": 7, "PixelRepresentation": 0,
    }  # fmt: skip
    return DataSet({name: value for name, value in values.items() if name != "NumberOfFrames" or frames > 1})


class Clip:
    """One clip under way."""

    def __init__(self, spool: Spool, number: int, syntax: str = RLE_LOSSLESS) -> None:
        self.number, self.syntax = number, syntax
        self.draft: Draft = spool.draft()
        self.layout = InstanceLayout(syntax, PIXELS, max_frames=100)
        self.draft.seek(self.layout.pixel_offset)
        self.log = self.draft.clip_log(self.layout.pixel_offset)

    def record(self, uid: str, frames: int, ended_by: str) -> InstanceRecord:
        uids = uid, SECONDARY_CAPTURE, self.syntax, "1.2.3.4", "1.2.3.4.5"
        return InstanceRecord(*uids, 1000.0, "probe",
            facts=(("frames", frames), ("ended_by", ended_by)), priority=Priority.URGENT)  # fmt: skip

    def add(self, count: int = 1) -> None:
        """Write frames; what is in an item need not be coded for the spool."""
        for _ in range(count):
            body = frame(self.number, self.layout.frames)
            before, after = self.layout.before(len(body)), self.layout.after(len(body))
            self.draft.write(before + body + after)
            if self.log is not None:
                self.log.frame(len(body + after), zlib.crc32(body + after))

    def mark(self, **also: str) -> bool:
        """``also``: what the Data Set says while the clip has no end. False: there was no room for marks."""
        if self.log is None:
            return False
        frames = self.layout.frames
        uid = cut_uid(self.number, frames)
        dataset = data_set(uid, frames)
        dataset.update(also)
        self.log.keep(Mark(self.record(uid, frames, "cut"), frames, self.layout.pixel_offset, self.layout.max_frames,
            tuple(PIXELS), encode(dataset, EXPLICIT_VR_LE), whole=uid_of(self.number)))  # fmt: skip
        return True

    def seal(self) -> Sealed:
        meta = FileMeta(SECONDARY_CAPTURE, uid_of(self.number), self.syntax)
        head, tail = self.layout.finish(meta, data_set(uid_of(self.number), self.layout.frames))
        self.draft.write(tail)
        self.draft.write_at(0, head)
        return self.draft.seal(self.record(uid_of(self.number), self.layout.frames, "frames"))


def frames_in(path: str, number: int) -> int:
    """How many frames the file holds, read with a reader that is not ours; raises where one is not what was written."""
    import pydicom
    from pydicom.encaps import generate_frames

    with pydicom.dcmread(path) as found:
        count = int(found.get("NumberOfFrames", 1))
        assert found.PatientName == "DOE^JANE"
        size = ROWS * COLUMNS
        if found.file_meta.TransferSyntaxUID.is_encapsulated:
            frames = [bytes(one)[:size] for one in generate_frames(found.PixelData, number_of_frames=count)]
        else:
            frames = [found.PixelData[at : at + size] for at in range(0, count * size, size)]
        assert frames == [frame(number, index) for index in range(count)]
        assert len(frames) == count
    return count
