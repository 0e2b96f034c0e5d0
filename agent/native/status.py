"""Where a status of the C core becomes an exception: one table, one `check`.

The C core answers with a count (>= 0) or a status (< 0) of three families, so the class follows from the number alone:
-1..-99 the caller's argument (our fault), -101..-199 the bits (the sender's fault), -201..-299 the machine or device.
"""

from __future__ import annotations

from agent.errors import DeviceError, NativeArgumentError, NativeDataError, NativeError
from agent.native._core import ffi, lib

# (lowest status of the family, what it is raised as)
_FAMILIES: tuple[tuple[int, type[NativeError]], ...] = (
    (-99, NativeArgumentError),
    (-199, NativeDataError),
    (-299, DeviceError),
)


def error_class(status: int) -> type[NativeError]:
    """Give the class for a negative status."""
    for lowest, family in _FAMILIES:
        if status >= lowest:
            return family
    return NativeError


def check(result: int, what: str) -> int:
    """Give the count back, or raise what the status means; `what` says which operation on what."""
    if result >= 0:
        return result
    text = ffi.string(lib.mga_status_text(result)).decode("ascii")
    raise error_class(result)(f"{what}: {text}")
