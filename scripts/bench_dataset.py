"""The codec of Data Sets beside pydicom, and one attribute changed in a gigabyte.

500 headers of a real CT image (250 elements, private ones and sequences among them) are read, once for eight values of
each and once for every value, because either side leaves values alone until they are asked for; 500 instances made
from the same values are written, to memory where there is a file system in it. The processes take turns; CPU seconds
per instance are compared, because this machine has others on it. Memory is what a bare interpreter grows by until it
has imported what is needed and used it once: half of either side is loaded on first use. The copy is a process of its
own, whose peak counts in full.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pydicom
from bench_lib import AGENT, DATA, OUT, SENDER_CPU, measure, median, pinned, print_table
from fakes.real_images import wheel_file
from pydicom.uid import UID

WORKER = Path(__file__).with_name("bench_tools") / "dataset_worker.py"
PYTHON = {"agent": str(AGENT.with_name("python")), "pydicom": sys.executable}
FILES = 500
MEMORY = Path("/dev/shm")  # what a file system takes to make a file, up to a third of the whole, is no matter of codecs
GIGABYTE = 1 << 30
TIMES_FASTER, MEMORY_SHARE, COPY_MIB = 5.0, 1 / 3, 40.0


class Bar(NamedTuple):
    what: str
    found: float
    limit: float
    at_least: bool

    @property
    def holds(self) -> bool:
        return self.found >= self.limit if self.at_least else self.found <= self.limit


def prepare() -> tuple[Path, Path, Path]:
    """500 files, the values of one, and a file of a gigabyte (sparse: its pixels are zeros)."""
    folder, values, large = DATA / "headers-500", DATA / "values.json", DATA / "gigabyte.dcm"
    source = pydicom.dcmread(wheel_file("CT_small.dcm"))
    if not folder.is_dir():
        scratch = folder.with_suffix(".part")
        scratch.mkdir(parents=True)
        for number in range(FILES):
            source.SOPInstanceUID = source.file_meta.MediaStorageSOPInstanceUID = UID(f"1.2.3.{number}")
            source.save_as(scratch / f"{number:03d}.dcm")
        scratch.rename(folder)
    values.write_text(json.dumps(rows_of(source)))
    if not large.is_file():
        with large.open("wb") as file:
            file.write(wheel_file("CT_small.dcm").read_bytes()[:6288])
            file.write(struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OW", 0, GIGABYTE))
            file.truncate(file.tell() + GIGABYTE)
    return folder, values, large


def rows_of(dataset: pydicom.Dataset) -> list[Any]:
    """Tag, VR and value of every standard attribute but the pixels."""
    rows = []
    for element in dataset:
        if element.tag.is_private or element.tag >= 0x7FE00000 or element.VR in ("OB", "OW", "UN", "AT"):
            continue
        value: Any = element.value
        if element.VR == "SQ":
            value = [rows_of(item) for item in value]
        elif element.VR in ("DS", "IS"):
            value = [str(v) for v in value] if element.VM > 1 else None if value is None else str(value)
        elif element.VM > 1:
            value = list(value)
        elif element.VM == 0:
            value = None
        elif isinstance(value, str | int | float):
            pass
        else:
            value = str(value)
        rows.append([int(element.tag), element.VR, value])
    return rows


def ask(who: str, *words: object) -> dict[str, Any]:
    command = [*pinned(SENDER_CPU), PYTHON[who], str(WORKER), who, *map(str, words)]
    found: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return found


def main(rounds: int, *, quick: bool) -> int:
    folder, values, large = prepare()
    scratch = emptied((MEMORY if MEMORY.is_dir() else DATA) / f"written-{os.getpid()}")
    repeats = 1 if quick else 3
    results: dict[str, dict[str, list[float]]] = {
        task: {"agent": [], "pydicom": []} for task in ("read", "values", "write", "memory")
    }
    for _ in range(rounds):
        for who in ("agent", "pydicom"):
            results["read"][who].append(ask(who, "read", folder, repeats)["cpu_s"])
            results["values"][who].append(ask(who, "values", folder, 1)["cpu_s"])
            results["write"][who].append(ask(who, "write", values, emptied(scratch), repeats)["cpu_s"])
            found = ask(who, "memory", folder / "000.dcm", values, scratch / "one")
            results["memory"][who].append((found["after_kib"] - found["before_kib"]) / 1024)
    shutil.rmtree(scratch)
    scratch = emptied(DATA / "copied")
    usage = measure([PYTHON["agent"], str(WORKER), "agent", "copy", str(large), str(scratch / "copy")])
    problem = check_copy(scratch / "copy")
    shutil.rmtree(scratch)
    return show(results, usage.peak_kib / 1024, usage.wall_s, problem)


def emptied(folder: Path) -> Path:
    """A new folder in place of an old one: a file that is overwritten costs more than a new one."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def check_copy(copy: Path) -> str:
    """What is wrong with the copy; nothing, if one attribute differs and all pixels are there."""
    with pydicom.dcmread(copy, defer_size=1 << 20) as found:
        if found.PatientID != "CHANGED" or copy.stat().st_size < GIGABYTE:
            return "the copy is not what was asked for"
    return ""


def show(results: dict[str, dict[str, list[float]]], peak_mib: float, wall_s: float, problem: str) -> int:
    def ratios(task: str, above: str, below: str) -> float:
        return median([a / b for a, b in zip(results[task][above], results[task][below], strict=True)])

    rates = {
        task: {who: [1 / s for s in found] for who, found in results[task].items()}
        for task in ("read", "values", "write")
    }
    print_table(
        ["task", "who", "", "median"],
        [
            *([task, who, "instances per CPU second", f"{median(found):.0f}"] for task in rates
              for who, found in rates[task].items()),
            *(["imports", who, "MiB grown", f"{median(found):.1f}"] for who, found in results["memory"].items()),
            ["copy", "agent", "1 GiB, seconds", f"{wall_s:.1f}"],
        ],
    )  # fmt: skip
    bars = [
        Bar("headers read, 8 values, x pydicom", ratios("read", "pydicom", "agent"), TIMES_FASTER, at_least=True),
        Bar("headers read, all values, x pydicom", ratios("values", "pydicom", "agent"), TIMES_FASTER, at_least=True),
        Bar("instances written, x pydicom", ratios("write", "pydicom", "agent"), TIMES_FASTER, at_least=True),
        Bar("import memory, x pydicom", ratios("memory", "agent", "pydicom"), MEMORY_SHARE, at_least=False),
        Bar("1 GiB copied, peak MiB in all", peak_mib, COPY_MIB, at_least=False),
    ]
    print()
    for bar in bars:
        sign = ">=" if bar.at_least else "<="
        print(f"{'holds' if bar.holds else 'MISSED':<7} {bar.what:<36} {bar.found:8.2f} {sign} {bar.limit:.2f}")
    if problem:
        print(f"MISSED  {problem}")
    OUT.mkdir(exist_ok=True)
    report = {"results": results, "copy": {"peak_mib": peak_mib, "wall_s": wall_s, "problem": problem},
              "bars": [{**bar._asdict(), "holds": bar.holds} for bar in bars]}  # fmt: skip
    (OUT / "dataset.json").write_text(json.dumps(report, indent=1))
    return 1 if problem or not all(bar.holds for bar in bars) else 0
