"""The spool that captures go into."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.spool.core import Destination
from agent.spool.quota import Policy
from agent.spool.store import Spool


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    (tmp_path / "spool").mkdir()
    policy = Policy(min_free_bytes=1, min_free_fraction=0.0)
    with Spool.open(str(tmp_path / "spool"), destinations=[Destination("pacs")], policy=policy) as opened:
        yield opened
