"""``receipt UID``: the custody line of one instance, from capture to commitment, with digests and times.

Exit status 0 says that the receipt was printed, not that the instance is safe; scripts read ``--json`` or use
``--committed``, which ends with status 50 unless every destination has committed (or stored, where the site switched
commitment off). The events of the instance are always held against the hash chain, each against the one before it, and
its states against them; ``--verify`` walks the chain of the whole ledger.
"""

from __future__ import annotations

from agent.app.cli import print_json
from agent.app.clip_end import asked_facts, early_end_of
from agent.app.clock_facts import bound_text
from agent.app.common import add_spool, view_of
from agent.app.term import count_text, paint, size_text, stamp_text, table
from agent.dataset.uid import uid_name
from agent.errors import NotDelivered, NotFound, SpoolDamaged
from agent.spool import anchor
from agent.spool.states import Event
from agent.transcode.learn import Figures
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from agent.app.options import Arguments, Parser
    from agent.spool.receipt import Custody, Entry, Receipt

_TAMPERED: Final = "'modality-agent spool verify' looks at all of it; compare its head with those in the log."

_CLOCKS: Final = {
    "never set": "was never set",
    "went back": "showed less than before, and is wrong",
    "synchronised": "was synchronised",
}


def arguments(parser: Parser) -> None:
    """Declare the options."""
    parser.add("uid", help="SOP Instance UID")
    add_spool(parser)
    parser.add("--verify", switch=True, help="verify the hash chain of the ledger first")
    parser.add("--committed", switch=True, help="fail unless the instance is safe everywhere")


def run(args: Arguments) -> int:
    """Print the receipt."""
    with view_of(args) as view:
        verdict = view.verify(anchor.all_of(view.root)) if args.verify else None
        receipt = view.receipt(args.uid)
        faults = view.faults_of(receipt.id) if receipt is not None else ()
        head = view.head()
        enough = view.stored_is_enough()
    if receipt is None:
        raise NotFound(f"the spool has never had {args.uid}", hint="'modality-agent queue list' shows what it has.")
    if args.json:
        facts = as_dict(receipt, enough)
        facts["ledger"] = {"events": head[0], "head": head[1], "faults_of_this": list(faults)}
        if verdict is not None:
            facts["ledger"]["faults"] = list(verdict.faults)
        print_json(facts)
    else:
        print_receipt(receipt)
        if verdict is not None and not verdict.faults:
            print(f"ledger     {count_text(verdict.events, 'event')}, chain unbroken, head {head[1]}")
    found = (*faults, *(verdict.faults if verdict is not None else ()))
    if found:
        raise SpoolDamaged(f"the ledger was tampered with or is damaged: {found[0]}", hint=_TAMPERED)
    if args.committed and not is_safe(receipt, enough):
        raise NotDelivered(f"{args.uid} is not safe at every destination yet")
    return 0


def is_safe(receipt: Receipt, stored_is_enough: frozenset[str]) -> bool:
    """Whether every destination has the instance for good."""
    return bool(receipt.deliveries) and all(
        custody.state in ("committed", "diverted")
        or (custody.state == "stored" and custody.destination in stored_is_enough)
        for custody in receipt.deliveries
    )


def as_dict(receipt: Receipt, stored_is_enough: frozenset[str]) -> dict[str, Any]:
    """Return the receipt as plain values."""
    facts: dict[str, Any] = receipt._asdict()
    facts["deliveries"] = [
        {**custody._asdict(), "sent": sent_of(receipt, custody.destination)} for custody in receipt.deliveries
    ]
    facts["events"] = [event._asdict() for event in receipt.events]
    facts["safe"] = is_safe(receipt, stored_is_enough)
    return facts


