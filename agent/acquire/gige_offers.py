"""Which GigE Vision cameras answer, and what one offers, as plain values.

Whoever is asked what it offers is under our control meanwhile: a camera that captures cannot be asked.
"""

from __future__ import annotations

from agent.acquire.gige import address_of, number_said
from agent.errors import DeviceError
from agent.native.gige import QUANTITIES, Camera, found
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from agent.config.source import SourceUri

# What else a technician wants to know, by the names of the SFNC; a camera has some of them.
_ABOUT: Final = (
    "DeviceVendorName",
    "DeviceModelName",
    "DeviceVersion",
    "DeviceFirmwareVersion",
    "DeviceUserID",
    "DeviceTemperature",
)
_CHOICES: Final = ("TriggerSource", "TriggerSelector", "ExposureMode")


def cameras() -> list[dict[str, Any]]:
    """List the cameras that answer; one entry with ``problem`` where nobody can be asked."""
    try:
        there = found()
    except DeviceError as error:
        return [{"uri": "gige:", "device": "", "card": "", "driver": "", "bus": "", "problem": error.message}]
    return [
        {
            "uri": f"gige:{one.address}",
            "device": one.id,
            "card": f"{one.vendor} {one.model}",
            "driver": one.serial,
            "bus": f"{one.id}, MAC {one.mac}",
            "problem": "",
        }
        for one in there
    ]


def offers(uri: SourceUri) -> dict[str, Any]:
    """Everything that can be written into its URI, and what it is set to; raises ``DeviceError``."""
    with Camera(address_of(uri.what), uri.texts["interface"], f"gige {uri.what}") as camera:
        numbers = {name: camera.number(name) for name in QUANTITIES}
        return {
            "device": uri.what,
            "about": {name: text for name in _ABOUT if (text := _word(camera, name))},
            "format": camera.word("PixelFormat"),
            "formats": [*camera.words("PixelFormat")],
            "numbers": {
                name: {**number._asdict(), "said": number_said(number)}
                for name, number in numbers.items()
                if number is not None
            },
            "choices": {name: [*camera.words(name)] for name in _CHOICES if camera.word(name) is not None},
        }


def _word(camera: Camera, feature: str) -> str:
    try:
        return camera.word(feature) or ""
    except DeviceError:
        return ""  # a number, or one that cannot be read now
