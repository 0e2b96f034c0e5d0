"""Every element of every kind damaged in every way: where dciodvfy has an error, ``check`` has one, or is excused here.

A run takes some of the damages of each kind, other ones with another ``--seed``; 'scripts/check_against_dciodvfy --all'
takes them all.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.documents import DOCUMENTS
from fakes.judges import missed
from fakes.nodes import as_file
from fakes.systematic import damages

from agent.iod.build import KINDS

OF_EACH_KIND = 40


@pytest.mark.parametrize("kind", [*KINDS, *DOCUMENTS])
def test_what_dciodvfy_finds_is_found(
    kind: str, need: Callable[[str], str], tmp_path: Path, rng: random.Random
) -> None:
    need("dciodvfy")
    path = tmp_path / "instance.dcm"
    for name, level in rng.sample(list(damages(kind)), OF_EACH_KIND):
        path.write_bytes(as_file(level))
        assert missed(path) == [], name
