"""``spool check|verify|rebuild``: is the spool whole, and its ledger made again of its files.

``check`` says what a start would find and do, and changes nothing; it needs no ledger that can be read. ``verify``
reads every file whole, compares digests, and follows the chain of events; what is damaged goes to quarantine, by the
running agent if there is one. ``rebuild`` sets the ledger aside and makes one of the files: everything is queued again,
so that it asks for ``--force`` where the ledger is sound. Exit status 13 says that something is not as it was written.
"""

from __future__ import annotations

import os
import time

from agent.app.cli import print_json
from agent.app.common import add_spool, readable, settings_of, spool_root
from agent.app.term import Progress, count_text, paint, printable, size_text, stamp_text
from agent.errors import AgentError, MediaError, NotFound, SpoolBusy, SpoolDamaged, SpoolError, UsageError
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from agent.app.options import Arguments, Parser
    from agent.spool.anchor import Head
    from agent.spool.checking import Finding, Wrong
    from agent.spool.view import SpoolView

_SHOWN: Final = 100  # lines; --json has them all
_LINE: Final = 400


def arguments(parser: Parser) -> None:
    """Declare the options."""
    parser.add("action", choices=("check", "verify", "rebuild"), help="what to do")
    add_spool(parser)
    parser.add(
        "--head", of=("verify",), read=_head, metavar="N:HEX", help="verify: a head of the ledger that was logged"
    )
    parser.add("--force", of=("rebuild",), switch=True, help="rebuild: also a ledger that is sound")


def run(args: Arguments) -> int:
    """Do it."""
    return {"check": _check, "verify": _verify, "rebuild": _rebuild}[args.action](args, spool_root(args))


def _head(text: str) -> Head:
    from agent.spool.anchor import parse

    try:
        return parse(text)
    except ValueError as error:
        raise UsageError(str(error), hint="The log of the agent has lines 'ledger head N:HEX'.") from None


# --- check ------------------------------------------------------------------------------------------


def _check(args: Arguments, root: str) -> int:
    from agent.spool import checking, mount

    said: list[str] = []
    _require_spool(root)
    view, fault = _sound(root)
    try:
        mount.check(root)
    except MediaError as error:
        said.append(f"{error} {error.hint}")
    running = view is not None and view.running()
    try:
        read = checking.no_rows if view is None else view.ask
        found = list(checking.found(root, read, running=running))
        lives = {} if view is None else view.lives()
        last = None if view is None else view.last_start()
    finally:
        if view is not None:
            view.close()
    facts: dict[str, Any] = {
        "spool": root, "running": running, "ledger": fault or "sound", "instances": lives, "last_start": last,
        "findings": [one._asdict() for one in found], "refused": said, "quarantine": checking.aside(root),
    }  # fmt: skip
    if args.json:
        print_json(facts)
    else:
        _print_check(facts, found)
    if fault or said or any(one.alarm for one in found):
        first = next((one for one in found if one.alarm), None)
        raise SpoolDamaged(
            fault or (said[0] if said else f"{first.path}: {first.says}" if first else ""),
            hint="Nothing was changed; the next start of the agent does what is said above.",
        )
    return 0


def _require_spool(root: str) -> None:
    """Refuse a folder that no agent has worked in; one whose ledger was lost is a spool."""
    from agent.spool.names import DIRECTORY, INSTANCES, LEDGER, LOCK, QUARANTINE

    readable(root)
    if not os.path.isdir(root) or any(os.path.lexists(f"{root}/{name}") for name in (LEDGER, LOCK, QUARANTINE)):
        return
    if os.path.lexists(f"{root}/{DIRECTORY}"):
        hint = f"'modality-agent media check {root}' looks at it as a medium; 'spool rebuild' if it was a spool once."
        raise NotFound(f"{root} is no spool: it is a File-set, as a stick or a disc has one", hint=hint)
    if not os.path.isdir(f"{root}/{INSTANCES}"):
        raise NotFound(
            f"{root} is no spool: it has no {LEDGER}, and no agent has worked there",
            hint="Name the folder of [spool] in the configuration.",
        )


def _sound(root: str) -> tuple[SpoolView | None, str]:
    """Open the ledger if it can be trusted; else say why not."""
    from agent.spool.view import SpoolView

    readable(root)
    if not os.path.isdir(root):
        raise NotFound(f"no spool at {root}", hint="Check the spool folder of the configuration.")
    try:
        view = SpoolView.open(root)
    except MediaError as error:
        return None, f"the ledger cannot be read: {error}; a start sets it aside and makes one of the files"
    try:
        answer = view.ask("PRAGMA quick_check(1)", ())[0][0]
    except SpoolError as error:
        answer = str(error)
    if answer != "ok":
        view.close()
        return None, f"the ledger is damaged: {answer}; a start sets it aside and makes one of the files"
    return view, ""


