"""The daemon as a service manager sees it: capture to commitment, stop, reload, requests of other processes."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from fakes.command import QUICK_SOURCE, run_command
from fakes.process import Process, free_port, is_listening
from fakes.site import AGENT, Archive, Site, acknowledged, reckon

from agent.app import bench_ca
from agent.errors import ConfigError


def _failures(site: Site) -> int:
    return int(ask(site, "status")["destinations"]["archive"]["failures"])


def ask(site: Site, *words: object) -> Any:
    done = run_command(*words, "--config", site.config, "--json")
    assert done.returncode == 0, done.stderr
    return done.json


@pytest.mark.parametrize("way", ["same", "new"])
def test_from_capture_to_commitment(way: str, site: Site, tmp_path: Path, ca: Path) -> None:
    archive = Archive(tmp_path / "archive", tls=ca, report_to=("AGENT", site.port) if way == "new" else None)
    archive.start()
    try:
        to = {"name": "archive", "called_ae": archive.ae_title, "port": archive.port, "tls": True}
        site.configure(destinations=[to], sources=[QUICK_SOURCE])
        agent = site.start()
        agent.wait_until("commitment", lambda: site.all_in("committed", 1))
        status = ask(site, "status")
        assert status["running"]
        assert status["queue"] == {"archive": {"committed": 1}}
        assert status["sources"]["probe"]["frames"] == 10
        assert status["destinations"]["archive"]["state"] == "ok"
        assert [role["failures"] for role in status["roles"].values()] == [0] * len(status["roles"])
        [delivery] = ask(site, "queue", "list")["deliveries"]
        uid = delivery["sop_instance_uid"]
        receipt = ask(site, "receipt", uid, "--verify", "--committed")
        assert receipt["safe"]
        assert receipt["ledger"]["faults"] == []
        kinds = [event["kind"] for event in receipt["events"]]
        assert kinds == ["durable", "queued", "active", "stored", "commitment asked", "committed"]
        assert receipt["events"][0]["detail"]["frames"] == "10"
        times = [receipt["captured_at"], receipt["durable_at"], receipt["deliveries"][0]["answered_at"]]
        assert times == sorted(times)
        assert site.stop() == 0
        assert reckon(site, archive, acknowledged(site.log())) == []
        assert "queue" in run_command("queue", "show", uid, "--config", site.config).stdout
        assert not ask(site, "status")["running"]
    finally:
        archive.stop()


def test_sigterm_ends_a_running_clip_and_keeps_it(site: Site, archive: Archive, to_archive: Any) -> None:
    endless = {**QUICK_SOURCE, "clip_frames": 0, "clip_s": 600.0}
    site.configure(destinations=[to_archive], sources=[endless])
    agent = site.start()
    agent.wait_until("a clip under way", lambda: list(site.spool.rglob("*.part")))
    time.sleep(0.2)
    began = time.monotonic()
    assert site.stop() == 0
    assert time.monotonic() - began < 60.0  # of 600
    assert "ended by stop" in agent.log
    assert len(site.rows()) == 1
    site.configure(destinations=[to_archive])
    site.start().wait_until("commitment", lambda: site.all_in("committed", 1))


def test_sigint_is_a_clean_stop_too(site: Site) -> None:
    site.configure(destinations=[])
    agent = site.start()
    agent.signal(signal.SIGINT)
    assert agent.wait() == 0
    assert "stopping: SIGINT" in agent.log


def test_ready_is_said_on_stdout_and_to_systemd(site: Site, tmp_path: Path) -> None:
    site.configure(destinations=[])
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(10)
        agent = site.start(env={"NOTIFY_SOCKET": str(tmp_path / "notify")})
        assert manager.recv(100) == b"READY=1"
        agent.wait_for(f"ready port {site.port}\n")
        agent.signal(signal.SIGHUP)
        assert [manager.recv(100), manager.recv(100)] == [b"RELOADING=1", b"READY=1"]
        assert site.stop() == 0
        assert manager.recv(100) == b"STOPPING=1"


def own_heaps(pid: int) -> int:
    """Count the heaps that glibc made for threads: memory at a multiple of 64 MiB, reserved up to the next."""
    each = 64 << 20
    rows = [row.split() for row in Path(f"/proc/{pid}/maps").read_text().splitlines()]
    parts = [[int(end, 16) for end in row[0].split("-")] for row in rows if len(row) == 5]
    begun = {begin for begin, _ in parts if begin % each == 0}
    return len({end - each for _, end in parts if end % each == 0} & begun)


@pytest.mark.parametrize("said", [None, "3"], ids=["by itself", "by the environment"])
def test_threads_share_one_heap(said: str | None, site: Site, archive: Archive, to_archive: Any) -> None:
    """A heap outlives its thread, with what is free in it: one for each makes a daemon grow for hours."""
    site.configure(destinations=[to_archive], sources=[QUICK_SOURCE])
    agent = site.start(env={} if said is None else {"MALLOC_ARENA_MAX": said})
    agent.wait_until("commitment", lambda: site.all_in("committed", 1))
    assert len(os.listdir(f"/proc/{agent.pid}/task")) > 5
    assert own_heaps(agent.pid) == (0 if said is None else int(said) - 1)


def test_a_second_agent_on_the_spool_is_refused(site: Site) -> None:
    site.configure(destinations=[])
    site.start()
    done = run_command("run", "--config", site.config)
    assert done.returncode == 14
    assert "is held by another process [spool.busy]" in done.stderr


def test_reload_starts_what_is_new_and_leaves_the_rest_alone(site: Site, archive: Archive, to_archive: Any) -> None:
    slow = {**QUICK_SOURCE, "name": "slow", "clip_frames": 100}
    site.configure(destinations=[to_archive], sources=[slow])
    agent = site.start()
    site.configure(destinations=[to_archive], sources=[slow, QUICK_SOURCE])
    agent.signal(signal.SIGHUP)
    agent.wait_for("started from probe")
    agent.wait_until("both committed", lambda: site.all_in("committed", 2))
    assert "stopped from slow" not in agent.log
    assert "ended by stop" not in agent.log


def test_reload_moves_the_listener(site: Site) -> None:
    site.configure(destinations=[])
    agent = site.start()
    old, site.port = site.port, free_port()
    site.configure(destinations=[])
    agent.signal(signal.SIGHUP)
    agent.wait_listening(site.port)
    agent.wait_until("old port freed", lambda: not is_listening(old))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("ae_title", "ae_titel", "agent.ae_titel: unknown key; did you mean 'ae_title'?"),
        ("[listener]", "[listener", "not TOML"),
        ("captures = 1", "captures = 1" + "0" * 5000, "a whole number has more digits than any key takes"),
        ('host = "127.0.0.1"\nport', 'host = "203.0.113.1"\nport', "cannot listen on 203.0.113.1"),
        ("min_free_mib = 1", "min_free_mib = 2", "[spool] changed"),
        ("agent.key", "archive.key", "does not belong to certificate"),
    ],
)
def test_a_bad_reload_changes_nothing_and_is_loud(
    old: str, new: str, message: str, site: Site, archive: Archive, to_archive: Any
) -> None:
    site.configure(destinations=[to_archive], sources=[QUICK_SOURCE])
    agent = site.start()
    agent.wait_until("commitment", lambda: site.all_in("committed", 1))
    text = site.config.read_text()
    assert old in text
    site.config.write_text(text.replace(old, new, 1))
    agent.signal(signal.SIGHUP)
    agent.wait_for("the old configuration stays in force")
    assert message in agent.log
    told = run_command("status", "--spool", site.spool).stdout
    assert "file not in force since " in told
    assert message in " ".join(told.split())
    for words in (("status",), ("queue", "list"), ("trigger", "probe")):
        done = run_command(*words, "--config", site.config)
        assert (done.returncode == 10) is ("'--spool FOLDER' asks it without the file" in done.stderr)
    site.config.write_text(text.replace("captures = 1", "captures = 2").replace("every_s = 3600.0", "every_s = 0.1"))
    agent.signal(signal.SIGHUP)
    agent.wait_until("the agent still works", lambda: site.all_in("committed", 3))
    assert is_listening(site.port)
    assert "reload: source probe: every_s, captures; stopped from probe; started from probe" in agent.log
    assert "file not in force" not in run_command("status", "--config", site.config).stdout


def test_a_trigger_captures_and_an_unknown_one_is_refused(site: Site) -> None:
    site.configure(destinations=[], sources=[{**QUICK_SOURCE, "every_s": 0.0}])
    agent = site.start()
    assert site.rows() == []
    assert "waits for a trigger" in run_command("status", "--config", site.config).stdout
    assert ask(site, "trigger", "probe") == {"ok": True}
    agent.wait_for("captured ")
    done = run_command("trigger", "nobody", "--config", site.config)
    assert done.returncode == 4
    assert "no source 'nobody' is configured; there are: probe [not_found]" in done.stderr
    slow = {**QUICK_SOURCE, "uri": "pattern:us-mono?rows=64&columns=64&rate_hz=10", "every_s": 0.0}
    site.configure(destinations=[], sources=[{**slow, "clip_frames": 0, "clip_s": 60.0}])
    agent.signal(signal.SIGHUP)
    agent.wait_for("started from probe")
    assert ask(site, "trigger", "probe") == {"ok": True}
    agent.wait_until("the clip runs", lambda: ask(site, "status")["sources"]["probe"]["recording"])
    assert ask(site, "trigger", "probe") == {"ok": True}
    assert "recording, one more asked for" in run_command("status", "--config", site.config).stdout
    done = run_command("trigger", "probe", "--config", site.config)
    assert (done.returncode, done.stdout) == (6, "")
    assert "a capture of probe is already waiting; this one is not made [capture.waiting]" in done.stderr
    assert site.stop() == 0
    done = run_command("trigger", "probe", "--config", site.config)
    assert done.returncode == 5
    assert "[not_running]" in done.stderr


def test_retry_reaches_the_running_agent_and_works_without_one(site: Site, tmp_path: Path, ca: Path) -> None:
    port = free_port()
    to = {"name": "archive", "called_ae": "BENCH", "port": port, "tls": True, "retry_base_s": 600, "retry_cap_s": 600}
    site.configure(destinations=[to], sources=[QUICK_SOURCE])
    agent = site.start()
    agent.wait_until("a failure", lambda: site.all_in("deferred", 1))
    status = ask(site, "status")["destinations"]["archive"]
    assert status["state"] == "resting"
    assert "link.connect" in status["reason"]
    told = {"retried": 1, "asked": 0, "diverted": {}, "held_by_operator": 0}
    assert ask(site, "queue", "retry") == {**told, "agent_running": True}
    agent.wait_until("another try", lambda: site.all_in("deferred", 1) and _failures(site) == 2)
    assert site.stop() == 0
    assert ask(site, "queue", "retry", "--destination", "archive") == {**told, "agent_running": False}
    assert site.all_in("queued", 1)


def test_a_dead_destination_does_not_delay_another(site: Site, archive: Archive, to_archive: Any) -> None:
    dead = {"name": "dead", "called_ae": "NOBODY", "port": free_port(), "tls": True}
    site.configure(destinations=[dead, to_archive], sources=[QUICK_SOURCE])
    agent = site.start()
    agent.wait_until("commitment", lambda: any(row.states.get("archive") == "committed" for row in site.rows()))
    assert all(row.states["dead"] != "committed" for row in site.rows())


def test_the_log_repeats_no_patient_data(site: Site, archive: Archive, to_archive: Any) -> None:
    site.configure(destinations=[to_archive], sources=[QUICK_SOURCE])
    agent = site.start()
    agent.wait_until("commitment", lambda: site.all_in("committed", 1))
    assert site.stop() == 0
    assert "TEST^BENCH" not in agent.log
    assert b"TEST^BENCH" not in (site.spool / "ledger.db").read_bytes()


def test_the_daemon_stays_small(site: Site) -> None:
    site.configure(destinations=[{"name": "away", "called_ae": "AWAY", "port": free_port(), "tls": True}])
    agent = site.start()
    time.sleep(0.5)
    with open(f"/proc/{agent.pid}/status") as file:
        rss_kib = next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
    # Speed and memory are judged by scripts/bench; this only notices a module that should not be there.
    assert rss_kib < 40 * 1024
    with open(f"/proc/{agent.pid}/maps") as file:
        assert "numpy" not in file.read()
    assert json.dumps(ask(site, "status")["memory"])
    assert os.path.exists(site.spool / "control.sock")


def test_a_receipt_says_whether_the_instance_is_safe(site: Site, archive: Archive, to_archive: Any) -> None:
    """Stored is not enough while commitment is asked for; it is where the site switched commitment off."""
    site.configure(destinations=[{**to_archive, "commitment": False}], sources=[QUICK_SOURCE])
    agent = site.start()
    agent.wait_until("storage", lambda: site.all_in("stored", 1))
    [row] = site.rows()
    words = ("receipt", row.uid, "--config", site.config, "--committed")
    assert run_command(*words).returncode == 0
    assert site.stop() == 0
    archive.stop()
    site.configure(destinations=[to_archive])
    agent = site.start()
    done = run_command(*words)
    assert done.returncode == 50
    assert "is not safe at every destination yet [not_delivered]" in done.stderr


def test_a_peer_that_hangs_does_not_hold_up_the_stop(site: Site, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        site.tls = None
        to = {"name": "stuck", "called_ae": "STUCK", "port": hanging.getsockname()[1]}
        site.configure(destinations=[to], sources=[QUICK_SOURCE])
        agent = site.start()
        side, _ = hanging.accept()
        with side:
            assert side.recv(1) == b"\x01"  # the beginning of an A-ASSOCIATE-RQ
            agent.signal(signal.SIGTERM)
            assert agent.wait(12.0) == 0
    assert site.all_in("deferred", 1) or site.all_in("queued", 1)


def test_without_listener_it_runs_too(site: Site, archive: Archive, to_archive: Any) -> None:
    site.configure(destinations=[to_archive], sources=[QUICK_SOURCE])
    text = site.config.read_text()
    site.config.write_text(text.replace("enabled = true", "enabled = false"))
    agent = Process([AGENT, "run", "--config", str(site.config)], site.folder / "agent.log")
    with agent:
        agent.wait_for("ready\n")
        agent.wait_until("commitment", lambda: site.all_in("committed", 1))
        assert not is_listening(site.port)


def test_a_renewed_certificate_is_taken_at_reload(
    site: Site, archive: Archive, to_archive: Any, tmp_path: Path
) -> None:
    assert site.tls is not None
    own = Path(shutil.copytree(site.tls, tmp_path / "tls"))
    site.tls = own
    site.configure(destinations=[to_archive])
    agent = site.start()
    agent.signal(signal.SIGHUP)
    agent.wait_for("reload: nothing changed")
    issuer = bench_ca.Identity(f"{own}/ca.pem", f"{own}/ca.pem", f"{own}/ca.key")
    bench_ca.issue(str(own), "agent", issuer, hosts=("localhost", "127.0.0.1"))
    agent.signal(signal.SIGHUP)
    agent.wait_for("started listener")
    assert "stopped to archive" in agent.log
    agent.wait_listening(site.port)


def test_a_log_that_nobody_reads_holds_nothing_up(site: Site) -> None:
    """A paused pager or XOFF on the serial console: captures go on and SIGTERM ends the agent."""
    site.configure(destinations=[], sources=[{**QUICK_SOURCE, "clip_frames": 1, "every_s": 0.05, "captures": 0}])
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)  # 20 lines
    agent = subprocess.Popen([AGENT, "run", "--config", site.config], stdout=subprocess.DEVNULL, stderr=writer)
    try:
        os.close(writer)
        until = time.monotonic() + 90
        while len(site.rows()) < 40:
            assert time.monotonic() < until
            time.sleep(0.1)
        agent.terminate()
        assert agent.wait(10) == 0
    finally:
        agent.kill()
        agent.wait()
        os.close(reader)


def test_a_key_that_others_may_read_is_refused(site: Site, tmp_path: Path) -> None:
    assert site.tls is not None
    site.tls = Path(shutil.copytree(site.tls, tmp_path / "tls"))
    key = site.tls / "agent.key"
    assert (key.stat().st_mode & 0o777, (site.tls / "ca.key").stat().st_mode & 0o777) == (0o600, 0o600)
    key.chmod(0o644)
    site.configure(destinations=[])
    for words in (("run", "--config", site.config), ("config", "check", site.config)):
        done = run_command(*words)
        assert done.returncode == 10
        assert "tls.key_file" in done.stderr
        assert f"hint: chmod 600 {key}" in done.stderr


def test_a_source_that_could_make_nothing_is_refused_before_ready(site: Site, tmp_path: Path) -> None:
    (tmp_path / "a.pgm").write_bytes(b"P5 16 16 65535\n" + bytes(512))
    site.configure(destinations=[], sources=[{"name": "panel", "uri": f"replay:{tmp_path}/a.pgm", "sop_class": "dx"}])
    done = run_command("run", "--config", site.config)
    assert done.returncode == ConfigError.exit_status, done.stderr
    assert "source 'panel' cannot make an instance of dx" in done.stderr
    assert "pixel_spacing_mm" in done.stderr
    assert "ready" not in done.stdout
    assert "Traceback" not in done.stderr


def test_a_rehearsal_leaves_nothing_in_the_daemon(site: Site) -> None:
    """What captures need is loaded by the first one: the daemon that waits has none of it mapped."""
    site.configure(destinations=[], sources=[QUICK_SOURCE | {"every_s": 0}])
    agent = site.start()
    core = "native/_core"
    assert core not in Path(f"/proc/{agent.pid}/maps").read_text()
    agent.signal(signal.SIGHUP)
    agent.wait_for("reload: nothing changed")
    assert core not in Path(f"/proc/{agent.pid}/maps").read_text()
    assert run_command("trigger", QUICK_SOURCE["name"], "--config", site.config).returncode == 0
    agent.wait_until("a capture", lambda: len(site.files()) == 1)
    assert core in Path(f"/proc/{agent.pid}/maps").read_text()
