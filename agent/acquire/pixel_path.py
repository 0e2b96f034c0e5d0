"""What a site has done to the frames of a source before anything else sees them.

    dark frame and gain -> dead pixels -> curve -> burnt window -> YBR_FULL -> black-out -> crop

Every place is in the coordinates of the source's own frames, as somebody with a screen counts them. The correction
files are read when the source is opened, so that a new calibration counts from the next capture on. What does not fit
the frames is a ``ConfigError`` that names the key: nothing is cut to fit, and no frame is ever taken half corrected.

The slot goes back to the ring as soon as its frame is done, so the consumer has one frame at a time, in memory of ours
that the next one uses again.

A window belongs into the instance as a number (exam.py), where a viewer can change it. Only a secondary capture may
have it burnt in, and then says so instead.

RGB that is mostly grey, as ultrasound is, takes RLE a third of the bytes as YBR_FULL, whose chroma is 128 all over.
Grey pixels come back exactly, others within two (C.7.6.3.1.2), so that a site must ask for it.

What must be said of it. A curve of log makes the Pixel Intensity Relationship LOG (PS3.3 C.8.11.3.1.2); a square root
has no word there. A black-out says nothing of Burned In Annotation: whether the rectangles cover all of the text is
known to the site alone, which says it with ``burned_in_annotation = "NO"``. Image Type stays ORIGINAL: the pixels are
derived from no other image (C.7.6.1.1.2). ``told`` goes into Contribution Description and the receipt.
"""

from __future__ import annotations

from agent.acquire.frame_source import Passing
from agent.config.regions import region
from agent.errors import AgentError, ConfigError
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.acquire.frame_source import FrameSource
    from agent.config.settings import SourceSettings
    from agent.native.frame import Frame, FrameDescription, PixelDescription

    Step = Callable[[memoryview], memoryview]

MAX_DEFECTS_BYTES: Final = 1 << 20  # some ten thousand dead pixels: a panel with more is to be replaced
_HINT: Final = "Correct this key of the source, or take the file again from this detector."


def is_asked(source: SourceSettings) -> bool:
    """Whether the site wants anything done to the frames."""
    return bool(told(source))


def told(source: SourceSettings) -> str:
    """What is done, in words; empty: nothing."""
    corrected = [word for word, path in (("dark frame", source.offset_file), ("gain", source.gain_file)) if path]
    regions = len(source.blackout)
    steps = (
        (" and ".join(corrected) + " corrected", corrected),
        ("dead pixels replaced", source.defects_file),
        ({"log": "logarithm of samples", "sqrt": "square root of samples"}.get(source.curve, ""), source.curve),
        (f"window {source.window_center:g}/{source.window_width:g} burnt in", source.burn_window),
        ("RGB to YBR_FULL", source.ybr_full),
        (f"{regions} region{'s' * (regions > 1)} blacked out", regions),
        (f"cropped to {source.crop}", source.crop),
    )
    return ", ".join(words for words, done in steps if done)


class Treated(Passing):
    """A source whose frames went through the path."""

    __slots__ = ("_path",)

    def __init__(self, source: FrameSource, settings: SourceSettings) -> None:
        super().__init__(source)
        self._path = _Path(settings, source.description)
        self.description = self._path.description

    def take(self) -> Frame | None:
        """Take the oldest frame through the path; valid until the next is taken."""
        frame = self._source.take()
        if frame is None:
            return None
        try:
            return frame._replace(data=self._path.run(frame.data))
        finally:
            self._source.give_back(frame)

    def give_back(self, frame: Frame) -> None:
        """Make its view unusable; the slot is free already."""
        frame.data.release()


