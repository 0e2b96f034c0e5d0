"""Health in one word, and why: what ``status`` shows first, from the facts that it shows below.

``trouble`` is what somebody must do something about, or images are not made or do not leave; ``attention`` is what will
become that, or what somebody should know; else it is ``well``. The table says which fact is which, and each reason
which command tells more: of the command line, or of the console where it is asked there (``CONSOLE``).
"""

from __future__ import annotations

from agent.app.term import count_text
from agent.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

WELL, ATTENTION, TROUBLE = "well", "attention", "trouble"
COLOURS: Final = {WELL: "green", ATTENTION: "yellow", TROUBLE: "red"}
# State of deliveries that wait for a person -> how grave that is.
_STATES: Final = {"damaged": TROUBLE, "lost": TROUBLE, "held": TROUBLE, "unconfirmed": ATTENTION}
_CLOCK: Final = {"never set": TROUBLE, "went back": TROUBLE, "not synchronised": ATTENTION}


# A command that tells more -> its name in the console, where that is another one.
CONSOLE: Final = {
    "clock show": "show clock", "log": "show log", "queue list": "show queue", "spool check": "show spool",
    "queue list --state held": "show queue state held", "spool verify": "verify spool", "tls show": "show certificates",
}  # fmt: skip
# Cause of an alarm -> the command that tells more of it, where that is not the log.
_FULL: Final = {"full": "queue list", "level": "queue list"}


# An exposure without an image is shown so long: whoever has to repeat it has heard of it by then.
LOST_S: Final = 3600.0


class Reason(NamedTuple):
    """Why it is not well, and which command tells more."""

    word: str
    text: str
    see: str


def health(answer: dict[str, Any]) -> dict[str, Any]:
    """The word and its reasons, the gravest first, each with the command that tells more."""
    found = sorted(_reasons(answer), key=lambda one: one.word != TROUBLE)
    word = found[0].word if found else WELL
    return {"word": word, "reasons": [one.text for one in found], "see": [one.see for one in found]}


def _reasons(answer: dict[str, Any]) -> Iterator[Reason]:
    if not answer["running"]:
        yield Reason(TROUBLE, answer.get("silent") or "the agent is not running", "log")
    if answer.get("refused"):
        yield Reason(TROUBLE, "the configuration file is not in force: it was refused", "log")
    for alarm in answer.get("medium", ()):
        grave = TROUBLE if alarm["level"] == "error" else ATTENTION
        yield Reason(grave, alarm["text"], _FULL.get(alarm.get("cause"), "log"))
    if (answer.get("verify") or {}).get("damaged"):
        yield Reason(TROUBLE, "files in the spool are damaged", "spool verify")
    for name, role in answer.get("roles", {}).items():
        if not role["alive"]:
            yield Reason(TROUBLE, f"'{name}' does not work: {role['last_error'] or 'it ended'}", "log")
    yield from _of_sources(answer.get("sources", {}))
    yield from _of_destinations(answer)
    yield from _of_panel(answer.get("panel"), answer.get("power_held_s", 0))
    if (answer.get("dicomdir") or {}).get("reason"):
        yield Reason(ATTENTION, "the DICOMDIR is not up to date", "log")
    clock = answer.get("clock") or {}
    if clock.get("grade") in _CLOCK:
        yield Reason(_CLOCK[clock["grade"]], f"the clock is {clock['grade']}", "clock show")
    for text in answer.get("certificates", ()):
        yield Reason(TROUBLE if "expired" in text else ATTENTION, text, "tls show")
    disk = answer.get("disk") or {}
    if not answer["running"] and disk and not disk["writable"]:
        yield Reason(TROUBLE, "the medium of the spool cannot be written", "spool check")


def _of_panel(panel: dict[str, Any] | None, held_s: float) -> Iterator[Reason]:
    if held_s:
        yield Reason(TROUBLE, "the power is about to fail: no capture begins", "log")
    if panel and not panel["present"]:
        yield Reason(ATTENTION, f"the front panel is not there: {panel['trouble'] or 'it is silent'}", "log")


def _of_sources(sources: dict[str, Any]) -> Iterator[Reason]:
    for name, source in sources.items():
        if source.get("trouble"):
            yield Reason(TROUBLE, f"{name} is not ready: {source['trouble']}", "log")
        if source.get("exposures_lost") and source["exposure_lost_s"] < LOST_S:
            count = count_text(source["exposures_lost"], "exposure")
            yield Reason(TROUBLE, f"{name}: {count} without an image since the start of the agent", "log")


def _of_destinations(answer: dict[str, Any]) -> Iterator[Reason]:
    held = {one["destination"]: one for one in answer.get("holds", ()) if not one["study_uid"]}
    for name, states in answer["queue"].items():
        see = f"why {name}"
        for state, grave in _STATES.items():
            count = states.get(state, 0)
            by_hand = answer.get("held_by_hand", {}).get(name, 0) if state == "held" else 0
            if count - by_hand > 0:
                yield Reason(grave, f"{name}: {count_text(count - by_hand, 'instance')} {state}", see)
            if by_hand:
                yield Reason(
                    ATTENTION,
                    f"{name}: {count_text(by_hand, 'instance')} held by the operator",
                    "queue list --state held",
                )
        if name in held:
            yield Reason(ATTENTION, f"{name}: held by the operator", see)
        link = answer.get("destinations", {}).get(name)
        if link and link["state"] == "needs the operator":
            yield Reason(TROUBLE, f"{name}: nothing goes out until somebody acts", see)
        elif link and link["failures"]:
            yield Reason(
                ATTENTION, f"{name}: {count_text(link['failures'], 'failure')} in a row, it is tried again", see
            )
