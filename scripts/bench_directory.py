"""The DICOMDIR of a spool: what the first one costs, what one more instance costs, and how much memory it takes.

Each number of instances is a spool of its own on the disk of the machine, whose files differ: 20 instances a series, 5
series a study, 2 studies a patient, without pixels. Every directory is made by a process of its own, as beside a
running agent, but without rests and at normal priority: processor time, and the peak of its memory. DCMTK's dcmmkdir
makes one of the same files, up to ``PEER_MAX`` of them.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

from bench_lib import OUT, Usage, measure, median
from fakes.peers import find_program

from agent.dataset.dataset import DataSet
from agent.dataset.uid import EXPLICIT_VR_LE, US
from agent.media.instance import encode_instance
from agent.media.part10 import FileMeta
from agent.spool.names import file_path

NUMBERS = (1_000, 10_000, 100_000)
QUICK = (1_000,)
PEER_MAX = 10_000
ONE_MORE_LIMIT_S = 2.0  # of 100,000: a card that is pulled waits no longer for its last image
PEAK_LIMIT_MIB = 32.0  # whatever the number
_CHILD = """
import sys
from agent.spool.durable import Medium
from agent.spool.file_set import refresh
count = int(sys.argv[2])
done = refresh(Medium(sys.argv[1]), lambda a, n: list(range(a + 1, min(a + n, count) + 1)), "BENCH", lambda: "2.25.1")
assert done.listed == count, done
"""


def fill(root: Path, count: int) -> None:
    for number in range(1, count + 1):
        dataset = DataSet({
            "SOPClassUID": US, "SOPInstanceUID": f"2.25.{10**30 + number}", "PatientID": f"P{number // 200}",
            "PatientName": f"DOE^J{number // 200}", "StudyInstanceUID": f"2.25.{10**31 + number // 100}",
            "SeriesInstanceUID": f"2.25.{10**32 + number // 20}", "StudyID": "S", "StudyDate": "20260301",
            "StudyTime": "1015", "AccessionNumber": f"A{number // 100}", "SeriesNumber": number // 20 % 5,
            "InstanceNumber": number % 20, "Modality": "US",
        })  # fmt: skip
        meta = FileMeta(US, dataset.text("SOPInstanceUID"), EXPLICIT_VR_LE)
        path = file_path(str(root), number)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(b"".join(encode_instance(meta, dataset)))


def ours(root: Path, count: int) -> Usage:
    """Bring the directory of a spool up to date, in a process of its own."""
    return measure([sys.executable, "-c", _CHILD, str(root), str(count)])


def measure_all(count: int, rounds: int, scratch: Path) -> dict[str, list[Usage]]:
    root = scratch / str(count)
    fill(root, count + rounds)
    found: dict[str, list[Usage]] = {"first": [], "one more": [], "dcmmkdir": []}
    peer = find_program("dcmmkdir")
    for turn in range(rounds):
        for name in ("records.db", "records.db-wal", "records.db-shm", "DICOMDIR"):
            (root / name).unlink(missing_ok=True)
        found["first"].append(ours(root, count + turn))
        found["one more"].append(ours(root, count + turn + 1))
        if peer is not None and count <= PEER_MAX:
            found["dcmmkdir"].append(
                measure([peer, "-q", "+r", "+id", str(root), "+D", str(scratch / "theirs"), "INST"])
            )
            (scratch / "theirs").unlink()
    shutil.rmtree(root)
    return found


def show(count: int, found: dict[str, list[Usage]]) -> int:
    missed = 0
    for name, costs in found.items():
        if not costs:
            continue
        cpu, wall = median([cost.cpu_s for cost in costs]), median([cost.wall_s for cost in costs])
        peak = median([cost.peak_kib / 1024 for cost in costs])
        theirs = name == "dcmmkdir"
        over = not theirs and (peak > PEAK_LIMIT_MIB or (name == "one more" and cpu > ONE_MORE_LIMIT_S))
        missed += over
        verdict = "" if theirs else "MISSED" if over else "holds"
        times = f"{cpu:7.2f} s of processor, {wall:7.2f} s"
        print(f"{verdict:<7} {count:>7} instances, {name:<9} {times}, peak {peak:6.1f} MiB")
    return missed


def main(rounds: int, *, quick: bool) -> int:
    """Measure every number; the status is 1 when a limit is missed."""
    missed = 0
    result: dict[str, dict[str, list[Usage]]] = {}
    with tempfile.TemporaryDirectory(prefix="bench-directory-") as scratch:
        for count in QUICK if quick else NUMBERS:
            result[str(count)] = found = measure_all(count, 1 if quick else rounds, Path(scratch))
            missed += show(count, found)
    OUT.mkdir(exist_ok=True)
    rows = {
        count: {name: [cost._asdict() for cost in costs] for name, costs in found.items()}
        for count, found in result.items()
    }
    (OUT / "directory.json").write_text(json.dumps(rows, indent=1))
    return int(missed > 0)
