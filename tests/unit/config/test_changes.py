"""What a reload says that it changed: keys, never values."""

from __future__ import annotations

from agent.config.changes import changes, effects
from agent.config.load import parse

OLD = """
[patient]
name = "DOE^JANE"
[[destination]]
name = "a"
called_ae = "A"
host = "h"
[[destination]]
name = "b"
called_ae = "B"
host = "h"
"""


def test_nothing_changed() -> None:
    assert changes(parse(OLD), parse(OLD + "# a comment\n")) == []


def test_each_change_is_named_and_no_value() -> None:
    new = OLD.replace('"DOE^JANE"', '"ROE^RICHARD"\nid = "4711"').replace(
        'called_ae = "A"', 'called_ae = "X"\nport = 1'
    )
    new = new.replace('name = "b"', 'name = "c"') + '[exam]\naccession_number = "7"\n'
    assert changes(parse(OLD), parse(new)) == [
        "destination a: called_ae, port",
        "destination b is gone",
        "destination c is new",
        "[patient] name, id",
        "[exam] accession_number",
    ]


def test_what_takes_effect_when() -> None:
    said = ["[spool] path", "[console] idle_s", "[agent] ae_title", "destination pacs is new"]
    found = effects(said)
    assert found.restart == ["[spool] path"]
    assert found.login == ["[console] idle_s"]
    assert found.reload == ["[agent] ae_title", "destination pacs is new"]
