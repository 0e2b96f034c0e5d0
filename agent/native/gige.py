"""GigE Vision cameras through Aravis: who is there, what one is set to, and the source that it becomes.

``Camera`` is a camera under our control with one method per question; what to ask for, and what to make of the answers,
is decided elsewhere. Features have the names of GenICam's SFNC (``PixelFormat``, ``TriggerSelector``).

Aravis (LGPL, ``libaravis-0.8.so.0``) is loaded when it is first asked for, here and nowhere else. Raises `DeviceError`;
its text names the camera and what failed.
"""

from __future__ import annotations

from agent.native._core import ffi, lib
from agent.native.device import agreement, device_source
from agent.native.status import failure
from agent.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from agent.errors import NativeError
    from agent.native.source import Source

QUANTITIES: Final = {
    "columns": lib.MGA_GIGE_COLUMNS,
    "rows": lib.MGA_GIGE_ROWS,
    "x": lib.MGA_GIGE_LEFT,
    "y": lib.MGA_GIGE_TOP,
    "rate_hz": lib.MGA_GIGE_RATE,
    "exposure_us": lib.MGA_GIGE_EXPOSURE,
    "gain": lib.MGA_GIGE_GAIN,
    "packet_bytes": lib.MGA_GIGE_PACKET,
}
"""Numbers by the option of a URI that sets them."""
_MOST: Final = 1024  # of whatever a camera enumerates
_HINTS: Final = {
    lib.MGA_ERR_DEV_LIBRARY: "Install libaravis-0.8-0: 'apt-get install libaravis-0.8-0' on Debian and Ubuntu.",
    lib.MGA_ERR_DEV_ABSENT: "Is it on, and in a network of this box? 'modality-agent source list' shows who answers.",
    lib.MGA_ERR_DEV_BUSY: "Close that program; after one that died a camera is free again within seconds.",
    lib.MGA_ERR_DEV_EVENT: "The system lets no filter in front of a socket: see what confines this process.",
}


class Found(NamedTuple):
    """A camera that answered."""

    id: str
    address: str
    mac: str
    vendor: str
    model: str
    serial: str


class Number(NamedTuple):
    """What a number is, and what it could be; ``step`` 0: anything between."""

    value: float
    low: float
    high: float
    step: float


def _text(chars: Any) -> str:
    return ffi.string(chars).decode("utf-8", "replace")


def _raised(status: int, name: str, trouble: Any) -> NativeError:
    error = failure(status, name, trouble)
    if status in _HINTS:
        error.hint = _HINTS[status]
    return error


def found() -> list[Found]:
    """Ask in all networks which cameras there are; takes a second or two."""
    trouble = ffi.new("mga_trouble *")
    count = lib.mga_gige_look(trouble)
    if count < 0:
        raise _raised(count, "looking for GigE Vision cameras", trouble)
    one = ffi.new("mga_gige_found *")
    answers = range(min(count, _MOST))
    return [_found(one) for index in answers if lib.mga_gige_found_at(index, one, trouble) > 0]


def _found(one: Any) -> Found:
    return Found(*(_text(getattr(one, name)) for name in Found._fields))


class Camera:
    """A connected camera; closed by the end of its ``with`` unless it became a source."""

    def __init__(self, address: str, interface: str = "", name: str = "") -> None:
        self.name = name or f"gige {address}"
        self._trouble = ffi.new("mga_trouble *")
        out = ffi.new("mga_gige **")
        status = lib.mga_gige_connect(out, address.encode("ascii"), interface.encode("ascii"), self._trouble)
        if status < 0:
            raise self.failure(status)
        self._camera = out[0]

    def __enter__(self) -> Camera:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        lib.mga_gige_disconnect(self._camera)
        self._camera = ffi.NULL

    def failure(self, status: int, about: str = "") -> NativeError:
        """Make the error of a status."""
        return _raised(status, f"{self.name}: {about}" if about else self.name, self._trouble)

    def _check(self, status: int) -> int:
        if status < 0:
            raise self.failure(status)
        return status

    def number(self, quantity: str) -> Number | None:
        """Read one of `QUANTITIES`; None where the camera has none."""
        one = ffi.new("mga_gige_number *")
        if not self._check(lib.mga_gige_number_get(self._camera, QUANTITIES[quantity], one, self._trouble)):
            return None
        return Number(one.value, one.low, one.high, one.step)

    def set_number(self, quantity: str, value: float) -> None:
        """Set one of `QUANTITIES`; what came of it must be read back."""
        self._check(lib.mga_gige_number_set(self._camera, QUANTITIES[quantity], value, self._trouble))

    def word(self, feature: str) -> str | None:
        """Read a feature; None where the camera has none of that name."""
        one = ffi.new("mga_gige_word *")
        if not self._check(lib.mga_gige_word_get(self._camera, feature.encode("ascii"), one, self._trouble)):
            return None
        return _text(one.text)

    def set_word(self, feature: str, text: str) -> None:
        """Set a feature."""
        self._check(lib.mga_gige_word_set(self._camera, feature.encode("ascii"), text.encode("ascii"), self._trouble))

    def words(self, feature: str) -> Iterator[str]:
        """Give the words that a feature can be set to now."""
        if self.word(feature) is None:
            return
        one = ffi.new("mga_gige_word *")
        for index in range(_MOST):
            if not self._check(lib.mga_gige_word_at(self._camera, feature.encode("ascii"), index, one, self._trouble)):
                return
            yield _text(one.text)

    def trigger(self, source: str = "") -> None:
        """Let each frame wait for a source of triggers; empty: for none."""
        self._check(lib.mga_gige_trigger(self._camera, source.encode("ascii") if source else ffi.NULL, self._trouble))

    def source(self, *, software_hz: float = 0.0, by_line: bool = False, rate_hz: float = 0.0) -> Source:
        """Agree and become a source, which owns the camera from then on.

        ``software_hz``: triggers are sent with this rate. ``by_line``: frames come when a line triggers them, silence
        means nothing. ``rate_hz`` is believed where the camera does not say its own.
        """
        out, agreed = ffi.new("mga_device **"), ffi.new("mga_agreement *")
        params = ffi.new("mga_gige_params *", [software_hz, int(by_line)])
        self._check(lib.mga_gige_open(out, agreed, self._camera, params, self._trouble))
        self._camera = ffi.NULL
        return device_source(out[0], agreement(agreed), self.name, rate_hz=rate_hz)
