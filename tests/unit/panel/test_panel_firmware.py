"""The firmware's logic, with time that is turned by hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.firmware import Firmware

from agent.panel.framing import LIMIT, OVERHEAD, encode
from agent.panel.messages import (
    ACK,
    EVENT,
    GREET,
    HELLO,
    LIGHTS,
    OLD_MS,
    PING,
    PONG,
    STATE,
    STATUSES,
    TICKS,
    WRITE,
    WRITTEN,
    Numbers,
    pack,
)

if TYPE_CHECKING:
    import random

RUN = 0xCAFE
HW = Path(__file__).resolve().parents[3] / "hw"


@pytest.fixture
def firmware() -> Firmware:
    made = Firmware()
    made.beat()
    made.run(5)
    made.heard()
    return made


def test_it_says_hello_at_the_start_and_when_greeted() -> None:
    firmware = Firmware()
    (hello,) = firmware.heard(HELLO)
    assert hello == {
        "protocol": 1, "major": 0, "minor": 2, "patch": 0, "cause": 0, "abilities": 0b1111,
        "serial": 0x1122334455667788, "run": RUN, "first": 1,
    }  # fmt: skip
    firmware.say(GREET, 9)
    firmware.run(2)
    assert firmware.heard(HELLO) == [hello]


def test_a_press_is_told_with_the_time_it_began(firmware: Firmware) -> None:
    pressed_us = firmware.board.us + 1000
    firmware.board.levels[0] = 1
    firmware.run(20)
    assert firmware.heard(EVENT) == []
    firmware.run(2)
    (event,) = firmware.heard(EVENT)
    assert event == {"run": RUN, "number": 1, "tick": pressed_us, "age_ms": 20, "input": 0, "level": 1}


def test_glitches_are_no_presses(firmware: Firmware) -> None:
    for _ in range(50):
        firmware.board.levels[0] = 1
        firmware.run(19)
        firmware.board.levels[0] = 0
        firmware.run(1)
    firmware.run(100)
    assert firmware.heard(EVENT) == []


def test_contacts_that_bounce_are_one_press(firmware: Firmware) -> None:
    for level in (1, 0, 1, 0, 1):
        firmware.board.levels[2] = level
        firmware.run(3)
    settled_us = firmware.board.us - 2000
    firmware.run(30)
    assert [(one["input"], one["level"], one["tick"]) for one in firmware.heard(EVENT)] == [(2, 1, settled_us)]


def test_a_pedal_held_at_the_start_is_nobodys_press() -> None:
    held = Firmware(levels={0: 1})
    held.beat()
    held.run(100)
    assert held.heard(EVENT) == []
    held.board.levels[0] = 0
    held.run(30)
    assert [one["level"] for one in held.heard(EVENT)] == [0]


def test_an_event_is_sent_again_until_it_is_acknowledged(firmware: Firmware) -> None:
    firmware.board.levels[0] = 1
    firmware.run(200)
    events = firmware.heard(EVENT)
    assert len(events) == 5
    assert [one["age_ms"] for one in events] == [20, 60, 100, 140, 180]
    assert {one["number"] for one in events} == {1}
    for run, wanted in ((RUN + 1, 2), (RUN, 1), (RUN, 3), (RUN, 0)):  # none of them is it
        firmware.say(ACK, run, wanted)
    firmware.run(100)
    assert len(firmware.heard(EVENT)) >= 2
    firmware.say(ACK, RUN, 2)
    firmware.run(100)
    assert firmware.heard(EVENT) == []


def test_nobody_is_told_while_there_is_no_agent() -> None:
    firmware = Firmware()
    firmware.run(3600)
    firmware.board.levels[0] = 1
    firmware.run(5000)
    assert firmware.heard(EVENT) == []
    firmware.beat()
    firmware.run(2)
    (event,) = firmware.heard(EVENT)
    assert event["age_ms"] == pytest.approx(5000, abs=5)


def test_an_age_beyond_its_bounds_stays_old() -> None:
    firmware = Firmware()
    firmware.run(4000)
    firmware.board.levels[0] = 1
    firmware.run(25)
    firmware.run(2**30, step_us=2**28)  # twelve days, after which the milliseconds have come round
    firmware.beat()
    firmware.run(50)
    assert firmware.heard(EVENT)[-1]["age_ms"] == OLD_MS


def test_a_full_box_drops_and_counts(firmware: Firmware) -> None:
    for level in (1, 0) * 3:
        firmware.board.edge(firmware.board.ticks(), level)
        firmware.run(5)
    assert firmware.panel.outbox.count == 5  # the rest is for switches
    for _ in range(3):
        firmware.board.levels[0] ^= 1
        firmware.run(25)
    assert firmware.panel.outbox.count == 8
    firmware.board.levels[0] ^= 1
    firmware.run(1000)
    state = firmware.heard(STATE)[-1]
    assert (state["next"], state["dropped"], state["inputs"]) == (9, 2, 0)


def test_events_survive_a_reset_of_the_processor(firmware: Firmware) -> None:
    for place in (0, 2):
        firmware.board.levels[place] = 1
        firmware.run(25)
    again = Firmware(firmware.board.memory)
    (hello,) = again.heard(HELLO)
    assert (hello["run"], hello["first"]) == (RUN, 1)
    again.beat()
    again.run(2)
    assert [(one["number"], one["input"], one["level"], one["age_ms"]) for one in again.heard(EVENT)] == [
        (1, 0, 1, OLD_MS), (2, 2, 1, OLD_MS),
    ]  # fmt: skip
    again.say(ACK, RUN, 2)
    again.run(2)
    assert Firmware(again.board.memory).heard(HELLO)[0]["first"] == 2


def test_the_exposure_has_the_time_of_its_interrupt(firmware: Firmware) -> None:
    began = firmware.board.us + 300
    firmware.board.edge(began, 1)
    firmware.run(3)
    (event,) = firmware.heard(EVENT)
    assert (event["input"], event["level"], event["tick"]) == (4, 1, began)


def test_edges_that_find_no_room_are_counted(firmware: Firmware) -> None:
    for number in range(12):
        firmware.board.edge(number, number & 1)
    firmware.run(1000)
    state = firmware.heard(STATE)[-1]
    assert state["next"] - 1 + state["dropped"] == 12


def test_ping_is_answered_with_the_tick(firmware: Firmware) -> None:
    firmware.say(PING, 77)
    firmware.run(1)
    assert firmware.heard(PONG) == [{"token": 77, "tick": firmware.board.us}]


def test_firmware_is_not_taken_without_slots(firmware: Firmware) -> None:
    payload, frame = bytearray(LIMIT), bytearray(LIMIT + OVERHEAD)
    size = pack(payload, WRITE, 0, 0, 1)
    payload[size] = 7
    firmware.board.incoming += frame[: encode(frame, payload, size + 1)]
    firmware.run(1)
    assert firmware.heard(WRITTEN) == [{"offset": 0, "status": STATUSES.index("refused")}]


def test_the_manifest_freezes_what_main_needs() -> None:
    frozen: list[Path] = []
    words = {"include": str, "module": lambda name, base_path=".": frozen.append((HW / base_path / name).resolve())}
    exec((HW / "manifest.py").read_text(), words)
    ours = {path.stem for path in HW.glob("*.py")} - {"manifest", "board_wasm", "store_wasm"}
    assert {path.stem for path in frozen} == {*ours, "framing", "image", "messages"}
    assert [path for path in frozen if not path.is_file()] == []


def test_ticks_come_round(firmware: Firmware) -> None:
    late = Firmware(us=TICKS - 10_000)
    late.beat()
    late.run(8)
    late.board.levels[0] = 1
    late.run(25)
    (event,) = late.heard(EVENT)
    assert late.board.us > TICKS
    assert event["tick"] < 10_000


def test_state_is_repeated_and_told_at_once_when_the_power_fails(firmware: Firmware) -> None:
    firmware.run(5000)
    assert len(firmware.heard(STATE)) == 5
    firmware.board.failing = True
    firmware.run(1)
    firmware.board.failing = False  # a glitch
    firmware.run(1)
    assert firmware.heard(STATE) == []
    firmware.board.failing = True
    firmware.run(2)
    assert [one["flags"] for one in firmware.heard(STATE)] == [1]
    firmware.run(100)
    assert [one["flags"] for one in firmware.heard(STATE)] == [1] * 5
    firmware.board.failing = False
    firmware.run(1)
    (state,) = firmware.heard(STATE)
    assert (state["flags"], state["temperature"]) == (0, 3150)


def test_power_is_cycled_when_the_agent_falls_silent() -> None:
    firmware = Firmware()
    firmware.run(100_000, step_us=100_000)
    assert firmware.board.off == 0  # nobody has asked for it
    firmware.beat(watchdog_s=30)
    firmware.run(29_900, step_us=50_000)
    assert (firmware.board.off, firmware.heard(STATE)[-1]["flags"]) == (0, 0b10)
    firmware.run(200, step_us=10_000)
    assert (firmware.board.off, firmware.heard(STATE)[-1]["flags"]) == (1, 0b110)
    firmware.run(5000, step_us=10_000)
    assert firmware.board.off == 0
    for minutes in (5, 10, 20, 40, 80, 80):  # time to start
        firmware.run(minutes * 60_000 - 4000, step_us=500_000)
        assert firmware.board.off == 0
        firmware.run(4000, step_us=500_000)
        assert firmware.board.off == 1
        firmware.run(5500, step_us=500_000)
        assert firmware.board.off == 0


def test_the_watchdog_outlives_a_reset_of_the_panel() -> None:
    firmware = Firmware()
    firmware.beat(watchdog_s=30)
    firmware.run(1000)
    again = Firmware(firmware.board.memory)  # and nobody is there any more
    again.run(29_900, step_us=50_000)
    assert (again.board.off, again.heard(STATE)[-1]["flags"]) == (0, 0b10)
    again.run(200, step_us=10_000)
    assert again.board.off == 1
    cycling = Firmware(again.board.memory)
    cycling.run(4900, step_us=10_000)
    assert cycling.board.off == 1
    cycling.run(200, step_us=10_000)
    assert cycling.board.off == 0
    booting = Firmware(cycling.board.memory)
    booting.run(5 * 60_000 - 100, step_us=50_000)  # the gateway starts
    assert booting.board.off == 0
    booting.run(200, step_us=10_000)
    assert booting.board.off == 1
    unpowered = Firmware()
    unpowered.run(600_000, step_us=100_000)
    assert unpowered.board.off == 0


def test_a_disarmed_watchdog_stays_so_over_a_reset() -> None:
    firmware = Firmware()
    firmware.beat(watchdog_s=30)
    firmware.run(10)
    firmware.beat(watchdog_s=0)
    firmware.run(10)
    again = Firmware(firmware.board.memory)
    again.run(100_000, step_us=10_000)
    assert again.board.off == 0


def test_a_beat_while_the_power_is_off_breaks_nothing() -> None:
    firmware = Firmware()
    firmware.beat(watchdog_s=5)
    firmware.run(5100)
    assert firmware.board.off == 1
    firmware.beat(watchdog_s=5)
    firmware.run(5100)
    assert firmware.board.off == 0
    firmware.run(5 * 60_000 - 1000, step_us=50_000)
    assert firmware.board.off == 0
    firmware.run(1100, step_us=10_000)
    assert firmware.board.off == 1


def test_memory_that_an_older_firmware_kept_is_not_believed() -> None:
    firmware = Firmware(bytes.fromhex("feca0000 05000000") + b"\xff" * 8)
    assert firmware.heard(HELLO)[0]["first"] == 1
    firmware.run(100_000, step_us=10_000)
    assert firmware.board.off == 0


def test_an_agent_that_ends_in_order_is_not_missed() -> None:
    firmware = Firmware()
    firmware.beat(watchdog_s=30)
    firmware.run(1000)
    firmware.beat(watchdog_s=0)
    firmware.run(100_000, step_us=10_000)
    assert firmware.board.off == 0


def test_a_beat_of_another_version_is_not_obeyed() -> None:
    firmware = Firmware()
    firmware.say(0x42, 2, LIGHTS.index("ready"), 30)
    firmware.run(3600)
    assert (firmware.panel.heart.silent, firmware.panel.heart.armed) == (True, False)


@pytest.mark.parametrize(("row", "shown", "beeps"), [
    ("ready", "g" * 8, ""), ("capturing", "g-" * 4, "1"), ("queue_waiting", "y" * 4 + "g" * 4, ""),
    ("link_down", "y" * 8, ""), ("attention", "rr--" * 2, "1212"), ("silent", "r-------", ""),
])  # fmt: skip
def test_lights(row: str, shown: str, beeps: str) -> None:
    firmware = Firmware()
    seen = buzzed = ""
    firmware.beat("ready" if row != "ready" else "attention")
    firmware.run(500)
    if row == "silent":
        firmware.run(3001)
    for _ in range(16):
        if row != "silent":
            firmware.beat(row)
        firmware.run(1)
        green, amber, red, buzzer = firmware.board.shown
        seen += "y" if green and amber else "g" if green else "r" if red else "-"
        buzzed += str(buzzer)
        firmware.run(124)
    assert seen == shown * 2
    assert buzzed == {"": "0" * 16, "1": "1" + "0" * 15, "1212": "11001100" + "0" * 8}[beeps]


def test_an_unknown_row_of_lights_asks_for_attention(firmware: Firmware) -> None:
    firmware.say(0x42, 1, 200, 0)
    firmware.run(1)
    assert firmware.board.shown[2] == 1


def test_numbers_on_both_ends_agree_through_any_loss(firmware: Firmware, rng: random.Random) -> None:
    numbers = Numbers()
    numbers.greeted(RUN, 1)
    got = []
    for turn in range(4000):
        if turn % 500 == 0:
            firmware.beat()
        if turn % 40 == 0 and turn < 3600:
            firmware.board.levels[rng.randrange(4)] ^= 1
        if turn % 997 == 0:
            firmware = Firmware(firmware.board.memory, firmware.board.us, firmware.board.levels)
            firmware.beat()
        firmware.run(1)
        for event in firmware.heard(EVENT):
            if rng.random() < 0.5 and numbers.take(event["run"], event["number"]):
                got.append(event["number"])
            if rng.random() < 0.5:
                firmware.say(ACK, numbers.run, numbers.wanted)
    assert got == list(range(1, len(got) + 1))
    assert (firmware.panel.outbox.first, firmware.panel.outbox.count) == (len(got) + 1, 0)
    assert len(got) > 50
