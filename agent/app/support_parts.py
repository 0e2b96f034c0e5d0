"""The members of a support bundle: name, what it is, and who makes it; a member that cannot be had says why."""

from __future__ import annotations

import json
import os
import sys
import time

import agent
from agent.app import network_facts
from agent.app.clock_facts import clock, quality_text
from agent.app.flight_text import capture_text, records
from agent.app.logbook import Reader
from agent.app.scrub import Scrubber
from agent.app.term import stamp_text
from agent.config.source import OF_PATHS
from agent.errors import AgentError
from agent.spool import listing
from agent.spool.flights import FOLDER
from agent.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.app.options import Arguments
    from agent.config.settings import Settings

LIMIT_BYTES: Final = 2 << 20  # of one member; a log is 1 MiB, a flight recorder 64 KiB
_STUDIES: Final = 20_000
# Sections of the configuration of which nothing goes along, and keys that may hold anything.
_PRIVATE: Final = ("patient", "exam")
_PRIVATE_KEYS: Final = ("user_name", "lossy_history")
_MASK: Final = "[left out]"
_KEY_BYTES: Final = 64 * 1024


class Part(NamedTuple):
    """One member; ``make`` returns its text, scrubbed."""

    name: str
    what: str
    make: Callable[[], str]


class Sources(NamedTuple):
    """What parts are made of."""

    args: Arguments
    settings: Settings | None
    problem: str  # of the configuration
    root: str
    scrub: Scrubber


def sources(args: Arguments) -> Sources:
    """Find configuration and spool; neither must be there."""
    from agent.app.common import load_config

    settings, problem = None, ""
    try:
        settings = load_config(args.config)
    except AgentError as error:
        problem = f"{type(error).__name__} [{error.code}]"
    root = args.spool or (settings.spool.path if settings else "")
    known = [*_secrets(settings), *_patients(settings, root)]
    return Sources(args, settings, problem, root, Scrubber(known, [root, os.path.dirname(args.config)]))


def parts(found: Sources) -> list[Part]:
    """Every member, in the order in which people read them."""
    made = [
        Part("versions.txt", "versions of agent, Python, libraries and system", lambda: _versions(found)),
        Part("status.json", "what 'status --json' says", lambda: _status(found)),
        Part("config.toml", "the configuration, without patient, exam and names", lambda: _config(found)),
        Part("log.txt", "the log of the agent", lambda: _log(found)),
        Part("clock.txt", "clock, zone, quality", lambda: _clock(found)),
        Part("network.json", "interfaces, routes, name servers", lambda: _network(found)),
        Part("disk.txt", "room on the file systems in use", lambda: _disk(found)),
        Part("certificates.txt", "certificates in use, until when", lambda: _certificates(found)),
    ]
    made += [_of_flight(found, name) for name in _recorded(found.root)]
    return made


def _recorded(root: str) -> list[str]:
    """The destinations with a flight recorder."""
    return sorted(os.listdir(f"{root}/{FOLDER}")) if os.path.isdir(f"{root}/{FOLDER}") else []


def _of_flight(found: Sources, name: str) -> Part:
    return Part(f"flight/{name}.txt", f"last associations with {name}", lambda: _flight(found, name))


def text_of(part: Part) -> bytes:
    """The bytes of a member, of a long one the end."""
    try:
        data = part.make().encode("utf-8", "replace")
    except Exception as error:  # noqa: BLE001  a bundle that lacks a part helps more than none
        data = f"could not be had: {type(error).__name__}\n".encode()
    if len(data) <= LIMIT_BYTES:
        return data
    return b"[the beginning was left out]\n" + data[-LIMIT_BYTES:]


# --- what must not be in it --------------------------------------------------------------------------


def _secrets(settings: Settings | None) -> Iterator[str]:
    """The content of files that hold a secret, line by line."""
    if settings is None:
        return
    for path in (settings.tls.key_file, *(row.user_file for row in settings.destination)):
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                yield from (line for line in file.read(_KEY_BYTES).splitlines() if not line.startswith("-----"))
        except OSError:
            continue


def _patients(settings: Settings | None, root: str) -> Iterator[str]:
    """Everything that is known of patients here."""
    if settings is not None:
        patient, exam = settings.patient, settings.exam
        yield from (patient.name, patient.id, patient.birth_date, exam.accession_number, exam.study_id,
                    exam.description, exam.referring_physician)  # fmt: skip
        yield from (row.user_name for row in settings.destination)
    from agent.app.people import People
    from agent.spool.view import SpoolView

    try:
        with SpoolView.open(root) as view, People(view) as people:
            uids = [one.study_uid for one in listing.studies(view.ask, limit=_STUDIES)]
            for person in people.of_studies(uids).values():
                yield from (person.patient_id, person.name, person.birth_date, person.accession_number)
                yield person.description
    except AgentError:
        return


