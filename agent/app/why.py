"""``why``: from what the ledger and a running agent know to sentences a technician can act on.

Facts first, sentences from tables: a state has a sentence, an error code has the hint of its class, and nothing is said
that is not also in the facts that ``--json`` prints. The ledger alone tells almost all of it (states, reasons, what was
sent and why, what the peer takes, how fast it was); the running agent adds how the way to each destination is now.
"""

from __future__ import annotations

import re

from agent.app.clip_end import early_end_of
from agent.app.flight_text import last_lines, profile_lines
from agent.app.term import count_text, size_text, stamp_text, table
from agent.app.verb_receipt import sent_of, sent_text
from agent.app.verb_status import AT_ONCE, window_text
from agent.config.words import TRANSFER_SYNTAX_WORDS, transfer_syntax_word
from agent.dataset.uid import STORAGE_COMMITMENT, STUDY_ROOT_FIND, is_lossy, uid_name
from agent.dimse.status import Service, explain
from agent.errors import NoAcceptedContext, class_of
from agent.forward.policy import BREAKER_FAILURES
from agent.spool.committing import NO_REPORT
from agent.spool.states import HELD_BY_OPERATOR, Event
from agent.transcode.learn import recall
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from agent.spool.receipt import Custody, Reader, Receipt

Facts = dict[str, Any]

# State of a delivery -> what it means; the names in braces are facts.
STATES: Final[Mapping[str, str]] = {
    "queued": "waits for its turn",
    "active": "is being sent now (try {attempt})",
    "stored": "was stored at {answered}",
    "awaiting commitment": "was stored at {answered}; commitment was asked for {asked}, the report is awaited",
    "committed": "was committed at {committed}: the archive has taken it over",
    "unconfirmed": "was stored at {answered} and never committed: {reason}; it stays on this box",
    "deferred": "could not be delivered yet ({tries}): {reason}",
    "held": "is held until somebody acts ({tries}): {reason}",
    "diverted": "was not sent here: {reason}",
    "damaged": "cannot be sent: its file on this box is damaged and was set aside",
    "lost": "cannot be sent: its file on this box is gone",
}
# What ends the wait, where it is not in the reason.
ENDS: Final[Mapping[str, str]] = {
    "stored": "commitment will be asked for on this or the next association",
    "held": "correct the cause, then 'modality-agent queue retry {which}'",
    "unconfirmed": "see whether the archive has it; a late report still counts, and "
    "'modality-agent queue retry {which}' sends it and asks again",
    "damaged": "give the instance to the agent again from its source: the same content heals it",
    "lost": "give the instance to the agent again from its source: the same content heals it",
}
LIVES: Final[Mapping[str, str]] = {
    "live": "on this box",
    "evicting": "being removed from this box, every destination has it",
    "evicted": "no longer on this box, every destination has it",
    "damaged": "damaged and set aside in quarantine",
    "lost": "gone from this box",
}
# A peer that refused the context of Storage Commitment, and is asked for it.
NO_COMMITMENT: Final = "this peer refused Storage Commitment: it can store, and never says that it has taken over"
UNCOMMITTED: Final = (
    "let its administrator enable Storage Commitment (Push Model SCP) for this AE Title, or set commitment = false for "
    "this destination: what is stored is then enough, also to remove it from this box, but not what is unconfirmed"
)
# No report has ever come, and only our own associations are heard.
DEAF: Final = (
    "an archive may report on an association of its own, and this box listens for none: set enabled = true in "
    "[listener], and tell the archive our AE Title, address and port"
)
# A master with loss that a peer refuses: there is no copy to make.
LOSSY: Final = (
    "a master with loss is sent as it is or not at all: let the peer enable {syntax}, then 'queue retry {which}'",
    "or send it to a peer that takes it, with 'modality-agent send' or as another [[destination]]",
    "from now on, capture without loss what this destination is to get: transfer_syntax of the source",
)
HELD: Final = "it is held by the operator"
_CODE: Final = re.compile(r" \[([a-z_.]+)\]$")
_SHOWN: Final = 8  # last answers of a destination
_TAKEN: Final = {True: "yes", False: "no", None: "-"}


# --- one instance -------------------------------------------------------------------------------


