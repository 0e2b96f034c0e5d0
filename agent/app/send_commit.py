"""``send --commit``: after the last file ask for Storage Commitment and wait for what the archive says of each.

A report may come on an association of the archive's own: with ``--listen``, or the ``[listener]`` of a configured
destination, we are there to take it. The port is bound before the first file is sent.
"""

from __future__ import annotations

import sys
import threading

from agent.app.peers import configured_listener
from agent.app.term import count_text, printable
from agent.errors import ListenFailed, NotCommitted, UsageError
from agent.forward.confirm import Promises, confirm
from agent.forward.settle import Settler
from agent.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from agent.app.options import Arguments
    from agent.app.term import Progress
    from agent.forward.deliver import Outcome
    from agent.forward.files import Files
    from agent.link.listener import Listener
    from agent.link.peer import Peer
    from agent.link.tls import TlsSettings

DEAF: Final = (
    "It may report on an association of its own: '--listen PORT' takes that, at the port where the archive knows "
    "this AE Title."
)
_PORT_LIMIT: Final = 65536


class Where(NamedTuple):
    """Where to listen; ``must``: it was asked for, not only configured."""

    host: str
    port: int
    tls: TlsSettings | None
    must: bool


class Commitment:
    """The commitment of one run; a context manager that frees the port."""

    __slots__ = ("_classes", "_listener", "_peer", "_settler", "_stop", "_within_s", "promises")

    def __init__(self, args: Arguments, peer: Peer, within_s: float) -> None:
        """Bind the port, if there is one; raises ``UsageError`` or ``ListenFailed``."""
        self._within_s = within_s
        if self._within_s <= 0:
            raise UsageError("--commit-timeout must be more than 0")
        self._peer = peer
        self._classes: dict[str, str] = {}  # of what was stored
        self.promises: Promises = Promises(self._classes, peer.called_ae)
        self._settler: Settler = Settler(self.promises, {peer.called_ae: (peer.called_ae,)}, _say)
        self._stop = threading.Event()
        self._listener = self._bind(_where(args, peer))

    def __enter__(self) -> Commitment:
        if self._listener is not None:
            threading.Thread(target=self._listener.run, args=(self._stop,), daemon=True).start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stop.set()
        if self._listener is not None:
            self._listener.close()

    def add(self, outcome: Outcome) -> None:
        """Note that a file was stored."""
        if outcome.stored:
            self._classes[outcome.instance.sop_instance_uid] = outcome.instance.sop_class_uid

    def wait(self, progress: Progress) -> None:
        """Ask, and wait for the reports."""
        from agent.acquire.identity import new_uid

        total = len(self._classes)

        def tell(waiting: int) -> None:
            progress.of(total - waiting, total, f"{total - waiting} of {count_text(total, 'instance')} committed")

        listening = self._listener is not None
        confirm(self._peer, self.promises, self._settler, self._within_s, new_uid, listening=listening, tell=tell)
        progress.clear()

    def says(self, uid: str) -> str:
        """Say of an instance what became of its commitment; empty where it was not stored."""
        if uid in self.promises.committed:
            return "committed"
        refusal = self.promises.refused.get(uid)
        if refusal is None:
            return ""
        code = "" if refusal.reason is None else f" {refusal.reason:04X}"
        return f"not committed:{code} {refusal.words}"

    def print_lines(self, files: Files) -> None:
        """Print a line for each file that was stored and not committed."""
        for number in range(len(files) if self.promises.refused else 0):
            instance = files[number]
            if instance.sop_instance_uid in self.promises.refused:
                print(f"{printable(instance.path)}: {printable(self.says(instance.sop_instance_uid), 400)}")

    def facts(self, rows: list[dict[str, Any]]) -> None:
        """Add to the row of each file whether it was committed, and why not."""
        for row in rows:
            uid = row.get("sop_instance_uid", "")
            refusal = self.promises.refused.get(uid)
            row["committed"] = row["stored"] and uid in self.promises.committed
            row["failure_reason"] = None if refusal is None or refusal.reason is None else f"{refusal.reason:04X}"
            row["commitment"] = self.says(uid) if row["stored"] else ""

    def judge(self) -> None:
        """Raise what the exit status should say where everything was stored."""
        from agent.forward.confirm import NO_REPORT

        refusals = self.promises.refused.values()
        left = len(refusals)
        if not left:
            return
        words = {refusal.words for refusal in refusals}
        why = f": {words.pop()}" if len(words) == 1 else "; see the line of each file"
        error = NotCommitted(f"{left} of {count_text(len(self._classes), 'instance')} stored and not committed{why}")
        late = any(refusal.reason is None and refusal.words.startswith(NO_REPORT) for refusal in refusals)
        if late and self._listener is None:
            error.hint += f" {DEAF}"
        raise error

    def _bind(self, where: Where | None) -> Listener | None:
        if where is None:
            return None
        from agent.forward.incoming import OFFERS, serve_reports
        from agent.link.listener import Listener
        from agent.service.proposal import acceptor_policy

        policy = acceptor_policy(OFFERS, called_aes=[self._peer.calling_ae])
        try:
            return Listener(where.host, where.port, policy, lambda call: serve_reports(call, self._settler),
                            tls=where.tls, say=lambda text: _say("warning", text))  # fmt: skip
        except ListenFailed as error:
            if where.must:
                raise
            _say("warning", f"{error}; only a report on our own association will be seen")
            return None


def _where(args: Arguments, peer: Peer) -> Where | None:
    if args.listen is None:
        found = configured_listener(args)
        return None if found is None else Where(*found, must=False)
    host, _, port = args.listen.rpartition(":")
    if not (port.isascii() and port.isdigit() and 0 < int(port) < _PORT_LIMIT):
        raise UsageError(f"--listen: port '{port}' is not a number from 1 to {_PORT_LIMIT - 1}")
    return Where(host.strip("[]") or "0.0.0.0", int(port), peer.tls, must=True)  # noqa: S104 - which the user may narrow


def _say(level: str, text: str) -> None:
    if level != "info":
        sys.stderr.write(printable(f"{level}: {text}", 2000) + "\n")
