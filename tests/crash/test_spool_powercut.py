"""Cut the power after every change of the medium and open the spool on disks that may be left.

A killed process loses nothing it has written; a power cut loses what was not synced, in any order. Only here does a
missing fsync show, and the mistakes prove that it does. ``scripts/crash --power`` looks at all the disks.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.crash import lives_spool, power, shim
from fakes.crash.mistakes import MISTAKES
from fakes.crash.power import OFTEN, SELDOM

if TYPE_CHECKING:
    from collections.abc import Generator

pytestmark = pytest.mark.fault

STATES = 200  # of each life: more than 2,000 together
LIVES = (*lives_spool.LIVES, "clips", "exports", "recolour")  # of the table; the script cuts them all


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shim.build(tmp_path_factory.mktemp("shim"))


@pytest.fixture
def folder() -> Generator[Path, None, None]:
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as name:
        yield Path(name)


@pytest.mark.parametrize("life", LIVES)
def test_a_power_cut_takes_no_promise_back(library: Path, life: str, folder: Path) -> None:
    pages = OFTEN if LIVES.index(life) % 2 else SELDOM
    assert power.record([{"life": life, "pages": pages}], folder, library) == []
    looked, _ = power.cut(life, pages, folder, folder, more=2, seed=1, limit=STATES)
    print(f"{life}: {looked.states} states of {looked.changes} changes")
    assert not looked.wrong, f"{len(looked.wrong)} of {looked.states}:\n" + "\n".join(looked.wrong[:10])
    assert looked.states > STATES / 3


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_harness_sees_each_mistake(library: Path, mistake: str, folder: Path) -> None:
    _plant, life, model = MISTAKES[mistake]
    assert power.record([{"life": life, "pages": SELDOM, "mistake": mistake}], folder, library) == []
    looked, _ = power.cut(life, SELDOM, folder, folder, more=0, seed=1, limit=400, models=[model], stop=True)
    print(f"{mistake}: seen in state {looked.states}: {looked.wrong[:1]}")
    assert looked.wrong, f"{mistake}: {looked.states} states and not one shows it"
