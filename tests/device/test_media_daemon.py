"""Media beside a running daemon: it goes on capturing, and its ledger keeps what went out."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pydicom
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
