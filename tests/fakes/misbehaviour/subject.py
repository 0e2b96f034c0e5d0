"""The process under test: the agent's own worker, spool, settler and listener, told what to do line by line.

Orders come as JSON on stdin, one line each, and every order has one answer on stdout. The peer is in another process,
so that what this one takes of memory is the agent's alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fakes.misbehaviour.beside import INSTANCES, Beside
from fakes.misbehaviour.line import ARCHIVE_AE, OUR_AE
from fakes.misbehaviour.row import SHORT

from agent.acquire.identity import new_uid
from agent.dataset.dataset import DataSet
from agent.dataset.encode import encode
from agent.dataset.uid import EXPLICIT_VR_LE, SC, STORAGE_COMMITMENT, VERIFICATION
from agent.forward.flights import Flights
from agent.forward.policy import BackOff
from agent.forward.settings import Settings
from agent.forward.settle import Settler
from agent.forward.worker import Worker
from agent.link.flight import Flight
from agent.link.listener import Call, Listener, serve_requests
from agent.link.peer import Peer
from agent.link.tls import TlsSettings
from agent.media.part10 import FileMeta, encode_prefix
from agent.service import commitment, verification
from agent.service.proposal import acceptor_policy
from agent.spool.core import Destination
from agent.spool.store import Spool

if TYPE_CHECKING:
    from collections.abc import Callable

HANG_S: Final = 12.0  # longer than any deadline of a row
PACS: Final = "pacs"
UNDER_WAY: Final = ("queued", "active")


class Memory:
    """What this process takes more than at the beginning of a row, at the worst moment."""

    def __init__(self) -> None:
        self._before = 0

    def begin(self) -> None:
        with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
            file.write("5")  # the peak begins anew
        self._before = _status("VmRSS")

    def growth_kib(self) -> int:
        return _status("VmHWM") - self._before


def _status(word: str) -> int:
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(word))


class Subject:
    """Every row of our SCU has a destination of its own in one spool; the listeners, plain and TLS, stay."""

    def __init__(self, folder: Path, ca: Path) -> None:
        self.folder = folder
        self.ca = ca
        self.memory = Memory()
        self.said: list[str] = []
        self._rows = 0
        self._beside: Beside | None = None
        self._spool: Spool | None = None
        self._listening: dict[bool, Listening] = {}

    def tls(self, wanted: bool) -> TlsSettings | None:
        ca = self.ca
        return TlsSettings(str(ca / "ca.pem"), str(ca / "agent.pem"), str(ca / "agent.key")) if wanted else None

    def say(self, _level: str, text: str) -> None:
        self.said.append(text)

    def spool(self, name: str) -> Spool:
        root = self.folder / name
        root.mkdir()
        return Spool.open(str(root), destinations=[Destination(PACS)])

    def capture(self, spool: Spool, size: int) -> str:
        """Put one instance into the spool."""
        path, uid = self.folder / "capture", new_uid()
        with path.open("wb") as file:
            data = DataSet({"SOPClassUID": SC, "SOPInstanceUID": uid, "PatientName": "A^B"})
            data["StudyInstanceUID"], data["SeriesInstanceUID"] = new_uid(), new_uid()
            file.write(encode_prefix(FileMeta(SC, uid, EXPLICIT_VR_LE)) + encode(data, EXPLICIT_VR_LE))
            file.write(b"\xe0\x7f\x10\x00OB\0\0" + size.to_bytes(4, "little"))
            for _ in range(0, size, 1 << 18):
                file.write(os.urandom(min(size, 1 << 18)))
            file.truncate(file.tell() - max(0, -(-size // (1 << 18)) * min(size, 1 << 18) - size))
        spool.import_file(str(path))
        return uid

    # --- our SCU -----------------------------------------------------------------------------------

    def send(self, *, port: int, tls: bool, size: int, commit: bool) -> dict[str, Any]:
        """Deliver one instance to the peer at ``port``, until the association is over and the ledger knows."""
        spool = self._spool = self._spool or self.spool("out")
        self._rows += 1
        name, before = f"{PACS}{self._rows}", self.files(spool)
        spool.configure([Destination(name)])
        uid = self.capture(spool, size)
        peer = Peer(ARCHIVE_AE, "127.0.0.1", port, OUR_AE, self.tls(tls), SHORT)
        settings = Settings(
            name, peer, commit, idle_close_s=0.1, report_wait_s=0.5, back_off=BackOff(HANG_S * 10, HANG_S * 10)
        )
        flights, over = Flights(spool.medium, name, self.say), threading.Event()
        ends: list[tuple[float, str, str]] = []

        def keep(flight: Flight) -> None:
            flights.keep(flight)
            ends.append((time.monotonic(), *flight.ended))
            over.set()

        self.said.clear()
        settler = Settler(spool, {ARCHIVE_AE: (name,)}, self.say)
        worker = Worker(
            spool, settings, settler, new_uid, say=self.say,
            record=lambda peer: Flight(str(peer), time.time(), time.monotonic(), keep),
        )  # fmt: skip
        stop = threading.Event()
        thread = threading.Thread(target=worker.run, args=(stop,))
        self.memory.begin()
        began = time.monotonic()
        thread.start()
        hung = not over.wait(HANG_S)
        while self.state(spool, uid)[0] in UNDER_WAY and time.monotonic() < began + HANG_S:
            time.sleep(0.005)
        growth = self.memory.growth_kib()
        stop.set()
        spool.wake()
        thread.join(HANG_S)
        state, reason = self.state(spool, uid)
        ended, code, text = ends[0] if ends else (time.monotonic(), "hang", "")
        words = [text, reason, *self.said]
        return {
            "hung": hung or thread.is_alive(), "code": code or code_in(reason), "words": "\n".join(words),
            "state": state, "uid": uid, "seconds": ended - began, "growth_kib": growth,
            "files": self.files(spool) - before,
        }  # fmt: skip

    def state(self, spool: Spool, uid: str) -> tuple[str, str]:
        (row,) = spool.rows(sop_instance_uid=uid)
        return row.state, row.reason

    def files(self, spool: Spool) -> int:
        """Count the instances on the medium."""
        return sum(1 for _ in Path(spool.medium.root, "INST").glob("*/*"))

    # --- another destination ------------------------------------------------------------------------

    def good(self, *, port: int, instances: int = INSTANCES) -> dict[str, Any]:
        """Prepare a destination that works, at ``port``, with so many instances for it."""
        self._beside = Beside(self.spool("beside"), self.capture, port, instances)
        return {}

    def alone(self) -> dict[str, Any]:
        """Deliver to the good destination; says how quickly."""
        assert self._beside is not None
        return {"rate": self._beside.run()}

    def beside(self, *, port: int, tls: bool, size: int, commit: bool, patient: bool = False) -> dict[str, Any]:
        """Begin with a bad destination and deliver to the good one meanwhile; ``leave`` ends it."""
        assert self._beside is not None
        self._rows += 1
        name = f"{PACS}{self._rows}"
        self._beside.begin(name, port, self.tls(tls), size=size, commit=commit, patient=patient)
        return {"rate": self._beside.run(), **self._beside.facts(name)}

    def leave(self) -> dict[str, Any]:
        """Stop delivering to the bad destination."""
        assert self._beside is not None
        self._beside.end()
        return {}

    # --- our listener ------------------------------------------------------------------------------

    def listen(self, *, tls: bool) -> dict[str, Any]:
        """Say where the listener is, and which instance and transaction a report may be about."""
        if tls not in self._listening:
            self._listening[tls] = Listening(self, tls=tls)
        found = self._listening[tls].await_report()
        self.memory.begin()
        return found

    def heard(self, *, tls: bool, uid: str) -> dict[str, Any]:
        """Wait until no call is under way, and say what became of it."""
        return self._listening[tls].heard(uid)


class Listening:
    """One listener with a spool whose instances wait for their reports."""

    def __init__(self, subject: Subject, *, tls: bool) -> None:
        self._subject = subject
        self._spool = subject.spool(f"in-{tls}")
        self._captured = 0
        settler = Settler(self._spool, {ARCHIVE_AE: (PACS,)}, subject.say)
        offers = {VERIFICATION: verification.OFFER, STORAGE_COMMITMENT: commitment.SCU_OFFER}

        def serve(call: Call) -> None:
            contexts = call.conversation.driver.association.contexts
            answer = settler.on_request(call.request.calling_ae, lambda number: contexts[number].transfer_syntax)
            serve_requests(call, answer, SHORT.idle_s)

        policy = acceptor_policy(offers, called_aes=[OUR_AE])
        self._listener = Listener(
            "127.0.0.1", 0, policy, serve, tls=subject.tls(tls), timeouts=SHORT, say=subject.said.append
        )
        self._knock, self._knocked = 0, threading.Event()
        self._admit, self._listener._admit = self._listener._admit, self._let_in  # type: ignore[method-assign]
        threading.Thread(target=self._listener.run, args=(threading.Event(),), daemon=True).start()

    def _wait_for_accept(self) -> None:
        """Wait until every connection so far is accepted, also one that was reset before: a last one queues behind."""
        with socket.socket() as last:
            last.bind(("127.0.0.1", 0))
            self._knocked.clear()
            self._knock = last.getsockname()[1]
            last.connect(("127.0.0.1", self._listener.port))
            assert self._knocked.wait(HANG_S)

    def _let_in(self, connection: socket.socket, address: str) -> None:
        with contextlib.suppress(OSError):
            if connection.getpeername()[1] == self._knock:
                connection.close()
                self._knocked.set()
                return
        self._admit(connection, address)

    def await_report(self) -> dict[str, Any]:
        """Store one more instance and ask for its commitment."""
        uid, transaction = self._subject.capture(self._spool, 300), new_uid()
        self._captured += 1
        (item,) = self._spool.claim(PACS, time.monotonic())
        self._spool.stored(item)
        self._spool.open_transaction(PACS, [item], transaction, time.monotonic() + 3600)
        self._subject.said.clear()
        return {"port": self._listener.port, "uid": uid, "transaction": transaction}

    def heard(self, uid: str) -> dict[str, Any]:
        """Wait until no call is under way, and say what became of it."""
        subject, ends, hung = self._subject, time.monotonic() + HANG_S, True
        self._wait_for_accept()
        while hung and time.monotonic() < ends:
            time.sleep(0.005)
            hung = bool(self._listener._threads)
        state, reason = subject.state(self._spool, uid)
        text = "\n".join([*subject.said, reason])
        files = subject.files(self._spool) - self._captured + 1
        return {
            "hung": hung, "code": code_in(text), "words": text, "state": state, "uid": uid,
            "growth_kib": subject.memory.growth_kib(), "files": files,
        }  # fmt: skip


def code_in(text: str) -> str:
    """Return the first error code that stands in square brackets."""
    codes = [part.partition("]")[0] for part in text.split("[")[1:]]
    return next((code for code in codes if code and not code.strip("abcdefghijklmnopqrstuvwxyz_.")), "")


def main() -> None:
    subject = Subject(Path(sys.argv[1]), Path(sys.argv[2]))
    orders: dict[str, Callable[..., dict[str, Any]]] = {
        "send": subject.send, "listen": subject.listen, "heard": subject.heard,
        "good": subject.good, "alone": subject.alone, "beside": subject.beside, "leave": subject.leave,
    }  # fmt: skip
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps(orders[order.pop("do")](**order)), flush=True)
    os._exit(0)  # whatever a row has left behind


if __name__ == "__main__":
    main()
