"""A GigE Vision camera: its pictures bit by bit, each loss counted as what it is, and every way to lose the camera."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from fakes.command import Answer
from fakes.gige import ADDRESS, MEGAPIXEL, Lan, id_of, need_aravis, oracle
from fakes.peers import need
from fakes.process import Process
from fakes.site import AGENT, Site

DX = ("--sop-class", "dx", "--set", "view=PA", "--set", "patient_orientation=L/F", "--set", "burned_in_annotation=NO",
      "--set", "pixel_spacing_mm=0.15", "--set", "intensity_relationship=LIN", "--set", "intensity_sign=1",
      "--anatomy", "CHEST", "--laterality", "U")  # fmt: skip
CLIP = ("--sop-class", "us-mf")


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lan]:
    """A network in which nothing is lost, with one camera."""
    need_aravis()
    with Lan(tmp_path_factory.mktemp("lan")) as lan, lan.camera():
        yield lan


@pytest.fixture
def lan(tmp_path: Path) -> Iterator[Lan]:
    """A network without a camera."""
    need_aravis()
    with Lan(tmp_path) as lan:
        yield lan


def capture(lan: Lan, folder: Path, query: str, *words: object, who: str = ADDRESS) -> tuple[Answer, Path]:
    out = folder / "made.dcm"
    return lan.run("capture", "--source", f"gige:{who}?{query}", "-o", out, "--json", *words), out


def judged(path: Path, *, warnings: tuple[str, ...] = ()) -> pydicom.Dataset:
    said = subprocess.run([need("dciodvfy"), path], capture_output=True, text=True, check=False, timeout=60).stderr
    errors = [line for line in said.splitlines() if line.startswith("Error") and not line.endswith(warnings or "\0")]
    assert errors == []
    return pydicom.dcmread(path)


def spacing_ms(made: pydicom.Dataset) -> float:
    """Mean distance of frames; a Frame Time Vector where a busy machine made them uneven."""
    return float(np.mean(made.FrameTimeVector[1:]) if "FrameTimeVector" in made else made.FrameTime)


def ids(pictures: Any, picture_format: str = "Mono8") -> list[int]:
    """Frame ids of pictures that are each exactly what the camera makes for it."""
    found = [id_of(picture) for picture in pictures]
    for picture, number in zip(pictures, found, strict=True):
        np.testing.assert_array_equal(picture, oracle(picture_format, number, *picture.shape))
    return found


def missing(numbers: list[int], modulus: int = 255) -> int:
    return sum((after - before) % modulus - 1 for before, after in pairwise(numbers))


def test_a_still_of_16_bits_is_what_the_camera_made(quiet: Lan, tmp_path: Path) -> None:
    done, out = capture(quiet, tmp_path, f"format=Mono16&{MEGAPIXEL}&rate_hz=20", *DX)
    assert done.returncode == 0, done.stderr
    made = judged(out)
    assert (made.Rows, made.Columns, made.BitsStored, made.PhotometricInterpretation) == (1024, 1024, 16, "MONOCHROME2")
    ids([made.pixel_array], "Mono16")
    assert all(line.startswith("captured ") for line in done.stderr.splitlines()), done.stderr


def test_what_is_there_and_what_it_offers_is_listed(quiet: Lan) -> None:
    found = quiet.run("source", "list", "gige:", "--json").json["devices"]
    assert [(one["uri"], one["device"]) for one in found] == [(f"gige:{ADDRESS}", "Aravis-Fake-HW01")]
    told = quiet.run("source", "show", f"gige:{ADDRESS}", "--json").json
    assert {"Mono8", "Mono16", "RGB8"} < set(told["formats"])
    assert told["numbers"]["columns"]["high"] == 2048
    assert "rows=            " in quiet.run("source", "show", f"gige:{ADDRESS}").stdout
    assert quiet.run("source", "list", "usb:").returncode == 2


def test_a_clip_by_name_has_every_frame_in_its_turn_and_time(quiet: Lan, tmp_path: Path) -> None:
    query = f"format=Mono8&{MEGAPIXEL}&rate_hz=25"
    done, out = capture(quiet, tmp_path, query, *CLIP, "--frames", 20, who="HW01")
    assert done.returncode == 0, done.stderr
    made = judged(out)
    assert made.NumberOfFrames == 20
    assert missing(ids(made.pixel_array)) == done.json["dropped"]  # none, where the machine has time
    assert spacing_ms(made) >= 36  # more where the machine is too busy for the camera


@pytest.mark.parametrize("where", ["camera", "network"])
def test_what_is_lost_is_counted_alike_in_counters_and_instance(where: str, lan: Lan, tmp_path: Path) -> None:
    with lan.camera(lost_per_thousand=2 if where == "camera" else 0):
        if where == "network":
            if not lan.is_own:
                pytest.skip("packets are lost in a network of its own alone")
            need("iptables")
            lan.lose(0.002)
        query = "format=Mono8&columns=512&rows=512&rate_hz=25"
        done, out = capture(lan, tmp_path, query, *CLIP, "--frames", 25)
    assert done.returncode == 0, done.stderr
    gaps = missing(ids(pydicom.dcmread(out).pixel_array))
    losses = done.json["losses"]
    assert gaps == done.json["dropped"] >= losses["lost"] + losses["damaged"]
    assert losses["damaged"] > 0
    assert losses["restarts"] == 0
    assert pydicom.dcmread(out).ImageComments == f"Frames dropped during capture: {gaps}"


def test_a_trigger_of_ours_sets_the_pace(quiet: Lan, tmp_path: Path) -> None:
    done, out = capture(quiet, tmp_path, "format=Mono8&trigger=software&rate_hz=5", *CLIP, "--frames", 4)
    assert done.returncode == 0, done.stderr
    made = pydicom.dcmread(out)
    assert missing(ids(made.pixel_array)) == done.json["dropped"]
    assert spacing_ms(made) >= 150  # it looks for triggers 25 times a second


@pytest.mark.parametrize(
    ("query", "who", "says"),
    [
        ("format=Mono12", ADDRESS, "it has no pixel format 'Mono12'; it has BayerBG8, .*did you mean 'Mono1?6'"),
        ("columns=4096", ADDRESS, r"asked for columns=4096; it can be 1 to 2048"),
        ("trigger=hardware:Line7", ADDRESS, "it has no trigger 'Line7'; it has "),
        ("trigger=exposure:Line0", ADDRESS, "it cannot be exposed by a line"),
        ("", "127.0.0.9", "there is no such device, or nobody answers there"),
        ("", "Nobody", "there is no such camera; those that answer: Aravis-Fake-HW01"),
        ("interface=nowhere0", ADDRESS, "no such network interface"),
    ],
)
def test_what_cannot_be_is_said_in_words(query: str, who: str, says: str, quiet: Lan, tmp_path: Path) -> None:
    done, out = capture(quiet, tmp_path, query, *CLIP, "--frames", 2, who=who)
    assert done.returncode == 41
    assert re.search(says, done.stderr), done.stderr
    assert "hint: " in done.stderr
    assert not out.exists()


def test_a_missing_library_is_said_with_its_package(quiet: Lan, tmp_path: Path) -> None:
    (tmp_path / "libaravis-0.8.so.0").write_bytes(b"")
    done = quiet.run("capture", "--source", f"gige:{ADDRESS}", "-o", tmp_path / "a.dcm",
                   env={"LD_LIBRARY_PATH": str(tmp_path)})  # fmt: skip
    assert done.returncode == 41
    assert "the library that speaks to the device is not here (libaravis-0.8.so.0)" in done.stderr
    assert "apt-get install libaravis-0.8-0" in done.stderr


def test_rubbish_from_the_network_changes_nothing(quiet: Lan, tmp_path: Path) -> None:
    if not quiet.is_own:
        pytest.skip("rubbish is sent in a network of its own alone")
    before = set(quiet.udp_ports())
    words = ("capture", "--source", f"gige:{ADDRESS}?format=Mono8&rate_hz=20", "-o", tmp_path / "a.dcm")
    agent = Process(quiet.command(AGENT, *words, *CLIP, "--frames", 80, "--json"), tmp_path / "agent.log")
    with agent:
        agent.wait_until("a stream", lambda: len(set(quiet.udp_ports()) - before) > 1)
        ports = map(str, set(quiet.udp_ports()) - before)
        subprocess.run(quiet.command(sys.executable, "-c", RUBBISH, *ports), check=True, timeout=60)
        assert agent.wait() == 0, agent.log
    made = judged(tmp_path / "a.dcm")
    numbers = ids(made.pixel_array)
    assert len(numbers) == 80
    told = json.loads(agent.log[agent.log.index("\n{") :].partition("\n}")[0] + "}")
    assert told["dropped"] == missing(numbers)
    assert told["losses"]["restarts"] == 0


# From another address whatever a byte can be, and from the camera's packets that end in their headers.
RUBBISH = """
import random, socket, sys, time
rng = random.Random(1)
for ours, sizes in (("127.0.0.9", range(0, 1400)), ("127.0.0.1", range(0, 8))):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind((ours, 0))
        for turn in range(2000):
            for port in sys.argv[1:]:
                size = rng.choice(sizes)
                kind = rng.choice([1, 2, 3, 4, 0x83, 255])
                head = bytes([0, 0, rng.randrange(256), rng.randrange(256), kind, 0, 0, 1])
                sender.sendto((head + rng.randbytes(size))[:size], ("127.0.0.1", int(port)))
            if turn % 100 == 0:
                time.sleep(0.01)
