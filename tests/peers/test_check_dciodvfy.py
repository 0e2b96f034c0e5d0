"""``check`` and dciodvfy on damaged instances: the facts of the table that scripts/check_against_dciodvfy prints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.damaged import ALLOWED, DAMAGE
from fakes.judges import NAMED_BY, NAMED_OTHERWISE, UNSEEN_BY_DCIODVFY, damaged_tags, dciodvfy_errors, judge
from fakes.nodes import file_bytes

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
    wanted = {NAMED_BY[name]} if name in NAMED_BY else damaged_tags(name)
    assert verdict.our_tags & wanted, "check names another element"
    same = not verdict.their_tags or bool(verdict.our_tags & verdict.their_tags)
    assert same is (name not in NAMED_OTHERWISE), "the judges name different elements"


@pytest.mark.parametrize("name", ALLOWED)
def test_what_only_dciodvfy_calls_an_error_is_a_warning_at_that_element(
    name: str, need: Callable[[str], str], tmp_path: Path
) -> None:
    need("dciodvfy")
    verdict = judge(name, tmp_path)
    assert not verdict.ours
    assert verdict.theirs
    assert verdict.our_tags & damaged_tags(name)
    assert verdict.their_tags & damaged_tags(name)


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
    reasons = [*UNSEEN_BY_DCIODVFY.values(), *(why for _, why in ALLOWED.values())]
    assert all(":" in why and why.startswith("PS3.") for why in reasons)
