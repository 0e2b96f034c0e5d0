"""pyigtl's server and our source on one loopback: bit-identical instances, and every way in which a server ends."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from fakes.igtl import picture
from fakes.process import Process, free_port
from fakes.site import AGENT, Site

from agent.acquire.openigtlink import open_server
from agent.config.source import parse_source
from agent.errors import DeviceError
from agent.native.source import Source

SERVER = str(Path(__file__).resolve().parents[1] / "fakes" / "igtl_server.py")


class Server:
    """A server of numbered pictures; ``port`` stays the same over its lives."""

    def __init__(self, folder: Path, **wanted: object) -> None:
        self.port = free_port()
        self.shape = tuple(wanted.get("shape", (48, 64)))  # type: ignore[arg-type]  # as the caller wrote it
        self.dtype = str(wanted.get("dtype", "uint8"))
        self._wanted = json.dumps({"port": self.port, **wanted})
        self._log = folder / "server.log"
        self.process = self.start()

    def start(self) -> Process:
        self.process = Process([sys.executable, SERVER, self._wanted], self._log)
        self.process.wait_for("listening on")
        return self.process

    @property
    def uri(self) -> str:
        return f"openigtlink:127.0.0.1:{self.port}"

    def expected(self, number: int) -> np.ndarray:  # type: ignore[type-arg]  # uint8 or uint16
        samples = picture(number % 32, self.shape, self.dtype)
        samples.reshape(-1)[:2] = (number & 0xFF, number >> 8 & 0xFF)
        return samples


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    started: list[Server] = []

    def start(**wanted: object) -> Server:
        started.append(Server(tmp_path, **wanted))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.stop()


def numbers_in(path: Path, server: Server) -> list[int]:
    """The numbers burnt into the frames; each frame is, to the bit, what the server sent under that number."""
    ds = pydicom.dcmread(path)
    frames = ds.pixel_array.reshape(-1, *server.shape)
    numbers = []
    for frame in frames:
        first, second = (int(value) for value in frame.reshape(-1)[:2])
        numbers.append(first | second << 8)
        assert (frame == server.expected(numbers[-1])).all()
    return numbers


def capture(server: Server, out: Path, *words: str, query: str = "") -> subprocess.CompletedProcess[str]:
    command = [AGENT, "capture", "--source", server.uri + query, "-o", str(out), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("us-mf", {"shape": [480, 640]}),
        ("us-mf", {"shape": [120, 160, 3]}),
        ("sc-mf-word", {"shape": [120, 160], "dtype": ">u2"}),
    ],
)
def test_a_clip_is_what_the_server_sent(
    kind: str, wanted: dict[str, object], server: Callable[..., Server], need: Callable[[str], str], tmp_path: Path
) -> None:
    out, dciodvfy = tmp_path / "clip.dcm", need("dciodvfy")
    peer = server(**wanted, rate_hz=15)
    words = ("--sop-class", kind, "--set", "burned_in_annotation=NO", "--frame-log", str(tmp_path / "log"), "--json")
    done = capture(peer, out, "--frames", "20", *words)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["frames"], said["dropped"], said["ended_by"]) == (20, 0, "frames")
    assert said["device"]["peer_frame_time_ms"] > 1
    numbers = numbers_in(out, peer)
    assert numbers == list(range(numbers[0], numbers[0] + 20))
    logged = (tmp_path / "log").read_text().splitlines()[0].split()
    assert [word.partition("=")[0] for word in logged[4:]] == ["stamp", "image.lps"]
    judged = subprocess.run([dciodvfy, str(out)], capture_output=True, text=True, check=False, timeout=30)
    assert "Error" not in judged.stdout + judged.stderr
    ds = pydicom.dcmread(out)
    assert "PixelSpacing" not in ds  # the peer's matrix is no calibration
    assert "SequenceOfUltrasoundRegions" not in ds


def test_a_server_that_dies_leaves_a_whole_clip(server: Callable[..., Server], tmp_path: Path) -> None:
    """pyigtl gives up a socket that nobody reads for 10 ms, most often inside a message: so our end is held."""
    out = tmp_path / "clip.dcm"
    peer = server(shape=[768, 1024], rate_hz=60)
    command = [AGENT, "capture", "--source", peer.uri, "-o", str(out), "--frames", "5000"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 20
        while not any(part.stat().st_size > 4 << 20 for part in tmp_path.glob("clip.dcm*part")):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGSTOP)
        peer.process.wait_for("Error while sending data")
        process.send_signal(signal.SIGCONT)
        _, error = process.communicate(timeout=30)
    assert process.returncode == 41, error
    assert "the device vanished while it was in use (the connection ended " in error
    numbers = numbers_in(out, peer)
    assert len(numbers) > 3
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert "The source failed before the clip was complete" in pydicom.dcmread(out).ImageComments


def test_a_server_that_is_killed_and_comes_back_is_captured_from_again(
    server: Callable[..., Server], tmp_path: Path
) -> None:
    peer = server(rate_hz=50)
    site = Site(tmp_path / "site")
    source = {"name": "scanner", "uri": peer.uri, "sop_class": "us-mf", "clip_frames": 10, "every_s": 0.5}
    site.configure(destinations=[], sources=[source])
    agent = site.start()
    try:
        agent.wait_until("two clips", lambda: len(site.rows()) >= 2)
        peer.process.kill()
        peer.process.stop()
        agent.wait_until("word of it", lambda: "nothing listens on this port" in site.log())
        before = len(site.rows())
        peer.start()
        agent.wait_until("another clip", lambda: len(site.rows()) > before + 1, 30)
    finally:
        assert site.stop() == 0
    for path in site.files():
        assert numbers_in(path, peer)


def test_a_slow_consumer_costs_frames_of_ours_and_not_the_server(server: Callable[..., Server]) -> None:
    peer = server(shape=[480, 640], rate_hz=60)
    with open_server(parse_source(peer.uri)) as source:
        source.start()
        time.sleep(1.5)  # ninety frames for 32 slots
        numbers = [taken(source) for _ in range(40)]
        counters = source.counters()
    gaps = numbers[-1] - numbers[0] + 1 - len(numbers)
    assert gaps > 0
    assert counters.dropped == gaps
    assert counters.delivered + counters.waiting + counters.dropped == counters.last - counters.first + 1
    assert "Error while sending" not in peer.process.log


def taken(source: Source) -> int:
    while True:
        assert source.wait(10)
        frame = source.take()
        if frame is not None:
            source.give_back(frame)
            return frame.number


def test_a_server_that_does_not_answer_is_told_in_time() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(1)
        began = time.monotonic()
        with pytest.raises(DeviceError, match="no whole image within 300 ms, 0 messages"):
            open_server(parse_source(f"openigtlink:127.0.0.1:{deaf.getsockname()[1]}?wait_s=0.3"))
        assert time.monotonic() - began < 5


def test_a_server_that_waits_is_asked() -> None:
    with socket.socket() as waiting:
        waiting.bind(("127.0.0.1", 0))
        waiting.listen(1)
        uri = f"openigtlink:127.0.0.1:{waiting.getsockname()[1]}?wait_s=0.3&start=1&device=Probe"
        with pytest.raises(DeviceError, match="no whole image"):
            open_server(parse_source(uri))
        peer, _ = waiting.accept()
        with peer:
            asked = peer.recv(100)
    import pyigtl

    assert len(asked) == 58
    fields = pyigtl.messages.MessageBase.parse_header(asked)
    assert (fields["message_type"], fields["device_name"], fields["body_size"]) == ("STT_IMAGE", "Probe", 0)
