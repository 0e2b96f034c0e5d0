"""The bandwidth limit: what ``send --bandwidth`` brings onto the line, counted there, beside what was asked for.

A relay on loopback in front of a DCMTK storescp notes when how many bytes came. The rate is that of all bytes behind
the first tenth of a second, which may be a burst; "seconds" is the span of the rates of each whole second. The bar: the
rate is within 3 % of the limit.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Final

from bench_lib import OUT, print_table
from fakes.peers import start_storescp

from agent.acquire.identity import new_uid
from agent.config.words import bits_per_s
from agent.dataset.dataset import DataSet
from agent.dataset.encode import encode
from agent.dataset.uid import EXPLICIT_VR_LE, SC
from agent.link.pace import BURST_S
from agent.media.part10 import FileMeta, encode_prefix

BAR: Final = 0.03
SECONDS: Final = 6.0
HEADS_BYTES: Final = 1000  # a read of less is a command or a release
# rate, bytes of each instance, associations
CASES: Final = (("256 kbit/s", 60_000, 1), ("8 Mbit/s", 20_000, 1), ("8 Mbit/s", 2_000_000, 1),
    ("8 Mbit/s", 500_000, 4), ("200 Mbit/s", 20_000_000, 1))  # fmt: skip


class Relay:
    """Passes connections on to ``port`` and notes what comes from the requestor."""

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.seen: list[tuple[float, int]] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._target)
                for source, sink, counted in ((near, far, True), (far, near, False)):
                    sink.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    threading.Thread(
                        target=self._pass, args=(source, sink), kwargs={"counted": counted}, daemon=True
                    ).start()

    def _pass(self, source: socket.socket, sink: socket.socket, *, counted: bool) -> None:
        with contextlib.suppress(OSError):
            while data := self._read(source):
                if counted:
                    self.seen.append((time.monotonic(), len(data)))
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    @staticmethod
    def _read(source: socket.socket) -> bytes:
        source.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)  # the relay must not stall what we do not
        return source.recv(1 << 18)

    def close(self) -> None:
        self._listener.close()


def main(_rounds: int, *, quick: bool) -> int:
    seconds = SECONDS / 2 if quick else SECONDS
    rows: list[tuple[str, ...]] = []
    facts: list[dict[str, object]] = []
    good = True
    with tempfile.TemporaryDirectory(prefix="bench-pace-") as scratch:
        folder = Path(scratch)
        peer = start_storescp(folder / "unused", "--fork", log=folder / "storescp.log", store=False)
        with peer.process:
            for rate, size, parallel in CASES:
                measured = _measure(folder, peer.port, rate, size, parallel, seconds)
                good = good and abs(measured["ratio"] - 1) <= BAR
                facts.append({"rate": rate, "bytes": size, "associations": parallel, **measured})
                rows.append((rate, f"{size / 1e3:.0f} kB", str(parallel), f"{measured['ratio']:.3f}",
                             f"{measured['slowest']:.3f} to {measured['fastest']:.3f}"))  # fmt: skip
    print_table(("limit", "instances of", "associations", "measured / limit", "each second"), rows)
    OUT.mkdir(exist_ok=True)
    (OUT / "pace.json").write_text(json.dumps(facts, indent=1))
    return int(not good)


def _measure(folder: Path, port: int, rate: str, size: int, parallel: int, seconds: float) -> dict[str, float]:
    limit = bits_per_s(rate) / 8
    files = folder / f"{rate.replace('/', '')}-{size}-{parallel}"
    files.mkdir()
    for _ in range(max(parallel, int(limit * seconds / size))):
        uid = new_uid()
        data = DataSet({"SOPClassUID": SC, "SOPInstanceUID": uid, "StudyInstanceUID": uid, "SeriesInstanceUID": uid})
        data.set(0x7FE00010, os.urandom(size), "OB")
        (files / uid[-20:]).write_bytes(encode_prefix(FileMeta(SC, uid, EXPLICIT_VR_LE)) + encode(data, EXPLICIT_VR_LE))
    relay = Relay(port)
    command = [sys.executable, "-m", "agent", "send", "--to", f"ANY@127.0.0.1:{relay.port}", "--bandwidth", rate,
               "--parallel", str(parallel), str(files)]  # fmt: skip
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    relay.close()
    began = relay.seen[0][0]
    later = [(at - began - BURST_S, count) for at, count in sorted(relay.seen) if at > began + BURST_S]
    ends = max(at for at, count in later if count > HEADS_BYTES)  # behind it only the release
    each = [sum(count for at, count in later if second <= at < second + 1) / limit for second in range(int(ends))]
    ratio = sum(count for at, count in later if at < ends) / ends / limit
    return {"ratio": round(ratio, 4), "slowest": round(min(each), 4), "fastest": round(max(each), 4)}
