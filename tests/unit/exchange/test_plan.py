"""What goes on which medium: studies stay together, nothing is lost between media, refusals say why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fakes import exports, masters

from agent.dataset import uid
from agent.exchange import plan as planning
from agent.exchange.decide import Decision
from agent.exchange.plan import Piece, opened, plan, volume_bytes
from agent.exchange.shelf import Shelf
from agent.media.profile import PLAIN, PROFILES
from agent.spool.receipt import Holding
from agent.spool.view import SpoolView

if TYPE_CHECKING:
    from pathlib import Path

    from agent.exchange.shelf import Rows


def piece(number: int, study: str, size: int) -> Piece:
    holding = Holding(number, f"2.25.{number}", uid.SC, uid.EXPLICIT_VR_LE, study, "", "live", size, "", "", 0.0)
    return Piece(holding, "", Decision(uid.EXPLICIT_VR_LE, "", size))


def spread(pieces: list[Piece], limit: int) -> list[list[int]]:
    return [[one.holding.id for one in volume] for volume in volumes_of(pieces, limit)]


def volumes_of(pieces: list[Piece], limit: int) -> list[Rows[Piece]]:
    shelf = Shelf()
    rows = planning.pieces_on(shelf)
    rows.extend(pieces)
    return planning._volumes(rows, limit, shelf)


MIB = 1 << 20
THREE = [piece(1, "a", MIB), piece(2, "b", MIB), piece(3, "a", MIB), piece(4, "c", 3 * MIB)]


def test_one_medium_without_limit_study_by_study() -> None:
    assert spread(THREE, 0) == [[1, 3, 2, 4]]
    assert spread([], 0) == []


@pytest.mark.parametrize("limit", [5 * MIB, 4 * MIB, 7 * MIB, 2 * MIB, 100 * MIB])
def test_no_medium_is_too_full_and_every_instance_is_on_one(limit: int) -> None:
    pieces = [one for one in THREE if volume_bytes([one]) <= limit]
    volumes = volumes_of(pieces, limit)
    assert sorted(one.holding.id for volume in volumes for one in volume) == sorted(one.holding.id for one in pieces)
    assert all(len(volume) and volume_bytes(volume) <= limit for volume in volumes)


def test_a_study_is_begun_on_a_new_medium_rather_than_cut() -> None:
    assert spread([piece(1, "a", MIB), piece(2, "b", MIB), piece(3, "b", MIB)], 3 * MIB) == [[1], [2, 3]]


def test_a_study_larger_than_a_medium_is_cut_between_instances() -> None:
    assert spread([piece(number, "a", MIB) for number in range(1, 5)], 3 * MIB) == [[1, 2], [3, 4]]


def test_the_plan_of_a_spool(tmp_path: Path) -> None:
    root = exports.filled(tmp_path)
    found = plan(str(root), exports.held(root), PROFILES["STD-GEN-USB-JPEG"])
    assert [len(volume) for volume in found.volumes] == [4]
    assert not len(found.refused)
    ultrasound = plan(str(root), exports.held(root), PROFILES["STD-US-ID-MF-DVD"])
    assert ultrasound.going == 2
    assert {why.why for why in ultrasound.refused} == {
        "STD-US-ID-MF-DVD has no Digital X-Ray Image Storage - For Presentation",
        "STD-US-ID-MF-DVD has no Secondary Capture Image Storage",
    }
    small = plan(str(root), exports.held(root), PLAIN, volume_limit=1000)
    assert small.volumes == []
    assert "more than a medium holds" in small.refused[0].why
    assert "a file on this medium" in plan(str(root), exports.held(root), PLAIN, file_limit=10).refused[0].why


def test_a_file_that_is_gone_or_damaged_is_one_refusal(tmp_path: Path) -> None:
    root = exports.filled(tmp_path, exports.KINDS[:2])
    first, second = exports.held(root)
    (root / "INST" / "000000" / f"{first.id:08X}").unlink()
    (root / "INST" / "000000" / f"{second.id:08X}").write_bytes(b"no")
    found = plan(str(root), [first, second, second._replace(state="evicted")], PLAIN)
    assert found.volumes == []
    assert [one.code for one in found.refused] == ["spool.media", "media.not_dicom", "profile"]
    assert "evicted" in found.refused[2].why


def test_what_a_view_lists(tmp_path: Path) -> None:
    root = exports.filled(tmp_path)
    with SpoolView.open(str(root)) as view:
        everything = view.holdings()
        assert [one.id for one in view.holdings(limit=2)] == [one.id for one in everything[:2]]
        assert [one.id for one in view.holdings(after=everything[1].id)] == [one.id for one in everything[2:]]
        assert view.holdings(uid=everything[3].sop_instance_uid) == [everything[3]]
        assert view.holdings(study="2.25.1") == everything
        assert view.holdings(study="1.2.3") == []
        assert view.holdings(since=everything[-1].captured_at + 1) == []


def test_opened_says_what_cannot_be_read(tmp_path: Path) -> None:
    path = masters.write(tmp_path, "sc", uid.EXPLICIT_VR_LE)
    with opened(str(path)) as file:
        assert file.meta.sop_class_uid == uid.SC
