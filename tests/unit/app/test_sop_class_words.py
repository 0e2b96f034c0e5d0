"""The words a site may write and the kinds that can be built: two lists, because the daemon loads only the first."""

from __future__ import annotations

from agent.config.schema_source import MULTI_FRAME_WORDS, SOP_CLASS_WORDS
from agent.iod.build import KINDS


def test_every_kind_has_its_word() -> None:
    assert list(KINDS) == list(SOP_CLASS_WORDS)
    assert [word for word, kind in KINDS.items() if kind.multi_frame] == list(MULTI_FRAME_WORDS)
