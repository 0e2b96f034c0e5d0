"""The transfer syntax of the master: what its destinations get soonest, and never one that a live source outruns."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from agent.acquire import automatic
from agent.acquire.automatic import pick
from agent.config.check import examine
from agent.config.load import build
from agent.dataset import uid
from agent.dataset.pixels import PixelDescription
from agent.spool.receipt import Told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.config.settings import Settings

RGB = PixelDescription(480, 640, 3, 8, 8, 7, 0, "RGB")
SPEED = {uid.RLE_LOSSLESS: 1e-9, uid.JPEG_LS_LOSSLESS: 1e-8, uid.JPEG_LOSSLESS_SV1: 2e-9, uid.EXPLICIT_VR_LE: 0.0}


@pytest.fixture(autouse=True)
def _speed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(automatic, "encode_per_byte", lambda _description, syntax: SPEED[syntax])


class Receipts:
    """A spool that has seen a destination answer at some rate, and captures of the source."""

    def __init__(
        self, rate: float, takes: Mapping[str, bool] | None = None, captured: list[Told] | None = None
    ) -> None:
        self.rate, self.takes, self.told = rate, takes, captured or []

    def sent(self, _destination: str) -> list[Told]:
        detail = (
            {"sent_as": uid.EXPLICIT_VR_LE, "bytes": "10000000", "link_s": str(1e7 / self.rate)} if self.rate else {}
        )
        return [Told(detail, "probe", "1.2", uid.EXPLICIT_VR_LE)] * 5

    def accepted(self, _destination: str) -> dict[str, Mapping[str, bool]]:
        return {uid.US_MULTIFRAME: self.takes} if self.takes is not None else {}

    def captured(self, _source: str) -> list[Told]:
        return self.told


def settings(**more: Any) -> Settings:
    source = {"name": "probe", "uri": "pattern:us-rgb?rate_hz=30", "transfer_syntax": "auto", "clip_frames": 60}
    destination = {"name": "pacs", "called_ae": "PACS", "host": "h", **more}
    values, problems = examine({"source": [source], "destination": [destination]})
    assert problems == []
    return build(values)


def picked(
    receipts: Receipts, rate_hz: float = 30.0, description: PixelDescription = RGB, **more: Any
) -> automatic.Picked:
    opened: Any = SimpleNamespace(source=SimpleNamespace(description=description, rate_hz=rate_hz), frames=0)
    made = settings(**more)
    return pick(made.source[0], opened, receipts, made.destination)  # type: ignore[arg-type] # all of it that is used


@pytest.mark.parametrize(("rate", "expected"), [(1e6, uid.JPEG_LS_LOSSLESS), (5e9, uid.EXPLICIT_VR_LE)])
def test_slow_destinations_want_small_masters(rate: float, expected: str) -> None:
    made = picked(Receipts(rate), rate_hz=0.0)
    assert made.syntax == expected
    assert made.pixels == "colour8"
    assert "to its destination" in made.why


def test_a_live_source_pays_nothing_for_a_codec_that_keeps_up() -> None:
    assert picked(Receipts(5e9)).syntax != uid.EXPLICIT_VR_LE


def test_an_encoder_that_does_not_keep_up_is_no_candidate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SPEED, uid.JPEG_LS_LOSSLESS, 0.6 / 30 / RGB.frame_bytes)  # 60 % of the frame time
    made = picked(Receipts(1e6))
    assert made.syntax == uid.JPEG_LOSSLESS_SV1
    assert "JPEG-LS Lossless" in made.why
    assert ", 60%: too slow to keep up" in made.why
    for syntax in (uid.RLE_LOSSLESS, uid.JPEG_LOSSLESS_SV1):
        monkeypatch.setitem(SPEED, syntax, 1.0)
    assert picked(Receipts(1e6)).syntax == uid.EXPLICIT_VR_LE


def test_what_the_last_captures_took_is_worth_more_than_the_yardstick() -> None:
    slow = {"pixels": "colour8", "native_bytes": "1000", "encode_s": str(1000 * 0.6 / 30 / RGB.frame_bytes)}
    told = [Told(slow, "probe", "1.2", uid.JPEG_LS_LOSSLESS)]
    assert picked(Receipts(1e6, captured=told)).syntax == uid.JPEG_LOSSLESS_SV1
    other = [Told({**slow, "pixels": "grey8"}, "probe", "1.2", uid.JPEG_LS_LOSSLESS)]
    assert picked(Receipts(1e6, captured=other)).syntax == uid.JPEG_LS_LOSSLESS


def test_what_the_destination_refuses_is_not_worth_making() -> None:
    takes = {
        uid.RLE_LOSSLESS: True,
        uid.EXPLICIT_VR_LE: True,
        uid.JPEG_LS_LOSSLESS: False,
        uid.JPEG_LOSSLESS_SV1: False,
    }
    assert picked(Receipts(1e6, takes)).syntax == uid.RLE_LOSSLESS


def test_frames_by_plane_are_stored_in_what_holds_planes() -> None:
    made = picked(Receipts(1e6), description=RGB._replace(planar_configuration=1))
    assert made.syntax == uid.RLE_LOSSLESS
    assert "JPEG" not in made.why


def test_a_named_syntax_is_obeyed_and_nobody_to_send_to_counts_as_a_slow_line() -> None:
    made = settings()
    opened: Any = SimpleNamespace(source=SimpleNamespace(description=RGB, rate_hz=30.0), frames=0)
    named = made.source[0]._replace(transfer_syntax="rle")
    assert pick(named, opened) == automatic.Picked(uid.RLE_LOSSLESS, "colour8")
    alone = pick(made.source[0], opened)
    assert alone.syntax == uid.JPEG_LS_LOSSLESS
    assert "on a slow line" in alone.why
