"""The line: a tty, the caller's own terminal, or a URL of pyserial.

A tty is served with ``termios`` alone, because only PARMRK tells BREAK and parity errors from data: the kernel marks
them as ``FF 00 00`` and ``FF 00 X``, and pyserial switches that off. pyserial serves what is no tty (``rfc2217://``,
``socket://``, ``loop://``). Whatever goes wrong with a line that was open is ``PortGone``: the cable, the adapter or
the other end; it is opened again when it is back.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import termios

from agent.errors import DeviceError, UsageError
from agent.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CHUNK: Final = 4096
BAUDS: Final = {
    9600: termios.B9600, 19200: termios.B19200, 38400: termios.B38400, 57600: termios.B57600, 115200: termios.B115200,
    230400: termios.B230400, 460800: termios.B460800, 921600: termios.B921600,
}  # fmt: skip
HINT: Final = "Is the cable in, the name right, and may this user open it (group dialout)?"


class PortGone(Exception):
    """The line is no longer there."""


class Mark(NamedTuple):
    """Something that is no data: BREAK (no byte), or a byte that came damaged."""

    byte: int = -1


class Marks:
    """Takes PARMRK apart, however the bytes are cut."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = b""

    def split(self, data: bytes) -> Iterator[bytes | Mark]:
        """Return data and marks in their order."""
        data = self._held + data
        self._held = b""
        start = 0
        while (at := data.find(b"\xff", start)) >= 0:
            if at > start:
                yield data[start:at]
            mark = data[at : at + 3]
            if mark[1:2] == b"\xff":
                yield b"\xff"
                start = at + 2
            elif len(mark) < 3 and mark[1:2] in (b"", b"\x00"):
                self._held = mark
                return
            elif mark[1:2] == b"\x00":
                yield Mark() if mark[2:] == b"\x00" else Mark(mark[2])
                start = at + 3
            else:  # not a mark: this tty makes none
                yield b"\xff"
                start = at + 1
        if start < len(data):
            yield data[start:]


