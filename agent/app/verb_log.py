"""``log``: what the daemon said, read from its files in the spool, with or without an agent that runs.

``--since``, ``--level`` and ``--match`` choose, ``--last`` bounds, ``--follow`` goes on until it is interrupted.
"""

from __future__ import annotations

import re
import sys
import time
from collections import deque

from agent.app.cli import print_json
from agent.app.common import add_spool, spool_root
from agent.app.journal import LEVELS
from agent.app.logbook import FOLDER, Entry, Reader
from agent.app.media_choice import since_of
from agent.app.term import paint, printable
from agent.errors import FileError, NotFound, UsageError
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agent.app.options import Arguments, Parser

DEFAULT_LAST: Final = 100
POLL_S: Final = 0.5
_COLOURS: Final = {"error": "red", "warning": "yellow"}
_LINE: Final = 1200


def arguments(parser: Parser) -> None:
    """Declare the options."""
    parser.add("--since", metavar="WHEN", help="only what is younger: 2026-03-01, 2026-03-01T10:15, 90m, 24h or 7d")
    parser.add("--level", choices=tuple(LEVELS), help="only this level and what is worse")
    parser.add("--match", metavar="RE", help="only lines in which this regular expression is found, whatever its case")
    parser.add("--last", read=int, default=DEFAULT_LAST, metavar="N",
               help=f"at most the last N of them ({DEFAULT_LAST}; 0: all)")  # fmt: skip
    parser.add("-f", "--follow", switch=True, help="go on with what comes, until Ctrl-C")
    add_spool(parser)


def run(args: Arguments) -> int:
    """Print it."""
    if args.last < 0:
        raise UsageError("--last must not be less than 0")
    if args.follow and args.json:
        raise UsageError("--follow never ends, and --json is one document")
    root = spool_root(args)
    wanted = _Wanted(args)
    reader = Reader(root)
    try:
        found = list(deque(wanted.of(reader.entries()), maxlen=args.last or None))
        if args.json:
            print_json({"entries": [one._asdict() for one in found]})
            return 0
        if not found and not args.follow:
            _say_nothing(root)
        _print(found)
        while args.follow:
            time.sleep(POLL_S)
            _print(wanted.of(reader.entries()))
    except OSError as error:
        raise FileError(
            f"{root}/{FOLDER}: {error.strerror}", hint="Run this as the user that the agent runs as."
        ) from None
    return 0


class _Wanted:
    """What was asked for."""

    def __init__(self, args: Arguments) -> None:
        self._since = since_of(args.since) if args.since else 0.0
        self._most = LEVELS[args.level] if args.level else max(LEVELS.values())
        try:
            self._match = re.compile(args.match or "", re.IGNORECASE)
        except re.error as error:
            raise UsageError(f"--match: '{args.match}' is no regular expression: {error}") from None
        self._before = True  # whether the line before was wanted, for those of a traceback behind it

    def of(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        """Yield those of ``entries`` that are wanted."""
        for one in entries:
            if one.at:
                young, grave = one.at >= self._since, LEVELS.get(one.level, 0) <= self._most
                self._before = young and grave
            if self._before and self._match.search(one.line):
                yield one


def _print(found: Iterable[Entry]) -> None:
    for one in found:
        line = printable(one.line, _LINE)
        print(paint(line, _COLOURS[one.level]) if one.level in _COLOURS else line)
    sys.stdout.flush()


def _say_nothing(root: str) -> None:
    import os

    if not os.path.isdir(root):
        raise NotFound(f"no spool at {root}", hint="Check the spool folder of the configuration.")
    if not os.path.isdir(f"{root}/{FOLDER}"):
        raise NotFound(f"{root} has no log yet", hint="An agent that runs writes one.")
    print("nothing in the log is what was asked for")
