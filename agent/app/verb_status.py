"""``status``: what the agent is doing, asked over its control socket; without a running agent, what its spool holds.

Health in one word stands first, with its reasons (``agent.app.health``). An agent that holds its spool and does not
answer is said to be silent, and its spool is looked at all the same.
"""

from __future__ import annotations

import os
import time

import agent
from agent.app import clock_facts
from agent.app.certificates import ending
from agent.app.cli import print_json
from agent.app.common import PAUSE_S, STARTING_S, add_spool, patiently, settings_of
from agent.app.flight_text import alarms
from agent.app.health import COLOURS, CONSOLE, WELL, health
from agent.app.orders import WHO
from agent.app.term import count_text, hour_text, paint, printable, size_text, span_text, stamp_text, table
from agent.errors import MediaError, NotFound, SpoolError
from agent.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent.app.options import Arguments, Parser
    from agent.config.settings import Settings

_GONE = "not configured"
ANSWER_S = 5.0  # a busy box; who does not answer then is stuck
_LINE = 300  # a sentence with a path in it
AT_ONCE = "once it is repaired, 'modality-agent queue retry --destination {name}' tries at once"


def arguments(parser: Parser) -> None:
    """Declare the options."""
    parser.add("--associations", switch=True, help="only the associations that are open now")
    parser.add("--trouble", switch=True, help="only what is not well and which command tells more; nothing if all is")
    add_spool(parser)


def run(args: Arguments) -> int:
    """Print the status."""
    settings = None if args.spool is not None else settings_of(args)
    root: str = args.spool if settings is None else settings.spool.path
    try:
        answer = collect(root, settings)
    except NotFound:
        if args.trouble:  # where no agent has ever run, nothing has gone wrong
            return 0
        raise
    if args.associations:
        return _associations(answer, as_json=args.json)
    if args.json:
        print_json(answer)
    elif not args.trouble:
        _print(answer, root)
    elif answer["health"]["word"] != WELL:
        _print_health(answer)
    return 0


def collect(root: str, settings: Settings | None) -> dict[str, Any]:
    """Everything that ``--json`` prints."""
    until = time.monotonic() + STARTING_S
    while True:
        answer = patiently(root, lambda: _asked(root))
        if answer["running"] or not answer["spool_held"] or time.monotonic() >= until:
            break
        time.sleep(PAUSE_S)  # whoever holds the spool and does not answer yet is an agent that starts
    if settings is not None:
        answer.setdefault("configured", [row.name for row in settings.destination])
        answer["certificates"] = ending(settings, time.time())
    known = {**answer["queue"], **answer.get("destinations", {})}
    answer["alarms"] = {name: told for name in known if (told := alarms(root, name, time.time()))}
    answer["version"] = agent.__version__
    answer["disk"] = disk(root)
    _look(answer, root)
    answer["health"] = health(answer)
    return answer


def _asked(root: str) -> dict[str, Any]:
    """What the agent says, or what its spool shows without it."""
    from agent.app.control import ask

    try:
        return ask(root, {"verb": "status"}, wait_s=ANSWER_S) or _offline(root)
    except MediaError:
        raise
    except SpoolError as error:
        return {**_offline(root), "spool_held": False, "silent": str(error)}


def _offline(root: str) -> dict[str, Any]:
    from agent.spool.view import SpoolView

    with SpoolView.open(root) as view:
        return {"running": False, "spool_held": view.running(), "queue": view.counts(), "instances": view.lives()}


def _look(answer: dict[str, Any], root: str) -> None:
    """Add what the ledger shows beside a running agent, too: what an operator holds, and what the clock is worth."""
    from agent.spool import listing
    from agent.spool.view import SpoolView

    try:
        with SpoolView.open(root) as view:
            answer["holds"] = [one._asdict() for one in listing.holds(view.ask)]
            some = [name for name, states in answer["queue"].items() if states.get("held")]
            answer["held_by_hand"] = {name: listing.held_by_operator(view.ask, name) for name in some}
            answer["clock"] = clock_facts.clock(view)
    except MediaError:  # said by others
        answer.update(holds=[], held_by_hand={}, clock=clock_facts.clock())


def disk(root: str) -> dict[str, Any] | None:
    """Return how much room the medium of the spool has, and whether it can be written; None: it does not answer."""
    try:
        found = os.statvfs(root)
    except OSError:
        return None
    total, free = found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize
    used = 1 - free / total if total else 0.0
    writable = not found.f_flag & os.ST_RDONLY
    return {"free_bytes": free, "total_bytes": total, "used": round(used, 4), "writable": writable}


