"""Orders that an operator gives the running agent now and then: hold, release, restart, and what comes from media.

Who gave one is in the log and, of what concerns instances, in their receipts.
"""

from __future__ import annotations

import os
import pwd
import time

from agent.app.control import text_of
from agent.app.term import count_text, printable
from agent.app.wiring import check_tls
from agent.config.load import load
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from agent.app.runtime import Runtime
    from agent.spool.holding import Held
    from agent.spool.store import Spool

WHO: Final = "MODALITY_AGENT_WHO"  # in the environment of a verb: who is at the console
_NAME: Final = 64  # characters kept of a name


def who() -> str:
    """Who gives an order: the user of the console, of sudo, or of this process."""
    for name in (os.environ.get(WHO), os.environ.get("SUDO_USER")):
        if name:
            return printable(name, _NAME)
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def order(runtime: Runtime, request: dict[str, Any]) -> dict[str, Any]:
    """Carry out one of them; raises ``AgentError``."""
    if request["verb"] in ("exported", "import"):
        from agent.app.media_requests import answer  # a box without media does without

        return answer(runtime.spool, request, runtime.control, runtime.journal)
    by = printable(text_of(request, "by") or "", _NAME)
    if request["verb"] == "clock":
        return _note_clock(runtime, by, printable(text_of(request, "value") or "", _NAME))
    if request["verb"] == "panel":
        from agent.app.panel_update import begin  # once in the life of a panel

        return begin(runtime, request, by)
    if request["verb"] == "restart":
        check_tls(load(runtime.path, files=True))  # who begins anew with a bad file ends
        runtime.journal.say("notice", "agent", f"begins anew: asked for by {by or 'somebody'}", always=True)
        runtime.begin_anew()
        return {"ok": True}
    told = hold_or_release(runtime.spool, request["verb"], text_of(request, "destination"), text_of(request, "uid"), by)
    what = text_of(request, "uid") or text_of(request, "destination") or "everything"
    runtime.journal.say("notice", "queue", f"{request['verb']} {what} by {by}: {held_text(told)}", always=True)
    return {"ok": True, **told._asdict()}


def _note_clock(runtime: Runtime, by: str, what: str) -> dict[str, Any]:
    """Write down now, in front of what comes, that the clock may be another one (``agent.spool.graded``)."""
    runtime.journal.say("notice", "clock", f"{what} by {by}", always=True)
    time.tzset()
    runtime.spool.ledger.write(lambda _db: None)
    return {"ok": True}


def hold_or_release(spool: Spool, verb: str, destination: str | None, uid: str | None, by: str) -> Held:
    """Do it to a spool that is open."""
    return (spool.hold if verb == "hold" else spool.release)(destination, uid, by=by)


def held_text(told: Held) -> str:
    """Say what a hold or release did."""
    parts = []
    if told.destinations:
        parts.append(f"destination{'s' * (len(told.destinations) > 1)} {', '.join(told.destinations)}")
    if told.deliveries or not parts:
        parts.append(count_text(told.deliveries, "delivery", "deliveries"))
    return " and ".join(parts)
