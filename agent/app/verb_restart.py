"""``restart``: the running agent ends in order (associations released, clips sealed) and begins anew.

It stays the same process and, under systemd, the same unit (``agent.app.anew``). A configuration file that would keep
it from starting is refused before anything ends. Exit status 0 says that the agent is ready again.
"""

from __future__ import annotations

import time

from agent.app.cli import print_json
from agent.app.common import add_spool, readable, spool_root
from agent.app.orders import who
from agent.errors import NotReady, NotRunning, SpoolError, UsageError
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from agent.app.options import Arguments, Parser

DEFAULT_TIMEOUT_S: Final = 60.0
_LOOK_S: Final = 0.1
_ANSWER_S: Final = 2.0


def arguments(parser: Parser) -> None:
    """Declare the options."""
    parser.add("--timeout", read=float, default=DEFAULT_TIMEOUT_S, metavar="S",
               help=f"wait so long until it is ready again ({DEFAULT_TIMEOUT_S:g})")  # fmt: skip
    add_spool(parser)


def run(args: Arguments) -> int:
    """Ask for it and wait."""
    if args.timeout <= 0:
        raise UsageError("--timeout must be more than 0")
    began = time.monotonic()
    after = restarted(spool_root(args), args.timeout)
    seconds = round(time.monotonic() - began, 1)
    if args.json:
        print_json({"ready": True, "seconds": seconds, "pid": after["pid"], "recovered": after["recovered"]})
    else:
        print(f"ready again after {seconds} s, pid {after['pid']}")
    return 0


def restarted(root: str, within_s: float) -> dict[str, Any]:
    """Let the agent on ``root`` begin anew, and wait until it is ready; returns its status."""
    from agent.app.control import ask

    before = ask(root, {"verb": "status"})
    if before is None:
        readable(root)
        raise NotRunning(f"no agent is running on {root}")
    ask(root, {"verb": "restart", "by": who()})
    return _ready(root, before["started_at"], time.monotonic() + within_s)


def _ready(root: str, started_at: float, until: float) -> dict[str, Any]:
    from agent.app.control import ask

    while time.monotonic() < until:
        try:
            answer = ask(root, {"verb": "status"}, wait_s=_ANSWER_S)
        except SpoolError:  # it ends, or it begins
            answer = None
        if answer is not None and answer["started_at"] != started_at:
            return answer
        time.sleep(_LOOK_S)
    raise NotReady(f"the agent on {root} is not ready again in time")
