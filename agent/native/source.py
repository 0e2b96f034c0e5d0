"""Sources of frames: a C thread fills a preallocated ring, Python waits on a descriptor and takes frames.

    with pattern("us-rgb", 768, 1024, rate_hz=30.0, frames=300) as source:
        source.start()
        while not source.ended:
            if source.wait(timeout_s=1.0) and (frame := source.take()) is not None:
                ...                       # frame.data is the ring slot itself, no copy
                source.give_back(frame)

A live source never waits: when no slot is free the frame is dropped and counted, and the next frame's number shows the
gap. A source with rate 0 waits for the consumer and drops nothing. `counters()` always satisfies
``delivered + waiting + dropped + lost + damaged == last - first + 1``.

The ring memory belongs to Python, so a view that outlives its source shows stale samples at worst, never freed memory.
The consumer may hold several frames and give them back in any order; `stop` ends the thread at once, frames that wait
can still be taken. Raises `NativeArgumentError` for impossible arguments, `DeviceError` when the source fails.
"""

from __future__ import annotations

from agent.errors import NativeArgumentError
from agent.native._core import ffi, lib
from agent.native.frame import Frame, FrameDescription, PixelDescription
from agent.native.status import check, failure
from agent.typed import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

SLOTS_MAX = 64
DEFAULT_SLOTS = 8
"""A quarter of a second at 30 frames/s: longer than any sync of local media should take."""

_MONO_8 = {"bits_allocated": 8, "bits_stored": 8, "high_bit": 7}
_PATTERNS: dict[str, tuple[int, dict[str, Any]]] = {
    "us-rgb": (lib.MGA_PATTERN_US_RGB, {**_MONO_8, "samples_per_pixel": 3, "photometric_interpretation": "RGB"}),
    "us-mono": (lib.MGA_PATTERN_US_MONO, _MONO_8),
    "dx16": (lib.MGA_PATTERN_DX16, {"bits_allocated": 16, "bits_stored": 16, "high_bit": 15}),
}
PATTERN_KINDS = tuple(_PATTERNS)


class Counters(NamedTuple):
    """What became of every frame number so far; before the first frame ``first`` is 1 and ``last`` 0."""

    first: int
    last: int
    delivered: int
    """Taken by the consumer."""
    dropped: int
    """Lost for want of a free slot (or of a processor for as long as the whole ring lasts)."""
    waiting: int
    """In the ring, not yet taken."""
    overruns: int
    """Times the ring became full."""
    high_water: int
    """Most frames that ever waited."""
    lost: int = 0
    """Never came: the device's own count stepped over them."""
    damaged: int = 0
    """Came incomplete, or the device itself said that they are wrong."""
    restarts: int = 0
    """Times that the device began to count anew: how many were lost then nobody knows."""


class Source:
    """A running or runnable source; made by `pattern` and `replay`, ended by `close` or the end of its `with`."""

    __slots__ = ("_closed", "_frame", "_handle", "_memory", "_name", "_poll", "description", "rate_hz", "spacing_mm",
        "stamp_late_ns", "told", "words_beside")  # fmt: skip

    def __init__(
        self, handle: Any, memory: memoryview, description: PixelDescription, rate_hz: float, name: str
    ) -> None:
        self._handle = handle
        self._memory = memory
        self._frame = ffi.new("mga_frame *")
        self._name = name
        self._poll: Any = None
        self._closed = False
        self.description = description
        self.rate_hz = rate_hz
        self.stamp_late_ns = 0
        """How long after a frame was begun its time stamp may be."""
        self.spacing_mm = (0.0, 0.0)
        """Between rows and columns, as the device says it; 0: it does not."""
        self.words_beside: Callable[[int], tuple[str, ...]] | None = None
        """What a device said beside the frame in a slot."""
        self.told: Callable[[], tuple[tuple[str, object], ...]] = tuple
        """What it has to say of all its frames so far, for the receipt."""

    def __enter__(self) -> Source:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def fileno(self) -> int:
        """Descriptor that is readable while a frame waits or the source has ended; valid until `close`."""
        return check(lib.mga_source_fileno(self._open()), self._name)

    def start(self) -> None:
        """Start the thread; a source runs once."""
        check(lib.mga_source_start(self._open()), f"starting {self._name}")

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until a frame waits or the source has ended; False when the time ran out first."""
        if self._poll is None:
            import select

            self._poll = select.poll()
            self._poll.register(self.fileno(), select.POLLIN)
        return bool(self._poll.poll(None if timeout_s is None else timeout_s * 1000.0))

    def take(self) -> Frame | None:
        """Take the oldest waiting frame, or None; raises `DeviceError` once a failed source is drained."""
        frame = self._frame
        status = lib.mga_source_take(self._open(), frame)
        if status < 0:
            trouble = ffi.new("mga_trouble *")
            check(lib.mga_source_trouble(self._handle, trouble), self._name)
            raise failure(status, self._name, trouble)
        if status == 0:
            return None
        data = self._memory[frame.offset : frame.offset + self.description.frame_bytes]
        losses = (frame.lost, frame.damaged, frame.restarts)
        beside = self.words_beside(frame.slot) if self.words_beside is not None else ()
        return Frame(frame.number, frame.timestamp_ns, data, frame.slot, losses, beside)

    def give_back(self, frame: Frame) -> None:
        """Return the slot to the ring; the frame's own view becomes unusable."""
        frame.data.release()
        check(lib.mga_source_give_back(self._open(), frame.slot), f"giving a frame back to {self._name}")

    @property
    def ended(self) -> bool:
        """No frame waits, none will come, and what failed was raised by `take`: a loop until here misses nothing."""
        return self._closed or bool(check(lib.mga_source_ended(self._handle), self._name))

    def counters(self) -> Counters:
        """Count what became of every frame so far."""
        c = ffi.new("mga_counters *")
        check(lib.mga_source_counters(self._open(), c), self._name)
        return Counters(*(getattr(c, name) for name in Counters._fields))

    def stop(self) -> None:
        """End the thread (well within a second); what waits can still be taken."""
        if not self._closed:
            check(lib.mga_source_stop(self._handle), self._name)

    def close(self) -> None:
        """Stop and free; any number of times."""
        if not self._closed:
            self._closed = True
            self.words_beside, self.told = None, tuple
            ffi.release(self._handle)

    def _open(self) -> Any:
        if self._closed:
            raise NativeArgumentError(f"{self._name} is closed")
        return self._handle


