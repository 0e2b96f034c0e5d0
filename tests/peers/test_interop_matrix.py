"""A sample of the interoperability matrix; ``scripts/interop`` prints all of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fakes import interop_commit, interop_listener, interop_scp, interop_scu
from fakes.interop import Bench, Run, judge, play, samples
from fakes.interop_limits import LIMITS

PARTS = (interop_scu, interop_scp, interop_listener, interop_commit)
RUNS = dict(run for part in PARTS for run in part.runs())
SAMPLE = [
    Run("SCU", "storescp+xa", True, "4096"),
    Run("SCU", "dcmrecv+xf", False, "131072"),
    Run("SCU", "dcmqrscp", False, "16384"),
    Run("SCU", "Orthanc", True, "4096"),
    Run("SCU", "pynetdicom", True, "0"),
    Run("SCP", "storescu+C", False, "131072"),
    Run("SCP", "dcmsend", False, "4096"),
    Run("SCP", "dcmsend", True, "4096"),
    Run("SCP", "echoscu", True, "0"),
    Run("SCP", "Orthanc", True, "16384"),
    Run("SCP", "pynetdicom", False, "0"),
    Run("SCP", "pynetdicom", True, "commitment"),
    Run("SCU", "storescp+xa", False, "commitment"),
]


@pytest.fixture(scope="session")
def instances(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return samples(tmp_path_factory.mktemp("samples"))


@pytest.mark.parametrize("run", SAMPLE, ids=lambda run: run.name("").strip().replace(" ", "-"))
def test_a_sample_of_the_matrix(run: Run, tmp_path: Path, bench_ca: Path, instances: dict[str, Path]) -> None:
    cells = list(play([(run, RUNS[run])], Bench(tmp_path, bench_ca, instances)))
    assert cells
    assert [f"{cell.name}: {cell.why}" for cell in cells if cell.verdict == "red"] == []


def test_the_page_has_every_peer_and_every_limit() -> None:
    page = (Path(__file__).parents[2] / "INTEROP.md").read_text()
    rows = re.findall(r"^\| (\w+)(?: ([+-]\w+))? \|", page, re.MULTILINE)
    assert {program + option for program, option in rows} - {"peer"} == {run.peer for run in RUNS}
    assert set(re.findall(r"^\d+\. (.*) \(", page, re.MULTILINE)) == {limit.why for limit in LIMITS}
    assert "NO" not in page


_REFUSED = """
D:   Context ID:        1 (Proposed)
D:     Abstract Syntax: =SecondaryCaptureImageStorage
D:     Proposed Transfer Syntax(es):
D:       =RLELossless
D: Requested Extended Negotiation: none
D:   Context ID:        1 (Abstract Syntax Not Supported)
D:     Abstract Syntax: =SecondaryCaptureImageStorage
D: Requested Extended Negotiation: none
"""


def test_a_limit_counts_with_its_proof_only() -> None:
    run = Run("SCU", "dcmqrscp", False, "16384")
    assert judge(run, "rle", "refused", _REFUSED).verdict == "limit"
    assert judge(run, "rle", "refused", "").verdict == "red"
    assert judge(run, "jpeg-ls", "refused", _REFUSED).verdict == "red"
    assert judge(run, "rle", "refused", _REFUSED.replace("Abstract Syntax Not Supported", "Accepted")).verdict == "red"
    assert judge(run, "rle", "", _REFUSED).verdict == "red"
    assert judge(run, "explicit", "", _REFUSED).verdict == "green"
    assert judge(run, "explicit", "refused", _REFUSED).verdict == "red"
