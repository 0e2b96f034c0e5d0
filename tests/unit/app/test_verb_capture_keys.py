"""``capture --set KEY=VALUE``: every key of a source without a configuration file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from agent.app.cli import main
from agent.app.verb_capture import _set

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("radiation_setting=SC", "SC"),
        ("pixel_spacing_mm=0.14", 0.14),
        ("pixel_spacing_mm=1", 1.0),
        ("intensity_sign=-1", -1),
        ("icon=true", True),
        ("view=", ""),
        ("lossy_history=12.5 ISO_10918_1", "12.5 ISO_10918_1"),
    ],
)
def test_values_have_the_type_of_their_key(text: str, value: object) -> None:
    found = _set(text)[1]
    assert found == value
    assert type(found) is type(value)


def test_an_x_ray_run_without_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "picture.pgm").write_bytes(b"P5 16 12 4095\n" + bytes(2 * 16 * 12))
    (tmp_path / "more.json").write_text(json.dumps({"KVP": 80}))
    out = tmp_path / "xa.dcm"
    words = ["capture", "--source", f"replay:{tmp_path}/picture.pgm", "--sop-class", "xa", "-o", str(out), "--json"]
    assert main(words) == 31
    assert "--set KEY=VALUE" in capsys.readouterr().err
    keys = ("radiation_setting=SC", "intensity_relationship=DISP", f"attributes_file={tmp_path}/more.json")
    assert main([*words, *(word for key in keys for word in ("--set", key))]) == 0
    assert json.loads(capsys.readouterr().out)["frames"] == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("radiation_setting", "no KEY=VALUE"),
        ("colour=red", "no KEY=VALUE with a key"),
        ("uri=pattern:dx16", "no KEY=VALUE with a key"),
        ("radiation_setting=XX", "--set radiation_setting: 'XX' is not one of"),
        ("pixel_spacing_mm=wide", "--set pixel_spacing_mm: 'wide' is not a number"),
        ("pixel_spacing_mm=nan", "is not a number from 0 to 10"),
        ("icon=perhaps", "is not true or false"),
        ("view=UP", "--set view: view 'UP' is not in the table"),
    ],
)
def test_keys_that_are_none(text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "x.dcm"
    assert main(["capture", "--source", "pattern:us-rgb", "--set", text, "-o", str(out)]) == 2
    assert message in capsys.readouterr().err
    assert not out.exists()
