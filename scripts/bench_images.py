"""The pictures that codecs are timed on: phantoms like those of the machines we stand beside, and real images.

Phantoms come from fixed seeds: flat-panel radiographs of 12, 14 and 16 bits (quantum noise, detector blur, collimator),
an ultrasound sector with Doppler box, text and grey bar as RGB and as grey, a slice of 12 bits. They lie on the hard,
noisy side. The real ones come with pydicom. Both are kept in build/bench-images.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from bench_lib import ROOT

from agent.native.frame import FrameDescription

if TYPE_CHECKING:
    from collections.abc import Callable

    Array = Any  # what numpy's own types say of fields and samples is not worth its length here
    Field = Any

FOLDER = ROOT / "build" / "bench-images"
PANEL_SIDE = 3072
BACKGROUND_HU = 1024

# From the pydicom wheel: native images with the sizes and depths that the others lack.
REAL = (
    "examples_rgb_color.dcm",
    "examples_palette.dcm",
    "examples_ybr_color.dcm",
    "examples_overlay.dcm",
    "CT_small.dcm",
    "MR_small.dcm",
)


class Picture(NamedTuple):
    """One frame: shape (rows, columns) or (rows, columns, 3), little endian, and how many bits it uses."""

    name: str
    array: Array
    bits: int

    @property
    def description(self) -> FrameDescription:
        samples = 1 if self.array.ndim == 2 else self.array.shape[2]
        return FrameDescription(
            rows=self.array.shape[0],
            columns=self.array.shape[1],
            samples_per_pixel=samples,
            bits_allocated=8 * self.array.itemsize,
            bits_stored=self.bits,
            high_bit=self.bits - 1,
            pixel_representation=int(self.array.dtype.kind == "i"),
            photometric_interpretation="RGB" if samples == 3 else "MONOCHROME2",
        )


def pictures(*, quick: bool = False) -> list[Picture]:
    """Every picture; ``quick`` leaves out the large ones."""
    made: list[tuple[str, int, Callable[[], Array]]] = [
        ("usrgb0", 8, lambda: _sector(0, doppler=True)),
        ("usrgb3", 8, lambda: _sector(3, doppler=True)),
        ("usgrey", 8, lambda: _sector(0, doppler=False)[..., 0]),
        ("ct12", 12, _slice),
    ]
    if not quick:
        made += [
            ("dr12", 12, lambda: _panel(12, photons=1600, logarithmic=True, seed=11)),
            ("dr14", 14, lambda: _panel(14, photons=1600, logarithmic=False, seed=12)),
            ("dr16", 16, lambda: _panel(16, photons=6000, logarithmic=True, seed=13)),
        ]
    return [Picture(name, _kept(name, make), bits) for name, bits, make in made] + [_real(name) for name in REAL]


def _kept(name: str, make: Callable[[], Array]) -> Array:
    """The picture from build/bench-images, made when it is not there."""
    path = FOLDER / f"{name}.npy"
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        scratch = path.with_suffix(".part.npy")
        np.save(scratch, np.ascontiguousarray(make()))
        scratch.rename(path)
    return np.load(path)


def _real(name: str) -> Picture:
    import pydicom
    from pydicom.data import get_testdata_file

    dataset = pydicom.dcmread(str(get_testdata_file(name)))
    array = dataset.pixel_array
    if int(dataset.get("NumberOfFrames", 1) or 1) > 1:
        array = array[0]
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return Picture(name.removesuffix(".dcm"), little, int(dataset.BitsStored))


# --- phantoms -----------------------------------------------------------------------------------


def _blur(field: Field, sigma: float) -> Field:
    rows, columns = field.shape
    by_row, by_column = np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(columns)[None, :]
    kernel = np.exp(-2 * (np.pi * sigma) ** 2 * (by_row**2 + by_column**2))
    return np.fft.irfft2(np.fft.rfft2(field) * kernel, s=(rows, columns))


def _texture(side: int, exponent: float, rng: np.random.Generator, *, cut: float = 2.0) -> Field:
    """Random field of unit variance with a spectrum of 1/f**exponent, as tissue has."""
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :]) * side
    amplitude = 1.0 / np.maximum(frequency, cut) ** (exponent / 2)
    phase = rng.standard_normal(amplitude.shape) + 1j * rng.standard_normal(amplitude.shape)
    field = np.fft.irfft2(amplitude * phase, s=(side, side))
    return (field - field.mean()) / field.std()


def _chest(side: int, rng: np.random.Generator) -> Field:
    """Transmission in (0, 1]: body, lungs, spine, heart, ribs, texture."""
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]

    def ellipse(cx: float, cy: float, rx: float, ry: float, soft: float) -> Field:
        inside = ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2
        return 1 / (1 + np.exp(np.clip((inside - 1) / soft, -40, 40)))

    attenuation = 1.6 * ellipse(0, 0.25, 0.95, 1.35, 0.05)
    attenuation -= ellipse(-0.42, -0.05, 0.30, 0.62, 0.12) + ellipse(0.42, -0.05, 0.30, 0.62, 0.12)
    attenuation += 0.9 * np.exp(-((x / 0.085) ** 2)) + 0.55 * ellipse(0.12, 0.25, 0.27, 0.30, 0.25)
    for rib in range(9):
        line = y + 0.72 - 0.17 * rib - 0.22 * np.abs(x) ** 1.6
        attenuation += 0.16 * np.exp(-((line / 0.022) ** 2)) * ellipse(0, 0, 0.82, 0.95, 0.05)
    attenuation += 0.10 * _texture(side, 3.0, rng) + 0.02 * _texture(side, 2.2, rng)
    return np.exp(-np.maximum(attenuation, 0))


def _panel(bits: int, *, photons: float, logarithmic: bool, seed: int) -> Array:
    """Flat panel: Poisson noise, scintillator blur, electronic noise, a border as the collimator leaves it."""
    rng = np.random.default_rng(seed)
    quanta = _chest(PANEL_SIDE, rng) * photons
    signal = _blur(quanta + np.sqrt(quanta) * rng.standard_normal(quanta.shape), 0.55)
    signal = np.maximum(signal + 2.0 * rng.standard_normal(quanta.shape), 1) / photons
    value = np.log1p(signal * 60) / np.log(61) if logarithmic else signal
    value *= (2**bits - 1) * 0.9
    edge = PANEL_SIDE // 40
    inner = value[edge:-edge, edge:-edge].copy()
    value *= 0.015
    value[edge:-edge, edge:-edge] = inner
    return np.clip(np.rint(value), 0, 2**bits - 1).astype("<u2")


def _sector(frame: int, *, doppler: bool, rows: int = 768, columns: int = 1024) -> Array:
    """Ultrasound: log-compressed speckle in polar space, scan-converted, with what a machine draws around it."""
    rng = np.random.default_rng(21 + frame)
    beams, depths = 192, 640
    y, x = np.mgrid[0:rows, 0:columns]
    depth = (np.hypot(x - columns / 2, y - 30) - 60) / (rows - 110) * (depths - 1)
    beam = (np.arctan2(x - columns / 2, y - 30) / 0.72 + 1) / 2 * (beams - 1)
    fan = (depth >= 0) & (depth < depths - 1) & (beam >= 0) & (beam < beams - 1)
    near, left = np.clip(depth.astype(int), 0, depths - 2), np.clip(beam.astype(int), 0, beams - 2)
    down, right = depth - near, beam - left

    def scan(polar: Field) -> Field:
        upper = polar[near, left] * (1 - right) + polar[near, left + 1] * right
        lower = polar[near + 1, left] * (1 - right) + polar[near + 1, left + 1] * right
        return np.where(fan, upper * (1 - down) + lower * down, 0)

    along, across = np.mgrid[0:depths, 0:beams]
    echo = 1 + 0.8 * np.sin(along / 70.0) * np.cos(across / 25.0)
    echo *= 1 - 0.93 * np.exp(-((((along - 330) / 90.0) ** 2 + ((across - 100) / 30.0) ** 2) ** 2))
    echo *= 1 + 6 * np.exp(-(((along - 470 - 20 * np.sin(across / 20.0)) / 6.0) ** 2))
    scatter = rng.standard_normal((2, depths, beams)) * np.sqrt(np.maximum(echo, 0.002))
    envelope = np.hypot(_blur(scatter[0], 1.4), _blur(scatter[1], 1.4)) * np.exp(-along / 900.0)
    grey = np.clip((20 * np.log10(envelope + 1e-6) + 52) / 60 * 255, 0, 255)
    picture = np.repeat(np.rint(scan(grey)).astype(np.uint8)[:, :, None], 3, 2)
    if doppler:
        _colour(picture, scan(_blur(rng.standard_normal((depths, beams)), 9) * 9), fan & (depth > 220) & (depth < 440))
    _furniture(picture, rng, coloured=doppler)
    return picture


def _colour(picture: Array, velocity: Field, box: Field) -> None:
    shown = np.clip(np.abs(velocity) * 400, 40, 255).astype(np.uint8)
    for towards, strong, weak in ((True, 0, 3), (False, 2, 2)):
        here = box & (np.abs(velocity) > 0.12) & ((velocity > 0) == towards)
        picture[here] = 0
        picture[..., strong][here] = shown[here]
        picture[..., 1][here] = shown[here] // weak


def _furniture(picture: Array, rng: np.random.Generator, *, coloured: bool) -> None:
    """Text-like marks, a grey bar, a trace of the heart."""
    rows, columns = picture.shape[:2]
    for line in range(6):
        marks = np.kron(rng.integers(0, 2, (7, 40)), np.ones((2, 2))).astype(bool)
        target = picture[60 + 26 * line : 74 + 26 * line, 16:96]
        target[marks] = (230, 200, 60) if coloured else (210, 210, 210)
    picture[120:632, 990:1006] = (255 - np.arange(512) // 2)[:, None, None]
    at = np.arange(columns)
    phase = (at % 180) / 180.0
    trace = rows - 33 - 55 * np.exp(-(((phase - 0.3) / 0.02) ** 2)) - 8 * np.exp(-(((phase - 0.55) / 0.06) ** 2))
    for thick in range(2):
        picture[trace.astype(int) + thick, at] = (60, 220, 90) if coloured else (170, 170, 170)


def _slice(side: int = 512) -> Array:
    """A slice of 12 bits: ellipses of tissue, lung and bone, noise as filtered back-projection leaves it."""
    rng = np.random.default_rng(31)
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    density = np.full((side, side), -1000.0)
    for cx, cy, rx, ry, value in (
        (0, 0.05, 0.82, 0.62, 40),
        (-0.36, -0.05, 0.26, 0.38, -820),
        (0.36, -0.05, 0.26, 0.38, -820),
        (0, 0.42, 0.13, 0.13, 350),
        (0.08, 0.05, 0.2, 0.24, 55),
        (0, -0.62, 0.9, 0.02, 60),
    ):
        density[((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1] = value
    density = _blur(density + 8 * _texture(side, 2.4, rng), 0.9)
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :])
    spectrum = np.fft.rfft2(rng.standard_normal((side, side))) * np.sqrt(frequency) * np.exp(-((frequency / 0.28) ** 2))
    noise = np.fft.irfft2(spectrum, s=(side, side))
    density += noise / noise.std() * 14
    stored = np.clip(np.rint(density + BACKGROUND_HU), 0, 4095)
    stored[np.hypot(x, y) > 1] = 0
    return stored.astype("<u2")
