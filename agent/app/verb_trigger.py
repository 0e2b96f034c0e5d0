"""``trigger SOURCE``: ask the running agent for one capture of a source, as a foot-switch would.

With ``--start`` it is a clip until ``--stop``, or until the limits of the source; with ``--still`` one frame. A clip
that is to start while one runs is refused, and so is a stop of none.

Exit status 0 says that the agent has taken the order. A source that is recording begins the next capture when this one
is done. One order waits at most: the next is refused, with a word and exit status 6, so that every order that was taken
is one capture. An order that waits when patient or exam change is dropped; ``status`` and the log say so.
"""

from __future__ import annotations

from agent.app.cli import print_json
from agent.app.common import add_spool, readable, spool_root
from agent.errors import NotRunning, UsageError
from agent.spool.states import PRIORITY_OF_WORD
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.app.options import Arguments, Parser

# Verb of the request, and option where it has one -> what is said when the agent has taken it.
_SAID: Final = {
    "capture": "capture of {source} asked for", "start": "clip of {source} asked for",
    "stop": "clip of {source} ends", "still": "still of {source} asked for",
}  # fmt: skip


def arguments(parser: Parser) -> None:
    """Declare the options."""
    parser.add("source", help="name of a [[source]] of the configuration")
    parser.add("--start", switch=True, help="begin a clip that '--stop' ends, or clip_s, or clip_frames")
    parser.add("--stop", switch=True, help="end the clip that runs, now")
    parser.add("--still", switch=True, help="one frame")
    parser.add("--priority", choices=tuple(PRIORITY_OF_WORD), help="of this capture (that of the source)")
    add_spool(parser)


def run(args: Arguments) -> int:
    """Ask."""
    from agent.app.control import ask

    root = spool_root(args)
    words = [word for word in _SAID if getattr(args, word, False)] or ["capture"]
    if len(words) > 1:
        raise UsageError(f"--{words[0]} and --{words[1]} are two orders; give one of them")
    request = {"verb": words[0], "source": args.source, "priority": args.priority}
    answer = ask(root, request)
    if answer is None:
        readable(root)
        raise NotRunning(f"no agent is running on {root}")
    if args.json:
        print_json(answer)
    else:
        print(_SAID[words[0]].format(source=args.source))
    return 0
