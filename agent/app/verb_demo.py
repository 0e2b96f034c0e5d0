"""``demo``: the whole way once, with proof.

Makes a bench CA, starts an archive and an agent (mutual TLS, Storage Commitment), lets the agent capture one ultrasound
clip and one 16-bit X-ray image, cuts the link once while the clip is on its way, waits until everything is committed,
decodes what the archive has and compares every frame with what the source delivered. Exit status 0 only if all of it
is true. Each run starts from an empty folder.
"""

from __future__ import annotations

import os
import signal
import sys
import time

from agent.app.cli import print_json
from agent.app.term import Progress, clock_text, count_text, paint, size_text, table
from agent.config.source import parse_source
from agent.errors import FileError, NotDelivered, UsageError
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from agent.app.bench_site import BenchSite
    from agent.app.options import Arguments, Parser
    from agent.app.proof import Proof
    from agent.spool.receipt import Receipt

CLIP_S: Final = 10.0
MAX_CLIP_S: Final = 60.0
RATE_HZ: Final = 30
# Spool and archive each keep the clip, RLE makes half of it.
ROOM: Final = 1.3
# Long enough for a slow machine, short enough for an impatient person.
LIMIT_S: Final = 90.0
_POLL_S: Final = 0.1
# The cut comes when so much has been sent beyond the size of the X-ray image: in the middle of whatever comes second.
CUT_AFTER_BYTES: Final = 4 << 20
CUT_FRACTION: Final = 1 / 8  # of a small clip; RLE makes about half of it
XRAY_SIDE: Final = 2048
XRAY_BYTES: Final = XRAY_SIDE * XRAY_SIDE * 2


def arguments(parser: Parser) -> None:
    """Declare the options."""
    parser.add("--output", default="demo-out", metavar="FOLDER", help="where everything goes (demo-out)")
    parser.add("--seconds", read=float, default=CLIP_S, metavar="S", help=f"length of the clip ({CLIP_S:g})")
    parser.add("--rows", read=int, default=768, metavar="N", help="rows of the clip (768)")
    parser.add("--columns", read=int, default=1024, metavar="N", help="columns of the clip (1024)")
    parser.add("--json", switch=True, help="print the result as JSON")


def run(args: Arguments) -> int:
    """Show it; raises ``NotDelivered`` when anything is not as promised."""
    from agent.app.bench_site import BenchSite

    began = time.monotonic()
    _check(args)
    progress = Progress()
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))  # so that the site is taken down
    progress.say(f"making a bench CA and keys, starting archive and agent in {os.path.abspath(args.output)}")
    with BenchSite(args.output, _sources(args)) as site:
        _arm(site, args)
        story = _Story(site, progress, args.seconds, args.rows * args.columns * 3)
        status = story.watch()
        stopped = site.agent.stop()
    progress.say("agent stopped; reading back what the archive has")
    result = _judge(site, story, status, progress)
    result["seconds"] = round(time.monotonic() - began, 1)
    result["disk_bytes"] = _disk_bytes(site.folder)
    if stopped:
        result["faults"].append(f"the agent ended with status {stopped}")
    result["ok"] = not result["faults"]
    if args.json:
        print_json(result)
    else:
        _print(result)
    if result["faults"]:
        busy = any("frames were dropped" in fault for fault in result["faults"])
        why = "This machine had no time for every frame: run it again while nothing else does. " if busy else ""
        raise NotDelivered(f"the demo failed: {result['faults'][0]}", hint=f"{why}Everything is kept in {site.folder}.")
    return 0


def _check(args: Arguments) -> None:
    """Refuse what cannot work before anything is said or started; empties the folder of the run before."""
    from agent.app.bench_site import prepare_folder

    if not 1.0 <= args.seconds <= MAX_CLIP_S:
        raise UsageError(f"--seconds must be from 1 to {MAX_CLIP_S:g}")
    for source in _sources(args):
        try:
            parse_source(source["uri"])
        except ValueError as error:
            raise UsageError(f"--rows, --columns: {error}") from None
    needed = int(_clip_bytes(args) * ROOM)
    folder = os.path.dirname(os.path.abspath(args.output))
    if not os.path.isdir(folder):
        raise FileError(f"{folder}: no such folder")
    prepare_folder(args.output)
    found = os.statvfs(folder)
    free = found.f_bavail * found.f_frsize
    if free < needed:
        raise FileError(
            f"{folder} has {size_text(free)} free, the demo needs {size_text(needed)}",
            hint="Use --output on another medium, or a shorter clip with --seconds.",
        )


def _clip_bytes(args: Arguments) -> float:
    native: float = args.seconds * RATE_HZ * args.rows * args.columns * 3
    return native


def _arm(site: BenchSite, args: Arguments) -> None:
    assert site.proxy is not None
    site.proxy.arm(XRAY_BYTES + min(CUT_AFTER_BYTES, int(_clip_bytes(args) * CUT_FRACTION)))


