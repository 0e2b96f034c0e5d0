"""The box as a program sees it over a line: verbs asked for in frames, and what is made of their answers."""

from __future__ import annotations

import json
import time

from agent.console.frames import Channel
from agent.errors import BoxRefused, DeviceError, LinkTimeout
from agent.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from agent.app.provision_line import Wire

# Whoever works says so every three seconds.
_SILENT_S: Final = 40.0


class Answer(NamedTuple):
    """How a verb ended on the box."""

    status: int
    out: str
    err: str

    @property
    def facts(self) -> dict[str, Any]:
        """What it printed as JSON; {} for anything else."""
        try:
            found = json.loads(self.out)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def why(self) -> str:
        """Its error and hint, or what it printed instead."""
        lines = [line.strip() for line in (self.err.strip() or self.out.strip()[-400:]).splitlines()]
        return "; ".join(line.removeprefix("modality-agent: error: ") for line in lines) or f"status {self.status}"


class Box:
    """Requests and answers, one at a time."""

    def __init__(self, wire: Wire, channel: Channel) -> None:
        self._wire, self._channel = wire, channel
        self.lost = False  # the line failed: nothing more can be said on it

    def ask(self, *argv: str, data: str = "") -> Answer:
        """Have the box run a verb; raises ``LinkTimeout`` when the line is too bad."""
        said = self._exchange({"argv": argv, "data": data})
        return Answer(int(said["status"]), str(said["out"]), str(said["err"]))

    def must(self, *argv: str, data: str = "") -> Answer:
        """Do the same; raises ``BoxRefused`` when the verb fails there."""
        answer = self.ask(*argv, data=data)
        if answer.status:
            raise BoxRefused(f"{' '.join(argv[:2])} on the box: {answer.why}")
        return answer

    def bye(self) -> None:
        """Have it give the line back."""
        self._exchange({"argv": ["bye"]})

    def _exchange(self, request: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._exchanged(request)
        except (DeviceError, LinkTimeout):
            self.lost = True
            raise

    def _exchanged(self, request: dict[str, Any]) -> dict[str, Any]:
        channel = self._channel
        channel.send(json.dumps(request, ensure_ascii=False).encode(), time.monotonic())
        heard_at = time.monotonic()
        while True:
            now = time.monotonic()
            channel.tick(now)
            if channel.outgoing:
                self._wire.write(bytes(channel.outgoing))
                channel.outgoing.clear()
            if channel.failed or now - max(channel.heard_at, heard_at) > _SILENT_S:
                raise LinkTimeout(f"the box: {channel.failed or 'it fell silent'}", hint="Run it again: it goes on.")
            for message in channel.receive(self._wire.read(0.1), time.monotonic()):
                if channel.outgoing:
                    self._wire.write(bytes(channel.outgoing))
                    channel.outgoing.clear()
                found: dict[str, Any] = json.loads(message)
                return found
