"""Factory reset: what goes, what stays, and the old box or the new one wherever the power is cut."""

from __future__ import annotations

import contextlib
import tomllib
from pathlib import Path

import pytest

from agent.config.at_rest import FINISHED, at_rest, bring_to_rest, reset_waits
from agent.config.load import load
from agent.config.reset import MARK, finish, first_text, plan, reset
from agent.config.stage import Stage
from agent.errors import FileError
from agent.spool.durable import Medium
from agent.spool.ops import Ops

KEY = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


class Cut(Exception):
    """The power."""


class CutAt(Ops):
    def __init__(self, step: int) -> None:
        self.left = step
        self.calls: list[str] = []

    def step(self, call: str, path: str) -> None:
        self.calls.append(call)
        self.left -= 1
        if self.left < 0:
            raise Cut


def box(folder: Path) -> Path:
    file = folder / "etc/agent.toml"
    for name in ("etc/agent.toml.history", "etc/agent.toml.console", "etc/tls", "elsewhere", "spool/INST"):
        (folder / name).mkdir(parents=True)
    file.write_text(
        f'[agent]\nae_title = "SITE"\nserial_number = "77"\n[spool]\npath = "{folder}/spool"\nmin_free_mib = 9\n'
        f'[tls]\nca_file = "ca.pem"\ncertificate_file = "box.pem"\nkey_file = "{folder}/elsewhere/box.key"\n'
        f'crl_file = "{folder}/elsewhere/all.crl"\n'
        '[[destination]]\nname = "pacs"\ncalled_ae = "PACS"\nhost = "h"\nuser_file = "passcode"\n'
    )
    for name, text in (
        ("etc/ca.pem", PEM), ("etc/box.pem", PEM), ("etc/box.pem.old", PEM), ("elsewhere/box.key", KEY),
        ("elsewhere/box.csr", "request"), ("elsewhere/all.crl", PEM), ("etc/passcode", "secret"),
        ("etc/tls/agent.key", KEY), ("etc/old.key", KEY), ("etc/hosts", "not ours"), ("spool/INST/1", "an image"),
        ("etc/agent.toml.history/000001.toml", '# a\n# b\n[tls]\nkey_file = "../etc/old.key"\nca_file = "hosts"\n'),
        ("etc/agent.toml.history/candidate.toml", "x = 1"), ("etc/agent.toml.history/lock", ""),
        ("etc/agent.toml.console/users", "users"), ("etc/agent.toml.console/sessions", "who did what"),
    ):  # fmt: skip
        (folder / name).write_text(text)
    return file


GONE = ("etc/ca.pem", "etc/box.pem", "etc/box.pem.old", "elsewhere/box.key", "elsewhere/box.csr", "etc/passcode",
        "etc/tls/agent.key", "etc/old.key", "etc/agent.toml.history/000001.toml", "etc/agent.toml.console/users",
        "etc/agent.toml.history/candidate.toml")  # fmt: skip
STAYS = ("elsewhere/all.crl", "etc/hosts", "spool/INST/1", "etc/agent.toml.console/sessions",
         "etc/agent.toml.history/lock")  # fmt: skip


