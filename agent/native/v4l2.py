"""Video4Linux2 devices: what one offers, what it is set to, and the source that it becomes.

``Node`` is an open device node with one method per question; which to ask, and what to make of the answers, is decided
elsewhere. Names of pixel formats are four characters of ASCII, blanks at the end left away, and ``_BE`` behind them for
big-endian samples (``Y16_BE``); names of controls are those of ``v4l2-ctl`` (``white_balance_automatic``).

Raises `DeviceError`: its text names device, ioctl and errno.
"""

from __future__ import annotations

import os
import time

from agent.errors import DeviceError
from agent.native._core import ffi, lib
from agent.native.device import agreement, device_source
from agent.native.status import failure
from agent.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.native.source import Source

BUFFERS: Final = 8
"""Of the driver: a quarter of a second at 30 frames/s, for a thread that gets no processor."""
KINDS: Final = ("integer", "boolean", "menu", "integer menu", "button", "integer64")
BUSY_S: Final = 1.0
"""Who only looks at a device (a rehearsal, ``source show``) has it for some milliseconds: no capture fails for that."""
_BUSY_AGAIN_S: Final = 0.02
_BIG_ENDIAN: Final = 1 << 31
_MOST: Final = 1024  # of whatever a driver enumerates: more is a driver that does not end
_NOT_OPENED: Final = {
    "FileNotFoundError": "Is it connected? 'modality-agent source list' shows the devices that are there.",
    "PermissionError": "Its user must be in the group 'video', or own the device by a udev rule.",
}
_HINTS: Final = {
    lib.MGA_ERR_DEV_BUSY: "Close that program; 'fuser -v' with the device as its argument names it.",
    lib.MGA_ERR_DEV_GONE: "Is its cable in? The next capture looks for it again.",
    lib.MGA_ERR_DEV_GEOMETRY: "A control that is set, or another program, changed it. The next capture agrees anew.",
    lib.MGA_ERR_DEV_REFUSED: "'modality-agent source show' with the device as its argument lists what it offers.",
}


class Identity(NamedTuple):
    """What a device calls itself."""

    driver: str
    card: str
    bus: str
    captures: bool
    streams: bool
    planar: bool


class Input(NamedTuple):
    """A connector: its number and name, and how what comes in there is found out."""

    number: int
    name: str
    no_signal: bool
    has_timings: bool
    has_standards: bool


class PixelFormat(NamedTuple):
    """What it can send; ``usable``: frames of it can be taken."""

    fourcc: int
    name: str
    described: str
    usable: bool


class Size(NamedTuple):
    """Columns and rows, each from, to and in steps of."""

    columns: tuple[int, int, int]
    rows: tuple[int, int, int]


class Picture(NamedTuple):
    """What it is set to."""

    fourcc: int
    columns: int
    rows: int
    field: int = 0
    colorspace: int = 0
    encoding: int = 0
    quantization: int = 0
    planes: int = 1
    strides: tuple[int, int, int] = (0, 0, 0)

    @property
    def said(self) -> str:
        """In words."""
        return f"{format_name(self.fourcc)} {self.columns}x{self.rows}"


class Control(NamedTuple):
    """A setting; ``layout``: it may change the picture; ``choices`` of a menu by their value."""

    id: int
    kind: str
    name: str
    described: str
    minimum: int
    maximum: int
    step: int
    preset: int
    value: int
    read_only: bool
    inactive: bool
    layout: bool
    choices: dict[int, str]


def format_name(fourcc: int) -> str:
    """Name a pixel format."""
    name = (fourcc & ~_BIG_ENDIAN).to_bytes(4, "little").decode("ascii", "replace").rstrip()
    return f"{name}_BE" if fourcc & _BIG_ENDIAN else name


def control_name(described: str) -> str:
    """Make the name that is typed of the one a driver gives: lower case, with one ``_`` for whatever stands between."""
    words = "".join(c.lower() if c.isascii() and c.isalnum() else " " for c in described).split()
    return "_".join(words)


