"""One heap for all threads of the process, where the C library would make up to eight for each core.

glibc gives heaps of their own to threads, so that those that allocate at the same time do not wait for each other. A
heap outlives its thread, with what is free in it: in a daemon whose associations each have a thread, and whose work
moves from one to the next with every fault of the network, each heap grows as large as the largest thing that was ever
done in it. Ours wait for media, peers and the interpreter lock, and allocate while they hold that one. An agent whose
surroundings failed every 1.5 s had 51 MiB after three minutes, 18 of them free, and 40 MiB with one heap.

Asked of the C library like the clock in ``kernel_clock``.
"""

from __future__ import annotations

import os

from agent.typed import Final

# The name of glibc for the same; what the unit of the service says costs nothing, and who sets it knows why.
VARIABLE: Final = "MALLOC_ARENA_MAX"
_M_ARENA_MAX: Final = -8  # of malloc.h


def one_heap() -> bool:
    """Let threads that begin from here on share the heap of the first one, unless the environment says how many.

    False where nothing was to be done, or the C library knows no such thing.
    """
    if VARIABLE in os.environ:
        return False
    import _cffi_backend  # 0.3 MiB

    ffi = _cffi_backend.FFI()
    try:
        mallopt = _cffi_backend.load_library(None).load_function(ffi.typeof("int(*)(int, int)"), "mallopt")
    except (OSError, AttributeError):
        return False
    return bool(mallopt(_M_ARENA_MAX, 1))
