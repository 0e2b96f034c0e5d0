"""The agent's network side in one process: spool, worker, settler, listener and the bench archive, everything quick."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Any

from agent.acquire.identity import new_uid
from agent.app.archive import Archive, ArchiveSettings
from agent.dataset.dataset import DataSet
from agent.dataset.encode import encode
from agent.dataset.uid import EXPLICIT_VR_LE, SC, STORAGE_COMMITMENT, VERIFICATION
from agent.forward.flights import Flights, Records
from agent.forward.incoming import serve_reports
from agent.forward.policy import BackOff
from agent.forward.settings import Settings
from agent.forward.settle import Settler
from agent.forward.team import Helper, run_team
from agent.forward.worker import Worker
from agent.link.listener import Call, Listener
from agent.link.peer import Peer, Timeouts
from agent.media.part10 import FileMeta, encode_prefix
from agent.service import commitment, verification
from agent.service.proposal import acceptor_policy
from agent.spool.core import Destination
from agent.spool.quota import Policy
from agent.spool.store import Spool

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agent.link.tls import TlsSettings

QUICK = Timeouts(connect_s=1, associate_s=2, write_s=2, response_s=3, release_s=1, idle_s=5, artim_s=2)
END_S = 30.0  # a report that is lost on a busy machine is asked for again
HASTY: dict[str, Any] = {"back_off": BackOff(0.05, 0.2), "report_wait_s": 1.0, "idle_close_s": 0.2}


class Bench:
    """The agent's network side with everything quick, and threads that end with the test."""

    def __init__(self, folder: Path, policy: Policy | None = None) -> None:
        self.folder = folder
        self.stop = threading.Event()
        self.threads: list[threading.Thread] = []
        self.said: list[str] = []
        self.closing: list[Callable[[], None]] = []
        root = folder / "spool"
        root.mkdir(exist_ok=True)
        self.spool = Spool.open(str(root), destinations=[Destination("pacs")], policy=policy or Policy())
        self.settler = Settler(self.spool, {"ARCHIVE": ("pacs",)}, self.say)
        self.records = Records(
            lambda name: Flights(self.spool.medium, name, self.say),
            lambda title: self.settler.destinations.get(title, ()),
        )
        self.worker: Worker | None = None

    def say(self, _level: str, text: str) -> None:
        self.said.append(text)

    def thread(self, work: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=work, args=args)
        self.threads.append(thread)
        thread.start()

    def archive(self, port: int = 0, **settings: Any) -> Archive:
        archive = Archive(
            ArchiveSettings(str(self.folder / "archive"), "ARCHIVE", port=port, timeouts=QUICK, **settings),
            say=self.said.append,
        )
        self.thread(archive.run, self.stop)
        return archive

    def listen(self, port: int = 0, tls: TlsSettings | None = None) -> int:
        offers = {VERIFICATION: verification.OFFER, STORAGE_COMMITMENT: commitment.SCU_OFFER}

        def serve(call: Call) -> None:
            serve_reports(call, self.settler)

        listener = Listener(
            "127.0.0.1",
            port,
            acceptor_policy(offers, called_aes=["AGENT"]),
            serve,
            tls=tls,
            timeouts=QUICK,
            say=self.said.append,
            record=self.records.incoming,
        )
        self.thread(listener.run, self.stop)
        return listener.port

    def work(
        self, port: int, timeouts: Timeouts = QUICK, called_ae: str = "ARCHIVE", operations: int = 1, **settings: Any
    ) -> Worker:
        peer = Peer(called_ae, "127.0.0.1", port, "AGENT", timeouts=timeouts, operations=operations)
        how = Settings("pacs", peer, **{**HASTY, **settings})
        record = self.records.of("pacs").begin
        self.worker = Worker(self.spool, how, self.settler, new_uid, say=self.say, record=record)
        helpers = []
        for number in range(2, how.associations + 1):
            helpers.append(Helper(self.spool, how, self.settler, new_uid, say=self.say, record=record))
            helpers[-1].help(self.worker, number)
        if helpers:
            self.thread(run_team, self.worker, helpers, self.stop, self.spool.wake)
        else:
            self.thread(self.worker.run, self.stop)
        return self.worker

    def capture(self, count: int = 3, size: int = 5000, uid: str = "", sop_class: str = SC) -> list[str]:
        """Put instances into the spool; returns their SOP Instance UIDs."""
        uids = []
        for _ in range(count):
            uids.append(uid or new_uid())
            data = DataSet({"SOPClassUID": sop_class, "SOPInstanceUID": uids[-1]})
            data["StudyInstanceUID"], data["SeriesInstanceUID"] = new_uid(), new_uid()
            data["PatientName"] = "A^B"
            data.set(0x7FE00010, os.urandom(size), "OB")
            path = self.folder / "capture"
            meta = FileMeta(sop_class, uids[-1], EXPLICIT_VR_LE)
            path.write_bytes(encode_prefix(meta) + encode(data, EXPLICIT_VR_LE))
            self.spool.import_file(str(path))
        self.spool.wake()
        return uids

    def states(self) -> dict[str, int]:
        return {word: count for word, count in self.spool.counts()["pacs"].items() if count}

    def until(self, **wanted: int) -> None:
        """Wait until the deliveries are in these states."""
        deadline = time.monotonic() + END_S
        while self.states() != wanted:
            assert time.monotonic() < deadline, (self.states(), wanted, self.said)
            time.sleep(0.02)

    def close(self) -> None:
        self.stop.set()
        self.spool.wake()
        for thread in self.threads:
            thread.join(10)
        for close in self.closing:
            close()
        assert not [thread for thread in self.threads if thread.is_alive()]
        self.spool.close()
