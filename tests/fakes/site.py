"""A whole site on one machine: an agent with its configuration, spool and listener, as other programs would see it.

What the tests assert about the agent they read from its ledger with SQL of their own and from its files with pydicom,
not through the product's own reports, so that one fault cannot hide in both.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from fakes.process import Process, free_port

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

AGENT = os.path.join(sys.prefix, "bin", "modality-agent")
STATES = {1: "queued", 2: "active", 3: "stored", 4: "awaiting", 5: "committed", 6: "deferred", 7: "held", 8: "damaged",
          9: "lost"}  # fmt: skip


class Row(NamedTuple):
    """One instance in the ledger and the states of its deliveries."""

    uid: str
    source: str
    file_sha256: str
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
            table("[listener]", {"host": "127.0.0.1", "port": self.port, "tls": self.tls is not None}),
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
        """Read the ledger; empty while there is none."""
        path = self.spool / "ledger.db"
        if not path.exists():
            return []
        database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
        try:
            names = dict(database.execute("SELECT id, name FROM destination"))
            states: dict[int, dict[str, str]] = {}
            for instance, destination, state in database.execute("SELECT instance, destination, state FROM delivery"):
                states.setdefault(instance, {})[names[destination]] = STATES[state]
            query = "SELECT id, sop_instance_uid, source, file_sha256, life FROM instance ORDER BY id"
            return [
                Row(uid, source, bytes(digest).hex(), life, states.get(number, {}))
                for number, uid, source, digest, life in database.execute(query)
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
