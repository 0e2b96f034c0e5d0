"""The child that has the line while a program is at the other end: requests come in, verbs of ``TABLE`` run.

``python -m agent.console.machine ROLE WHO LINE CONFIG``, its standard input and output being the line (``frames``). A
request is ``{"argv": [...], "data": TEXT}``, begins as a row of the table that the role of the user may do, and goes on
with words of this page: ``--config``, and where a verb knows it ``--who``, are ours to say, and no file has a name. The
answer is ``{"status", "out", "err"}``. So a program can do no more than the person whose password it has, and each
request is in the record of sessions.

It gives the line back when it is told to, when nothing has been understood for ``SILENT_S``, and at three ^C in a row,
which is what somebody does who finds such a line.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time

from agent.console.frames import Channel
from agent.console.record import Record
from agent.console.row import may
from agent.typed import Any, Final

HELLO: Final = b"\r\n~hello modality-agent 1\r\n"
SILENT_S: Final = 45.0
ALIVE_S: Final = 3.0
_CHUNK: Final = 4096
# Behind the name of the user, so that a program knows what it has left itself.
BY_PROGRAM: Final = " (program)"
_ESCAPE: Final = b"\x03\x03\x03"
_ANSWER_LIMIT: Final = 262_144
# A self-test asks every destination, one after the other.
_VERB_S: Final = 900.0
# What may be asked: the words of a verb, the role it needs, whether it knows --who.
TABLE: Final[dict[tuple[str, ...], tuple[str, str]]] = {
    ("config", "show"): ("viewer", ""),
    ("config", "commands"): ("viewer", ""),
    ("config", "compare"): ("technician", ""),
    ("config", "history"): ("viewer", ""),
    ("config", "load"): ("technician", "--who"),
    ("config", "check"): ("technician", ""),
    ("config", "commit"): ("technician", "--who"),
    ("config", "confirm"): ("technician", "--who"),
    ("config", "revert"): ("technician", "--who"),
    ("config", "discard"): ("technician", "--who"),
    ("selftest",): ("technician", ""),
    ("status",): ("viewer", ""),
    ("tls", "show"): ("viewer", ""),
    ("tls", "request"): ("admin", ""),
    ("tls", "import"): ("admin", ""),
}
# What may stand behind them, beside numbers; what comes in comes as ``data``.
_WORDS: Final = frozenset(("-", "certificate", "ca", "crl", "--json", "--replace", "--candidate", "--no-tests",
    "--dry-run", "--add", "--same-key"))  # fmt: skip
_VALUED: Final = frozenset(("--confirm", "--comment", "--destination", "--subject", "--name", "--kind"))


class _Over(Exception):
    """The line is given back."""


class Machine:
    """One session."""

    def __init__(self, role: str, who: str, line: str, config: str) -> None:
        self._role, self._who, self._config = role, who, config
        self._record = Record(f"{config}.console", line)
        self._channel = Channel(time.monotonic())
        self._tail = b""
        self._requests: list[bytes] = []
        self._alive_at = 0.0

    def serve(self) -> None:
        """Answer until the line is given back."""
        os.set_blocking(0, False)
        self._channel.outgoing += HELLO
        while True:
            self._turn(None)
            while self._requests:
                answer = self._answer(self._requests.pop(0))
                self._channel.send(json.dumps(answer, ensure_ascii=False).encode(), time.monotonic())
                if answer.get("bye"):
                    self._finish()

    def _finish(self) -> None:
        """See the last answer off."""
        while not self._channel.idle and not self._channel.failed:
            self._turn(None)
        raise _Over

    def _turn(self, work: subprocess.Popen[bytes] | None) -> None:
        """Carry bytes for a moment."""
        channel, now = self._channel, time.monotonic()
        channel.tick(now)
        if channel.failed or (work is None and now - channel.heard_at > SILENT_S):
            raise _Over
        if work is not None and now >= self._alive_at:
            self._alive_at = now + ALIVE_S
            channel.alive()
        while channel.outgoing:
            del channel.outgoing[: os.write(1, channel.outgoing)]
        if not select.select([0], [], [], 0.05 if work is not None else 0.3)[0]:
            return
        try:
            data = os.read(0, _CHUNK)
        except BlockingIOError:
            return
        if not data or _ESCAPE in self._tail + data:
            raise _Over
        self._tail = data[-2:]
        self._requests += channel.receive(data, time.monotonic())

    def _answer(self, message: bytes) -> dict[str, Any]:
        try:
            asked = json.loads(message)
            argv, data = [str(word) for word in asked.get("argv", [])], str(asked.get("data", ""))
        except (ValueError, AttributeError, TypeError):
            return {"status": 2, "out": "", "err": "not a request"}
        if argv == ["bye"]:
            return {"status": 0, "out": "", "err": "", "bye": True}
        row = next((words for words in TABLE if tuple(argv[: len(words)]) == words), None)
        if row is None:
            return {"status": 2, "out": "", "err": f"not to be asked by a program: {' '.join(argv[:2])}"}
        role, who = TABLE[row]
        if not may(self._role, role):
            return {
                "status": 2,
                "out": "",
                "err": f"'{' '.join(row)}' needs the role {role}; {self._who} has {self._role}",
            }
        if strange := _strange(argv[len(row) :]):
            return {"status": 2, "out": "", "err": f"not to be given by a program: {strange}"}
        own = [f"--config={self._config}", *([f"{who}={self._who}{BY_PROGRAM}"] if who else [])]
        answer = self._run([*row, *own, *argv[len(row) :]], data.encode())
        outcome = f"status {answer['status']}" if answer["status"] else "ok"
        self._record.note(time.time(), self._who, self._role, "machine", outcome, " ".join(argv))
        return answer

    def _run(self, argv: list[str], data: bytes) -> dict[str, Any]:
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            given.write(data)
            given.seek(0)
            process = subprocess.Popen(  # noqa: S603  a verb of the table, no shell
                [sys.executable, "-P", "-m", "agent", *argv],
                stdin=given,
                stdout=out,
                stderr=err,
                env={**os.environ, "NO_COLOR": "1", "TERM": "dumb"},
            )
            until = time.monotonic() + _VERB_S
            try:
                while process.poll() is None and time.monotonic() < until:
                    self._turn(process)
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()
            return {"status": process.returncode, "out": _text(out), "err": _text(err)}


def _strange(words: list[str]) -> str:
    """Return the first word that is none of this page."""
    rest = iter(words)
    for word in rest:
        name, equals, _ = word.partition("=")
        if name in _VALUED:
            _ = equals or next(rest, "")
        elif word not in _WORDS and not word.isdecimal():
            return word or "(nothing)"
    return ""


def _text(file: Any) -> str:
    file.seek(0)
    return str(file.read(_ANSWER_LIMIT).decode("utf-8", "replace"))


def main(words: list[str]) -> int:
    """Serve one program."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _told)
    try:
        Machine(*words).serve()
    except (_Over, OSError):
        return 0
    return 0


def _told(*_: object) -> None:
    raise _Over


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
