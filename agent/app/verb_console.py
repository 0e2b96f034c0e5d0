"""``console``: the field technician's console, on this terminal or on a serial line.

A process of its own: it shares the configuration and the spool with the agent, and serves whether that runs or not. On
a serial line it stays for ever: a line that goes away (adapter pulled) is opened again when it is back. SIGTERM and
SIGHUP log out and end it.
"""

from __future__ import annotations

import os
import signal
import sys
import time

from agent.app.common import add_config
from agent.errors import DeviceError
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.app.options import Arguments, Parser
    from agent.console.port import Port

DEFAULT_BAUD: Final = 115_200
_AGAIN_S: Final = 1.0
_TURN_S: Final = 30.0


def arguments(parser: Parser) -> None:
    """Declare the options."""
    add_config(parser)
    parser.add("--port", metavar="DEVICE", help="serial line, or a URL of pyserial; without it: this terminal")
    parser.add("--baud", read=int, default=DEFAULT_BAUD, metavar="N", help=f"speed of the line ({DEFAULT_BAUD}, 8N1)")
    parser.add("--rtscts", switch=True, help="hardware flow control instead of XON/XOFF")
    parser.add("--carrier", switch=True, help="loss of carrier logs out (a cable with all its wires)")
    parser.add("--commands", switch=True, help="print every command of the console and end")


class _Over(Exception):
    """A signal ends the console."""


def run(args: Arguments) -> int:
    """Serve until a signal, or until the session on this terminal is over."""
    if args.commands:
        from agent.console.reference import document

        print(document(), end="")
        return 0
    from agent.console.coreless import coreless

    coreless()
    wake = _signals()
    port = _open(args)
    try:
        while _serve(args, port, wake):
            port.close()
            port = _reopened(args, wake)
    except _Over:
        return 0
    finally:
        port.close()
    return 0


def _serve(args: Arguments, port: Port, wake: int) -> bool:
    """Serve one line until it goes (True) or the session on this terminal is over (False)."""
    from agent.console.login import life
    from agent.console.port import PortGone
    from agent.console.serve import Console
    from agent.console.session import Session
    from agent.console.world import World

    world = World(args.config, port.name.rpartition("/")[2], local=port.local)
    console = Console(port, Session(world, life, time.monotonic()))
    try:
        while not console.over:
            console.turn(_TURN_S, wake)
            _end_if_told(wake)
    except PortGone:
        return not port.local
    finally:
        console.close()
    return False


def _open(args: Arguments) -> Port:
    from agent.console.port import open_own, open_port

    if args.port is None:
        return open_own()
    return open_port(args.port, args.baud, hardware=args.rtscts, carrier=args.carrier)


def _reopened(args: Arguments, wake: int) -> Port:
    sys.stderr.write(f"{args.port}: gone; waiting for it\n")
    while True:
        _end_if_told(wake)
        time.sleep(_AGAIN_S)
        try:
            return _open(args)
        except DeviceError:
            continue


def _signals() -> int:
    """Let signals be seen by ``poll``; returns the descriptor that becomes readable."""
    from agent.console.serve import wake_pipe

    reader, writer = wake_pipe()
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    return reader


def _end_if_told(wake: int) -> None:
    try:
        told = os.read(wake, 64)
    except BlockingIOError:
        return
    if told:
        raise _Over
