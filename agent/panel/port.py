"""The tty of the panel: raw, 115200 baud, nobody else's. Whatever goes wrong with it is a ``DeviceError``."""

from __future__ import annotations

import fcntl
import os
import termios

from agent.errors import DeviceError
from agent.typed import Final

_CHUNK: Final = 4096


class Port:
    """An open line; never waits."""

    __slots__ = ("_fd", "_name")

    def __init__(self, name: str) -> None:
        self._name = name
        try:
            self._fd = os.open(name, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise DeviceError(f"{name}: {error.strerror or error}") from error
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._setup()
        except BlockingIOError:
            self.close()
            raise DeviceError(f"{name}: another program has it") from None
        except (OSError, termios.error) as error:
            self.close()
            raise DeviceError(f"{name}: is no serial line ({error})") from error

    def fileno(self) -> int:
        """Return what to poll."""
        return self._fd

    def read(self) -> bytes:
        """Return what has come."""
        try:
            data = os.read(self._fd, _CHUNK)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise self._gone(error.strerror or str(error)) from error
        if not data:
            raise self._gone("the other end has closed it")
        return data

    def write(self, data: bytearray) -> None:
        """Send and remove what goes now; the rest stays, unless it is so much that nobody reads it."""
        try:
            sent = os.write(self._fd, data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            raise self._gone(error.strerror or str(error)) from error
        del data[: sent if len(data) - sent < _CHUNK else len(data)]

    def close(self) -> None:
        """Close it."""
        os.close(self._fd)

    def _gone(self, why: str) -> DeviceError:
        return DeviceError(f"{self._name}: {why}")

    def _setup(self) -> None:
        _, _, cflag, _, _, _, chars = termios.tcgetattr(self._fd)
        cflag &= ~(termios.CSIZE | termios.PARENB | termios.CSTOPB | termios.CRTSCTS)
        cflag |= termios.CS8 | termios.CREAD | termios.CLOCAL
        chars[termios.VMIN], chars[termios.VTIME] = 1, 0
        speed = termios.B115200
        termios.tcsetattr(self._fd, termios.TCSANOW, [0, 0, cflag, 0, speed, speed, chars])