def _associations(answer: dict[str, Any], *, as_json: bool) -> int:
    found = answer.get("associations", [])
    if as_json:
        print_json({"running": answer["running"], "silent": answer.get("silent", ""), "associations": found})
    elif not found:
        print("no association is open" if answer["running"] else _nothing(answer))
    for one in () if as_json else found:
        who = f"with {one['destination']} ({one['peer']})" if one["opened_by_us"] else f"opened by {one['peer']}"
        state = "" if one["associated"] else ", not accepted yet"
        print(f"{printable(who)}: open for {one['seconds']:.1f} s, {one['pdus']} PDUs and messages{state}")
    return 0


def _nothing(answer: dict[str, Any]) -> str:
    """Say why nobody knows of an association."""
    silent = answer.get("silent")
    return printable(f"nobody knows: {silent}", _LINE) if silent else "not running: no association is open"


def _print_health(answer: dict[str, Any]) -> None:
    said = answer["health"]
    print(f"health   {paint(said['word'], COLOURS[said['word']])}")
    for text, see in zip(said["reasons"], said["see"], strict=True):
        command = CONSOLE.get(see, see) if WHO in os.environ else see
        print(f"  {printable(text, _LINE)} ('{printable(command)}' tells more)")


def _print(answer: dict[str, Any], root: str) -> None:
    _print_health(answer)
    if answer["running"]:
        _print_running(answer)
    elif not answer.get("silent"):
        held = ", but a process holds the spool: the agent starts or stops" if answer["spool_held"] else ""
        print(paint("not running", "yellow") + held)
    _print_box(answer, root)
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


def _print_running(answer: dict[str, Any]) -> None:
    memory, up = answer["memory"], span_text(answer["uptime_s"])
    print(f"{paint('running', 'green')}, pid {answer['pid']}, up {up}, {answer['config']}")
    print(f"version  {answer['version']}")
    if answer["refused"]:
        since, why = stamp_text(answer["refused"]["at"]), printable(answer["refused"]["reason"], _LINE)
        print(f"{paint('file not in force', 'yellow')} since {since}: {why}; once it is right, send SIGHUP")
    print(f"memory   {memory['rss_kib'] / 1024:.1f} MiB, peak {memory['peak_kib'] / 1024:.1f} MiB")
    listener = answer["listener"]
    where = f"{answer['ae_title']}@{listener['host']}:{listener['port']}" if listener else "off"
    print(f"listener {where}")
    if answer.get("panel"):
        print(f"panel    {_panel_text(answer['panel'])}")


def _panel_text(panel: dict[str, Any]) -> str:
    if not panel["present"]:
        return f"{paint('not there', 'yellow')}: {printable(panel['trouble'], _LINE)}"
    warmth = "" if panel["temperature_c"] is None else f", {panel['temperature_c']:.1f} degrees"
    return f"firmware {panel['firmware']}, last reset: {panel['last_reset']}{warmth}"


def _print_box(answer: dict[str, Any], root: str) -> None:
    print(f"spool    {root}")
    room, clock = answer["disk"], answer["clock"]
    if room is not None:
        fixed = "" if room["writable"] else paint(", read-only", "red")
        left = f"{size_text(room['free_bytes'])} of {size_text(room['total_bytes'])} left"
        print(f"disk     {room['used']:.0%} used, {left}{fixed}")
    print(f"clock    {stamp_text(clock['at'])} {clock['zone']}")
    print(f"         {clock_facts.quality_text(clock)}")
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


def _print_destinations(answer: dict[str, Any]) -> None:
    known = answer["destinations"] if answer["running"] else answer.get("configured")
    queue = {**{name: {} for name in known or ()}, **answer["queue"]}  # a new destination is not in the ledger yet
    held = {one["destination"]: stamp_text(one["at"]) for one in answer.get("holds", ()) if not one["study_uid"]}
    rows, gone = [], []
    for name, states in queue.items():
        text = ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "nothing queued yet"
        if known is not None and name not in known:
            gone.append(name)
        facts = answer.get("destinations", {}).get(name)
        link = link_text(facts) if facts else _GONE if name in gone else "-"
        rows.append((name, text, f"held by the operator since {held[name]}" if name in held else link))
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
    if counts.get("trouble"):
        return f"not ready: {printable(counts['trouble'], _LINE)}"
    if counts.get("armed") is not None and not counts["every_s"]:
        return "armed, waits for a trigger" if counts["armed"] else "is opened"
    planned, done = counts["planned"], counts["captures"]
    if not counts["every_s"]:
        return f"waits for {counts.get('waits_for', 'a trigger')}"
    if not planned:
        return "waiting"
    return f"done ({planned} of {planned})" if done >= planned else f"waiting ({done} of {planned})"
