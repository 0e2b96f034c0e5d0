"""``file send`` and ``file receive``: files over the line that the console is on, by lrzsz.

What is sent is a name of the table ``SENT``, never a path; what is received is used at once and not kept: a certificate
goes where a pasted one goes, a configuration becomes the candidate. In between it lies in memory (``/dev/shm``) where
there is some, because it may be what nobody should have sent. The name that the other end gives is only shown.
"""

from __future__ import annotations

import contextlib
import os

from agent.console.acts_keys import judged, needs_admin
from agent.console.steps import Ended, Interrupted, Run, say
from agent.console.transfer import PROTOCOLS, SENT, WORDS, safe_name, unpadded
from agent.errors import AgentError
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from agent.console.filters import Filters
    from agent.console.session import Session
    from agent.console.steps import Step, Talk
    from agent.console.tree import Call
    from agent.typed import Any

LRZSZ: Final = "agent.console.lrzsz"
MOST_SENT: Final = 64 << 20
MOST_RECEIVED: Final = 1 << 20
MAKING_S: Final = 300.0
# What PEM calls it: a key of the configuration may name any file.
_IS: Final = {"certificate": "CERTIFICATE", "request": "CERTIFICATE REQUEST"}


def send(session: Session, call: Call, chain: Filters) -> Talk:
    """Send a file to the other end."""
    what, protocol = call.value("WHAT"), call.value("protocol") or "zmodem"
    _missing(protocol)
    name, verb = SENT[what]
    with _folder() as folder:
        path = os.path.join(folder, name)
        yield from _made(session, what, verb, path, call.value("source"))
        size, digest = _measured(path)
        row = PROTOCOLS[protocol]
        yield say(
            f"{name}, {size} bytes,",
            f"SHA-256 {digest}",
            f"Receive it now with {protocol.upper()} ({row.there_receive}; in picocom ^A ^R).",
        )
        yield from _carried(session, ("send", protocol, str(MOST_SENT), path), what)
        yield say(f"Sent: {name}, {size} bytes, SHA-256 {digest[:32]}...")
        if row.length == "padded":
            yield say(f"XMODEM fills the last block up: truncate -s {size} FILE")


def receive(session: Session, call: Call, chain: Filters) -> Talk:
    """Take a file from the other end, and use it."""
    what, protocol = call.value("WHAT"), call.value("protocol") or "zmodem"
    if what != "configuration":
        needs_admin(session)
    _missing(protocol)
    with _folder() as folder:
        yield say(
            f"Send it now with {protocol.upper()} ({PROTOCOLS[protocol].there_send}; in picocom ^A ^S); ^C aborts."
        )
        yield from _carried(session, ("receive", protocol, str(MOST_RECEIVED), folder), what)
        name, data = _taken(folder)
    from agent.spool.small_sha256 import sha256

    yield say(f"Received: {safe_name(name)}, {len(data)} bytes, SHA-256 {sha256(data).hexdigest()[:32]}...")
    if what != "configuration":
        yield from judged(session, what, data)
        return
    assert session.user is not None
    argv = (
        "agent",
        "config",
        "load",
        "-",
        "--replace",
        f"--config={session.world.config}",
        f"--who={session.user.name}",
    )
    ended: Ended = yield Run(argv, data, wait_s=MAKING_S, whole=True)
    if ended.status or ended.why:
        raise Interrupted("nothing was changed")
    yield say("It is the candidate: 'configure', 'compare' and 'commit confirmed 10'.")


# --- inside ----------------------------------------------------------------------------------------


def _missing(protocol: str) -> None:
    row = PROTOCOLS.get(protocol)
    if row is None:
        raise Interrupted(f"'{protocol}' is no protocol; there are {', '.join(PROTOCOLS)}")
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    if not any(os.access(os.path.join(folder, row.send[0]), os.X_OK) for folder in folders):
        raise Interrupted(WORDS[-1])


