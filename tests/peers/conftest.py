"""Peers for the tests of this folder: each fixture starts what it is asked for and ends it by its pid."""

from __future__ import annotations

from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from fakes.peers import Orthanc, Storescp, make_bench_ca, start_storescp
from fakes.peers import need as need_program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/tests/peers/" in str(item.path):
            item.add_marker(pytest.mark.peer)


@pytest.fixture
def need() -> Callable[[str], str]:
    """Return the path of a peer program, or skip loudly (fail with CI=true)."""
    return need_program


@pytest.fixture(scope="session")
def bench_ca(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with ``ca.pem`` and the certificates and keys of ``agent`` and ``archive``."""
    need_program("openssl")
    return make_bench_ca(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def storescp(tmp_path: Path) -> Iterator[Callable[..., Storescp]]:
    """Start stock storescp programs: ``storescp(*options, store=True, env=None)``."""
    started: list[Storescp] = []

    def start(*options: str, store: bool = True, env: Mapping[str, str] | None = None) -> Storescp:
        name = f"storescp{len(started)}"
        started.append(start_storescp(tmp_path / name, *options, log=tmp_path / f"{name}.log", store=store, env=env))
        return started[-1]

    yield start
    for peer in started:
        peer.process.stop()


@pytest.fixture
def orthanc(tmp_path: Path) -> Iterator[Callable[..., Orthanc]]:
    """Start Orthanc: ``orthanc(modalities={...}, tls=folder_of_a_bench_ca)``."""
    started: list[Orthanc] = []

    def start(*, modalities: Mapping[str, Any] | None = None, tls: Path | None = None) -> Orthanc:
        started.append(Orthanc(tmp_path / f"orthanc{len(started)}", modalities=modalities, tls=tls))
        return started[-1]

    yield start
    for peer in started:
        peer.stop()


@pytest.fixture
def tidy_file_sets(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """pydicom's FileSet leaves folders of its own to the garbage collector."""
    made: list[TemporaryDirectory[str]] = []

    def kept() -> TemporaryDirectory[str]:
        made.append(TemporaryDirectory())
        return made[-1]

    monkeypatch.setattr("pydicom.fileset.TemporaryDirectory", kept)
    yield
    for folder in made:
        folder.cleanup()
