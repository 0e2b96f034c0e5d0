"""The words a site may write and the kinds that can be built: two lists, because the daemon loads only the first."""

from __future__ import annotations

from agent.config.schema import SOP_CLASS_WORDS
from agent.iod.build import KINDS

# Built for the day a source can say what it did not process (agent/iod/build.py).
_UNREACHABLE = {"dx-processing"}


def test_every_kind_has_its_word() -> None:
    assert [word for word in KINDS if word not in _UNREACHABLE] == list(SOP_CLASS_WORDS)
    assert set(KINDS) >= _UNREACHABLE
