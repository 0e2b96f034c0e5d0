"""The schema table, the settings types, the example file and the JSON Schema say the same."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from agent.config import load, render
from agent.config.check import check_value, examine
from agent.config.edit import literal
from agent.config.key import REQUIRED, Key
from agent.config.kinds import KINDS
from agent.config.schema import SECTIONS
from agent.config.settings import SECTION_TYPES, Settings

ROOT = Path(__file__).resolve().parents[3]
ALL_KEYS = [(section.name, key) for section in SECTIONS for key in section.keys]
IDS = [f"{name}.{key.name}" for name, key in ALL_KEYS]


def test_settings_have_the_fields_of_the_schema() -> None:
    assert Settings._fields == tuple(section.name for section in SECTIONS)
    for section in SECTIONS:
        assert SECTION_TYPES[section.name]._fields == tuple(key.name for key in section.keys), section.name


@pytest.mark.parametrize(("section", "key"), ALL_KEYS, ids=IDS)
def test_each_key_is_complete(section: str, key: Key) -> None:
    assert key.kind in KINDS
    assert key.help.endswith((".", "empty."))
    if KINDS[key.kind].word in ("integer", "number"):
        assert key.low is not None
        assert key.high is not None
    value = key.example if key.default is REQUIRED else key.default
    assert check_value(key, value) == (value, ""), f"{section}.{key.name}: the default is not legal"


@pytest.mark.parametrize(("section", "key"), ALL_KEYS, ids=IDS)
def test_each_key_refuses_another_type_and_a_value_out_of_bounds(section: str, key: Key) -> None:
    assert check_value(key, ["x"])[1]
    if KINDS[key.kind].word in ("integer", "number"):
        assert key.low is not None
        assert key.high is not None
        assert check_value(key, key.low - 1)[1]
        assert check_value(key, key.high + 1)[1]
        assert check_value(key, True)[1]
    elif key.high is not None:
        assert check_value(key, "X" * (int(key.high) + 1))[1]


def test_the_example_file_is_what_the_schema_prints() -> None:
    assert (ROOT / "configs" / "agent.toml").read_text() == render.example()


def test_the_table_of_keys_is_what_the_schema_prints() -> None:
    assert (ROOT / "configs" / "keys.md").read_text() == render.table(), "modality-agent config keys > configs/keys.md"
    assert "keys.md" in (ROOT / "README.md").read_text()


def test_the_json_schema_is_one_and_knows_right_from_wrong() -> None:
    """jsonschema is the judge."""
    from jsonschema import Draft202012Validator

    Draft202012Validator.check_schema(render.json_schema())
    schema = Draft202012Validator(render.json_schema())
    schema.validate(tomllib.loads((ROOT / "configs" / "agent.toml").read_text()))
    row = {"name": "pacs", "called_ae": "PACS", "host": "h"}
    for wrong in ({"agnet": {}}, {"agent": {"ae": "X"}}, {"destination": [{"name": "x"}]}, {"listener": {"port": -1}},
                  {"listener": {"port": "1"}}, {"patient": {"sex": "X"}}, {"agent": []},
                  {"destination": [{**row, "send_windows": [1]}]}):  # fmt: skip
        assert not schema.is_valid(wrong), wrong
        assert examine(wrong)[1]
    assert schema.is_valid({"destination": [{**row, "bandwidth": 64_000}]})


def test_the_example_file_is_a_valid_configuration() -> None:
    settings = load.load(str(ROOT / "configs" / "agent.toml"))
    assert settings.destination[0].called_ae == "PACS"
    assert settings.spool.min_free_mib == 256


def test_a_configuration_in_force_reads_back_as_itself() -> None:
    settings = load.load(str(ROOT / "configs" / "agent.toml"))
    assert load.parse(render.in_force(settings)) == settings


def test_an_empty_document_gives_the_defaults() -> None:
    values, problems = examine({})
    assert problems == []
    assert load.build(values).listener.port == 11112
    assert load.build(values).destination == ()


def test_the_json_schema_knows_every_key() -> None:
    schema = json.loads(json.dumps(render.json_schema()))
    for section in SECTIONS:
        node = schema["properties"][section.name]
        table = node["items"] if section.repeated else node
        assert set(table["properties"]) == {key.name for key in section.keys}
        assert table["additionalProperties"] is False


def test_secrets_are_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load.load(str(ROOT / "configs" / "agent.toml"))
    section = SECTIONS[0]
    secret = section._replace(keys=tuple(key._replace(secret=True) for key in section.keys))
    monkeypatch.setattr(render, "SECTIONS", (secret,))
    assert settings.agent.manufacturer not in render.in_force(settings)
    assert render.as_dict(settings)["agent"]["ae_title"] == "********"


def test_toml_values_read_back() -> None:
    assert tomllib.loads(f"x = {literal(('a', 'b'))}")["x"] == ["a", "b"]
    for value in ("", 'a"b', "a\\b", "ä", True, False, 0, 1.5, 1e-05):
        assert tomllib.loads(f"x = {literal(value)}")["x"] == value
