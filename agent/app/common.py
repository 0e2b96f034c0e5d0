"""What several verbs share: where the configuration is and how to get at the spool from another process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.app.options import Arguments, Parser
    from agent.config.settings import Settings
    from agent.spool.view import SpoolView

DEFAULT_CONFIG: Final = "/etc/modality-agent/agent.toml"


def add_config(parser: Parser) -> None:
    """Declare ``--config``."""
    parser.add("--config", metavar="FILE", default=DEFAULT_CONFIG, help=f"configuration ({DEFAULT_CONFIG})")


def add_spool(parser: Parser) -> None:
    """Declare ``--config``, ``--spool`` (a spool without its configuration) and ``--json``."""
    add_config(parser)
    parser.add("--spool", metavar="FOLDER", help="look at this spool instead of the configured one")
    parser.add("--json", switch=True, help="print the result as JSON")


def settings_of(args: Arguments, *, files: bool = False) -> Settings:
    """Load the configuration that ``--config`` names."""
    from agent.config.load import load

    return load(args.config, files=files)


def spool_root(args: Arguments) -> str:
    """Return the spool folder that ``--spool`` or the configuration names."""
    root: str | None = args.spool
    return root if root is not None else settings_of(args).spool.path


def view_of(args: Arguments) -> SpoolView:
    """Open the spool for reading, beside a running agent or without one."""
    from agent.spool.view import SpoolView

    return SpoolView.open(spool_root(args))
