"""``media ACTION``: File-sets, on a card, a stick, a disc or in the spool; each action is a module of its own.

An action is a module with ``arguments(parser)``, which declares options ``of`` that action alone, and ``run(args)``. To
add one: a row here, its module, and its examples and errors in ``verbs``.
"""

from __future__ import annotations

from importlib import import_module

from agent.errors import UsageError
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from agent.app.options import Arguments, Parser

ACTIONS: Final = {
    "list": "agent.app.media_list",
    "check": "agent.app.media_check",
    "export": "agent.app.media_export",
    "import": "agent.app.media_import",
}

_WITHOUT_PATH: Final = frozenset({"export"})  # what it reads is the spool


def arguments(parser: Parser) -> None:
    """Declare the options: those that all actions share, and then those of each."""
    parser.add("action", choices=tuple(ACTIONS), help="what to do")
    parser.add("path", metavar="PATH", amount="?", help="the folder of a File-set, or its DICOMDIR (not for export)")
    parser.add("--json", switch=True, help="print the result as JSON")
    for module in ACTIONS.values():
        _of(module).arguments(parser)


def run(args: Arguments) -> int:
    """Do it."""
    if (args.path is None) != (args.action in _WITHOUT_PATH):
        what = "PATH is missing: the folder of a File-set, or its DICOMDIR"
        raise UsageError(what if args.path is None else f"nothing is known about '{args.path}'")
    status: int = _of(ACTIONS[args.action]).run(args)
    return status


def _of(name: str) -> Any:
    return import_module(name)
