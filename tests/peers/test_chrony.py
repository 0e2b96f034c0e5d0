"""A real chronyd that follows another one on this machine: what it says of the clock, and what the ledger makes of it.

Both run with ``-x``, on ports of their own: they look at the clock and leave it alone. chrony is no package of
``scripts/test``, because it would push another keeper of the time off the machine; where it is, it is a judge.
"""

from __future__ import annotations

import os
import pwd
import subprocess
import time
from functools import partial
from types import SimpleNamespace

import pytest
from fakes.peers import find_program
from fakes.process import Process, free_port
from fakes.spool_world import BOTH, NO_WAIT, capture, uid_of

from agent.app.wiring import ask_time
from agent.link import timekeeping as module
from agent.link.timekeeping import CHRONY, timekeeping
from agent.native.kernel_clock import KernelClock
from agent.spool.store import Spool

pytestmark = [pytest.mark.peer, pytest.mark.slow]
FOLLOWING_S = 30.0


class Chronyd:
    """One that was started here; ``said`` is what its own chronyc makes of its answers."""

    def __init__(self, folder, *lines: str) -> None:
        self.port = free_port()
        file = folder / "chrony.conf"
        folder.mkdir()
        file.write_text("\n".join([*lines, f"cmdport {self.port}", "bindcmdaddress 127.0.0.1",
            "bindcmdaddress /", f"pidfile {folder}/pid", f"driftfile {folder}/drift", ""]))  # fmt: skip
        user = pwd.getpwuid(os.geteuid()).pw_name
        program = find_program("chronyd")
        assert program is not None
        self.process = Process([program, "-x", "-d", "-u", user, "-f", str(file)], folder / "log")

    def said(self) -> list[str]:
        words = [str(find_program("chronyc")), "-c", "-h", "127.0.0.1", "-p", str(self.port), "tracking"]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=20)
        return done.stdout.strip().split(",")

    def keeps(self, kernel=lambda: None):
        return timekeeping(kernel, ("127.0.0.1", self.port))


@pytest.fixture
def chain(tmp_path):
    """One that gives out the time of this machine, and one that follows it."""
    if find_program("chronyd") is None:
        pytest.skip("chronyd is not installed (Debian package chrony)")
    ntp = free_port()
    first = Chronyd(tmp_path / "first", f"port {ntp}", "bindaddress 127.0.0.1", "allow 127.0.0.1", "local stratum 5")
    second = Chronyd(tmp_path / "second", "port 0", f"server 127.0.0.1 port {ntp} iburst minpoll 0 maxpoll 2")
    with first.process, second.process:
        second.process.wait_until("a source", lambda: second.said()[-1] == "Normal", FOLLOWING_S)
        first.process.wait_until("its own time", lambda: first.said()[-1] == "Normal", FOLLOWING_S)
        yield first, second


def test_the_bound_is_that_of_chronyc(chain):
    first, second = chain
    kept, said = second.keeps(), second.said()
    offset, delay, dispersion = (float(said[at]) for at in (4, 10, 11))
    assert (kept.synchronised, kept.by) == (True, CHRONY)
    assert kept.error_bound_s == pytest.approx(abs(offset) + delay / 2 + dispersion, abs=0.001)
    assert (kept.address, kept.reference) == (said[1], "")
    assert kept.heard_s == pytest.approx(time.time() - float(said[3]), abs=5)
    assert first.keeps()[:3] == (False, None, CHRONY), "who follows itself keeps nothing right"


def test_images_are_recorded_with_it_until_it_is_gone(chain, tmp_path, monkeypatch):
    _first, second = chain
    monkeypatch.setattr(module, "PROGRAMS", {})
    asked = partial(
        timekeeping, lambda: KernelClock(synchronised=False, error_bound_s=16.0), ("127.0.0.1", second.port)
    )
    monkeypatch.setattr(module, "timekeeping", asked)
    settings = SimpleNamespace(source=["one"])
    (tmp_path / "spool").mkdir()
    with Spool.open(str(tmp_path / "spool"), destinations=BOTH, policy=NO_WAIT) as spool:
        ask_time(spool, settings)
        capture(spool, 1)
        second.process.stop()
        ask_time(spool, settings)
        capture(spool, 2)
        grades = [{event.clock for event in spool.receipt(uid_of(number)).events} for number in (1, 2)]
    assert grades == [{"synchronised"}, {"set"}]