# --- the members ---------------------------------------------------------------------------------------


def _versions(found: Sources) -> str:
    import platform
    import sqlite3
    import ssl

    told = {
        "made": stamp_text(time.time()), "modality-agent": agent.__version__, "Python": sys.version.split()[0],
        "OpenSSL": ssl.OPENSSL_VERSION, "SQLite": sqlite3.sqlite_version, "kernel": platform.release(),
        "machine": platform.machine(), "processors": os.cpu_count(), "system": _os_name(),
        "configuration": found.problem or "readable", "memory": _memory(),
    }  # fmt: skip
    return "".join(f"{key}: {value}\n" for key, value in told.items())


def _os_name() -> str:
    try:
        with open("/etc/os-release", encoding="utf-8", errors="replace") as file:
            lines = [line.strip().partition("=") for line in file.read(8192).splitlines()]
    except OSError:
        return "unknown"
    return next((value.strip('"') for key, _, value in lines if key == "PRETTY_NAME"), "unknown")


def _memory() -> str:
    with open("/proc/meminfo", encoding="ascii", errors="replace") as file:
        return ", ".join(" ".join(line.split()) for line in file.read(4096).splitlines()[:3])


def _status(found: Sources) -> str:
    from agent.app.verb_status import collect

    return _json(found.scrub.tree(collect(found.root, found.settings)))


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _config(found: Sources) -> str:
    from agent.config.edit import literal
    from agent.config.render import as_dict

    if found.settings is None:
        return f"# the file cannot be used: {found.problem}; its text may say anything and is left out\n"
    lines: list[str] = []
    for section, value in as_dict(found.settings).items():
        for row in value if isinstance(value, list) else [value]:
            lines.append(f"[[{section}]]" if isinstance(value, list) else f"[{section}]")
            for key, one in row.items():
                hidden = one and (section in _PRIVATE or key in _PRIVATE_KEYS)
                lines.append(f"{key} = {literal(_MASK if hidden else _shown(found, key, one))}")
            lines.append("")
    return "\n".join(lines)


def _shown(found: Sources, key: str, value: Any) -> Any:
    """A value of the configuration; a URI and a path may name anything."""
    if not isinstance(value, str):
        return value
    if key == "uri" and (scheme := value.partition(":")[0]) in OF_PATHS:
        return f"{scheme}:{_MASK}{value[value.index('?') :] if '?' in value else ''}"
    return found.scrub.text(value) if value.startswith("/") else found.scrub.value(value)


def _log(found: Sources) -> str:
    return "".join(found.scrub.text(one.line) + "\n" for one in Reader(found.root).entries())


def _clock(found: Sources) -> str:
    from agent.spool.view import SpoolView

    try:
        with SpoolView.open(found.root) as view:
            facts = clock(view)
    except AgentError:
        facts = clock()
    return f"{stamp_text(facts['at'])} {facts['zone']}\n{quality_text(facts)}\n{_json(facts)}"


def _network(found: Sources) -> str:
    facts: dict[str, Any] = network_facts.facts()
    return _json({key: found.scrub.value(value) if isinstance(value, str) else value for key, value in facts.items()})


def _disk(found: Sources) -> str:
    lines = []
    for path in dict.fromkeys((found.root, "/", "/tmp", "/var/log")):  # noqa: S108 - looked at only
        try:
            one = os.statvfs(path)
        except OSError as error:
            lines.append(f"{path}: {error.strerror}")
            continue
        total, free = one.f_blocks * one.f_frsize, one.f_bavail * one.f_frsize
        fixed = ", read-only" if one.f_flag & os.ST_RDONLY else ""
        lines.append(f"{path}: {free >> 20} of {total >> 20} MiB free, {one.f_favail} of {one.f_files} files{fixed}")
    return "\n".join(lines) + "\n"


def _certificates(found: Sources) -> str:
    from agent.app.certificates import held
    from agent.link.certificate import readable

    if found.settings is None or not any(found.settings.tls):
        return "no TLS is configured\n"
    lines = [f"{what}: subject {one.subject}, issuer {one.issuer}, until {readable(one.validity.not_after)}, "
             f"SHA-256 {one.sha256}" for what, _, one in held(found.settings)]  # fmt: skip
    return found.scrub.value("\n".join(lines)) + "\n"


def _flight(found: Sources, name: str) -> str:
    _, flights = records(found.root, name)
    return found.scrub.value(capture_text(name, flights))
