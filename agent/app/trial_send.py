"""``test send NAME``: a marked test instance to one destination, with Storage Commitment, and how long each step took.

A running agent takes it into its queue, for that destination alone, so that what is tried is the way of every image;
without one it is sent at once from here. Either way the outcome is said in words, and the exit status tells.
"""

from __future__ import annotations

import os
import time

from agent.app.cli import print_json
from agent.app.peers import peer_of_destination
from agent.app.term import printable
from agent.app.trial_instance import PATIENT_NAME, Trial, make
from agent.dimse.status import Service, explain
from agent.errors import NotCommitted, NotDelivered, NotFound, SpoolError, UsageError
from agent.spool import listing
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.app.options import Arguments
    from agent.config.settings import DestinationSettings, Settings
    from agent.errors import AgentError
    from agent.spool.receipt import Custody

DEFAULT_TIMEOUT_S: Final = 60.0
SOURCE: Final = "test"  # in the receipt
_LOOK_S: Final = 0.2
_ENDS: Final = ("committed", "held", "damaged", "lost", "unconfirmed", "diverted")


def send(args: Arguments, settings: Settings) -> int:
    """Do it; raises ``NotDelivered`` or ``NotCommitted``."""
    row = next((one for one in settings.destination if one.name == args.name), None)
    if row is None:
        names = ", ".join(one.name for one in settings.destination) or "none"
        raise NotFound(f"no destination '{args.name}' is configured; there are: {names}")
    if args.timeout <= 0:
        raise UsageError("--timeout must be more than 0")
    trial = make(settings, time.time())
    report = _Report(args, row, trial)
    handle = os.memfd_create("test", os.MFD_CLOEXEC)
    try:
        _fill(handle, trial.data)
        if not _queued(settings, row.name, handle, report):
            _directly(args, settings, row, handle, report)
    finally:
        os.close(handle)
    return report.end()


class _Report:
    """What happened, said while it happens; ``--json`` says it at the end."""

    def __init__(self, args: Arguments, row: DestinationSettings, trial: Trial) -> None:
        self._began = time.monotonic()
        self._quiet = args.json
        self._row = row
        self.within_s: float = args.timeout
        self.until = self._began + args.timeout
        self.trial = trial
        self.facts: dict[str, Any] = {
            "destination": row.name, "peer": f"{row.called_ae}@{row.host}:{row.port}", "patient_name": PATIENT_NAME,
            "patient_id": trial.patient_id, "sop_instance_uid": trial.sop_instance_uid, "study_uid": trial.study_uid,
            "through_queue": False, "stored_s": None, "committed_s": None, "status": None, "reason": "",
        }  # fmt: skip
        self.error: AgentError | None = None
        self.held = ""  # that the destination is, and what ends it
        self.say(f"test image for patient {PATIENT_NAME}, Patient ID {trial.patient_id}")
        self.say(f"  {trial.sop_instance_uid}")

    def say(self, text: str) -> None:
        if not self._quiet:
            print(printable(text, 500))

    def step(self, text: str) -> float:
        """Say a step with the time since the beginning."""
        seconds = round(time.monotonic() - self._began, 1)
        self.say(f"{seconds:6.1f} s  {text}")
        return seconds

    def stored(self, status: int | None) -> None:
        code = "" if status is None else f", status {status:04X} {explain(Service.STORAGE, status).meaning}"
        self.facts["stored_s"] = self.step(f"{self._row.called_ae} has stored it{code}")
        self.facts["status"] = None if status is None else f"{status:04X}"

    def committed(self) -> None:
        self.facts["committed_s"] = self.step(f"{self._row.called_ae} has committed it: it has taken the image over")

    def end(self) -> int:
        """Say how it ended; raises what the exit status should say."""
        stored, committed = self.facts["stored_s"] is not None, self.facts["committed_s"] is not None
        error = self.error
        reason = self.facts["reason"]
        if error is None and not stored:
            why = f": {reason}" if reason else ""
            error = NotDelivered(f"{self._row.name} has not stored it within {self.within_s:g} s{why}")
            error.hint = f"'modality-agent why {self._row.name}' says what is known, and what to do."
        elif error is None and self._row.commitment and not committed:
            why = f": {reason}" if reason else ""
            error = NotCommitted(f"{self._row.name} has stored it and not committed it within {self.within_s:g} s{why}")
            error.hint = f"'modality-agent why {self._row.name}' says what is known, and what to do."
        if self._quiet:
            print_json({**self.facts, "passed": error is None})
        if error is not None:
            raise error
        if stored and not self._row.commitment:
            self.say("passed; commitment is switched off for this destination")
        else:
            self.say(f"passed; let the archive delete the test images of {self.trial.patient_id} now and then")
        return 0


