"""A clip that turned to colour is rewritten: killed, full or failing at the Nth change of the medium, for every N.

What was acknowledged before stays as it was, what was durable of the clip is there, and no file of it is left over.
"""

from __future__ import annotations

import errno
import os
import tempfile
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from fakes.grey_clips import GreyClip, grey_clip
from fakes.spool_faults import DIED, FINISHED, Dying, Failing, in_child

from agent.acquire.exam import Exam
from agent.acquire.recorder import Recorder
from agent.config import load
from agent.config.words import transfer_syntax_uid
from agent.dataset.uid import is_encapsulated
from agent.errors import SpoolError
from agent.media.reader import open_instance
from agent.native import compress
from agent.spool.clip import ClipLog, Mark
from agent.spool.core import Destination
from agent.spool.ops import Ops
from agent.spool.quota import Policy
from agent.spool.store import Spool

pytestmark = pytest.mark.fault

TOML = """
[[source]]
name = "probe"
uri = "pattern:us-rgb?rows=48&columns=64&rate_hz=0"
grey_as_monochrome = true
"""
FRAMES, FIRST_COLOURED = 4, 2
POINTS_LIMIT = 500
WORDS = ["explicit", "jpeg-ls"]  # in place, and through a second file


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory where possible: a killed process loses no page either way."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as found:
        (Path(found) / "spool").mkdir()
        yield Path(found) / "spool"


@pytest.fixture(autouse=True)
def _promises(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write down outside of the spool which frames were said to be durable, the moment they are."""
    keep = ClipLog.keep

    def kept(log: ClipLog, mark: Mark) -> None:
        for frames in (0, mark.frames):  # it may be there before anybody is told
            with (folder.parent / "promises").open("a") as file:
                file.write(f"{mark.whole} {frames} {mark.record.sop_instance_uid}\n")
            if not frames:
                keep(log, mark)

    monkeypatch.setattr(ClipLog, "keep", kept)


def promised(folder: Path) -> dict[str, tuple[int, set[str]]]:
    """The frames of each clip, and the UIDs that it may have."""
    path = folder.parent / "promises"
    found: dict[str, tuple[int, set[str]]] = {}
    for line in path.read_text().split("\n")[:-1] if path.exists() else []:
        whole, frames, own = line.split()
        most, uids = found.get(whole, (0, {whole}))
        found[whole] = max(most, int(frames)), {own, *uids}
    return found


def opened(folder: Path, ops: Ops | None = None) -> Spool:
    policy = Policy(min_free_bytes=1, min_free_fraction=0.0)
    return Spool.open(str(folder), destinations=[Destination("pacs")], policy=policy, ops=ops)


def record(spool: Spool, clip: GreyClip, word: str) -> str:
    settings = load.parse(TOML)
    source = settings.source[0]._replace(uri=clip.uri, transfer_syntax=word)
    return Recorder(source, Exam(settings), spool, lambda _source, _done: None).record(threading.Event()).sealed.path


def frames_in(path: str, word: str) -> list[bytes]:
    fd = os.open(path, os.O_RDONLY)
    try:
        instance = open_instance(partial(os.pread, fd), os.fstat(fd).st_size)
        assert instance.pixels is not None
        coded = [instance.read_frame(index) for index in range(instance.number_of_frames)]
        syntax = transfer_syntax_uid(word)
        if not is_encapsulated(syntax):
            return coded
        return [bytes(compress.decode(data, syntax, instance.pixels.description)) for data in coded]
    finally:
        os.close(fd)


def look(folder: Path, first: str, clip: GreyClip, word: str) -> int:
    """What is left after a start; gives how many instances there are."""
    with opened(folder) as spool:
        assert not spool.report.alarm, spool.report.notes
        assert spool.reader.verify().faults == ()
        rows = spool.rows()
        assert spool.reader.lives() == {"live": len(rows)}
        files = sorted(str(path) for path in Path(folder, "INST").rglob("*") if path.is_file())
        assert files == sorted(spool.path(row.id) for row in rows)
        assert first in files
        for path in files:
            wanted = [clip.native(index) for index in range(FRAMES)]
            grey = [clip.frames[index, ..., 0].tobytes() for index in range(FIRST_COLOURED)]
            found = frames_in(path, word)  # one that was cut off has its first frames
            assert found == wanted if path == first else any(found == whole[: len(found)] for whole in (wanted, grey))
        for uid, (frames, uids) in promised(folder).items():
            receipts = [receipt for one in uids if (receipt := spool.receipt(one)) is not None]
            assert receipts or not frames, f"{frames} frames of {uid} were durable and nothing is left"
            assert len(receipts) <= 1
            assert all(len(frames_in(spool.path(receipt.id), word)) >= frames for receipt in receipts)
        return len(files)


@pytest.mark.parametrize("word", WORDS)
def test_a_kill_at_any_step_leaves_what_was_durable(tmp_path: Path, folder: Path, word: str) -> None:
    clip = grey_clip(tmp_path / "clip", FRAMES, [FIRST_COLOURED])
    with opened(folder) as spool:
        first = record(spool, clip, word)
    kept = 1
    for point in range(1, POINTS_LIMIT):
        status = in_child(lambda point=point: (record(opened(folder, Dying(point)), clip, word), None)[1])
        assert status in {DIED, FINISHED}
        found = look(folder, first, clip, word)
        assert found - kept in ({1} if status == FINISHED else {0, 1}), f"killed at step {point}"
        kept = found
        if status == FINISHED:
            break
    assert point > 3 * FRAMES
    assert kept > 1


@pytest.mark.parametrize("sticky", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO], ids=["ENOSPC", "EIO"])
@pytest.mark.parametrize("word", WORDS)
def test_an_error_at_any_step_leaves_no_half_clip_and_no_rubbish(
    tmp_path: Path, folder: Path, word: str, code: int, *, sticky: bool
) -> None:
    clip = grey_clip(tmp_path / "clip", FRAMES, [FIRST_COLOURED])
    with opened(folder) as spool:
        first = record(spool, clip, word)
    refused = 0
    for point in range(1, POINTS_LIMIT):
        ops = Failing(point, code, sticky=sticky)
        refusal = ""
        try:
            with opened(folder, ops) as spool:
                record(spool, clip, word)
        except SpoolError as error:
            refusal = str(error)
            refused += 1
        # A name that may have been given is recovery's, and a medium that is gone takes no orders.
        if not sticky and not refusal.startswith("rename"):
            left = [path.name for path in folder.rglob("*.part")]
            assert left == [] or list(folder.rglob("*.clip")), f"step {point}: {refusal}"
        look(folder, first, clip, word)
        if not ops.fired:
            break
    assert refused > 2 * FRAMES


def test_frames_are_told_apart(tmp_path: Path) -> None:
    """The judgement above is worth something: grey and colour are not the same bytes."""
    clip = grey_clip(tmp_path, FRAMES, [FIRST_COLOURED])
    assert len(np.unique(clip.frames.reshape(FRAMES, -1), axis=0)) == FRAMES
