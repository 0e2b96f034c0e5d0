"""The installed command run to its end, and a source that captures one short clip right after start."""

from __future__ import annotations

import json
import subprocess
from typing import Any, Final

from fakes.site import AGENT

COMMAND_S: Final = 60.0  # the longest verb of a test (demo with a short clip) takes 7 s on a busy machine

QUICK_SOURCE: Final[dict[str, Any]] = {
    "name": "probe",
    "uri": "pattern:us-rgb?rows=48&columns=64&rate_hz=100",
    "sop_class": "us-mf",
    "transfer_syntax": "rle",
    "clip_frames": 10,
    "every_s": 3600.0,
    "captures": 1,
}


class Answer(subprocess.CompletedProcess[str]):
    """One finished command; ``json`` is its stdout."""

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)


def run_command(*words: object) -> Answer:
    """Run ``modality-agent`` with ``words``; a traceback is a failure whatever the test is about."""
    done = subprocess.run(
        [AGENT, *map(str, words)], capture_output=True, text=True, timeout=COMMAND_S, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return Answer(done.args, done.returncode, done.stdout, done.stderr)
