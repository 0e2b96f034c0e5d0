"""The next file is opened while the peer works: it is used for that instance or for none, and no descriptor is lost."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from agent.dataset.uid import EXPLICIT_VR_LE, SC
from agent.errors import DecodeError, FileError
from agent.forward.ahead import Ahead
from agent.forward.files import Instance, open_instance
from agent.media.part10 import FileMeta, encode_prefix

if TYPE_CHECKING:
    from pathlib import Path

UID = "1.2.3"
DATA_SET = b"\x08\x00\x18\x00UI\x06\x001.2.3\0"


def instance(path: Path, data_set: bytes = DATA_SET) -> Instance:
    path.write_bytes(encode_prefix(FileMeta(SC, UID, EXPLICIT_VR_LE)) + data_set)
    return open_instance(str(path))


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_what_was_looked_at_is_what_is_taken(tmp_path: Path) -> None:
    before, one, ahead = descriptors(), instance(tmp_path / "one"), Ahead()
    ahead.next = one
    ahead.look()
    (tmp_path / "one").unlink()  # so it can only be the one that is open already
    taken = ahead.take(one)
    assert taken.damage is None
    assert os.pread(taken.fd, 100, one.data_set_offset) == DATA_SET
    taken.close()
    assert descriptors() == before


def test_another_instance_is_opened_anew(tmp_path: Path) -> None:
    before, one, two, ahead = descriptors(), instance(tmp_path / "one"), instance(tmp_path / "two"), Ahead()
    ahead.next = one
    ahead.look()
    taken = ahead.take(two)
    assert os.path.samestat(os.fstat(taken.fd), os.stat(two.path))
    taken.close()
    assert descriptors() == before


@pytest.mark.parametrize("looked", [False, True])
@pytest.mark.parametrize(("data_set", "error"), [(DATA_SET[:-2], DecodeError), (None, FileError)])
def test_what_is_wrong_is_told_when_it_is_taken(
    tmp_path: Path, data_set: bytes | None, error: type[Exception], *, looked: bool
) -> None:
    before, ahead = descriptors(), Ahead()
    one = instance(tmp_path / "one", DATA_SET if data_set is None else data_set)
    if data_set is None:
        (tmp_path / "one").unlink()
    if looked:
        ahead.next = one
        ahead.look()
    taken = ahead.take(one)
    assert isinstance(taken.damage, error)
    assert one.path in str(taken.damage)
    taken.close()
    assert descriptors() == before


def test_a_recorded_digest_is_the_judge_later(tmp_path: Path) -> None:
    one = instance(tmp_path / "one", DATA_SET[:-2])._replace(data_set_sha256=bytes(32))
    taken = Ahead().take(one)
    assert taken.damage is None
    taken.close()


def test_close_forgets(tmp_path: Path) -> None:
    before, ahead = descriptors(), Ahead()
    ahead.look()  # nothing comes next
    ahead.next = instance(tmp_path / "one")
    ahead.look()
    assert descriptors() == before + 1
    ahead.close()
    ahead.close()
    assert descriptors() == before