def files(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_what_goes_and_what_stays(tmp_path: Path) -> None:
    file = box(tmp_path)
    before = files(tmp_path)
    planned = plan(str(file))
    assert files(tmp_path) == before
    done = reset(str(file))
    assert done == planned
    left = files(tmp_path)
    assert set(before) - set(left) == set(GONE)
    assert set(STAYS) <= set(left)
    assert done.stays == (f"{tmp_path}/elsewhere/all.crl", f"{tmp_path}/etc/hosts")
    assert not [name for name in left if name.endswith(("~", MARK))]
    settings = load(str(file))
    assert (settings.agent.serial_number, settings.agent.ae_title) == ("77", "MODALITY")
    assert settings.spool.path == f"{tmp_path}/spool"
    assert settings.spool.min_free_mib == 256
    assert settings.destination == ()


def test_again_changes_nothing_more(tmp_path: Path) -> None:
    file = box(tmp_path)
    reset(str(file))
    after = files(tmp_path)
    assert reset(str(file)).remove == ()
    assert files(tmp_path) == after
    assert not finish(str(file))


def test_a_damaged_configuration_keeps_nobody_from_it(tmp_path: Path) -> None:
    file = box(tmp_path)
    file.write_text('[agent\nae_title = "')
    reset(str(file))
    assert load(str(file)).destination == ()
    assert not (tmp_path / "etc/agent.toml.console/users").exists()


def test_the_makers_configuration_comes_back_unless_its_spool_is_another(tmp_path: Path) -> None:
    file = box(tmp_path)
    factory = tmp_path / "etc/agent.toml.factory"
    factory.write_text(f'[agent]\nmodel_name = "Box 3"\n[spool]\npath = "{tmp_path}/spool"\n')
    assert first_text(str(file)) == factory.read_text()
    factory.write_text('[agent]\nmodel_name = "Box 3"\n[spool]\npath = "/elsewhere"\n')
    assert tomllib.loads(first_text(str(file)))["spool"]["path"] == f"{tmp_path}/spool"


def test_a_mark_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    file = box(tmp_path)
    Path(f"{file}{MARK}").write_text("{")
    with pytest.raises(FileError, match="cannot be read"):
        finish(str(file))


def test_where_the_configuration_is_a_link_what_it_points_to_is_reset(tmp_path: Path) -> None:
    file = box(tmp_path)
    (tmp_path / "data").mkdir()
    real, history = tmp_path / "data/real.toml", tmp_path / "data/real.toml.history"
    file.rename(real)
    Path(f"{file}.history").rename(history)
    file.symlink_to(real)
    reset(str(file))
    assert file.is_symlink()
    left = files(tmp_path)
    assert not [name for name in GONE if name in left]
    assert not [name for name in left if name.startswith("data/real.toml.history/0")]
    assert not [name for name in left if name.endswith(("~", MARK))]
    assert load(str(file)).destination == ()


@pytest.mark.parametrize("link", [False, True])
def test_whoever_comes_to_a_reset_that_was_cut_off_finishes_it_and_says_so(tmp_path: Path, link: bool) -> None:
    file = box(tmp_path)
    if link:
        (tmp_path / "link.toml").symlink_to(file)
    named = str(tmp_path / "link.toml") if link else str(file)
    step = 0
    while not reset_waits(named):
        with contextlib.suppress(Cut):
            reset(named, Medium(str(file.parent), CutAt(step)))
        step += 1
    assert "SITE" in file.read_text()
    assert not at_rest(named)
    assert bring_to_rest(named)[0] == FINISHED
    assert load(named).agent.ae_title == "MODALITY"
    assert [one.generation.how for one in Stage(named).history()] == ["hand"]
    assert at_rest(named)


def test_the_power_is_cut_before_every_step(tmp_path: Path) -> None:
    """The old box, or the new one once whoever comes next has finished; and that may be cut, too."""
    step, outcomes = 0, set()
    while True:
        folder = tmp_path / str(step)
        file = box(folder)
        before = files(folder)
        try:
            reset(str(file), Medium(str(file.parent), CutAt(step)))
        except Cut:
            pass
        else:
            break
        if reset_waits(str(file)):
            second = 0
            while reset_waits(str(file)):  # each start gets a little further
                try:
                    finish(str(file), Medium(str(file.parent), CutAt(second)))
                except Cut:
                    second += 1
            outcomes.add("new")
            left = files(folder)
            assert not [name for name in GONE if name in left], step
            assert all(name in left for name in STAYS), step
            assert load(str(file)).agent.ae_title == "MODALITY"
            assert not [name for name in left if name.endswith(("~", MARK))], step
        else:
            left = {name: text for name, text in files(folder).items() if not name.endswith("~")}
            new = not any(name in left for name in GONE) and load(str(file)).agent.ae_title == "MODALITY"
            assert left == before or new, step
            outcomes.add("new" if new else "old")
        step += 1
    assert outcomes == {"old", "new"}
    assert step > 25
