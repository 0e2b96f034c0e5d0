"""``run``: the daemon. Everything is in ``agent.app.runtime``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.app.common import add_config

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    add_config(parser)


def run(args: Namespace) -> int:
    """Run until SIGTERM."""
    from agent.app.runtime import run as run_daemon

    return run_daemon(args.config)
