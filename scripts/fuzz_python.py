"""One Python target under atheris; started by fuzz_main.py, or by hand to run a reproducer again.

python scripts/fuzz_python.py TARGET [libFuzzer options] [folders or files]
"""

from __future__ import annotations

import os
import pkgutil
import random
import sys
from importlib import import_module

import atheris

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [ROOT, os.path.join(ROOT, "tests")]
# All that the targets may import on the way, so that it is instrumented too.
PACKAGES = ("dataset", "dimse", "iod", "media", "service", "ul")
BLIND = 0.5  # of the mutations are libFuzzer's own


def main() -> None:
    """Instrument, import, fuzz; libFuzzer ends the process."""
    # An editable installation finds modules before atheris can instrument them; it keeps those that only it has.
    sys.meta_path.sort(key=lambda finder: "Redirecting" in type(finder).__name__)
    with atheris.instrument_imports(include=["agent"]):
        for package in PACKAGES:
            for module in pkgutil.iter_modules([os.path.join(ROOT, "agent", package)]):
                import_module(f"agent.{package}.{module.name}")
        from fuzz.targets import TARGETS
    target = TARGETS[sys.argv.pop(1)]

    def mutate(data: bytes, size_most: int, seed: int) -> bytes:
        chance = random.Random(seed)
        if chance.random() < BLIND:
            return bytes(atheris.Mutate(data, size_most))
        return target.mutate(data, chance)[:size_most]

    atheris.Setup(sys.argv, target.run, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
