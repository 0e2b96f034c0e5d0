"""Media beside a running daemon: it goes on capturing, and its ledger keeps what went out."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pydicom
from fakes import exports, hostile_media
from fakes.site import AGENT, Site

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = {"name": "probe", "uri": "pattern:us-rgb?rows=48&columns=64&rate_hz=30", "sop_class": "us",
          "transfer_syntax": "rle", "every_s": 0.2, "captures": 3}  # fmt: skip
NOWHERE = {"name": "pacs", "called_ae": "PACS", "port": 9}


def media(site: Site, *words: object) -> dict[str, Any]:
    done = subprocess.run(
        [AGENT, "media", *map(str, words), "--config", str(site.config), "--json"], capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_export_beside_the_daemon(tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    site.configure(destinations=[NOWHERE], sources=[SOURCE])
    out = tmp_path / "out"
    out.mkdir()
    agent = site.start()
    try:
        agent.wait_until("three instances", lambda: len(site.rows()) >= 3)
        made = media(site, "export", "--all", "--to", out)["media"]
        assert len(made[0]["instances"]) == 3
        uid = site.rows()[0].uid
        told = subprocess.run([AGENT, "receipt", uid, "--verify", "--config", str(site.config)], capture_output=True,
                              text=True, check=False)  # fmt: skip
        assert told.returncode == 0
        assert "exported" in told.stdout
    finally:
        site.stop()
    directory = pydicom.dcmread(out / "DICOMDIR")
    assert len([row for row in directory.DirectoryRecordSequence if row.DirectoryRecordType == "IMAGE"]) == 3


def test_import_beside_the_daemon(tmp_path: Path) -> None:
    """Descriptors go to the daemon; what it has it knows again, and other content is an alarm in its log."""
    out = tmp_path / "out"
    out.mkdir()
    exports.run(exports.filled(tmp_path / "other"), out)
    site = Site(tmp_path / "site")
    site.configure(destinations=[NOWHERE])
    site.start()
    try:
        first = media(site, "import", out)
        assert (first["new"], first["error"]) == (4, 0)
        again = media(site, "import", out, "--files")
        assert (again["new"], again["same"], again["passed_over"]) == (0, 4, 2)
        assert len(site.rows()) == 4
        path = hostile_media.files(out)[3]
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)
        conflict = subprocess.run([AGENT, "media", "import", str(path), "--config", str(site.config)],
                                  capture_output=True, text=True, check=False)  # fmt: skip
        assert conflict.returncode == 15
        assert "with other content" in conflict.stderr
        assert "with other content" in site.log()
        assert len(list((site.spool / "quarantine").iterdir())) == 1
    finally:
        assert site.stop() == 0
    path.write_bytes(bytes(data[:-1]) + bytes([data[-1] ^ 1]))
    assert media(site, "import", out, "--destination", "pacs")["same"] == 4  # and without it, too
