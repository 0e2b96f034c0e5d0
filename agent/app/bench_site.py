"""A whole site on one machine: CA and keys, an archive, an agent with its configuration, and a link that can be cut.

::

    agent (subprocess)  --mutual TLS-->  cut proxy (this process)  -->  archive (subprocess)
         ^------------------- commitment reports, mutual TLS ------------------|

Both programs are this program: ``python -m agent archive`` and ``python -m agent run``. The folder carries a marker
file; only a folder with it is ever emptied.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys

from agent.app import bench_ca
from agent.app.control import ask
from agent.app.cut_proxy import CutProxy
from agent.config.edit import literal
from agent.errors import FileError, LinkTimeout
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MARKER: Final = ".modality-agent-bench"
_HOSTS: Final = ("localhost", "127.0.0.1")
# A child that has not said "ready" by then never will.
_START_S: Final = 20.0
# Longer than the agent's own bound for a clean stop.
_STOP_S: Final = 20.0
AGENT_AE: Final = "BENCH_EDGE"
ARCHIVE_AE: Final = "BENCH_ARCHIVE"


def prepare_folder(path: str) -> str:
    """Make or empty the bench folder; raises ``FileError`` for a folder that is not ours."""
    path = os.path.abspath(path)
    marker = os.path.join(path, MARKER)
    try:
        if os.path.isdir(path) and os.listdir(path):
            if not os.path.exists(marker):
                raise FileError(
                    f"{path} is not empty and was not made by this program",
                    hint="Choose another folder with --output.",
                )
            for entry in os.scandir(path):
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path)
                elif entry.name != MARKER:
                    os.unlink(entry.path)
        os.makedirs(path, exist_ok=True)
        with open(marker, "w", encoding="ascii") as file:
            file.write("This folder is emptied by each run of the bench.\n")
    except OSError as error:
        raise FileError(f"{error.filename or path}: {error.strerror}") from None
    return path


class Child:
    """One subprocess of this program; its stderr goes to a log file."""

    def __init__(self, folder: str, name: str, arguments: Sequence[str]) -> None:
        self.name = name
        self.log = os.path.join(folder, f"{name}.log")
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  our own program and arguments, no shell
                (sys.executable, "-P", "-m", "agent", *arguments),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=folder,
            )

    def wait_ready(self) -> int:
        """Wait for the ``ready port N`` line; returns N. Raises ``FileError`` with the end of the log."""
        import select

        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], _START_S)[0]:
            raise LinkTimeout(f"{self.name} did not get ready within {_START_S:g} s", hint=f"See {self.log}.")
        line = self._process.stdout.readline().decode()
        if not line.startswith("ready"):
            self._process.wait(_STOP_S)
            raise FileError(f"{self.name} did not start: {self.last_words()}", hint=f"See {self.log}.")
        return int(line.split()[-1]) if "port" in line else 0

    def running(self) -> bool:
        """Whether the child lives."""
        return self._process.poll() is None

    def last_words(self) -> str:
        """Return the last line of the log."""
        with open(self.log, encoding="utf-8", errors="replace") as file:
            lines = [line.strip() for line in file if line.strip() and "hint:" not in line]
        return lines[-1] if lines else f"status {self._process.returncode}"

    def stop(self) -> int:
        """End the child with SIGTERM, at last with SIGKILL; returns its exit status."""
        if self.running():
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
        status = self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        return status


class BenchSite:
    """The site; a context manager that ends everything it started."""

    def __init__(self, folder: str, sources: Sequence[Mapping[str, Any]]) -> None:
        self.folder = prepare_folder(folder)
        self.spool = os.path.join(self.folder, "spool")
        self.received = os.path.join(self.folder, "received")
        self.frame_log = os.path.join(self.folder, "frames.sha256")
        self.config = os.path.join(self.folder, "agent.toml")
        self._sources = sources
        self._children: list[Child] = []
        self.proxy: CutProxy | None = None

    def __enter__(self) -> BenchSite:
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End agent, link and archive, in this order."""
        for child in reversed(self._children):
            child.stop()
        if self.proxy is not None:
            self.proxy.close()
        self._children.clear()

    def status(self) -> dict[str, Any] | None:
        """Ask the agent over its control socket."""
        return ask(self.spool, {"verb": "status"})

    @property
    def agent(self) -> Child:
        """The agent's process."""
        return self._children[-1]

    def _start(self) -> None:
        keys = os.path.join(self.folder, "tls")
        ca = bench_ca.make_ca(keys)
        archive, agent = (bench_ca.issue(keys, name, ca, hosts=_HOSTS) for name in ("archive", "agent"))
        agent_port = _free_port()
        tls = ("--ca", archive.ca_file, "--cert", archive.certificate_file, "--key", archive.key_file)
        reports = ("--report-to", f"{AGENT_AE}@localhost:{agent_port}")
        here = ("--directory", self.received, "--ae-title", ARCHIVE_AE, "--port", "0", "--quiet")
        self._children.append(Child(self.folder, "archive", ("archive", *here, *tls, *reports)))
        self.proxy = CutProxy(("127.0.0.1", self._children[0].wait_ready()))
        self._write_config(agent, agent_port, self.proxy.port)
        self._children.append(Child(self.folder, "agent", ("run", "--config", self.config)))
        self.agent.wait_ready()

    def _write_config(self, identity: bench_ca.Identity, agent_port: int, link_port: int) -> None:
        destination = {
            "name": "archive",
            "called_ae": ARCHIVE_AE,
            "host": "localhost",
            "port": link_port,
            "tls": True,
            "commitment_timeout_s": 15.0,
            "retry_base_s": 1.0,
            "retry_cap_s": 4.0,
        }
        tables: list[tuple[str, Mapping[str, Any]]] = [
            ("[agent]", {"ae_title": AGENT_AE, "institution_name": "Bench", "station_name": "BENCH"}),
            ("[spool]", {"path": self.spool, "min_free_mib": 64}),
            ("[tls]", identity._asdict()),
            ("[listener]", {"enabled": True, "host": "127.0.0.1", "port": agent_port, "tls": True}),
            ("[[destination]]", destination),
            *(("[[source]]", {**source, "frame_digest_file": self.frame_log}) for source in self._sources),
        ]
        with open(self.config, "w", encoding="utf-8") as file:
            for header, values in tables:
                lines = [header, *(f"{key} = {literal(value)}" for key, value in values.items())]
                file.write("\n".join(lines) + "\n\n")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port
