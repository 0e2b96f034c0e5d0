"""Agree with a GigE Vision camera on what it will send: ``gige:192.168.5.20?format=Mono16&columns=1024&rows=1024``.

    who it is -> control of it -> pixel format -> size and place -> packets -> rate -> trigger -> exposure -> gain

An IPv4 address is asked at once; a name (``source list`` shows it), serial number or MAC costs a second of looking
round. Cameras give what is nearest and say so only to those who read it back. Nobody gets a picture of another size or
depth here than the configuration says: what was asked for and did not come is a ``DeviceError`` that says what the
camera can. What was not asked for stays as the camera has it. A camera is ours from the first call on and free again
when its source is closed, so every capture agrees anew: that is what brings a camera back that was gone.

Triggers. ``free``: the camera has the pace. ``software``: we send one at once and then ``rate_hz`` a second.
``hardware:LINE``: each edge of a line begins a frame, ``exposure:LINE``: a line is the exposure, from its rise to its
fall (SFNC ``ExposureActive``, else ``ExposureMode`` ``TriggerWidth``); silence then means that nobody exposed.
"""

from __future__ import annotations

from agent.config.nearest import close_to
from agent.errors import DeviceError
from agent.native.gige import Camera, Number, found
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.config.source import SourceUri
    from agent.native.source import Source

AS_IT_IS: Final = -1
# Thirty frames/s are 29.97 to many cameras, exposures come in lines of the sensor, gains in tenths of a dB.
TOLERANCE: Final = {"rate_hz": 0.005, "exposure_us": 0.05, "gain": 0.05}
SOFTWARE_HZ: Final = 1.0  # where no rate_hz is asked for: stills
_ALL: Final = 24  # words of a list in a message


def open_gige(uri: SourceUri) -> Source:
    """Connect and agree; raises ``DeviceError``."""
    with Camera(address_of(uri.what), uri.texts["interface"], f"gige {uri.what}") as camera:
        return _Negotiation(camera, uri).run()


def address_of(name: str) -> str:
    """Find the address of a camera by its address, name, serial number or MAC."""
    if is_address(name):
        return name
    cameras = found()
    for camera in cameras:
        if name.lower() in (camera.id.lower(), camera.serial.lower(), camera.mac.lower()):
            return camera.address
    names = [camera.id for camera in cameras]
    there = f"those that answer: {', '.join(names[:_ALL])}{close_to(name, names)}" if names else "none answers"
    raise DeviceError(
        f"gige {name}: there is no such camera; {there}",
        hint="Is it on, and in a network of this box? A camera in another network answers to its address alone.",
    )


def is_address(name: str) -> bool:
    """Whether this is an IPv4 address."""
    parts = name.split(".")
    return len(parts) == 4 and all(part.isascii() and part.isdigit() and int(part) < 256 for part in parts)


def number_said(number: Number) -> str:
    """What a number could be, in words."""
    step = f" in steps of {number.step:g}" if number.step > 1 else ""
    return f"{number.low:g} to {number.high:g}{step}"


class _Negotiation:
    """One camera and what is asked of it."""

    def __init__(self, camera: Camera, uri: SourceUri) -> None:
        self._camera = camera
        self._uri = uri

    def run(self) -> Source:
        options = self._uri.options
        kind, _, line = self._uri.texts["trigger"].partition(":")
        self._format()
        self._place()
        if options["packet_bytes"]:
            self._number("packet_bytes")
        self._camera.trigger()
        if options["rate_hz"] and kind == "free":
            self._number("rate_hz")
        if kind != "free":
            self._trigger(kind, line)
        if options["exposure_us"] and kind != "exposure":
            self._number("exposure_us")
        if options["gain"] != AS_IT_IS:
            self._number("gain")
        software_hz = (options["rate_hz"] or SOFTWARE_HZ) if kind == "software" else 0.0
        by_line = kind in ("hardware", "exposure")
        return self._camera.source(software_hz=software_hz, by_line=by_line, rate_hz=options["rate_hz"])

    def _failure(self, text: str) -> DeviceError:
        hint = f"'modality-agent source show gige:{self._uri.what}' lists what it offers."
        return DeviceError(f"{self._camera.name}: {text}", hint=hint)

    def _choose(self, feature: str, wanted: str, what: str) -> None:
        words = [*self._camera.words(feature)]
        if wanted not in words:
            has = ", ".join(words[:_ALL]) or "none"
            raise self._failure(f"it has no {what} '{wanted}'; it has {has}{close_to(wanted, words)}")
        self._camera.set_word(feature, wanted)
        got = self._camera.word(feature)
        if got != wanted:
            raise self._failure(f"asked for {what} {wanted}, it took {got}")

    def _format(self) -> None:
        wanted = self._uri.texts["format"]
        if wanted:
            self._choose("PixelFormat", wanted, "pixel format")

    def _place(self) -> None:
        options = self._uri.options
        if options["columns"] or options["rows"]:  # a picture at the right edge could not grow
            for quantity in ("x", "y"):
                if self._camera.number(quantity) is not None:
                    self._camera.set_number(quantity, 0)
        for quantity in ("columns", "rows"):
            if options[quantity]:
                self._number(quantity)
        for quantity in ("x", "y"):
            if options[quantity] != AS_IT_IS:
                self._number(quantity)

    def _number(self, quantity: str) -> None:
        wanted = self._uri.options[quantity]
        can = self._camera.number(quantity)
        if can is None:
            raise self._failure(f"asked for {quantity}={wanted:g}, it cannot be told")
        if not can.low <= wanted <= can.high:
            raise self._failure(f"asked for {quantity}={wanted:g}; it can be {number_said(can)}")
        self._camera.set_number(quantity, wanted)
        got = self._camera.number(quantity)
        if got is None or abs(got.value - wanted) > TOLERANCE.get(quantity, 0.0) * abs(wanted):
            value = "nothing" if got is None else f"{got.value:g}"
            raise self._failure(f"asked for {quantity}={wanted:g}, it took {value}; it can be {number_said(can)}")

    def _trigger(self, kind: str, line: str) -> None:
        source = "Software" if kind == "software" else line
        words: Sequence[str] = [*self._camera.words("TriggerSource")]
        if words and source not in words:
            raise self._failure(f"it has no trigger '{source}'; it has {', '.join(words)}{close_to(source, words)}")
        self._camera.trigger(source)
        if kind == "exposure":
            self._expose_by(source)

    def _expose_by(self, line: str) -> None:
        if "ExposureActive" in self._camera.words("TriggerSelector"):
            self._camera.trigger()
            self._camera.set_word("TriggerSelector", "ExposureActive")
            self._camera.set_word("TriggerMode", "On")
            self._camera.set_word("TriggerSource", line)
        elif "TriggerWidth" in self._camera.words("ExposureMode"):
            self._camera.set_word("ExposureMode", "TriggerWidth")
        else:
            raise self._failure(
                "it cannot be exposed by a line: it has neither the trigger ExposureActive nor the exposure mode "
                "TriggerWidth; use hardware:LINE with exposure_us"
            )
