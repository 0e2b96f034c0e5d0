"""Two programs over a line that loses, damages and doubles: messages arrive as they were sent, or it is said."""

from __future__ import annotations

import random

import pytest

from agent.console.frames import RETRY_S, TRIES, Channel, _frame, _read


def converse(noise: float, seed: int, messages: list[bytes], *, lose: float = 0.0) -> tuple[list[bytes], Channel]:
    """Send ``messages`` from one end to the other in steps of 0.1 s; returns what came, and the sender."""
    chance = random.Random(seed)
    near, far = Channel(0.0), Channel(0.0)
    got: list[bytes] = []
    waiting = list(messages)
    now = 0.0
    while now < 3000 and not near.failed and not far.failed:
        if near.idle:
            if not waiting:
                break
            near.send(waiting.pop(0), now)
        now += 0.1
        for one, other in ((near, far), (far, near)):
            data = bytearray(one.outgoing)
            one.outgoing.clear()
            for at in range(len(data)):
                if chance.random() < noise:
                    data[at] ^= 1 << chance.randrange(8)
            if chance.random() < lose:
                del data[: chance.randrange(len(data) + 1)]
            got += other.receive(bytes(data), now) if other is far else []
            if other is near:
                near.receive(bytes(data), now)
        near.tick(now)
        far.tick(now)
    return got, near


@pytest.mark.parametrize("noise", [0.0, 1e-3, 5e-3])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_messages_arrive_as_they_were_sent_each_once(noise: float, seed: int) -> None:
    chance = random.Random(seed)
    messages = [b"", b"x", chance.randbytes(5000), b"configuration\n" * 900]
    got, near = converse(noise, seed, messages, lose=0.1 if noise else 0.0)
    assert not near.failed
    assert got == messages


def test_a_line_that_is_too_bad_is_said() -> None:
    got, near = converse(0.2, 1, [b"x" * 500])
    assert (got, bool(near.failed)) == ([], True)


def test_nobody_there() -> None:
    near = Channel(0.0)
    near.send(b"x", 0.0)
    now = 0.0
    for _ in range(TRIES + 1):
        now += RETRY_S
        near.tick(now)
    assert "does not answer" in near.failed
    assert near.deadline is None


def test_what_is_no_frame_is_passed_over() -> None:
    near, far = Channel(0.0), Channel(0.0)
    near.send(b"hello", 0.0)
    assert far.receive(b"login: ~~0~\r\nbox> " + bytes(near.outgoing), 0.0) == [b"hello"]
    assert far.receive(bytes(near.outgoing), 0.0) == []  # again: it is only said back
    assert _read(_frame(7, b"m", b"abc").strip()) == (7, b"m", b"abc")
    assert _read(b"~") is None


def test_more_than_a_message_may_have() -> None:
    far = Channel(0.0)
    for number in range(3000):
        far.receive(_frame(number % 256, b"m", bytes(96)), 0.0)
        if far.failed:
            break
    assert "more than a message may have" in far.failed


def test_random_bytes_do_nothing() -> None:
    far = Channel(0.0)
    assert far.receive(random.Random(1).randbytes(200_000), 0.0) == []
    assert not far.failed
