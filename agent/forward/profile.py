"""What a destination is known to be, learned from its associations, and what has changed: facts in, sentences out.

A change is said once, because the profile then knows the new fact. What the peer takes is not in here: the ledger has
it, and whoever notices there that something is refused hands the sentence in.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

Facts = dict[str, Any]

CHANGES_KEPT: Final = 8
# Two months to order a certificate, one to install it, a week to telephone.
EXPIRES_DAYS: Final = (7, 30, 60)
_DAY_S: Final = 86_400.0
# Fact of an association -> what it is called.
_FACTS: Final = {
    "maximum_length": "its maximum PDU length",
    "implementation": "its implementation",
    "version": "its TLS version",
    "certificate": "its certificate",
}


def learn(profile: Facts, flight: Facts, found: Iterable[str] = ()) -> tuple[Facts, list[str]]:
    """Return the profile with an association in it, and what it says that was otherwise before.

    ``flight`` are the facts of an association that came about; ``found`` are changes that others noticed in it.
    """
    transport, now = flight["transport"], flight["at"]
    new: Facts = {
        "maximum_length": flight.get("maximum_length"),
        "implementation": " ".join(flight.get("implementation") or ()),
        "version": transport.get("version", ""),
        "certificate": transport.get("certificate", ""),
        "valid_until": transport.get("valid_until", ""),
    }
    changes = [*found]
    for key, name in _FACTS.items():
        before = profile.get(key)
        if before not in (None, "") and before != new[key]:
            changes.append(f"{name} changed from {before} to {new[key] or 'none'}")
    warned = profile.get("warned") if profile.get("certificate") == new["certificate"] else None
    stage = expiry_stage(new["valid_until"], now)
    if stage is not None and (warned is None or stage < warned):
        changes.append(f"its certificate expires on {new['valid_until'][:10]}, in less than {stage} days")
        warned = stage
    kept = [*profile.get("changes", ()), *({"at": now, "text": text} for text in changes)][-CHANGES_KEPT:]
    reports = any(row[2] == "N-EVENT-REPORT-RQ" for row in flight["rows"]) and flight["opened_by_us"]
    new["reports_here"] = reports or bool(profile.get("reports_here"))
    return {**new, "warned": warned, "seen": now, "changes": kept}, changes


def expiry_stage(valid_until: str, now: float) -> int | None:
    """Return the fewest of ``EXPIRES_DAYS`` that a certificate is closer to its end than; None when to none."""
    if not valid_until:
        return None
    for days in EXPIRES_DAYS:
        if valid_until < time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(now + days * _DAY_S)):
            return days
    return None