def of_instance(
    receipt: Receipt, stored_is_enough: frozenset[str], links: Mapping[str, Facts],
    uncommitting: Collection[str] = (), deaf_to: Collection[str] = (), due_in_s: Mapping[str, float] | None = None,
) -> Facts:  # fmt: skip
    """What became of one instance, destination by destination, and when (``due_in_s``) more is done about it.

    ``uncommitting`` are those without commitment, ``deaf_to`` those whose reports may not reach this box.
    """
    return {
        "sop_instance_uid": receipt.sop_instance_uid,
        "sop_class": uid_name(receipt.sop_class_uid),
        "stored_as": uid_name(receipt.transfer_syntax_uid),
        "bytes": receipt.size,
        "file": receipt.state,
        "source": receipt.source,
        "captured": stamp_text(receipt.captured_at),
        "capture": _capture(receipt),
        "cut_short": _cut_short(receipt),
        "exports": _exports(receipt),
        "destinations": [
            _delivery(
                receipt, custody, custody.destination in stored_is_enough, links.get(custody.destination),
                commits=custody.destination not in uncommitting, deaf=custody.destination in deaf_to,
                due_s=(due_in_s or {}).get(custody.destination, 0.0),
            )
            for custody in receipt.deliveries
        ],
    }  # fmt: skip


def _capture(receipt: Receipt) -> str:
    """Why the master is in the transfer syntax it is in, where the capture chose it."""
    return next((event.detail["syntax_why"] for event in receipt.events if "syntax_why" in event.detail), "")


def _cut_short(receipt: Receipt) -> str:
    """Why the clip is shorter than was asked for, or ''."""
    return next((early_end_of(event.detail) for event in receipt.events if "frames" in event.detail), "")


def _exports(receipt: Receipt) -> list[Facts]:
    """The media that the instance went out on."""
    return [{"at": event.at, "medium": event.detail.get("medium", ""), "file_id": event.detail.get("file_id", "")}
            for event in receipt.events if event.kind == Event.EXPORT.value]  # fmt: skip


def refuses_commitment(reader: Reader, destination: str) -> bool:
    """Whether a destination, when last asked, refused the context of Storage Commitment."""
    answers = reader.accepted(destination).get(STORAGE_COMMITMENT)
    return answers is not None and not any(answers.values())


def _end(state: str, which: str, reason: str = "") -> list[str]:
    """What ends the wait of ``which``, a SOP Instance UID or all of a destination."""
    if state == "held" and reason.startswith(HELD_BY_OPERATOR):
        return [f"'modality-agent queue release {which}' lets it go"]
    return [ENDS[state].format(which=which)] if state in ENDS else []


def has_reported(reader: Reader, destination: str) -> bool:
    """Whether a report of a destination has come, in whatever way."""
    return bool(reader.commitment_s(destination))


def _unheard(state: str, reason: str, *, deaf: bool) -> list[str]:
    """What may be the cause where an archive was asked and has not reported."""
    waits = state == "awaiting commitment" or (state in ("stored", "unconfirmed") and NO_REPORT in reason)
    return [DEAF] if deaf and waits else []


def _to_do(
    receipt: Receipt, custody: Custody, words: Facts, link: Facts | None, *, commits: bool, deaf: bool
) -> list[str]:
    state, code = custody.state, _CODE.search(custody.reason)
    if state == "stored" and not commits:
        return [UNCOMMITTED]
    if state == "unconfirmed" and not commits:
        return [UNCOMMITTED, *_end(state, receipt.sop_instance_uid)]
    if state == "held" and code and code.group(1) == NoAcceptedContext.code and is_lossy(receipt.transfer_syntax_uid):
        return [text.format(syntax=uid_name(receipt.transfer_syntax_uid), **words) for text in LOSSY]
    todo = _end(state, receipt.sop_instance_uid, custody.reason)
    todo = [*_unheard(state, custody.reason, deaf=deaf), *todo]
    return [*hints(custody.reason, custody.status, link), *todo] if state in ("held", "deferred") else todo


def _delivery(
    receipt: Receipt, custody: Custody, enough: bool, link: Facts | None, *,  # noqa: FBT001 - a fact
    commits: bool, deaf: bool, due_s: float,
) -> Facts:  # fmt: skip
    state, reason = custody.state, _CODE.sub("", custody.reason)
    words: Facts = {
        "which": receipt.sop_instance_uid,
        "reason": reason,
        "attempt": custody.attempt,
        "tries": count_text(custody.attempt, "try", "tries"),
        "asked": count_text(custody.asked, "time"),
        "answered": stamp_text(custody.answered_at),
        "committed": stamp_text(custody.committed_at),
    }
    done = state in ("committed", "diverted") or (state == "stored" and enough)
    says = STATES[state].format(**words)
    if custody.priority != "normal" and state in ("queued", "active", "deferred"):
        says += f"; its priority is {custody.priority}"
    if done and enough and state != "diverted":
        says += ", which is all that is asked of this destination"
    elif state == "stored" and not commits:
        says += f"; {NO_COMMITMENT}"
    elif state == "stored" and custody.asked and reason:
        says += f"; commitment was asked for {words['asked']}, the last time: {reason}"
    if state == "stored" and not done and link is not None and link.get("commitment_asks"):
        says += f"; {_next_question(custody.asked, link['commitment_asks'], due_s)}"
    todo = [] if done else _to_do(receipt, custody, words, link, commits=commits, deaf=deaf)
    return {
        "destination": custody.destination,
        "state": state,
        "done": done,
        "says": says,
        "reason": custody.reason,
        "way": way(link, custody.destination, (custody.reason, *todo)) if link is not None and not done else "",
        "do": todo,
        "sent": sent_of(receipt, custody.destination),
    }  # fmt: skip


