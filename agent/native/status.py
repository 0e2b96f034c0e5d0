"""Where a status of the C core becomes an exception: one table, one `check`.

The C core answers with a count (>= 0) or a status (< 0) of three families, so the class follows from the number alone:
-1..-99 the caller's argument (our fault), -101..-199 the bits (the sender's fault), -201..-299 the machine or device.

Memory that was borrowed for the call is given back before anything is raised: a traceback keeps locals, an error that
is kept is soon part of a cycle, and CPython before 3.11.8 and 3.12.2 crashes when it collects a cycle with a memoryview
whose bytes are still borrowed (python/cpython 77894).
"""

from __future__ import annotations

from agent.errors import DeviceError, NativeArgumentError, NativeDataError, NativeError
from agent.native._core import ffi, lib
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.typed import Any

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


def check(result: int, what: str, *borrowed: Any) -> int:
    """Give the count back, or raise what the status means; `what` says which operation on what."""
    if result >= 0:
        return result
    for memory in borrowed:
        ffi.release(memory)
    raise failure(result, what)


def failure(status: int, what: str, trouble: Any = None) -> NativeError:
    """Make what a negative status means; ``trouble`` is an ``mga_trouble *`` that tells more, or None."""
    text = ffi.string(lib.mga_status_text(status)).decode("ascii")
    if trouble is not None and trouble.what[0] != b"\0":
        text += f" ({ffi.string(trouble.what).decode('utf-8', 'replace')}"
        if trouble.number:
            import errno
            import os

            text += f": {os.strerror(trouble.number)}, {errno.errorcode.get(trouble.number, trouble.number)}"
        text += ")"
    return error_class(status)(f"{what}: {text}")
