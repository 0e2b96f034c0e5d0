"""What must be right before a configuration is used: a check for each, with its outcome, whose fault it is, what to do.

No running agent is needed, and none is disturbed. Destinations are asked all at the same time, so that the whole takes
as long as the slowest; each gets one C-ECHO over TLS where it has that. Outcomes are ``ok``, ``warning`` (work goes on,
but somebody should know) and ``failed``. Whose fault: ``here`` (this box and its configuration), ``network``, ``peer``.
"""

from __future__ import annotations

import os
import time

from agent.app.certificates import ending
from agent.app.clock_facts import clock, quality_text
from agent.app.peers import peer_of_destination
from agent.app.term import size_text
from agent.errors import (
    AgentError,
    AssociationError,
    ConfigError,
    ConnectFailed,
    LinkError,
    LinkTimeout,
    NoAcceptedContext,
    StatusError,
    TlsRefused,
)
from agent.link.expiry import expiry_text
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.config.settings import DestinationSettings, Settings

OK, WARNING, FAILED = "ok", "warning", "failed"
HERE, NETWORK, PEER, NOBODY = "here", "network", "peer", ""
AT_ONCE: Final = 16  # destinations asked at the same time
MIB: Final = 1 << 20
# Class of an error -> whose fault it is; the first that fits.
_WHOSE: Final[tuple[tuple[type[AgentError], str], ...]] = (
    (ConfigError, HERE), (ConnectFailed, NETWORK), (LinkTimeout, NETWORK), (TlsRefused, PEER), (LinkError, NETWORK),
    (AssociationError, PEER), (StatusError, PEER),
)  # fmt: skip


class Check(NamedTuple):
    """The outcome of one check."""

    name: str
    outcome: str
    says: str
    whose: str = NOBODY
    do: str = ""
    seconds: float = 0.0


def groups(settings: Settings, within_s: float) -> dict[str, Callable[[], list[Check]]]:
    """Every group of checks by its name: one for each destination, and those of this box."""
    found: dict[str, Callable[[], list[Check]]] = {
        row.name: (lambda row=row: [echo_check(settings, row, within_s)]) for row in settings.destination  # type: ignore[misc]  # a default names the row
    }  # fmt: skip
    found["tls"] = lambda: list(_tls(settings))
    found["clock"] = lambda: [_clock()]
    found["spool"] = lambda: list(_spool(settings))
    return found


