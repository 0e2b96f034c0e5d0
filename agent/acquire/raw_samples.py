"""Raw samples as frames, described by a TOML file beside them.

Sidecar of ``clip.raw`` is ``clip.raw.toml`` or ``clip.toml``: ``rows`` and ``columns``, and where they are not the
default ``samples_per_pixel`` (1), ``bits_allocated`` (8), ``bits_stored`` (all), ``pixel_representation`` (0),
``photometric_interpretation``, ``planar_configuration`` (0), ``frames`` (what the file holds), ``offset_bytes`` (0),
``byte_order`` ("little"). A rest behind the last whole frame says that the sidecar or the file is wrong; it is refused
unless ``frames`` says how many frames are meant.

Raises `DeviceError` for the samples, `ConfigError` for the sidecar; each names the file and the reason.
"""

from __future__ import annotations

import os

from agent.acquire.pictures import Frames, check_geometry, read_exactly, swapped
from agent.dataset.pixels import PixelDescription
from agent.errors import ConfigError, DeviceError
from agent.typed import Any

_PHOTOMETRIC = ("MONOCHROME1", "MONOCHROME2", "RGB", "YBR_FULL")
_HINT = "Is the file cut short? Compare rows, columns, samples, bits and offset_bytes of its sidecar with its maker."
_SIDECAR_KEYS = (
    "rows", "columns", "samples_per_pixel", "bits_allocated", "bits_stored", "pixel_representation",
    "photometric_interpretation", "planar_configuration", "frames", "offset_bytes", "byte_order",
)  # fmt: skip


def sidecar_of(path: str) -> str | None:
    """Find the sidecar of a raw file."""
    for name in (path + ".toml", os.path.splitext(path)[0] + ".toml"):
        if name != path and os.path.isfile(name):
            return name
    return None


def raw_frames(fd: int, path: str, sidecar: str) -> Frames:
    """Look at a raw file through its sidecar."""
    values = _read_sidecar(sidecar)
    description = _sidecar_description(values, sidecar)
    offset = _number(values, "offset_bytes", 0, sidecar, low=0)
    held = max(0, os.fstat(fd).st_size - offset) // description.frame_bytes
    count = _number(values, "frames", held, sidecar, low=0)
    if count < 1 or count > held:
        raise DeviceError(
            f"{path}: holds {held} whole frames of {description.frame_bytes} bytes, {max(count, 1)} wanted", hint=_HINT
        )
    rest = os.fstat(fd).st_size - offset - held * description.frame_bytes
    if rest and "frames" not in values:
        raise DeviceError(
            f"{path}: {rest} bytes are behind the last of {held} whole frames of {description.frame_bytes} bytes",
            hint=f"{_HINT} 'frames = {held}' leaves the rest out.",
        )
    order = values.get("byte_order", "little")
    if order not in ("little", "big"):
        raise _wrong(sidecar, 'byte_order must be "little" or "big"')
    swap = order == "big" and description.bits_allocated == 16

    def read(index: int) -> bytes:
        size = description.frame_bytes
        data = read_exactly(fd, size, offset + index * size, path)
        return swapped(data) if swap else data

    return Frames(description, count, None if swap else offset, read)


def _wrong(sidecar: str, reason: str) -> ConfigError:
    return ConfigError(f"{sidecar}: {reason}", hint="Correct this file; it says how the raw samples beside it lie.")


def _read_sidecar(sidecar: str) -> dict[str, Any]:
    import tomllib

    try:
        with open(sidecar, "rb") as file:
            values = tomllib.load(file)
    except OSError as error:
        raise _wrong(sidecar, error.strerror or str(error)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _wrong(sidecar, f"is no TOML: {error}") from error
    for key in values:
        if key not in _SIDECAR_KEYS:
            raise _wrong(sidecar, f"unknown key {key!r}; known are {', '.join(_SIDECAR_KEYS)}")
    return values


def _number(values: dict[str, Any], key: str, default: int | None, sidecar: str, *, low: int) -> int:
    value = values.get(key, default)
    if type(value) is not int or value < low:
        raise _wrong(sidecar, f"{key} must be a whole number from {low} on")
    return value


def _sidecar_description(values: dict[str, Any], sidecar: str) -> PixelDescription:
    samples = _number(values, "samples_per_pixel", 1, sidecar, low=1)
    allocated = _number(values, "bits_allocated", 8, sidecar, low=1)
    stored = _number(values, "bits_stored", allocated, sidecar, low=1)
    name = values.get("photometric_interpretation", "RGB" if samples == 3 else "MONOCHROME2")
    if name not in _PHOTOMETRIC:
        raise _wrong(sidecar, f"photometric_interpretation: {name!r} is none of {', '.join(_PHOTOMETRIC)}")
    description = PixelDescription(
        _number(values, "rows", None, sidecar, low=1),
        _number(values, "columns", None, sidecar, low=1),
        samples,
        allocated,
        stored,
        stored - 1,
        _number(values, "pixel_representation", 0, sidecar, low=0),
        name,
        _number(values, "planar_configuration", 0, sidecar, low=0),
    )
    try:
        check_geometry(description, sidecar)
    except DeviceError as error:
        raise _wrong(sidecar, error.message.removeprefix(f"{sidecar}: ")) from error
    return description
