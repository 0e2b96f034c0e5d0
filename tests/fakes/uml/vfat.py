"""Exports to a real vfat: recorded block by block in user-mode Linux, and judged there on each of its states."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any, Final

from fakes.uml import blocks, kernel, stick
from fakes.uml.medium import Medium

from agent.exchange import volume

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MODULES: Final = ("loop", "vfat", "nls_cp437", "nls_ascii", "nls_utf8", "nls_iso8859-1", "dm-log-writes")


def replay(order: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """ubda is the stick, ubdb takes the log; exports are made, then ``limit`` states are looked at."""
    kernel.load_modules(*_MODULES)
    size, _mkfs, options = stick.FORMATS[order["format"]]
    with open("/dev/ubda", "rb") as file:
        base = file.read(size << 20)
    roots = stick.brought(order["spools"], kernel.SCRATCH)
    if order.get("mistake"):
        stick.MISTAKES[order["mistake"]]()
    safe = list(_record(roots, size, options))
    ours: dict[str, set[str]] = {}
    for part in safe:
        for one, digest in part.items():
            ours.setdefault(one, set()).add(digest)
    with open("/dev/ubdb", "rb") as file:
        entries = blocks.read(file)
    yield {"entries": len(entries), "flushes": sum(bool(entry.flags & blocks.FLUSH) for entry in entries)}
    medium = Medium(kernel.SCRATCH, "vfat", options)
    for number, state in enumerate(blocks.sampled(entries, order["seed"], order["more"], order["limit"]), 1):
        whole = blocks.image(base, state)
        promised = {one: digest for part in safe[: len(state.marks)] for one, digest in part.items()}
        wrong = _look(medium, whole, promised, ours)
        if number % order["again"] == 0:
            wrong += _complete(medium, whole, roots, ours)
        where = (
            f"exports to {order['format']}, cut after write {state.after} of {len(entries)}, {len(state.marks)} safe"
        )
        yield {"state": f"{state.key:032x}", "wrong": [f"{where}: {text}" for text in wrong]}


def _record(roots: list[str], size: int, options: str) -> Iterator[stick.Safe]:
    point = f"{kernel.SCRATCH}/mounted"
    os.makedirs(point, exist_ok=True)
    device = kernel.Mapped("log", size << 11, "log-writes /dev/ubda /dev/ubdb")
    kernel.mount(device.device, point, "vfat", options)
    for number, root in enumerate(roots):
        yield stick.digests(stick.export(root, point))
        device.message(f"mark safe{number}")
    kernel.unmount(point)
    device.close()


def _look(medium: Medium, whole: bytearray, safe: stick.Safe, ours: dict[str, set[str]]) -> list[str]:
    medium.put(whole)
    try:
        with medium.mounted() as point:
            return stick.judge(point, safe, ours)
    except OSError as error:
        return [f"the look at it ended with {error}"]


def _run(words: Sequence[str]) -> int:
    """For ``volume.repair``: the stick is not mounted here, before or after."""
    if words[0] in ("mount", "umount"):
        return 0
    program = shutil.which(words[0], path="/usr/sbin:/sbin:/usr/bin")
    assert program is not None
    return subprocess.run([program, *words[1:]], capture_output=True, check=False).returncode


def _complete(medium: Medium, whole: bytearray, roots: list[str], ours: dict[str, set[str]]) -> list[str]:
    """What an operator does: repair, export again; then everything is there, and once more changes nothing."""
    medium.put(whole)
    try:
        with medium.loop() as loop:
            volume.repair(volume.Volume(medium.point, "vfat", loop.device), _run)
            safe: stick.Safe = {}
            for _twice in range(2):
                with medium.mounted(loop.device) as point:
                    for root in roots:
                        safe |= stick.digests(stick.export(root, point))
                with medium.mounted(loop.device) as point:
                    if wrong := stick.judge(point, safe, ours):
                        return [f"exported again: {text}" for text in wrong]
    except Exception as error:  # noqa: BLE001 - whatever it is, it must not happen
        return [f"exported again, it ended with {type(error).__name__}: {error}"]
    return []
