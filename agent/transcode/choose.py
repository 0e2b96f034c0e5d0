"""Which transfer syntax an instance travels in: the cheapest lossless one that the peer accepts. Pure.

What is stored is the master: one SOP Instance UID, one byte string on our media, for ever (P5). A peer may get the same
pixels in another lossless syntax, made from the master for it alone. From the first byte of work to the answer that
takes, one step after the other as the forwarder really does it::

    seconds(S) = work(master -> S) * crowd  +  wait  +  bytes(S) / rate

``work`` is read and hash the master, decode its frames, encode them, decode them again as proof; for the master itself
it is nothing. ``crowd`` is how long a second of work takes here, at least 1 / ``cpu_share``. ``wait`` and ``rate`` are
what this destination showed (``learn.Link``), the sizes and the work what this box did for such pixels
(``learn.Known``), and as long as nothing was done, priors: sizes on the large side of what images of that kind come to,
speeds as the codecs have on this machine (``yardstick``). So RLE wins where bytes are cheap, JPEG-LS where they are
dear, and what is stored goes as it is where neither pays.

Measurements jitter; a choice that follows them would flap. What was chosen last for such pixels stays until another
option gains more than ``MARGIN`` of the time, and work is begun only where it gains ``WORTH_S`` at least.

Never touched: lossy and video streams, streams that nobody here can decode, and Data Sets without pixels, of which only
the encoding of the elements may change. What a peer accepts of none of the options it does not get: ``choose`` says
None, and the instance is held. A peer is never sent an instance without its pixels.
"""

from __future__ import annotations

from agent.dataset import uid
from agent.errors import IodError
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from agent.dataset.pixels import PixelDescription
    from agent.transcode.learn import Known

# Modes of a destination; any other is the transfer syntax to prefer.
AS_STORED: Final = "as-stored"
AUTO: Final = "auto"
# What we can make of a lossless master, the plainest first: equal times are decided by this order.
LOSSLESS: Final = (
    uid.EXPLICIT_VR_LE,
    uid.RLE_LOSSLESS,
    uid.JPEG_LS_LOSSLESS,
    uid.JPEG_LOSSLESS_SV1,
    uid.IMPLICIT_VR_LE,
    uid.DEFLATED_EXPLICIT_VR_LE,
)
_DECODED: Final = frozenset({*LOSSLESS, uid.JPEG_LOSSLESS, uid.HTJ2K_LOSSLESS, uid.ENCAPSULATED_UNCOMPRESSED,
     uid.EXPLICIT_VR_BE})  # fmt: skip
# Native Pixel Data have a length of 32 bits, which is even (PS3.5 7.1).
NATIVE_BYTES: Final = 0xFFFFFFFE
# A Deflated file is inflated into memory by whoever reads it.
DEFLATED_BYTES: Final = 32 << 20
MARGIN: Final = 0.05
WORTH_S: Final = 0.02
# Files opened, headers read and written, whatever the size.
OVERHEAD_S: Final = 0.005


def kind_of(description: PixelDescription) -> str:
    """The kind of pixels in a word; pixels of one kind and source compress alike."""
    return f"{'grey' if description.samples_per_pixel == 1 else 'colour'}{description.bits_stored}"


class Master(NamedTuple):
    """What is stored. ``native_bytes`` and ``description`` are of all its pixels, 0 and None where there are none."""

    syntax: str
    bytes: int  # of the Data Set
    native_bytes: int = 0
    frames: int = 0
    description: PixelDescription | None = None
    source: str = ""  # whose pixels resemble each other

    @property
    def pixels(self) -> str:
        """The kind of pixels in a word: grey12, colour8 ..."""
        return "" if self.description is None else kind_of(self.description)


class Option(NamedTuple):
    """One way to send it."""

    syntax: str
    bytes: int
    work_s: float  # of one core
    link_s: float
    seconds: float
    measured: bool  # the size is from real copies, or is that of the master


class Choice(NamedTuple):
    """What is sent and why; ``options`` is empty where nothing had to be weighed."""

    syntax: str
    why: str
    options: tuple[Option, ...] = ()


def possible(master: Master, syntax: str) -> bool:
    """Whether the master can be sent in ``syntax`` without losing anything."""
    return not impossible(master, syntax)


def impossible(master: Master, syntax: str) -> str:
    """Why the master cannot be sent in ``syntax`` without losing anything, or ''."""
    if syntax == master.syntax:
        return ""
    if syntax not in LOSSLESS:
        return "no copies are made in it"
    if master.syntax not in _DECODED:
        return f"{short_name(master.syntax)} is never decoded to be sent"
    if master.description is None:
        there = uid.is_encapsulated(syntax) or uid.is_encapsulated(master.syntax)
        return "the instance has no pixels that it could hold" if there else ""
    return _unfit(master, master.description, syntax)


