"""The control socket: how other processes on the box talk to the running agent.

``control.sock`` in the spool folder, for the agent's own user only (mode 0600). One request and one answer per
connection, each one line of JSON: ``{"verb": "retry", "destination": "pacs"}`` and ``{"ok": true, ...}`` or
``{"error": {"code", "message"}}``. A blank in front of the answer says that the request is there, so that an agent that
hangs is known within ``FIRST_S`` from one that works for long; where nobody is left to take it, because who asked has
given up, the request is not carried out. Lines, connections and waits are bounded: a client has ``CLIENT_S`` for its
request, however it spreads the bytes, and as much to take the answer, because the next one waits behind it. The address
goes through ``/proc/self/fd`` because a socket path may have 107 bytes only and spool paths may be longer.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time

from agent.errors import AgentError, AgentSilent, SpoolBusy, SpoolError, UsageError, class_of
from agent.spool.states import PRIORITY_OF_WORD
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Sequence

SOCKET_NAME: Final = "control.sock"
# A request names a verb and a UID or two.
REQUEST_LIMIT_BYTES: Final = 4096
# A status report of 32 destinations and 16 sources is below 32 KiB.
ANSWER_LIMIT_BYTES: Final = 1 << 20
# Both ends are on this machine: a request arrives in a millisecond. A hundred times that on a busy box, and some more.
CLIENT_S: Final = 0.5
# How long ``ask`` waits for its turn: a full backlog of clients that hang, and some more.
FIRST_S: Final = 5.0
# How long for what is done then, unless its caller knows better.
WAIT_S: Final = 10.0
# An answer that has begun is there at once: ``CLIENT_S``, on a busy box.
REST_S: Final = 2.0
# Requests that come with files are answered beside the others, so many at a time; a stop waits so long for them.
_APART: Final = 2
APART_S: Final = 30.0
# Files in one request.
MAX_DESCRIPTORS: Final = 32
# The member of a request under which the open files that came with it are; whoever handles it does not close them.
DESCRIPTORS: Final = "descriptors"
# Between attempts to accept when descriptors or memory are short, and of ``ask`` to connect to a full backlog.
PAUSE_S: Final = 0.25
# Requests are served one after the other: a console, a cron job and a person fit in the queue.
_BACKLOG: Final = 8
# Numbers of instances have eight hex digits.
_LAST_NUMBER: Final = 0xFFFFFFFF

_LATER: Final = "It may be done later; 'modality-agent log' shows what it does. Look before you ask again."
# In front of an answer; JSON takes no notice of it.
_HERE: Final = b" "

Request = dict[str, Any]


def _nobody(_text: str) -> None:
    """Say nothing."""


class ControlServer:
    """The daemon's end; ``serve`` is the work of a role."""

    __slots__ = ("_apart", "_closed", "_handle", "_listener", "_root", "_say")

    def __init__(
        self, root: str, handle: Callable[[Request], dict[str, Any]], say: Callable[[str], None] = _nobody
    ) -> None:
        """Bind the socket in ``root``; the spool lock is held, so a socket file that is there is a dead one's."""
        self._root = root
        self._handle = handle
        self._say = say
        self._closed = False
        self._apart: list[threading.Thread] = []
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        with _short(root) as path:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            self._listener.bind(path)
            os.chmod(path, 0o600)
        self._listener.listen(_BACKLOG)

    def serve(self, stop: threading.Event, _facts: object = None) -> None:
        """Answer requests until ``close``, or until ``stop`` is set and one more request came."""
        while not stop.is_set():
            try:
                side, _ = self._listener.accept()
            except OSError as error:
                if self._closed:
                    return
                self._say(f"no request can be accepted: {error.strerror or error}")
                stop.wait(PAUSE_S)
                continue
            with side, contextlib.suppress(OSError):
                try:
                    self._answer(side)
                except UsageError as error:
                    self._send(side, _told(error))

    def close(self) -> None:
        """End ``serve`` and remove the socket file."""
        self._closed = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for worker in self._apart:
            worker.join(APART_S)
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(self._root, SOCKET_NAME))

    @property
    def closing(self) -> bool:
        """Whether ``close`` was called: what takes long is given up."""
        return self._closed

    def _answer(self, side: socket.socket) -> None:
        line, descriptors = _read_request(side, REQUEST_LIMIT_BYTES, time.monotonic() + CLIENT_S)
        try:
            side.sendall(_HERE)
        except OSError:  # nobody waits for it any more
            _close_all(descriptors)
            raise
        if not descriptors:
            self._reply(side, line, [])
            return
        import threading as threads  # an idle daemon has it; only the type is wanted above

        self._apart = [one for one in self._apart if one.is_alive()]
        if len(self._apart) >= _APART:
            _close_all(descriptors)
            self._send(side, _told(SpoolBusy("other files are being taken in", hint="Try again when they are.")))
            return
        try:
            other = side.dup()
        except OSError:
            _close_all(descriptors)
            raise
        worker = threads.Thread(target=self._take, args=(other, line, descriptors), daemon=True)
        try:
            worker.start()
        except RuntimeError as error:  # no memory, or no more threads for this user
            _close_all(descriptors)
            other.close()
            self._send(side, _told(SpoolBusy(f"no files can be taken in now: {error}")))
            return
        self._apart.append(worker)

    def _take(self, side: socket.socket, line: bytes, descriptors: list[int]) -> None:
        """Answer a request that comes with files, which may take long: others are not kept waiting."""
        try:
            with side, contextlib.suppress(OSError):
                self._reply(side, line, descriptors)
        finally:
            _close_all(descriptors)

    def _reply(self, side: socket.socket, line: bytes, descriptors: list[int]) -> None:
        import json  # the first request pays for it, not the idle daemon

        try:
            request = json.loads(line)
            if not isinstance(request, dict):
                raise ValueError("a request is an object")
            request.pop(DESCRIPTORS, None)
            if descriptors:
                request[DESCRIPTORS] = descriptors
            answer = self._handle(request)
        except AgentError as error:
            answer = _told(error)
        except (ValueError, RecursionError) as error:
            answer = _told(UsageError(f"request not understood: {error}"))
        except Exception as error:  # noqa: BLE001  a fault of ours in one request must not end the role for all others
            self._say(f"fault of the agent in a request: {type(error).__name__}: {error}")
            answer = _told(AgentError(f"the agent failed at this request: {type(error).__name__}: {error}"))
        self._send(side, answer)

    @staticmethod
    def _send(side: socket.socket, answer: dict[str, Any]) -> None:
        import json

        side.settimeout(CLIENT_S)  # sendall counts it over the whole answer
        side.sendall(json.dumps(answer).encode() + b"\n")