def _fill(handle: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(handle, left) :]


# --- through the queue of a running agent -----------------------------------------------------------


def _queued(settings: Settings, name: str, handle: int, report: _Report) -> bool:
    """Hand it to a running agent and watch it; False without one."""
    from agent.app.control import ask

    request = {"verb": "import", "destinations": [name], "source": SOURCE}
    answer = ask(settings.spool.path, request, descriptors=[handle])
    if answer is None:
        return False
    state, _uid, _note, code, message = answer["files"][0]
    if state == "error":
        raise SpoolError(f"the agent did not take the test image: {message} [{code}]")
    report.facts["through_queue"] = True
    report.step("the running agent has it in its queue")
    _watch(settings, name, report)
    return True


def _watch(settings: Settings, name: str, report: _Report) -> None:
    said = ""
    for custody in _states(settings, name, report):
        if report.facts["stored_s"] is None and custody.answered_at:
            report.stored(custody.status)
        report.facts["reason"] = custody.reason or report.held
        if custody.state == "committed":
            report.committed()
        elif custody.state in (*_ENDS, "deferred") and custody.reason != said:
            said = custody.reason
            report.step(f"{custody.state}: {custody.reason}")


def _states(settings: Settings, name: str, report: _Report) -> Iterator[Custody]:
    """The delivery as it comes along, until it ends or time is over."""
    from agent.spool.view import SpoolView

    with SpoolView.open(settings.spool.path) as view:
        if any(one.destination == name and not one.study_uid for one in listing.holds(view.ask)):
            report.held = f"it is held by the operator: 'modality-agent queue release --destination {name}' lets it go"
            report.step(report.held)
        enough = name in view.stored_is_enough()
        while True:
            receipt = view.receipt(report.trial.sop_instance_uid)
            custody = next((one for one in receipt.deliveries if one.destination == name), None) if receipt else None
            if custody is not None:
                yield custody
                if custody.state in _ENDS or (enough and custody.state == "stored"):
                    return
            if time.monotonic() >= report.until:
                return
            time.sleep(_LOOK_S)


# --- from here -----------------------------------------------------------------------------------------


def _directly(args: Arguments, settings: Settings, row: DestinationSettings, handle: int, report: _Report) -> None:
    from agent.app.options import Arguments as Words
    from agent.app.send_commit import Commitment
    from agent.app.term import Progress
    from agent.forward.deliver import deliver
    from agent.forward.files import open_instance

    report.step("no agent runs: it is sent from here")
    peer = peer_of_destination(settings, row)
    instance = open_instance(f"/proc/self/fd/{handle}")
    with Commitment(Words(listen=None, to=row.name, config=args.config), peer, report.within_s) as commitment:
        for outcome in deliver(peer, [instance]):
            if outcome.error is not None:
                report.error = outcome.error
                return
            report.stored(outcome.status)
            commitment.add(outcome)
        if not row.commitment:
            return
        commitment.wait(Progress())
        if report.trial.sop_instance_uid in commitment.promises.committed:
            report.committed()
        else:
            report.facts["reason"] = commitment.says(report.trial.sop_instance_uid)
            try:
                commitment.judge()
            except NotCommitted as error:
                report.error = error
