"""Play rows of the library against the process under test, and judge what became of each."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from fakes.misbehaviour import tls as tls_rows
from fakes.misbehaviour.line import HOLD_S, Line
from fakes.misbehaviour.row import GROWTH_KIB, TLS
from fakes.peers import dcmtk_tls, find_program, make_bench_ca

from agent.app.bench_ca import Identity, issue, make_ca
from agent.dataset.uid import SC

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Self

    from fakes.misbehaviour.row import Row

TESTS: Final = Path(__file__).parents[2]
PROMISED: Final = ("stored", "awaiting commitment", "committed")  # states that say the peer has it
ECHO_S: Final = 10.0
CALL_S: Final = 0.2  # between two calls of a caller that calls again and again
SURE, TURNS = 0.97, 5  # a share below it is measured again, so often in all


class Finding(NamedTuple):
    """One row as it was played; ``problems`` is empty where everything was as it must be."""

    row: Row
    way: str
    code: str
    state: str
    seconds: float
    growth_kib: int
    problems: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.row.side}: {self.row.name} ({self.way})"


class Bench:
    """One process under test; a context manager. ``ca`` is what ``make_certificates`` made."""

    def __init__(self, folder: Path, ca: Path) -> None:
        self.ca = ca
        self._subject = subprocess.Popen(
            [sys.executable, "-m", "fakes.misbehaviour.subject", str(folder), str(ca)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(TESTS)},
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._subject.stdin is not None
        assert self._subject.stdout is not None
        self._subject.stdin.close()
        self._subject.wait(10)
        self._subject.stdout.close()

    def order(self, do: str, **what: object) -> dict[str, Any]:
        """Have the process under test do something."""
        assert self._subject.stdin is not None
        assert self._subject.stdout is not None
        self._subject.stdin.write(json.dumps({"do": do, **what}) + "\n")
        self._subject.stdin.flush()
        answer = self._subject.stdout.readline()
        if not answer:
            raise AssertionError(f"the process under test ended with {self._subject.wait(10)}")
        found = json.loads(answer)
        assert isinstance(found, dict)
        return found

    def play(self, row: Row, way: str) -> Finding:
        """Play one row and judge it."""
        return self._send(row, way) if row.side == "SCU" else self._call(row, way)

    def _send(self, row: Row, way: str) -> Finding:
        with Peers(row, accepting(row, way)) as peers:
            found = self.order("send", port=peers.port, tls=way == TLS, size=row.size, commit=row.commitment)
        problems = list(peers.problems)
        if found["state"] in PROMISED and found["uid"] not in peers.took:
            problems.append(f"{found['state']}, though the peer never took it")
        return judged(row, way, found, problems)

    def _call(self, row: Row, way: str) -> Finding:
        tls = way == TLS
        where = self.order("listen", tls=tls)
        began = time.monotonic()
        problems: list[str] = []
        with contextlib.suppress(OSError), _calling(where["port"], self.ca if tls and not row.raw else None) as open_:
            line = Line(open_, uid=where["uid"], transaction=where["transaction"])
            line.sop_class = SC
            with _noted(problems):
                row.play(line)
        found = self.order("heard", tls=tls, uid=where["uid"])
        found["seconds"] = time.monotonic() - began
        problem = self.echo(where["port"], tls=tls)
        return judged(row, way, found, problems + ([problem] if problem else []))

    def echo(self, port: int, *, tls: bool) -> str:
        """Let DCMTK verify the listener, as a caller that does nothing wrong; what went wrong."""
        program = find_program("echoscu")
        if program is None:
            return ""
        command = [program, *(dcmtk_tls(self.ca, "archive") if tls else []), "-aec", "AGENT", "127.0.0.1", str(port)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=ECHO_S, check=False)
        return f"an honest caller is not served any more: {done.stderr.strip()}" if done.returncode else ""


def accepting(row: Row, way: str) -> ssl.SSLContext | None:
    """Return the context that a peer of our SCU shakes hands with, where its script does not do that itself."""
    return tls_rows.shows() if way == TLS and not row.raw else None


class Peers:
    """A port that plays the row on every connection; a context manager."""

    def __init__(self, row: Row, context: ssl.SSLContext | None) -> None:
        self.took: list[str] = []
        self.problems: list[str] = []
        self._row = row
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes whoever still waits for a connection
        self._threads[0].join()
        self._listener.close()  # not before: another thread's socket may get its number
        for thread in self._threads:
            thread.join(HOLD_S + 2)
            if thread.is_alive():
                self.problems.append("the script does not end")

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._converse, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _converse(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            open_ = self._context.wrap_socket(connection, server_side=True) if self._context else connection
            with open_, _noted(self.problems):
                line = Line(open_)
                try:
                    self._row.play(line)
                finally:
                    self.took += line.took


@contextlib.contextmanager
def _noted(problems: list[str]) -> Iterator[None]:
    """Let the end of the connection end a script, and note what else does."""
    try:
        yield
    except TimeoutError as error:
        problems.append(f"the script waits: {error}")
    except OSError:
        pass
    except Exception as error:  # noqa: BLE001 - a mistake in a row is told as such
        problems.append(f"{type(error).__name__}: {error}")


def _calling(port: int, ca: Path | None) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    if ca is None:
        return connection
    context = ssl.create_default_context(cafile=str(ca / "ca.pem"))
    context.load_cert_chain(ca / "archive.pem", ca / "archive.key")
    return context.wrap_socket(connection, server_hostname="127.0.0.1")


def judged(row: Row, way: str, found: dict[str, Any], problems: list[str]) -> Finding:
    """Compare what was found with the row."""
    if found["hung"]:
        problems.append("did not end")
    if found["seconds"] > row.deadline_s:
        problems.append(f"ended after {found['seconds']:.2f} s, not within {row.deadline_s:.2f} s")
    for what, expected in (("code", row.code), ("state", row.state)):
        if not re.fullmatch(expected, found[what]):
            problems.append(f"{what} {found[what]!r}, not {expected!r}")
    if not re.search(row.words, found["words"]):
        problems.append(f"no {row.words!r}")
    if found["growth_kib"] > GROWTH_KIB:
        problems.append(f"grew by {found['growth_kib']} KiB")
    if found["files"] != 1:
        problems.append(f"{found['files']} instances are on the medium, not 1")
    if problems:
        problems.append(f"said: {found['words']}")
    return Finding(row, way, found["code"], found["state"], found["seconds"], found["growth_kib"], tuple(problems))


def make_certificates(folder: Path) -> Path:
    """Write a throw-away CA, certificates of this machine, and some that nobody may trust."""
    folder.mkdir()
    make_bench_ca(folder)
    ca = Identity(str(folder / "ca.pem"), str(folder / "ca.pem"), str(folder / "ca.key"))
    local = ("localhost", "127.0.0.1")
    issue(str(folder), "stranger", make_ca(str(folder), "other"), hosts=local)
    issue(str(folder), "expired", ca, hosts=local, days=-1)
    issue(str(folder), "elsewhere", ca, hosts=("pacs.example.org",))
    tls_rows.folder[:] = [folder]
    return folder


def rates(bench: Bench, row: Row, way: str) -> float:
    """Return what share of its rate another destination keeps while a row is played again and again.

    With and without the row by turns, up to ``TURNS`` of each while there is doubt; the best of either side, because
    what else a machine does can only make it slower. The process must have been told of a ``good`` destination.
    """
    alone = beside = 0.0
    for _ in range(TURNS):
        alone = max(alone, bench.order("alone")["rate"])
        beside = max(beside, (_sending if row.side == "SCU" else _called)(bench, row, way))
        if beside >= SURE * alone:
            break
    return beside / alone


def _sending(bench: Bench, row: Row, way: str) -> float:
    with Peers(row, accepting(row, way)) as peers:
        found = bench.order("beside", port=peers.port, tls=way == TLS, size=row.size, commit=row.commitment)
        bench.order("leave")
    return float(found["rate"])


def _called(bench: Bench, row: Row, way: str) -> float:
    tls, over = way == TLS, threading.Event()
    where = bench.order("listen", tls=tls)

    def call_again_and_again() -> None:
        while not over.is_set():
            with contextlib.suppress(OSError), _calling(where["port"], bench.ca if tls and not row.raw else None) as it:
                line = Line(it, uid=where["uid"], transaction=where["transaction"])
                line.sop_class = SC
                with _noted([]):
                    row.play(line)
            over.wait(CALL_S)

    thread = threading.Thread(target=call_again_and_again)
    thread.start()
    rate = bench.order("alone")["rate"]
    over.set()
    thread.join()
    return float(rate)


def play_all(runs: Iterable[tuple[Row, str]], folder: Path, jobs: int = 1) -> Iterator[Finding]:
    """Play rows, each with its way, by so many processes at a time; most rows wait, so that several share a core."""
    ca = make_certificates(folder / "ca")
    waiting: queue.SimpleQueue[tuple[Row, str]] = queue.SimpleQueue()
    done: queue.SimpleQueue[Finding | BaseException] = queue.SimpleQueue()
    count = 0
    for run in runs:
        waiting.put(run)
        count += 1

    def work(number: int) -> None:
        try:
            (folder / f"{number}").mkdir()
            with Bench(folder / f"{number}", ca) as bench:
                while True:
                    done.put(bench.play(*waiting.get_nowait()))
        except queue.Empty:
            return
        except BaseException as error:  # noqa: BLE001 - told to whoever asked
            done.put(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(min(jobs, count))]
    for thread in threads:
        thread.start()
    for _ in range(count):
        found = done.get()
        if isinstance(found, BaseException):
            raise found
        yield found
    for thread in threads:
        thread.join()