def _unfit(master: Master, description: PixelDescription, syntax: str) -> str:
    if syntax == uid.DEFLATED_EXPLICIT_VR_LE:
        small = master.frames == 1 and master.native_bytes <= DEFLATED_BYTES
        return "" if small else f"it is for one frame of at most {DEFLATED_BYTES >> 20} MiB"
    if not uid.is_encapsulated(syntax):
        return "" if master.native_bytes <= NATIVE_BYTES else "native pixels end at 4 GiB"
    return "" if _has_codec(description, master.syntax, syntax) else "its codec does not take such pixels"


def _has_codec(description: PixelDescription, given: str, syntax: str) -> bool:
    if description.bits_allocated not in (8, 16) or description.high_bit != description.bits_stored - 1:
        return False
    from agent.iod import syntaxes  # an idle box has nothing to choose
    from agent.transcode import frame_codec

    try:
        syntaxes.require(syntax, frame_codec.by_pixel(frame_codec.coded(description, given, syntax)))
    except IodError:
        return False
    return True


def choose(
    master: Master, accepted: Collection[str], mode: str, known: Known, *, cpu_share: float = 1.0
) -> Choice | None:
    """Choose among what the peer accepts; None when it accepts nothing that the master is or can become."""
    candidates = [syntax for syntax in dict.fromkeys((master.syntax, *LOSSLESS)) if syntax in accepted]
    candidates = [syntax for syntax in candidates if possible(master, syntax)]
    if not candidates:
        return None
    refused = (
        "" if candidates[0] == master.syntax else f"the peer refuses {short_name(master.syntax)}, which is stored; "
    )
    if mode not in (AS_STORED, AUTO) and mode in candidates:
        return Choice(mode, refused + "as configured")
    if mode != AUTO and not refused:
        why_not = impossible(master, mode) or "the peer refuses it"
        said = "as stored" if mode == AS_STORED else f"as stored: {short_name(mode)} is not possible, {why_not}"
        return Choice(master.syntax, said)
    if len(candidates) == 1:
        return Choice(
            candidates[0], refused + "it takes nothing else" if refused else "as stored: it takes nothing else"
        )
    options = tuple(weigh(master, candidates, known, cpu_share))
    best, kept = _best(options, known.before(master) or master.syntax)
    return Choice(best.syntax, refused + _reason(best, options, master, known, kept=kept), options)


def weigh(master: Master, candidates: Iterable[str], known: Known, cpu_share: float) -> list[Option]:
    """Count the seconds of each candidate."""
    options = []
    for syntax in candidates:
        size, measured = known.size(master, syntax)
        work = 0.0 if syntax == master.syntax else OVERHEAD_S + known.work_s(master, syntax)
        link = known.link.seconds(size)
        options.append(Option(syntax, size, work, link, known.took_s(work, cpu_share) + link, measured))
    return options


def _best(options: tuple[Option, ...], before: str) -> tuple[Option, bool]:
    """The cheapest option, or what was chosen before where that is nearly as cheap (True)."""
    best = min(options, key=lambda option: option.seconds)
    held = next((option for option in options if option.syntax == before), best)
    gain = held.seconds - best.seconds
    if best is not held and (gain < MARGIN * held.seconds or (best.work_s and gain < WORTH_S)):
        return held, True
    return best, False


def _reason(best: Option, options: tuple[Option, ...], master: Master, known: Known, *, kept: bool) -> str:
    """One sentence with the figures that decided."""
    rate = known.link.rate
    link = f"{'at' if known.link.seen else 'for a link not yet measured, taken as'} {_size(rate)}/s"
    ours = f"{best.link_s:.3g} s to send {link}"
    if best.work_s:
        ours = f"{best.work_s:.3g} s of work and {ours}"
    others = [option for option in options if option is not best]
    other = next((option for option in others if option.syntax == master.syntax), None) or min(
        others, key=lambda option: option.seconds
    )
    name = "as stored" if other.syntax == master.syntax else short_name(other.syntax)
    sentence = f"{ours}; {name} {other.seconds:.3g} s"
    rival = min(others, key=lambda option: option.seconds)
    if rival is not other:
        sentence += f", {short_name(rival.syntax)} {rival.seconds:.3g} s"
    return f"{sentence}: too little to change" if kept else sentence


def short_name(syntax: str) -> str:
    """The name of a transfer syntax without what stands in brackets, for sentences."""
    return uid.uid_name(syntax).partition(" (")[0]


def _size(count: float) -> str:
    for unit, scale in (("GB", 1e9), ("MB", 1e6)):
        if count >= scale:
            return f"{count / scale:.3g} {unit}"
    return f"{count / 1e3:.3g} kB"
