"""Debian's MicroPython for the micro:bit in QEMU: 1.9, a Cortex-M0 and nine kilobytes of heap, by its raw REPL."""

from __future__ import annotations

import ast
import os
import re
import shutil
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

FIRMWARE = "/usr/share/firmware-microbit-micropython/firmware.hex"
_PIECE = 16  # bytes at a time: its buffer has 64, and nothing paces a line in QEMU
_PAUSE_S = 0.004
_LITERAL = 100  # bytes of text in one script: it compiles in the same heap


def lean(source: str) -> str:
    """Return a module without what only people and type checkers read."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body[:1] = [] if len(node.body) > 1 else [ast.Pass()]
        if isinstance(node, ast.FunctionDef):
            node.returns = None
            for argument in node.args.args:
                argument.annotation = None
    return re.sub("^(?: {4})+", lambda indent: " " * (len(indent[0]) // 4), ast.unparse(tree), flags=re.MULTILINE)


class Microbit:
    """A board that runs what it is given."""

    def __init__(self, folder: Path) -> None:
        if not (shutil.which("qemu-system-arm") and os.path.exists(FIRMWARE)):
            reason = "no micro:bit: it needs qemu-system-arm and firmware-microbit-micropython of Debian"
            if os.environ.get("CI") == "true":
                pytest.fail(reason)
            pytest.skip(reason)
        path = str(folder / "line")
        command = ["qemu-system-arm", "-M", "microbit", "-accel", "tcg", "-device", f"loader,file={FIRMWARE}",
                   "-display", "none", "-monitor", "none", "-serial", f"unix:{path},server=on,wait=on"]  # fmt: skip
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._line = socket.socket(socket.AF_UNIX)
        try:
            self._connect(path)
        except BaseException:
            self.close()
            raise

    def run(self, script: str) -> str:
        """Run it and return what it printed; an exception is a failure."""
        self._send(script.encode() + b"\x04")
        printed, error = self._until(b"\x04"), self._until(b"\x04>")
        assert error == b"\x04>", error.decode(errors="replace")
        return printed.removeprefix(b"OK").removesuffix(b"\x04").decode().strip()

    def put(self, name: str, text: str) -> None:
        """Write a file."""
        self.run(f"f = open({name!r}, 'w')")
        for at in range(0, len(text), _LITERAL):
            self.run(f"f.write({text[at : at + _LITERAL]!r})")
        self.run("f.close()\ndel f")

    def close(self) -> None:
        self._line.close()
        self._process.kill()
        self._process.wait()

    def _connect(self, path: str) -> None:
        end = time.monotonic() + 20
        while True:
            try:
                self._line.connect(path)
                break
            except OSError:
                assert time.monotonic() < end
                time.sleep(0.05)
        self._line.settimeout(30)
        self._until(b">>> ")
        self._send(b"\x01")
        self._until(b"raw REPL; CTRL-B to exit\r\n>")

    def _send(self, data: bytes) -> None:
        for at in range(0, len(data), _PIECE):
            self._line.sendall(data[at : at + _PIECE])
            time.sleep(_PAUSE_S)

    def _until(self, mark: bytes) -> bytes:
        data = b""
        while not data.endswith(mark):
            byte = self._line.recv(1)
            assert byte, data
            data += byte
        return data
