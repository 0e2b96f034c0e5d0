"""Devices become sources: opened, agreed with, then streamed from like any other source.

Each kind of device has a module of its own that opens it (an ``mga_device *`` and an ``mga_agreement``); what it agreed
to send is the description of the source. Raises `DeviceError`; what exactly failed stands in its text.
"""

from __future__ import annotations

from agent.native._core import ffi, lib
from agent.native.frame import FrameDescription
from agent.native.source import DEFAULT_SLOTS, Source, allocate_ring, own_source
from agent.native.status import check
from agent.typed import Any, NamedTuple


class Agreement(NamedTuple):
    """What a device will send."""

    description: FrameDescription
    rate_hz: float
    """0: the device does not say."""
    driver_time: bool
    """Whether time stamps are those of its driver; else of the arrival."""
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
    return Agreement(description, agreed.rate_hz, bool(agreed.driver_time), spacing, sends)


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
    return own_source(out[0], borrowed, memory, agreed.description, agreed.rate_hz or rate_hz, name)
