"""The rule ``grey_as_monochrome``: a clip in colour that shows none is stored as MONOCHROME2.

A third of the samples is compressed, written, sent and kept, and nothing is lost: where R = G = B, one of them is all
three (agent/native/grey.py compares every allocated bit). It is found out while capturing. The first frame with colour
makes the whole instance RGB, exactly as if the rule were off (recolour.py). Either way ``said`` tells it, and the frame
log keeps the digests of the frames as the source delivered them, in colour.

The rule is the site's, because a viewer may treat grey and colour differently, and only for SOP Classes that may hold
both. Lossy syntaxes are refused: what colour made necessary would be compressed twice.
"""

from __future__ import annotations

from agent.acquire.recolour import Beside, InPlace, recolour
from agent.acquire.writers import make_writer
from agent.config.schema_source import GREY_WORDS
from agent.dataset.uid import is_lossy, uid_name
from agent.errors import UsageError
from agent.iod import grey as iod
from agent.native.grey import narrow
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.acquire.writers import Parts, Sink, StreamWriter, Writer
    from agent.dataset.dataset import DataSet
    from agent.dataset.pixels import PixelDescription
    from agent.iod.acquisition import Acquisition
    from agent.media.part10 import FileMeta
    from agent.native.encoder import Report

REMARK: Final = "R = G = B in every pixel: stored as MONOCHROME2"


def grey_writer(
    sop_class: str,
    sink: Sink,
    transfer_syntax_uid: str,
    description: PixelDescription,
    max_frames: int,
    more_header_bytes: int,
    near: int,
    verify: Callable[[], bool],
) -> GreyWriter | None:
    """The writer of a source under the rule; None for one that is not in RGB, ``UsageError`` where it cannot be."""
    if sop_class not in GREY_WORDS:
        raise UsageError(
            f"grey_as_monochrome: an instance of {sop_class} keeps its photometric interpretation",
            hint=f"The rule is for {', '.join(GREY_WORDS)}.",
        )
    if near or is_lossy(transfer_syntax_uid):
        raise UsageError(
            f"grey_as_monochrome: {uid_name(transfer_syntax_uid)} loses samples, and the rule must give all back",
            hint="Choose a lossless transfer syntax, or switch the rule off.",
        )
    if description.photometric_interpretation != "RGB":
        return None
    return GreyWriter(sink, transfer_syntax_uid, description, max_frames, more_header_bytes, verify)


class GreyWriter:
    """A writer for one instance of an RGB source."""

    __slots__ = ("_coloured", "_frames", "_limits", "_plane", "_room", "_sink", "_syntax", "_writer", "colour")

    def __init__(
        self,
        sink: Sink,
        transfer_syntax_uid: str,
        colour: PixelDescription,
        max_frames: int,
        more_header_bytes: int,
        verify: Callable[[], bool],
    ) -> None:
        self._sink = sink
        self._syntax = transfer_syntax_uid
        self._limits = max_frames, more_header_bytes, 0, verify
        self.colour = colour
        self._room = self._make(colour).room()  # no more frames than the instance could hold in colour
        self._writer = self._make(iod.description(colour))
        self._plane = memoryview(bytearray(self._writer.description.frame_bytes))
        self._frames = 0  # grey ones
        self._coloured = False

    def _make(self, description: PixelDescription) -> Writer:
        return make_writer(self._sink, self._syntax, description, *self._limits)

    def _in_colour(self) -> Writer:
        return self._make(self.colour)

    @property
    def description(self) -> PixelDescription:
        """What the instance holds as things are."""
        return self._writer.description

    @property
    def report(self) -> Report | None:
        """What compression did to the frames so far."""
        return self._writer.report

    @property
    def encode_s(self) -> float:
        """CPU seconds of the compressor; after colour of that of colour, which is what the next clip may need."""
        return self._writer.encode_s

    @property
    def stream(self) -> StreamWriter | None:
        """Whose frames lie in the file one after the other: as long as there is no colour."""
        return None if self._coloured else self._writer.stream

    @property
    def parts(self) -> Parts | None:
        """Where frames lie once there is colour, if in two places."""
        return self._writer.parts

    @property
    def is_grey(self) -> bool:
        """Whether there are frames, and no colour in any."""
        return self._frames > 0 and not self._coloured

    @property
    def said(self) -> str:
        """What became of the frames, for the receipt."""
        if self._coloured:
            before = f"R = G = B in every pixel of the first {self._frames}, " if self._frames else ""
            return f"{before}frame {self._frames + 1} has colour: stored as RGB"
        order = ", source by plane" if self.colour.planar_configuration else ""
        what = f"{self._frames} frames" if self._frames > 1 else "the frame"
        stored = "stored as MONOCHROME2, a third of the samples, exactly reversible"
        return f"R = G = B in every pixel of {what}: {stored}{order}"

    def facts(self, acquisition: Acquisition) -> Acquisition:
        """What a grey instance says instead of one in colour."""
        return iod.facts(self.colour, acquisition, REMARK)

    def room(self) -> int:
        """How many more frames fit, whatever they show."""
        return self._writer.room() if self._coloured else self._room - self._frames

    def frame(self, data: memoryview) -> None:
        """Write one native frame; ``SpoolFull`` leaves what there is as it is, grey if it was."""
        if self._coloured:
            self._writer.frame(data)
        elif narrow(data, self.colour, self._plane):
            self._writer.frame(self._plane)
            self._frames += 1
        else:
            self._writer = recolour(self._sink, self._writer, self._frames, self._in_colour, data)
            self._coloured = True

    def set_apart(self, mark: Callable[[], bool]) -> None:
        """After the last frame: put what ``finish`` writes over where it can be found again, should it be cut off."""
        if isinstance(self._writer, InPlace):
            self._writer.set_apart(mark)

    def settle(self, mark: Callable[[], bool]) -> None:
        """Then: code those before colour anew. When it raises, the next two are what is left to do."""
        if isinstance(self._writer, Beside):
            self._writer.settle(mark)

    def uncompressed(self, writer: StreamWriter) -> None:
        """Write all frames with ``writer``, which does not compress."""
        assert isinstance(self._writer, Beside)
        self._writer.uncompressed(writer)

    def give_up_colour(self) -> None:
        """Keep the grey frames alone."""
        assert isinstance(self._writer, Beside)
        self._writer, self._coloured = self._writer.grey(), False

    def finish(self, meta: FileMeta, dataset: DataSet) -> None:
        """Complete the file, which may have been longer."""
        self._writer.finish(meta, dataset)
        self._sink.cut(self._sink.tell())