def allocate_ring(frame_bytes: int, slots: int, name: str) -> memoryview:
    """Ring memory: pages that cost nothing until the first frame is written to them."""
    import mmap

    return memoryview(mmap.mmap(-1, check(lib.mga_ring_bytes(frame_bytes, slots), name)))


def _make(opener: Any, params: Any, memory: memoryview, description: PixelDescription, name: str) -> Source:
    """Open the C source over the memory and tie the lives of both together."""
    borrowed = ffi.from_buffer("uint8_t[]", memory, require_writable=True)
    out = ffi.new("mga_source **")
    check(opener(out, borrowed, len(memory), params), f"opening {name}")
    return own_source(out[0], borrowed, memory, description, params.rate_hz, name)


def own_source(
    handle: Any, borrowed: Any, memory: memoryview, description: PixelDescription, rate_hz: float, name: str
) -> Source:
    """Wrap an ``mga_source *`` over its ``memory``, which lives as long as it; ``borrowed`` is that for C."""

    def close(handle: Any, _memory: Any = borrowed) -> None:
        lib.mga_source_close(handle)

    return Source(ffi.gc(handle, close, len(memory)), memory.toreadonly(), description, rate_hz, name)


def pattern(
    kind: str,
    rows: int,
    columns: int,
    rate_hz: float,
    *,
    frames: int = 0,
    slots: int = DEFAULT_SLOTS,
    seed: int = 0,
) -> Source:
    """Open a test picture that moves, with frame number and time burnt in.

    `kind` is "us-rgb", "us-mono" (sector fan, 8 bits) or "dx16" (chest phantom, 16 bits); rows and columns 16..8192;
    `rate_hz` 0 = as fast as the consumer takes, else 0.001..1000; `frames` 0 = endless; `slots` 1..64.
    """
    name = f"pattern {kind}"
    if kind not in _PATTERNS:
        raise NativeArgumentError(f"unknown pattern {kind!r}; known are {', '.join(PATTERN_KINDS)}")
    number, attributes = _PATTERNS[kind]
    description = FrameDescription(rows, columns, **attributes)
    try:
        params = ffi.new("mga_pattern_params *", [number, rows, columns, slots, rate_hz, frames, seed])
        memory = allocate_ring(description.frame_bytes, slots, name)
    except OverflowError as error:
        raise NativeArgumentError(f"opening {name}: {error}") from error
    return _make(lib.mga_pattern_open, params, memory, description, name)


def replay(
    fd: int,
    offset: int,
    description: PixelDescription,
    frames: int,
    rate_hz: float,
    *,
    repeat: bool = False,
    slots: int = DEFAULT_SLOTS,
    name: str = "replay",
) -> Source:
    """Open the frames of a file: `frames` of ``description.frame_bytes`` each from byte `offset` on, without gaps.

    The descriptor is duplicated, the caller may close its own. `repeat` begins again behind the last frame, endless.
    `name` begins the message of every error. A shorter file ends the source with `DeviceError` once its whole frames
    are taken.
    """
    try:
        params = ffi.new(
            "mga_replay_params *", [fd, slots, offset, description.frame_bytes, frames, rate_hz, int(repeat)]
        )
        memory = allocate_ring(description.frame_bytes, slots, name)
    except OverflowError as error:
        raise NativeArgumentError(f"opening {name}: {error}") from error
    return _make(lib.mga_replay_open, params, memory, description, name)
