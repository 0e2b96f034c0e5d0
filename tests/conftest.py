"""What every test shares: one printed seed, the versions of everything that judges us, and no hidden randomness."""

from __future__ import annotations

import os
import platform
import random
import zlib
from typing import TYPE_CHECKING

import hypothesis
import pytest
from fakes.peers import versions
from fakes.process import RUNNING

if TYPE_CHECKING:
    from collections.abc import Generator

DEFAULT_SEED = 1  # the same run for everybody; --seed random looks further

hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None, print_blob=True)
hypothesis.settings.register_profile("random", deadline=None, print_blob=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", default=str(DEFAULT_SEED), help="seed of every random choice: a number, or 'random'")


def pytest_configure(config: pytest.Config) -> None:
    text = config.getoption("--seed")
    config.stash[SEED] = int.from_bytes(os.urandom(4)) if text == "random" else int(text)
    config.option.seed = str(config.stash[SEED])  # the worker processes of xdist take it from here
    hypothesis.settings.load_profile("repeatable" if config.stash[SEED] == DEFAULT_SEED else "random")


SEED = pytest.StashKey[int]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the slow ones: whoever is done early takes the rest, and nobody waits for one that began last."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_report_header(config: pytest.Config) -> list[str]:
    judges = ", ".join(f"{name} {version}" for name, version in versions().items())
    kernel = f"{platform.system()} {platform.release()} {platform.machine()}"
    return [f"seed: {config.stash[SEED]} (again with --seed {config.stash[SEED]})", f"peers: {judges}; {kernel}"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if terminalreporter.stats.get("failed") or terminalreporter.stats.get("error"):
        terminalreporter.write_line(f"seed of this run: --seed {config.stash[SEED]}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport]:
    """Show what the other programs said when a test fails."""
    report = yield
    if report.failed:
        report.sections.extend((f"{process.name} (pid {process.pid})", process.log_tail()) for process in RUNNING)
    return report


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """Return a number of this test's own, the same in each run with the same --seed."""
    return request.config.stash[SEED] ^ zlib.crc32(request.node.nodeid.encode())


@pytest.fixture
def rng(seed: int) -> random.Random:
    return random.Random(seed)
