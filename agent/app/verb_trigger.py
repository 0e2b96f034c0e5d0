"""``trigger SOURCE``: ask the running agent for one capture of a source, as a foot-switch would.

Exit status 0 says that the agent has taken the order. A source that is recording begins the next capture when this one
is done. One order waits at most: the next is refused, with a word and exit status 6, so that every order that was taken
is one capture. An order that waits when patient or exam change is dropped; ``status`` and the log say so.
"""

from __future__ import annotations

from agent.app.cli import print_json
from agent.app.common import add_spool, readable, spool_root
from agent.errors import NotRunning
from agent.spool.states import PRIORITY_OF_WORD
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.app.options import Arguments, Parser


def arguments(parser: Parser) -> None:
    """Declare the options."""
    parser.add("source", help="name of a [[source]] of the configuration")
    parser.add("--priority", choices=tuple(PRIORITY_OF_WORD), help="of this capture (that of the source)")
    add_spool(parser)


def run(args: Arguments) -> int:
    """Ask."""
    from agent.app.control import ask

    root = spool_root(args)
    answer = ask(root, {"verb": "capture", "source": args.source, "priority": args.priority})
    if answer is None:
        readable(root)
        raise NotRunning(f"no agent is running on {root}")
    if args.json:
        print_json(answer)
    else:
        print(f"capture of {args.source} asked for")
    return 0
