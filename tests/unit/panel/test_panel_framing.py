"""Frames: judged by the standard library's CRC and by another COBS, and after every damage that one byte can take."""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING

import pytest
from cobs import cobs

from agent.panel.framing import LIMIT, OVERHEAD, Decoder, crc16, encode

if TYPE_CHECKING:
    import random


def genibus(data: bytes) -> int:
    return binascii.crc_hqx(data, 0xFFFF) ^ 0xFFFF


def framed(payload: bytes) -> bytes:
    frame = bytearray(LIMIT + OVERHEAD)
    return bytes(frame[: encode(frame, payload, len(payload))])


def decoded(decoder: Decoder, data: bytes) -> list[bytes]:
    found = []
    at = 0
    while at < len(data):
        at = decoder.feed(data, at, len(data))
        if decoder.size:
            found.append(bytes(decoder.payload[: decoder.size]))
    return found


def payloads(rng: random.Random, number: int) -> list[bytes]:
    return [
        bytes(rng.choice((0, 0, 1, 255, rng.randrange(256))) for _ in range(rng.randint(1, LIMIT)))
        for _ in range(number)
    ]


def test_crc_is_genibus(rng: random.Random) -> None:
    assert crc16(b"123456789", 9) == 0xD64E
    for payload in payloads(rng, 200):
        assert crc16(payload, len(payload)) == genibus(payload)


def test_a_frame_is_cobs_of_payload_and_crc_between_zeros(rng: random.Random) -> None:
    for payload in [b"\0" * LIMIT, b"\1" * LIMIT, *payloads(rng, 300)]:
        checked = payload + genibus(payload).to_bytes(2, "big")
        assert framed(payload) == b"\0" + cobs.encode(checked) + b"\0"


@pytest.mark.parametrize("cut", [1, 2, 7, 1000])
def test_frames_arrive_however_they_are_cut(rng: random.Random, cut: int) -> None:
    sent = payloads(rng, 100)
    line = b"".join(map(framed, sent))
    decoder = Decoder()
    assert [one for at in range(0, len(line), cut) for one in decoded(decoder, line[at : at + cut])] == sent
    assert decoder.bad == 0


def test_after_any_garbage_the_first_whole_frame_is_received(rng: random.Random) -> None:
    decoder = Decoder()
    for _ in range(3000):
        garbage = rng.randbytes(rng.choice((0, 1, 3, 20, 400)))
        garbage = garbage.replace(b"\0", b"\1") if rng.random() < 0.5 else garbage
        assert decoded(decoder, garbage + framed(b"next"))[-1] == b"next"


def test_one_hit_costs_one_frame(rng: random.Random) -> None:
    """Each byte of the middle of three frames becomes each other one, is lost, or gets company."""
    payload = bytes.fromhex("03 00 a1 00 00 00 17 c0 ff ee 00 00 05")
    before, hit, after = framed(b"before"), framed(payload), framed(b"after")
    passed = 0
    for at in range(len(hit)):
        others = [bytes([value]) for value in range(256) if value != hit[at]]
        for other in [*others, b"", bytes([hit[at], rng.randrange(256)])]:
            line = before + hit[:at] + other + hit[at + 1 :] + after
            found = decoded(Decoder(), line)
            assert (found[0], found[-1]) == (b"before", b"after")
            passed += len([one for one in found[1:-1] if one != payload])
    assert passed == 0


def test_of_frames_that_are_hit_often_hardly_any_passes(rng: random.Random) -> None:
    """What the CRC promises is 1 of 65,536."""
    payload = bytes.fromhex("03 07 fe ca 00 00 17 00 00 00 c0 ff ee 00 00 00 01 01")
    good = framed(payload)
    passed = hits = 0
    decoder = Decoder()
    for _ in range(10_000):
        line = bytearray(good)
        for at in rng.sample(range(1, len(line) - 1), 3):
            line[at] ^= rng.randrange(1, 256)
        hits += 1
        passed += any(one != payload for one in decoded(decoder, bytes(line)))
    assert passed <= 3, (passed, hits)


@pytest.mark.parametrize("length", [LIMIT + 1, LIMIT + 2, 250, 5000])
def test_what_is_too_long_is_no_frame(length: int) -> None:
    payload = bytes(length)
    line = b"\0" + cobs.encode(payload + genibus(payload).to_bytes(2, "big")) + b"\0"
    decoder = Decoder()
    assert decoded(decoder, line + framed(b"next")) == [b"next"]
    assert (decoder.bad, len(decoder.payload)) == (1, LIMIT + 2)


def test_zeros_between_frames_are_no_errors() -> None:
    decoder = Decoder()
    assert decoded(decoder, bytes(50) + framed(b"a") + bytes(3)) == [b"a"]
    assert decoder.bad == 0