"""


FRAME_BYTES = 2 * 256 * 256


def has_frames(site: Site) -> bool:
    """Whether the clip under way has its eighth frame; its file was made as large before the first one."""
    parts = [path.read_bytes() for path in site.spool.rglob("*.part")]
    return any(any(part[7 * FRAME_BYTES : 8 * FRAME_BYTES]) for part in parts)


def test_a_camera_that_dies_ends_its_clip_and_is_taken_again(lan: Lan, tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    uri = f"gige:{ADDRESS}?format=Mono16&columns=256&rows=256&rate_hz=20"
    source = {"name": "detector", "uri": uri, "sop_class": "xrf",
              "burned_in_annotation": "NO", "radiation_setting": "SC", "intensity_relationship": "LIN",
              "clip_s": 600.0, "every_s": 0.5, "captures": 0}  # fmt: skip
    site.configure(destinations=[{"name": "pacs", "called_ae": "PACS", "port": 4}], sources=[source])
    agent = Process(lan.command(AGENT, "run", "--config", site.config), tmp_path / "agent.log")
    with lan.camera("HW01", lost_per_thousand=1) as camera, agent:
        agent.wait_until("frames", lambda: has_frames(site))
        camera.signal(signal.SIGKILL)
        camera.wait()
        died = time.monotonic()
        agent.wait_for("ended by failed", 20)
        told_s = time.monotonic() - died
        agent.wait_for("no more frames", 5)
        with lan.camera("HW01", lost_per_thousand=1):
            agent.wait_until("frames of a new clip", lambda: has_frames(site), 40)
            agent.signal(signal.SIGTERM)
            assert agent.wait() == 0, agent.log
    assert told_s < 10  # two seconds of silence, where the machine has time
    rows = site.rows()
    assert len(rows) == 2
    for path in site.files():
        made = judged(path)
        numbers = ids(made.pixel_array, "Mono16")
        assert len(numbers) > 5
        gaps = missing(numbers, 65535)
        said = f"Frames dropped during capture: {gaps}"
        assert (said in made.get("ImageComments", "")) is bool(gaps)
        receipt = lan.run("receipt", made.SOPInstanceUID, "--config", site.config, "--json").stdout
        causes = sum(int(found) for found in re.findall(r'"(?:lost|damaged)": "?(\d+)', receipt))
        assert causes <= gaps, receipt  # the rest found no room in time
        assert re.search(rf'"dropped": "?{gaps}\b', receipt), receipt
    assert "Traceback" not in agent.log
