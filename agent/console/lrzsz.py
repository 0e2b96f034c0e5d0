"""The child that has the line during a file transfer: lrzsz between two pipes, watched.

``python -m agent.console.lrzsz send|receive PROTOCOL MOST_BYTES PATH``: PATH is the file that is sent, or an empty
folder that is received into. The name that the peer gives ends in that folder (``rz -R``, and nothing else is there);
whoever started this takes the one file out of it, whatever it is called. The exit status is a row of
``transfer.WORDS``. When lrzsz is over, what the other end still has to say is read away, so that the prompt that
follows does not take it for something typed.
"""

from __future__ import annotations

import fcntl
import os
import resource
import select
import signal
import subprocess
import sys
import time

from agent.console.transfer import (
    CANCEL,
    DONE,
    DRAIN_S,
    FAILED,
    INTERRUPTED,
    MISSING,
    PROTOCOLS,
    QUIET_S,
    Watch,
)
from agent.typed import Final

_CHUNK: Final = 1024
_PIPE_BYTES: Final = 4096  # the least that Linux gives: what waits in a pipe was sent in vain when noise spoils a block
_LINE_IN, _LINE_OUT = 0, 1


class _Told(Exception):
    """A signal: the session is over, or somebody wants the line back."""


def main(words: list[str]) -> int:
    """Do one transfer; returns a row of ``transfer.WORDS``."""
    direction, protocol, most, path = words
    sending = direction == "send"
    row = PROTOCOLS[protocol]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _told)
    _shorten(_LINE_OUT)
    command = [*(row.send if sending else row.receive), *_last(path, row.length, sending=sending)]
    try:
        process = subprocess.Popen(  # noqa: S603  fixed commands, no shell; the path is ours
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=os.path.dirname(path) if sending else path,
            env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C"},
            preexec_fn=None if sending else lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (int(most), int(most))),  # noqa: PLW1509  one thread
        )
    except FileNotFoundError:
        return MISSING
    watch = Watch(time.monotonic(), sending=sending, most_bytes=int(most))
    try:
        verdict = _pump(process, watch)
    except _Told:
        verdict = INTERRUPTED
    process.kill()
    process.wait()
    _drain(cancel=verdict != DONE)
    return verdict


def _told(*_: object) -> None:
    raise _Told


def _last(path: str, length: str, *, sending: bool) -> list[str]:
    if sending:
        return [os.path.basename(path)]
    return [] if length == "carried" else ["received"]


def _shorten(pipe: int) -> None:
    try:
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    except OSError:
        return  # no pipe, or a kernel that does not


def _pump(process: subprocess.Popen[bytes], watch: Watch) -> int:
    """Carry bytes both ways until lrzsz ends or the watch has had enough."""
    assert process.stdin is not None
    assert process.stdout is not None
    there, back = process.stdin.fileno(), process.stdout.fileno()
    _shorten(back)
    waiting = b""
    while watch.verdict is None:
        if process.poll() is not None:
            return _ended(process, back)
        reading = [back, *([_LINE_IN] if len(waiting) < _PIPE_BYTES else [])]
        wait_s = min(max(watch.deadline() - time.monotonic(), 0.0), 0.2)
        ready, room, _ = select.select(reading, [there] if waiting else [], [], wait_s)
        if _LINE_IN in ready:
            data = os.read(_LINE_IN, _CHUNK)
            if not data:
                return FAILED
            waiting += watch.heard(data, time.monotonic())
        if room:
            try:
                waiting = waiting[os.write(there, waiting[: select.PIPE_BUF]) :]
            except BrokenPipeError:
                waiting = b""
        if back in ready:
            data = os.read(back, _CHUNK)
            if not data:
                process.wait()
            watch.said(data, time.monotonic())
            _say(data)
        watch.tick(time.monotonic())
    return watch.verdict


def _ended(process: subprocess.Popen[bytes], back: int) -> int:
    """Pass on the last words of lrzsz; its status."""
    os.set_blocking(back, False)
    try:
        while data := os.read(back, _CHUNK):
            _say(data)
    except BlockingIOError:
        pass
    return DONE if process.returncode == 0 else FAILED


def _say(data: bytes) -> None:
    while data:
        data = data[os.write(_LINE_OUT, data) :]


def _drain(*, cancel: bool) -> None:
    """Read away what the other end still sends, until it is quiet."""
    until = time.monotonic() + DRAIN_S
    try:
        if cancel:
            _say(CANCEL)
        while time.monotonic() < until and select.select([_LINE_IN], [], [], QUIET_S)[0]:
            if not os.read(_LINE_IN, _CHUNK):
                return
    except (OSError, _Told):
        return


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
