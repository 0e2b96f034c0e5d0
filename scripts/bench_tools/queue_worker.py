"""One measured task of ``scripts/bench queue``: prints its result as JSON.

queue_worker.py seal SPOOL GROUP FILE...   captures the files, GROUP at a time; seconds from the first to the last
queue_worker.py open SPOOL                 seconds until a spool is open, and the memory it took
queue_worker.py costs SPOOL COUNT          microseconds of each call of a running agent, COUNT times
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from typing import TYPE_CHECKING, Any

from agent.errors import AgentError
from agent.media.part10 import PREFIX_LIMIT_BYTES, decode_prefix
from agent.spool.core import Destination
from agent.spool.draft import InstanceRecord
from agent.spool.quota import Policy
from agent.spool.store import Spool, prepare

if TYPE_CHECKING:
    from collections.abc import Callable

PACS = Destination("pacs")


def rss_kib() -> int:
    with open("/proc/self/status") as rows:
        return next(int(row.split()[1]) for row in rows if row.startswith("VmRSS:"))


def record_of(data: bytes) -> InstanceRecord:
    meta, _ = decode_prefix(data[:PREFIX_LIMIT_BYTES])
    return InstanceRecord(meta.sop_instance_uid, meta.sop_class_uid, meta.transfer_syntax_uid, source="bench")


def seal(root: str, group: int, paths: list[str]) -> dict[str, Any]:
    """Capture what is in memory already; drafts are begun group by group, as a burst would."""
    found = []
    for path in paths:
        with open(path, "rb") as file:
            data = file.read()
        found.append((data, record_of(data)))
    prepare(root)
    with Spool.open(root, destinations=[PACS]) as spool:
        begun, cpu = time.monotonic(), time.process_time()
        for first in range(0, len(found), group):
            drafts = []
            for data, told in found[first : first + group]:
                draft = spool.draft(len(data))
                draft.write(data)
                drafts.append((draft, told))
            for end in spool.groups.seal_all(drafts):
                if isinstance(end, AgentError):
                    raise end
        return {"seconds": time.monotonic() - begun, "cpu_s": time.process_time() - cpu}


def opened(root: str) -> dict[str, Any]:
    before, begun = rss_kib(), time.monotonic()
    with Spool.open(root, destinations=[PACS]) as spool:
        took = time.monotonic() - begun
        lives = spool.reader.lives()
        return {"seconds": took, "more_kib": rss_kib() - before, "live": lives.get("live", 0), "adopted":
                spool.report.adopted, "alarm": spool.report.alarm}  # fmt: skip


def costs(root: str, count: int) -> dict[str, float]:
    """Median microseconds of each call; enqueue and claim are durable when they return."""
    with Spool.open(root, destinations=[PACS], policy=Policy(evict_after_s=0.0)) as spool:
        number, last = 0, f"{spool.reader.head()[0]}"

        def enqueue() -> None:
            nonlocal number
            number += 1
            data = _instance(f"1.2.826.0.1.3680043.2.1143.7.{last}.{number}")
            with spool.draft(len(data)) as draft:
                draft.write(data)
                draft.seal(record_of(data))

        def middle() -> None:
            spool.rows(after=(int(last) // 6, None))

        calls: dict[str, Callable[[], Any]] = {
            "enqueue": enqueue,
            "claim": lambda: spool.claim(PACS.name, spool.clock.monotonic(), 1),
            "status": lambda: (spool.counts(), spool.reader.lives()),
            "queue list, first page": spool.rows,
            "queue list, in the middle": middle,
            "queue list, held": lambda: spool.rows(state="held"),
            "evict": spool.evict,
        }
        times: dict[str, list[float]] = {name: [] for name in calls}
        for _ in range(count):
            for name, call in calls.items():
                begun = time.perf_counter()
                call()
                times[name].append(1e6 * (time.perf_counter() - begun))
        return {name: statistics.median(found) for name, found in times.items()}


def _instance(uid: str) -> bytes:
    from agent.dataset.dataset import DataSet
    from agent.dataset.encode import encode
    from agent.dataset.uid import EXPLICIT_VR_LE, SC
    from agent.media.part10 import FileMeta, encode_prefix

    data = DataSet({"SOPClassUID": SC, "SOPInstanceUID": uid, "StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2"})
    data.set(0x7FE00010, bytes(512), "OB")
    return encode_prefix(FileMeta(SC, uid, EXPLICIT_VR_LE)) + encode(data, EXPLICIT_VR_LE)


def main(what: str, *rest: str) -> None:
    if what == "seal":
        print(json.dumps(seal(rest[0], int(rest[1]), list(rest[2:]))))
    elif what == "open":
        print(json.dumps(opened(rest[0])))
    else:
        print(json.dumps(costs(rest[0], int(rest[1]))))


if __name__ == "__main__":
    main(*sys.argv[1:])