def _told(error: AgentError) -> dict[str, Any]:
    return {"error": {"code": error.code, "message": str(error)}}


def number_of(request: Request, name: str) -> int:
    """Return the number of an instance that a request names; raises ``UsageError`` for anything else."""
    value = request.get(name)
    if type(value) is not int or not 0 < value <= _LAST_NUMBER:
        raise UsageError(f"'{name}' of a request is the number of an instance")
    return value


def text_of(request: Request, name: str) -> str | None:
    """Return a value of a request, None without one; ``UsageError`` if it is no text."""
    value = request.get(name)
    if value is not None and not isinstance(value, str):
        raise UsageError(f"'{name}' of a request is text")
    return value


def priority_of(request: Request, default: str) -> str:
    """Return the priority that a request names, or ``default``."""
    word = text_of(request, "priority") or default
    if word and word not in PRIORITY_OF_WORD:
        raise UsageError(f"'{word}' is no priority: {', '.join(PRIORITY_OF_WORD)}")
    return word


def ask(
    root: str, request: Request, *, descriptors: Sequence[int] = (), wait_s: float = WAIT_S
) -> dict[str, Any] | None:
    """Ask the agent that runs on the spool ``root``; None when none runs. ``descriptors`` go along with the request.

    Raises ``AgentSilent`` when it does not answer, and what it answers if that is an error.
    """
    import json

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as side:
        try:
            if not _connect(side, root, time.monotonic() + FIRST_S):
                return None
            until = time.monotonic() + FIRST_S
            side.settimeout(FIRST_S)
            line = json.dumps(request).encode() + b"\n"
            if descriptors:
                socket.send_fds(side, [line], descriptors)  # a line of ours fits into the buffer of a socket
            else:
                side.sendall(line)
            answer: dict[str, Any] = json.loads(_read_answer(side, until, wait_s))
        except (OSError, ValueError) as error:
            raise AgentSilent(f"the running agent does not answer: {error}") from None
    if "error" in answer:
        raise _error(answer["error"])
    return answer


