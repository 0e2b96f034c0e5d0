"""What work leaves to the collector of circles: memory that is not used any more and not free either.

Python frees what nothing refers to at once, except circles: those wait for the collector, which comes when objects have
become many, however large the few are.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def leftovers() -> Iterator[list[str]]:
    """Fill the list, at the end of the block, with the names of types of ours whose objects were left in circles."""
    found: list[str] = []
    gc.collect()
    gc.disable()
    try:
        yield found
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        left = [type(one) for one in gc.garbage if not isinstance(one, type)]  # an import makes types and drops some
        found += sorted({kind.__name__ for kind in left if kind.__module__.startswith("agent.")})
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
