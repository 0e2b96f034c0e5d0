"""Everything that can be wrong from outside: its own sentence, its own exit status, and the queue stays as it was."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.command import QUICK_SOURCE, run_command
from fakes.media import LoopMedium, may_mount
from fakes.process import free_port
from fakes.site import Archive, Site

from agent.app import bench_ca

NEEDS_MOUNT = pytest.mark.skipif(not may_mount(), reason="only root outside a restricted container may mount")
MPEG2 = "1.2.840.10008.1.2.4.100"  # video is never made


# --- the daemon does not start ---------------------------------------------------------------------


def configure(site: Site, **changes: Any) -> None:
    site.configure(destinations=[{"name": "archive", "called_ae": "BENCH", "port": 104, "tls": True}], **changes)


@pytest.mark.parametrize(
    ("old", "new", "status", "message"),
    [
        ("min_free_mib", "min_fre_mib", 10, "spool.min_fre_mib: unknown key; did you mean 'min_free_mib'? [config]"),
        (
            "port = 104",
            "port = 1040000",
            10,
            "destination[0].port: 1040000 is not a whole number from 1 to 65535 [config]",
        ),
        ("tls = true", "tls = yes", 10, "not TOML: invalid value [config]"),
        ("ca.pem", "nothing.pem", 10, "tls.ca_file: no such file: "),
        ("agent.key", "archive.key", 10, "does not belong to certificate"),
        ("agent.pem", "ca.key", 10, "holds no certificate in PEM form [config]"),
    ],
)
def test_a_bad_configuration(old: str, new: str, status: int, message: str, site: Site) -> None:
    configure(site)
    text = site.config.read_text()
    assert old in text
    site.config.write_text(text.replace(old, new, 1))
    done = run_command("run", "--config", site.config)
    assert done.returncode == status
    assert message in done.stderr
    assert done.stdout == ""
    assert not site.spool.exists()


def test_a_port_in_use(site: Site) -> None:
    with socket.create_server(("127.0.0.1", site.port)):
        configure(site)
        done = run_command("run", "--config", site.config)
    assert done.returncode == 29
    assert f"cannot listen on 127.0.0.1:{site.port}: Address already in use [link.listen]" in done.stderr


def test_our_certificate_has_expired(site: Site, tmp_path: Path) -> None:
    folder = tmp_path / "old"
    bench_ca.issue(str(folder), "agent", bench_ca.make_ca(str(folder), "ca"), hosts=("localhost",), days=-1)
    site.tls = folder
    configure(site)
    done = run_command("run", "--config", site.config)
    assert done.returncode == 22
    assert "agent.pem expired on" in done.stderr
    assert "Renew the certificate of this box." in done.stderr


def test_the_medium_is_missing(site: Site, tmp_path: Path) -> None:
    site.spool = tmp_path / "card" / "spool"
    configure(site)
    text = site.config.read_text()
    site.config.write_text(text.replace("[spool]", f'[spool]\nrequire_mount = "{tmp_path / "card"}"'))
    done = run_command("run", "--config", site.config)
    assert done.returncode == 16
    assert f"no medium is mounted at {tmp_path / 'card'} [spool.media]" in done.stderr


def test_the_spool_has_no_place(site: Site, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    site.spool = tmp_path / "file" / "spool"
    configure(site)
    done = run_command("run", "--config", site.config)
    assert done.returncode == 16
    assert "Not a directory [spool.media]" in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_the_spool_is_not_ours(site: Site) -> None:
    site.spool.mkdir(mode=0o500)
    configure(site)
    done = run_command("run", "--config", site.config)
    assert done.returncode == 16
    assert "is not writable [spool.media]" in done.stderr


@NEEDS_MOUNT
def test_the_medium_is_read_only(site: Site, tmp_path: Path) -> None:
    medium = LoopMedium(tmp_path / "image", tmp_path / "card", 16)
    try:
        site.spool = tmp_path / "card" / "spool"
        site.spool.mkdir()
        subprocess.run(["mount", "-o", "remount,ro", str(medium.folder)], check=True)
        configure(site)
        done = run_command("run", "--config", site.config)
    finally:
        medium.close()
    assert done.returncode == 16
    assert "is on a read-only file system" in done.stderr


# --- the daemon goes on -------------------------------------------------------------------------------


def test_a_full_medium_refuses_captures_and_keeps_the_queue(site: Site, archive: Archive, to_archive: Any) -> None:
    site.configure(destinations=[to_archive], sources=[QUICK_SOURCE])
    site.start().wait_until("commitment", lambda: site.all_in("committed", 1))
    assert site.stop() == 0
    site.configure(destinations=[to_archive], sources=[QUICK_SOURCE])
    site.config.write_text(site.config.read_text().replace("min_free_mib = 1", "min_free_mib = 1048576"))
    agent = site.start()
    agent.wait_for("[spool.full]")
    assert "no room for" in agent.log
    assert [row.states for row in site.rows()] == [{"archive": "committed"}]
    assert site.stop() == 0


@NEEDS_MOUNT
def test_a_medium_that_fills_up_in_mid_clip_keeps_what_there_is(
    site: Site, archive: Archive, to_archive: Any, tmp_path: Path
) -> None:
    medium = LoopMedium(tmp_path / "image", tmp_path / "card", 200)
    try:
        site.spool = tmp_path / "card" / "spool"
        big = {**QUICK_SOURCE, "uri": "pattern:us-rgb?rows=768&columns=1024&rate_hz=60", "clip_frames": 2000}
        big |= {"clip_s": 600, "transfer_syntax": "rle"}
        site.configure(destinations=[to_archive], sources=[big])
        agent = site.start()
        agent.wait_for("ended by full", 40.0)
        agent.wait_until("commitment", lambda: site.all_in("committed", 1))
        assert site.stop() == 0
    finally:
        if site.agent is not None:
            site.agent.stop()
        medium.close()


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("replay:nothing.png", "source[0].uri: no such file: "),
        ("pattern:dx16", "source[0].sop_class: 'us-mf' cannot hold the 16 bit pictures of pattern:dx16"),
    ],
)
def test_a_source_that_cannot_work(uri: str, message: str, site: Site, archive: Archive, to_archive: Any) -> None:
    """Found when the file is read."""
    site.configure(destinations=[to_archive], sources=[{**QUICK_SOURCE, "uri": uri, "sop_class": "us-mf"}])
    done = run_command("run", "--config", site.config)
    assert done.returncode == 10
    assert message in done.stderr


def test_a_source_that_no_instance_can_hold(site: Site, tmp_path: Path) -> None:
    """What only a look at the frames shows is found when the sources are rehearsed, before the agent is ready."""
    (tmp_path / "colour.ppm").write_bytes(b"P6 64 48 255\n" + bytes(64 * 48 * 3))
    source = {**QUICK_SOURCE, "uri": f"replay:{tmp_path}/colour.ppm", "sop_class": "dx", "clip_frames": 1}
    site.configure(destinations=[], sources=[source])
    done = run_command("run", "--config", site.config)
    assert done.returncode == 10
    assert "source 'probe' cannot make an instance of dx" in done.stderr
    assert "SamplesPerPixel has 3, allowed are 1" in done.stderr
    assert site.rows() == []


# --- peers ---------------------------------------------------------------------------------------------


@pytest.fixture
def plain_archive(tmp_path: Path) -> Iterator[Archive]:
    made = Archive(tmp_path / "plain")
    made.start()
    yield made
    made.stop()


def tls_words(folder: Path, name: str = "agent") -> list[str]:
    return ["--ca", f"{folder}/ca.pem", "--cert", f"{folder}/{name}.pem", "--key", f"{folder}/{name}.key"]


def test_wrong_ca(archive: Archive, ca: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    bench_ca.issue(str(other), "agent", bench_ca.make_ca(str(other), "ca"), hosts=("localhost",))
    done = run_command("echo", "--to", f"BENCH@localhost:{archive.port}", *tls_words(other))
    assert done.returncode == 22
    assert "comes with a CA that is not in" in done.stderr
    words = ["--ca", f"{ca}/ca.pem", *tls_words(other)[2:]]
    done = run_command("echo", "--to", f"BENCH@localhost:{archive.port}", *words)
    assert done.returncode == 22
    assert "[link.tls]" in done.stderr


def test_host_name_mismatch(archive: Archive, ca: Path) -> None:
    to = ("--to", f"BENCH@localhost:{archive.port}", *tls_words(ca))
    done = run_command("echo", *to, "--server-name", "pacs.example.org")
    assert done.returncode == 22
    assert "is not for the name pacs.example.org" in done.stderr
    assert run_command("echo", *to, "--server-name", "localhost").returncode == 0


def test_the_certificate_of_the_peer_has_expired(ca: Path, tmp_path: Path) -> None:
    issuer = bench_ca.Identity(f"{ca}/ca.pem", f"{ca}/ca.pem", f"{ca}/ca.key")
    old = bench_ca.issue(str(tmp_path), "old", issuer, hosts=("localhost",), days=-1)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(old.certificate_file, old.key_file)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            side, _ = listener.accept()
            with side, contextlib.suppress(OSError):
                context.wrap_socket(side, server_side=True)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        done = run_command("echo", "--to", f"OLD@localhost:{listener.getsockname()[1]}", *tls_words(ca))
        thread.join(10)
    assert done.returncode == 22
    assert "has expired (the clock of this box says" in done.stderr


def test_tls_and_plain_do_not_mix(archive: Archive, plain_archive: Archive, ca: Path) -> None:
    done = run_command("echo", "--to", f"BENCH@localhost:{plain_archive.port}", *tls_words(ca))
    assert done.returncode == 22
    assert "TLS" in done.stderr
    done = run_command("echo", "--to", f"BENCH@localhost:{archive.port}", "--timeout", "5")
    assert done.returncode != 0
    assert "hint: " in done.stderr


def test_a_wrong_ae_title_and_a_dead_port(plain_archive: Archive) -> None:
    done = run_command("echo", "--to", f"NOBODY@127.0.0.1:{plain_archive.port}")
    assert done.returncode == 23
    assert "[association.rejected.permanent]" in done.stderr
    done = run_command("echo", "--to", f"BENCH@127.0.0.1:{free_port()}")
    assert done.returncode == 20
    assert "[link.connect]" in done.stderr


def test_send_says_what_became_of_each_file(plain_archive: Archive, tmp_path: Path) -> None:
    good, text = tmp_path / "good.dcm", tmp_path / "text.dcm"
    assert run_command("capture", "--source", QUICK_SOURCE["uri"], "--frames", 2, "-o", good).returncode == 0
    text.write_text("this is no DICOM file" * 20)
    to = ("--to", f"BENCH@127.0.0.1:{plain_archive.port}")
    done = run_command("send", *to, good, "--json")
    assert done.returncode == 0
    assert done.json["files"][0]["status"] == "0000"
    done = run_command("send", *to, text)
    assert done.returncode == 30
    assert "text.dcm is no DICOM file" in done.stderr
    assert done.stderr.count("text.dcm") == 1
    done = run_command("send", *to, text, good, "--skip-bad")
    assert done.returncode == 50
    assert "\n1 of 2 files stored, 1 skipped, " in done.stdout
    assert "1 of 2 files not stored [not_delivered]" in done.stderr
    done = run_command("send", *to, text, good)
    assert done.returncode == 30
    assert "stored" not in done.stdout
    done = run_command("send", *to, text, good, "--skip-bad", "--json")
    assert done.returncode == 50
    assert [row["stored"] for row in done.json["files"]] == [True, False]
    done = run_command("send", *to, tmp_path / "nothing.dcm")
    assert done.returncode == 3
    assert "nothing.dcm: No such file or directory [file]" in done.stderr
    assert len(plain_archive.index()) == 1


def test_send_takes_folders_and_prints_no_control_characters(plain_archive: Archive, tmp_path: Path) -> None:
    below = tmp_path / "exam" / "series"
    below.mkdir(parents=True)
    to = ("--to", f"BENCH@127.0.0.1:{plain_archive.port}")
    assert run_command("send", *to, tmp_path / "exam").returncode == 3  # nothing in it
    for name in (below / "1", below / "2", tmp_path / "exam" / "3"):
        assert run_command("capture", "--source", QUICK_SOURCE["uri"], "--frames", 1, "-o", name).returncode == 0
    (tmp_path / "exam" / "DICOMDIR").write_text("no image")
    done = run_command("send", *to, tmp_path / "exam", "--json")
    assert done.returncode == 0
    assert [Path(row["file"]).name for row in done.json["files"]] == ["3", "1", "2"]
    assert len(plain_archive.index()) == 3
    evil = tmp_path / "exam" / "\x1b[2Jtext"
    evil.write_text("this is no DICOM file" * 20)
    done = run_command("send", *to, tmp_path / "exam")
    assert done.returncode == 30
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["echo", "--to", "nobody"], "agent.toml: cannot be read"),
        (["echo", "--to", "nowhere"], "'nowhere' is neither AET@HOST:PORT nor a destination; no configuration given"),
        (["echo", "A@b:1"], "nothing is known about 'A@b:1'; did you mean --to A@b:1?"),
        (["run", "bench.toml"], "nothing is known about 'bench.toml'; did you mean --config bench.toml?"),
        (["run", "--config", "/nonexistent"], "'modality-agent config example' prints one."),
        (["echo", "--to", "A@b:1", "--ca", "nope.pem"], "--ca nope.pem: No such file or directory [file]"),
        (["echo", "--to", "A@127.0.0.1:1"], "Is the peer started, and on this port?"),
        (["echo", "--to", "A@b:1", "--wait", "-1"], "--wait must not be less than 0"),
        (["echo", "--to", "A@b"], "is not AET@HOST:PORT"),
        (["echo", "--to", "A@b:1", "--cert", "x"], "TLS needs --ca"),
        (["echo", "--to", "A@b:1", "--ae", "x" * 17], "--ae: AE Title"),
        (["echo", "--to", "A@b:1", "--timeout", "0"], "--timeout must be more than 0"),
        (["archive", "--ae-title", ""], "--ae-title: AE Title '' is empty"),
        (["archive", "--port", "70000"], "--port: 70000 is not a number"),
        (["archive", "--ca", "x"], "TLS needs --ca, --cert and --key together"),
        (["capture", "--source", "camera:0", "-o", "x"], "must start with one of folder:, gige:,"),
        (["capture", "--source", "pattern:us-rgb", "--frames", "0", "-o", "x"], "--frames must be at least 1"),
        (["capture", "--source", "pattern:us-rgb", "--frames", "2", "--sop-class", "sc", "-o", "x"], "has one frame"),
        (["capture", "--source", "pattern:us-rgb", "--transfer-syntax", MPEG2, "-o", "x"], "cannot make instances"),
        (["capture", "--source", "/etc/passwd", "-o", "x"], "hint: Did you mean replay:/etc/passwd?"),
        (["capture", "--source", "pattern:us-rgb?rows=1", "-o", "x"], "hint: It is written like 'pattern:us-rgb?rows"),
        (
            ["capture", "--source", "replay:x", "--set", "view=PA", "--set", "view=LL", "-o", "x"],
            "view is said twice",
        ),
        (
            ["capture", "--source", "replay:x", "--anatomy", "HEAD", "--set", "anatomy=CHEST", "-o", "x"],
            "anatomy is said",
        ),
        (
            ["capture", "--source", "pattern:us-rgb", "--config", "/nonexistent", "-o", "x"],
            "'modality-agent config example'",
        ),
        (
            ["capture", "--source", "pattern:us-rgb", "-o", "/nonexistent/x"],
            "/nonexistent/x: there is no folder /nonexis",
        ),
        (["transcode", "/etc/passwd", "--to", "rle", "-o", "x"], "/etc/passwd: no DICM prefix"),
        (["dump", "/etc"], "/etc is a folder"),
        (["queue", "show", "--spool", "/nonexistent"], "no spool at /nonexistent"),
        (["demo", "--seconds", "0"], "--seconds must be from 1 to 60"),
        (["demo", "--rows", "1"], "option 'rows' must be a whole number"),
        (["demo", "--output", "/nonexistent/x"], "/nonexistent: no such folder"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_command_lines_that_cannot_work(words: list[str], message: str, tmp_path: Path) -> None:
    done = (
        run_command(*words, "--config", tmp_path / "agent.toml")
        if words[:3] == ["echo", "--to", "nobody"]
        else run_command(*words)
    )
    assert done.returncode not in (0, 1)
    assert message in done.stderr
    assert done.stdout == ""


def test_a_folder_that_is_not_ours_is_never_emptied(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    done = run_command("demo", "--output", tmp_path)
    assert done.returncode == 3
    assert done.stderr.startswith(
        f"modality-agent: error: {tmp_path} is not empty and was not made by this program [file]"
    )
    assert (tmp_path / "mine").read_text() == "precious"
