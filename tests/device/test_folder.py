"""A drop folder of a real daemon: a vendor's program that writes as vendors do, and what arrives at the archive."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pydicom
import pytest
from fakes.site import AGENT, Archive, Site

CT = Path(pydicom.__file__).parent / "data" / "test_files" / "CT_small.dcm"
# What a vendor's program does: slowly, by renaming, over and over, in two goes, and dying in the middle.
VENDOR = """
import os, sys, time
drop, files, what = sys.argv[1], sys.argv[2], sys.argv[3]
def data(name):
    with open(f"{files}/{name}", "rb") as file:
        return file.read()
def slowly(name, rest=0.02, upto=None):
    body = data(name)[:upto]
    with open(f"{drop}/{name}", "wb") as file:
        for at in range(0, len(body), 4000):
            file.write(body[at : at + 4000])
            file.flush()
            time.sleep(rest)
if what == "slow":
    slowly("0.png")
if what == "rename":
    for number in (1, 2, 3):
        with open(f"{drop}/.{number}.tmp", "wb") as file:
            file.write(data(f"{number}.png"))
        os.rename(f"{drop}/.{number}.tmp", f"{drop}/latest.png")
        while os.path.exists(f"{drop}/latest.png"):
            time.sleep(0.01)
if what == "twice":  # half of it, another program goes on later
    slowly("4.png", upto=9000)
    time.sleep(1.5)
    with open(f"{drop}/4.png", "ab") as file:
        file.write(data("4.png")[9000:])
if what == "truncate":  # a whole picture, and at once another one in its place
    with open(f"{drop}/5.png", "wb") as file:
        file.write(data("8.png"))
        file.flush()
        time.sleep(1.2)
        file.truncate(0)
        file.seek(0)
        file.write(data("5.png"))
if what == "die":
    slowly("6.png", upto=12000)
    os.kill(os.getpid(), 9)
