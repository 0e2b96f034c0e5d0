"""Requests of ``media export`` and ``media import`` to the running agent, which holds the spool.

Export tells what went out; import sends open files, up to ``control.MAX_DESCRIPTORS`` of them, and hears of each what
became of it. Other content under a UID that is known is in the log as an error, whoever hears the answer (P5).
"""

from __future__ import annotations

from agent.app.control import DESCRIPTORS
from agent.errors import SpoolConflict, UsageError
from agent.spool.exports import note_exports, rows_of
from agent.typed import TYPE_CHECKING, Any

TRIAL = "test"  # the source of what 'test send' hands in

if TYPE_CHECKING:
    from agent.app.control import ControlServer
    from agent.app.journal import Journal
    from agent.spool.store import Spool


def answer(spool: Spool, request: dict[str, Any], control: ControlServer | None, journal: Journal) -> dict[str, Any]:
    """Answer one of them; raises ``AgentError``."""
    if request.get("verb") == "exported":
        return {"ok": True, "count": note_exports(spool, rows_of(request.get("rows")))}
    from agent.exchange.take_in import NEW, SOURCE, take

    source = TRIAL if request.get("source") == TRIAL else SOURCE
    names = _names(spool, request.get("destinations"))
    taken = take(
        spool, request.get(DESCRIPTORS, []), destinations=names, source=source,
        stopped=lambda: control is None or control.closing,
    )  # fmt: skip
    for one in taken:
        if one.code == SpoolConflict.code:
            journal.say("error", "import", one.message)
    count = sum(one.state == NEW for one in taken)
    if count:
        text = f"{count} instance{'s' * (count != 1)} taken in from a medium"
        journal.say("info", "import", f"a test image for {', '.join(names or ())}" if source == TRIAL else text)
    return {"ok": True, "files": [list(one) for one in taken]}


def _names(spool: Spool, value: object) -> tuple[str, ...] | None:
    """The destinations that new instances are for; None: all."""
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise UsageError("'destinations' of a request are names")
    for name in value:
        spool.destination_id(name)
    return tuple(value)
