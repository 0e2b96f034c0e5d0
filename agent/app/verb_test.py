"""``test``: is the way to a destination whole, is there a picture at a source; for who sets the box up."""

from __future__ import annotations

from agent.app.common import add_config, settings_of
from agent.app.preview import LINES, WIDTH
from agent.app.trial_send import DEFAULT_TIMEOUT_S
from agent.errors import NotFound, UsageError
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.app.options import Arguments, Parser

_NO_WORKLIST: Final = (
    "this agent has no worklist: it asks no Modality Worklist SCP, so that there is nothing to test",
    "Patient and exam come from [patient] and [exam] of the configuration.",
)


def arguments(parser: Parser) -> None:
    """Declare the options."""
    parser.add("action", choices=("send", "frame", "worklist"), help="what to try")
    parser.add("name", amount="?", help="send: a destination; frame: a source, or a URI as 'capture' takes it")
    add_config(parser)
    parser.add("--timeout", read=float, default=DEFAULT_TIMEOUT_S, metavar="S",
               help=f"wait so long for the outcome, or for the frame ({DEFAULT_TIMEOUT_S:g})")  # fmt: skip
    parser.add("-o", "--output", of=("frame",), metavar="FILE", help="frame: write a small PNG instead of a preview")
    parser.add("--blocks", of=("frame",), switch=True, help="frame: half blocks instead of letters (needs UTF-8)")
    parser.add("--invert", of=("frame",), switch=True, help="frame: for a terminal that is dark on light")
    parser.add("--width", of=("frame",), read=int, metavar="N", help=f"frame: columns ({WIDTH}), or pixels of the PNG")
    parser.add("--lines", of=("frame",), read=int, default=LINES, metavar="N", help=f"frame: lines ({LINES})")
    parser.add("--json", switch=True, help="print the result as JSON")


def run(args: Arguments) -> int:
    """Try it."""
    if args.action == "worklist":
        raise NotFound(_NO_WORKLIST[0], hint=_NO_WORKLIST[1])
    if not args.name:
        what = "a destination" if args.action == "send" else "a source"
        raise UsageError(f"'test {args.action}' needs {what}")
    if args.action == "send":
        from agent.app.trial_send import send

        return send(args, settings_of(args))
    from agent.app.trial_frame import show

    return show(args, settings_of(args))
