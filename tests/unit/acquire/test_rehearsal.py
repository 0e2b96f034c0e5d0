"""What a source lacks is said when its configuration is read, not when the foot-switch is pressed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes.command import run_command

from agent.acquire.rehearsal import Rehearsed, rehearse_sources
from agent.config import load
from agent.config.check import stand_in
from agent.config.schema_source import SOP_CLASS_WORDS
from agent.errors import ConfigError

PATTERN = "pattern:us-rgb?rows=48&columns=64"
# SOP Class -> keys that README demands of it.
DEMANDED = {
    "dx": "laterality intensity_relationship intensity_sign patient_orientation burned_in_annotation pixel_spacing_mm",
    "dx-processing": "intensity_relationship intensity_sign patient_orientation burned_in_annotation pixel_spacing_mm",
    "xa": "radiation_setting intensity_relationship",
    "xrf": "radiation_setting intensity_relationship",
    "sc-mf-byte": "burned_in_annotation",
    "sc-mf-word": "burned_in_annotation",
    "sc-mf-color": "burned_in_annotation",
}


def text_of(source: dict[str, object]) -> str:
    rows = [f"{key} = {json.dumps(value)}" for key, value in source.items()]
    return "\n".join(['[patient]\nname = "DOE^JANE"\n[[source]]', *rows, ""])


def rehearsed(folder: Path, **source: object) -> Rehearsed:
    text = text_of({"name": "probe", **source})
    return rehearse_sources(load.parse(text, path=str(folder / "agent.toml")))


def picture(path: Path, deep: bool = True) -> str:
    path.write_bytes(b"P5 16 16 65535\n" + bytes(512) if deep else b"P5 16 16 255\n" + bytes(256))
    return f"replay:{path}"


def test_a_black_out_that_leaves_burned_in_annotation_open_is_remarked(tmp_path: Path) -> None:
    source = {"uri": picture(tmp_path / "a.pgm", deep=False), "sop_class": "us", "blackout": ["0,0,2,16"]}
    [note] = rehearsed(tmp_path, **source).notes
    assert "burned_in_annotation is not set: instances do not say whether names are left" in note
    for said in ("NO", "YES"):
        assert rehearsed(tmp_path, **source, burned_in_annotation=said) == ([], [])


@pytest.mark.parametrize("sop_class", DEMANDED)
@pytest.mark.parametrize("with_frames", [True, False], ids=["frames", "no frames yet"])
def test_every_missing_key_is_named(tmp_path: Path, sop_class: str, with_frames: bool) -> None:
    uri = f"replay:{tmp_path}"
    if with_frames and sop_class != "sc-mf-color":
        uri = picture(tmp_path / "a.pgm", deep=sop_class != "sc-mf-byte")
    found = rehearsed(tmp_path, uri=uri, sop_class=sop_class)
    [(where, said)] = found.problems
    assert where == "source[0]"
    assert "source 'probe'" in said
    hint = said.partition(". Set ")[2]
    assert all(key in hint for key in DEMANDED[sop_class].split()), said
    assert len(found.notes) == (uri == f"replay:{tmp_path}")


def test_a_source_with_every_key_passes_and_gets_no_instance(tmp_path: Path) -> None:
    found = rehearsed(
        tmp_path, uri=picture(tmp_path / "a.pgm"), sop_class="dx", laterality="L", intensity_relationship="LIN",
        intensity_sign=1, patient_orientation="L/F", burned_in_annotation="NO", pixel_spacing_mm=0.14, view="PA",
        anatomy="CHEST",
    )  # fmt: skip
    assert found == Rehearsed([], [])
    assert [path.name for path in tmp_path.iterdir()] == ["a.pgm"]


@pytest.mark.parametrize("word", SOP_CLASS_WORDS)
def test_a_pattern_stands_in_for_every_sop_class(tmp_path: Path, word: str) -> None:
    text = text_of({"name": "probe", "uri": f"{stand_in(word)}?rows=48&columns=64", "sop_class": word})
    assert rehearse_sources(load.parse(text, path=str(tmp_path / "agent.toml"))) == Rehearsed([], [])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file"),
        ("[]", "no JSON object"),
        ('{"HeartRate": "abc"}', "no integer string at (0018,1088)"),
        ('{"PatientName": "ROE^RICHARD"}', "PatientName of the attributes of the source contradicts the acquisition"),
    ],
)
def test_an_attributes_file_is_read_before_it_is_needed(tmp_path: Path, content: str | None, said: str) -> None:
    if content is not None:
        (tmp_path / "more.json").write_text(content)
    [(where, problem)] = rehearsed(tmp_path, uri=PATTERN, attributes_file="more.json").problems
    assert said in problem
    assert where.startswith("source[0]")
    assert "'probe'" in problem


def test_config_check_says_all_of_it_with_lines_and_the_status_of_a_configuration(tmp_path: Path) -> None:
    config = tmp_path / "agent.toml"
    one = text_of({"name": "one", "uri": picture(tmp_path / "a.pgm"), "sop_class": "xa"})
    two = f'[[source]]\nname = "two"\nuri = "{PATTERN}"\nattributes_file = "none.json"\n'
    config.write_text(one + two)
    done = run_command("config", "check", str(config))
    assert done.returncode == ConfigError.exit_status
    first, also, hint = done.stderr.splitlines()
    assert f"{config}:3: source[0]: source 'one' cannot make an instance of xa" in first
    assert "radiation_setting" in first
    assert f"also: {config}:10: source[1].attributes_file: source 'two'" in also
    assert "hint:" in hint
    assert run_command("config", "check", str(config), "--no-files").returncode == 0


def test_only_the_first_frame_of_a_replay_is_unpacked(tmp_path: Path) -> None:
    """A folder whose second file cannot be read is found out by its capture; a rehearsal must not take its time."""
    picture(tmp_path / "1.pgm", deep=False)
    (tmp_path / "2.pgm").write_bytes(b"P5 9 9 255\n")
    assert rehearsed(tmp_path, uri=f"replay:{tmp_path}", sop_class="us-mf") == Rehearsed([], [])
