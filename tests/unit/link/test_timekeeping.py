"""Who keeps the clock: answers of chronyd 4.3 as it gave them, beside what its own chronyc made of them."""

from __future__ import annotations

import socket
import struct
import threading
import time

import pytest

from agent.link import timekeeping as module
from agent.link.timekeeping import CHRONY, TIMESYNCD, WITHIN_S, Tracked, timekeeping, tracked_in
from agent.native.kernel_clock import KernelClock, kernel_clock

NUMBER = 0x12345678
HEAD = "0602000000210005000000000000000012345678" + 16 * "0"
# chronyc -c tracking half a second later: offset -0.000001012, root delay 0.000005178, root dispersion 0.000001002
FOLLOWS = bytes.fromhex(
    f"{HEAD}7f0000017f0000010000000000000000000000000001000000060000000000006b0c71f20e9a94a4dd782a5acecc295cd2cfe9b6"
    "ef707419e6a89cfff290b8e1e0adbeaedc847f9f08813bdb"
)
ITSELF = bytes.fromhex(f"{HEAD}7f7f0101{40 * '0'}00050000000000006b0c71b33a734ee9{72 * '0'}")
NOBODY = bytes.fromhex(f"{HEAD}{48 * '0'}00000003{24 * '0'}{48 * '0'}048000000480000000000000")
BOUND_S = tracked_in(FOLLOWS, NUMBER).bound_s
YES, NO = KernelClock(True, 0.25), KernelClock(False, 16.0)


class Answers:
    """Whoever answers datagrams on a port of this machine: with what was given, or not at all."""

    def __init__(self, answer: bytes | None) -> None:
        self._answer = answer
        self._line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._line.bind(("127.0.0.1", 0))
        self.port: tuple[str, int] = self._line.getsockname()
        self.asked: list[bytes] = []
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> Answers:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            line.sendto(b"end", self.port)
        self._thread.join()
        self._line.close()

    def _work(self) -> None:
        while (asked := self._line.recvfrom(1024))[0] != b"end":
            self.asked.append(asked[0])
            if self._answer is not None:
                self._line.sendto(self._answer[:16] + asked[0][8:12] + self._answer[20:], asked[1])


def test_a_bound_is_what_chronyc_makes_of_it():
    tracked = tracked_in(FOLLOWS, NUMBER)
    assert tracked is not None
    assert tracked.bound_s == pytest.approx(0.000001012 + 0.000005178 / 2 + 0.000001002, abs=5e-8)


def changed(answer: bytes, at: int, value: bytes) -> bytes:
    """Other bytes in the facts of an answer."""
    return answer[: 28 + at] + value + answer[28 + at + len(value) :]


def test_whom_it_follows_and_when_it_heard_of_it():
    tracked = tracked_in(FOLLOWS, NUMBER)
    assert (tracked.address, tracked.reference, tracked.heard_at) == ("127.0.0.1", "", float(0x6B0C71F2))
    address = bytes.fromhex("20010db8000000000000000000000001")
    tracked = tracked_in(changed(changed(FOLLOWS, 4, address), 20, b"\0\2"), NUMBER)
    assert tracked.address == "2001:db8:0:0:0:0:0:1"  # as PS3.3 writes it, with all groups
    tracked = tracked_in(changed(changed(FOLLOWS, 0, b"PPS\0"), 20, b"\0\0"), NUMBER)
    assert (tracked.address, tracked.reference) == ("", "PPS")


def test_how_long_ago_it_heard_of_it(monkeypatch):
    monkeypatch.setattr(module.time, "time", lambda: float(0x6B0C71F2) + 100)
    with Answers(FOLLOWS) as chrony:
        assert timekeeping(lambda: None, chrony.port).heard_s == 100.0


@pytest.mark.parametrize(("answer", "bound"), [(ITSELF, float("inf")), (NOBODY, float("inf"))])
def test_who_follows_nobody_keeps_nothing_right(answer, bound):
    assert len(answer) == len(FOLLOWS)
    assert tracked_in(answer, NUMBER) == Tracked(bound, "", "", 0.0)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        FOLLOWS[:-1],
        b"\x05" + FOLLOWS[1:],
        FOLLOWS[:8] + b"\0\2" + FOLLOWS[10:],
        FOLLOWS[:6] + b"\0\6" + FOLLOWS[8:],
    ],
)
def test_what_is_no_answer_says_nothing(answer):
    assert tracked_in(answer, NUMBER) is None
    assert tracked_in(FOLLOWS, NUMBER + 1) is None


@pytest.mark.parametrize(
    ("bits", "value"), [(0, 0.0), (0x04800000, 1.0), (0x01800000, -0.25), (0xFE800000, 0.125), (0x05000000, -2.0)]
)
def test_numbers_of_chrony(bits, value):
    assert module._float(bits) == value


@pytest.mark.parametrize(
    ("answer", "kernel", "kept"),
    [
        (FOLLOWS, NO, (True, BOUND_S, CHRONY)),  # without rtcsync the kernel hears nothing
        (FOLLOWS, None, (True, BOUND_S, CHRONY)),
        (NOBODY, NO, (False, None, CHRONY)),
        (NOBODY, None, (False, None, CHRONY)),
        (b"rubbish", YES, (True, 0.25, "")),
        (None, YES, (True, 0.25, "")),
        (None, NO, (False, None, "")),
        (None, None, (None, None, "")),
    ],
)
def test_chrony_is_asked_before_the_kernel(monkeypatch, answer, kernel, kept):
    monkeypatch.setattr(module, "PROGRAMS", {})
    with Answers(answer) as chrony:
        begun = time.monotonic()
        assert timekeeping(lambda: kernel, chrony.port)[:3] == kept
        assert time.monotonic() - begun < WITHIN_S + 5
        assert len(chrony.asked[0]) == len(FOLLOWS), "a request is as long as its answer"


def test_where_nobody_listens_nobody_waits(monkeypatch):
    monkeypatch.setattr(module, "PROGRAMS", {})
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()
    assert timekeeping(lambda: YES, port)[:3] == (True, 0.25, "")


def test_the_bound_that_the_kernel_has_of_timesyncd_is_none(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "PROGRAMS", {TIMESYNCD: (str(tmp_path),)})
    with Answers(None) as silent:
        assert timekeeping(lambda: YES, silent.port)[:3] == (True, None, TIMESYNCD)


def test_this_kernel_says_what_its_c_library_says():
    import ctypes

    said = kernel_clock()
    room = ctypes.create_string_buffer(512)
    library = ctypes.CDLL(None)
    if said is None or library.adjtimex(room) < 0:
        pytest.skip("this kernel does not say")
    _modes, _offset, _freq, bound_us, _guess, status = struct.unpack_from("@I4li", room)
    assert said.synchronised is not bool(status & 0x40)
    assert said.error_bound_s == pytest.approx(bound_us / 1e6, abs=0.1)
