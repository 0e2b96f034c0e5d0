"""One site per test: the installed command, a bench archive, mutual TLS where wanted; everything ended by its pid."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.peers import make_bench_ca, need
from fakes.site import Archive, Site


@pytest.fixture(scope="session")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need("openssl")
    return make_bench_ca(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def site(tmp_path: Path, ca: Path) -> Iterator[Site]:
    """An agent with TLS, not started."""
    made = Site(tmp_path / "site", tls=ca)
    yield made
    if made.agent is not None:
        made.agent.stop()


@pytest.fixture
def archive(tmp_path: Path, ca: Path) -> Iterator[Archive]:
    """A running archive with TLS that reports on the same association."""
    made = Archive(tmp_path / "archive", tls=ca)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def to_archive(archive: Archive) -> dict[str, Any]:
    """The destination that is ``archive``."""
    return {"name": "archive", "called_ae": archive.ae_title, "port": archive.port, "tls": True}
