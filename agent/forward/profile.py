"""What a destination is known to be, learned from its associations, and what has changed: facts in, sentences out.

A change is said once, because the profile then knows the new fact. What the peer takes is not in here: the ledger has
it, and whoever notices there that something is refused hands the sentence in.
"""

from __future__ import annotations

from agent.dataset.uid import STORAGE_COMMITMENT
from agent.link.expiry import expiry_stage
from agent.link.flight import WAYS
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

Facts = dict[str, Any]

CHANGES_KEPT: Final = 8
DELAYS: Final = 8  # of commitment reports, from which the usual one is taken
SLOWER: Final = 10.0  # times the usual delay are worth a sentence ...
QUICK_S: Final = 6.0  # ... which is at least this: nobody minds a minute
TITLES: Final = 4
FORGOTTEN_S: Final = 90 * 86_400.0  # a way that was not used for so long is new again
# Fact of an association -> what it is called.
ENDING: Final = "its certificate expires on"  # a change that ``status`` tells as long as it lasts
_FACTS: Final = {
    "maximum_length": "its maximum PDU length",
    "implementation": "its implementation",
    "version": "its TLS version",
    "certificate": "its certificate",
}


_EMPTY: Final[Facts] = {
    "maximum_length": None, "implementation": "", "version": "", "certificate": "", "subject": "", "valid_until": "",
    "warned": None, "commits": None, "ways": {}, "titles": [], "delays_s": [], "slow": False,
}  # fmt: skip


def learn(profile: Facts, flight: Facts, found: Iterable[str] = ()) -> tuple[Facts, list[str]]:
    """Return the profile with an association in it, and what it says that was otherwise before.

    ``flight`` are the facts of an association that came about; ``found`` are changes that others noticed in it. Of one
    that the peer opened only the reports are learned: as a requestor it is somebody else.
    """
    now = flight["at"]
    new: Facts = {**_EMPTY, **profile}
    changes = [*found]
    if flight["opened_by_us"]:
        changes += _met(new, flight)
    for way, delay_s, title in flight.get("reports", ()):
        changes += _reported(new, now, way, delay_s, title)
    kept = [*profile.get("changes", ()), *({"at": now, "text": text} for text in changes)][-CHANGES_KEPT:]
    return {**new, "seen": now, "changes": kept}, changes


def _met(profile: Facts, flight: Facts) -> list[str]:
    """Learn what the peer is."""
    transport, changes, before = flight["transport"], [], dict(profile)
    profile |= {
        "maximum_length": flight.get("maximum_length"),
        "implementation": " ".join(flight.get("implementation") or ()),
        "version": transport.get("version", ""),
        "certificate": transport.get("certificate", ""),
        "subject": transport.get("subject", ""),
        "valid_until": transport.get("valid_until", ""),
    }
    for key, name in _FACTS.items():
        if before[key] not in (None, "") and before[key] != profile[key]:
            changes.append(f"{name} changed from {before[key]} to {profile[key] or 'none'}")
    warned = before["warned"] if before["certificate"] == profile["certificate"] else None
    stage = expiry_stage(profile["valid_until"], flight["at"])
    if stage is not None and (warned is None or stage < warned):
        changes.append(f"{ENDING} {profile['valid_until'][:10]}, in less than {stage} days")
        warned = stage
    profile["warned"] = warned
    offered = [row[3] == 0 for row in flight.get("contexts", ()) if row[1] == STORAGE_COMMITMENT]
    if offered:
        profile["commits"] = any(offered)
    return changes


def _reported(profile: Facts, now: float, way: str, delay_s: float, title: str) -> list[str]:
    """Learn how a commitment report came, how late, and under which AE Title.

    An archive may know several ways, so that only one that is new is a change.
    """
    changes: list[str] = []
    ways = {known: at for known, at in profile["ways"].items() if now - at < FORGOTTEN_S}
    if ways and way not in ways:
        before = WAYS[max(ways, key=lambda known: float(ways[known]))]
        changes.append(f"a commitment report came {WAYS[way]}, until now they came {before}")
    profile["ways"] = {**ways, way: now}
    if title not in profile["titles"]:
        if profile["titles"]:
            changes.append(f"a commitment report came from AE Title {title}, until now from {profile['titles'][-1]}")
        profile["titles"] = [*profile["titles"], title][-TITLES:]
    usual = usual_delay_s(profile)
    slow = usual is not None and delay_s > SLOWER * max(usual, QUICK_S)
    if slow and not profile["slow"]:
        changes.append(f"a commitment report came {delay_s:.0f} s after it was asked for, usual were {usual:.0f} s")
    profile["slow"] = slow
    profile["delays_s"] = [*profile["delays_s"], delay_s][-DELAYS:]
    return changes


def usual_delay_s(profile: Facts) -> float | None:
    """Return the median of the last delays of commitment reports; None before there are three."""
    delays = sorted(profile.get("delays_s", ()))
    return float(delays[len(delays) // 2]) if len(delays) >= 3 else None
