"""What may come next is read from the schema and the candidate."""

from __future__ import annotations

from typing import Any

import pytest

from agent.config.difference import set_words
from agent.config.schema import SECTIONS
from agent.config.words_of import Word, key_help, next_words, values
from agent.errors import UsageError

DOCUMENT: dict[str, Any] = {
    "agent": {"ae_title": "EDGE"},
    "destination": [{"name": "pacs", "host": "h"}, {"name": "second", "standby": True}],
}


def _texts(words: list[Word]) -> list[str]:
    return [word.text for word in words]


def test_sections_then_tables_then_keys_then_values() -> None:
    assert _texts(next_words("set", (), DOCUMENT)) == [section.name for section in SECTIONS]
    assert _texts(next_words("set", ("destination",), DOCUMENT)) == ["pacs", "second", "<name>"]
    keys = next_words("set", ("destination", "new"), DOCUMENT)
    assert keys[1].text == "called_ae"
    assert keys[3] == Word("port", "TCP port of the peer. (a whole number from 1 to 65535; not set: 104)")
    assert _texts(next_words("set", ("destination", "pacs", "tls"), DOCUMENT)) == ["true", "false"]
    assert _texts(next_words("set", ("destination.pacs.port",), DOCUMENT)) == ["<1 to 65535>"]
    assert _texts(next_words("set", ("destination", "pacs", "failover"), DOCUMENT)) == ["pacs", "second", "<text>"]
    assert "auto" in _texts(next_words("set", ("source", "x", "transfer_syntax"), DOCUMENT))
    assert _texts(next_words("set", ("patient", "sex"), DOCUMENT)) == ["''", "M", "F", "O"]


def test_only_what_is_set_can_be_deleted() -> None:
    assert _texts(next_words("delete", (), DOCUMENT)) == ["agent", "destination"]
    assert _texts(next_words("delete", ("destination",), DOCUMENT)) == ["pacs", "second"]
    assert _texts(next_words("delete", ("destination", "pacs"), DOCUMENT)) == ["name", "host"]
    assert next_words("delete", ("destination", "pacs", "host"), DOCUMENT) == []


def test_a_word_that_names_nothing_is_said() -> None:
    with pytest.raises(UsageError, match="did you mean 'port'"):
        next_words("set", ("destination", "pacs", "prt"), DOCUMENT)
    with pytest.raises(UsageError, match="of another shape"):
        next_words("set", ("agent",), {"agent": 1})


@pytest.mark.parametrize("section", SECTIONS, ids=[section.name for section in SECTIONS])
def test_every_word_that_is_offered_is_taken(section: Any) -> None:
    names = [one.name for one in SECTIONS if one.repeated]
    for key in section.keys:
        assert not key.completes or key.completes in names
        assert key_help(key).startswith(key.help)
        for word in values(key, DOCUMENT):
            if word.free or word.text in ("replay:", "folder:"):
                continue
            path = (section.name, "x", key.name) if section.repeated else (section.name, key.name)
            if word.text != "htj2k":  # needs a library
                set_words("", {}, path, "" if word.text == "''" else word.text)
