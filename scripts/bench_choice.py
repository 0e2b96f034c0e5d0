"""The choice of a transfer syntax: what ``auto`` takes beside every fixed choice, on lines of different speed.

Clips stored uncompressed go through the spool and a worker, in this process, to a DCMTK storescp that takes everything,
over a loopback proxy with the rate of the line. Seconds are from the worker's start, knowing nothing, to the last
answer, so that ``auto`` pays for what it has to learn. Modes take turns within a round, and ratios are taken per round,
because other load on the machine moves all of a round together; "by receipts" is the same ratio of the seconds on the
line and on a core, which waiting for a core does not touch. The bar: ``auto`` takes at most 1.1 times what the best
fixed choice takes.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import pydicom
from bench_lib import OUT, median, print_table
from fakes.peers import start_storescp
from fakes.slow_proxy import SlowProxy

from agent.acquire.identity import new_uid
from agent.app.cli import main as agent_main
from agent.config.words import transfer_syntax_uid, transfer_syntax_word
from agent.forward.settings import Settings
from agent.forward.settle import Settler
from agent.forward.worker import Worker
from agent.link.peer import Peer
from agent.spool.core import Destination
from agent.spool.receipt import Reader
from agent.spool.store import Spool

if TYPE_CHECKING:
    from collections.abc import Iterator

BAR: Final = 1.1
MODES: Final = ("as-stored", "rle", "jpeg-lossless", "jpeg-ls", "auto")
FIXED: Final = MODES[:-1]
SOURCE: Final = "pattern:us-rgb?rows=240&columns=320&rate_hz=0"
FRAMES: Final = 10


class Line(NamedTuple):
    """A speed and how many clips show it; no rate: the loopback itself."""

    name: str
    bytes_per_s: float | None
    clips: int


class Run(NamedTuple):
    """One mode on one line: seconds, those of them on the line or on a core, and what the clips went as."""

    seconds: float
    used_s: float
    sent_as: Counter[str]


def lines(*, quick: bool) -> list[Line]:
    scale = 3 if quick else 1
    return [Line("10 Mbit/s", 1.25e6, 36 // scale), Line("100 Mbit/s", 12.5e6, 120 // scale),
            Line("loopback", None, 240 // scale)]  # fmt: skip


def main(rounds: int, *, quick: bool) -> int:
    with tempfile.TemporaryDirectory(prefix="bench-choice-") as scratch:
        folder = Path(scratch)
        clip = _clip(folder)
        peer = start_storescp(folder / "unused", "+xa", log=folder / "storescp.log", store=False)
        with peer.process:
            results = {line.name: _line(line, clip, peer.port, folder, rounds) for line in lines(quick=quick)}
    return _report(results)


def _clip(folder: Path) -> Path:
    path = folder / "clip.dcm"
    if agent_main(["capture", "--source", SOURCE, "--frames", str(FRAMES), "--sop-class", "us-mf", "-o", str(path)]):
        raise SystemExit("bench: no clip could be captured")
    return path


def _line(line: Line, clip: Path, port: int, folder: Path, rounds: int) -> dict[str, list[Run]]:
    runs: dict[str, list[Run]] = {mode: [] for mode in MODES}
    for number in range(rounds):
        for mode in (*MODES[number % len(MODES) :], *MODES[: number % len(MODES)]):
            root = folder / f"{line.name.replace('/', ' ')}-{mode}-{number}"
            with _way(line, port) as used:
                run = _deliver(root, clip, line.clips, mode, used)
            runs[mode].append(run)
            print(f"{line.name}, {mode}: {run.seconds:.2f} s, {_words(run.sent_as)}", flush=True)
    return runs


@contextlib.contextmanager
def _way(line: Line, port: int) -> Iterator[int]:
    if line.bytes_per_s is None:
        yield port
        return
    with SlowProxy(("127.0.0.1", port), line.bytes_per_s) as proxy:
        yield proxy.port


def _deliver(root: Path, clip: Path, count: int, mode: str, port: int) -> Run:
    """Queue copies of the clip under UIDs of their own, then let a new worker send them."""
    root.mkdir()
    found = pydicom.dcmread(clip)
    with Spool.open(str(root), destinations=[Destination("pacs", commitment=False)]) as spool:
        for _ in range(count):
            found.SOPInstanceUID = found.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.UID(new_uid())
            found.save_as(root / "next", enforce_file_format=True)
            spool.import_file(str(root / "next"))
        settings = Settings("pacs", Peer("ANY", "127.0.0.1", port), commitment=False, idle_close_s=0.0,
                            transfer_syntax=transfer_syntax_uid(mode))  # fmt: skip
        worker = Worker(spool, settings, Settler(spool, {}, lambda _level, _text: None), new_uid)
        stop = threading.Event()
        thread = threading.Thread(target=worker.run, args=(stop,))
        started = time.monotonic()
        thread.start()
        while spool.counts()["pacs"] != {"stored": count}:
            if not thread.is_alive():
                raise SystemExit("bench: the worker ended")
            time.sleep(0.01)
        seconds = time.monotonic() - started
        stop.set()
        spool.wake()
        thread.join()
        answers = [told.detail for told in Reader(spool.ledger.read).sent("pacs", count)]
    used_s = sum(float(detail["link_s"]) + float(detail.get("work_s", 0)) for detail in answers)
    sent = Counter(transfer_syntax_word(detail["sent_as"]) for detail in answers)
    return Run(seconds, used_s, sent)


def _report(results: dict[str, dict[str, list[Run]]]) -> int:
    rows, failed = [], []
    for name, runs in results.items():
        taken = {mode: median([run.seconds for run in runs[mode]]) for mode in MODES}
        best = min(FIXED, key=lambda mode: taken[mode])
        ratio = median([auto.seconds / fixed.seconds for auto, fixed in zip(runs["auto"], runs[best], strict=True)])
        used = median([auto.used_s / fixed.used_s for auto, fixed in zip(runs["auto"], runs[best], strict=True)])
        rows.append([name, *(f"{taken[mode]:.2f}" for mode in MODES), best, f"{ratio:.2f}", f"{used:.2f}",
                     _words(runs["auto"][-1].sent_as)])  # fmt: skip
        if ratio > BAR:
            failed.append(f"{name}: auto takes {ratio:.2f} times what {best} takes, at most {BAR} is allowed")
    print_table(["line", *(f"{mode}, s" for mode in MODES), "best", "auto/best", "by receipts", "auto sent"], rows)
    OUT.mkdir(exist_ok=True)
    facts = {name: {mode: [run.seconds for run in runs[mode]] for mode in MODES} for name, runs in results.items()}
    (OUT / "choice.json").write_text(json.dumps(facts, indent=1) + "\n")
    for text in failed:
        print(f"MISSED {text}")
    return 1 if failed else 0


def _words(sent: Counter[str]) -> str:
    return ", ".join(f"{count} {word}" for word, count in sent.most_common())
