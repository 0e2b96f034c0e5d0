"""The choice as arithmetic: which syntax is cheapest at which rate, what is never touched, that it does not flap."""

from __future__ import annotations

import random

import pytest

from agent.dataset import uid
from agent.dataset.pixels import PixelDescription
from agent.transcode.choose import AS_STORED, AUTO, LOSSLESS, MARGIN, Master, choose, possible, weigh
from agent.transcode.learn import FASTEST, FIRST_RATE, Figures, Known, Link

RGB = PixelDescription(768, 1024, 3, 8, 8, 7, 0, "RGB")
GREY12 = PixelDescription(1024, 1024, 1, 16, 12, 11)
# What a server core does, in seconds for a byte; RLE, JPEG-LS, JPEG Lossless, the rest.
SPEED = {uid.RLE_LOSSLESS: 1 / 320e6, uid.JPEG_LS_LOSSLESS: 1 / 50e6, uid.JPEG_LOSSLESS_SV1: 1 / 200e6}


def known(rate: float = 0.0, wait_s: float = 0.003) -> Known:
    made = Known(lambda _description, _given, wanted: SPEED.get(wanted, 1 / 400e6))
    for size in (1_000_000, 20_000) * 10 if rate else ():
        made.link.add(size, wait_s + size / rate)
    return made


def clip(syntax: str = uid.EXPLICIT_VR_LE, description: PixelDescription = RGB, frames: int = 60) -> Master:
    native = description.frame_bytes * frames
    size = native if syntax in uid.NATIVE_TRANSFER_SYNTAXES else native // 2
    return Master(syntax, size, native, frames, description, "probe")


@pytest.mark.parametrize(
    ("bytes_per_s", "expected"),
    [
        (1.25e6, uid.JPEG_LS_LOSSLESS),  # 10 Mbit/s
        (12.5e6, uid.JPEG_LOSSLESS_SV1),
        (118e6, uid.RLE_LOSSLESS),  # Gigabit Ethernet
        (1e9, uid.EXPLICIT_VR_LE),
    ],
)
def test_the_slower_the_link_the_harder_it_compresses(bytes_per_s: float, expected: str) -> None:
    choice = choose(clip(), LOSSLESS, AUTO, known(bytes_per_s))
    assert choice is not None
    assert choice.syntax == expected
    assert "to send at" in choice.why
    assert min(choice.options, key=lambda option: option.seconds).syntax == expected


def test_half_a_core_counts_the_work_twice() -> None:
    (whole, half) = (weigh(clip(), [uid.RLE_LOSSLESS], known(1e6), share)[0] for share in (1.0, 0.5))
    assert half.seconds - whole.seconds == pytest.approx(whole.work_s)
    choice = choose(clip(), LOSSLESS, AUTO, known(118e6), cpu_share=0.25)
    assert choice is not None
    assert choice.syntax == uid.EXPLICIT_VR_LE


