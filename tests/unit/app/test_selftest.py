"""Each check of ``selftest`` has an outcome, and where it fails whose fault it is; on this box, without peers."""

from __future__ import annotations

import json
import os
import socket

import pytest

from agent import errors
from agent.app import cli, selftest
from agent.app.selftest import Check, whose_fault


def config(tmp_path, extra="", spool="spool"):
    path = tmp_path / "agent.toml"
    path.write_text(f'[agent]\nae_title = "BOX"\n[spool]\npath = "{spool}"\nmin_free_mib = 1\n{extra}')
    return str(path)


def checks(capsys, *words):
    status = cli.main(["selftest", *words, "--json"])
    return status, {one["name"]: one for one in json.loads(capsys.readouterr().out)["checks"]}


@pytest.fixture
def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def destination(port: int, more: str = "") -> str:
    return f'[[destination]]\nname = "pacs"\ncalled_ae = "PACS"\nhost = "127.0.0.1"\nport = {port}\n{more}'


def test_a_box_alone_passes(tmp_path, capsys):
    status, found = checks(capsys, "--config", config(tmp_path))
    assert status == 0
    assert {name: one["outcome"] for name, one in found.items() if name != "clock"} == {
        "certificates": "ok", "spool": "ok", "room": found["room"]["outcome"],
    }  # fmt: skip
    assert found["room"]["outcome"] in ("ok", "warning")
    assert "made by the first start" in found["spool"]["says"]
    assert os.listdir(tmp_path) == ["agent.toml"]  # nothing is left behind


def test_a_peer_that_is_not_there_fails(tmp_path, capsys, closed_port):
    path = config(tmp_path, destination(closed_port))
    status, found = checks(capsys, "pacs", "--config", path)
    assert status == 52
    assert list(found) == ["echo pacs"]
    assert (found["echo pacs"]["outcome"], found["echo pacs"]["whose"]) == ("failed", "network")
    assert cli.main(["selftest", "pacs", "--config", path]) == 52
    told = capsys.readouterr()
    assert "(on the way)" in " ".join(told.out.split())
    assert "do: " in told.out
    assert max(map(len, told.out.splitlines())) <= 80
    assert "1 check of 1 failed: echo pacs [selftest]" in told.err


def test_a_spool_that_cannot_be_written_fails(tmp_path, capsys, monkeypatch):
    status, found = checks(capsys, "spool", "--config", config(tmp_path, spool="no/such/folder"))
    assert (status, found["spool"]["whose"]) == (52, "here")

    def refuse(*_args, **_kinds):
        raise OSError(30, "Read-only file system")

    path = config(tmp_path)
    monkeypatch.setattr(selftest.os, "open", refuse)
    (only,) = selftest.groups(cli_settings(path), 1.0)["spool"]()
    assert (only.outcome, "Read-only" in only.says) == ("failed", True)


def cli_settings(path):
    from agent.config.load import load

    return load(path)


@pytest.mark.parametrize(("free", "outcome"), [(0.9, "ok"), (0.15, "warning"), (0.01, "failed")])
def test_room_is_judged_by_the_levels_of_the_configuration(tmp_path, monkeypatch, free, outcome):
    class Found:
        f_blocks, f_frsize, f_bavail = 1 << 20, 4096, int((1 << 20) * free)

    monkeypatch.setattr(selftest.os, "statvfs", lambda _path: Found)
    found = selftest.groups(cli_settings(config(tmp_path)), 1.0)["spool"]()
    assert found[1].outcome == outcome


@pytest.mark.parametrize(
    ("grade", "outcome"),
    [("synchronised", "ok"), ("not synchronised", "warning"), ("unknown", "warning"), ("never set", "failed")],
)
def test_the_clock_is_judged(monkeypatch, grade, outcome):
    facts = {"grade": grade, "kept_by": "", "error_bound_s": 0.001, "at": 1.8e9, "zone": "UTC", "ledger": None}
    monkeypatch.setattr(selftest, "clock", lambda: facts)
    assert selftest._clock().outcome == outcome


def test_certificates_that_are_no_files_fail(tmp_path, capsys, closed_port):
    (tmp_path / "ca.pem").write_text("no certificate")
    tls = '[tls]\nca_file = "ca.pem"\ncertificate_file = "ca.pem"\nkey_file = "ca.pem"\n'
    status, found = checks(capsys, "tls", "--config", config(tmp_path, tls + destination(closed_port, "tls = true\n")))
    assert status == 52
    assert (found["certificates"]["outcome"], found["certificates"]["whose"]) == ("failed", "here")


@pytest.mark.parametrize(
    ("error", "whose"),
    [
        (errors.ConnectFailed("x"), "network"), (errors.LinkTimeout("x"), "network"), (errors.TlsRefused("x"), "peer"),
        (errors.AssociationAborted("x"), "peer"), (errors.ConfigError("x"), "here"), (errors.FileError("x"), "here"),
    ],
)  # fmt: skip
def test_whose_fault_it_is(error, whose):
    assert whose_fault(error) == whose


def test_names_are_checked(tmp_path, capsys):
    assert cli.main(["selftest", "nobody", "--config", config(tmp_path)]) == 4
    assert "There are: tls, clock, spool" in capsys.readouterr().err


def test_groups_run_beside_each_other():
    import threading

    both = threading.Barrier(2, timeout=30)

    def check(name):
        both.wait()
        return [Check(name, "ok", "")]

    assert [one.name for one in selftest.run({"a": lambda: check("a"), "b": lambda: check("b")})] == ["a", "b"]
