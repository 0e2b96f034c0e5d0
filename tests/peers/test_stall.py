"""Sending to a stock storescp without its stall, shown by counting system calls, not by a clock that other load moves.

The stalls are two: Nagle at the sender when a message leaves in pieces, and the delayed acknowledgement of the pieces
of the response. So: every instance leaves in one gather write, and quick acknowledgement is armed for every response.
"""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Any

import pydicom
import pytest
from fakes.foreign_instances import write_instances
from fakes.site import AGENT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

INSTANCES = 200
PIXEL_BYTES = 4096


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_instances(tmp_path_factory.mktemp("small"), INSTANCES, PIXEL_BYTES)


def test_two_hundred_small_instances_go_over_one_association(storescp: Callable[..., Any], small: list[Path]) -> None:
    peer = storescp("-v")
    sent = subprocess.run(
        [AGENT, "send", "--to", f"ANY@127.0.0.1:{peer.port}", *map(str, small)], timeout=60, check=False
    )
    assert sent.returncode == 0
    assert peer.process.log.count("Association Received") == 1
    stored = {pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID for path in peer.files()}
    assert stored == {pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID for path in small}


def test_one_write_an_instance_and_quick_acknowledgement(
    storescp: Callable[..., Any], need: Callable[[str], str], small: list[Path], tmp_path: Path
) -> None:
    peer = storescp(store=False)
    trace = tmp_path / "trace"
    calls = "trace=connect,sendto,sendmsg,write,setsockopt,recvfrom"
    command = [need("strace"), "-f", "-e", calls, "-o", str(trace), AGENT, "send", "--to", f"ANY@127.0.0.1:{peer.port}"]
    sent = subprocess.run([*command, *map(str, small)], capture_output=True, text=True, timeout=90, check=False)
    assert sent.returncode == 0, sent.stderr
    socket = re.search(rf"connect\((\d+), .*htons\({peer.port}\)", trace.read_text())
    assert socket is not None
    own = [line for line in trace.read_text().splitlines() if re.search(rf" \w+\({socket[1]}, ", line)]
    writes = [line for line in own if re.search(r" (sendto|sendmsg|write)\(", line)]
    assert len(writes) <= INSTANCES + 2  # and A-ASSOCIATE-RQ, A-RELEASE-RQ
    assert sum("TCP_QUICKACK, [1]" in line for line in own) >= INSTANCES
    assert any("TCP_NODELAY, [1]" in line for line in own)
