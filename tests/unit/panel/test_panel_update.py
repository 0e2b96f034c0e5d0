"""A new firmware on its way: the agent's transfer and the panel's slots, with power that goes at each operation."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from fakes.firmware import Firmware
from fakes.flash import Flash, PowerLost, Resets
from slots import FOLDERS, NOT_CONFIRMED, POINTER, TRIAL_MS, Slots

from agent.errors import InputError
from agent.panel import bundle
from agent.panel.image import FILES_LIMIT, IMAGE_LIMIT, MANIFEST_LIMIT
from agent.panel.messages import KEEP, STATUSES, VERSION, Numbers
from agent.panel.session import Session
from agent.panel.update import PATIENCE_S, Transfer

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from agent.panel.session import Event
    from agent.panel.update import Image

OLD, NEW = "0.2.0", "0.3.0"
FILES = {"firmware.py": b"new = 1\n" * 20, "panel.py": b"x" * 300}


def image_of(version: str = NEW, board: str = "simulated", protocol: int = VERSION) -> Image:
    return bundle.make({**FILES, "lights.py": version.encode()}, board, version, protocol)


class Bench:
    """A panel with flash, an agent, and a line between them; time is turned by hand."""

    def __init__(self, flash: Flash | None = None) -> None:
        self.flash = flash or Flash()
        self.now = 1000.0
        self.events: list[Event] = []
        self.numbers = Numbers()
        self.starts = 0
        self.hit: Callable[[bytes], bytes] = lambda data: data
        self.confirms = True
        self.start()
        self.session = Session(self.numbers, self.now)

    def start(self, memory: bytes = b"") -> None:
        """Switch the panel on."""
        self.starts += 1
        try:
            self.slots = Slots(self.flash)
            self.folder = self.slots.start()
        except PowerLost:
            self.flash.cut_at = -1
            self.slots = Slots(self.flash)
            self.folder = self.slots.start()
        self.guard_at = self.now + self.flash.guarded_ms / 1000 if self.slots.on_trial else float("inf")
        self.firmware = Firmware(memory, us=int(self.now * 1e6), slots=self.slots)
        self.board = self.firmware.board

    @property
    def runs(self) -> str:
        """The version that runs."""
        text = self.flash.files.get(f"{self.folder}/lights.py", b"")
        return text.decode() if self.folder else OLD

    def update(self, image: Image, *, downgrade: bool = False, may: Callable[[], bool] = lambda: True) -> Transfer:
        self.session.transfer = Transfer(image, self.now, downgrade=downgrade, may_restart=may)
        return self.session.transfer

    def turn(self, step_s: float = 0.002) -> None:
        self.now += step_s
        self.board.us = int(self.now * 1e6)
        try:
            if self.now >= self.guard_at and self.slots.on_trial:
                raise Resets
            self.firmware.panel.turn()
        except Resets:
            self.start(self.board.memory)
        except PowerLost:
            self.flash.cut_at = -1
            self.start()
        said = bytes(self.board.outgoing)
        self.board.outgoing.clear()
        self.events += self.session.receive(self.hit(said), self.now)
        self.session.tick(self.now)
        if self.confirms:
            self.board.incoming += self.hit(bytes(self.session.outgoing))
        self.session.outgoing.clear()

    def run(self, transfer: Transfer, within_s: float = 400) -> None:
        end = self.now + within_s
        while not transfer.ended and self.now < end:
            self.turn()


def updated(flash: Flash | None = None, image: Image | None = None) -> Bench:
    bench = Bench(flash)
    transfer = bench.update(image or image_of())
    bench.run(transfer)
    assert (transfer.done, transfer.why) == (True, "")
    return bench


def test_a_firmware_is_taken_tried_and_kept() -> None:
    bench = updated()
    assert (bench.runs, bench.starts, bench.folder) == (NEW, 2, "/a")
    assert bench.flash.guarded_ms == 0
    bench.start()
    assert (bench.runs, bench.slots.on_trial) == (NEW, False)
    for name, data in FILES.items():
        assert bench.flash.files[f"/a/{name}"] == data
    again = bench.update(image_of("0.4.0"))
    bench.run(again)
    assert (bench.runs, bench.folder) == ("0.4.0", "/b")


def test_what_it_has_it_is_not_sent() -> None:
    bench = updated()
    before = bench.flash.operations
    transfer = bench.update(image_of())
    bench.run(transfer)
    assert (transfer.done, transfer.sent, bench.flash.operations) == (True, 0, before)


@pytest.mark.parametrize("installed", [False, True])
def test_power_that_goes_at_any_operation_leaves_the_old_or_the_new_one(installed: bool) -> None:
    """Each write, close, removal and renaming is the last; the panel starts with one of the two, and gets the new."""
    reference = updated(updated().flash if installed else None, image_of("0.4.0"))
    first = 0 if not installed else updated().flash.operations
    seen = set()
    for at in range(first, reference.flash.operations):
        bench = updated() if installed else Bench()
        old = bench.runs
        bench.flash.cut_at = at
        transfer = bench.update(image_of("0.4.0"))
        while bench.flash.cut_at >= 0 and not transfer.ended:
            bench.turn()
        assert bench.runs in (old, "0.4.0")
        seen.add(bench.runs)
        whole_or_frozen(bench)
        bench.run(transfer)
        if transfer.why:  # the power went in its trial, which was its only one
            assert "not heard in time" in transfer.why
            assert bench.runs == old
            bench.run(bench.update(image_of("0.4.0")))
        assert bench.runs == "0.4.0"
        whole_or_frozen(bench)
    assert len(seen) == 2
    assert reference.flash.operations - first > 20


def whole_or_frozen(bench: Bench) -> None:
    """What runs has each byte that its manifest names."""
    if bench.folder:
        kept = bench.flash.files
        manifest = kept[f"{bench.folder}/manifest"]
        files = [kept[f"{bench.folder}/{line.split()[1]}"] for line in manifest.decode().split("\n") if "file " in line]
        bundle.read(manifest + b"".join(files), "what runs")


def test_a_reset_at_any_block_costs_time_alone() -> None:
    bench = Bench()
    transfer = bench.update(image_of())
    blocks = len(image_of().data) // 128
    for block in range(1, blocks):
        while transfer.sent < block * 128:
            bench.turn()
        bench.start(bench.board.memory)
        assert bench.runs == OLD
    bench.run(transfer)
    assert (transfer.done, bench.runs) == (True, NEW)


def test_a_line_that_is_pulled_at_any_block_goes_on_where_it_was() -> None:
    bench = Bench()
    transfer = bench.update(image_of())
    for block in range(1, len(image_of().data) // 128):
        while transfer.sent < block * 128:
            bench.turn()
        sent = transfer.sent
        bench.session = Session(bench.numbers, bench.now)
        bench.session.transfer = transfer
        bench.board.incoming.clear()
        for _ in range(100):
            bench.turn()
            assert transfer.sent >= sent
    bench.run(transfer)
    assert (transfer.done, bench.starts) == (True, 2)


@pytest.mark.parametrize("noise", [0.002, 0.01, 0.03])
def test_noise_costs_time_alone(rng: random.Random, noise: float) -> None:
    bench = Bench()
    bench.hit = lambda data: bytes(rng.randrange(256) if rng.random() < noise else byte for byte in data)
    transfer = bench.update(image_of())
    bench.run(transfer)
    assert (transfer.done, transfer.why, bench.runs) == (True, "", NEW)
    whole_or_frozen(bench)


def test_presses_go_on_during_an_update_and_it_waits_for_them() -> None:
    bench = Bench()
    transfer = bench.update(image_of())
    presses = 0
    while not transfer.ended:
        if bench.starts == 1 and not presses % 2 and transfer.phase in ("sending", "checking", "installing"):
            bench.board.levels[presses // 2 % 4] ^= 1
            presses += 2
        for _ in range(20):
            bench.turn()
    assert [event.number for event in bench.events] == list(range(1, len(bench.events) + 1))
    assert len(bench.events) >= presses // 2 - 1  # the last one may have met the reset before it had settled
    assert len(bench.events) > 3


def test_it_does_not_restart_while_something_is_recorded() -> None:
    bench = Bench()
    busy = True
    transfer = bench.update(image_of(), may=lambda: not busy)
    bench.run(transfer, within_s=2 * PATIENCE_S)
    assert (transfer.phase, transfer.ended, bench.starts) == ("ready", False, 1)
    busy = False
    bench.run(transfer)
    assert transfer.done


def test_a_firmware_that_nobody_hears_is_taken_back() -> None:
    bench = Bench()
    transfer = bench.update(image_of())
    while bench.starts == 1:
        bench.turn()
    bench.confirms = False
    bench.session.outgoing.clear()
    bench.board.incoming.clear()
    began = bench.now
    while bench.starts == 2 and bench.now < began + 100:
        bench.turn()
    assert bench.now - began == pytest.approx(TRIAL_MS / 1000, abs=0.1)
    assert (bench.runs, bench.slots.outcome) == (OLD, NOT_CONFIRMED)
    bench.confirms = True
    bench.run(transfer)
    assert "not heard in time" in transfer.why


@pytest.mark.parametrize(("ran", "trial"), [(False, True), (True, True), (False, False), (True, False)])
def test_a_firmware_that_ends_by_an_exception(*, ran: bool, trial: bool) -> None:
    """On trial it is taken back; a good one that does not load gives way to the frozen one, else it starts again."""
    flash = updated().flash
    if trial:
        Slots(flash).install(2)
    slots = Slots(flash)
    slots.start()
    slots.failed(ran)
    after = Slots(flash)
    assert after.start() == ("/a" if trial or ran else "")


@pytest.mark.parametrize("text", [b"", b"1", b"9000", b"10000", b"1x00", b"\xff" * 4, b"0030"])
def test_a_pointer_that_says_nothing_means_the_frozen_firmware(text: bytes) -> None:
    flash = Flash()
    flash.files[POINTER] = text
    assert Slots(flash).start() == FOLDERS[0]


def test_flash_that_reads_otherwise_is_found_out() -> None:
    bench = Bench()
    bench.flash.worn = "/a/panel.py"
    transfer = bench.update(image_of())
    bench.run(transfer)
    assert "not what was sent" in transfer.why
    assert bench.starts == 1


@pytest.mark.parametrize("what", ["room", "full"])
def test_flash_that_is_full_is_told(what: str) -> None:
    bench = Bench()
    transfer = bench.update(image_of())
    if what == "room":
        bench.flash.room = 10_000
    else:
        while not transfer.sent:
            bench.turn()
        bench.flash.full = True
    bench.run(transfer)
    assert ("no room" if what == "room" else "does not take it") in transfer.why
    assert bench.starts == 1


@pytest.mark.parametrize("pointer", [b"0100", b"1200", b"1210", b"1000"])
def test_flash_that_takes_nothing_any_more_ends_no_firmware(pointer: bytes) -> None:
    """A trial that cannot be written down does not begin: it would not end either."""
    flash = updated().flash
    flash.files[POINTER] = pointer
    flash.full = True
    slots = Slots(flash)
    assert (slots.start(), slots.on_trial) == (FOLDERS[pointer[0] - 48], False)
    slots.failed(ran=False)
    assert not slots.install(2)


def test_flash_that_fails_at_the_pointer_is_told() -> None:
    bench = Bench()
    busy = True
    transfer = bench.update(image_of(), may=lambda: not busy)
    while transfer.phase != "ready":
        bench.turn()
    busy, bench.flash.full = False, True
    bench.run(transfer)
    assert "does not take it" in transfer.why
    assert (bench.runs, bench.starts) == (OLD, 1)


def test_an_offer_while_a_trial_runs_waits_for_its_end() -> None:
    bench = Bench()
    bench.update(image_of())
    while bench.starts == 1:
        bench.turn()
    bench.session = Session(bench.numbers, bench.now)
    transfer = bench.update(image_of("0.4.0"))
    bench.run(transfer)
    assert (transfer.done, bench.runs) == (True, "0.4.0")


@pytest.mark.parametrize(("image", "said"), [
    (image_of(board="pico_w"), "for the board 'pico_w', and this is 'simulated'"),
    (image_of(protocol=0), "speaks version 0 of the protocol, and this agent 1"),
    (image_of("0.1.9"), "older than 0.2.0 which runs; --downgrade"),
])  # fmt: skip
def test_the_agent_refuses(image: Image, said: str) -> None:
    bench = Bench()
    transfer = bench.update(image)
    bench.run(transfer)
    assert said in transfer.why
    assert (transfer.sent, bench.flash.operations) == (0, 0)


@pytest.mark.parametrize(("image", "status"), [
    (image_of(board="pico_w"), "other_board"), (image_of(protocol=0), "other_protocol"), (image_of("0.1.9"), "older"),
])  # fmt: skip
def test_the_panel_refuses_what_another_agent_sends(image: Image, status: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Transfer, "_begin", lambda self, now, *_: self._go("offering", now))
    bench = Bench()
    transfer = bench.update(image)
    bench.run(transfer)
    assert bench.firmware.panel._update is not None
    assert STATUSES[bench.firmware.panel._update.status] == status
    assert transfer.why.startswith("the panel refuses")


def test_an_older_one_goes_when_it_is_meant() -> None:
    bench = Bench()
    transfer = bench.update(image_of("0.1.9"), downgrade=True)
    bench.run(transfer)
    assert (transfer.done, bench.runs) == (True, "0.1.9")


def test_an_image_that_was_changed_on_the_way_is_refused() -> None:
    image = image_of()
    for data, digest in (
        (image.data, b"1" * 32),
        (image.data[:-1] + b"!", image.digest),
        (image.data.replace(b"panel.py 300", b"panel.py 299"), image.digest),
    ):
        bench = Bench()
        transfer = bench.update(image._replace(data=data, digest=digest))
        bench.run(transfer)
        assert "not what was sent" in transfer.why
        assert bench.runs == OLD


def test_a_panel_that_is_silent_is_given_up() -> None:
    bench = Bench()
    transfer = bench.update(image_of())
    while not transfer.sent:
        bench.turn()
    bench.confirms = False
    bench.run(transfer)
    assert "did not answer for 90 s" in transfer.why


def test_an_agent_that_begins_anew_confirms_what_another_has_sent() -> None:
    bench = Bench()
    bench.update(image_of())
    while bench.starts == 1:
        bench.turn()
    bench.session = Session(bench.numbers, bench.now)
    for _ in range(3000):
        bench.turn()
    assert (bench.runs, bench.slots.on_trial, bench.starts) == (NEW, False, 2)


def test_a_panel_of_another_version_is_brought_to_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("panel.VERSION", VERSION + 1)
    bench = Bench()
    transfer = bench.update(image_of())
    while transfer.phase != "restarting" and not transfer.ended:
        bench.turn()
        assert not bench.session.speaks
    monkeypatch.setattr("panel.VERSION", VERSION)  # as its new modules have it
    bench.run(transfer)
    assert (transfer.done, bench.session.speaks) == (True, True)


def test_a_stale_confirmation_confirms_nothing() -> None:
    bench = Bench()
    transfer = bench.update(image_of())
    while bench.starts == 1:
        bench.turn()
    bench.confirms = False
    bench.board.incoming.clear()
    bench.firmware.say(KEEP, 12345)
    bench.turn()
    assert bench.slots.on_trial
    assert not transfer.done


def test_a_file_is_an_image_or_is_told_why_not() -> None:
    good = image_of()
    assert bundle.read(good.data, "x").digest == good.digest
    for at in range(len(good.data)):
        with pytest.raises(InputError):
            bundle.read(good.data[:at] + bytes([good.data[at] ^ 1]) + good.data[at + 1 :], "x")
    for at in range(len(good.data)):
        with pytest.raises(InputError):
            bundle.read(good.data[:at], "x")


@pytest.mark.parametrize(
    "name", ["main.py", "slots.py", "slots.mpy", "store_pico_w.py", "../x.py", "a.b.py", "a.txt", ".py"]
)
def test_no_file_replaces_the_way_back(name: str) -> None:
    with pytest.raises(InputError):
        bundle.make({**FILES, name: b"1"}, "pico_w", NEW)


def test_the_shipped_firmware_fits_and_has_what_the_frozen_one_has() -> None:
    image = bundle.shipped("pico_w")
    names = {name for name, _, _ in image.manifest.files}
    assert {"firmware.py", "panel.py", "board_pico_w.py", "framing.py", "messages.py", "image.py", "update.py"} <= names
    assert not {"main.py", "slots.py", "store.py", "board_wasm.py", "manifest.py"} & names
    assert image.manifest_size < MANIFEST_LIMIT
    assert len(image.data) < IMAGE_LIMIT
    assert len(names) <= FILES_LIMIT
    assert image.digest == hashlib.sha256(image.data[: image.manifest_size]).digest()
