"""Real images through ring, IOD, spool and forwarder into DCMTK and Orthanc, and back through pydicom, bit by bit."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
import pytest
from fakes.real_images import RealImage, frames_of, real_images
from fakes.site import Site

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COMMIT_S = 60.0


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[RealImage]:
    return real_images(tmp_path_factory.mktemp("real"))


def assert_identical(image: RealImage, received: Path) -> None:
    frames = frames_of(received)
    assert frames.dtype == image.frames.dtype, image.name
    assert np.array_equal(frames, image.frames), f"{image.name}: pixels differ"


def assert_judged_clean(received: Path, need: Callable[[str], str]) -> None:
    verified = subprocess.run(
        [need("dciodvfy"), str(received)], capture_output=True, text=True, timeout=60, check=False
    )
    said = (verified.stdout + verified.stderr).splitlines()
    assert [line for line in said if line.startswith("Error")] == []
    for reader in (["dcmdump"], ["gdcmdump", "-i"]):
        shown = subprocess.run(
            [need(reader[0]), *reader[1:], str(received)], capture_output=True, timeout=60, check=False
        )
        assert shown.returncode == 0, shown.stderr
        assert shown.stdout, reader[0]


def deliver(site: Site, images: list[RealImage], state: str) -> dict[str, str]:
    """Run the agent until every image is in ``state``; returns the SOP Instance UID of each source."""
    agent = site.start()
    agent.wait_until(f"{len(images)} instances {state}", lambda: site.all_in(state, len(images)), COMMIT_S)
    assert site.stop() == 0
    rows = site.rows()
    assert sorted(row.source for row in rows) == sorted(image.name for image in images)
    return {row.source: row.uid for row in rows}


def test_storescp_receives_them_bit_for_bit(
    tmp_path: Path, images: list[RealImage], storescp: Callable[..., Any], need: Callable[[str], str]
) -> None:
    peer = storescp("+xa")  # accept every transfer syntax it knows
    site = Site(tmp_path / "site")
    judge = {"name": "judge", "called_ae": "STORESCP", "port": peer.port, "commitment": False}
    site.configure(destinations=[judge], sources=[image.source() for image in images])
    uids = deliver(site, images, "stored")
    received = {pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID: path for path in peer.files()}
    assert sorted(received) == sorted(uids.values())
    for image in images:
        assert_identical(image, received[uids[image.name]])
        assert_judged_clean(received[uids[image.name]], need)


def test_orthanc_commits_them_over_mutual_tls(
    tmp_path: Path, images: list[RealImage], orthanc: Callable[..., Any], bench_ca: Path
) -> None:
    site = Site(tmp_path / "site", tls=bench_ca)
    entry = {"AET": "AGENT", "Host": "127.0.0.1", "Port": site.port, "UseDicomTls": True}
    peer = orthanc(modalities={"agent": entry}, tls=bench_ca)
    judge = {"name": "judge", "called_ae": peer.aet, "port": peer.port, "tls": True}
    site.configure(destinations=[judge], sources=[image.source() for image in images])
    uids = deliver(site, images, "committed")
    for image in images:
        path = tmp_path / f"{image.name}.dcm"
        path.write_bytes(peer.file(uids[image.name]))
        assert_identical(image, path)


def test_the_cine_keeps_its_pace(tmp_path: Path, images: list[RealImage], storescp: Callable[..., Any]) -> None:
    """At a real frame rate nothing is dropped and the frame times say what was measured."""
    peer = storescp("+xa")
    site = Site(tmp_path / "site")
    judge = {"name": "judge", "called_ae": "STORESCP", "port": peer.port, "commitment": False}
    site.configure(destinations=[judge], sources=[images[0].source(rate_hz=30)])
    deliver(site, images[:1], "stored")
    (path,) = peer.files()
    received = pydicom.dcmread(path)
    assert int(received.NumberOfFrames) == len(images[0].frames)
    times_ms = [float(received.FrameTime)] if "FrameTime" in received else list(received.FrameTimeVector)[1:]
    assert sum(map(float, times_ms)) / len(times_ms) == pytest.approx(1000 / 30, rel=0.2)
    assert_identical(images[0], path)
