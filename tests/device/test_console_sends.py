"""What a box makes for who helps goes out over the line that the console is on: log, bundle, picture; and images onto
a medium. The other end is lrzsz, and the judges of what arrived are the box's own verbs, tarfile, pillow and pydicom.
"""

from __future__ import annotations

import hashlib
import io
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from fakes.box import Box, Person
from fakes.command import run_command
from fakes.peers import need
from fakes.process import Process
from fakes.site import AGENT, Site
from PIL import Image

pytestmark = pytest.mark.slow

NOISE, SEED = 3e-4, 121  # with which bytes 223, 292 and 731 are hit: even a short log is
SOURCE = {"name": "probe", "uri": "pattern:us-rgb?rows=48&columns=64&rate_hz=30", "clip_s": 0.2, "sop_class": "us-mf"}
# What -> how it is asked for, with what protocol, what the person starts, and the name that the file has then.
SENT = {
    "log": ("file send log", "rz", "agent.log"),
    "support": ("file send support protocol ymodem", "rb", "support.tar.gz"),
    "preview": ("file send preview source probe protocol xmodem", "rx", "preview.png"),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An agent that has made an image and goes on working."""
    site = Site(tmp_path_factory.mktemp("box"))
    site.configure(destinations=[{"name": "away", "called_ae": "AWAY", "port": 1}], sources=[SOURCE])
    with Process([AGENT, "run", "--config", str(site.config)], site.folder / "agent.log") as agent:
        agent.wait_until("ready", lambda: "ready" in agent.log, 60)
        run_command("trigger", "probe", "--config", site.config)
        agent.wait_until("an image", lambda: "captured 2.25" in agent.log, 60)
        yield site


def sent(site: Site, what: str, folder: Path, noise: float) -> tuple[bytes, int]:
    """Ask for a file at the console and take it; returns it as it arrived, and how long it is said to be."""
    command, program, name = SENT[what]
    need(program)
    with Box(site.config, seed=SEED) as box, Person(box.far) as person:
        person.log_in()
        person.type(command + "\r")
        said = person.expect(r"Receive it now with .*\r\n")
        told = re.search(rf"{re.escape(name)}, (\d+) bytes,\s+SHA-256 (\w+)", said)
        assert told is not None, said
        box.terminals.line.noise = noise
        words = [program, "-q", "-b", *(["-c", name] if program == "rx" else [])]
        with open(box.far, "r+b", buffering=0) as tty:
            peer = subprocess.Popen(words, stdin=tty, stdout=tty, stderr=subprocess.DEVNULL, cwd=folder)
        assert peer.wait(100) == 0
        box.terminals.line.noise = 0.0
        person.expect(rf"Sent: {re.escape(name)}, {told[1]} bytes, SHA-256 {told[2][:32]}[\s\S]*> $")
        assert bool(box.terminals.line.to_far.hit) is bool(noise)
    data = (folder / name).read_bytes()
    size = int(told[1])
    assert len(data) == size or (program == "rx" and not data[size:].strip(b"\x1a"))
    assert hashlib.sha256(data[:size]).hexdigest() == told[2]
    return data[:size], size


@pytest.mark.parametrize("noise", [0.0, NOISE], ids=["clean", "noisy"])
def test_the_log_goes_out(site: Site, tmp_path: Path, noise: float) -> None:
    data, _ = sent(site, "log", tmp_path, noise)
    lines = data.decode().splitlines()
    own = run_command("log", "--last=400", "--config", site.config).stdout.splitlines()
    assert any("captured 2.25" in line for line in lines)
    assert own[: len(lines)] == lines


@pytest.mark.parametrize("noise", [0.0, NOISE], ids=["clean", "noisy"])
def test_the_support_bundle_goes_out(site: Site, tmp_path: Path, noise: float) -> None:
    data, _ = sent(site, "support", tmp_path, noise)
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as bundle:
        names = bundle.getnames()
        assert all(bundle.extractfile(one) is not None for one in names)
    assert any("status" in name for name in names)


@pytest.mark.parametrize("noise", [0.0, NOISE], ids=["clean", "noisy"])
def test_a_preview_goes_out(site: Site, tmp_path: Path, noise: float) -> None:
    data, _ = sent(site, "preview", tmp_path, noise)
    with Image.open(io.BytesIO(data)) as picture:
        picture.load()
        assert picture.format == "PNG"
        assert picture.width * 48 == picture.height * 64


def test_images_go_onto_a_medium_from_the_console(site: Site) -> None:
    """Of a short name, so that the line that is typed is not scrolled."""
    with (
        tempfile.TemporaryDirectory(prefix="e", dir="/tmp") as place,
        Box(site.config) as box,
        Person(box.far) as person,
    ):
        person.log_in()
        said = person.do(f"export {place} all profile none", seconds=100)
        assert "safe to remove" in said.lower()
        found = pydicom.dcmread(Path(place, "DICOMDIR"))
        (row,) = [row for row in found.DirectoryRecordSequence if row.DirectoryRecordType == "IMAGE"]
        there = pydicom.dcmread(Path(place, *row.ReferencedFileID))
    kept = pydicom.dcmread(next(site.spool.glob("INST/*/*")))
    assert (there.SOPInstanceUID, there.PixelData) == (kept.SOPInstanceUID, kept.PixelData)
    record = (site.folder / "agent.toml.console/sessions").read_text()
    assert f"\tdone\tok\texport {place} all profile none" in record
