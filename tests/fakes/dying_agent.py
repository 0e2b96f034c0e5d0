"""The agent, killed by SIGKILL where an event of the panel has come to the point that the first argument names.

``never``; ``asked``: before its order is taken; ``ordered``: behind that, while nothing of it is durable; ``sealed``:
its instance is durable, and its number not noted; ``noted``: the other way round. No press is too old for it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from typing import Any

from agent.acquire.recorder import Recorder
from agent.app import cli, front_panel
from agent.app.heard import Heard

NEVER, ASKED, ORDERED, SEALED, NOTED = POINTS = ("never", "asked", "ordered", "sealed", "noted")


def die(*_: object, **__: object) -> Any:
    """Die, as by the power."""
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def arm(point: str) -> None:
    """Have it die at the point."""
    front_panel.STALE_S = 3600.0  # type: ignore[misc]
    note, tell, sealed = Heard.carried_out, Recorder._tell, threading.Event()

    def told(self: Recorder, *what: Any) -> None:
        tell(self, *what)
        sealed.set()

    def noted(self: Heard, number: int, promised: str = "") -> None:
        if point == SEALED:
            assert sealed.wait(60)
            die()
        note(self, number, promised)
        die()

    if point == ASKED:
        front_panel.order = die
    elif point == ORDERED:
        Recorder._capture = die  # type: ignore[method-assign]
        Heard.carried_out = die  # type: ignore[method-assign]
    elif point == SEALED:
        Recorder._tell = told  # type: ignore[method-assign]
        Heard.carried_out = noted  # type: ignore[method-assign]
    elif point == NOTED:
        Recorder._capture = lambda *_: time.sleep(3600)  # type: ignore[assignment, method-assign]
        Heard.carried_out = noted  # type: ignore[method-assign]


if __name__ == "__main__":
    arm(sys.argv[1])
    sys.exit(cli.main(sys.argv[2:]))
