"""One command, several modes: each is a module of its own with ``arguments(parser)`` and ``run(options) -> int``."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

# option -> module; the first is what happens without any of these options
MODES: Final = {"points": "crash_points", "faults": "crash_faults", "power": "crash_power", "real": "crash_real",
                "pull": "crash_pull"}  # fmt: skip


def main() -> int:
    words = sys.argv[1:]
    chosen = next((mode for mode in MODES if f"--{mode}" in words), next(iter(MODES)))
    mode = importlib.import_module(MODES[chosen])
    parser = argparse.ArgumentParser(prog="scripts/crash", description=mode.__doc__)
    for name in MODES:
        parser.add_argument(f"--{name}", action="store_true", help=f"mode; see 'scripts/crash --{name} --help'")
    mode.arguments(parser)
    status: int = mode.run(parser.parse_args())
    return status


if __name__ == "__main__":
    sys.exit(main())