class _Path:
    """The steps for frames of one description, and their memory."""

    def __init__(self, source: SourceSettings, found: PixelDescription) -> None:
        from agent.native.frame import FrameDescription

        self._name = source.name
        self.description: FrameDescription = FrameDescription(
            *(getattr(found, name) for name in FrameDescription._fields)
        )
        self._work = bytearray(0)
        self._steps: list[Step] = []
        if source.offset_file or source.gain_file:
            self._correct(source)
        if source.defects_file:
            self._replace(source.defects_file)
        if source.curve:
            self._bend(source.curve)
        if source.burn_window:
            self._burn(source)
        if source.ybr_full:
            self._turn()
        if source.blackout:
            self._hide(source)
        if source.crop:
            self._cut(source.crop)

    def run(self, frame: memoryview) -> memoryview:
        """The frame behind all steps, read-only."""
        for step in self._steps:
            frame = step(frame)
        return frame.toreadonly()

    def _room(self) -> bytearray:
        if len(self._work) != self.description.frame_bytes:
            self._work = bytearray(self.description.frame_bytes)
        return self._work

    def _in_place(self, change: Callable[[bytearray], object]) -> None:
        """A step that changes the frame where it is, or a copy of that in the ring."""
        room = self._room()

        def step(frame: memoryview) -> memoryview:
            if frame.obj is not room:
                room[:] = frame
            change(room)
            return memoryview(room)

        self._steps.append(step)

    def _correct(self, source: SourceSettings) -> None:
        from agent.native import detector

        d, out = self.description, self._room()
        if d.samples_per_pixel != 1 or d.bits_allocated != 16 or d.pixel_representation:
            key = "offset_file" if source.offset_file else "gain_file"
            raise self._fault(key, "its frames have not one unsigned sample of 16 bits per pixel")
        if source.pedestal >> d.bits_stored:
            raise self._fault("pedestal", f"{source.pedestal} needs more than the {d.bits_stored} bits of its frames")
        offset, gain = (
            self._samples(key, path) if path else None
            for key, path in (("offset_file", source.offset_file), ("gain_file", source.gain_file))
        )

        def step(frame: memoryview) -> memoryview:
            detector.correct(frame, d, out, offset=offset, gain=gain, pedestal=source.pedestal)
            return memoryview(out)

        self._steps.append(step)

    def _replace(self, path: str) -> None:
        from agent.native import detector

        d = self.description
        try:
            dead = detector.defects(self._points(path), d)
            detector.replace(bytearray(d.frame_bytes), d, dead)  # whether each has a good pixel within reach
        except ConfigError:
            raise
        except AgentError as error:
            raise self._fault("defects_file", f"{path}: {error}") from None
        self._in_place(lambda room: detector.replace(room, d, dead))

    def _bend(self, curve: str) -> None:
        from agent.native import table

        d = self.description
        if d.samples_per_pixel != 1 or d.pixel_representation:
            raise self._fault("curve", "its frames have not one unsigned sample per pixel")
        made = {"log": table.logarithm, "sqrt": table.square_root}[curve](d, d.bits_stored)
        through = made if made.entry_bits == d.bits_allocated else table.widened(made)
        out = self._room()

        def step(frame: memoryview) -> memoryview:
            table.apply(frame, d, through, out)
            return memoryview(out)

        self._steps.append(step)

    def _burn(self, source: SourceSettings) -> None:
        from agent.native import table

        d = self.description
        if d.samples_per_pixel != 1:
            raise self._fault("burn_window", "its frames are in colour, and a window is for grey")
        try:
            through = table.window(d, source.window_center, source.window_width)
        except AgentError as error:
            raise self._fault("window_width", str(error)) from None
        self.description = table.made(d, through)
        out = bytearray(self.description.frame_bytes)

        def step(frame: memoryview) -> memoryview:
            table.apply(frame, d, through, out)
            return memoryview(out)

        self._steps.append(step)

    def _turn(self) -> None:
        from agent.native.convert import Plane, convert, converted

        d = self.description
        if (d.photometric_interpretation, d.bits_stored, d.planar_configuration) != ("RGB", 8, 0):
            raise self._fault("ybr_full", "its frames are not RGB of 8 bits by pixel")
        self.description = converted("YBR_FULL", d.rows, d.columns)
        out = bytearray(self.description.frame_bytes)

        def step(frame: memoryview) -> memoryview:
            convert([Plane(frame)], "RGB24", "rgb", d.rows, d.columns, out, to="YBR_FULL")
            return memoryview(out)

        self._steps.append(step)

    def _hide(self, source: SourceSettings) -> None:
        from agent.native.region import Region, blackout

        d = self.description
        grey = source.blackout_value
        value = (grey, 128, 128) if d.photometric_interpretation == "YBR_FULL" else (grey,) * d.samples_per_pixel
        regions = [Region(*region(text)) for text in source.blackout]
        try:
            for text, one in zip(source.blackout, regions, strict=True):
                self._inside("blackout", text, one)
            blackout(self._room(), d, regions, value)
        except ConfigError:
            raise
        except AgentError:
            raise self._fault("blackout_value", f"{grey} is no sample of {d.bits_stored} bits") from None
        self._in_place(lambda room: blackout(room, d, regions, value))

    def _cut(self, text: str) -> None:
        from agent.native.region import Region, crop, cropped

        d, where = self.description, Region(*region(text))
        self._inside("crop", text, where)
        self.description = cropped(d, where)
        out = bytearray(self.description.frame_bytes)

        def step(frame: memoryview) -> memoryview:
            crop(frame, d, where, out)
            return memoryview(out)

        self._steps.append(step)

    def _inside(self, key: str, text: str, where: tuple[int, int, int, int]) -> None:
        d, (top, left, rows, columns) = self.description, where
        if top + rows > d.rows or left + columns > d.columns:
            raise self._fault(key, f"{text} leaves its frames of {d.rows} rows and {d.columns} columns")

    def _samples(self, key: str, path: str) -> bytes:
        """A file that is exactly one frame."""
        wanted = self.description.frame_bytes
        data = self._read(key, path, wanted)
        if len(data) != wanted:
            held = len(data) if len(data) < wanted else f"more than {wanted}"
            raise self._fault(key, f"{path} holds {held} bytes, a frame has {wanted}")
        return data

    def _points(self, path: str) -> Iterator[tuple[int, int]]:
        """Rows and columns of a text file; what is behind a # is a remark."""
        data = self._read("defects_file", path, MAX_DEFECTS_BYTES)
        if len(data) > MAX_DEFECTS_BYTES:
            raise self._fault("defects_file", f"{path} holds more than {MAX_DEFECTS_BYTES} bytes")
        for number, line in enumerate(data.decode("ascii", "replace").splitlines(), 1):
            words = line.partition("#")[0].split()
            if not words:
                continue
            if len(words) != 2 or not all(word.isascii() and word.isdigit() for word in words):
                raise self._fault("defects_file", f"{path}:{number}: a dead pixel is ROW COLUMN, counted from 0")
            yield int(words[0]), int(words[1])

    def _read(self, key: str, path: str, most: int) -> bytes:
        """The file, and one byte more where it is longer than it may be."""
        try:
            with open(path, "rb") as file:
                return file.read(most + 1)
        except OSError as error:
            raise self._fault(key, f"{path}: {error.strerror or error}") from None

    def _fault(self, key: str, text: str) -> ConfigError:
        error = ConfigError(f"source '{self._name}', {key}: {text}", hint=_HINT)
        error.problems = ((None, key, text),)
        return error
