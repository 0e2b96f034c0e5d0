"""``provision`` against a real agent and archive over a line: what passes its self-tests stands, all else goes back.

Whatever is pulled when, the box ends with the configuration of before or with that of the file, and the next run
completes it.
"""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING, Any, Self

import pytest
from fakes.box import PASSWORD, Box
from fakes.command import run_command
from fakes.site import AGENT, Archive, Site

from agent.app.control import ask
from agent.config import unconfirmed
from agent.config.generations import Folder

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.command import Answer

pytestmark = pytest.mark.slow


class Fleet:
    """A box with its agent, an archive that may be there, a laptop, and the line between."""

    def __init__(self, folder: Path) -> None:
        self.site = Site(folder / "box")
        self.archive = Archive(folder / "archive")
        self.site.configure(destinations=[])
        self.before = self.site.config.read_text()
        self.wanted = folder / "wanted.toml"
        quick = "connect_timeout_s = 0.5\nretry_base_s = 0.1\n"
        row = f'\n[[destination]]\nname = "pacs"\ncalled_ae = "{self.archive.ae_title}"\nhost = "127.0.0.1"\n'
        text = self.before.replace('"AGENT"', '"UNIT7"')
        self.wanted.write_text(f"{text}{row}port = {self.archive.port}\n{quick}")
        self.password = folder / "password"
        self.password.write_text(PASSWORD + "\n")
        self.password.chmod(0o600)
        self.line = Box(self.site.config)

    def __enter__(self) -> Self:
        self.site.start()
        self.line.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.line.__exit__()
        finally:
            self.site.stop()
            if self.archive.process is not None:
                self.archive.process.stop()

    @property
    def words(self) -> list[str]:
        return ["provision", "--port", self.line.far, "--password-file", str(self.password), str(self.wanted)]

    def provision(self, *words: str) -> Answer:
        return run_command(*self.words, *words)

    def begin(self) -> subprocess.Popen[str]:
        """Begin a run that does not come to its end."""
        return subprocess.Popen([AGENT, *self.words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def title(self) -> str:
        """What the running agent calls itself."""
        return str((ask(str(self.site.spool), {"verb": "status"}) or {}).get("ae_title"))

    def waits(self) -> bool:
        return bool(unconfirmed.read(Folder(str(self.site.config))))

    def over(self) -> None:
        """The time of what waits is over."""
        folder = Folder(str(self.site.config))
        unconfirmed.write(folder, [one._replace(until=one.begun) for one in unconfirmed.read(folder)])

    def until(self, what: str, true: Any) -> None:
        assert self.site.agent is not None
        self.site.agent.wait_until(what, true, 60)


@pytest.fixture
def fleet(tmp_path: Path) -> Any:
    with Fleet(tmp_path) as made:
        yield made


def test_what_passes_its_tests_stands(fleet: Fleet) -> None:
    fleet.archive.start()
    done = fleet.provision()
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("self-tests passed\nconfirmed\n")
    assert fleet.site.config.read_text() == fleet.wanted.read_text()
    assert fleet.title() == "UNIT7"
    assert not fleet.waits()
    again = fleet.provision()
    assert (again.returncode, again.stdout.splitlines()[-1]) == (0, "nothing to do: the box has this configuration")
    dry = fleet.provision("--dry-run", "--json")
    assert (dry.json["changed"], dry.json["diff"]) == (False, [])


def test_what_fails_its_tests_is_taken_back_at_once(fleet: Fleet) -> None:
    """Nobody listens at the archive; the box is as before, agent and file, before the laptop hears of it."""
    done = fleet.provision()
    assert done.returncode == 38, done.stdout + done.stderr
    assert "\nfailed echo pacs: " in done.stdout
    assert "modality-agent: error: a self-test of the box failed, and what was before is in force again" in done.stderr
    assert "[config.tests]" in done.stderr
    assert fleet.site.config.read_text() == fleet.before
    assert not fleet.waits()
    fleet.until("the agent as before", lambda: fleet.title() == "AGENT")
    fleet.archive.start()
    assert fleet.provision().returncode == 0
    assert fleet.title() == "UNIT7"


def test_what_the_agent_of_the_box_refuses_is_taken_back(fleet: Fleet) -> None:
    fleet.archive.start()
    text = fleet.wanted.read_text().replace(f"port = {fleet.site.port}\n", f"port = {fleet.archive.port}\n")
    fleet.wanted.write_text(text)
    done = fleet.provision("--no-tests")
    assert done.returncode == 9, done.stdout + done.stderr
    assert "the running agent refuses it: " in done.stderr
    assert fleet.site.config.read_text() == fleet.before
    assert fleet.title() == "AGENT"


@pytest.mark.parametrize("said", ["box: ", "set agent ", "committed; "])
def test_a_laptop_that_dies_leaves_the_box_as_it_was_and_the_next_run_completes(fleet: Fleet, said: str) -> None:
    fleet.archive.start()
    assert run_command(*fleet.words[:-1], str(fleet.site.config)).returncode == 0  # the password is set, and no more
    with fleet.begin() as laptop:
        assert laptop.stdout is not None
        for line in laptop.stdout:
            if line.startswith(said):
                break
        laptop.kill()
    assert fleet.site.config.read_text() in (fleet.before, fleet.wanted.read_text())
    again = fleet.provision()
    assert again.returncode == 0, again.stdout + again.stderr
    assert again.stdout.endswith("confirmed\n")
    assert fleet.title() == "UNIT7"
    assert not fleet.waits()


@pytest.mark.timeout(300)
def test_a_cable_that_is_pulled_behind_the_commit_lets_the_box_revert_by_itself(fleet: Fleet) -> None:
    """The laptop says so; nobody comes, and the agent takes it back."""
    with fleet.begin() as laptop:
        assert laptop.stdout is not None
        for line in laptop.stdout:
            if line.startswith("committed; "):
                break
        fleet.line.terminals.line.cut = True
        began = time.monotonic()
        out, errors = laptop.communicate(timeout=120)
        assert laptop.returncode == 21, out + errors
        assert "the box: " in errors
        assert "comes back by itself" in errors
        assert time.monotonic() - began < 100
    fleet.until("what waits", fleet.waits)
    fleet.over()
    fleet.until("the one before", lambda: fleet.site.config.read_text() == fleet.before)
    fleet.until("the agent as before", lambda: fleet.title() == "AGENT")
    fleet.line.terminals.line.cut = False
    fleet.archive.start()
    done = fleet.provision()
    assert done.returncode == 0, done.stdout + done.stderr
    assert fleet.title() == "UNIT7"
