"""``queue retry|priority|hold|release``: orders to try again, sooner, or not now.

They go to the running agent over its control socket; without one the spool is opened here.
"""

from __future__ import annotations

from agent.app.cli import print_json
from agent.app.common import settings_of
from agent.app.orders import held_text, hold_or_release, who
from agent.app.term import count_text
from agent.errors import UsageError
from agent.spool import listing
from agent.spool.states import PRIORITY_OF_WORD
from agent.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent.app.options import Arguments
    from agent.spool.store import Spool
    from agent.spool.view import SpoolView

ORDERS = ("retry", "priority", "hold", "release")


def order(args: Arguments, view: SpoolView) -> int:
    """Give the order; ``view`` is closed before anything is asked for."""
    if args.action == "priority":
        if not (args.uid and args.level):
            raise UsageError("'queue priority' needs a UID and " + ", ".join(PRIORITY_OF_WORD))
        waiting = view.waiting(args.uid)
        view.close()
        return _prioritize(args, view.root, waiting)
    if args.action == "retry":
        gone = view.diverted(args.destination, args.uid)
        by_hand = listing.held_by_operator(view.ask, args.destination, args.uid)
        view.close()
        return _retry(args, view.root, gone, by_hand)
    view.close()
    return _hold(args, view.root)


def _prioritize(args: Arguments, root: str, waiting: int) -> int:
    from agent.app.control import ask

    answer = ask(root, {"verb": "priority", "uid": args.uid, "priority": args.level})
    if answer is not None:
        count = int(answer["count"])
    else:
        with _spool(args, root) as spool:
            count = spool.prioritize(args.uid, PRIORITY_OF_WORD[args.level])
    if args.json:
        print_json({"instances": count, "waiting": waiting, "agent_running": answer is not None})
    else:
        waits = "" if waiting else ", but nothing of it waits to be sent"
        print(f"{count_text(count, 'instance')} {args.level}{waits}{_alone(answer)}")
    return 0


def _retry(args: Arguments, root: str, gone: dict[str, int], by_hand: int) -> int:
    from agent.app.control import ask

    request: dict[str, Any] = {"verb": "retry", "destination": args.destination, "uid": args.uid}
    found = answer = ask(root, request)
    if found is None:
        with _spool(args, root) as spool:
            which = args.destination, args.uid
            found = {"count": spool.retry(*which), "asked": spool.ask_now(*which)}
    count, asked = int(found["count"]), int(found["asked"])
    if args.json:
        told = {"retried": count, "asked": asked, "diverted": gone, "held_by_operator": by_hand}
        print_json({**told, "agent_running": answer is not None})
    else:
        again = f"; the commitment of {asked} stored is asked for now" if asked else ""
        stay = "".join(f"; {number} diverted to {other} stay there" for other, number in gone.items())
        held = f"; {by_hand} held by the operator stay, 'queue release' lets them go" if by_hand else ""
        print(f"{count_text(count, 'delivery', 'deliveries')} queued again{again}{stay}{held}{_alone(answer)}")
    return 0


def _hold(args: Arguments, root: str) -> int:
    from agent.app.control import ask

    by = who()
    answer = ask(root, {"verb": args.action, "destination": args.destination, "uid": args.uid, "by": by}, wait_s=60.0)
    if answer is None:
        with _spool(args, root) as spool:
            told = hold_or_release(spool, args.action, args.destination, args.uid, by)
    else:
        from agent.spool.holding import Held

        told = Held(answer["deliveries"], answer["active"], tuple(answer["destinations"]))
    if args.json:
        print_json({**told._asdict(), "by": by, "agent_running": answer is not None})
        return 0
    what = "held" if args.action == "hold" else "released"
    goes_on = f"; {count_text(told.active, 'instance')} on the line now go on" if told.active else ""
    print(f"{held_text(told)} {what} by {by}{goes_on}{_alone(answer)}")
    return 0


def _alone(answer: object) -> str:
    return "" if answer is not None else "; the agent is not running"


def _spool(args: Arguments, root: str) -> Spool:
    from agent.app.wiring import open_spool

    settings = settings_of(args)
    return open_spool(settings._replace(spool=settings.spool._replace(path=root)))
