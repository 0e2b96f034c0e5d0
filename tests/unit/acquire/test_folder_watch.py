"""What the kernel tells of a folder, and the bell; nobody waits."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.acquire import folder_watch
from agent.acquire.folder_watch import Bell, Waiter


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[int]:
    fd = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield fd
    os.close(fd)


def test_a_file_is_written_to_until_it_is_closed(tmp_path: Path, folder: int) -> None:
    with Waiter(folder, Bell()) as waiter:
        with open(tmp_path / "a\udcff", "wb", buffering=0) as file:
            assert not waiter.read()
            file.write(b"x")
            assert not waiter.read()
            assert waiter.written == {"a\udcff"}
        assert waiter.read()
        assert waiter.written == set()


def test_a_file_that_is_moved_here_is_news_and_one_that_goes_is_forgotten(tmp_path: Path, folder: int) -> None:
    with Waiter(folder, Bell()) as waiter:
        (tmp_path / "sub").mkdir()
        with open(tmp_path / "sub/a", "wb"):
            pass
        assert not waiter.read()
        os.rename(tmp_path / "sub/a", tmp_path / "a")
        assert waiter.read()
        with open(tmp_path / "a", "ab", buffering=0) as file:
            file.write(b"x")
            waiter.read()
            assert waiter.written == {"a"}
            os.unlink(tmp_path / "a")
            waiter.read()
            assert waiter.written == set()


def test_news_and_the_bell_end_a_wait(tmp_path: Path, folder: int) -> None:
    bell = Bell()
    with Waiter(folder, bell) as waiter:
        bell.ring()
        waiter.wait(time.monotonic() + 3600)
        (tmp_path / "a").write_bytes(b"x")
        waiter.wait(time.monotonic() + 3600)
        waiter.wait(time.monotonic())
    bell.ring()  # nobody is there


def test_without_the_kernels_help_there_is_still_the_bell(folder: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_watch, "_inotify", lambda _fd: -1)
    bell = Bell()
    with Waiter(folder, bell) as waiter:
        assert not waiter.read()
        bell.ring()
        waiter.wait(time.monotonic() + 3600)


def test_names_beyond_all_bounds_are_forgotten(tmp_path: Path, folder: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_watch, "_MAX_WRITTEN", 3)
    with Waiter(folder, Bell()) as waiter:
        files = [open(tmp_path / f"{number}", "wb", buffering=0) for number in range(9)]  # noqa: SIM115  all at a time
        for file in files:
            file.write(b"x")
        waiter.read()
        assert len(waiter.written) <= 3
        for file in files:
            file.close()