"""


def source(drop: Path, options: str = "") -> dict[str, Any]:
    return {"name": "box", "uri": f"folder:{drop}?settle_s=0.3&poll_s=0.3&reject_s=4{options}", "sop_class": "sc",
            "burned_in_annotation": "NO", "transfer_syntax": "rle"}  # fmt: skip


def picture(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (120, 160), dtype=np.uint8)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    made = tmp_path / "files"
    made.mkdir()
    for number in range(10):
        body = io.BytesIO()
        PIL.Image.fromarray(picture(number)).save(body, "PNG")
        (made / f"{number}.png").write_bytes(body.getvalue())
    return made


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    made = tmp_path / "drop"
    made.mkdir()
    return made


def vendor(drop: Path, files: Path, *whats: str) -> list[int]:
    running = [subprocess.Popen([sys.executable, "-c", VENDOR, str(drop), str(files), what]) for what in whats]
    return [one.wait(60) for one in running]


def known(site: Site) -> bool:
    """Whether the ledger says whose the folder is: what comes from then on is of the present patient."""
    path = site.spool / "ledger.db"
    if not path.exists():
        return False
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as database:
        if not database.execute("PRAGMA user_version").fetchone()[0]:
            return False  # it has no tables yet
        return bool(database.execute("SELECT 1 FROM meta WHERE key LIKE 'folder %'").fetchall())


def pixels(paths: list[Path]) -> dict[bytes, int]:
    found: dict[bytes, int] = {}
    for path in paths:
        body = pydicom.dcmread(path).pixel_array.tobytes()
        found[body] = found.get(body, 0) + 1
    return found


def test_every_file_of_a_vendor_arrives_once(
    site: Site, archive: Archive, to_archive: dict[str, Any], drop: Path, files: Path
) -> None:
    site.configure(destinations=[to_archive], sources=[source(drop)])
    agent = site.start()
    agent.wait_until("a folder that is known", lambda: known(site), 30)
    assert vendor(drop, files, "slow", "rename", "twice", "truncate", "die") == [0, 0, 0, 0, -9]
    (drop / "ct").write_bytes(CT.read_bytes())
    (drop / "again.png").write_bytes((files / "0.png").read_bytes())
    agent.wait_until("all seven", lambda: site.all_in("committed", 7), 60)
    agent.wait_until("the half one set aside", (drop / "rejected/6.png.reason.txt").exists, 60)
    assert site.stop() == 0
    got = [path for _, path in archive.index()]
    assert len(got) == 7
    want = {picture(number).tobytes(): 1 for number in range(6)}
    want[pydicom.dcmread(CT).pixel_array.tobytes()] = 1
    assert pixels(got) == want
    assert (
        "no end chunk" in (drop / "rejected/6.png.reason.txt").read_text()
        or "cut short" in (drop / "rejected/6.png.reason.txt").read_text()
    )
    assert sorted(path.name for path in drop.iterdir()) == [".taking", "done", "rejected"]
    assert "nothing is doubled" in site.log()


def test_a_daemon_that_is_killed_over_and_over_takes_each_file_once(tmp_path: Path, drop: Path, files: Path) -> None:
    site = Site(tmp_path / "site")
    site.configure(destinations=[{"name": "pacs", "called_ae": "PACS", "port": 9}],
                   sources=[source(drop, "&done=delete")])  # fmt: skip
    agent = site.start()
    agent.wait_until("a folder that is known", lambda: known(site), 30)
    agent.kill()
    for number in range(10):
        (drop / f"{number}.png").write_bytes((files / f"{number}.png").read_bytes())
    for turn in range(6):
        agent = site.start()
        time.sleep(0.25 + 0.07 * turn)
        agent.kill()
    agent = site.start()
    agent.wait_until("an empty folder", lambda: not [*drop.glob("*.png")], 60)
    assert site.stop() == 0
    assert pixels(site.files()) == {picture(number).tobytes(): 1 for number in range(10)}


def test_a_folder_that_goes_and_comes_back_is_an_alarm_in_between(tmp_path: Path, drop: Path, files: Path) -> None:
    site = Site(tmp_path / "site")
    site.configure(destinations=[{"name": "pacs", "called_ae": "PACS", "port": 9}], sources=[source(drop)])
    agent = site.start()
    agent.wait_until("a folder that is known", lambda: known(site), 30)
    os.rename(drop, tmp_path / "away")
    agent.wait_until("the alarm", lambda: "No such file" in site.log() and "alarm" in site.log(), 30)
    told = json.loads(subprocess.run([AGENT, "status", "--config", str(site.config), "--json"], check=False,
                                     capture_output=True, text=True).stdout)  # fmt: skip
    assert "No such file" in told["sources"]["box"]["attention"]
    (tmp_path / "away/9.png").write_bytes((files / "9.png").read_bytes())
    os.rename(tmp_path / "away", drop)
    agent.wait_until("the picture", lambda: len(site.rows()) == 1, 60)
    assert site.stop() == 0


def test_what_waits_over_a_change_of_patient_while_the_agent_is_down_is_nobodys(
    tmp_path: Path, drop: Path, files: Path
) -> None:
    site = Site(tmp_path / "site")
    whole = {"destinations": [{"name": "pacs", "called_ae": "PACS", "port": 9}]}
    site.configure(**whole, sources=[source(drop, "&marker=.ok")])
    agent = site.start()
    agent.wait_until("a folder that is known", lambda: known(site), 30)
    (drop / "1.png").write_bytes((files / "1.png").read_bytes())
    agent.kill()
    site.configure(**whole, sources=[source(drop)])
    with open(site.config, "a") as file:
        file.write('\n[patient]\nid = "B"\n')
    agent = site.start()
    agent.wait_until("the one set aside", (drop / "rejected/1.png.reason.txt").exists, 60)
    (drop / "2.png").write_bytes((files / "2.png").read_bytes())
    agent.wait_until("the picture", lambda: len(site.rows()) == 1, 60)
    assert site.stop() == 0
    (found,) = site.files()
    assert pydicom.dcmread(found).PatientID == "B"
    assert (pydicom.dcmread(found).pixel_array == picture(2)).all()
