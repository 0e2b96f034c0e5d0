"""Health in one word, and why: what ``status`` shows first, from the facts that it shows below.

``trouble`` is what somebody must do something about, or images are not made or do not leave; ``attention`` is what will
become that, or what somebody should know; else it is ``well``. The table says which fact is which.
"""

from __future__ import annotations

from agent.app.term import count_text
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

WELL, ATTENTION, TROUBLE = "well", "attention", "trouble"
COLOURS: Final = {WELL: "green", ATTENTION: "yellow", TROUBLE: "red"}
# State of deliveries that wait for a person -> how grave that is.
_STATES: Final = {"damaged": TROUBLE, "lost": TROUBLE, "held": TROUBLE, "unconfirmed": ATTENTION}
_CLOCK: Final = {"never set": TROUBLE, "went back": TROUBLE, "not synchronised": ATTENTION}


def health(answer: dict[str, Any]) -> dict[str, Any]:
    """The word and its reasons, the gravest first."""
    found = list(_reasons(answer))
    grave = [text for word, text in found if word == TROUBLE]
    mild = [text for word, text in found if word == ATTENTION]
    return {"word": TROUBLE if grave else ATTENTION if mild else WELL, "reasons": grave + mild}


def _reasons(answer: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if not answer["running"]:
        yield TROUBLE, answer.get("silent") or "the agent is not running"
    if answer.get("refused"):
        yield TROUBLE, "the configuration file is not in force: it was refused"
    for alarm in answer.get("medium", ()):
        yield (TROUBLE if alarm["level"] == "error" else ATTENTION), alarm["text"]
    if (answer.get("verify") or {}).get("damaged"):
        yield TROUBLE, "files in the spool are damaged"
    for name, role in answer.get("roles", {}).items():
        if not role["alive"]:
            yield TROUBLE, f"'{name}' does not work: {role['last_error'] or 'it ended'}"
    yield from _of_destinations(answer)
    if (answer.get("dicomdir") or {}).get("reason"):
        yield ATTENTION, "the DICOMDIR is not up to date"
    clock = answer.get("clock") or {}
    if clock.get("grade") in _CLOCK:
        yield _CLOCK[clock["grade"]], f"the clock is {clock['grade']}"
    for text in answer.get("certificates", ()):
        yield (TROUBLE if "expired" in text else ATTENTION), text
    disk = answer.get("disk") or {}
    if not answer["running"] and disk and not disk["writable"]:
        yield TROUBLE, "the medium of the spool cannot be written"


def _of_destinations(answer: dict[str, Any]) -> Iterator[tuple[str, str]]:
    held = {one["destination"]: one for one in answer.get("holds", ()) if not one["study_uid"]}
    for name, states in answer["queue"].items():
        for state, grave in _STATES.items():
            count = states.get(state, 0)
            by_hand = answer.get("held_by_hand", {}).get(name, 0) if state == "held" else 0
            if count - by_hand > 0:
                yield grave, f"{name}: {count_text(count - by_hand, 'instance')} {state}"
            if by_hand:
                yield ATTENTION, f"{name}: {count_text(by_hand, 'instance')} held by the operator"
        if name in held:
            yield ATTENTION, f"{name}: held by the operator"
        link = answer.get("destinations", {}).get(name)
        if link and link["state"] == "needs the operator":
            yield TROUBLE, f"{name}: nothing goes out until somebody acts"
        elif link and link["failures"]:
            yield ATTENTION, f"{name}: {count_text(link['failures'], 'failure')} in a row, it is tried again"
