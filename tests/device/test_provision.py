"""``provision`` against a real console over a paced line: first start, noise, whatever state the line is in, twice."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fakes.box import PASSWORD, Box, Person
from fakes.command import Answer, run_command
from fakes.faulty_pki import Pki

pytestmark = pytest.mark.slow

WANTED = """[agent]
ae_title = "UNIT7"
serial_number = "77"
[spool]
path = "spool"
[[destination]]
name = "pacs"
called_ae = "PACS"
host = "10.0.0.7"
[tls]
ca_file = "tls/ca.pem"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "box").mkdir()
    config = tmp_path / "box/agent.toml"
    config.write_text('[spool]\npath = "spool"\n')
    return config


@pytest.fixture
def wanted(tmp_path: Path) -> Path:
    (tmp_path / "password").write_text(PASSWORD + "\n")
    (tmp_path / "password").chmod(0o600)
    (tmp_path / "wanted.toml").write_text(WANTED)
    return tmp_path / "wanted.toml"


def der_of(pki: Pki, path: Path) -> str:
    return pki.openssl("x509", "-in", str(path), "-noout", "-fingerprint", "-sha256")


def provision(box: Box, wanted: Path, *words: object) -> Answer:
    """Run it on the laptop; archives of a test are not there to be asked."""
    own = ("--port", box.far, "--password-file", wanted.parent / "password", "--no-tests")
    return run_command("provision", *own, wanted, *words)


def first_start_and_again(baud: int, noise: float, config: Path, wanted: Path, pki: Pki) -> None:
    with Box(config, baud=baud, noise=noise) as box:
        first = provision(box, wanted, "--ca", pki.folder / "ca.pem")
        assert first.returncode == 0, first.stdout + first.stderr
        assert "first start: the password was set" in first.stdout
        assert "set destination pacs host 10.0.0.7\n" in first.stdout
        assert first.stdout.endswith("confirmed\n")
        assert f"ca: kept {config.parent}/tls/ca.pem" in first.stdout
        again = provision(box, wanted, "--json", "--ca", pki.folder / "ca.pem")
        assert again.returncode == 0, again.stderr
        assert (again.json["changed"], again.json["diff"]) == (False, [])
        assert again.json["box"]["serial_number"] == "77"
        assert bool(box.terminals.line.to_far.hit + box.terminals.line.to_near.hit) is bool(noise)
    assert der_of(pki, config.parent / "tls/ca.pem") == der_of(pki, pki.folder / "ca.pem")
    assert config.read_text() == WANTED
    assert not (config.parent / "agent.toml.history/pending").exists()
    record = (config.parent / "agent.toml.console/sessions").read_text()
    assert PASSWORD not in record
    assert "admin\tadmin\tmachine\tok\tconfig confirm --no-tests\n" in record


def test_first_start_to_configured_and_again_nothing(tmp_path: Path, wanted: Path) -> None:
    """At 9600 baud, and at 115200 with noise, both at the same time."""
    (tmp_path / "pki").mkdir()
    pki = Pki(tmp_path / "pki")
    wanted.write_text(WANTED)
    with ThreadPoolExecutor(2) as pool:
        jobs = []
        for baud, noise in ((9600, 0.0), (115_200, 1e-3)):
            config = tmp_path / str(baud) / "agent.toml"
            config.parent.mkdir()
            config.write_text('[spool]\npath = "spool"\n')
            jobs.append(pool.submit(first_start_and_again, baud, noise, config, wanted, pki))
        for job in jobs:
            job.result()


def test_whatever_state_the_line_is_in(config: Path, wanted: Path, tmp_path: Path) -> None:
    lines = tmp_path / "title.set"
    with Box(config) as box:
        with Person(box.far) as person:
            person.first_log_in()
            person.type("help\rshow conf")
            person.expect("show conf$")
        lines.write_text("set agent ae_title A1\n")
        done = provision(box, lines)
        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith("committed; it reverts in 10 minutes unless confirmed\nconfirmed\n")
        with Person(box.far) as person:
            person.type("terminal length 3\r")
            person.expect("> $")
            person.type("help\r")
            person.expect("--More--")
        assert "nothing to do" in provision(box, lines).stdout
        with Person(box.far) as person:
            person.do("configure")
            person.do("set agent ae_title MINE")
        lines.write_text("set agent ae_title A2\n")
        refused = provision(box, lines)
        assert refused.returncode == 8, refused.stdout
        assert "changes that are not committed" in refused.stderr
        assert provision(box, lines, "--discard").returncode == 0
        assert "A2" in config.read_text()
        with Person(box.far) as person:
            person.type("machine\r")  # as a run that died leaves it
            person.expect("hello")
        assert "nothing to do" in provision(box, lines).stdout


