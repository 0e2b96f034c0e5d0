"""Every peer of the library, plain and TLS: it ends in time and in its named class, and nothing is lost or made up.

What is asserted of each row stands in ``judged``: end before the deadline, code of the error, state in the queue, no
"stored" that the peer never said, the instance still on the medium, memory of the process under test, and for the
listener that DCMTK is served behind it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fakes.misbehaviour.bench import play_all
from fakes.misbehaviour.table import ROWS

if TYPE_CHECKING:
    from fakes.misbehaviour.bench import Finding
    from fakes.misbehaviour.row import Row

JOBS = 4  # processes under test at a time
RUNS = [(row, way) for row in ROWS for way in row.ways]
pytestmark = [
    pytest.mark.timeout(600),  # the first test waits for all
    pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated"),
]


def _id(row: Row, way: str) -> str:
    return f"{row.side}-{way}-{row.name}"


@pytest.fixture(scope="module")
def findings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Finding]:
    """Play every row that was selected, several at a time."""
    here = [item for item in request.session.items if item.path == request.path and "row" in item.callspec.params]  # type: ignore[attr-defined]
    runs = [(item.callspec.params["row"], item.callspec.params["way"]) for item in here]  # type: ignore[attr-defined]
    found = play_all(runs, tmp_path_factory.mktemp("misbehaviour"), JOBS)
    return {_id(finding.row, finding.way): finding for finding in found}


@pytest.mark.fault
@pytest.mark.parametrize(("row", "way"), [pytest.param(*run, id=_id(*run)) for run in RUNS])
def test_ends_as_it_must(findings: dict[str, Finding], row: Row, way: str) -> None:
    assert not findings[_id(row, way)].problems