class TtyPort:
    """A tty: a serial line, a pseudo terminal, or the caller's own."""

    def __init__(self, reader: int, writer: int, *, own: bool, name: str) -> None:
        self.name = name
        self.local = not own
        self._reader, self._writer, self._own = reader, writer, own
        self._before = termios.tcgetattr(reader)
        self._marks = Marks()
        self._blocking = [(fd, os.get_blocking(fd)) for fd in {reader, writer}]
        for fd, _ in self._blocking:
            os.set_blocking(fd, False)

    def fileno(self) -> int:
        """Return what to poll."""
        return self._reader

    def write_fileno(self) -> int:
        """Return what to poll for room."""
        return self._writer

    def setup(self, baud: int = 0, *, hardware: bool = False, carrier: bool = False) -> None:
        """Make it 8 bits, no parity, raw, with XON/XOFF or RTS/CTS."""
        iflag, _, cflag, _, ispeed, ospeed, chars = termios.tcgetattr(self._reader)
        iflag &= termios.IUTF8 if hasattr(termios, "IUTF8") else 0
        iflag |= termios.PARMRK | termios.INPCK | (0 if hardware else termios.IXON | termios.IXOFF)
        cflag &= ~(termios.CSIZE | termios.PARENB | termios.CSTOPB | termios.CRTSCTS | termios.CLOCAL)
        cflag |= termios.CS8 | termios.CREAD | (0 if carrier else termios.CLOCAL)
        cflag |= termios.CRTSCTS if hardware else 0
        if baud:
            ispeed = ospeed = BAUDS[baud]
        chars = list(chars)
        chars[termios.VMIN], chars[termios.VTIME] = 1, 0
        termios.tcsetattr(self._reader, termios.TCSANOW, [iflag, 0, cflag, 0, ispeed, ospeed, chars])

    def transparent(self, on: bool) -> None:  # noqa: FBT001  on or off
        """Let every byte through, for a file transfer."""
        with contextlib.suppress(termios.error):
            iflag, *rest = termios.tcgetattr(self._reader)
            flags = termios.IXON | termios.IXOFF
            flow = 0 if on or rest[1] & termios.CRTSCTS else flags
            termios.tcsetattr(self._reader, termios.TCSADRAIN, [(iflag & ~flags) | flow, *rest])

    def read(self) -> list[bytes | Mark]:
        """Return what has come; raises ``PortGone``."""
        try:
            data = os.read(self._reader, _CHUNK)
        except BlockingIOError:
            return []
        except OSError as error:
            raise PortGone(error.strerror or str(error)) from None
        if not data:
            raise PortGone("the other end has closed it")
        return list(self._marks.split(data))

    def write(self, data: bytes | bytearray) -> int:
        """Send what goes now; returns how much; raises ``PortGone``."""
        try:
            return os.write(self._writer, data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise PortGone(error.strerror or str(error)) from None

    def flush(self) -> None:
        """Throw away what is not sent yet."""
        with contextlib.suppress(termios.error):
            termios.tcflush(self._writer, termios.TCOFLUSH)

    def close(self) -> None:
        """Give it back as it was."""
        with contextlib.suppress(termios.error, OSError):
            termios.tcsetattr(self._reader, termios.TCSANOW, self._before)
        for fd, blocking in self._blocking:
            with contextlib.suppress(OSError):
                os.close(fd) if self._own else os.set_blocking(fd, blocking)


class UrlPort:
    """A line that pyserial makes; without a descriptor it is looked at a hundred times a second."""

    local = False

    def __init__(self, serial: Any, name: str) -> None:
        self.name = name
        self._serial = serial

    def fileno(self) -> int:
        """Return what to poll, or -1."""
        try:
            return int(self._serial.fileno())
        except Exception:  # noqa: BLE001  each kind of URL refuses in its own way
            return -1

    def write_fileno(self) -> int:
        """Return what to poll for room, or -1."""
        return self.fileno()

    def transparent(self, on: bool) -> None:  # noqa: FBT001  on or off
        """Nothing to switch."""

    def read(self) -> list[bytes | Mark]:
        """Return what has come; raises ``PortGone``."""
        data = self._do(lambda: self._serial.read(min(self._serial.in_waiting, _CHUNK)))
        return [data] if data else []

    def write(self, data: bytes | bytearray) -> int:
        """Send a piece; raises ``PortGone``."""
        piece = bytes(data[:256])
        self._do(lambda: self._serial.write(piece))
        return len(piece)

    def flush(self) -> None:
        """Throw away what is not sent yet."""
        self._do(self._serial.reset_output_buffer)

    def close(self) -> None:
        """Close it."""
        with contextlib.suppress(OSError, termios.error):
            self._serial.close()

    def _do(self, act: Callable[[], Any]) -> Any:
        try:
            return act()
        except (OSError, termios.error) as error:  # SerialException is an OSError, termios.error is none
            raise PortGone(str(error)) from None


Port = TtyPort | UrlPort


def open_own() -> TtyPort:
    """Take the terminal that the caller sits at; raises ``UsageError``."""
    if not (os.isatty(0) and os.isatty(1)):
        raise UsageError("standard input is no terminal", hint="Name a serial line with --port DEVICE --baud N.")
    port = TtyPort(0, 1, own=False, name=os.ttyname(0))
    port.setup()
    return port


def open_port(name: str, baud: int, *, hardware: bool = False, carrier: bool = False) -> Port:
    """Open a device or a URL; raises ``DeviceError``."""
    if "://" in name:
        return _open_url(name, baud)
    if baud not in BAUDS:
        raise UsageError(f"--baud: {baud} is not one of {', '.join(map(str, BAUDS))}")
    try:
        fd = os.open(name, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise DeviceError(f"{name}: {error.strerror or error}", hint=HINT) from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        port = TtyPort(fd, fd, own=True, name=name)
        port.setup(baud, hardware=hardware, carrier=carrier)
        with contextlib.suppress(OSError):
            fcntl.ioctl(fd, termios.TIOCEXCL)
    except BlockingIOError:
        os.close(fd)
        raise DeviceError(f"{name}: another program has it", hint="Two readers steal each other's letters.") from None
    except (OSError, termios.error) as error:
        os.close(fd)
        raise DeviceError(f"{name}: is no serial line ({error})", hint=HINT) from error
    return port


def _open_url(name: str, baud: int) -> UrlPort:
    try:
        import serial
    except ImportError:
        raise UsageError(
            f"{name}: URLs need pyserial", hint="pip install 'modality-agent[console]', or Debian's python3-serial."
        ) from None
    try:
        return UrlPort(serial.serial_for_url(name, baudrate=baud, timeout=0), name)
    except (OSError, ValueError, termios.error) as error:
        raise DeviceError(f"{name}: {error}", hint=HINT) from error
