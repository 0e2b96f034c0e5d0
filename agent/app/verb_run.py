"""``run``: the daemon. Everything is in ``agent.app.daemon``.

The configuration is read before the runtime is imported, and what only reading needs is forgotten in between: its
memory (about 1 MiB of parsers and tables) is then used again by the modules that stay for years.

The collector rests during the start, which makes nothing else that could be collected, and never again looks at what
the start has made: that is 5 ms less until ``ready``, and no pass over every module while frames arrive.
"""

from __future__ import annotations

import gc
import sys
from functools import partial

from agent.app.common import add_config, load_config
from agent.app.rehearse import Apart
from agent.app.term import printable
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.app.options import Arguments, Parser
    from agent.config.settings import Settings

_READERS: Final = ("datetime", "_datetime", "tomllib")
_OWN_READERS: Final = ("check", "kinds", "lines", "load", "problems", "schema", "source", "user", "windows", "words")


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
    return load_config(path, files=True)


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
