"""Who keeps the clock of this box right, and how wrong it is at most: the one place that says so (promise P12).

::

chrony    answers a datagram on its command port, as it answers chronyc: a bound, or that it follows nobody. The kernel
          alone would not do: chronyd tells it only where ``rtcsync`` is set.
kernel    has it from whoever disciplines it (chrony, ntpd, systemd-timesyncd, ptp4l), and no more believes it some
          hours after it last heard of them.

The bound that the kernel has of systemd-timesyncd begins at 0 with every answer of its server, however far away that
is; so it is none. Nobody is waited for longer than ``WITHIN_S``, and no program is started.
"""

from __future__ import annotations

import os
import socket
import struct

from agent.native.kernel_clock import kernel_clock
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.native.kernel_clock import KernelClock

WITHIN_S: Final = 0.3
CHRONY, TIMESYNCD = "chrony", "systemd-timesyncd"
COMMAND_PORT: Final = ("127.0.0.1", 323)
# A program that keeps the time -> what it leaves where it runs.
PROGRAMS: Final = {
    CHRONY: ("/run/chrony/chronyd.pid", "/var/run/chrony/chronyd.pid"),
    TIMESYNCD: ("/run/systemd/timesync",),
    "ntpd": ("/run/ntpd.pid", "/var/run/ntpd.pid"),
}
# candm.h of chrony: a request is as long as its answer, so that nobody is flooded with answers.
_VERSION, _REQUEST, _REPLY, _TRACKING, _TRACKED = 6, 1, 2, 33, 5
_ASK: Final = struct.Struct(">BB2xHHI8x")  # version, kind, command, attempt, number
_HEAD: Final = struct.Struct(">BB2xHHH6xI8x")  # version, kind, command, reply, status, number
_FACTS: Final = struct.Struct(">I20xHH12xI20xII4x")  # reference, stratum, leap, correction, root delay, root dispersion
_UNSYNCHRONISED: Final = 3
_ITSELF: Final = 0x7F7F0101  # the reference of one that gives out its own time
# Of a clock that may be wrong by more, nobody says that it is right; the kernel has the same limit.
WRONG_S: Final = 16.0


class Kept(NamedTuple):
    """``synchronised`` None: nobody says; ``error_bound_s`` None: nobody knows; ``by`` may be empty."""

    synchronised: bool | None
    error_bound_s: float | None
    by: str


def timekeeping(kernel: Callable[[], KernelClock | None] = kernel_clock, port: tuple[str, int] = COMMAND_PORT) -> Kept:
    """Ask who keeps it."""
    bound = _asked_of_chrony(port)
    if bound is not None and bound < WRONG_S:
        return Kept(synchronised=True, error_bound_s=bound, by=CHRONY)
    said = kernel()
    by = next((name for name, paths in PROGRAMS.items() if any(map(os.path.exists, paths))), "")
    by = CHRONY if bound is not None else by
    if said is None:
        return Kept(None if bound is None else False, None, by)
    trusted = said.synchronised and by != TIMESYNCD
    return Kept(said.synchronised, said.error_bound_s if trusted else None, by)


def _asked_of_chrony(port: tuple[str, int]) -> float | None:
    """Return by how much the clock is wrong at most, in s; infinite where it follows nobody, None without an answer."""
    number = int.from_bytes(os.urandom(4), "big")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.settimeout(WITHIN_S)
        try:
            line.connect(port)
            line.send(_ASK.pack(_VERSION, _REQUEST, _TRACKING, 0, number).ljust(_HEAD.size + _FACTS.size, b"\0"))
            return bound_of(line.recv(_HEAD.size + _FACTS.size), number)
        except OSError:
            return None


def bound_of(answer: bytes, number: int) -> float | None:
    """Return what an answer says, as ``chronyc tracking`` has it; None for what is no answer to ``number``."""
    if len(answer) < _HEAD.size + _FACTS.size:
        return None
    if _HEAD.unpack_from(answer) != (_VERSION, _REPLY, _TRACKING, _TRACKED, 0, number):
        return None
    reference, _stratum, leap, *floats = _FACTS.unpack_from(answer, _HEAD.size)
    if leap == _UNSYNCHRONISED or reference == _ITSELF:
        return float("inf")
    correction, delay, dispersion = map(_float, floats)
    return abs(correction) + delay / 2 + dispersion


def _float(bits: int) -> float:
    """Return a number of chrony: 7 bits of exponent, 25 of coefficient, both signed."""
    exponent, coefficient = bits >> 25, bits & 0x1FFFFFF
    exponent -= (exponent & 0x40) << 1
    coefficient -= (coefficient & 0x1000000) << 1
    return float(coefficient) * 2.0 ** (exponent - 25)
