"""A whole site on one machine: an agent with its configuration, spool and listener, as other programs would see it.

What the tests assert about the agent they read from its ledger with SQL of their own and from its files with pydicom,
not through the product's own reports, so that one fault cannot hide in both.
"""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from fakes.process import Process, free_port

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

AGENT = os.path.join(sys.prefix, "bin", "modality-agent")
STATES = {1: "queued", 2: "active", 3: "stored", 4: "awaiting", 5: "committed", 6: "deferred", 7: "held", 8: "damaged",
          9: "lost", 10: "unconfirmed"}  # fmt: skip


class Row(NamedTuple):
    """One instance in the ledger and the states of its deliveries."""

    uid: str
    source: str
    file_sha256: str
    data_set_sha256: str
    life: int
    states: dict[str, str]


class Site:
    """Folder, configuration, agent process; several lives of the agent share one log."""

    def __init__(self, folder: Path, *, spool: Path | None = None, tls: Path | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.spool = spool or folder / "spool"
        self.tls = tls
        self.port = free_port()
        self.config = folder / "agent.toml"
        self.agent: Process | None = None
        self.lives = 0

    def configure(
        self,
        *,
        destinations: Iterable[Mapping[str, Any]],
        sources: Iterable[Mapping[str, Any]] = (),
        agent: Mapping[str, Any] | None = None,
        spool: Mapping[str, Any] | None = None,
    ) -> None:
        """Write ``agent.toml``; quick retries, because a test does not wait as a hospital does."""
        quick = {"retry_base_s": 0.1, "retry_cap_s": 1.0, "commitment_timeout_s": 10.0, "connect_timeout_s": 5.0,
                 "response_timeout_s": 20.0}  # fmt: skip
        sections = [
            table("[agent]", {"ae_title": "AGENT", **(agent or {})}),
            table("[spool]", {"path": str(self.spool), "min_free_mib": 1, **(spool or {})}),
            table("[listener]", {"enabled": True, "host": "127.0.0.1", "port": self.port, "tls": self.tls is not None}),
        ]
        if self.tls is not None:
            files = {"ca_file": "ca.pem", "certificate_file": "agent.pem", "key_file": "agent.key"}
            sections.append(table("[tls]", {key: str(self.tls / name) for key, name in files.items()}))
        sections += [table("[[destination]]", {**quick, "host": "127.0.0.1", **one}) for one in destinations]
        sections += [table("[[source]]", one) for one in sources]
        self.config.write_text("\n".join(sections))

    def start(self, *, env: Mapping[str, str] | None = None) -> Process:
        """Start one life of the agent and wait until it listens."""
        command = [AGENT, "run", "--config", str(self.config)]
        self.agent = Process(command, self.folder / "agent.log", env=env)
        self.lives += 1
        self.agent.wait_listening(self.port)
        return self.agent

    def stop(self) -> int:
        """Stop the agent as a service manager does; returns its exit status."""
        assert self.agent is not None
        return self.agent.stop()

    def rows(self) -> list[Row]:
        """Read the ledger; empty while there is none, or none with tables."""
        path = self.spool / "ledger.db"
        if not path.exists():
            return []
        database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
        try:
            if not database.execute("PRAGMA user_version").fetchone()[0]:
                return []
            names = dict(database.execute("SELECT id, name FROM destination"))
            states: dict[int, dict[str, str]] = {}
            for instance, destination, state in database.execute("SELECT instance, destination, state FROM delivery"):
                states.setdefault(instance, {})[names[destination]] = STATES[state]
            query = "SELECT id, sop_instance_uid, source, file_sha256, data_set_sha256, life FROM instance ORDER BY id"
            return [
                Row(uid, source, bytes(file).hex(), bytes(data_set).hex(), life, states.get(number, {}))
                for number, uid, source, file, data_set, life in database.execute(query)
            ]
        finally:
            database.close()

    def all_in(self, state: str, at_least: int) -> bool:
        """Tell whether there are so many instances and every delivery of each is in one state."""
        rows = self.rows()
        return len(rows) >= at_least and all(set(row.states.values()) == {state} for row in rows)

    def log(self) -> str:
        """What all lives of the agent have written."""
        path = self.folder / "agent.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def files(self) -> list[Path]:
        """Instance files on the spool (drafts have a suffix and do not count)."""
        return [path for path in sorted((self.spool / "INST").rglob("*")) if path.is_file() and not path.suffix]


class Archive:
    """The bench archive as its own process; it may be killed and started again."""

    ae_title = "BENCH"

    def __init__(
        self, folder: Path, *, tls: Path | None = None, report_to: tuple[str, int] | None = None, report: str = "same"
    ) -> None:
        """With ``report_to`` (AE Title, port) commitment reports always go out on a new association."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder / "received"
        self.port = free_port()
        self._log = folder / "archive.log"
        self._command = [AGENT, "archive", "--directory", str(self.folder), "--ae-title", self.ae_title]
        self._command += ["--port", str(self.port)]
        if tls is not None:
            files = {"--ca": "ca.pem", "--cert": "archive.pem", "--key": "archive.key"}
            self._command += [word for option, name in files.items() for word in (option, str(tls / name))]
        self._command += ["--report", "new" if report_to else report]
        if report_to is not None:
            self._command += ["--report-to", f"{report_to[0]}@127.0.0.1:{report_to[1]}"]
        self.process: Process | None = None

    def start(self) -> Process:
        self.process = Process(self._command, self._log)
        self.process.wait_listening(self.port)
        return self.process

    def kill(self) -> None:
        """SIGKILL it and forget the process."""
        if self.process is not None:
            self.process.kill()
            self.process.stop()

    def stop(self) -> None:
        if self.process is not None:
            self.process.stop()

    def index(self) -> list[tuple[str, Path]]:
        """Every row of its index: SOP Instance UID and file (a UID twice would be two rows)."""
        database = sqlite3.connect(f"file:{self.folder}/index.db?mode=ro", uri=True, timeout=10)
        try:
            rows = database.execute("SELECT sop_instance_uid, path FROM instance ORDER BY number").fetchall()
        finally:
            database.close()
        return [(uid, self.folder / path) for uid, path in rows]


def acknowledged(log: str) -> dict[str, str]:
    """Return what the agent said it had captured: SOP Instance UID -> SHA-256 of the file."""
    return dict(re.findall(r"captured ([0-9.]+): [^\n]* sha256 ([0-9a-f]{64})", log))


def reckon(site: Site, archive: Archive, promised: Mapping[str, str]) -> list[str]:
    """Compare what was promised with what is: one line for each promise that was broken."""
    rows = {row.uid: row for row in site.rows()}
    received: dict[str, list[Path]] = {}
    for uid, path in archive.index():
        received.setdefault(uid, []).append(path)
    broken = []
    for uid, digest in promised.items():
        row = rows.get(uid)
        if row is None:
            broken.append(f"{uid} was captured and is not in the ledger")
        elif row.file_sha256 != digest:
            broken.append(f"{uid} was captured with other bytes than the ledger has")
    for uid, row in rows.items():
        if set(row.states.values()) != {"committed"}:
            broken.append(f"{uid} is {row.states}")
        elif len(received.get(uid, [])) != 1:
            broken.append(f"{uid} is {len(received.get(uid, []))} times in the archive")
        elif data_set_sha256(received[uid][0]) != row.data_set_sha256:
            broken.append(f"{uid} has other content at the archive")
    broken += [f"{uid} is at the archive and not in the ledger" for uid in received if uid not in rows]
    digests = {row.file_sha256 for row in rows.values()}
    broken += [f"{path} is in no row of the ledger" for path in site.files() if sha256(path) not in digests]
    broken += [f"{path} was left behind" for path in site.spool.rglob("*.part")]
    return broken


def table(head: str, values: Mapping[str, Any]) -> str:
    """One TOML table."""
    lines = [head]
    for key, value in values.items():
        text = (
            str(value).lower()
            if isinstance(value, bool)
            else repr(value)
            if not isinstance(value, str)
            else quoted(value)
        )
        lines.append(f"{key} = {text}")
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def data_set_sha256(path: Path) -> str:
    """Hash what follows the File Meta Information, whose length its first element says (PS3.10 7.1)."""
    with path.open("rb") as file:
        head = file.read(144)
        assert head[128:132] == b"DICM", path
        assert head[132:140] == b"\x02\x00\x00\x00UL\x04\x00", path
        file.seek(144 + int.from_bytes(head[140:144], "little"))
        return hashlib.file_digest(file, "sha256").hexdigest()
