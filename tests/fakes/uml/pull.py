"""A stick that is pulled while an export goes on: no "safe to remove" that is not true.

In user-mode Linux the stick is a file, a loop device and a device-mapper table over it. It is pulled by putting a table
of errors in the place of that one: from then on writes and reads go on in the cache and only a sync says EIO, which is
what a kernel does with a stick that is gone. What the file holds is what the stick holds.
"""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from fakes.uml import kernel, stick
from fakes.uml.medium import Medium

from agent.errors import MediaError, NotSafe
from agent.spool.ops import Ops

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MODULES: Final = ("loop", "vfat", "nls_cp437", "nls_ascii", "nls_utf8", "nls_iso8859-1", "dm-mod")
# Share of the exports that end by unmounting; this starts programs, which takes its time there.
_REMOUNTED: Final = 0.3


class Pulling(Ops):
    """Pulls at the Nth step; 0: never."""

    __slots__ = ("_at", "_pull", "steps")

    def __init__(self, at: int, pull: Callable[[], None]) -> None:
        self._at, self._pull, self.steps = at, pull, 0

    def step(self, call: str, path: str) -> None:
        self.steps += 1
        if self.steps == self._at:
            self._pull()


class _Stick:
    """One stick, plugged in."""

    def __init__(self, medium: Medium, size: int) -> None:
        self._medium = medium
        self._size = size

    def export(self, whole: bytes, root: str, at: int, late_s: float, *, remount: bool) -> tuple[str, stick.Safe, int]:
        """Export, and pull; how it ended, what was called safe, and how many steps there were."""
        self._medium.put(whole)
        gone = threading.Event()
        with self._medium.loop() as loop:
            device = kernel.Mapped("stick", self._size << 11, f"linear {loop.device} 0")

            def pull() -> None:
                if not gone.is_set():
                    device.load("error", at_once=True)
                    gone.set()

            ops = Pulling(at, pull)
            clock = threading.Timer(late_s, pull)
            try:
                with self._medium.mounted(device.device) as point:
                    if late_s:
                        clock.start()
                    return *self._try(root, point, ops, gone, remount=remount), ops.steps
            finally:
                if late_s:
                    clock.cancel()
                    clock.join()
                device.close()

    def _try(self, root: str, point: str, ops: Ops, gone: threading.Event, *, remount: bool) -> tuple[str, stick.Safe]:
        try:
            outcome = stick.carried(root, point, ops, remount=remount)
        except NotSafe:
            return "not safe", {}
        except (MediaError, OSError) as error:  # before anything was written: nobody was told anything
            return f"refused: {error}", {}
        return ("safe, pulled before" if gone.is_set() else "safe"), stick.digests(outcome)


def pulls(order: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """ubda is an empty stick. Pull it at every step of every export, and at moments of its own: ``pulls`` times."""
    kernel.load_modules(*_MODULES)
    size, _mkfs, options = stick.FORMATS[order["format"]]
    with open("/dev/ubda", "rb") as file:
        whole = file.read(size << 20)
    roots = stick.brought(order["spools"], kernel.SCRATCH)
    if order.get("mistake"):
        stick.MISTAKES[order["mistake"]]()
    medium = Medium(kernel.SCRATCH, "vfat", options)
    plugged = _Stick(medium, size)
    dice = random.Random(f"{order['seed']} {order['format']}")
    old: stick.Safe = {}
    ours: dict[str, set[str]] = {}
    left = order["pulls"]
    for turn, root in enumerate(roots):
        began = time.monotonic()
        how, new, steps = plugged.export(whole, root, 0, 0.0, remount=True)
        lasts = time.monotonic() - began
        after = medium.get()
        for one, digest in new.items():
            ours.setdefault(one, set()).add(digest)
        if wrong := _look(medium, old | new, ours):
            yield {"how": how, "wrong": [f"nothing was pulled: {text}" for text in wrong]}
        share = left // (len(roots) - turn)
        each = dice.sample(range(1, steps + 1), steps)
        for number in range(10 * share):
            at, late_s = (each[number], 0.0) if number < steps else (0, dice.uniform(0.001, lasts))
            remount = dice.random() < _REMOUNTED
            how, said, _ = plugged.export(whole, root, at, late_s, remount=remount)
            wrong = _look(medium, old | said, ours)
            where = f"{order['format']}, pulled {f'at step {at} of {steps}' if at else f'after {late_s:.3f} s'}"
            where += ", --unmount" if remount else ""
            if wrong or how != "safe":  # it was safe before it would have been pulled
                yield {"how": how, "wrong": [f"{where}, {how}: {text}" for text in wrong]}
                share, left = share - 1, left - 1
            if not share:
                break
        whole, old = after, old | new


def _look(medium: Medium, safe: stick.Safe, ours: dict[str, set[str]]) -> list[str]:
    try:
        with medium.mounted() as point:
            return stick.judge(point, safe, ours)
    except OSError as error:
        return [f"the stick cannot be looked at: {error}"]