def _next_question(asked: int, most: int, due_s: float) -> str:
    """Say when commitment is asked for again, and how that ends."""
    if asked >= most:
        return f"it was asked for {count_text(most, 'time')}, as often as may be: it is unconfirmed soon"
    when = f"in {due_s:.0f} s" if due_s >= 1 else "now"
    return f"question {asked + 1} of {most} is put {when}, and when they have come to nothing it is unconfirmed"


def hints(reason: str, status: int | None, link: Facts | None = None) -> list[str]:
    """What to do about a reason: the hint of its error, and what a status of the peer means.

    The error that the way met last is known by ``link``, of another one its class.
    """
    found = []
    match = _CODE.search(reason)
    kind = class_of(match.group(1)) if match else None
    if link is not None and link["reason"] == reason and link["hint"]:
        found.append(link["hint"])
    elif kind is not None:
        found.append(kind.hint)
    if status:
        found.append(f"status {status:04X} means: {explain(Service.STORAGE, status).meaning}")
    return found


def way(link: Facts, name: str, told: Collection[str] = ()) -> str:
    """How the way to the destination ``name`` is, from the facts of a running agent; not again what was ``told``."""
    if link.get("held"):
        return f"{HELD}: nothing is sent until 'modality-agent queue release --destination {name}'; commitment goes on"
    window = link.get("window")
    hours = f"it {window_text(window)}; commitment does not wait; " if window and not window["open"] else ""
    if not link["failures"]:
        limit = f", at most {link['bandwidth']} by its configuration" if link.get("bandwidth") else ""
        names = ", ".join(link.get("standby_for", ()))
        stands = f"; it is the standby of {names} and gets only what that hands over" if names else ""
        return f"{hours}{'nothing is known against the way' if names else 'the way is free'}{limit}{stands}"
    hint = [text for text in hints(link["reason"], None, link)[:1] if text not in told]
    at_once = AT_ONCE.format(name=name) if link["state"] == "needs the operator" else ""
    waits = f"the next try is in {link['next_in_s']:.0f} s" if link["next_in_s"] >= 1 else "it is tried now"
    failures = count_text(link["failures"], "failure")
    cause = "" if link["reason"] in told else f": {_CODE.sub('', link['reason'])}"
    says = f"{hours}the way is not{' free' * (not cause)}{cause} ({failures})"
    return "; ".join(filter(None, (says, waits, _over(link), at_once, *hint)))


def _over(link: Facts) -> str:
    """Who gets the images of a destination that is down, or will."""
    if link.get("handed_over_to"):
        return f"its images go to {link['handed_over_to']} meanwhile"
    if not link.get("failover"):
        return ""
    if link["failover_in_s"] is None:
        after = f"{link['failover_after_s']:g} s after {BREAKER_FAILURES} failures in a row"
        return f"its images go to {link['failover']} when it is down still {after}"
    return f"its images go to {link['failover']} when it is down still in {max(0.0, link['failover_in_s']):.0f} s"


def instance_lines(facts: Facts, receipt: Receipt) -> list[str]:
    """The facts of an instance as lines for people."""
    lines = [
        facts["sop_instance_uid"],
        f"{facts['sop_class']} from {facts['source'] or 'nobody'}, captured {facts['captured']}",
        f"{size_text(facts['bytes'])} as {facts['stored_as']}, {LIVES[facts['file']]}",
    ]
    if facts["capture"]:
        lines.append(f"captured in this transfer syntax because: {facts['capture']}")
    if facts["cut_short"]:
        lines.append(f"the clip is short: {facts['cut_short']}")
    for row in facts["exports"]:
        where = f"the medium '{row['medium']}' as {row['file_id']}"
        lines += [f"exported {stamp_text(row['at'])} to {where}, and read again there"]
    if not facts["destinations"]:
        lines.append("it is for no destination: it stays on this box")
    for row in facts["destinations"]:
        lines.append(f"{row['destination']}: it {row['says']}")
        lines += [f"  {row['way']}"] if row["way"] else []
        lines += [f"  to do: {text}" for text in row["do"]]
        if row["sent"] is not None:
            lines.append(f"  sent: {sent_text(row['sent'], receipt)}")
    return lines


# --- one destination ----------------------------------------------------------------------------


