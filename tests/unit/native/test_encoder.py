"""What an encoder reports, and that it is not believed where its frames do not come back."""

from __future__ import annotations

from typing import Any

import pytest

from agent.errors import EncoderFault, NativeArgumentError
from agent.native import compress
from agent.native.compress import JPEG_LS_LOSSLESS, JPEG_LS_NEAR, TRANSFER_SYNTAXES
from agent.native.encoder import FrameEncoder
from agent.native.frame import FrameDescription, frame_difference

GREY = FrameDescription(24, 40)
FRAME = bytes(number * number // 13 % 251 for number in range(GREY.frame_bytes))
SIGNED = FrameDescription(1, 2, 1, 16, 12, 11, 1)


def always() -> bool:
    return True


def breaking(monkeypatch: pytest.MonkeyPatch, times: int, change: Any) -> list[int]:
    """Let the first ``times`` results of the encoder be changed; gives the numbers of all calls."""
    calls: list[int] = []
    whole = compress.encode

    def encode(frame: Any, syntax: str, *, out: memoryview, **options: Any) -> int:
        count = whole(frame, syntax, out=out, **options)
        calls.append(count)
        if len(calls) <= times:
            change(out, count)
        return count

    monkeypatch.setattr(compress, "encode", encode)
    return calls


def flip(out: memoryview, count: int) -> None:
    out[count // 2] ^= 0x10


def cut(out: memoryview, count: int) -> None:
    out[0] ^= 0xFF  # no decoder takes this


@pytest.mark.parametrize("syntax", TRANSFER_SYNTAXES)
def test_a_sound_encoder_is_believed(syntax: str) -> None:
    encoder = FrameEncoder(GREY, syntax, verify=always)
    sizes = [encoder.encode(FRAME).nbytes for _ in range(3)]
    report = encoder.report
    assert (report.frames, report.verified) == (3, 3)
    assert report.ratio == 3 * GREY.frame_bytes / sum(sizes)
    assert (report.photometric_interpretation, report.near) == ("MONOCHROME2", 0)
    assert report.method == ("ISO_14495_1" if syntax == JPEG_LS_NEAR else "")


@pytest.mark.parametrize("change", [flip, cut])
@pytest.mark.parametrize("syntax", TRANSFER_SYNTAXES)
def test_a_broken_encoder_is_not(monkeypatch: pytest.MonkeyPatch, syntax: str, change: Any) -> None:
    breaking(monkeypatch, 1000, change)
    encoder = FrameEncoder(GREY, syntax, verify=always)
    with pytest.raises(EncoderFault, match="does not come back"):
        encoder.encode(FRAME)
    assert encoder.report[3:7] == (0, 0, 0, 0)
    assert FrameEncoder(GREY, syntax).encode(FRAME).nbytes > 0  # nobody looked


def test_a_bit_that_fell_over_once_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = breaking(monkeypatch, 1, flip)
    encoder = FrameEncoder(GREY, JPEG_LS_LOSSLESS, verify=always)
    assert compress.decode(encoder.encode(FRAME), JPEG_LS_LOSSLESS, GREY) == FRAME
    assert len(calls) == 2
    assert encoder.report.verified == 1


def test_near_lossless_is_verified_within_near(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = FrameEncoder(GREY, JPEG_LS_NEAR, 2, always)
    back = compress.decode(encoder.encode(FRAME), JPEG_LS_NEAR, GREY)
    assert 0 < frame_difference(FRAME, back, GREY) <= 2
    whole = compress.encode
    monkeypatch.setattr(compress, "encode", lambda *frame, near, **options: whole(*frame, near=near + 1, **options))
    with pytest.raises(EncoderFault):
        encoder.encode(FRAME)


def test_the_difference_of_frames_knows_signs() -> None:
    low, high = b"\x00\x80\x05\x00", b"\xff\x7f\x04\x00"
    assert frame_difference(low, high, SIGNED) == 0xFFFF
    assert frame_difference(low, high, SIGNED._replace(pixel_representation=0)) == 1
    with pytest.raises(NativeArgumentError):
        frame_difference(low, high + b"\0", SIGNED)
