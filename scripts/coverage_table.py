"""The table of scripts/coverage: what gcov counted, a header's lines joined over all files that include it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "native" / "src"
LEAST_PERCENT = 95.0


def counted(folder: Path) -> dict[str, dict[int, int]]:
    """``name -> line -> times`` of every file of native/src."""
    lines: dict[str, dict[int, int]] = defaultdict(dict)
    for data in sorted(folder.glob("*.gcda")):
        listed = subprocess.run(
            ["gcov", "--json-format", "--stdout", str(data)], check=True, capture_output=True, text=True, cwd=folder
        ).stdout
        for file in json.loads(listed)["files"]:
            path = (folder / file["file"]).resolve()
            if path.parent != SOURCES:
                continue
            known = lines[path.name]
            for line in file["lines"]:
                number = line["line_number"]
                known[number] = known.get(number, 0) + line["count"]
    return lines


def percent(run: int, known: int) -> float:
    return 100.0 * run / known if known else 0.0


def main() -> int:
    lines = counted(Path(sys.argv[1]))
    total = sum(len(known) for known in lines.values())
    run = sum(sum(times > 0 for times in known.values()) for known in lines.values())
    for name, known in sorted(lines.items()):
        missed = [number for number, times in sorted(known.items()) if not times]
        told = " ".join(map(str, missed)) if "--missed" in sys.argv[2:] else ""
        print(
            f"{name:<24} {len(known):>5} lines {percent(len(known) - len(missed), len(known)):>6.1f} %  {told}".rstrip()
        )
    print(f"{'native/src':<24} {total:>5} lines {percent(run, total):>6.1f} %  (at least {LEAST_PERCENT:.0f} %)")
    return 0 if percent(run, total) >= LEAST_PERCENT else 1


if __name__ == "__main__":
    sys.exit(main())