def test_a_busy_box_takes_longer_than_its_work_and_is_tried_again() -> None:
    """Nine tenths of the cores belong to others: what is cheap in CPU seconds is dear in seconds, for a while."""
    facts, native = known(60e6), clip().native_bytes
    stored = Figures(uid.EXPLICIT_VR_LE, native, 0.003 + native / 60e6, uid.EXPLICIT_VR_LE, native, native, "colour8")
    copied = stored._replace(sent_as=uid.RLE_LOSSLESS, bytes=native // 2, link_s=0.003 + native / 120e6)
    busy = copied._replace(work_s=native / 320e6, took_s=40 * native / 320e6)
    for times, expected in ((1, uid.RLE_LOSSLESS), (4, uid.EXPLICIT_VR_LE)):  # once may be an accident
        for _ in range(times):
            facts.add(busy, "probe")
        choice = choose(clip(), LOSSLESS, AUTO, facts)
        assert choice is not None
        assert choice.syntax == expected
    for _ in range(200):
        facts.add(stored, "probe")
    choice = choose(clip(), LOSSLESS, AUTO, facts)
    assert choice is not None
    assert choice.syntax == uid.RLE_LOSSLESS


def test_a_link_nobody_knows_yet_is_taken_for_a_slow_one() -> None:
    choice = choose(clip(), LOSSLESS, AUTO, known())
    assert choice is not None
    assert choice.syntax != uid.EXPLICIT_VR_LE
    assert "not yet measured" in choice.why


def test_as_stored_changes_only_what_the_peer_refuses() -> None:
    slow = known(1e6)
    kept = choose(clip(), LOSSLESS, AS_STORED, slow)
    assert kept is not None
    assert (kept.syntax, kept.options) == (uid.EXPLICIT_VR_LE, ())
    made = choose(clip(uid.JPEG_LS_LOSSLESS), [uid.EXPLICIT_VR_LE, uid.RLE_LOSSLESS], AS_STORED, slow)
    assert made is not None
    assert made.syntax == uid.RLE_LOSSLESS
    assert made.why.startswith("the peer refuses JPEG-LS Lossless")
    only = choose(clip(uid.JPEG_LS_LOSSLESS), [uid.IMPLICIT_VR_LE], AS_STORED, slow)
    assert only is not None
    assert only.syntax == uid.IMPLICIT_VR_LE


def test_a_word_is_preferred_and_given_up_where_it_is_not_taken() -> None:
    for accepted, expected in ((LOSSLESS, uid.RLE_LOSSLESS), ([uid.EXPLICIT_VR_LE], uid.EXPLICIT_VR_LE)):
        choice = choose(clip(), accepted, uid.RLE_LOSSLESS, known(1e6))
        assert choice is not None
        assert choice.syntax == expected


@pytest.mark.parametrize(
    "syntax", [uid.JPEG_BASELINE, uid.JPEG_LS_NEAR, uid.JPEG_2000, uid.JPEG_2000_LOSSLESS, "1.2.840.10008.1.2.4.102"]
)
def test_lossy_video_and_unknown_streams_stay_as_they_are(syntax: str) -> None:
    assert [other for other in LOSSLESS if possible(clip(syntax), other)] == []
    assert choose(clip(syntax), LOSSLESS, AUTO, known(1e6)) is None
    kept = choose(clip(syntax), [*LOSSLESS, syntax], AUTO, known(1e6))
    assert kept is not None
    assert kept.syntax == syntax


@pytest.mark.parametrize("colours", ["RGB", "YBR_RCT"])
def test_htj2k_is_decoded_for_a_peer_that_refuses_it(colours: str) -> None:
    stored = clip(uid.HTJ2K_LOSSLESS, RGB._replace(photometric_interpretation=colours), frames=1)
    assert [syntax for syntax in LOSSLESS if possible(stored, syntax)] == list(LOSSLESS)
    choice = choose(stored, [uid.RLE_LOSSLESS], AS_STORED, known(1e6))
    assert choice is not None
    assert choice.syntax == uid.RLE_LOSSLESS


def test_without_pixels_only_the_encoding_of_the_elements_changes() -> None:
    report = Master(uid.EXPLICIT_VR_LE, 20_000)
    assert {syntax for syntax in LOSSLESS if possible(report, syntax)} == uid.NATIVE_TRANSFER_SYNTAXES - {
        uid.EXPLICIT_VR_BE
    }


def test_deflated_is_for_single_small_images() -> None:
    assert possible(clip(frames=1), uid.DEFLATED_EXPLICIT_VR_LE)
    assert not possible(clip(frames=2), uid.DEFLATED_EXPLICIT_VR_LE)
    assert not possible(clip(frames=1, description=RGB._replace(rows=12_000)), uid.DEFLATED_EXPLICIT_VR_LE)


@pytest.mark.parametrize(
    ("master", "accepted", "mode", "reason"),
    [
        (clip(frames=2), LOSSLESS, uid.DEFLATED_EXPLICIT_VR_LE, "it is for one frame of at most 32 MiB"),
        (clip(description=GREY12._replace(high_bit=15)), LOSSLESS, uid.RLE_LOSSLESS, "does not take such pixels"),
        (clip(uid.JPEG_LS_NEAR), [*LOSSLESS, uid.JPEG_LS_NEAR], uid.RLE_LOSSLESS, "is never decoded to be sent"),
        (Master(uid.EXPLICIT_VR_LE, 20_000), LOSSLESS, uid.RLE_LOSSLESS, "has no pixels"),
        (clip(), [uid.EXPLICIT_VR_LE], uid.RLE_LOSSLESS, "the peer refuses it"),
    ],
)
def test_what_was_configured_and_is_not_possible_has_a_reason(
    master: Master, accepted: list[str], mode: str, reason: str
) -> None:
    choice = choose(master, accepted, mode, known(1e6))
    assert choice is not None
    assert choice.syntax == master.syntax
    assert reason in choice.why


def test_pixels_that_a_codec_does_not_take_stay_native() -> None:
    odd = GREY12._replace(high_bit=15)
    assert {syntax for syntax in LOSSLESS if possible(clip(description=odd), syntax)} == {
        uid.EXPLICIT_VR_LE, uid.IMPLICIT_VR_LE
    }  # fmt: skip
    huge = clip(uid.RLE_LOSSLESS, frames=2000)
    assert not possible(huge, uid.EXPLICIT_VR_LE)  # native Pixel Data end before 4 GiB


def test_noise_does_not_make_it_flap() -> None:
    """Two options of the same price and a link that jitters by a fifth: the choice stays for a while."""
    entropy = random.Random(3)
    facts = known(12.5e6)
    switched, before = 0, ""
    for _ in range(200):
        choice = choose(clip(), (uid.JPEG_LS_LOSSLESS, uid.JPEG_LOSSLESS_SV1), AUTO, facts)
        assert choice is not None
        switched += choice.syntax != before
        before = choice.syntax
        size = next(option.bytes for option in choice.options if option.syntax == before)
        seconds = (0.003 + size / 12.5e6) * entropy.uniform(0.8, 1.2)
        native = clip().native_bytes
        facts.add(
            Figures(before, size, seconds, uid.EXPLICIT_VR_LE, native, native, "colour8", native / 120e6), "probe"
        )
    assert switched < 20


def test_gain_below_the_margin_changes_nothing() -> None:
    facts, native = known(1e6), clip().native_bytes
    better = int(native / 3 * (1 - MARGIN / 2))
    for syntax, size in ((uid.JPEG_LS_LOSSLESS, better), (uid.JPEG_LOSSLESS_SV1, native // 3)):
        seconds = 0.003 + size / 1e6
        facts.add(Figures(syntax, size, seconds, uid.EXPLICIT_VR_LE, native, native, "colour8", 0.1), "probe")
    choice = choose(clip(), LOSSLESS, AUTO, facts)
    assert choice is not None
    assert choice.syntax == uid.JPEG_LOSSLESS_SV1
    assert choice.why.endswith("too little to change")


# --- the link ---------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [1e6, 12.5e6, 118e6, 1e9])
@pytest.mark.parametrize("wait_s", [0.0, 0.008, 0.1])
def test_wait_and_rate_are_told_apart(rate: float, wait_s: float) -> None:
    entropy, link = random.Random(1), Link()
    for size in (500_000, 150_000, 5_000_000) * 10:
        link.add(size, (wait_s + size / rate) * entropy.uniform(0.95, 1.05))
    for size in (150_000, 5_000_000):
        assert link.seconds(size) == pytest.approx(wait_s + size / rate, rel=0.25, abs=0.002)


def test_many_small_instances_do_not_wash_out_what_a_large_one_taught() -> None:
    link = Link()
    for _ in range(3):
        link.add(50_000_000, 0.005 + 0.5)
    for _ in range(500):
        link.add(5_000, 0.012)
    assert link.rate == pytest.approx(100e6, rel=0.3)
    assert link.wait_s == pytest.approx(0.012, rel=0.2)


def test_a_link_that_becomes_slow_is_noticed_at_once() -> None:
    link = Link()
    for _ in range(20):
        link.add(1_000_000, 0.013)
    for _ in range(3):
        link.add(1_000_000, 1.0)
    assert link.seconds(1_000_000) == pytest.approx(1.0, rel=0.3)
    assert Link().rate == pytest.approx(FIRST_RATE)


def test_whatever_is_measured_the_link_stays_a_link() -> None:
    entropy, link = random.Random(7), Link()
    for _ in range(20_000):
        link.add(int(10 ** entropy.uniform(0, 9.6)), 10 ** entropy.uniform(-6, 5))
        assert 0 <= link.wait_s < 1e6
        assert 1 / FASTEST <= link.per_byte_s < 1e6
    for _ in range(60):
        link.add(1_000_000, 0.1)
    assert link.seconds(1_000_000) == pytest.approx(0.1, rel=0.2)


def test_figures_come_back_out_of_a_receipt() -> None:
    given = Figures(uid.RLE_LOSSLESS, 5, 0.25, uid.EXPLICIT_VR_LE, 9, 8, "grey8", 0.5, 0.75)
    assert Figures.read({name: str(value) for name, value in given._asdict().items()}) == given
    assert Figures.read({"sent_as": uid.RLE_LOSSLESS, "bytes": "5", "link_s": "1"}) == Figures(uid.RLE_LOSSLESS, 5, 1.0)
    assert Figures.read({"status": "0000"}) is None
    assert Figures.read({"sent_as": "", "bytes": "x", "link_s": ""}) is None
