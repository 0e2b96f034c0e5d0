"""``status``: what the agent is doing, asked over its control socket; without a running agent, what its spool holds."""

from __future__ import annotations

import time

from agent.app.certificates import ending
from agent.app.cli import print_json
from agent.app.common import PAUSE_S, STARTING_S, add_spool, patiently, settings_of
from agent.app.flight_text import alarms
from agent.app.term import count_text, hour_text, paint, printable, stamp_text, table
from agent.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent.app.options import Arguments, Parser

_GONE = "not configured"
_LINE = 300  # a sentence with a path in it
AT_ONCE = "once it is repaired, 'modality-agent queue retry --destination {name}' tries at once"


def arguments(parser: Parser) -> None:
    """Declare the options."""
    add_spool(parser)


def run(args: Arguments) -> int:
    """Print the status."""
    from agent.app.control import ask

    settings = None if args.spool is not None else settings_of(args)
    root: str = args.spool if settings is None else settings.spool.path
    until = time.monotonic() + STARTING_S
    while True:
        answer = patiently(root, lambda: ask(root, {"verb": "status"}) or _offline(root))
        if answer["running"] or not answer["spool_held"] or time.monotonic() >= until:
            break
        time.sleep(PAUSE_S)  # whoever holds the spool and does not answer yet is an agent that starts
    if settings is not None:
        answer.setdefault("configured", [row.name for row in settings.destination])
        answer["certificates"] = ending(settings, time.time())
    known = {**answer["queue"], **answer.get("destinations", {})}
    answer["alarms"] = {name: told for name in known if (told := alarms(root, name, time.time()))}
    if args.json:
        print_json(answer)
    else:
        _print(answer, root)
    return 0


def _offline(root: str) -> dict[str, Any]:
    from agent.spool.view import SpoolView

    with SpoolView.open(root) as view:
        return {"running": False, "spool_held": view.running(), "queue": view.counts(), "instances": view.lives()}


def _print(answer: dict[str, Any], root: str) -> None:
    if answer["running"]:
        memory = answer["memory"]
        print(f"{paint('running', 'green')}, pid {answer['pid']}, up {answer['uptime_s']:.0f} s, {answer['config']}")
        if answer["refused"]:
            since, why = stamp_text(answer["refused"]["at"]), printable(answer["refused"]["reason"], _LINE)
            print(f"{paint('file not in force', 'yellow')} since {since}: {why}; once it is right, send SIGHUP")
        print(f"memory   {memory['rss_kib'] / 1024:.1f} MiB, peak {memory['peak_kib'] / 1024:.1f} MiB")
        listener = answer["listener"]
        where = f"{answer['ae_title']}@{listener['host']}:{listener['port']}" if listener else "off"
        print(f"listener {where}")
    else:
        print(
            paint("not running", "yellow")
            + (", but a process holds the spool: the agent starts or stops" if answer["spool_held"] else "")
        )
    print(f"spool    {root}")
    for alarm in answer.get("medium", ()):
        said = paint(alarm["level"], "red" if alarm["level"] == "error" else "yellow")
        print(f"medium   {said} since {stamp_text(alarm['since'])}: {printable(alarm['text'], _LINE)}")
    if answer.get("dicomdir") and answer["dicomdir"]["reason"]:
        told = f"is not up to date, tried {count_text(answer['dicomdir']['failures'], 'time')}"
        print(f"DICOMDIR {paint(told, 'yellow')}: {printable(answer['dicomdir']['reason'], _LINE)}")
    found = (answer.get("verify") or {}).get("damaged")
    if found:
        what = f"{count_text(found, 'fault')} found in this round of reading everything again"
        print(f"verify   {paint('damaged', 'red')}: {what}; the log and 'receipt' name them")
    if answer.get("recovered"):
        print(f"start    {printable(answer['recovered'], _LINE)}")
    _print_destinations(answer)
    for name, told in answer["alarms"].items():
        for text in told:
            print(f"{name}: {paint('changed', 'yellow')}, {printable(text)}")
    for text in answer.get("certificates", ()):
        print(f"tls: {paint('certificate', 'yellow')}: {printable(text, _LINE)}")
    _print_sources(answer.get("sources", {}))
    for name, role in answer.get("roles", {}).items():
        if role["last_error"]:
            times = count_text(role["failures"], "time")
            print(f"{name}: failed {times}, last: {printable(role['last_error'])}")


def _print_destinations(answer: dict[str, Any]) -> None:
    known = answer["destinations"] if answer["running"] else answer.get("configured")
    queue = {**{name: {} for name in known or ()}, **answer["queue"]}  # a new destination is not in the ledger yet
    rows, gone = [], []
    for name, states in queue.items():
        text = ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "nothing queued yet"
        if known is not None and name not in known:
            gone.append(name)
        facts = answer.get("destinations", {}).get(name)
        rows.append((name, text, link_text(facts) if facts else _GONE if name in gone else "-"))
    if not rows:
        print("destinations: none is configured; images stay on this box")
        return
    print("\n".join(table(("destination", "queue", "link"), rows)))
    for name, facts in answer.get("destinations", {}).items():
        if facts["state"] == "needs the operator":
            print(f"hint: {name}: {AT_ONCE.format(name=name)}")
    for name in gone:
        print(f"hint: nothing is sent to '{name}' until a [[destination]] of this name is configured again")


def link_text(facts: dict[str, Any]) -> str:
    """Say how the way to a destination is: ``ok``, or when it is tried again and what is wrong."""
    window = facts.get("window")
    if window and not window["open"]:
        return window_text(window)
    if not facts["failures"]:
        return f"ok, at most {facts['bandwidth']}" if facts.get("bandwidth") else "ok"
    reason = facts["reason"].rpartition(" [")[0] or facts["reason"]
    whose = ", needs the operator" if facts["state"] == "needs the operator" else ""
    left = f"waiting {facts['next_in_s']:.0f} s" if facts["next_in_s"] >= 1 else "trying now"
    over = f"; images go to {facts['handed_over_to']}" if facts.get("handed_over_to") else ""
    if not over and facts.get("failover") and facts["failover_in_s"] is not None:
        over = f"; images go to {facts['failover']} in {max(0.0, facts['failover_in_s']):.0f} s"
    return f"{left}{whose}: {reason}{over}"


def _print_sources(sources: dict[str, Any]) -> None:
    if not sources:
        return
    cells = [(n, str(c["captures"]), str(c["frames"]), str(c["dropped"]), source_text(c)) for n, c in sources.items()]
    print("\n".join(table(("source", "captures", "frames", "dropped", "state"), cells, right=(1, 2, 3))))
    for name, facts in sources.items():
        if facts.get("lost"):
            print(f"{name}: {printable(facts['lost'])}")


def window_text(window: dict[str, Any]) -> str:
    """Say that images wait for their hours; from the facts of a running agent."""
    opens = "" if window["turns_at"] is None else f", opens at {hour_text(window['turns_at'])}"
    return f"waits for its window{opens}"


def source_text(counts: dict[str, Any]) -> str:
    """Say what a source does: recording, waiting for its time or its trigger, or done with what was planned."""
    if counts["recording"]:
        return "recording, one more asked for" if counts.get("waiting") else "recording"
    planned, done = counts["planned"], counts["captures"]
    if not counts["every_s"]:
        return "waits for a trigger"
    if not planned:
        return "waiting"
    return f"done ({planned} of {planned})" if done >= planned else f"waiting ({done} of {planned})"
