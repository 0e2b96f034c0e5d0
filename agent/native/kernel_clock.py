"""What the kernel says of its clock (adjtimex(2)): whether somebody keeps it right, and the bound of its error.

Asked of the C library by the part of cffi that is in the process anyway: ctypes would weigh 0.4 MiB, our core more.
"""

from __future__ import annotations

import struct

from agent.typed import Final, NamedTuple

_UNSYNC: Final = 0x40  # STA_UNSYNC of timex.h
_HEAD: Final = struct.Struct("@I4li")  # of struct timex: modes (0: only look), offset, freq, maxerror, esterror, status
_ROOM_BYTES: Final = 512  # struct timex has 208 bytes at most


class KernelClock(NamedTuple):
    """Whether somebody keeps it right, and how wrong it is at most, in s."""

    synchronised: bool
    error_bound_s: float


def kernel_clock() -> KernelClock | None:
    """Return what the kernel says; None where it says nothing."""
    import _cffi_backend

    ffi = _cffi_backend.FFI()
    try:
        adjtimex = _cffi_backend.load_library(None).load_function(ffi.typeof("int(*)(void *)"), "adjtimex")
    except (OSError, AttributeError):  # of a C library that has none
        return None
    room = ffi.new("char[]", _ROOM_BYTES)
    if adjtimex(room) < 0:
        return None
    *_, bound_us, _guess_us, status = _HEAD.unpack_from(ffi.buffer(room))
    return KernelClock(not status & _UNSYNC, bound_us / 1e6)
