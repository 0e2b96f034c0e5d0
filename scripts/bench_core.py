"""Budgets of the built C core, read out of what the compiler and the linker left in build/ and .venv."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]

# stripped; it is loaded by every process that touches pixels; 20 of them speak OpenIGTLink, 35 V4L2, 23 with Aravis
CORE_KIB = 365
STACK_BYTES = 4096  # of one function: threads of a small box have small stacks
# Codecs work in memory of their caller: what they may call copies, compares, or rounds. The rest is of the compiler.
NO_CODEC = re.compile(r"(source|pattern|device|igtl|v4l2|gige|aravis)\w*|ring|canvas|mark|sync")
MAY_CALL = {"memchr", "memcmp", "memcpy", "memmove", "memset", "lrint"}
OF_COMPILER = {"__cpu_model", "__cpu_indicator_init", "__stack_chk_fail", "_GLOBAL_OFFSET_TABLE_"}


class Budget(NamedTuple):
    what: str
    measured: float
    limit: float
    where: str = ""


def output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def built() -> Path:
    """The folder that the installed module was made in."""
    folders = sorted(ROOT.glob("build/cp3*/"), key=lambda path: path.stat().st_mtime)
    if not folders or not (folders[-1] / "libmga.a").is_file():
        raise SystemExit("footprint: the C core is not built: pip install --no-build-isolation -e .")
    return folders[-1]


def sections(archive: Path) -> dict[str, int]:
    """``"object section" -> bytes`` of what is in the archive."""
    sizes = {}
    member = ""
    for line in output("readelf", "-SW", str(archive)).splitlines():
        if line.startswith("File: "):
            member = line[line.index("(") + 1 : line.rindex(")")]
        elif found := re.match(r"\s*\[\s*\d+\]\s+(\S+)\s+\S+\s+[0-9a-f]+\s+[0-9a-f]+\s+([0-9a-f]+)", line):
            sizes[f"{member} {found[1]}"] = int(found[2], 16)
    return sizes


def of_kind(sizes: dict[str, int], pattern: str) -> tuple[int, str]:
    """Bytes in sections of this kind, and where the first of them are."""
    found = {name: size for name, size in sizes.items() if size and re.fullmatch(pattern, name.split()[1])}
    return sum(found.values()), min(found, default="")


def foreign_calls(archive: Path) -> list[str]:
    """``object symbol`` of everything that a codec wants from outside of the core and may not."""
    wanted: list[tuple[str, str]] = []
    ours: set[str] = set()
    for line in output("nm", "-A", str(archive)).splitlines():
        member, _, rest = line.rpartition(":")
        *_, kind, name = rest.split()
        stem = member.rsplit(":", 1)[-1].removesuffix(".c.o")
        if kind == "U":
            wanted.append((stem, name))
        else:
            ours.add(name)
    fine = ours | MAY_CALL | OF_COMPILER
    return sorted(f"{stem} {name}" for stem, name in wanted if not NO_CODEC.fullmatch(stem) and name not in fine)


def stacks(folder: Path) -> dict[str, int]:
    """``function -> bytes``, from -fstack-usage; a frame of unknown size counts as endless."""
    usage = {}
    for path in folder.glob("CMakeFiles/mga.dir/src/*.su"):
        for line in path.read_text().splitlines():
            place, size, kind = line.split("\t")
            usage[f"{path.stem.removesuffix('.c')} {place.rsplit(':', 1)[-1]}"] = (
                int(size) if kind == "static" or "bounded" in kind else 1 << 30
            )
    if not usage:
        raise SystemExit("footprint: no .su files: build the C core with gcc")
    return usage


def core_budgets() -> list[Budget]:
    folder = built()
    archive = folder / "libmga.a"
    modules = sorted(ROOT.glob(".venv/lib/*/site-packages/agent/native/_core*.so"))
    if not modules:
        raise SystemExit("footprint: the module is not installed in .venv")
    sizes = sections(archive)
    frames = stacks(folder)
    deepest = max(frames, key=lambda name: frames[name])
    foreign = foreign_calls(archive)
    initialisers, first = of_kind(sizes, r"\.(init_array|ctors|preinit_array)(\..*)?")
    mutable, where = of_kind(sizes, r"\.(data|bss|tdata|tbss)(?!\.rel\.ro)(\..*)?")
    return [
        Budget("C core as installed, KiB", sum(path.stat().st_size for path in modules) / 1024, CORE_KIB),
        Budget("static initialisers, bytes", initialisers, 0, first),
        Budget("variables of the core, bytes", mutable, 0, where),
        Budget("stack of one C function, bytes", frames[deepest], STACK_BYTES, deepest),
        Budget("calls of codecs to the outside", len(foreign), 0, ", ".join(foreign)),
    ]