def _read_answer(side: socket.socket, until: float, wait_s: float) -> bytes:
    """Read an answer that must begin by ``until``; what is done has time, what is said has not."""
    side.settimeout(_left(until))
    try:
        begun = side.recv(len(_HERE))
    except TimeoutError:
        raise TimeoutError(f"nothing came within {FIRST_S:g} s") from None
    if begun == _HERE:
        side.settimeout(wait_s)
        try:
            begun = side.recv(1)
        except TimeoutError:
            text = f"the running agent began with it and was not done within {wait_s:g} s"
            raise AgentSilent(text, hint=_LATER) from None
    if not begun:
        raise OSError("it ended the connection")
    return begun + _read_line(side, ANSWER_LIMIT_BYTES, time.monotonic() + REST_S)


def _connect(side: socket.socket, root: str, until: float) -> bool:
    """Connect to the agent of ``root``; False when there is none. A full backlog is an agent that is busy."""
    while True:
        side.settimeout(_left(until))
        try:
            with _short(root) as path:
                side.connect(path)
        except BlockingIOError:
            time.sleep(PAUSE_S)
        except TimeoutError:
            raise
        except OSError:
            return False
        else:
            return True


def _left(until: float) -> float:
    """Seconds until a deadline; raises ``TimeoutError`` after it."""
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left


def _error(given: dict[str, str]) -> AgentError:
    """The error of the same class, as far as its code is known here."""
    kind = class_of(given["code"])
    if kind is not None:
        error = AgentError.__new__(kind)
        AgentError.__init__(error, given["message"])
        return error
    return SpoolError(given["message"])


def _close_all(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _read_request(side: socket.socket, limit: int, until: float) -> tuple[bytes, list[int]]:
    """Read a request, and the descriptors that came with its first bytes: all of them, or it is a ``UsageError``.

    No program that is started meanwhile inherits them.
    """
    side.settimeout(_left(until))
    # Not socket.recv_fds: it does not pass flags on.
    data, rights, flags, _address = side.recvmsg(limit, socket.CMSG_LEN(4 * MAX_DESCRIPTORS), socket.MSG_CMSG_CLOEXEC)
    descriptors = [
        number
        for level, kind, value in rights
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS)
        for number in memoryview(value[: len(value) // 4 * 4]).cast("i")
    ]
    try:
        if flags & socket.MSG_CTRUNC:
            what = f"not every file of the request arrived: more than {MAX_DESCRIPTORS}, or too many are open here"
            raise UsageError(what, hint="Send fewer at a time.")
        rest = b"" if not data or data.endswith(b"\n") else _read_line(side, limit - len(data), until)
    except BaseException:
        _close_all(descriptors)
        raise
    return data + rest, descriptors


def _read_line(side: socket.socket, limit: int, until: float) -> bytes:
    """Read up to the newline or the end; the deadline is for all of it, so that a client that drips gains nothing."""
    data = b""
    while not data.endswith(b"\n"):
        side.settimeout(_left(until))
        part = side.recv(min(limit + 1 - len(data), 65_536))
        if not part:
            break
        data += part
        if len(data) > limit:
            raise OSError("line too long")
    return data


@contextlib.contextmanager
def _short(root: str) -> Iterator[str]:
    folder = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{SOCKET_NAME}"
    finally:
        os.close(folder)
