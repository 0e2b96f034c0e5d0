"""Region calibration while capturing: which template holds, whether it held for every frame, and why not.

The templates are read when a source is opened, so that one that changed on disk counts from the next capture on. Of
each frame the marks are compared before anything is done to it (a black-out may cover them, a crop cut them off), some
microseconds each. The first frame of an instance chooses: the one template all of whose marks it shows. Every later
frame must show them, too; one that does not says that the depth was changed meanwhile, and as the regions of an
instance hold for all of its frames (PS3.3 C.8.5.5), it then has none.

Nothing is guessed. A template that is missing, faulty, for other frames, not recognised, or not the only one that is
recognised means an instance without regions, and with the reason: in Image Comments, in the receipt, in the log. It
never costs an image.
"""

from __future__ import annotations

from agent.acquire.frame_source import Passing
from agent.acquire.region_template import load, unfit
from agent.config.regions import region
from agent.errors import AgentError, ConfigError
from agent.iod.regions import cropped, item
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from agent.acquire.frame_source import FrameSource
    from agent.acquire.region_template import Mark, Template
    from agent.config.settings import SourceSettings
    from agent.iod.acquisition import Acquisition
    from agent.iod.regions import Region
    from agent.native.frame import Frame, PixelDescription

_REGIONS: Final = "SequenceOfUltrasoundRegions"
_ITEM_BYTES: Final = 16  # head of an item and its delimiter


class Calibrated(NamedTuple):
    """What may be said of the frames stored so far: ``regions``, or why there are none, for file and receipt."""

    regions: tuple[Region, ...] = ()
    said: str = ""
    note: str = ""
    missing: str = ""

    def into(self, facts: Acquisition) -> Acquisition:
        """Say it in the instance."""
        if self.missing:
            return facts._replace(comments=f"No calibrated regions of a template: {self.note or self.missing}")
        remark = "; ".join(filter(None, (facts.remark, self.said)))
        return facts._replace(ultrasound=facts.ultrasound._replace(regions=self.regions), remark=remark)


class Watch:
    """The templates of one capture; ``look`` is told of every frame taken, ``stored`` of every one that is kept."""

    def __init__(self, source: SourceSettings, description: PixelDescription) -> None:
        self._description = description
        self._source = source
        self._templates: list[Template] = []
        self._chosen: Template | None = None
        self._frames = 0
        self._verdict = ""
        self._missing = ""
        self._note = ""
        self.fault: ConfigError | None = None  # why no template can be used, for who sets the source up
        try:
            self._templates = load(source.calibration)
            self._require_fit()
        except ConfigError as error:
            self.fault = _named(source, error)
            self._note, self._missing = "the template cannot be used", error.message

    def _require_fit(self) -> None:
        for one in self._templates:
            reason = unfit(one, self._description)
            if not reason and not self._placed(one):
                reason = f"the crop {self._source.crop} leaves nothing of the regions of {one.name}"
            if reason:
                raise ConfigError(f"{self._source.calibration}: {reason}", hint=_HINT)

    @property
    def header_bytes(self) -> int:
        """Most that the regions add to the head of an instance."""
        from agent.dataset.encode import encode
        from agent.dataset.uid import EXPLICIT_VR_LE

        sizes = [sum(len(encode(item(each), EXPLICIT_VR_LE)) + _ITEM_BYTES for each in one.regions)
                 + 2 * len(one.name) for one in self._templates]  # fmt: skip
        return max(sizes, default=0) + 2 * len(self._missing) + 1024  # and the sentences

    def look(self, frame: memoryview) -> None:
        """Compare the marks of a frame of the source, as it came."""
        self._verdict = ""
        if self._missing:
            return
        if self._chosen is not None:
            if any(not self._shows(frame, mark) for mark in self._chosen.marks):
                self._verdict = f"does not show the mark of {self._chosen.name} any more"
            return
        found = [one for one in self._templates if all(self._shows(frame, mark) for mark in one.marks)]
        if len(found) == 1:
            self._chosen = found[0]
        else:
            names = ", ".join(one.name for one in found or self._templates)
            self._verdict = f"shows the marks of {names} at once" if found else f"shows no mark of {names}"

    def stored(self) -> None:
        """Let what was seen in the last frame count: it is in the instance."""
        self._frames += 1
        if self._verdict and not self._missing:
            self._missing = f"frame {self._frames} {self._verdict}"

    def now(self) -> Calibrated:
        """What may be said of the frames stored so far; before the first one what the first template would say."""
        one = self._chosen or next(iter(self._templates), None)
        if self._missing or one is None:
            return Calibrated(missing=self._missing, note=self._note)
        seen = "its marks in every frame" if one.marks else "without marks"
        said = f"regions calibrated by {one.name} ({seen}, sha256 {one.sha256[:16]})"
        return Calibrated(self._placed(one), said)

    def refuse_two(self, facts: Acquisition) -> None:
        """Refuse regions that the attributes of the site have, too."""
        if facts.attributes is not None and _REGIONS in facts.attributes and not self._missing:
            self._missing = "attributes_file has regions of its own"
            self._note = "those of the template are left out, as attributes_file has regions of its own"
            self.fault = _named(self._source, ConfigError(self._missing, hint=_TWO_HINT))

    def _placed(self, one: Template) -> tuple[Region, ...]:
        """The regions in the frames that are stored."""
        if not self._source.crop:
            return one.regions
        found = (cropped(each, *region(self._source.crop)) for each in one.regions)
        return tuple(each for each in found if each is not None)

    def _shows(self, frame: memoryview, mark: Mark) -> bool:
        from agent.native.frame import frame_difference
        from agent.native.region import Region as Part
        from agent.native.region import crop
        from agent.native.region import cropped as part_of

        part, d = Part(*mark.rectangle), self._description
        kept = part_of(d, part)
        seen = bytearray(kept.frame_bytes)
        if len(mark.pixels) != len(seen):
            return False
        crop(frame, d, part, seen)
        return seen == mark.pixels or (
            mark.tolerance > 0 and frame_difference(seen, mark.pixels, kept) <= mark.tolerance
        )


_HINT: Final = "Make the template from a frame of this source: 'modality-agent calibrate --help'."
_TWO_HINT: Final = "Say the regions once: in the template, or in the attributes_file."


def _named(source: SourceSettings, error: AgentError) -> ConfigError:
    text = f"source '{source.name}', calibration: {error.message}"
    made = ConfigError(text, hint=error.hint)
    made.problems = ((None, "calibration", text),)
    return made


def require(source: SourceSettings, watch: Watch | None) -> list[str]:
    """Raise what is wrong with the templates of a source, without a ``watch`` what they show alone; gives remarks."""
    if not source.calibration:
        return []
    try:
        found = load(source.calibration)
    except ConfigError as error:
        raise _named(source, error) from None
    if watch is not None and watch.fault is not None:
        raise watch.fault
    return [
        f"source '{source.name}': {one.name} has no mark, so that nobody notices when depth or zoom are others"
        for one in found
        if not one.marks
    ]


class Watched(Passing):
    """A source whose frames are shown to a ``Watch`` as they come."""

    __slots__ = ("_watch",)

    def __init__(self, source: FrameSource, watch: Watch) -> None:
        super().__init__(source)
        self._watch = watch

    def take(self) -> Frame | None:
        """Take the oldest frame, and look at it."""
        frame = self._source.take()
        if frame is not None:
            self._watch.look(frame.data)
        return frame
