"""What becomes of an order whose source got new settings, without a daemon."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from agent.acquire.asking import Ask, Asks
from agent.app.captures import hand_on


def _recorder() -> Any:
    asks = Asks("probe")
    return SimpleNamespace(asks=asks, inherit=asks.inherit, lost="")


@pytest.mark.parametrize("stays", [True, False])
def test_an_order_that_comes_back_after_its_recorder_was_replaced_is_told(stays: bool) -> None:
    told: list[str] = []
    journal: Any = SimpleNamespace(say=lambda level, role, text: told.append(f"{level} {role}: {text}"))
    old, heir = _recorder(), _recorder()
    old.asks.put(Ask())
    old.asks.begin()  # it waits for its first frame, longer than a role has to stop
    hand_on({"probe": old}, {"probe": heir} if stays else {}, nullcontext(), journal, one_exam=True)  # type: ignore[arg-type]
    assert (told, heir.lost) == ([], "")
    old.asks.end(again=True)
    text = "a capture was asked for and is not made: its source did not deliver, nor stop in time for new settings"
    assert told == [f"warning from probe: {text}"]
    assert heir.lost == (text if stays else "")
    assert not old.asks.waiting


def test_an_order_that_came_back_in_time_is_handed_on() -> None:
    old, heir = _recorder(), _recorder()
    old.asks.put(Ask("clip"))
    old.asks.begin()
    old.asks.end(again=True)
    hand_on({"probe": old}, {"probe": heir}, nullcontext(), SimpleNamespace(), one_exam=True)  # type: ignore[arg-type]
    assert heir.asks.begin().ask.kind == "clip"
    assert not old.asks.waiting
