"""The texts of the exit codes read as sentences of one hand."""

from __future__ import annotations

import pytest

from agent.app import cli
from agent.app.verbs import VERBS, Verb


@pytest.mark.parametrize("verb", VERBS, ids=[verb.name for verb in VERBS])
def test_exit_code_texts(verb: Verb) -> None:
    texts = dict(cli.exit_codes(verb))
    assert {0, 1, 2, 3, cli.EXIT_INTERRUPTED, cli.EXIT_BROKEN_PIPE} <= set(texts)
    assert not [text for text in texts.values() if "`" in text or text.startswith("a-ASS")]


def test_the_archive_names_all_of_its_own() -> None:
    verb = next(verb for verb in VERBS if verb.name == "archive")
    assert {3, 11, 12, 14, 16, 22, 29} <= {status for status, _ in cli.exit_codes(verb)}