class Node:
    """An open device; close it once its source is made, which has a descriptor of its own."""

    __slots__ = ("_fd", "_trouble", "identity", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            hint = _NOT_OPENED.get(type(error).__name__, DeviceError.hint)
            raise DeviceError(f"v4l2 {path} cannot be opened: {error.strerror}", hint=hint) from None
        self._trouble = ffi.new("mga_trouble *")
        try:
            self.identity = self._identify()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Node:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close it."""
        os.close(self._fd)

    def inputs(self) -> Iterator[Input]:
        """List its connectors; none: it has but one, or tells of none."""
        found = ffi.new("mga_v4l2_input *")
        for index in self._each(lambda index: lib.mga_v4l2_input_at(self._fd, index, found, self._trouble)):
            flags = bool(found.no_signal), bool(found.has_timings), bool(found.has_standards)
            yield Input(index, _text(found.name), *flags)

    def input(self) -> int:
        """Tell which it takes."""
        return self._check(lib.mga_v4l2_input_get(self._fd, self._trouble))

    def choose_input(self, index: int) -> None:
        """Take another one."""
        self._patient(lambda: lib.mga_v4l2_input_set(self._fd, index, self._trouble))

    def listen(self) -> None:
        """Remember from now on when another picture comes in: it ends the source, also one that is made later."""
        lib.mga_v4l2_listen(self._fd)

    def follow_timings(self) -> float:
        """Set it to the digital video that comes in; gives its frames/s."""
        rate = ffi.new("double *")
        self._patient(lambda: lib.mga_v4l2_timings_follow(self._fd, rate, self._trouble))
        return float(rate[0])

    def follow_standard(self) -> None:
        """Set it to the analogue video that comes in, where it can tell."""
        self._check(lib.mga_v4l2_standard_follow(self._fd, self._trouble))

    def formats(self) -> Iterator[PixelFormat]:
        """List its pixel formats."""
        found, planar = ffi.new("mga_v4l2_pixels *"), self.identity.planar
        for _ in self._each(lambda index: lib.mga_v4l2_pixels_at(self._fd, planar, index, found, self._trouble)):
            usable = bool(lib.mga_v4l2_reads(found.fourcc))
            yield PixelFormat(found.fourcc, format_name(found.fourcc), _text(found.name), usable)

    def sizes(self, fourcc: int) -> Iterator[Size]:
        """List the sizes of a pixel format; none: it does not tell."""
        found = ffi.new("mga_v4l2_size *")
        for _ in self._each(lambda index: lib.mga_v4l2_size_at(self._fd, fourcc, index, found, self._trouble)):
            yield Size((*found.columns,), (*found.rows,))

    def rates(self, picture: Picture) -> Iterator[tuple[float, float]]:
        """List the frames/s of a picture, each from and to; none: it does not tell."""
        found, of = ffi.new("double[2]"), _picture(picture)
        for _ in self._each(lambda index: lib.mga_v4l2_rate_at(self._fd, of, index, found, self._trouble)):
            yield (found[0], found[1])

    def picture(self) -> Picture:
        """Tell what it is set to."""
        found = ffi.new("mga_v4l2_picture *")
        self._check(lib.mga_v4l2_picture_get(self._fd, self.identity.planar, found, self._trouble))
        return _picture_of(found)

    def set_picture(self, wanted: Picture) -> Picture:
        """Ask for format, columns and rows; gives what came of it, which may be something else."""
        asked, found = _picture(wanted), _picture(wanted)

        def ask() -> int:
            found[0] = asked[0]
            return lib.mga_v4l2_picture_set(self._fd, self.identity.planar, found, self._trouble)

        self._patient(ask)
        return _picture_of(found)

    def rate(self, wanted_hz: float = 0.0) -> tuple[float, bool]:
        """Ask for a rate (0: for none); gives what it is now, 0 where nobody knows, and whether it can be set."""
        rate = ffi.new("double *")
        settable = self._check(lib.mga_v4l2_rate(self._fd, self.identity.planar, wanted_hz, rate, self._trouble))
        return float(rate[0]), bool(settable)

    def controls(self) -> Iterator[Control]:
        """List its controls; those of several values, of text and disabled ones are left out."""
        c = ffi.new("mga_v4l2_control *")
        for _ in self._each(lambda _: lib.mga_v4l2_control_after(self._fd, c.id, c, self._trouble)):
            described = _text(c.name)
            limits = c.minimum, c.maximum, c.step, c.preset, c.value
            flags = bool(c.read_only), bool(c.inactive), bool(c.layout)
            yield Control(c.id, KINDS[c.kind], control_name(described), described, *limits, *flags, self._choices(c))

    def set_control(self, control: Control, value: int) -> int:
        """Set a control; gives what the device has made of it."""
        now = ffi.new("int64_t *")
        of = ffi.new("mga_v4l2_control *", {"id": control.id, "kind": KINDS.index(control.kind)})
        ask = lib.mga_v4l2_control_set
        self._patient(lambda: ask(self._fd, of, value, now, self._trouble), f"control '{control.name}'")
        return int(now[0])

    def source(self, picture: Picture, rate_hz: float, believed_hz: float = 0.0) -> Source:
        """Make a source of it as it is set; ``believed_hz`` where it does not tell its rate."""
        out, agreed = ffi.new("mga_device **"), ffi.new("mga_agreement *")
        params = ffi.new("mga_v4l2_params *")
        params.fd, params.planar, params.picture = self._fd, self.identity.planar, _picture(picture)[0]
        params.rate_hz, params.buffers = rate_hz, BUFFERS
        self._patient(lambda: lib.mga_v4l2_open(out, params, agreed, self._trouble))
        return device_source(out[0], agreement(agreed), f"v4l2 {self.path}", rate_hz=believed_hz)

    def _identify(self) -> Identity:
        found = ffi.new("mga_v4l2_identity *")
        self._check(lib.mga_v4l2_identify(self._fd, found, self._trouble))
        can = bool(found.captures), bool(found.streams), bool(found.planar)
        return Identity(_text(found.driver), _text(found.card), _text(found.bus), *can)

    def _choices(self, control: Any) -> dict[int, str]:
        if KINDS[control.kind] not in ("menu", "integer menu"):
            return {}
        choice, found = ffi.new("mga_v4l2_choice *"), {}
        for index in range(control.minimum, min(control.maximum, control.minimum + _MOST) + 1):
            if self._check(lib.mga_v4l2_menu_at(self._fd, control, index, choice, self._trouble)):
                found[index] = _text(choice.name)
        return found

    def _each(self, ask: Callable[[int], int]) -> Iterator[int]:
        for index in range(_MOST):
            if not self._check(ask(index)):
                return
            yield index

    def _patient(self, ask: Callable[[], int], what: str = "") -> None:
        """Ask again for a while as long as somebody else has the device."""
        until = time.monotonic() + BUSY_S
        while (status := ask()) == lib.MGA_ERR_DEV_BUSY and time.monotonic() < until:
            time.sleep(_BUSY_AGAIN_S)
        self._check(status, what)

    def _check(self, status: int, what: str = "") -> int:
        if status >= 0:
            return status
        error = failure(status, f"v4l2 {self.path}{what and ', '}{what}", self._trouble)
        error.hint = _HINTS.get(status, error.hint)
        raise error


def _text(name: Any) -> str:
    return ffi.string(name).decode("utf-8", "replace")


def _picture(picture: Picture) -> Any:
    return ffi.new("mga_v4l2_picture *", picture._asdict())


def _picture_of(found: Any) -> Picture:
    plain = {name: getattr(found, name) for name in Picture._fields[:-1]}
    return Picture(**plain, strides=(*found.strides,))
