"""``check`` and dciodvfy on damaged instances: the facts of the table that scripts/check_against_dciodvfy prints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.damaged import DAMAGE, file_bytes
from fakes.judges import UNSEEN_BY_DCIODVFY, dciodvfy_errors, judge

from agent.app.checking import check_file
from agent.iod.build import KINDS


@pytest.mark.parametrize("name", DAMAGE)
def test_every_damage_is_found_and_disagreement_is_explained(
    name: str, need: Callable[[str], str], tmp_path: Path
) -> None:
    need("dciodvfy")
    verdict = judge(name, tmp_path)
    assert verdict.ours, "check has no error"
    assert bool(verdict.theirs) is (name not in UNSEEN_BY_DCIODVFY), verdict


@pytest.mark.parametrize("kind", KINDS)
def test_before_the_damage_both_are_content(kind: str, need: Callable[[str], str], tmp_path: Path) -> None:
    need("dciodvfy")
    path = tmp_path / "instance.dcm"
    path.write_bytes(file_bytes(None, kind))
    assert check_file(str(path)).findings == []
    assert dciodvfy_errors(path) == []


def test_the_table_is_long_enough_to_mean_something() -> None:
    assert len(DAMAGE) >= 100
    assert set(UNSEEN_BY_DCIODVFY) <= set(DAMAGE)
    assert all(":" in why and why.startswith("PS3.") for why in UNSEEN_BY_DCIODVFY.values())
