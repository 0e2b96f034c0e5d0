"""What a hint tells people to set must be there."""

from __future__ import annotations

import re

from agent.config.schema import SECTIONS
from agent.link import tls_words

KEYS = {key.name for section in SECTIONS for key in section.keys}


def test_hints_name_keys_that_there_are() -> None:
    hints = (*tls_words._HINTS.values(), *tls_words._REASON_HINTS.values())
    named = {word for hint in hints for word in re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", hint)}
    assert "tls_server_name" in named
    assert named <= KEYS
