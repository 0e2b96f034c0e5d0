"""``transfer_syntax = "auto"`` of a source: what the next instance is stored in.

The master is what every destination starts from, so it is chosen by the arithmetic of the forwarder
(``agent.transcode.choose``): for each lossless syntax that we can make, the seconds until every destination has the
instance, if that were the master. What a destination takes and how fast it takes it is read from the receipts in the
spool; one nobody has met yet counts as a slow line that takes everything.

A live source comes first: an encoder that needs more than ``BUSY`` of the time between two frames is no candidate,
because a frame that finds no slot is lost. How fast it is comes from the last captures of this source, at first from
the yardstick. Where frames wait for us, the time to compress them counts like any other.
"""

from __future__ import annotations

from agent.acquire.described import Order
from agent.acquire.pipeline import frames_wanted
from agent.config.words import transfer_syntax_uid
from agent.dataset import uid
from agent.dataset.pixels import PixelDescription
from agent.errors import IodError
from agent.iod import syntaxes
from agent.iod.build import KINDS
from agent.transcode.choose import AS_STORED, AUTO, LOSSLESS, MARGIN, Master, kind_of, possible, short_name, weigh
from agent.transcode.learn import Known, recall
from agent.transcode.yardstick import encode_per_byte
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agent.acquire.sources import Opened
    from agent.config.settings import DestinationSettings, SourceSettings
    from agent.spool.store import Spool

CANDIDATES: Final = (uid.EXPLICIT_VR_LE, uid.RLE_LOSSLESS, uid.JPEG_LS_LOSSLESS, uid.JPEG_LOSSLESS_SV1)
BUSY: Final = 0.5  # of the time between two frames: frames differ, and the box has more to do
UNKNOWN_FRAMES: Final = 10_000  # a clip without an end is weighed like one of so many


class Picked(NamedTuple):
    """The transfer syntax of the next instance, and why; "" where the configuration names it."""

    syntax: str
    pixels: str  # what kind they are
    why: str = ""


class _Goal(NamedTuple):
    """One destination: what it takes (None: not known yet), how, and what is known of it."""

    takes: frozenset[str] | None
    mode: str
    known: Known
    cpu_share: float


class _Option(NamedTuple):
    syntax: str
    busy: float  # of the time between two frames
    seconds: float  # until every destination has it


def pick(
    source: SourceSettings, opened: Opened, spool: Spool | None = None,
    destinations: Sequence[DestinationSettings] = (),
) -> Picked:  # fmt: skip
    """Choose for a source that is about to start; without a spool as if for one slow line."""
    given = opened.source.description
    description = PixelDescription(*(getattr(given, name) for name in PixelDescription._fields))
    if source.transfer_syntax != AUTO:
        return Picked(transfer_syntax_uid(source.transfer_syntax), kind_of(description))
    frames = min(frames_wanted(opened, Order(source, uid.EXPLICIT_VR_LE)), UNKNOWN_FRAMES)
    native = frames * description.frame_bytes
    plain = Master(uid.EXPLICIT_VR_LE, native, native, frames, description, source.name)
    goals = [_goal(row, KINDS[source.sop_class].sop_class_uid, spool) for row in destinations if spool is not None]
    speeds = _measured(spool, source.name, plain.pixels)
    options = [
        _option(syntax, plain, goals or [_Goal(None, AUTO, recall(None, ""), 1.0)], opened.source.rate_hz, speeds)
        for syntax in CANDIDATES if possible(plain, syntax) and _holds(syntax, description)
    ]  # fmt: skip
    fits = [option for option in options if option.busy <= BUSY] or options[:1]
    best = min(fits, key=lambda option: option.seconds)
    before = next((option for option in fits if option.syntax == _before(spool, source.name)), best)
    if before.seconds - best.seconds < MARGIN * before.seconds:
        best = before
    return Picked(best.syntax, plain.pixels, _why(best, options, opened.source.rate_hz, len(goals)))


def _holds(syntax: str, description: PixelDescription) -> bool:
    """Whether frames can be stored as the source lays them out: a capture turns no planes into pixels, a copy does."""
    try:
        syntaxes.require(syntax, description)
    except IodError:
        return False
    return True


def _goal(row: DestinationSettings, sop_class: str, spool: Spool) -> _Goal:
    answers = spool.accepted(row.name).get(sop_class)
    takes = None if answers is None else frozenset(syntax for syntax, taken in answers.items() if taken)
    return _Goal(takes, transfer_syntax_uid(row.transfer_syntax), recall(spool, row.name), row.cpu_share)


def _option(syntax: str, plain: Master, goals: Iterable[_Goal], rate_hz: float, speeds: dict[str, float]) -> _Option:
    assert plain.description is not None
    per_byte = speeds.get(syntax, encode_per_byte(plain.description, syntax))
    encoding = per_byte * plain.native_bytes
    total = 0.0 if rate_hz else encoding
    for goal in goals:
        master = plain._replace(syntax=syntax, bytes=goal.known.size(plain, syntax)[0])
        taken = [other for other in (syntax, *LOSSLESS) if goal.takes is None or other in goal.takes]
        if goal.mode == AS_STORED and syntax in taken:
            taken = [syntax]
        ways = weigh(master, [other for other in dict.fromkeys(taken) if possible(master, other)], goal.known,
                     goal.cpu_share)  # fmt: skip
        total += min((way.seconds for way in ways), default=0.0)
    return _Option(syntax, per_byte * plain.description.frame_bytes * rate_hz, total)


def _measured(spool: Spool | None, source: str, pixels: str) -> dict[str, float]:
    """CPU seconds for a native byte that the last captures of a source took, by syntax."""
    speeds: dict[str, float] = {}
    for told in spool.captured(source) if spool is not None else ():
        detail = told.detail
        if detail.get("pixels") == pixels and "encode_s" in detail:
            speeds[told.transfer_syntax_uid] = float(detail["encode_s"]) / int(detail["native_bytes"])
    return speeds


def _before(spool: Spool | None, source: str) -> str:
    """What the last capture of a source was stored in."""
    last = spool.captured(source)[-1:] if spool is not None else []
    return last[0].transfer_syntax_uid if last else ""


def _why(best: _Option, options: Sequence[_Option], rate_hz: float, goals: int) -> str:
    others = [f"{short_name(option.syntax)} {_cost(option, rate_hz)}" for option in options if option is not best]
    whom = {0: "on a slow line", 1: "to its destination"}.get(goals, f"to its {goals} destinations")
    busy = " of the time between frames" if rate_hz else ""
    return "; ".join((f"{_cost(best, rate_hz)}{busy} {whom}", *others))


def _cost(option: _Option, rate_hz: float) -> str:
    busy = f", {option.busy:.0%}" if rate_hz else ""
    return f"{option.seconds:.3g} s{busy}" + (": too slow to keep up" if option.busy > BUSY else "")
