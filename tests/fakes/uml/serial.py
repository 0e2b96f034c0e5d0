"""A serial line of a real kernel whose far end can send BREAK and drop the carrier.

A pseudo terminal can do neither. The GSM 07.10 multiplexer of Linux (n_gsm) has ttys of its own, carries their modem
signals and BREAK in frames, and treats them as a UART does: BREAK goes through the line discipline, and the loss of a
carrier hangs up who has not set CLOCAL. Both its ends are in this one kernel, on two pseudo terminals that a thread
joins; the frame that drops the carrier is put in between by us, because Linux gives a program no way to say so.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
import tty
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fakes.box import Person
from fakes.uml import kernel

if TYPE_CHECKING:
    from collections.abc import Iterator

NEAR, FAR = "/dev/gsmtty65", "/dev/gsmtty1"  # the second and the first multiplexer, line 1 of each
_N_GSM0710: Final = 21
_CONFIG: Final = struct.Struct("19I")  # struct gsm_config
_GET, _SET = 0x804C4700, 0x404C4701
_BASIC, _FRAME_BYTES, _ACK, _WAIT, _TRIES = 0, 127, 200, 220, 8  # ten times ms: user-mode Linux takes its time
# To line 1, of its modem status: ready to communicate and to receive, and no more valid data.
_NO_CARRIER: Final = bytes.fromhex("f9 03 ef 09 e3 05 07 0d fb f9")
_LONG_S: Final = 60.0
_SPOOL: Final = '[spool]\npath = "spool"\n'


class Modem:
    """Both multiplexers and what is between them."""

    def __init__(self) -> None:
        kernel.load_modules("n_gsm")
        os.mkdir("/dev/pts")
        kernel.mount("devpts", "/dev/pts", "devpts", "ptmxmode=0666")
        self._ends = []
        for initiator in (1, 0):
            master, slave = pty.openpty()
            for fd in (master, slave):
                tty.setraw(fd)
            self._ends.append(master)
            self._kept = slave
            fcntl.ioctl(slave, termios.TIOCSETD, struct.pack("i", _N_GSM0710))
            facts = [*_CONFIG.unpack(fcntl.ioctl(slave, _GET, bytes(_CONFIG.size)))]
            facts[1:9] = _BASIC, initiator, _ACK, _WAIT, facts[5], _TRIES, _FRAME_BYTES, _FRAME_BYTES
            if initiator:
                self._begin = slave, facts
            else:
                threading.Thread(target=self._carry, daemon=True).start()
                fcntl.ioctl(slave, _SET, _CONFIG.pack(*facts))
        fcntl.ioctl(self._begin[0], _SET, _CONFIG.pack(*self._begin[1]))

    def _carry(self) -> None:
        first, second = self._ends
        while True:
            for fd in select.select([first, second], [], [])[0]:
                os.write(second if fd == first else first, os.read(fd, 512))

    def drop(self) -> None:
        """Let the near end lose its carrier."""
        os.write(self._ends[1], _NO_CARRIER)


def console(order: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Type half a name, send BREAK, drop the carrier; tells what the person saw of each.

    Nobody logs in: a password takes half a minute there.
    """
    socket.sethostname("box")
    modem = Modem()
    config = Path(kernel.SCRATCH) / "agent.toml"
    config.write_text(_SPOOL)
    words = [sys.executable, "-P", "-m", "agent", "console", "--config", str(config), "--port", NEAR]
    with open(config.with_suffix(".log"), "wb") as log:
        process = subprocess.Popen([*words, *order["options"]], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        person = _person()
        person.expect("login: $", _LONG_S)
        person.type("adm")
        person.expect("adm$", _LONG_S)  # for BREAK overtakes what is on its way
        termios.tcsendbreak(person.fd, 0)
        time.sleep(1)
        person.type("\r")  # the kernel passes BREAK on with the next byte
        yield {"break": person.expect(r"(login|Password): $", _LONG_S)}
        time.sleep(1)
        modem.drop()
        time.sleep(3)
        try:
            person.type("admin\r")
            yield {"carrier": person.expect(r"(login|Password): $", _LONG_S)}
        except OSError as error:  # who was hung up is told with it
            yield {"carrier": f"{error}, then {_person().expect('login: $', _LONG_S)}"}
    finally:
        process.terminate()
        process.wait(20)
        yield {"log": config.with_suffix(".log").read_text()}


def _person() -> Person:
    until = time.monotonic() + _LONG_S
    while True:
        try:
            person = Person(FAR)
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.5)
        else:
            tty.setraw(person.fd)
            return person
