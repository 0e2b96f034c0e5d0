"""Every source of a configuration before its first trigger: could the instance be made that its capture would make?

Module tables, attributes files and codecs are asked for each source what ``capture`` asks them before its first
frame, because an exposure is no time to hear of a missing key. The first frame of a replay says what its pictures are.
Where it cannot be read (yet), a pattern of the kind that the SOP Class holds stands in for it, and that is said: frames
may come later, keys do not.
"""

from __future__ import annotations

from agent.acquire.armed import memory_for
from agent.acquire.automatic import pick
from agent.acquire.described import Order
from agent.acquire.exam import Exam
from agent.acquire.pipeline import rehearse_capture
from agent.acquire.sources import open_configured, open_source
from agent.config.check import stand_in
from agent.errors import AgentError, ConfigError, DeviceError, FileError
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

    from agent.acquire.sources import Opened
    from agent.acquire.writers import Sink
    from agent.config.settings import Settings, SourceSettings


class Rehearsed(NamedTuple):
    """What was found: ``problems`` as (key path, what is wrong and what to do), and what could not be looked at."""

    problems: list[tuple[str, str]]
    notes: list[str]


class _Nowhere:
    """A sink for an instance that gets no frames."""

    def write(self, data: ReadableBuffer) -> int:
        return memoryview(data).nbytes

    def write_at(self, offset: int, data: ReadableBuffer) -> int:  # noqa: ARG002  the protocol has it
        return memoryview(data).nbytes

    def seek(self, offset: int) -> None:
        """Go nowhere."""

    def tell(self) -> int:
        return 0

    def read_into(self, offset: int, buffer: memoryview) -> None:
        """Read nothing."""

    def reserve(self, length: int) -> None:
        """Have room."""

    def cut(self, length: int) -> None:
        """Give up nothing."""

    def finishing(self) -> None:
        """Have no reserve."""

    number = 0

    def log_beside(self, _log: object) -> None:
        """Keep nothing."""

    def clip_log(self, _data_set_limit: int) -> None:
        """Keep nothing."""

    def beside(self, expected_bytes: int) -> Sink:  # noqa: ARG002  the protocol has it
        return self

    def abandon(self) -> None:
        """Leave nothing."""


def rehearse_sources(settings: Settings) -> Rehearsed:
    """Rehearse one capture of every source; raises nothing for what a site can get wrong."""
    found = Rehearsed([], [])
    exam = Exam(settings)
    for index, source in enumerate(settings.source):
        try:
            _rehearse(source, exam, found.notes)
        except (ConfigError, FileError) as error:  # of the pixel path, or of the attributes file, which is named
            key = error.problems[0][1] if isinstance(error, ConfigError) and error.problems else "attributes_file"
            found.problems.append((f"source[{index}].{key}", f"{error}. {error.hint}"))
        except AgentError as error:
            said = f"source '{source.name}' cannot make an instance of {source.sop_class}: {error}"
            found.problems.append((f"source[{index}]", f"{said}. {error.hint}"))
    return found


def _calibration(source: SourceSettings, opened: Opened) -> list[str]:
    if not source.calibration:
        return []
    from agent.acquire.calibration import require

    return require(source, opened.calibration)


def _rehearse(source: SourceSettings, exam: Exam, notes: list[str]) -> None:
    try:
        opened = open_configured(source, limit=1)
    except DeviceError as error:
        notes.append(f"source '{source.name}' has no frames to look at ({error}): its keys were checked all the same")
        opened = open_source(stand_in(source.sop_class))
    with opened:
        if source.pre_trigger_s:
            memory_for(source, opened.source.rate_hz, opened.source.description.frame_bytes)
        rehearse_capture(opened, Order(source, pick(source, opened).syntax), exam, _Nowhere())
        notes += _calibration(source, opened)
    if source.blackout and not source.burned_in_annotation and not source.uri.startswith("pattern:"):
        notes.append(
            f"source '{source.name}' has a blackout, and burned_in_annotation is not set: instances do not say whether "
            "names are left in the picture"
        )
