"""``configs/CONSOLE.md``: the commands as a table, printed from the table that runs them (``console --commands``)."""

from __future__ import annotations

from agent.console import filters
from agent.console.acts import HELP
from agent.console.commands import COMMANDS
from agent.console.row import BOTH, CONFIGURATION, OPERATIONAL, ROLE_HELP, Command
from agent.console.users import DEFAULT_PASSWORD, FIRST_USER, MIN_PASSWORD
from agent.typed import Final

_TITLES: Final = {
    OPERATIONAL: "Operational mode",
    CONFIGURATION: "Configuration mode (`configure`)",
    BOTH: "In both",
}
_INTRO: Final = f"""# The console

Printed by `modality-agent console --commands`; a test compares the two.

`modality-agent console` serves the terminal it is started on, `--port /dev/ttyS0 --baud 9600` a serial line (8N1,
XON/XOFF, or `--rtscts`); `configs/systemd/modality-agent-console@.service` does that from the start of the box on. Any
terminal will do: no colours, no cursor addressing, no TERM. It needs no agent that runs; a command that asks one says
when it does not answer.

Before a password is set, `{FIRST_USER}` logs in with `{DEFAULT_PASSWORD}` and can do nothing but set one: at least
{MIN_PASSWORD} characters, neither the default nor the user's name in it. Users, the counts of failed log-ins and the
record of sessions are in `FILE.console/` beside the configuration FILE, where no command of this console writes a file
of its own. `[console]` of the configuration sets banner, idle time-out and lock-out (`configs/keys.md`): a wait is one
and the same on every line, through restarts and however the clock is set. Who is deleted is out with his next command.

A line that noise was in (NUL, bytes that are no UTF-8, parity errors) is not run. What changes something takes at least
three letters of each word. BREAK and a lost carrier (`--carrier`) log out; a candidate that was not committed stays.
"""


def document() -> str:
    """Return the whole file."""
    lines = [_INTRO, "## Roles", "", "| role | may |", "|---|---|"]
    lines += [f"| {role} | {text} |" for role, text in ROLE_HELP.items()]
    lines += [
        "",
        "## Keys",
        "",
        "```",
        *HELP,
        "```",
        "",
        "## Filters",
        "",
        "| behind a bar | what it does |",
        "|---|---|",
    ]
    lines += [f"| {_code(f'{word} {filters.VALUE.get(word, str())}'.strip())} | {text} |" for word, text in _filters()]
    for mode, title in _TITLES.items():
        lines += ["", f"## {title}", "", "| command | role | what it does | as a command line |", "|---|---|---|---|"]
        lines += [_row(command) for command in COMMANDS if command.mode == mode]
    return "\n".join(lines) + "\n"


def _filters() -> list[tuple[str, str]]:
    return [(word, text.partition(":")[0]) for word, text in filters.HELP.items()]


def _row(command: Command) -> str:
    verb = _code(f"modality-agent {' '.join(command.verb)}") if command.verb else ""
    return f"| {_code(command.usage)} | {command.role} | {command.help} | {verb} |"


def _code(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`"
