"""Instructions per sample, counted by callgrind: the same on every machine, busy or not."""

from __future__ import annotations

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
