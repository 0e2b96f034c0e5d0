"""The console while the agent works: memory, the echo of a key, help and completion, a page of a long queue.

The daemon sends a spool with 100,000 queued instances to a sink that answers at once, as fast as it can; the console
is a process of its own at a pseudo terminal. The bars: memory below 16 MiB in every state, the echo of a key below
20 ms at the median, ``?`` and TAB below 100 ms.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from pathlib import Path

import bench_ledger
from bench_idle import start_ready
from bench_lib import AGENT, DATA, OUT, TOOLS, median
from bench_queue_scale import QUEUED, show, spool
from fakes.console_process import ConsoleProcess
from fakes.process import Process, free_port
from fakes.site import Site

MEMORY_MIB, ECHO_MS, HELP_MS = 16.0, 20.0, 100.0
KEYS, ASKED = 200, 20


def main(_rounds: int, *, quick: bool) -> int:
    root = spool(0, QUEUED // 10 if quick else QUEUED)
    with tempfile.TemporaryDirectory(prefix="console-", dir=DATA) as name:
        scratch = Path(name)
        copy = scratch / "spool"
        subprocess.run(["cp", "-a", "--reflink=auto", str(root), str(copy)], check=True)
        port = free_port()
        with Process([str(TOOLS / "sink"), str(port), "131072", "0"], scratch / "sink.log") as sink:
            sink.wait_listening(port)
            site = Site(scratch / "site", spool=copy)
            row = {"name": bench_ledger.DESTINATION, "called_ae": "ANY", "port": port, "commitment": False}
            site.configure(destinations=[row])
            process, _ = start_ready(site, scratch)
            with process:
                facts = measured(site.config)
    OUT.mkdir(exist_ok=True)
    (OUT / "console.json").write_text(json.dumps(facts, indent=1))
    return (
        show("console, memory at the log-in", facts["login_mib"], MEMORY_MIB, "MiB")
        + show("console, most memory (configuration mode)", facts["peak_mib"], MEMORY_MIB, "MiB")
        + show("echo of a key while the agent sends, median", facts["echo_ms"], ECHO_MS, "ms")
        + show("? while the agent sends, median", facts["help_ms"], HELP_MS, "ms")
        + show("TAB of a UID while the agent sends, median", facts["tab_ms"], HELP_MS, "ms")
        + show("? of a key of the configuration, median", facts["key_help_ms"], HELP_MS, "ms")
    )


def measured(config: Path) -> dict[str, float]:
    with ConsoleProcess(config, python=str(AGENT.parent / "python")) as console:
        console.wait_for("login:")
        facts = {"login_mib": console.memory()["VmRSS"]}
        console.log_in()
        console.command("terminal length 0")
        words = [word for row in console.command("show queue limit 1") for word in row.split()]
        uid = next(word for word in words if word.count(".") > 1 and word.replace(".", "").isdecimal())
        echo = [timed(console, "x", "x") for _ in range(KEYS // 8) for _ in range(8) if clear(console)]
        facts["echo_ms"] = median(echo) * 1000
        facts["echo_p99_ms"] = sorted(echo)[int(len(echo) * 0.99)] * 1000
        facts["help_ms"] = median([timed(console, "show ?", "> show") for _ in range(ASKED) if clear(console)]) * 1000
        tab = [timed(console, f"why {uid[:-1]}\t", f"why {uid}") for _ in range(ASKED) if clear(console)]
        facts["tab_ms"] = median(tab) * 1000
        clear(console)
        console.command("configure", "# ")
        console.command("set destination other host 10.0.0.7", "# ")
        asked = [
            timed(console, "set destination other ?", "# set destination other")
            for _ in range(ASKED // 2)
            if clear(console)
        ]
        facts["key_help_ms"] = median(asked) * 1000
        clear(console)
        console.command("compare", "# ")
        facts["peak_mib"] = console.memory()["VmHWM"]
        return facts


def clear(console: ConsoleProcess) -> bool:
    """Begin with an empty line."""
    console.type("\x15")
    while console.read(0.02):
        pass
    return True


def timed(console: ConsoleProcess, keys: str, shown: str) -> float:
    """Type and wait until the row of the cursor ends as it must, and nothing more comes."""
    console.type(keys[:-1])
    if len(keys) > 1:
        while console.read(0.05):
            pass
    before = len(console.sent)
    begun = time.monotonic()
    console.type(keys[-1])
    while len(console.sent) == before or not console.terminal.current.endswith(shown):
        console.read(1.0)
        if time.monotonic() > begun + 20:
            raise SystemExit(f"bench console: no answer to {keys!r}:\n{console.shown()}")
    return time.monotonic() - begun
