"""No core file: where passwords pass through a process, what a fault of it leaves on the medium must not have them."""

from __future__ import annotations

import contextlib
import resource

from agent.typed import Final

# Below what any core has; and 1, not 0, because a core that is piped to a program ignores every limit but 1 (core(5)).
_LIMIT: Final = 1


def coreless() -> None:
    """Leave no core of this process, nor of its children."""
    with contextlib.suppress(OSError, ValueError):  # it is lower already
        resource.setrlimit(resource.RLIMIT_CORE, (_LIMIT, _LIMIT))
