"""The control socket over a real socket: answers, errors, nonsense, slow clients, long paths."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.app import control
from agent.app.notify import notify
from agent.errors import AgentError, AgentSilent, UsageError

HANDLED: list[dict[str, Any]] = []


def _handle(request: dict[str, Any]) -> dict[str, Any]:
    HANDLED.append(request)
    if request.get("big"):
        return {"ok": True, "big": "x" * control.ANSWER_LIMIT_BYTES}
    if request.get("verb") == "status":
        return {"ok": True, "echo": request}
    raise UsageError("no such request")


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / ("long-" * 20) / ("name-" * 20)
    folder.mkdir(parents=True)
    server = control.ControlServer(str(folder), _handle)
    stop = threading.Event()
    thread = threading.Thread(target=server.serve, args=(stop,), daemon=True)
    thread.start()
    yield folder
    stop.set()
    server.close()
    thread.join(5)
    assert not thread.is_alive()


def test_a_question_is_answered(root: Path) -> None:
    assert control.ask(str(root), {"verb": "status"}) == {"ok": True, "echo": {"verb": "status"}}
    assert ((root / control.SOCKET_NAME).stat().st_mode & 0o777) == 0o600


def test_an_error_comes_back_as_its_class(root: Path) -> None:
    with pytest.raises(UsageError, match="no such request"):
        control.ask(str(root), {"verb": "fly"})


def test_nobody_home(tmp_path: Path) -> None:
    assert control.ask(str(tmp_path), {"verb": "status"}) is None
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(tmp_path / control.SOCKET_NAME))
    dead.close()
    assert control.ask(str(tmp_path), {"verb": "status"}) is None


@pytest.mark.parametrize(
    "line", [b"nonsense\n", b"[1]\n", b"\xff\xfe\n", b"[" * 3000 + b"\n", b"x" * 10_000 + b"\n", b""]
)
def test_nonsense_does_not_hurt(root: Path, line: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX) as side:
        folder = os.open(root, os.O_PATH)
        side.connect(f"/proc/self/fd/{folder}/{control.SOCKET_NAME}")
        os.close(folder)
        side.settimeout(5)
        try:
            side.sendall(line)
            side.shutdown(socket.SHUT_WR)
            side.recv(1000)
        except OSError:
            pass
    assert control.ask(str(root), {"verb": "status"})


def _connect(root: Path) -> socket.socket:
    side = socket.socket(socket.AF_UNIX)
    folder = os.open(root, os.O_PATH)
    side.connect(f"/proc/self/fd/{folder}/{control.SOCKET_NAME}")
    os.close(folder)
    side.settimeout(5)
    return side


def test_a_slow_client_is_dropped(root: Path) -> None:
    with _connect(root) as side:
        assert side.recv(10) == b""


def test_a_client_that_drips_holds_nobody_up(root: Path) -> None:
    done = threading.Event()

    def drip(side: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while not done.wait(0.05):
                side.send(b" ")

    with _connect(root) as side:
        dripping = threading.Thread(target=drip, args=(side,))
        dripping.start()
        began = time.monotonic()
        try:
            assert control.ask(str(root), {"verb": "status"})
            assert time.monotonic() - began < 1.5
        finally:
            done.set()
            dripping.join(5)


def test_a_client_that_takes_no_answer_holds_nobody_up(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with _connect(root) as side:
        side.send(b'{"verb": "status", "big": true}\n')
        began = time.monotonic()
        assert control.ask(str(root), {"verb": "status"})
        assert time.monotonic() - began < 1.5


def test_a_full_backlog_is_a_busy_agent_and_not_none(root: Path) -> None:
    """Otherwise 'queue retry' would open the spool itself beside the agent that holds it."""
    sides = [_connect(root) for _ in range(2)]
    with contextlib.suppress(OSError):
        for _ in range(12):
            side = socket.socket(socket.AF_UNIX)
            sides.append(side)
            side.setblocking(False)
            folder = os.open(root, os.O_PATH)
            side.connect(f"/proc/self/fd/{folder}/{control.SOCKET_NAME}")
            os.close(folder)
    assert control.ask(str(root), {"verb": "status"})
    for side in sides:
        side.close()


def test_a_failing_accept_is_said_and_tried_again(tmp_path: Path) -> None:
    said: list[str] = []
    server = control.ControlServer(str(tmp_path), _handle, said.append)
    real = server._listener

    class Short:
        """A listener of a process without descriptors."""

        def accept(self) -> Any:
            server._listener = real
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    server._listener = Short()  # type: ignore[assignment]
    thread = threading.Thread(target=server.serve, args=(threading.Event(),), daemon=True)
    thread.start()
    assert control.ask(str(tmp_path), {"verb": "status"})
    assert said == ["no request can be accepted: Too many open files"]
    server.close()
    thread.join(5)
    assert not thread.is_alive()


@pytest.mark.parametrize(
    ("drops", "text"),
    [
        (b"", "does not answer: nothing came within 0.3 s"),
        (b"{" * 20, "does not answer: timed out"),
        (b" ", "began with it and was not done within 0.2 s"),
        (b" {" + b" " * 20, "does not answer: timed out"),
    ],
    ids=["silent", "dripping", "begun", "begun and dripping"],
)
def test_who_answers_nothing_or_by_drops_is_an_agent_that_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drops: bytes, text: str
) -> None:
    monkeypatch.setattr(control, "FIRST_S", 0.3)
    monkeypatch.setattr(control, "REST_S", 0.3)
    over = threading.Event()

    def drip(listener: socket.socket) -> None:
        with contextlib.suppress(OSError), listener.accept()[0] as side:
            for drop in drops:
                side.send(bytes((drop,)))
                over.wait(0.1)
            over.wait(20)

    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(tmp_path / control.SOCKET_NAME))
        deaf.listen(1)
        thread = threading.Thread(target=drip, args=(deaf,))
        thread.start()
        began = time.monotonic()
        try:
            with pytest.raises(AgentSilent, match=text):
                control.ask(str(tmp_path), {"verb": "status"}, wait_s=0.2)
            assert time.monotonic() - began < 5
        finally:
            over.set()
            thread.join(5)


def test_what_nobody_waits_for_any_more_is_not_done(root: Path) -> None:
    """An agent that goes on after a minute does not make a capture that somebody has given up."""
    blocked = [_connect(root) for _ in range(2)]  # the agent reads them first, each for a while
    done: list[dict[str, Any]] = []
    with _connect(root) as side:
        side.send(b'{"verb": "status", "of": "who went"}\n')
    for one in blocked:
        one.close()
    with _connect(root) as side:
        side.send(b'{"verb": "status", "of": "who waits"}\n')
        side.shutdown(socket.SHUT_WR)
        done.append(json.loads(side.makefile().read()))
    assert [one["echo"]["of"] for one in done] == ["who waits"]
    assert [one["of"] for one in HANDLED if "of" in one] == ["who waits"]


def test_systemd_hears_us(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        notify("READY=1")
        assert manager.recv(100) == b"READY=1"
    notify("READY=1")
    monkeypatch.delenv("NOTIFY_SOCKET")
    notify("READY=1")


# --- what is no fit request ------------------------------------------------------------------------


def test_a_fault_in_one_request_ends_nothing(tmp_path: Path) -> None:
    said: list[str] = []

    def handle(request: dict[str, Any]) -> dict[str, Any]:
        return {"ok": True, "state": 1 // request["instance"]}

    server = control.ControlServer(str(tmp_path), handle, said.append)
    thread = threading.Thread(target=server.serve, args=(threading.Event(),), daemon=True)
    thread.start()
    for bad, kind in (({"instance": 0}, "ZeroDivisionError"), ({"instance": [1]}, "TypeError"), ({}, "KeyError")):
        with pytest.raises(AgentError, match=kind):
            control.ask(str(tmp_path), bad)
        assert kind in said.pop()
    assert control.ask(str(tmp_path), {"instance": 1}) == {"ok": True, "state": 1}
    server.close()
    thread.join(5)
    assert not thread.is_alive()


@pytest.mark.parametrize("value", [[1], None, "1", 1.0, True, 0, -1, 1 << 32, {}])
def test_a_number_is_a_number(value: object) -> None:
    with pytest.raises(UsageError, match="'instance' of a request is the number of an instance"):
        control.number_of({"instance": value}, "instance")
    assert control.number_of({"instance": 7}, "instance") == 7


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_no_program_inherits_files_that_came_with_a_request() -> None:
    here, there = socket.socketpair()
    with here, there, open(os.devnull, "rb") as file:
        socket.send_fds(there, [b"{}\n"], [file.fileno(), file.fileno()])
        line, descriptors = control._read_request(here, 4096, time.monotonic() + 5)
        assert (line, len(descriptors)) == (b"{}\n", 2)
        assert not any(os.get_inheritable(one) for one in descriptors)
        control._close_all(descriptors)


def test_files_that_were_cut_off_are_an_error_and_all_are_closed() -> None:
    here, there = socket.socketpair()
    with here, there, open(os.devnull, "rb") as file:
        socket.send_fds(there, [b"{}\n"], [file.fileno()] * (control.MAX_DESCRIPTORS + 1))
        before = open_descriptors()
        with pytest.raises(UsageError, match="not every file of the request arrived"):
            control._read_request(here, 4096, time.monotonic() + 5)
        assert open_descriptors() == before


def test_a_request_with_too_many_files_is_answered(root: Path) -> None:
    with _connect(root) as side, open(os.devnull, "rb") as file:
        socket.send_fds(side, [b'{"verb": "status"}\n'], [file.fileno()] * (control.MAX_DESCRIPTORS + 1))
        assert b"not every file of the request arrived" in side.recv(1000)
    assert control.ask(str(root), {"verb": "status"})
