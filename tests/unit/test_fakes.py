"""The helpers of the tests themselves, where they once were wrong."""

from __future__ import annotations

import os
from pathlib import Path

from fakes.peers import find_program


def program(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True)
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_a_peer_is_never_taken_from_a_virtual_environment_whosever_it_is(tmp_path, monkeypatch):
    foreign, judge = program(tmp_path / "venv/bin", "storescp"), program(tmp_path / "usr/bin", "storescp")
    (tmp_path / "venv/pyvenv.cfg").touch()
    monkeypatch.setenv("PATH", os.pathsep.join([str(foreign.parent), str(judge.parent)]))
    assert find_program("storescp") == str(judge)