def print_receipt(receipt: Receipt) -> None:
    """Print the receipt for people."""
    rows = [
        ("instance", receipt.sop_instance_uid),
        ("class", uid_name(receipt.sop_class_uid)),
        ("syntax", uid_name(receipt.transfer_syntax_uid)),
        ("study", receipt.study_uid),
        ("source", receipt.source),
        ("file", f"{receipt.file}, {size_text(receipt.size)}, {receipt.state}"),
        ("sha-256", f"file {receipt.file_sha256}"),
        ("", f"data set {receipt.data_set_sha256}"),
        ("captured", stamp_text(receipt.captured_at) + _capture_facts(receipt)),
        ("durable", stamp_text(receipt.durable_at) + _clock(receipt)),
        *(("clock", text) for text in _clock_of_capture(receipt)),
        *(("pixels", event.detail["grey"]) for event in receipt.events if "grey" in event.detail),
        *((word, said) for event in receipt.events for word, said in asked_facts(event.detail)),
        *(("exported", _export_text(event)) for event in receipt.events if event.kind == Event.EXPORT.value),
    ]
    for name, text in rows:
        print(f"{name:<10} {text}")
    headers = ("destination", "state", "tries", "sent", "stored", "status", "committed", "peer")
    lines = table(headers, [_cells(custody) for custody in receipt.deliveries], right=(2,))
    print(paint(lines[0], "bold"))
    for custody, line in zip(receipt.deliveries, lines[1:], strict=True):
        print(paint(line, "green") if custody.state == "committed" else line)
        if custody.reason:
            print(f"  reason: {custody.reason}")
        if custody.transaction_uid:
            print(f"  transaction: {custody.transaction_uid}")
        sent = sent_of(receipt, custody.destination)
        if sent is not None:
            print(f"  sent: {sent_text(sent, receipt)}")


def _export_text(event: Entry) -> str:
    detail = event.detail
    return f"{stamp_text(event.at)}, medium {detail.get('medium', '?')} as {detail.get('file_id', '?')}"


def sent_of(receipt: Receipt, destination: str) -> dict[str, str] | None:
    """Return what the last answer of a destination says about the way the instance went; None where it does not."""
    for event in reversed(receipt.events):
        if event.kind == "stored" and event.destination == destination and "sent_as" in event.detail:
            names = (*Figures._fields, "copy_sha256", "why")
            return {name: event.detail[name] for name in names if name in event.detail}
    return None


def sent_text(sent: dict[str, str], receipt: Receipt) -> str:
    """Say in which transfer syntax an instance was sent, how large, how long that took, and why."""
    text = f"{size_text(int(sent['bytes']))} in {float(sent['link_s']):.3g} s as {uid_name(sent['sent_as'])}"
    if sent["sent_as"] != receipt.transfer_syntax_uid:
        ratio = int(sent["stored_bytes"]) / max(1, int(sent["bytes"]))
        text += (
            f", {ratio:.2f} times smaller than stored" if ratio >= 1 else f", {1 / ratio:.2f} times larger than stored"
        )
        text += f", after {float(sent.get('work_s', 0)):.3g} s of work"
    return f"{text} ({sent['why']})" if "why" in sent else text


def _clock(receipt: Receipt) -> str:
    """How good the clock was, where it was worse or better than set."""
    grade = next((event.clock for event in receipt.events if event.kind == "durable"), "")
    return f", the clock {_CLOCKS[grade]}" if grade in _CLOCKS else ""


def _clock_of_capture(receipt: Receipt) -> list[str]:
    """What the clock was worth that the moments in the instance were read from, where more than that is known."""
    facts = next((event.detail for event in receipt.events if "clock_by" in event.detail), {})
    moved = next((event.detail["clock_step_s"] for event in receipt.events if "clock_step_s" in event.detail), "")
    said = []
    if facts:
        of = f" from {facts['clock_source']}" if "clock_source" in facts else ""
        said.append(f"{facts.get('clock', '')} by {facts['clock_by']}{of} at the capture")
        if "clock_error_bound_s" in facts:
            said.append(f"wrong by at most {bound_text(float(facts['clock_error_bound_s']))}")
        if "clock_heard_s" in facts:
            said.append(f"last heard of {facts['clock_heard_s']} s before")
    if moved:
        said.append(f"moved by {moved} s during the study")
    return [", ".join(said)] if said else []


def _capture_facts(receipt: Receipt) -> str:
    for event in receipt.events:
        if "frames" in event.detail:
            frames = count_text(int(event.detail["frames"]), "frame")
            lossy = f", lossy {event.detail['lossy']}, near {event.detail['near']}" if "lossy" in event.detail else ""
            early = early_end_of(event.detail)
            return f", {frames}, {event.detail.get('dropped', '0')} dropped{lossy}{early and f'; {early}'}"
    return ""


def _cells(custody: Custody) -> tuple[str, ...]:
    return (
        custody.destination,
        custody.state,
        str(custody.attempt),
        stamp_text(custody.sent_at),
        stamp_text(custody.answered_at),
        "-" if custody.status is None else f"{custody.status:04X}",
        stamp_text(custody.committed_at),
        custody.peer or "-",
    )