def _sources(args: Arguments) -> list[dict[str, Any]]:
    """One clip and one X-ray image, each once, right after start."""
    once = {"every_s": 3600.0, "captures": 1}
    clip = f"pattern:us-rgb?rows={args.rows}&columns={args.columns}&rate_hz={RATE_HZ}"
    return [
        {"name": "panel", "uri": f"pattern:dx16?rows={XRAY_SIDE}&columns={XRAY_SIDE}", "sop_class": "dx", **once},
        {"name": "probe", "uri": clip, "sop_class": "us-mf", "transfer_syntax": "rle", "clip_s": args.seconds, **once},
    ]


class _Story:
    """Watches the agent until everything is committed, cuts the link on the way, and says what happens."""

    def __init__(self, site: BenchSite, progress: Progress, clip_s: float, frame_bytes: int) -> None:
        self._site = site
        self._progress = progress
        self._clip_s = clip_s
        self.frame_bytes = frame_bytes
        self._began = time.monotonic()
        self._told: set[str] = set()
        self.cut_at: float | None = None

    def watch(self) -> dict[str, Any]:
        """Return the last status of the agent, once both instances are committed."""
        while True:
            time.sleep(_POLL_S)
            if not self._site.agent.running():
                raise NotDelivered(
                    f"the agent ended: {self._site.agent.last_words()}", hint=f"See {self._site.agent.log}."
                )
            status = self._site.status()
            if status is None:
                continue
            counts = status["queue"].get("archive", {})
            self._refuse_failed_capture(status)
            self._note_cut()
            self._tell(status, counts)
            if counts.get("committed", 0) == 2:
                self._progress.clear()
                return status
            if time.monotonic() - self._began > LIMIT_S:
                raise NotDelivered(
                    f"not committed within {LIMIT_S:g} s: {counts}", hint=f"See {self._site.folder}/*.log."
                )

    def _refuse_failed_capture(self, status: dict[str, Any]) -> None:
        for name, role in status["roles"].items():
            if name.startswith("from ") and role["failures"]:
                raise NotDelivered(f"capture failed: {role['last_error']}", hint=f"See {self._site.agent.log}.")

    def _note_cut(self) -> None:
        proxy = self._site.proxy
        assert proxy is not None
        if proxy.cuts and self.cut_at is None:
            self.cut_at = time.time()

    def _tell(self, status: dict[str, Any], counts: dict[str, int]) -> None:
        proxy = self._site.proxy
        assert proxy is not None
        sources = status["sources"]
        if sources["panel"]["captures"]:
            self._once(f"X-ray image captured: {XRAY_SIDE} x {XRAY_SIDE}, 16 bits, durable on local media")
        if sources["probe"]["captures"]:
            probe = sources["probe"]
            self._once(f"clip captured: {probe['frames']} frames, {probe['dropped']} dropped, durable on local media")
        if self.cut_at is not None:
            self._once("link cut in mid-transfer; the agent tries again by itself")
        words = ", ".join(f"{count} {state}" for state, count in sorted(counts.items())) or "nothing queued"
        elapsed = time.monotonic() - self._began
        what = (
            f"capturing {min(elapsed, self._clip_s):.1f} of {self._clip_s:g} s" if sources["probe"]["recording"] else ""
        )
        self._progress.update(f"{elapsed:5.1f} s  {what}  {words}, {size_text(proxy.carried)} sent".replace("  ,", " "))

    def _once(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._progress.say(text)


def _judge(site: BenchSite, story: _Story, status: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Compare receipts, frame log and received files; every fault is one sentence."""
    from agent.acquire.frame_log import read_frame_log
    from agent.app.picture_file import sheet
    from agent.app.proof import PER_LINE, THUMB_COLUMNS, THUMB_ROWS, prove, received_files
    from agent.native.source import DEFAULT_SLOTS
    from agent.spool.view import SpoolView

    digests = read_frame_log(site.frame_log)
    files = received_files(site.received)
    faults: list[str] = []
    pictures: list[bytes] = []
    proofs: list[tuple[Receipt, Proof]] = []
    with SpoolView.open(site.spool) as view:
        faults += view.verify().faults
        receipts = [view.receipt(uid) for uid in digests]
    for receipt in sorted(receipts, key=lambda one: one.captured_at if one else 0.0):
        if receipt is None:
            faults.append("an instance of the frame log is not in the spool")
            continue
        uid = receipt.sop_instance_uid
        faults += [f"{uid}: {text}" for text in _custody_faults(receipt)]
        if uid not in files:
            faults.append(f"{uid} is not at the archive")
            continue
        proof = prove(
            files[uid],
            uid,
            digests[uid],
            pictures,
            lambda done: progress.update(f"compared {count_text(done, 'frame')}"),
        )
        faults += [f"{uid}: {text}" for text in proof.faults]
        proofs.append((receipt, proof))
    progress.clear()
    faults += _count_faults(site, story, proofs, len(files))
    picture = os.path.join(site.folder, "contact-sheet.png")
    if pictures:
        with open(picture, "wb") as file:
            file.write(sheet(pictures, THUMB_ROWS, THUMB_COLUMNS, PER_LINE))
    return {
        "ok": False,
        "faults": faults,
        "folder": site.folder,
        "instances": [_row(receipt, proof) for receipt, proof in proofs],
        "dropped": sum(source["dropped"] for source in status["sources"].values()),
        "link_cuts": 0 if site.proxy is None else site.proxy.cuts,
        "link_cut_at": story.cut_at,
        "agent_peak_kib": status["memory"]["peak_kib"],
        "agent_rss_kib": status["memory"]["rss_kib"],
        "ring_kib": (story.frame_bytes * DEFAULT_SLOTS) >> 10,
        "contact_sheet": picture if pictures else None,
    }


def _disk_bytes(folder: str) -> int:
    """Return what the files below ``folder`` take on the medium."""
    return sum(
        os.lstat(os.path.join(place, name)).st_blocks * 512 for place, _, names in os.walk(folder) for name in names
    )


def _custody_faults(receipt: Receipt) -> list[str]:
    open_ = [custody for custody in receipt.deliveries if custody.state != "committed"]
    lossy = [event for event in receipt.events if event.kind == "durable" and event.detail.get("dropped") != "0"]
    return [f"is {custody.state} at {custody.destination}" for custody in open_] + [
        f"{event.detail.get('dropped')} frames were dropped" for event in lossy
    ]


def _count_faults(site: BenchSite, story: _Story, proofs: list[tuple[Receipt, Proof]], files: int) -> list[str]:
    faults = []
    if len(proofs) != 2 or files != 2:
        faults.append(f"{len(proofs)} instances were captured and {files} received; both must be 2")
    if story.cut_at is None or site.proxy is None or site.proxy.cuts != 1:
        faults.append("the link was not cut in mid-transfer")
    elif not any(custody.attempt > 1 for receipt, _ in proofs for custody in receipt.deliveries):
        faults.append("the cut made no instance travel twice")
    return faults


def _row(receipt: Receipt, proof: Proof) -> dict[str, Any]:
    custody = receipt.deliveries[0]
    sent = (custody.answered_at or 0.0) - (custody.sent_at or 0.0)
    return {
        "sop_instance_uid": receipt.sop_instance_uid,
        "source": receipt.source,
        "frames": proof.frames,
        "frames_identical": proof.identical,
        "numbers": [proof.first_mark, proof.last_mark],
        "size": receipt.size,
        "attempts": custody.attempt,
        "captured_at": receipt.captured_at,
        "durable_at": receipt.durable_at,
        "stored_at": custody.answered_at,
        "committed_at": custody.committed_at,
        "file_sha256": receipt.file_sha256,
        "data_set_sha256": receipt.data_set_sha256,
        "transaction_uid": custody.transaction_uid,
        "mib_per_s": round(receipt.size / sent / 2**20, 1) if sent > 0 else None,
        "received_file": proof.path,
    }


def _print(result: dict[str, Any]) -> None:
    headers = (
        "source",
        "frames",
        "same",
        "size",
        "captured",
        "durable",
        "stored",
        "committed",
        "tries",
        "data set sha-256",
    )
    rows = [
        (
            row["source"],
            str(row["frames"]),
            str(row["frames_identical"]),
            size_text(row["size"]),
            clock_text(row["captured_at"]),
            clock_text(row["durable_at"]),
            clock_text(row["stored_at"]),
            clock_text(row["committed_at"]),
            str(row["attempts"]),
            row["data_set_sha256"][:16],
        )
        for row in result["instances"]
    ]
    lines = table(headers, rows, right=(1, 2, 3, 8))
    print(paint(lines[0], "bold"))
    print("\n".join(lines[1:]))
    for row in result["instances"]:
        print(f"{row['source']:<12} {row['sop_instance_uid']}")
        print(f"{'':<12} {row['received_file']}")
    rates = ", ".join(f"{row['source']} {row['mib_per_s']} MiB/s" for row in result["instances"] if row["mib_per_s"])
    print(f"throughput   {rates} (mutual TLS, synced before answered)")
    print(f"drops        {result['dropped']}")
    print(f"link cut     {count_text(result['link_cuts'], 'time')}, at {clock_text(result['link_cut_at'])}")
    peak, ring = result["agent_peak_kib"] / 1024, result["ring_kib"] / 1024
    print(f"agent        peak memory {peak:.1f} MiB, {ring:.1f} of it the frame ring")
    print(f"pictures     {result['contact_sheet']}")
    print(f"time         {result['seconds']} s")
    print(f"disk         {size_text(result['disk_bytes'])} in {result['folder']}; it may be deleted")
    for fault in result["faults"]:
        print(paint(f"FAULT        {fault}", "red"))
    if result["ok"]:
        print(
            paint(
                "everything captured is committed, and every frame at the archive is what the source delivered", "green"
            )
        )
