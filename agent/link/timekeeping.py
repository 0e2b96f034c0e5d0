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
import time

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
# reference, address and its family, stratum, leap, heard at (high and low seconds), correction, root delay, dispersion
_FACTS: Final = struct.Struct(">4s16sH2xHHII4xI20xII4x")
_IPV4, _IPV6 = 1, 2
_UNSYNCHRONISED: Final = 3
_ITSELF: Final = b"\x7f\x7f\1\1"  # the reference of one that gives out its own time
# Of a clock that may be wrong by more, nobody says that it is right; the kernel has the same limit.
WRONG_S: Final = 16.0


class Kept(NamedTuple):
    """``synchronised`` None: nobody says; ``error_bound_s`` None: nobody knows; ``by`` may be empty.

    ``address`` is that of the server it follows, ``reference`` the name of a clock instead, ``heard_s`` how long ago it
    heard of either (None: not known); only chrony says so.
    """

    synchronised: bool | None
    error_bound_s: float | None
    by: str
    address: str = ""
    reference: str = ""
    heard_s: float | None = None


class Tracked(NamedTuple):
    """What chrony answered: by how much the clock is wrong at most (infinite where it follows nobody), and the rest."""

    bound_s: float
    address: str
    reference: str
    heard_at: float  # wall time, s since 1970


def timekeeping(kernel: Callable[[], KernelClock | None] = kernel_clock, port: tuple[str, int] = COMMAND_PORT) -> Kept:
    """Ask who keeps it."""
    tracked = _asked_of_chrony(port)
    bound = None if tracked is None else tracked.bound_s
    if tracked is not None and tracked.bound_s < WRONG_S:
        heard_s = max(0.0, time.time() - tracked.heard_at)
        return Kept(
            synchronised=True,
            error_bound_s=tracked.bound_s,
            by=CHRONY,
            address=tracked.address,
            reference=tracked.reference,
            heard_s=heard_s,
        )
    said = kernel()
    by = next((name for name, paths in PROGRAMS.items() if any(map(os.path.exists, paths))), "")
    by = CHRONY if bound is not None else by
    if said is None:
        return Kept(None if bound is None else False, None, by)
    trusted = said.synchronised and by != TIMESYNCD
    return Kept(said.synchronised, said.error_bound_s if trusted else None, by)


def _asked_of_chrony(port: tuple[str, int]) -> Tracked | None:
    """Return its answer; None without one."""
    number = int.from_bytes(os.urandom(4), "big")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.settimeout(WITHIN_S)
        try:
            line.connect(port)
            line.send(_ASK.pack(_VERSION, _REQUEST, _TRACKING, 0, number).ljust(_HEAD.size + _FACTS.size, b"\0"))
            return tracked_in(line.recv(_HEAD.size + _FACTS.size), number)
        except OSError:
            return None


def tracked_in(answer: bytes, number: int) -> Tracked | None:
    """Return what an answer says, as ``chronyc tracking`` has it; None for what is no answer to ``number``."""
    if len(answer) < _HEAD.size + _FACTS.size:
        return None
    if _HEAD.unpack_from(answer) != (_VERSION, _REPLY, _TRACKING, _TRACKED, 0, number):
        return None
    reference, address, family, _stratum, leap, high, low, *floats = _FACTS.unpack_from(answer, _HEAD.size)
    if leap == _UNSYNCHRONISED or reference == _ITSELF:
        return Tracked(float("inf"), "", "", 0.0)
    correction, delay, dispersion = map(_float, floats)
    bound_s = abs(correction) + delay / 2 + dispersion
    name = "" if family in (_IPV4, _IPV6) else reference.rstrip(b"\0").decode("ascii", "replace")
    return Tracked(bound_s, _address(address, family), name if name.isprintable() else "", float(high << 32 | low))


def _address(raw: bytes, family: int) -> str:
    """Write an address as DICOM wants it: eight groups, or four numbers (PS3.3 Table C.7-7)."""
    if family == _IPV4:
        return ".".join(map(str, raw[:4]))
    if family == _IPV6:
        return ":".join(f"{group:x}" for group in struct.unpack(">8H", raw))
    return ""


def _float(bits: int) -> float:
    """Return a number of chrony: 7 bits of exponent, 25 of coefficient, both signed."""
    exponent, coefficient = bits >> 25, bits & 0x1FFFFFF
    exponent -= (exponent & 0x40) << 1
    coefficient -= (coefficient & 0x1000000) << 1
    return float(coefficient) * 2.0 ** (exponent - 25)
