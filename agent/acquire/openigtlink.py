"""Open the source of an OpenIGTLink server: connect, ask it to begin if need be, and let the C core read.

``openigtlink:HOST[:PORT]?device=NAME&transform=NAME&wait_s=5&rate_hz=60&start=0``. Research scanners and PLUS send by
themselves once somebody is connected; ``start=1`` sends STT_IMAGE first, for a server that waits to be asked. A source
is one connection: what ends it ends the source, and its role connects anew.

The matrix of an image holds the size of a pixel, but a server that knows no calibration sends ones, and nothing tells
the two apart: ``spacing_mm`` of the source is what the peer said, the receipt keeps it, and no instance is calibrated
with it. Where the probe was has no place in an ultrasound image either (PS3.3 C.8.5.6): that is in the frame log.
Raises ``DeviceError``.
"""

from __future__ import annotations

import socket
import struct
import time

from agent.config.address import parse_address
from agent.config.source import IGTL_PORT
from agent.errors import DeviceError
from agent.link.transport import connect_socket, plain_name
from agent.native.igtl import open_igtl
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.config.source import SourceUri
    from agent.native.source import Source

CONNECT_S: Final = 5.0  # a scanner stands in the same room


def open_server(uri: SourceUri) -> Source:
    """Connect and wait for the first image."""
    name = f"openigtlink {uri.what}"
    options, texts = uri.options, uri.texts
    with _connect(uri.what, name) as sock:
        if options["start"]:
            _ask(sock, texts["device"], name)
        return open_igtl(
            sock.fileno(),
            device=texts["device"],
            transform=texts["transform"],
            wait_s=options["wait_s"],
            rate_hz=options["rate_hz"],
            name=name,
        )


def _connect(what: str, name: str) -> socket.socket:
    host, port = parse_address(what, IGTL_PORT)
    try:
        addresses = socket.getaddrinfo(plain_name(host), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise DeviceError(f"{name}: the host name is not known: {getattr(error, 'strerror', None) or error}") from None
    deadline, problem = time.monotonic() + CONNECT_S, "no address"
    for family, kind, protocol, _, address in addresses:
        sock = socket.socket(family, kind, protocol)
        try:
            connect_socket(sock, address, deadline, time.monotonic, lambda: False)
        except BlockingIOError:
            sock.close()
            problem = f"nobody answered within {CONNECT_S:g} s"
            break
        except OSError as error:
            sock.close()
            refused = isinstance(error, ConnectionRefusedError)
            problem = "nothing listens on this port" if refused else error.strerror or str(error)
        else:
            return sock
    raise DeviceError(f"{name}: {problem}", hint="Is the scanner, or PLUS, running, and is its server switched on?")


def _ask(sock: socket.socket, device: str, name: str) -> None:
    """Send STT_IMAGE, which has no body."""
    message = struct.pack(">H12s20sQQQ", 1, b"STT_IMAGE", device.encode(), 0, 0, 0)
    try:
        sock.sendall(message)
    except OSError as error:
        raise DeviceError(f"{name}: asking for images: {error.strerror}") from None
