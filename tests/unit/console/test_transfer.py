"""When a file transfer has begun, died, or had enough."""

from __future__ import annotations

import pytest

from agent.console.transfer import (
    DONE,
    INTERRUPTED,
    LARGE,
    LAST_WORD_S,
    LONG,
    LONGEST_S,
    NEVER,
    QUIET_S,
    SILENT,
    SILENT_S,
    START_S,
    WORDS,
    Watch,
    safe_name,
    unpadded,
)


@pytest.mark.parametrize("typed", [b"\x03", b"\x18" * 5, b"hello\x03", b"\x03\x03"])
def test_before_it_begins_a_person_may_change_his_mind(typed: bytes) -> None:
    watch = Watch(0.0, sending=True, most_bytes=1000)
    watch.heard(typed, 1.0)
    watch.tick(1.0 + QUIET_S)
    assert watch.verdict == INTERRUPTED


def test_noise_makes_an_interrupt_of_a_head_and_the_block_goes_on() -> None:
    watch = Watch(0.0, sending=False, most_bytes=1000)
    watch.heard(b"\x03", 1.0)
    watch.heard(b"\x05\xfa", 1.1)
    watch.tick(1.1 + QUIET_S)
    assert watch.verdict is None


def test_once_it_has_begun_every_byte_is_data() -> None:
    watch = Watch(0.0, sending=True, most_bytes=1000)
    assert watch.heard(b"C", 1.0) == b"C"
    assert watch.heard(b"\x03", 2.0) == b"\x03"
    assert watch.verdict is None


@pytest.mark.parametrize("pieces", [(b"*\x18B00",), (b"*", b"\x18B00"), (b"\x01\x01\xfe",)])
def test_a_sender_begins_with_a_head(pieces: tuple[bytes, ...]) -> None:
    watch = Watch(0.0, sending=False, most_bytes=1000)
    for piece in pieces:
        assert not watch.begun
        watch.heard(piece, 1.0)
    assert watch.begun


def test_nobody_begins() -> None:
    watch = Watch(0.0, sending=True, most_bytes=1000)
    watch.heard(b"what is this?", 30.0)
    watch.tick(START_S - 1)
    assert watch.verdict is None
    watch.tick(watch.deadline())
    assert watch.verdict == NEVER


def test_silence_ends_it_and_behind_an_end_it_is_consent() -> None:
    for said, verdict, after in ((b"\x01\x05\xfa data", SILENT, SILENT_S), (b"\x04", DONE, LAST_WORD_S),
                                 (b"\x01\x00\xff\x00" + bytes(129), DONE, LAST_WORD_S)):  # fmt: skip
        watch = Watch(0.0, sending=True, most_bytes=1000)
        watch.heard(b"C", 1.0)
        watch.said(said, 1.0)
        watch.tick(1.0 + after - 0.1)
        assert watch.verdict is None
        watch.tick(1.0 + after)
        assert watch.verdict == verdict


def test_an_answer_behind_an_end_goes_on() -> None:
    watch = Watch(0.0, sending=True, most_bytes=1000)
    watch.heard(b"\x15", 1.0)
    watch.said(b"\x04", 2.0)
    watch.heard(b"\x15", 3.0)
    watch.tick(3.0 + LAST_WORD_S + 1)
    assert watch.verdict is None


def test_neither_without_end_nor_for_ever() -> None:
    watch = Watch(0.0, sending=False, most_bytes=1000)
    watch.heard(b"\x01", 0.0)
    for _ in range(80):
        watch.heard(bytes(1024), 1.0)
    assert watch.verdict == LARGE
    watch = Watch(0.0, sending=False, most_bytes=1000)
    watch.heard(b"\x01", LONGEST_S - 1)
    watch.tick(LONGEST_S)
    assert watch.verdict == LONG


def test_padding_names_and_words() -> None:
    assert unpadded(b"-----END-----\n" + b"\x1a" * 100) == b"-----END-----\n"
    assert safe_name("../../etc/passwd") == "passwd"
    assert safe_name("C:\\x\\box.pem") == "box.pem"
    assert safe_name("a\x1b[2Jb") == "a?[2Jb"
    assert len(set(WORDS)) == len(WORDS)