def run(chosen: dict[str, Callable[[], list[Check]]]) -> list[Check]:
    """Do the checks of several groups beside each other; in the order of the groups."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(AT_ONCE) as pool:
        waits = [pool.submit(check) for check in chosen.values()]
        return [one for wait in waits for one in wait.result()]


def echo_check(settings: Settings, row: DestinationSettings, within_s: float) -> Check:
    """One C-ECHO to a destination."""
    from agent.forward.deliver import echo

    began = time.monotonic()
    name = f"echo {row.name}"
    try:
        peer = peer_of_destination(settings, row)
        most = {key: min(getattr(peer.timeouts, key), within_s)
                for key in ("connect_s", "tls_s", "associate_s", "response_s", "write_s")}  # fmt: skip
        found = echo(peer._replace(timeouts=peer.timeouts._replace(**most)))
    except NoAcceptedContext:
        text = f"{row.called_ae} answers and takes no Verification: it may be that it takes images all the same"
        return Check(name, WARNING, text, PEER, "Let its administrator enable Verification for us.", _since(began))
    except AgentError as error:
        return Check(name, FAILED, error.message, whose_fault(error), _once(error), _since(began))
    ends = expiry_text(found.facts.get("valid_until", ""), time.time())
    if ends:
        text = f"{row.called_ae} answers, and its certificate {ends}"
        return Check(name, WARNING, text, PEER, "Tell its administrator to renew it.", _since(began))
    facts = ", ".join(str(value) for key, value in found.facts.items() if key in ("version", "suite"))
    text = f"{row.called_ae}@{row.host}:{row.port} answers in {found.echo_s * 1000:.0f} ms"
    return Check(name, OK, f"{text} ({facts})" if facts else text, NOBODY, "", _since(began))


def whose_fault(error: AgentError) -> str:
    """Where an error of the way to a peer has its cause, as far as its class tells."""
    return next((whose for kind, whose in _WHOSE if isinstance(error, kind)), HERE)


def _once(error: AgentError) -> str:
    """The hint of an error for who tries once: the agent is not there to try again."""
    if isinstance(error, ConnectFailed):
        return "Is the peer started, and are host and port right? 'modality-agent network --check' says how far we get."
    return error.hint


def _since(began: float) -> float:
    return round(time.monotonic() - began, 3)


def _tls(settings: Settings) -> Iterator[Check]:
    """Whether the certificates can be used, and until when."""
    used = any(row.tls for row in settings.destination) or (settings.listener.enabled and settings.listener.tls)
    if not used:
        yield Check("certificates", OK, "no TLS is configured")
        return
    from agent.app.wiring import check_tls

    try:
        check_tls(settings)
    except AgentError as error:
        yield Check("certificates", FAILED, error.message, HERE, error.hint)
        return
    told = ending(settings, time.time())
    hint = "Ask whoever signs them for new ones: 'modality-agent tls request --same-key'."
    for text in told:
        yield Check("certificates", FAILED if "expired" in text else WARNING, text, HERE, hint)
    if not told:
        yield Check("certificates", OK, "key and certificates fit, and none ends within 60 days")


def _clock() -> Check:
    facts = clock()
    text, grade = quality_text(facts), facts["grade"]
    if grade == "never set":
        do = "Set it: 'modality-agent clock set TIME', or 'modality-agent clock ntp SERVER'."
        return Check("clock", FAILED, text, HERE, do)
    if grade == "synchronised":
        return Check("clock", OK, text)
    return Check("clock", WARNING, text, HERE, "Name an NTP server: 'modality-agent clock ntp SERVER'.")


def _spool(settings: Settings) -> Iterator[Check]:
    """Whether instances could be kept: a folder that can be written, and room."""
    spool = settings.spool
    root = spool.path
    if spool.require_mount and not os.path.ismount(spool.require_mount):
        text = f"{spool.require_mount} is no mount point now: the medium is not there"
        yield Check("spool", FAILED, text, HERE, "Put the medium in, or mount it.")
        return
    there = os.path.isdir(root)
    folder = root if there else os.path.dirname(root)
    if not os.path.isdir(folder):
        yield Check("spool", FAILED, f"{folder}: there is no such folder", HERE, "Make it, or correct [spool] path.")
        return
    problem = _unwritable(folder)
    if problem:
        yield Check("spool", FAILED, f"{folder}: {problem}", HERE, "See who may write there, and how it is mounted.")
        return
    yield Check("spool", OK, f"{root} can be written" if there else f"{root} is made by the first start")
    yield _room(settings, folder)


def _unwritable(folder: str) -> str:
    """Why nothing can be written into a folder; empty: a file of a few bytes could be, and is gone again."""
    path = f"{folder}/.selftest-{os.getpid()}"
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.write(fd, b"is this written?\n")
        finally:
            os.close(fd)
            os.unlink(path)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _room(settings: Settings, folder: str) -> Check:
    found = os.statvfs(folder)
    total, free = found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize
    floor = max(settings.spool.min_free_mib * MIB, total // 50)
    text = f"{size_text(free)} of {size_text(total)} are left"
    if free <= floor:
        return Check("room", FAILED, f"{text}: captures are refused below {size_text(floor)}", HERE,
                     "Make room on the medium, or take a larger one.")  # fmt: skip
    used = 100 * (1 - free / total) if total else 0
    if used >= settings.spool.warning_percent:
        return Check("room", WARNING, text, HERE, "Look what else is on the medium.")
    return Check("room", OK, text)
