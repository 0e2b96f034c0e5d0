"""What several verbs share: where the configuration is and how to get at the spool from another process.

An agent that was started a moment ago has no ledger yet: readers wait ``STARTING_S`` for it before they say that there
is none. Who may not read the spool is told so, because "no spool" would send him looking for the wrong fault.
"""

from __future__ import annotations

import os
import sys
import time

from agent.config.at_rest import FINISHED, reset_waits
from agent.errors import ConfigError, FileError, MediaError, NotFound
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.app.options import Arguments, Parser
    from agent.config.settings import Settings
    from agent.spool.view import SpoolView
    from agent.typed import TypeVar

    T = TypeVar("T")

DEFAULT_CONFIG: Final = "/etc/modality-agent/agent.toml"
# 'run &' and then 'status' in a script: the ledger is there a few ms after exec, on a slow card within a second.
STARTING_S: Final = 1.0
PAUSE_S: Final = 0.05
_BESIDE: Final = " An agent that runs goes on with what it read before: '--spool FOLDER' asks it without the file."


def add_config(parser: Parser) -> None:
    """Declare ``--config``."""
    parser.add("--config", metavar="FILE", default=DEFAULT_CONFIG, help=f"configuration ({DEFAULT_CONFIG})")


def add_spool(parser: Parser) -> None:
    """Declare ``--config``, ``--spool`` (a spool without its configuration) and ``--json``."""
    add_config(parser)
    parser.add("--spool", metavar="FOLDER", help="look at this spool instead of the configured one")
    parser.add("--json", switch=True, help="print the result as JSON")


def load_config(path: str, *, files: bool = False) -> Settings:
    """Load a configuration; the hint for one that nobody has made says how to get one.

    A factory reset that was cut off is finished first, and that is said: what it would read is neither the old nor
    the new one. Raises ``FileError`` where this process may not finish it.
    """
    from agent.config.load import load

    if reset_waits(path):
        from agent.config.reset import finish

        if finish(path):
            sys.stderr.write(f"modality-agent: note: {FINISHED}\n")
    try:
        return load(path, files=files)
    except ConfigError as error:
        if not os.path.exists(path):
            error.hint = "Name it with --config FILE; 'modality-agent config example' prints one."
        raise


def settings_of(args: Arguments, *, files: bool = False) -> Settings:
    """Load the configuration that ``--config`` names; a broken one hides no agent that runs without it."""
    try:
        return load_config(args.config, files=files)
    except ConfigError as error:
        if os.path.exists(args.config) and getattr(args, "spool", "") is None:
            error.hint += _BESIDE
        raise


def spool_root(args: Arguments) -> str:
    """Return the spool folder that ``--spool`` or the configuration names."""
    root: str | None = args.spool
    return root if root is not None else settings_of(args).spool.path


def patiently(root: str, look: Callable[[], T]) -> T:
    """Return what ``look`` finds in the spool ``root``, which may just be coming into being.

    Raises ``FileError`` without the right to read it, ``NotFound`` when there is no spool, else what ``look`` raises.
    """
    until = time.monotonic() + STARTING_S
    while True:
        found = readable(root)
        try:
            return look()
        except MediaError:
            if time.monotonic() < until:
                time.sleep(PAUSE_S)
                continue
            if found:
                raise
            raise NotFound(
                f"no spool at {root}: the agent is starting or has never run here",
                hint="Check the spool folder of the configuration; 'modality-agent run' makes it.",
            ) from None


def view_of(args: Arguments) -> SpoolView:
    """Open the spool for reading, beside a running agent or without one."""
    from agent.spool.view import SpoolView

    root = spool_root(args)
    return patiently(root, lambda: SpoolView.open(root))


def readable(root: str) -> bool:
    """Tell whether there is a ledger; raises ``FileError`` when there is and others may not read it."""
    from agent.spool.names import LEDGER  # and threads with it, which who only sends does not need

    path = os.path.join(root, LEDGER)
    try:
        os.stat(path)
        if os.access(path, os.R_OK):
            return True
    except PermissionError:
        pass
    except OSError:
        return False
    raise FileError(f"{path}: Permission denied", hint="Run this as the user that the agent runs as, or as root.")