def _print_check(facts: dict[str, Any], found: list[Finding]) -> None:
    print(f"spool      {facts['spool']}" + (", an agent is at work on it" if facts["running"] else ""))
    print(f"ledger     {facts['ledger']}")
    lives = ", ".join(f"{count} {word}" for word, count in sorted(facts["instances"].items())) or "none known"
    print(f"instances  {lives}")
    last = facts["last_start"]
    if last is not None:
        print(f"last start {stamp_text(last['at'])}: {printable(last['report'], _LINE) or 'nothing to do'}")
    if facts["quarantine"]:
        print(f"quarantine {count_text(len(facts['quarantine']), 'file')} set aside")
    for text in facts["refused"]:
        print(paint(f"medium     {text}", "red"))
    for one in found[:_SHOWN]:
        print(paint(f"{one.path or one.case}: {one.says}", "red" if one.alarm else "yellow"))
    if len(found) > _SHOWN:
        print(f"and {len(found) - _SHOWN} more; --json lists all")
    if not found:
        print("nothing is to be done")


# --- verify -----------------------------------------------------------------------------------------


def _verify(args: Arguments, root: str) -> int:
    from agent.app.common import view_of
    from agent.spool import anchor, checking

    progress, began = Progress(), time.monotonic()

    def show(done: int, total: int) -> None:
        progress.of(done, total, f"{size_text(done)} of {size_text(total)} read")

    with view_of(args) as view:
        files, size, wrong = checking.verified(root, view.ask, show)
        progress.update("following the chain of events")
        verdict = view.verify([*anchor.all_of(root), args.head])
        if spoilt := anchor.spoilt(root):
            verdict = verdict._replace(faults=(*verdict.faults, spoilt))
        head = view.head()
        lives = view.lives()
    progress.clear()
    told = _set_aside(args, root, wrong)
    facts = {
        "files": files, "bytes": size, "seconds": round(time.monotonic() - began, 3), "wrong": told,
        "instances": lives, "ledger": {"events": verdict.events, "head": head[1], "faults": list(verdict.faults)},
    }  # fmt: skip
    if args.json:
        print_json(facts)
    else:
        _print_verify(facts)
    if wrong or verdict.faults:
        first = f"{wrong[0].path}: {wrong[0].reason}" if wrong else f"the ledger was tampered with: {verdict.faults[0]}"
        raise SpoolDamaged(first, hint="'modality-agent receipt UID' says what is known of each instance.")
    return 0


def _set_aside(args: Arguments, root: str, wrong: list[Wrong]) -> list[dict[str, Any]]:
    """Have what is damaged looked at by who may change the spool; says of each what became of it."""
    told = []
    for one in wrong:
        try:
            state = "unreadable" if one.unreadable else _examine(args, root, one.number)
        except AgentError as error:
            state = f"not set aside: {error}"
        told.append({**one._asdict(), "state": state})
    return told


def _examine(args: Arguments, root: str, number: int) -> str:
    from agent.app.control import ask
    from agent.app.wiring import open_spool
    from agent.spool.states import WORDS

    answer = ask(root, {"verb": "examine", "instance": number})
    if answer is not None:
        return str(answer["state"])
    settings = settings_of(args)
    with open_spool(settings._replace(spool=settings.spool._replace(path=root))) as spool:
        return WORDS[spool.examine_number(number)]


def _print_verify(facts: dict[str, Any]) -> None:
    print(f"{count_text(facts['files'], 'file')}, {size_text(facts['bytes'])}, read in {facts['seconds']:.1f} s")
    for one in facts["wrong"][:_SHOWN]:
        text = f"{one['sop_instance_uid']}: {printable(one['reason'], _LINE)}; {printable(one['state'], _LINE)}"
        print(paint(text, "red"))
    ledger = facts["ledger"]
    for fault in ledger["faults"][:_SHOWN]:
        print(paint(f"ledger: {fault}", "red"))
    if not facts["wrong"]:
        print(paint("every file is what was written", "green"))
    if not ledger["faults"]:
        head = f"{ledger['events']}:{ledger['head']}"
        print(paint(f"{count_text(ledger['events'], 'event')}, chain unbroken, head {head}", "green"))


# --- rebuild ----------------------------------------------------------------------------------------


def _rebuild(args: Arguments, root: str) -> int:
    from agent.app.wiring import open_spool

    settings = settings_of(args)
    view, fault = _sound(root)
    sound = "schema version" in fault  # of another agent, who knows what was sent
    if view is not None:
        running, sound = view.running(), bool(view.head()[0])
        view.close()
        if running:
            raise SpoolBusy(f"an agent is at work on {root}")
    if sound and not args.force:
        raise UsageError(
            "the ledger is sound; one made anew would not know what was sent, and everything would be sent again",
            hint="--force does it all the same.",
        )
    Progress().update(f"the ledger is made again of the files below {root}")
    with open_spool(settings._replace(spool=settings.spool._replace(path=root)), anew=True) as spool:
        report, counts, lives = spool.report, spool.counts(), spool.reader.lives()
    if args.json:
        print_json({"before": fault or "sound", **report._asdict(), "queue": counts, "instances": lives})
    else:
        for note in report.notes:
            print(printable(note, _LINE))
        what = ", ".join(f"{count} {word}" for word, count in sorted(lives.items())) or "no instance"
        print(f"the new ledger has {what}; all of it is queued for {', '.join(counts) or 'nobody'}")
    return 0
