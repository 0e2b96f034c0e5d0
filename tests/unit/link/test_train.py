"""The PDU train against the plainest writer of the same stream."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from agent.errors import LocalProtocolError, MediaError
from agent.link.train import LONGEST_PDU_BYTES, Train

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMAND = b"\x04\x00\x00\x00\x00\x06\x00\x00\x00\x02\x01\x03"


def reference(data: bytes, fragment: int, context_id: int) -> bytes:
    """PS3.8 9.3.5 written down one PDU at a time."""
    if len(data) % 2:
        data += b"\0"
    out = bytearray()
    for start in range(0, len(data), fragment):
        part = data[start : start + fragment]
        last = 2 if start + fragment >= len(data) else 0
        pdv = (len(part) + 2).to_bytes(4, "big") + bytes([context_id, last]) + part
        out += b"\x04\x00" + len(pdv).to_bytes(4, "big") + pdv
    return bytes(out)


class Line:
    """A connection that remembers each write."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []

    def send(self, view: memoryview) -> None:
        self.writes.append(bytes(view))

    @property
    def stream(self) -> bytes:
        return b"".join(self.writes)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[tuple[int, bytes]]:
    data = bytes(os.urandom(70_001))
    (tmp_path / "f").write_bytes(data)
    fd = os.open(tmp_path / "f", os.O_RDONLY)
    yield fd, data
    os.close(fd)


def never() -> bool:
    return False


@pytest.mark.parametrize("fragment", [2, 64, 1018, 4090, 16378, 131066])
@pytest.mark.parametrize("train_bytes", [1, 5000, 1 << 17, 1 << 20])
@pytest.mark.parametrize("size", [1, 2, 3, 64, 1017, 1018, 1019, 8180, 16378, 16380, 50_000, 70_001])
def test_stream_is_the_reference(file: tuple[int, bytes], fragment: int, train_bytes: int, size: int) -> None:
    fd, data = file
    offset = len(data) - size
    line = Line()
    train = Train(fragment, train_bytes=train_bytes)
    sent = train.send_data_set(fd, offset, size, 7, command=COMMAND, send=line.send, answered=never)
    assert sent == size
    assert line.stream == COMMAND + reference(data[offset:], fragment, 7)
    again = Line()
    train.send_data_set(fd, 0, size, 9, command=b"", send=again.send, answered=never)
    assert again.stream == reference(data[:size], fragment, 9), "the heads were not mended after the last fragment"


class Seen:
    """A check that remembers, and refuses if told so."""

    def __init__(self, *, whole: bool = True) -> None:
        self.data = b""
        self.whole = whole

    def update(self, data: memoryview) -> None:
        self.data += data

    def verify(self) -> None:
        if not self.whole:
            raise MediaError("changed")


@pytest.mark.parametrize("size", [1, 16378, 16379, 70_001])
def test_check_sees_every_byte_and_no_padding(file: tuple[int, bytes], size: int) -> None:
    seen = Seen()
    train = Train(16378, train_bytes=40_000)
    train.send_data_set(file[0], 0, size, 1, command=b"", send=Line().send, answered=never, check=seen)
    assert seen.data == file[1][:size]


@pytest.mark.parametrize("size", [100, 70_001])
def test_what_is_not_verified_is_not_completed(file: tuple[int, bytes], size: int) -> None:
    line = Line()
    train = Train(16378, train_bytes=40_000)
    with pytest.raises(MediaError, match="changed"):
        train.send_data_set(
            file[0], 0, size, 1, command=COMMAND, send=line.send, answered=never, check=Seen(whole=False)
        )
    assert (COMMAND + reference(file[1][:size], 16378, 1)).startswith(line.stream)
    assert len(line.stream) < size


def test_check_is_not_asked_about_a_data_set_that_was_refused(file: tuple[int, bytes]) -> None:
    train = Train(16378, train_bytes=20_000)
    sent = train.send_data_set(
        file[0], 0, 70_001, 1, command=b"", send=Line().send, answered=lambda: True, check=Seen(whole=False)
    )
    assert sent < 70_001


def test_small_instance_is_one_write(file: tuple[int, bytes]) -> None:
    line = Line()
    Train(16378).send_data_set(file[0], 0, 20_000, 1, command=COMMAND, send=line.send, answered=never)
    assert len(line.writes) == 1


def test_peer_without_limit_gets_pdus_of_bounded_length(file: tuple[int, bytes]) -> None:
    assert Train(1 << 31).fragment_bytes == LONGEST_PDU_BYTES - 12  # with its head it is so long on the line


def test_early_answer_ends_the_data_set_with_a_last_fragment(file: tuple[int, bytes]) -> None:
    fd, data = file
    line = Line()
    train = Train(1018, train_bytes=2048)
    sent = train.send_data_set(fd, 0, 50_000, 3, command=COMMAND, send=line.send, answered=lambda: len(line.writes) > 2)
    assert sent < 10_000
    pdus = line.stream[len(COMMAND) :]
    assert pdus[-4:-2] == bytes([3, 2])
    assert pdus[-2:] == data[sent - 2 : sent]


def test_file_that_became_shorter_is_told(file: tuple[int, bytes]) -> None:
    line = Line()
    with pytest.raises(MediaError, match="shorter"):
        Train(1018).send_data_set(file[0], 0, 80_000, 1, command=COMMAND, send=line.send, answered=never)


def test_short_reads_are_completed(file: tuple[int, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    fd, data = file
    whole = os.preadv

    def short(fd: int, buffers: list[memoryview], offset: int) -> int:
        return whole(fd, [buffers[0][:1000]], offset)

    monkeypatch.setattr(os, "preadv", short)
    line = Line()
    Train(4090).send_data_set(fd, 0, 30_001, 1, command=b"", send=line.send, answered=never)
    assert line.stream == reference(data[:30_001], 4090, 1)


def test_impossible_lengths_are_refused(file: tuple[int, bytes]) -> None:
    with pytest.raises(LocalProtocolError):
        Train(1)
    with pytest.raises(LocalProtocolError):
        Train(100).send_data_set(file[0], 0, 0, 1, command=b"", send=Line().send, answered=never)
    with pytest.raises(LocalProtocolError):
        Train(100).send_data_set(file[0], 0, 2, 1, command=b"x" * 1025, send=Line().send, answered=never)
