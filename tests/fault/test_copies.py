"""Copies for a peer that refuses what is stored: death and errors at every Nth change of the medium.

Whatever happens, the master stays what it was, its delivery can be tried again, nothing half is ever sent, and after
the next start no trace of a copy is left.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from typing import TYPE_CHECKING

import pytest
from fakes import masters
from fakes.spool_faults import DIED, FINISHED, in_child

from agent.dataset.uid import EXPLICIT_VR_LE, JPEG_LS_LOSSLESS
from agent.errors import LinkClosed, SpoolError
from agent.forward.deliver import Outcome, failed
from agent.forward.files import Instance
from agent.forward.outgoing import Outgoing
from agent.spool.core import Destination
from agent.spool.ops import Ops
from agent.spool.store import Spool

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.fault
POINTS_LIMIT = 500


class Peer:
    """A delivery to a peer that takes uncompressed instances only and counts whole ones."""

    peer = "PEER@host:104"

    def __init__(self, log: Path, *, cut: bool = False) -> None:
        self.log, self.cut = log, cut

    def takes(self, instance: Instance) -> bool:
        return instance.transfer_syntax_uid == EXPLICIT_VR_LE

    def taken(self, _sop_class: str) -> list[str]:
        return [EXPLICIT_VR_LE]

    def close(self) -> None:
        """End the association."""

    def serve(self, _seconds: float) -> bool:
        """The association lasts."""
        return True

    def send(self, instance: Instance) -> Outcome:
        if self.cut:
            return failed(instance, LinkClosed("cut"), begun=True)
        with open(instance.path, "rb") as file:
            data = file.read()[instance.data_set_offset : instance.size]
        whole = hashlib.sha256(data).digest() == instance.data_set_sha256
        with self.log.open("a") as file:
            file.write(f"{instance.transfer_syntax_uid} {'whole' if whole else 'half'}\n")
        return Outcome(instance, True, 0, "", "", (), len(data), 0.1, True, None)


class Faulty(Ops):
    """Dies or raises at the Nth step."""

    def __init__(self, at: int, code: int = 0) -> None:
        self.left, self.code, self.fired = at, code, False

    def step(self, call: str, path: str) -> None:
        self.left -= 1
        if self.left:
            return
        if not self.code:
            os._exit(DIED)
        self.fired = True
        raise OSError(self.code, os.strerror(self.code), path)


def start(root: Path, ops: Ops | None = None) -> Spool:
    return Spool.open(str(root), destinations=[Destination("pacs", commitment=False)], ops=ops)


@pytest.fixture
def before(tmp_path: Path) -> Path:
    """A spool with one compressed clip for one destination."""
    root = tmp_path / "before"
    root.mkdir()
    clip = masters.write(tmp_path, "us-mf", JPEG_LS_LOSSLESS)
    with start(root) as spool:
        spool.import_file(str(clip))
    return root


def deliver(spool: Spool, peer: Peer) -> None:
    """Claim, send and report once, as a worker does."""
    outgoing = Outgoing(spool, "pacs", "as-stored", 1.0, say=lambda _level, _text: None, cancelled=lambda: False)
    (item,) = spool.claim("pacs", spool.clock.monotonic())
    sent = outgoing.send(peer, item)  # type: ignore[arg-type] # all of a Delivery that is used
    assert sent is not None
    if sent.outcome.stored:
        spool.stored(item)
    else:
        spool.deferred(item, sent.outcome.meaning, 0.0)


def judge(root: Path, log: Path) -> list[str]:
    """Start again, look, and deliver what is left."""
    wrong = []
    with start(root) as spool:
        rows = spool.rows()
        if [row.state for row in rows] not in (["queued"], ["deferred"], ["stored"]):
            wrong.append(f"the delivery is {rows}")
        (path,) = [found for found in (root / "INST").rglob("*") if found.is_file()]
        receipt = spool.receipt(rows[0].sop_instance_uid)
        assert receipt is not None
        if hashlib.sha256(path.read_bytes()).hexdigest() != receipt.file_sha256 or receipt.state != "live":
            wrong.append("the master changed")
        if rows[0].state != "stored":
            deliver(spool, Peer(log))
        if [row.state for row in spool.rows()] != ["stored"]:
            wrong.append(f"it ends {spool.rows()}")
    wrong += [f"{found} was left" for found in root.rglob("*.part")]
    lines = log.read_text().split("\n")[:-1]
    return wrong + [line for line in lines if line != f"{EXPLICIT_VR_LE} whole"] + ([] if lines else ["nothing came"])


def test_death_at_every_step(before: Path, tmp_path: Path) -> None:
    broken, log = [], tmp_path / "log"
    for at in range(1, POINTS_LIMIT):
        root = tmp_path / "after"
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(before, root)
        log.unlink(missing_ok=True)

        def life(root: Path = root, at: int = at) -> None:
            with start(root, Faulty(at)) as spool:
                deliver(spool, Peer(log))

        status = in_child(life)
        assert status in (DIED, FINISHED), at
        broken += [f"step {at}: {text}" for text in judge(root, log)]
        if status == FINISHED:
            assert at > 10
            break
    assert broken == []


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
def test_error_at_every_step(code: int, before: Path, tmp_path: Path) -> None:
    broken, log = [], tmp_path / "log"
    for at in range(1, POINTS_LIMIT):
        root = tmp_path / "after"
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(before, root)
        log.unlink(missing_ok=True)
        ops = Faulty(at, code)
        try:
            with start(root, ops) as spool:
                deliver(spool, Peer(log))
        except SpoolError:
            pass
        broken += [f"step {at}: {text}" for text in judge(root, log)]
        if not ops.fired:
            assert at > 10
            break
    assert broken == []


def test_link_that_breaks_leaves_no_copy(before: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with start(before) as spool:
        deliver(spool, Peer(log, cut=True))
        assert [row.state for row in spool.rows()] == ["deferred"]
        assert not list(before.rglob("*.part"))
    assert judge(before, log) == []


def test_copy_that_is_ready_and_not_wanted_any_more_is_given_back(
    before: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.forward.outgoing.HURRY_S", 0.0)
    with start(before) as spool:
        outgoing = Outgoing(spool, "pacs", "as-stored", 1.0, say=lambda _level, _text: None, cancelled=lambda: False)
        (item,) = spool.claim("pacs", spool.clock.monotonic())
        assert outgoing.send(Peer(tmp_path / "log"), item) is None  # type: ignore[arg-type] # see above
        assert outgoing.ready
        assert list(before.rglob("*.part"))
        outgoing.forget()
        assert not list(before.rglob("*.part"))