@contextlib.contextmanager
def _folder() -> Iterator[str]:
    """Make a folder that only we see, and remove it with all that is in it."""
    root = "/dev/shm" if os.access("/dev/shm", os.W_OK) else "/tmp"  # noqa: S108  of a name that nobody can guess
    path = os.path.join(root, f"modality-agent-{os.urandom(8).hex()}")
    os.mkdir(path, 0o700)
    try:
        yield path
    finally:
        _remove(path)


def _remove(folder: str) -> None:
    """Remove a folder with what lrzsz has put there, which may be folders."""
    for where, _folders, files in os.walk(folder, topdown=False):
        with contextlib.suppress(OSError):
            for name in files:
                os.unlink(os.path.join(where, name))
            os.rmdir(where)


def _made(session: Session, what: str, verb: tuple[str, ...], path: str, source: str) -> Generator[Step, Any, None]:
    """Put the file that is wanted at ``path``; raises ``Interrupted``."""
    if not verb:
        place, title = _place(session, what), _IS.get(what, "")
        try:
            with open(place, "rb") as there, open(path, "wb") as here:
                data = there.read(MOST_SENT)
                if title and f"-----BEGIN {title}-----".encode() not in data:
                    raise Interrupted(f"{place} is no {title.lower()}")
                here.write(data)
        except OSError as error:
            raise Interrupted(f"{error.filename}: {error.strerror}") from None
        return
    if what == "preview" and not source:
        raise Interrupted("of which source? file send preview source NAME")
    own = (f"--config={session.world.config}", *((path,) if verb[-1] == "-o" else ()))
    words = (*verb[:-1], own[0], "-o", path) if verb[-1] == "-o" else (*verb, own[0])
    argv = ("agent", *words, *(("--", source) if what == "preview" else ()))
    ended: Ended = yield Run(argv, shown=False, wait_s=MAKING_S)
    if ended.status or ended.why:
        raise Interrupted(f"it could not be made (exit status {ended.status})")
    if verb[-1] != "-o":
        with open(path, "wb") as file:
            file.write(ended.output)


def _place(session: Session, what: str) -> str:
    """Return the path of what lies on the box already."""
    if what == "configuration":
        return session.world.config
    from agent.config.load import load

    try:
        files = load(session.world.config).tls
    except AgentError as error:
        raise Interrupted(str(error)) from None
    folder = os.path.join(os.path.dirname(session.world.config), "tls")
    if what == "certificate":
        return files.certificate_file or os.path.join(folder, "certificate.pem")
    return os.path.splitext(files.key_file or os.path.join(folder, "agent.key"))[0] + ".csr"


def _measured(path: str) -> tuple[int, str]:
    from agent.spool.small_sha256 import sha256

    try:
        with open(path, "rb") as file:
            data = file.read(MOST_SENT)
    except OSError as error:
        raise Interrupted(f"it could not be made: {error.strerror}") from None
    if b"PRIVATE KEY-----" in data:
        raise Interrupted("there is a private key in it, which never leaves this box")
    return len(data), sha256(data).hexdigest()


def _carried(session: Session, words: tuple[str, ...], what: str) -> Generator[Step, Any, None]:
    """Give the line to lrzsz; raises ``Interrupted`` when it does not arrive."""
    ended: Ended = yield Run((LRZSZ, *words), wait_s=0, raw=True)
    told = WORDS[ended.status] if 0 <= ended.status < len(WORDS) else f"status {ended.status}"
    session.note(f"file {words[0]}", ended.why or told, what)
    yield say("")
    if ended.status:
        raise Interrupted(told)


def _taken(folder: str) -> tuple[str, bytes]:
    """Return the one file that came, and nothing that is no plain file."""
    found = sorted(name for name in os.listdir(folder) if os.path.isfile(os.path.join(folder, name)))
    if len(found) != 1:
        raise Interrupted("one file is wanted, and another number of them came" if found else "no file came")
    fd = os.open(os.path.join(folder, found[0]), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(fd, "rb") as file:
        return found[0], unpadded(file.read(MOST_RECEIVED + 1))
