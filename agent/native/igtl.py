"""Images of an OpenIGTLink server, read from a connected stream by a thread of the C core.

    with open_igtl(fd, wait_s=5.0) as source:      # waits for the first whole image, which becomes the first frame
        source.start()

Any stream will do; the caller connects it and may close its own descriptor. Each frame has what the peer said beside
it as words (`Frame.beside`): ``stamp=SECONDS``, ``image.lps=12 NUMBERS``, ``transform.NAME=12 NUMBERS``. Raises
`DeviceError`, `NativeArgumentError`.
"""

from __future__ import annotations

from agent.errors import NativeArgumentError
from agent.native._core import ffi, lib
from agent.native.device import agreement, device_source
from agent.native.status import failure
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from agent.native.source import Source

NAME_MAX: Final = 20
# A peer decides how large its images are, not how much memory this box has: eight slots of ultrasound are 16 MiB.
_RING_BYTES_MAX: Final = 64 << 20
_SLOTS_MIN: Final = 2
# What came between opening and starting waits in the socket, and then comes at once: a second of it at 30 images/s.
# Slots that nobody needs have no memory.
_SLOTS_MAX: Final = 32
_AXES: Final = {1: "ras", 2: "lps"}


def open_igtl(
    fd: int, *, device: str = "", transform: str = "", wait_s: float = 5.0, rate_hz: float = 60.0, name: str = "stream"
) -> Source:
    """Open a stream: the images of one ``device`` (empty: of the first that sends one), ``transform`` (empty: any).

    ``wait_s`` 0.001..60 for the first image; ``rate_hz`` is what the source says of its pace, for the peer does not.
    """
    if max(len(device), len(transform)) > NAME_MAX:
        raise NativeArgumentError(f"opening {name}: a device name has {NAME_MAX} characters at most")
    params = ffi.new("mga_igtl_params *", [fd, max(1, int(wait_s * 1000)), device.encode(), transform.encode()])
    out, agreed, trouble = ffi.new("mga_device **"), ffi.new("mga_agreement *"), ffi.new("mga_trouble *")
    status = lib.mga_igtl_open(out, params, agreed, trouble)
    if status < 0:
        raise failure(status, f"opening {name}", trouble)
    opened, found = out[0], agreement(agreed)
    fitting = _RING_BYTES_MAX // found.description.frame_bytes
    slots = min(_SLOTS_MAX, max(_SLOTS_MIN, fitting))
    source = device_source(opened, found, name, slots=slots, rate_hz=rate_hz)
    source.spacing_mm = found.spacing_mm
    beside = ffi.new("mga_igtl_beside *")
    source.words_beside = lambda slot: _words(opened, slot, beside)
    spacing = tuple(f"{mm:.6g}" for mm in found.spacing_mm if mm)
    source.told = lambda: (*((("peer_spacing_mm", " x ".join(spacing)),) if spacing else ()), *_told(opened))
    return source


def _words(device: Any, slot: int, beside: Any) -> tuple[str, ...]:
    if lib.mga_igtl_read_beside(device, slot, beside) < 0:
        return ()
    words = [f"image.{_AXES.get(beside.coordinates, 'unknown')}={_numbers(beside.matrix)}"]
    if beside.stamp:
        words.insert(0, f"stamp={beside.stamp / 2**32:.9f}")
    if name := _text(beside.transform_device):
        from urllib.parse import quote

        words.append(f"transform.{quote(name, safe='')}={_numbers(beside.transform)}")
        if beside.transform_stamp:
            words.append(f"transform.stamp={beside.transform_stamp / 2**32:.9f}")
    return tuple(words)


def _told(device: Any) -> tuple[tuple[str, object], ...]:
    """What is worth a line of the receipt."""
    c = ffi.new("mga_igtl_counts *")
    if lib.mga_igtl_read_counts(device, c) < 0:
        return ()
    steps = c.stamped - 1 - c.stamps_back
    mean_ms = (c.stamp_last - c.stamp_first) / 2**32 / steps * 1e3 if steps > 0 and not c.stamps_back else 0.0
    said = (
        ("peer_frame_time_ms", round(mean_ms, 3)),
        ("peer_longest_ms", round(c.stamp_step_most / 2**32 * 1e3, 3)),
        ("peer_stamps_back", c.stamps_back),
        ("peer_transforms", c.transforms),
        ("images_of_others", c.others),
        ("other_device", _text(c.other)),
        ("peer_refused", c.refused),
        ("peer_refused_because", _text(c.reason)),
        ("peer_status", f"{c.status_code} {_text(c.status)}".strip() if c.status_code else ""),
    )
    return tuple((name, value) for name, value in said if value)


def _numbers(values: Any) -> str:
    return ",".join(f"{value:.9g}" for value in values)


def _text(field: Any) -> str:
    return str(ffi.string(field).decode("ascii", "replace"))
