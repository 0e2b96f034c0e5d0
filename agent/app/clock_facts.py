"""How good the clock of this box is, as far as anybody here knows (promise P12), in words.

Who keeps it right is ``agent.link.timekeeping``'s to say. What it was worth when images were made stands in the ledger
(``agent.spool.graded``), and the last of that is told, too.
"""

from __future__ import annotations

import os
import time

from agent.link.timekeeping import Kept, timekeeping
from agent.spool.grades import SET, grade
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.spool.view import SpoolView

_GRADE: Final = "SELECT at, detail FROM event WHERE instance IS NULL AND kind = 'clock' ORDER BY seq DESC LIMIT 1"
_STEPS: Final = (
    "SELECT at, detail FROM event WHERE instance IS NULL AND kind = 'clock' AND detail LIKE '%step_s=%' "
    "ORDER BY seq DESC LIMIT 1"
)


def clock(
    view: SpoolView | None = None,
    keeping: Callable[[], Kept] = timekeeping,
    now: Callable[[], float] = time.time,
) -> dict[str, Any]:
    """Everything that is known of the clock now, as plain values."""
    at, kept = now(), keeping()
    return {
        "at": at,
        "zone": zone_name(),
        "grade": _grade(at, kept),
        "error_bound_s": kept.error_bound_s,
        "kept_by": kept.by,
        "ledger": _ledger_says(view),
    }


def _grade(at: float, kept: Kept) -> str:
    found = grade(at, at, kept=kept.synchronised)
    if found != SET:
        return found
    return "unknown" if kept.synchronised is None else "not synchronised"


def _ledger_says(view: SpoolView | None) -> dict[str, Any] | None:
    """The grade that the last moves were recorded with, and the last step of the clock that was noticed."""
    if view is None:
        return None
    told = view.ask(_GRADE)
    steps = view.ask(_STEPS)
    pairs = [dict(line.split("=", 1) for line in row[0][1].split("\n")) if row else {} for row in (told, steps)]
    return {
        "grade": pairs[0].get("clock", ""),
        "step_s": float(pairs[1]["step_s"]) if "step_s" in pairs[1] else None,
        "step_at": steps[0][0] if steps else None,
    }


def zone_name() -> str:
    """The time zone as people set it: ``Europe/Berlin``; else what the C library calls it."""
    given = os.environ.get("TZ", "").lstrip(":")
    if given:
        return given
    try:
        target = os.path.realpath("/etc/localtime")
    except OSError:
        target = ""
    name = target.partition("/zoneinfo/")[2]
    return name or time.strftime("%Z")


def quality_text(facts: dict[str, Any]) -> str:
    """Say how good it is."""
    by = f" by {facts['kept_by']}" if facts["kept_by"] else ""
    bound = facts["error_bound_s"]
    if facts["grade"] == "synchronised":
        return f"synchronised{by}" + ("" if bound is None else f", wrong by at most {bound_text(bound)}")
    if facts["grade"] == "not synchronised":
        waits = f"; {facts['kept_by']} runs and has no time yet" if facts["kept_by"] else "; nothing keeps it right"
        return f"not synchronised, so that nobody knows how wrong it is{waits}"
    if facts["grade"] == "never set":
        return "never set: it shows a time before this program was made"
    return "nobody knows how good it is: the kernel does not say"


def bound_text(seconds: float) -> str:
    """Say a bound of an error."""
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.001 else f"{seconds * 1e6:.0f} us"
