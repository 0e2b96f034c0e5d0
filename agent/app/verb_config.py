"""``config``: check and show a configuration, and change one; what changes one is in ``agent.app.staging``."""

from __future__ import annotations

import time

from agent.app.certificates import ending
from agent.app.cli import print_json
from agent.app.common import DEFAULT_CONFIG, load_config
from agent.app.rehearse import rehearse
from agent.app.term import count_text
from agent.app.wiring import check_tls
from agent.config import render
from agent.errors import ConfigError, UsageError
from agent.typed import TYPE_CHECKING, Final

# What changes a configuration, or looks at how it was changed.
STAGED: Final = ("set", "delete", "compare", "commands", "load", "commit", "confirm", "revert", "rollback", "discard",
    "update", "history")  # fmt: skip

if TYPE_CHECKING:
    from agent.app.options import Arguments, Parser
    from agent.config.settings import Settings


def arguments(parser: Parser) -> None:
    """Declare the options."""
    parser.add("action", choices=("check", "show", "schema", "example", "keys", *STAGED), help="what to do")
    parser.add("file", amount="?", of=("check", "show"), help="configuration file (check and show)")
    parser.add(
        "--config", of=("check", "show", *STAGED), metavar="FILE",
        help=f"the same, as other verbs have it; what changes one has {DEFAULT_CONFIG} without it",
    )  # fmt: skip
    parser.add("--candidate", of=("check",), switch=True, help="check: the candidate, not the file")
    staging_arguments(parser)
    parser.add(
        "--no-files",
        of=("check",),
        switch=True,
        help="check: look neither at files that keys name nor at what sources make",
    )
    parser.add("--json", switch=True, help="print the result as JSON")


def staging_arguments(parser: Parser) -> None:
    """Declare the options of what changes a configuration."""
    parser.add("words", amount="*", of=("set", "delete", "compare", "rollback", "load"),
               help="set: KEY VALUE, as destination pacs port 104; delete: KEY; rollback, compare: how many "
               "generations back; load: a file of set lines or TOML, - for stdin")  # fmt: skip
    parser.add("--confirm", of=("commit",), metavar="MINUTES", read=float,
               help="commit: what is in force now comes back by itself after so many minutes unless 'config confirm' "
               "is called, and at a start of the machine")  # fmt: skip
    parser.add("--comment", of=("commit",), metavar="TEXT", default="", help="commit: why; kept in the history")
    parser.add("--tests", of=("commit", "confirm"), metavar="NAMES", default="",
               help="only these self-tests of 'selftest', as pacs,clock; what is committed with --confirm has its "
               "tests when it is confirmed")  # fmt: skip
    parser.add("--no-tests", of=("commit", "confirm"), switch=True, help="without the self-tests of 'selftest'")
    parser.add("--replace", of=("load",), switch=True, help="load: in the place of the candidate, not on top of it")
    parser.add("--who", of=STAGED, metavar="NAME", default="", help="who does it, where that is not the user")


def run(args: Arguments) -> int:
    """Do it."""
    if args.action == "schema":
        print_json(render.json_schema())
        return 0
    if args.action == "keys":
        print(render.table(), end="")
        return 0
    if args.action == "example":
        if args.json:
            print_json(render.example_values())
        else:
            print(render.example(), end="")
        return 0
    if args.action in STAGED or (args.action == "check" and args.candidate):
        from agent.app.staging import act

        return act(args, args.config or args.file or DEFAULT_CONFIG)
    path = args.file or args.config
    if path is None:
        raise UsageError(f"'config {args.action}' needs a configuration file")
    looked = args.action == "check" and not args.no_files
    settings = _load(path, files=looked)
    if args.action == "show":
        if args.json:
            print_json(render.as_dict(settings))
        else:
            print(render.in_force(settings), end="")
        return 0
    notes = [] if settings.destination else ["no [[destination]]: instances are kept, and delivered nowhere"]
    notes += [*rehearse(path, settings), *ending(settings, time.time())] if looked else []
    facts = {"file": path, "destinations": len(settings.destination), "sources": len(settings.source)}
    if args.json:
        print_json({"ok": True, **facts, "notes": notes})
    else:
        to, source = count_text(len(settings.destination), "destination"), count_text(len(settings.source), "source")
        print(f"{path}: ok, {to}, {source}")
        for note in notes:
            print(f"note: {note}")
    return 0


def _load(path: str, *, files: bool) -> Settings:
    try:
        settings = load_config(path, files=files)
        if files:
            check_tls(settings)
    except ConfigError as error:
        if error.hint is ConfigError.hint:
            error.hint = "Correct the file and check it again; 'modality-agent config example' shows every key."
        raise
    return settings
