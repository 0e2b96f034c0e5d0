"""``config check|show|schema|example``: everything about a configuration that needs no running agent."""

from __future__ import annotations

import time

from agent.app.certificates import ending
from agent.app.cli import print_json
from agent.app.rehearse import rehearse
from agent.app.term import count_text
from agent.app.wiring import check_tls
from agent.config import load, render
from agent.errors import ConfigError, UsageError
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.app.options import Arguments, Parser
    from agent.config.settings import Settings


def arguments(parser: Parser) -> None:
    """Declare the options."""
    parser.add("action", choices=("check", "show", "schema", "example"), help="what to do")
    parser.add("file", amount="?", of=("check", "show"), help="configuration file (check and show)")
    parser.add("--config", of=("check", "show"), metavar="FILE", help="the same, as other verbs have it")
    parser.add(
        "--no-files",
        of=("check",),
        switch=True,
        help="check: look neither at files that keys name nor at what sources make",
    )
    parser.add("--json", switch=True, help="print the result as JSON")


def run(args: Arguments) -> int:
    """Do it."""
    if args.action == "schema":
        print_json(render.json_schema())
        return 0
    if args.action == "example":
        if args.json:
            print_json(render.example_values())
        else:
            print(render.example(), end="")
        return 0
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
        settings = load.load(path, files=files)
        if files:
            check_tls(settings)
    except ConfigError as error:
        if error.hint is ConfigError.hint:
            error.hint = "Correct the file and check it again; 'modality-agent config example' shows every key."
        raise
    return settings
