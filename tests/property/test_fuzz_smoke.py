"""The fuzz targets without a fuzzer: seeds, the same few hundred mutations in every run, and each crasher kept.

A crasher is a file in tests/vectors/fuzz/TARGET; those of C targets (``c-``) are replayed by ctest.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from fuzz.targets import MAX_BYTES, TARGETS, Target

VECTORS = Path(__file__).parent.parent / "vectors" / "fuzz"
MUTATIONS = 400
KEPT = [path for path in sorted(VECTORS.glob("*/*")) if not path.parent.name.startswith("c-")]


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_seeds_and_their_neighbours(target: Target) -> None:
    chance = random.Random(target.name)
    seeds = list(target.seeds())
    assert all(len(seed) <= MAX_BYTES for seed in seeds)
    for seed in seeds:
        target.run(seed)
    for _ in range(MUTATIONS):
        data = chance.choice(seeds)
        for _ in range(chance.randrange(1, 4)):
            data = target.mutate(data, chance)
        target.run(data[:MAX_BYTES])


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_crasher_stays_fixed(path: Path) -> None:
    TARGETS[path.parent.name].run(path.read_bytes())


def test_mutations_are_the_same_in_every_run() -> None:
    for target in TARGETS.values():
        seed = next(iter(target.seeds()))
        assert target.mutate(seed, random.Random(5)) == target.mutate(seed, random.Random(5))


def test_a_target_that_meets_a_fault_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception that no door documents leaves the target."""

    def broken(_data: bytes, *_: object, **__: object) -> None:
        raise IndexError

    for module, name, target in (
        ("of_dataset", "encode", "dataset"),
        ("of_files", "open_file", "file"),
        ("of_network", "decode_command", "command"),
        ("of_text", "key_lines", "config"),
        ("of_tls", "read", "certificate"),
    ):
        monkeypatch.setattr(f"fuzz.{module}.{name}", broken)
        with pytest.raises(IndexError):
            TARGETS[target].run(next(iter(TARGETS[target].seeds())))
