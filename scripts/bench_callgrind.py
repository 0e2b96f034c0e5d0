"""Instructions per sample, counted by callgrind: the same on every machine of a kind, busy or not.

``scripts/bench instructions`` compares them with those of scripts/bench_baseline.json and fails when one has grown by
more than 2 of 100; ``--keep`` makes what was counted the new baseline. A picture that is not the one of the baseline,
or a processor without AVX2, cannot be compared, and the table says so.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bench_lib import ROOT

if TYPE_CHECKING:
    from bench_images import Picture

COUNTED = ("usgrey", "ct12")
BASELINE = ROOT / "scripts" / "bench_baseline.json"
GROWTH = 1.02
FUNCTIONS = tuple(f"mga_{codec}_{work}" for codec in ("jls", "jpl", "rle") for work in ("encode", "decode"))
ENTRIES = re.compile(rf"^\s*([\d,]+)\s.*:({'|'.join(FUNCTIONS)}) ", re.MULTILINE)
# The installed module is stripped of its names; the one in build/, which it was made from, is not.
PROGRAM = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("agent.native._core", sys.argv.pop(1))
sys.modules[spec.name] = importlib.util.module_from_spec(spec)
from agent.native import compress
from agent.native.frame import FrameDescription
raw = open(sys.argv[1], "rb").read()
description = FrameDescription(*map(int, sys.argv[2].split(",")))
for uid in sys.argv[3:]:
    compress.decode(compress.encode(raw, uid, description=description), uid, description)
"""


def instructions_per_pixel(syntaxes: list[str], shown: list[Picture]) -> dict[str, float]:
    """``"usgrey mga_jls_encode" -> instructions per sample``; empty without valgrind."""
    if shutil.which("valgrind") is None:
        print("valgrind is not installed: no instruction counts")
        return {}
    module = max(ROOT.glob("build/cp3*/_core.abi3.so"), key=lambda path: path.stat().st_mtime, default=None)
    if module is None:
        print("no unstripped module in build/: no instruction counts")
        return {}
    counts: dict[str, float] = {}
    for picture in (picture for picture in shown if picture.name in COUNTED):
        with tempfile.TemporaryDirectory() as scratch:
            raw, out = Path(scratch) / "frame", Path(scratch) / "callgrind"
            raw.write_bytes(picture.array.tobytes())
            layout = ",".join(map(str, picture.description[:7]))
            subprocess.run(
                ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--collect-atstart=no",
                 *(f"--toggle-collect={name}" for name in FUNCTIONS),
                 sys.executable, "-c", PROGRAM, str(module), str(raw), layout, *syntaxes],
                check=True, capture_output=True,
            )  # fmt: skip
            listed = subprocess.run(
                ["callgrind_annotate", "--inclusive=yes", "--threshold=100", str(out)],
                check=True, capture_output=True, text=True,
            ).stdout  # fmt: skip
        for number, name in ENTRIES.findall(listed):
            counts[f"{picture.name} {name}"] = int(number.replace(",", "")) / picture.array.size
    return counts


def kind_of(shown: list[Picture]) -> dict[str, str]:
    """What counts depend on besides our code: the pictures' bytes, and whether there is AVX2."""
    kind = {
        picture.name: hashlib.sha256(picture.array.tobytes()).hexdigest()[:16]
        for picture in shown
        if picture.name in COUNTED
    }
    return {**kind, "avx2": str("avx2" in Path("/proc/cpuinfo").read_text())}


def compare(counts: dict[str, float], shown: list[Picture]) -> int:
    """Print counts beside the baseline; how many grew too much."""
    kept = json.loads(BASELINE.read_text())
    kind = kind_of(shown)
    changed = {name for name in kind if kind[name] != kept["kind"].get(name)}
    if changed:
        print(f"not as in the baseline, so not compared: {', '.join(sorted(changed))}")
    worse = 0
    for what, count in sorted(counts.items()):
        comparable = not changed & {what.split()[0], "avx2"}
        before = kept["instructions_per_sample"].get(what) if comparable else None
        grown = before is not None and count > before * GROWTH
        worse += grown
        change = (
            ""
            if before is None
            else f"{before:>8.2f}  {100 * (count / before - 1):>+6.1f} %{'  MORE' if grown else ''}"
        )
        print(f"{what:<24} {count:>8.2f}  {change}".rstrip())
    return worse


def main(*, keep: bool) -> int:
    import bench_images
    from bench_codec_peers import JPEG_LOSSLESS, JPEG_LS, RLE

    shown = bench_images.pictures(quick=True)
    counts = instructions_per_pixel([RLE, JPEG_LOSSLESS, JPEG_LS], shown)
    if not counts:
        return 1
    worse = compare(counts, shown) if BASELINE.exists() else 0
    if keep:
        rounded = {what: round(count, 3) for what, count in sorted(counts.items())}
        BASELINE.write_text(json.dumps({"kind": kind_of(shown), "instructions_per_sample": rounded}, indent=1) + "\n")
        return 0
    return 1 if worse else 0
