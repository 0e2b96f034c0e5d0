"""Functional groups of multi-frame Secondary Capture that are as they should be; tests/fakes/damaged.py breaks them."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.nodes import Damage, file_bytes, functional_groups

from agent.app.checking import check_file
from agent.iod.rules import DEFINED


@pytest.mark.parametrize(("shared", "per_frame"), [(0, 0), (3, 0), (0, 3)])
@pytest.mark.parametrize(("kind", "frames"), [("sc-mf-byte", 2), ("sc-mf-word", 3), ("sc-mf-color", 2)])
def test_whole_planes_are_right(kind: str, frames: int, shared: int, per_frame: int, tmp_path: Path) -> None:
    path = tmp_path / "instance.dcm"
    path.write_bytes(file_bytes(Damage(kind, functional_groups(shared, per_frame, frames)), kind))
    assert [str(finding) for finding in check_file(str(path)).findings] == []


def test_modalities_are_those_of_the_edition() -> None:
    terms = DEFINED["C.7-5a", 0x00080060]
    assert len(terms) == len(set(terms)) == 79
    assert {"US", "DX", "RWV"} <= set(terms)
    assert not {"RX", "DS", "CF"} & set(terms)  # the last two are retired
