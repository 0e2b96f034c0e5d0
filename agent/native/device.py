"""Devices become sources: opened, agreed with, then streamed from like any other source.

Each kind of device has a module of its own that opens it (an ``mga_device *`` and an ``mga_agreement``); what it agreed
to send is the description of the source. Raises `DeviceError`; what exactly failed stands in its text.
"""

from __future__ import annotations

from agent.native._core import ffi, lib
from agent.native.frame import FrameDescription
from agent.native.source import DEFAULT_SLOTS, Source, allocate_ring, own_source
from agent.native.status import check
from agent.typed import Any, Final, NamedTuple

_WIRE_BYTES_S: Final = 100_000_000  # of gigabit Ethernet, at least


class Agreement(NamedTuple):
    """What a device will send."""

    description: FrameDescription
    rate_hz: float
    """0: the device does not say."""
    driver_time: bool
    """Whether time stamps are those of its driver; else of the arrival."""
    begun_time: bool
    """And of the moment that a frame was begun."""
    spacing_mm: tuple[float, float]
    """Between rows, between columns; 0: the device does not say."""
    sends: str
    """The device's own name of its pixels."""


def agreement(agreed: Any) -> Agreement:
    """Read an ``mga_agreement``."""
    f = agreed.format
    description = FrameDescription(
        f.rows,
        f.columns,
        samples_per_pixel=f.samples_per_pixel,
        bits_allocated=f.bits_allocated,
        bits_stored=f.bits_stored,
        high_bit=f.bits_stored - 1,
        pixel_representation=f.pixel_representation,
        photometric_interpretation="RGB" if f.samples_per_pixel == 3 else "MONOCHROME2",
    )
    spacing = (agreed.spacing_mm[0], agreed.spacing_mm[1])
    sends = ffi.string(agreed.sends).decode("ascii", "replace")
    return Agreement(description, agreed.rate_hz, bool(agreed.driver_time), bool(agreed.begun_time), spacing, sends)


def device_source(
    device: Any, agreed: Agreement, name: str, *, slots: int = DEFAULT_SLOTS, rate_hz: float = 0.0
) -> Source:
    """Make a source of an opened ``mga_device *``, which it owns from then on, also when this fails.

    ``rate_hz`` is believed where the device does not say its own. `slots` 1..64.
    """
    out = ffi.new("mga_source **")
    try:
        memory = allocate_ring(agreed.description.frame_bytes, slots, name)
        borrowed = ffi.from_buffer("uint8_t[]", memory, require_writable=True)
        check(lib.mga_device_source(out, device, borrowed, len(memory), slots), f"opening {name}")
    except BaseException:
        lib.mga_device_close(device)
        raise
    pace_hz = agreed.rate_hz or rate_hz
    source = own_source(out[0], borrowed, memory, agreed.description, pace_hz, name)
    source.stamp_late_ns = late_ns(agreed, pace_hz)
    return source


def late_ns(agreed: Agreement, rate_hz: float) -> int:
    """How long after a frame was begun its time stamp may be: it ends within a period, and then comes over the wire."""
    if agreed.begun_time:
        return 0
    return (
        int((1 / rate_hz if rate_hz else 0.0) * 1e9) + agreed.description.frame_bytes * 1_000_000_000 // _WIRE_BYTES_S
    )
