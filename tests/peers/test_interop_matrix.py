"""A sample of the interoperability matrix; ``scripts/interop`` prints all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fakes import interop_scu
from fakes.interop import Bench, Run, judge, play, samples

if TYPE_CHECKING:
    from pathlib import Path

RUNS = dict(interop_scu.runs())
SAMPLE = [
    Run("SCU", "storescp+xa", True, "4096"),
    Run("SCU", "dcmrecv+xf", False, "131072"),
    Run("SCU", "dcmqrscp", False, "16384"),
    Run("SCU", "Orthanc", True, "4096"),
    Run("SCU", "pynetdicom", True, "0"),
]


@pytest.fixture(scope="session")
def instances(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return samples(tmp_path_factory.mktemp("samples"))


@pytest.mark.parametrize("run", SAMPLE, ids=lambda run: run.name("").strip().replace(" ", "-"))
def test_a_sample_of_the_matrix(run: Run, tmp_path: Path, bench_ca: Path, instances: dict[str, Path]) -> None:
    cells = list(play([(run, RUNS[run])], Bench(tmp_path, bench_ca, instances)))
    assert cells
    assert [f"{cell.name}: {cell.why}" for cell in cells if cell.verdict == "red"] == []


def test_a_limit_that_is_none_is_red() -> None:
    run = Run("SCU", "dcmqrscp", False, "16384")
    assert judge(run, "rle", "refused").verdict == "limit"
    assert judge(run, "rle", "").verdict == "red"
    assert judge(run, "explicit", "").verdict == "green"
    assert judge(run, "explicit", "refused").verdict == "red"
