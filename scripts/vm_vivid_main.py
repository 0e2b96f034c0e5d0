"""See ``scripts/vm_vivid``: boots the machine, prints what is checked there, judges the files that came out."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from fakes.vivid import machine  # noqa: E402  the tests are no package of the product

MISSING = 77


def main() -> int:
    """Run; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=[], metavar="CHECK")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    lacking = machine.lacking()
    if lacking:
        print(lacking, file=sys.stderr)
        return MISSING
    folder = ROOT / "build/vm"
    facts = []
    for fact in machine.boot({"only": args.only}, folder):
        if "check" in fact:
            facts.append(fact)
            if not args.json:
                _print(fact)
    if not args.only or "pulled_clip" in args.only:
        facts.append(_files(folder / "share"))
        if not args.json:
            _print(facts[-1])
    if args.json:
        print(json.dumps(facts, indent=2))
    return 0 if facts and all(fact["passed"] for fact in facts) else 1


def _print(fact: dict[str, Any]) -> None:
    word = "passed" if fact["passed"] else "FAILED"
    print(f"{fact['check']}: {word} in {fact['seconds']} s", flush=True)
    told = fact["told"]
    for line in told.splitlines() if isinstance(told, str) else (f"{name}: {value}" for name, value in told.items()):
        print(f"  {line}", flush=True)


def _files(share: Path) -> dict[str, Any]:
    """Read with pydicom what the command has kept of the device that was pulled, and of the one that came back."""
    import pydicom

    told = {}
    passed = True
    for name in ("pulled.dcm", "again.dcm"):
        dataset = pydicom.dcmread(share / name)
        frames = dataset.pixel_array
        spread = sorted({int(frame.max()) for frame in frames})
        told[name] = f"{len(frames)} frames of {dataset.BitsStored} bits, greatest sample {spread}"
        passed &= dataset.BitsStored == 12 and len(spread) == 1 and len(frames) >= 10
    return {"check": "files", "passed": passed, "told": told, "seconds": 0}


if __name__ == "__main__":
    sys.exit(main())