def of_destination(
    reader: Reader, name: str, link: Facts | None, flights: Sequence[Facts] = (), profile: Facts | None = None,
    *, deaf: bool = False, running: bool = False, silent: str = "",
) -> Facts:  # fmt: skip
    """How one destination is served: its way, its queue and what holds it up, what it takes, what was chosen.

    ``flights`` are its last associations, oldest first, and ``profile`` what they taught; ``deaf``: its reports may not
    reach this box; ``silent``: why the agent that runs does not say how things are.
    """
    learned = recall(reader, name).link
    answers = [told for told in reader.sent(name) if "sent_as" in told.detail][-_SHOWN:]
    takes = reader.accepted(name)
    for service in (STORAGE_COMMITMENT, STUDY_ROOT_FIND):
        takes.pop(service, None)
    return {
        "destination": name,
        "running": running,
        "silent": silent,
        "way": link,
        "commits": name in reader.stored_is_enough() or not refuses_commitment(reader, name),
        "queue": reader.counts().get(name, {}),
        "waiting": [_alike(f"--destination {name}", link, *row, deaf=deaf) for row in reader.reasons(name)],
        "link": {"bytes_per_s": round(learned.rate), "wait_s": round(learned.wait_s, 6), "answers": learned.seen},
        "takes": takes,
        "sent": [{"sop_instance_uid": told.sop_instance_uid, **told.detail} for told in answers],
        "commitment_s": reader.commitment_s(name),
        "profile": profile or {},
        "associations": list(flights),
    }


def _alike(
    which: str, link: Facts | None, state: str, reason: str, status: int | None, count: int, uid: str, *, deaf: bool
) -> Facts:
    """What instances wait for that wait for the same thing."""
    todo = [*hints(reason, status, link), *_unheard(state, reason, deaf=deaf), *_end(state, which, reason)]
    return {"state": state, "reason": reason, "status": status, "count": count, "example": uid, "do": todo}


def destination_lines(facts: Facts) -> list[str]:
    """The facts of a destination as lines for people."""
    name, link = facts["destination"], facts["link"]
    queue = ", ".join(f"{count} {state}" for state, count in sorted(facts["queue"].items())) or "nothing yet"
    gone = "not configured: nothing is sent to it" if facts["running"] else "the agent is not running"
    gone = "the agent does not answer" if facts["silent"] else gone
    peer = facts["way"]["peer"] if facts["way"] else gone
    lines = [f"{name} ({peer})", f"queue: {queue}"]
    if facts["way"]:
        told = [text for row in facts["waiting"] for text in (row["reason"], *row["do"])]
        lines.insert(1, way(facts["way"], name, told))
    if not facts["commits"]:
        lines += [NO_COMMITMENT, f"  to do: {UNCOMMITTED}"]
    for row in facts["waiting"]:
        lines.append(f"{row['count']} {row['state']}: {_CODE.sub('', row['reason']) or 'no reason noted'}, "
                     f"for example {row['example']}")  # fmt: skip
        lines += [f"  to do: {text}" for text in row["do"]]
    if link["answers"]:
        rate = f"{link['bytes_per_s'] / 1e6:.3g} MB/s and {link['wait_s'] * 1000:.1f} ms for each instance"
        lines.append(f"link: {rate}, by the last {count_text(link['answers'], 'answer')}")
    else:
        lines.append("link: not measured yet")
    delays = sorted(facts["commitment_s"])
    if delays:
        lines.append(f"committed {delays[len(delays) // 2]:.1f} s after it was asked, the slowest of the last "
                     f"{count_text(len(delays), 'instance')} after {delays[-1]:.1f} s")  # fmt: skip
    lines += [f"certificate: {text}" for text in facts.get("certificates", ())]
    lines += profile_lines(facts["profile"]) + matrix(facts["takes"])
    for row in facts["sent"]:
        why = f": {row['why']}" if "why" in row else ""
        lines.append(f"{row['sop_instance_uid']} went as {uid_name(row['sent_as'])}{why}")
    return lines + last_lines(facts["associations"])


def matrix(takes: Mapping[str, Mapping[str, bool]]) -> list[str]:
    """What a peer takes: one row for each SOP Class, one column for each transfer syntax."""
    if not takes:
        return ["no association yet, so that nobody knows what it takes"]
    known = dict.fromkeys(TRANSFER_SYNTAX_WORDS.values())
    seen = {syntax for answers in takes.values() for syntax in answers}
    columns = [syntax for syntax in (*known, *sorted(seen - set(known))) if syntax in seen]
    rows = [(uid_name(sop_class), *(_TAKEN[answers.get(syntax)] for syntax in columns))
            for sop_class, answers in sorted(takes.items(), key=lambda row: uid_name(row[0]))]  # fmt: skip
    return table(("takes", *(transfer_syntax_word(syntax) for syntax in columns)), rows)
