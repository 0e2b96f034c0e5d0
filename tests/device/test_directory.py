"""The DICOMDIR of a running agent: it follows the spool, is true after a stop, and never ends the agent."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import pytest
from fakes import filesets
from fakes.command import QUICK_SOURCE, run_command

from agent.app import directory
from agent.app.directory import Directory
from agent.app.journal import Journal
from agent.errors import MediaError
from agent.spool.core import Destination
from agent.spool.store import Spool, prepare

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fakes.site import Site


def listed(root: Path) -> list[str]:
    return sorted(filesets.listed(root / "DICOMDIR"))


def held(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)).replace("/", "\\") for path in root.glob("INST/*/????????"))


def test_a_card_pulled_after_a_stop_lists_every_image(site: Site) -> None:
    site.configure(destinations=[], sources=[QUICK_SOURCE])
    site.start()
    _wait(lambda: len(site.rows()) >= 1)
    assert site.stop() == 0
    assert listed(site.spool) == held(site.spool)
    assert len(held(site.spool)) >= 1


def _wait(ready: Any) -> None:
    until = time.monotonic() + 20
    while not ready():
        assert time.monotonic() < until
        time.sleep(0.02)


class Desk:
    """A spool, and who sees to its directory."""

    def __init__(self, root: Path) -> None:
        prepare(str(root))
        self.root = root
        self.spool = Spool.open(str(root), destinations=[Destination("pacs")])
        self.log = (root.parent / "log").open("w+")
        self.directory = Directory(self.spool, Journal(self.log), "BOX")

    def bring(self) -> None:
        """Look until the process has come and gone."""
        self.directory._next_at = 0.0
        self.directory.look()
        assert self.directory._pid
        _wait(lambda: self.directory.look() or not self.directory._pid)

    def said(self) -> str:
        assert self.directory._journal.flush(5)
        self.log.seek(0)
        return self.log.read()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "spool")
    yield made
    made.directory.close()
    made.spool.close()
    made.log.close()


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("images")
    made = []
    for number in range(3):
        path = folder / f"{number}.dcm"
        done = run_command("capture", "--source", "pattern:us-mono?rows=32&columns=32&rate_hz=100", "--frames", "1",
            "--sop-class", "us", "-o", path)  # fmt: skip
        assert done.returncode == 0, done.stderr
        made.append(path)
    return made


def test_it_follows_while_the_agent_runs(desk: Desk, images: list[Path]) -> None:
    desk.directory.look()
    assert not desk.directory._pid  # an empty spool needs none
    desk.spool.import_file(str(images[0]))
    desk.bring()
    assert len(listed(desk.root)) == 1
    desk.directory.look()
    assert not desk.directory._pid  # nothing has changed
    desk.spool.import_file(str(images[1]))
    desk.directory.look()
    assert not desk.directory._pid  # too soon after the last
    desk.bring()
    assert listed(desk.root) == held(desk.root)
    assert desk.said() == ""
    assert desk.directory.facts == {"failures": 0, "reason": ""}


def test_the_rest_is_done_at_the_stop(desk: Desk, images: list[Path]) -> None:
    desk.spool.import_file(str(images[0]))
    desk.directory.look()
    desk.spool.import_file(str(images[1]))
    desk.directory.close()  # with a process under way
    assert listed(desk.root) == held(desk.root)


def test_what_ends_the_agent_at_a_terminal_does_not_end_the_process(desk: Desk, images: list[Path]) -> None:
    """^C, and ``kill %1`` of a shell, go to all of a process group."""
    desk.spool.import_file(str(images[0]))
    desk.directory.look()
    assert os.getpgid(desk.directory._pid) not in (0, os.getpgrp())


def test_a_process_that_hangs_at_the_stop_is_ended(
    desk: Desk, images: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "LAST_S", 0.2)
    monkeypatch.setattr(directory, "_CHILD", ("-c", "import time; time.sleep(60)"))
    desk.spool.import_file(str(images[0]))
    desk.directory.look()
    began = time.monotonic()
    desk.directory.close()
    assert time.monotonic() - began < 5
    assert not desk.directory._pid


@pytest.mark.parametrize(
    ("child", "text"),
    [
        ("raise SystemExit(3)", "ended with status 3"),
        ("print('failed no room')", "no room"),
        ("pass", "ended with status 0"),
    ],
)
def test_a_process_that_fails_is_told_and_tried_again_later(
    child: str, text: str, desk: Desk, images: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "_CHILD", ("-c", child))
    desk.spool.import_file(str(images[0]))
    desk.bring()
    assert f"error   keeper: the DICOMDIR of the spool is not up to date: {text}" in desk.said().replace(
        "its process ", ""
    )
    desk.directory.look()
    assert not desk.directory._pid
    assert desk.directory._next_at > time.monotonic() + 50
    assert desk.directory.facts["failures"] == 1
    assert text in desk.directory.facts["reason"]


def test_a_medium_that_fails_at_the_stop_does_not_keep_the_agent(
    desk: Desk, images: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.spool.import_file(str(images[0]))

    def broken(*_: object, **__: object) -> None:
        raise MediaError("write: Input/output error")

    monkeypatch.setattr("agent.spool.durable.Medium.renew", broken)
    desk.directory.close()
    assert "the DICOMDIR is not up to date: write: Input/output error" in desk.said()


def test_a_site_may_do_without(site: Site) -> None:
    site.configure(destinations=[], sources=[QUICK_SOURCE])
    text = site.config.read_text().replace("[spool]\n", "[spool]\ndicomdir = false\n")
    site.config.write_text(text)
    site.start()
    _wait(lambda: len(site.rows()) >= 1)
    assert site.stop() == 0
    assert not os.path.exists(site.spool / "DICOMDIR")
    assert held(site.spool)
