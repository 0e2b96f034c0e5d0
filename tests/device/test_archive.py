"""The bench archive as a program: what it answers to a truncated instance, and what it says when it cannot start."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from fakes.command import QUICK_SOURCE, run_command
from fakes.process import free_port
from fakes.site import Archive


@pytest.mark.parametrize("syntax", ["explicit", "rle"])
def test_a_truncated_instance_is_not_stored(syntax: str, tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.dcm", tmp_path / "cut.dcm"
    source = ("--source", QUICK_SOURCE["uri"], "--frames", 3, "--transfer-syntax", syntax)
    assert run_command("capture", *source, "-o", whole).returncode == 0
    cut.write_bytes(whole.read_bytes()[:-500])
    archive = Archive(tmp_path / "archive")
    archive.start()
    try:
        to = ("--to", f"BENCH@127.0.0.1:{archive.port}")
        refused = run_command("send", *to, cut, "--json")
        assert refused.returncode != 0
        assert archive.index() == []
        assert run_command("send", *to, whole).returncode == 0
        assert len(archive.index()) == 1
    finally:
        archive.stop()


def test_the_archive_says_what_it_stores(tmp_path: Path) -> None:
    file = tmp_path / "one.dcm"
    assert run_command("capture", "--source", QUICK_SOURCE["uri"], "--frames", 1, "-o", file).returncode == 0
    archive = Archive(tmp_path / "archive")
    process = archive.start()
    try:
        assert run_command("send", "--to", f"BENCH@127.0.0.1:{archive.port}", file).returncode == 0
        process.wait_for("stored 2.25.")
        assert "from MODALITY" in process.log
    finally:
        archive.stop()


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("precious")
    done = run_command("archive", "--directory", tmp_path, "--port", 0)
    assert done.returncode == 3
    assert "holds no index of an archive [file]" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["letter"]
    done = run_command("archive", "--directory", tmp_path / "letter", "--port", 0)
    assert done.returncode == 3
    assert "is not a folder [file]" in done.stderr
    assert "--directory" in done.stderr


def test_the_folder_or_the_port_is_taken(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    archive.start()
    try:
        done = run_command("archive", "--directory", archive.folder, "--port", 0)
        assert done.returncode == 14
        assert "another archive is running in" in done.stderr
    finally:
        archive.stop()
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        done = run_command("archive", "--directory", tmp_path / "new", "--port", port)
    assert done.returncode == 29
    assert "--port" in done.stderr
    assert "[listener]" not in done.stderr
