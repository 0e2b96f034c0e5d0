"""Which instances ``media export`` takes: those that every choice means, and ``--all`` alone.

What a crash left is put right first, as a start of the agent does it: a clip that was cut off is an instance of its
durable frames then, and goes along. An agent that runs has done so.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from heapq import merge

from agent.app.common import settings_of
from agent.app.term import count_text, printable
from agent.errors import AgentError, NotFound, UsageError
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.app.options import Arguments
    from agent.spool.receipt import Holding
    from agent.spool.view import SpoolView

_SPANS_S: Final = {"m": 60, "h": 3600, "d": 86_400}
_WAYS: Final = "--all, --study UID, --uid UID or --since WHEN say what to export."
_CUT: Final = "clip cut off"
# Cases of a start that give an instance more, or one less.
_MATTERS: Final = frozenset({_CUT, "file without row", "row before name", "row without file", "other size",
                             "given up, file back"})  # fmt: skip


def require_choice(args: Arguments) -> None:
    """Refuse a command line that says not, or not clearly, what is to go."""
    choices = [f"--{name}" for name in ("study", "uid", "since") if getattr(args, name)]
    if args.all and choices:
        raise UsageError(
            f"--all and {choices[0]} contradict each other: choose one",
            hint=f"--all is everything in the spool; without it, only what {' and '.join(choices)} mean goes.",
        )
    if not (args.all or choices):
        raise UsageError("nothing is chosen", hint=_WAYS)


def chosen(args: Arguments, view: SpoolView) -> Iterator[Holding]:
    """The instances that were asked for, each once: of one of the studies, and of the UIDs, and since then.

    A UID that the spool never had is an error, and so are choices that have no instance in common.
    """
    since = since_of(args.since) if args.since else None
    for kind, uids in (("uid", args.uid), ("study", args.study)):
        for uid in uids:
            if not view.holdings(**{kind: uid}, limit=1):
                raise NotFound(f"the spool has never had {'study ' * (kind == 'study')}{printable(uid)}")
    none = True
    for row in _asked(args, view, since):
        none = False
        yield row
    if none and not args.all:
        raise NotFound(
            "no instance in the spool is what was chosen", hint="Several choices mean what is in all of them."
        )


def _asked(args: Arguments, view: SpoolView, since: float | None) -> Iterator[Holding]:
    """By their numbers; of what was named itself also those whose file is gone."""
    studies = set(args.study)
    if args.uid:
        rows = {row.id: row for uid in set(args.uid) for row in view.holdings(uid=uid)}
        found: Iterator[Holding] = (rows[number] for number in sorted(rows))
    elif studies:
        found = merge(*(_pages(view, study=uid) for uid in studies), key=lambda row: row.id)
    else:
        yield from (row for row in _pages(view, since=since) if row.state == "live")
        return
    for row in found:
        if (not studies or row.study_uid in studies) and (since is None or row.captured_at >= since):
            yield row


def _pages(view: SpoolView, **which: Any) -> Iterator[Holding]:
    after = 0
    while page := view.holdings(after=after, **which):
        yield from page
        after = page[-1].id


def since_of(text: str) -> float:
    """Seconds since 1970 of ``--since``; raises ``UsageError``."""
    number, unit = text[:-1], text[-1:]
    if unit in _SPANS_S and number.isdecimal():
        return time.time() - int(number) * _SPANS_S[unit]
    for form in ("%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"):
        try:
            return time.mktime(time.strptime(text, form))
        except ValueError:
            continue
    raise UsageError(f"--since: '{text}' is no time", hint="As 2026-03-01, 2026-03-01T10:15, 90m, 24h or 7d.")


# --- what a crash left --------------------------------------------------------------------------


def recovered(args: Arguments, view: SpoolView) -> bool:
    """Whether the spool was put right, so that it must be looked at anew; what was done, or was not, is said."""
    from agent.spool import checking

    if view.running():
        return False  # what is cut now is a capture under way
    cases = Counter(one.case for one in checking.found(view.root, view.ask, running=False))
    if not _MATTERS.intersection(cases):
        return False
    cut = cases[_CUT]
    left = f"{count_text(cut, 'clip')} that a crash cut off" if cut else "what a crash left in the spool"
    if args.dry_run:
        _say(f"{left}: not looked at, because a dry run changes nothing; the export recovers it first, and takes it")
        return False
    try:
        _recover(args, view.root)
    except AgentError as error:
        _say(f"{left}: NOT in this export, because it could not be recovered: {error}")
        return False
    return True


def _recover(args: Arguments, root: str) -> None:
    from agent.app.wiring import open_spool

    settings = settings_of(args)
    with open_spool(settings._replace(spool=settings.spool._replace(path=root))) as spool:
        _say(f"recovered: {spool.report.words() or 'nothing'}")
        for note in spool.report.notes:
            _say(note)


def _say(text: str) -> None:
    sys.stderr.write(f"modality-agent: warning: {printable(text, 500)}\n")
