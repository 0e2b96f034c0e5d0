"""``run``: the daemon. Everything is in ``agent.app.daemon``.

The configuration is read before the runtime is imported, and what only reading needs is forgotten in between: its
memory (about 1.5 MiB of parsers, types and tables) is then used again by the modules that stay for years.

A commit that was cut off, one that nobody confirmed, and a file that a power cut damaged are seen to before anything is
read (``agent.config.settling``); what was done is said.

The collector rests during the start, which makes nothing else that could be collected, and never again looks at what
the start has made: that is 5 ms less until ``ready``, and no pass over every module while frames arrive.
"""

from __future__ import annotations

import gc
import os
import sys
from functools import partial

from agent.app.common import add_config, load_config
from agent.app.rehearse import Apart
from agent.app.term import printable
from agent.config.at_rest import bring_to_rest, history_of, in_force
from agent.errors import ConfigError
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.app.options import Arguments, Parser
    from agent.config.settings import Settings

_READERS: Final = ("datetime", "_datetime", "string", "tomllib", "typing", "_typing")
_OWN_READERS: Final = ("check", "kinds", "lines", "load", "nearest", "problems", "schema", "source", "user", "windows",
    "words", "command_line", "difference", "edit", "examined", "generations", "key_path", "settling", "stage",
    "toml_text", "turns", "unconfirmed")  # fmt: skip


def arguments(parser: Parser) -> None:
    """Declare the options."""
    add_config(parser)


def run(args: Arguments) -> int:
    """Run until SIGTERM."""
    gc.disable()
    settings = _read(args.config)
    rehearsal = Apart(args.config, settings)
    _forget()
    from agent.app.daemon import run as run_daemon

    return run_daemon(args.config, settings, partial(_hear, rehearsal))


def _hear(rehearsal: Apart) -> None:
    for note in rehearsal.notes():
        sys.stderr.write(f"modality-agent: warning: {printable(note, 2000)}\n")
    gc.freeze()
    gc.enable()


def _read(path: str) -> Settings:
    _settle(path)
    try:
        return load_config(path, files=True)
    except ConfigError as error:
        if not os.path.isdir(history_of(path)):
            raise
        if not _settle(path):
            error.hint += " 'config rollback 0' and 'config commit' bring back the last good one."
            raise
        return load_config(path, files=True)


def _settle(path: str) -> bool:
    """Bring the configuration to rest; whether another text is in force now."""
    before = in_force(path)
    for text in bring_to_rest(path):
        sys.stderr.write(f"modality-agent: warning: {printable(text, 2000)}\n")
    return in_force(path) != before


def _forget() -> None:
    """Drop modules that only reading a configuration needs; a reload imports them again."""
    import agent.config

    for name in [name for name in sys.modules if name.partition(".")[0] in _READERS]:
        del sys.modules[name]
    for name in _OWN_READERS:
        sys.modules.pop(f"agent.config.{name}", None)
        if hasattr(agent.config, name):
            delattr(agent.config, name)
    gc.collect()
