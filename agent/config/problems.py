"""What is wrong with a configuration file, as one error and as lines ``FILE:LINE: KEY PATH: what is wrong``."""

from __future__ import annotations

from agent.errors import ConfigError
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def refusal(file: str, problems: Sequence[tuple[int | None, str, str]]) -> ConfigError:
    """Make the error for the ``problems`` (at least one) of ``file``: its message is the first one."""
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    error = ConfigError(line_text(file, problems[0]) + more)
    error.file = file
    error.problems = tuple(problems)
    return error


def line_text(file: str, problem: tuple[int | None, str, str]) -> str:
    """One problem as a line; a file as a whole has no line, and what is no key no path."""
    line, where, message = problem
    place = file if line is None else f"{file}:{line}"
    return f"{place}: {where}: {message}" if where else f"{place}: {message}"
