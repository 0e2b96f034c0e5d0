"""``reset --factory``: the box as it was at its first start, but for what only it has: images.

What goes and how a power cut leaves the old box or the new one is told in ``agent.config.reset``. Instances that every
destination has committed may go, and do, unless an agent runs and holds the spool; all others stay where they are, and
are counted. An agent that runs begins anew with the new box. It asks nobody: the console does, twice, and the button of
the front panel has its press-window.
"""

from __future__ import annotations

import os

from agent.app.cli import print_json
from agent.app.common import add_config
from agent.app.term import count_text
from agent.config import reset
from agent.errors import AgentError, ConfigError, UsageError
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from agent.app.options import Arguments, Parser
    from agent.config.settings import Settings

_ALL_BYTES: Final = 1 << 62


def arguments(parser: Parser) -> None:
    """Declare the options."""
    add_config(parser)
    parser.add("--factory", switch=True, help="yes, all of it: nothing else is reset")
    parser.add("--dry-run", switch=True, help="say what would go and what would stay; change nothing")
    parser.add("--json", switch=True, help="print the result as JSON")


def run(args: Arguments) -> int:
    """Do it."""
    if not args.factory:
        raise UsageError("say what is to be reset: --factory", hint="--dry-run says what would go and what would stay.")
    path = os.path.abspath(args.config)
    cut_off = reset.finish(path) if not args.dry_run else False
    settings = _settings(path)
    evicted, spool = _spool(settings, look=args.dry_run)
    wanted = reset.plan(path) if args.dry_run else reset.reset(path)
    begun = "" if args.dry_run or not spool["running"] else _begun_anew(spool["spool"])
    facts: dict[str, Any] = {
        "done": not args.dry_run,
        "finished": cut_off,
        "removed": list(wanted.remove),
        "elsewhere": list(wanted.stays),
        "evicted": evicted,
        **spool,
        "agent": begun,
    }
    if args.json:
        print_json(facts)
        return 0
    _say(facts, path)
    return 0


def _settings(path: str) -> Settings | None:
    """Return the configuration that ends; a broken one must not keep anybody from a reset."""
    from agent.config.load import load

    try:
        return load(path)
    except ConfigError:
        return None


def _spool(settings: Settings | None, *, look: bool) -> tuple[int, dict[str, Any]]:
    """Let go what every destination has committed; count what stays. A spool that cannot be read stays as it is."""
    facts: dict[str, Any] = {"spool": "", "stay": 0, "running": False, "problem": ""}
    if settings is None or not os.path.isdir(settings.spool.path):
        return 0, facts
    from agent.spool.view import SpoolView

    facts["spool"] = settings.spool.path
    evicted = 0
    try:
        with SpoolView.open(settings.spool.path) as view:
            facts["running"] = view.running()
            facts["stay"] = view.lives().get("live", 0)
        if facts["stay"] and not facts["running"] and not look:
            from agent.app.wiring import open_spool

            spool = open_spool(settings)
            try:
                evicted = spool.evict(need_bytes=_ALL_BYTES)
            finally:
                spool.close()
            facts["stay"] -= evicted
    except AgentError as error:
        facts["problem"] = str(error)
    return evicted, facts


def _begun_anew(root: str) -> str:
    """Let the running agent begin anew with what the box has now; says what became of that."""
    from agent.app.verb_restart import DEFAULT_TIMEOUT_S, restarted

    try:
        restarted(root, DEFAULT_TIMEOUT_S)
    except AgentError as error:
        return f"restart the agent, for it goes on with the configuration of before: {error}"
    return "the running agent has begun anew with it"


def _say(facts: dict[str, Any], path: str) -> None:
    done = facts["done"]
    print(f"{path}: {'is' if done else 'would be'} as at the first start")
    gone = f"of users, history, certificates and keys {'are' if done else 'would be'} gone"
    print(f"{count_text(len(facts['removed']), 'file')} {gone}")
    for name in facts["elsewhere"]:
        print(f"note: {name} was named, lies elsewhere and stays")
    if facts["evicted"]:
        print(f"{count_text(facts['evicted'], 'instance')}, which every destination has committed, went with it")
    if facts["stay"]:
        why = "the agent runs: what is committed goes by itself" if facts["running"] else "nobody has committed them"
        print(f"{count_text(facts['stay'], 'instance')} stay{'s' * (facts['stay'] == 1)} in {facts['spool']}: {why}")
    if facts["problem"]:
        print(f"note: the spool was left as it is: {facts['problem']}")
    if facts["agent"]:
        print(facts["agent"])
