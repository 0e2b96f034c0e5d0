"""An operator presses pedals of a real panel on a bad line: what the agent heard. ``scripts/panel`` says how."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from fakes import panel_figures
from fakes.panel import here
from fakes.panel_proof import prove

if TYPE_CHECKING:
    from collections.abc import Callable


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=100_000, help="in both directions together")
    parser.add_argument(
        "--noise", type=float, default=0.01, help="share of bytes that are hit; a tenth as many are lost"
    )
    parser.add_argument("--resets", type=int, default=10, help="of the processor, in a thousand presses")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--times", type=int, default=5, help="that the supply fails during a clip")
    parser.add_argument("--frames-only", action="store_true", help="without watchdog, supply and update")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if not here():
        print("MicroPython for WebAssembly is not here: it needs node and npm", file=sys.stderr)
        return 77
    with tempfile.TemporaryDirectory() as folder:
        out = prove(Path(folder), args.frames, noise=args.noise, resets=args.resets, seed=args.seed)
    in_order = out.numbers == list(range(1, len(out.numbers) + 1))
    good = out.pressed == out.heard and in_order and not out.unheard and not out.lost
    facts = {
        "frames": out.frames, "damaged": out.hit, "presses": len(out.pressed), "heard": len(out.heard),
        "events": len(out.numbers), "each_once_in_order": out.pressed == out.heard and in_order,
        "whole_frames_not_taken": out.unheard, "processor_resets": out.starts - 1, "cable_pulled": out.pulls,
        "seconds": round(out.seconds, 1),
    }  # fmt: skip
    if not args.frames_only:
        for figure in (panel_figures.watchdog, partial(panel_figures.power_fail, times=args.times),
                       partial(panel_figures.update, noise=0.0, seed=args.seed),
                       partial(panel_figures.update, noise=args.noise, seed=args.seed)):  # fmt: skip
            with tempfile.TemporaryDirectory() as folder:
                found = _measured(figure, Path(folder))
            good = good and not found.get("update_failed")
            noisy = "_on_this_line" if found.get("update_noise") else ""
            facts |= {f"{name}{noisy}": value for name, value in found.items()}
    facts["good"] = good
    print(json.dumps(facts) if args.json else "\n".join(f"{name:24} {value}" for name, value in facts.items()))
    return 0 if good else 1


def _measured(figure: Callable[[Path], dict[str, Any]], folder: Path) -> dict[str, Any]:
    """Take one figure; what does not come in time costs none of the others."""
    try:
        return figure(folder)
    except AssertionError as error:
        return {"update_failed": f"not in time: {error}"}


if __name__ == "__main__":
    sys.exit(main())