def test_another_box_another_editor_and_a_configuration_that_is_wrong(config: Path, wanted: Path) -> None:
    config.write_text('[agent]\nserial_number = "12"\n[spool]\npath = "spool"\n')
    before = config.read_text()
    (wanted.parent / "key.pem").write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    with Box(config) as box:
        other = provision(box, wanted)
        assert other.returncode == 2
        assert "its serial number is '12', and the file is for '77'" in other.stderr
        wanted.write_text(WANTED.replace('"77"', '"12"').replace("10.0.0.7", "no host"))
        wrong = provision(box, wanted)
        assert wrong.returncode == 9
        assert "destination[0].host" in wrong.stderr
        wanted.write_text(WANTED.replace('"77"', '"12"'))
        code = (
            "import sys; from agent.config.stage import Stage; held = Stage(sys.argv[1]); held.lock('anna on ssh'); "
            "print(1, flush=True); sys.stdin.read()"
        )
        with subprocess.Popen(
            [sys.executable, "-c", code, config], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as held:
            assert held.stdout is not None
            held.stdout.readline()
            locked = provision(box, wanted)
            held.communicate(b"")
        assert locked.returncode == 9
        assert "anna on ssh" in locked.stderr
        key = provision(box, wanted, "--ca", wanted.parent / "key.pem")
        assert key.returncode == 9
        assert "holds a private key" in key.stderr
        wanted.write_text(wanted.read_text().partition("[tls]")[0])  # the file that it names is not there
        dry = provision(box, wanted, "--dry-run")
        assert (dry.returncode, "would be committed; nothing was changed" in dry.stdout) == (0, True)
    assert config.read_text() == before
    assert not (config.parent / "agent.toml.history/candidate.toml").exists()


def test_a_box_without_a_configuration_and_a_laptop_without_pyserial(
    config: Path, wanted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.unlink()
    (wanted.parent / "serial.py").write_text("raise ImportError\n")
    monkeypatch.setenv("PYTHONPATH", str(wanted.parent))
    wanted.write_text(WANTED.partition("[tls]")[0])
    with Box(config) as box:
        dry = provision(box, wanted, "--dry-run")
        assert dry.returncode == 8
        assert "at its first start, and says nothing before its password is set" in dry.stderr
        assert not (config.parent / "agent.toml.console/users").exists()
        wanted.write_text(WANTED)
        wrong = provision(box, wanted)
        assert wrong.returncode == 9
        assert "no such file" in wrong.stderr
        assert "[config]; hint: Correct the candidate" in wrong.stderr
        wanted.write_text(WANTED.partition("[tls]")[0])
        died = ("config", "load", wanted, "--who", "admin (program)", "--config", config)
        assert run_command(*died).returncode == 0  # as a run that died leaves it
        first = provision(box, wanted)
        assert first.returncode == 0, first.stdout + first.stderr
        assert "discarded: 5 changes that an earlier run had left\n" in first.stdout
        assert "set destination pacs host 10.0.0.7\n" in first.stdout
        assert "nothing to do" in provision(box, wanted).stdout
    assert config.read_text() == wanted.read_text()


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("--port", "/dev/none", "w.toml"), 41, "/dev/none: No such file or directory"),
        (("--port", "/dev/none", "w.toml"), 41, "hint: Is the cable in, the name right"),
        (("--port", "/dev/none", "--baud", "9601", "w.toml"), 2, "--baud: 9601 is not one of 9600, 19200"),
        (("w.toml",), 2, "--port is missing"),
        (("--port", "loop://", "none.toml"), 3, "No such file"),
    ],
)
def test_mistakes_on_the_laptop(words: tuple[str, ...], status: int, said: str, tmp_path: Path) -> None:
    (tmp_path / "w.toml").write_text(WANTED)
    paths = [str(tmp_path / word) if word.endswith(".toml") else word for word in words]
    done = run_command("provision", *paths)
    assert said in done.stderr
    assert done.returncode == status
