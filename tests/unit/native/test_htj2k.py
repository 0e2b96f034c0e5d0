"""HTJ2K by the library that may be there: every depth and shape, lies of a codestream, and its absence."""

from __future__ import annotations

import random
import sys

import pytest

from agent.acquire.writers import require_available
from agent.config.check import check_value
from agent.config.schema import SECTIONS
from agent.errors import NativeArgumentError, NativeDataError, UsageError
from agent.native import compress, htj2k
from agent.native.compress import HTJ2K_LOSSLESS, decode, encode, encode_bound
from agent.native.encoder import FrameEncoder
from agent.native.frame import FrameDescription

SMALL = FrameDescription(6, 10, 3, photometric_interpretation="RGB")
NATIVE = bytes(range(180))


def noise(d: FrameDescription, rng: random.Random) -> bytes:
    """Samples over all their bits; those above are the sign or 0."""
    low = -(1 << d.bits_stored - 1) if d.pixel_representation else 0
    width = d.bits_allocated // 8
    values = (low + rng.getrandbits(d.bits_stored) for _ in range(d.frame_bytes // width))
    return b"".join(value.to_bytes(width, "little", signed=low < 0) for value in values)


@pytest.mark.parametrize("allocated", [8, 16])
@pytest.mark.parametrize("representation", [0, 1])
@pytest.mark.parametrize("samples", [1, 3])
def test_every_depth_and_shape_comes_back(allocated: int, representation: int, samples: int) -> None:
    rng = random.Random(1)
    for stored in range(1, allocated + 1):
        for rows, columns in ((1, 1), (1, 33), (37, 1), (3, 3), (70, 65)):
            d = FrameDescription(rows, columns, samples, allocated, stored, stored - 1, representation,
                                 "RGB" if samples == 3 else "MONOCHROME2")  # fmt: skip
            native = noise(d, rng)
            coded = encode(native, HTJ2K_LOSSLESS, description=d)
            assert len(coded) % 2 == 0
            assert len(coded) <= encode_bound(d, HTJ2K_LOSSLESS)
            assert decode(coded, HTJ2K_LOSSLESS, d) == native


def test_colours_are_told_as_they_were_turned() -> None:
    for colours, coded in (("RGB", "YBR_RCT"), ("YBR_FULL", "YBR_FULL")):
        encoder = FrameEncoder(SMALL._replace(photometric_interpretation=colours), HTJ2K_LOSSLESS, verify=lambda: True)
        stream = bytes(encoder.encode(NATIVE))
        assert encoder.report.photometric_interpretation == coded
        assert encoder.report.verified == 1
        cod = stream.index(b"\xff\x52")
        assert stream[cod + 8] == (coded == "YBR_RCT")  # multiple component transformation (T.800 A.6.1)
        assert stream[cod + 13] == 1  # the reversible wavelet


@pytest.mark.parametrize("bits", [8, 16])
def test_planes_are_coded_as_pixels(bits: int) -> None:
    d = SMALL._replace(bits_allocated=bits, bits_stored=bits, high_bit=bits - 1)
    planes = d._replace(planar_configuration=1)
    width = bits // 8
    pixels = bytes(number % 251 for number in range(d.frame_bytes))
    samples = [pixels[at : at + width] for at in range(0, len(pixels), width)]
    native = b"".join(b"".join(samples[k::3]) for k in range(3))
    coded = encode(native, HTJ2K_LOSSLESS, description=planes)
    assert coded == encode(pixels, HTJ2K_LOSSLESS, description=d)
    assert decode(coded, HTJ2K_LOSSLESS, planes) == native


def test_out_is_filled_or_refused() -> None:
    coded = encode(NATIVE, HTJ2K_LOSSLESS, description=SMALL)
    room = bytearray(len(coded))
    assert encode(NATIVE, HTJ2K_LOSSLESS, description=SMALL, out=room) == len(coded)
    assert room == coded
    back = bytearray(180)
    assert decode(coded, HTJ2K_LOSSLESS, SMALL, out=back) == 180
    assert back == NATIVE
    for short in (bytearray(len(coded) - 1), bytearray(3)):
        with pytest.raises(NativeArgumentError, match="too small"):
            encode(NATIVE, HTJ2K_LOSSLESS, description=SMALL, out=short)


@pytest.mark.parametrize(
    "other",
    [
        SMALL._replace(rows=5),
        SMALL._replace(columns=60_000, rows=60_000),
        SMALL._replace(samples_per_pixel=1),
        SMALL._replace(pixel_representation=1),
        SMALL._replace(bits_allocated=16, bits_stored=16, high_bit=15),
    ],
)
def test_a_codestream_of_another_frame_is_not_decoded(other: FrameDescription, monkeypatch: pytest.MonkeyPatch) -> None:
    coded = encode(NATIVE, HTJ2K_LOSSLESS, description=SMALL)
    monkeypatch.setattr(htj2k, "_library", lambda: pytest.fail("must not be asked"))
    with pytest.raises(NativeDataError, match="other rows, columns, samples or bits"):
        decode(coded, HTJ2K_LOSSLESS, other)


def test_damage_is_an_error_or_another_frame() -> None:
    d = FrameDescription(20, 30)
    native = bytes(number * 7 % 251 for number in range(600))
    coded = encode(native, HTJ2K_LOSSLESS, description=d)
    refused = 0
    for size in range(0, len(coded) - 2, 3):
        try:
            assert len(decode(coded[:size], HTJ2K_LOSSLESS, d)) == 600
        except NativeDataError:
            refused += 1
    assert refused > 20


@pytest.mark.parametrize(
    "wrong",
    [SMALL._replace(high_bit=6), SMALL._replace(bits_allocated=32)],
)
def test_what_it_does_not_do_is_refused(wrong: FrameDescription) -> None:
    with pytest.raises(NativeArgumentError, match="HTJ2K"):
        encode(NATIVE, HTJ2K_LOSSLESS, description=wrong)
    with pytest.raises(NativeArgumentError):
        encode(NATIVE[:-1], HTJ2K_LOSSLESS, description=SMALL)
    with pytest.raises(NativeArgumentError, match="lossless"):
        encode(NATIVE, HTJ2K_LOSSLESS, description=SMALL, near=1)


def test_without_the_library_it_is_said_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    assert not compress.is_available(HTJ2K_LOSSLESS)
    with pytest.raises(NativeArgumentError, match="not here") as caught:
        encode(NATIVE, HTJ2K_LOSSLESS, description=SMALL)
    assert caught.value.hint == htj2k.HINT
    with pytest.raises(UsageError, match="htj2k needs a library"):
        require_available(HTJ2K_LOSSLESS)
    key = next(key for section in SECTIONS for key in section.keys if key.kind == "syntax")
    assert "pip install" in check_value(key, "htj2k")[1]
