"""The table of commands: what a user can type, who may, what it does.

To add a command that a verb does: one row. ``verb`` is the command line behind ``modality-agent`` without ``--config``
and ``--json``, which are added; an ``Argument`` with ``option`` becomes ``--option=VALUE``, one without becomes a word
behind ``--``. Rows are sorted by what people look for, not by letter. ``configs/CONSOLE.md`` is printed from here.
"""

from __future__ import annotations

from agent.console.commands_config import CONFIGURING
from agent.console.commands_field import DOING, OF_PATIENT, SHOWING
from agent.console.commands_keys import KEYS
from agent.console.places import PLACE
from agent.console.row import BOTH, Argument, Command
from agent.typed import Final

_UID: Final = Argument("UID", "SOP Instance UID; TAB offers those seen on the screen", "uid")
_TO: Final = Argument(
    "destination", "only this destination", "destination", "--destination", keyword=True, value="NAME"
)
_STATES: Final = ("queued", "active", "stored", "awaiting commitment", "committed", "deferred", "held", "damaged",
    "lost", "unconfirmed", "diverted")  # fmt: skip

_SHOWING: Final = (
    Command("show version", "viewer", "what runs here, and for how long", act="acts:version"),
    Command(
        "show status", "viewer", "health, clock, disk, queue, destinations, sources of the agent", verb=("status",)
    ),
    Command(
        "show queue",
        "viewer",
        "what is on its way, and why it waits",
        (
            _TO,
            Argument("state", "only this state", "", "--state", keyword=True, value="STATE", choices=_STATES),
            *OF_PATIENT,
            Argument("after", "go on behind this line", "", "--after", keyword=True, value="ID"),
            Argument("limit", "at most so many", "", "--limit", keyword=True, value="N"),
        ),
        verb=("queue", "list"),
    ),
    Command("show instance", "viewer", "one instance and its deliveries", (_UID,), verb=("queue", "show")),
    Command("show receipt", "viewer", "the custody receipt of an instance", (_UID,), verb=("receipt",)),
    Command("show configuration", "viewer", "the configuration in force", verb=("config", "show")),
    Command("show certificates", "viewer", "certificates in use, until when", verb=("tls", "show")),
    Command("show spool", "viewer", "what a start of the agent would find", verb=("spool", "check"), wait_s=300),
    Command(
        "show media",
        "technician",
        "what is on a card, a stick or a disc",
        (Argument("PATH", "folder where the medium is mounted"),),
        verb=("media", "list"),
        config=False,
        wait_s=300,
    ),
    Command("show users", "viewer", "who may log in", act="acts_users:show", json=False),
    Command("show sessions", "admin", "the record of sessions", act="acts:sessions", json=False),
    Command("show history", "viewer", "what was typed in this session", act="acts:history", mode=BOTH, json=False),
)

_DOING: Final = (
    Command(
        "why",
        "viewer",
        "in words: what became of an instance, how a destination is served",
        (Argument("NAME", "destination, or SOP Instance UID", "why"),),
        verb=("why",),
    ),
    Command(
        "echo",
        "technician",
        "ask a destination whether it is there (C-ECHO)",
        (Argument("NAME", "destination, or AET@HOST:PORT", "destination", "--to"),),
        verb=("echo",),
        wait_s=120,
    ),
    Command(
        "trigger",
        "technician",
        "one capture of a source, now",
        (Argument("SOURCE", "name of the source", "source"),),
        verb=("trigger",),
        changes=True,
        json=False,
        wait_s=120,
    ),
    *(
        Command(
            path,
            "technician",
            text,
            (Argument("SOURCE", "name of the source", "source"),),
            verb=("trigger", option),
            changes=True,
            json=False,
            wait_s=120,
        )
        for path, option, text in (
            ("still", "--still", "one frame of a source, now"),
            ("clip start", "--start", "begin a clip of a source"),
            ("clip stop", "--stop", "end the clip of a source that runs"),
        )
    ),
    Command(
        "retry",
        "technician",
        "try again now what waits or is held",
        (Argument("UID", "this instance alone", "uid", optional=True), _TO),
        verb=("queue", "retry"),
        changes=True,
    ),
    Command(
        "priority",
        "technician",
        "let an instance or a study go first, or last",
        (
            Argument("UID", "SOP Instance UID or Study Instance UID", "uid"),
            Argument("LEVEL", "where in the queue", choices=("urgent", "normal", "low")),
        ),
        verb=("queue", "priority"),
        changes=True,
    ),
    Command("verify spool", "technician", "read every file again", verb=("spool", "verify"), wait_s=0, changes=True),
    Command(
        "export",
        "technician",
        "instances onto a stick or into a file",
        (
            Argument("TO", "folder of the medium, or a file .iso or .zip", PLACE, "--to"),
            Argument("study", "this study", "", "--study", keyword=True, value="UID"),
            Argument("uid", "this instance", "uid", "--uid", keyword=True, value="UID"),
            Argument("since", "what is not older, as 24h", "", "--since", keyword=True, value="TIME"),
            Argument("all", "everything", "", "--all", keyword=True),
            Argument("profile", "application profile", "", "--profile", keyword=True, value="NAME"),
        ),
        verb=("media", "export"),
        wait_s=0,
        changes=True,
    ),
)

_USERS: Final = (
    Command(
        "user add",
        "admin",
        "let somebody log in; the password is asked for",
        (Argument("NAME", "name of the user"), Argument("ROLE", "what he may", "role")),
        act="acts_users:add",
        changes=True,
        json=False,
    ),
    Command(
        "user delete",
        "admin",
        "let him no longer",
        (Argument("NAME", "name of the user", "user"),),
        act="acts_users:delete",
        changes=True,
        json=False,
    ),
    Command(
        "user password",
        "admin",
        "set the password of a user; it is asked for",
        (Argument("NAME", "name of the user", "user"),),
        act="acts_users:password",
        changes=True,
        json=False,
    ),
    Command(
        "user role",
        "admin",
        "change what a user may",
        (Argument("NAME", "name of the user", "user"), Argument("ROLE", "what he may", "role")),
        act="acts_users:role",
        changes=True,
        json=False,
    ),
    Command("password", "viewer", "set your own password", act="acts_users:own", changes=True, json=False),
)

_SESSION: Final = (
    Command(
        "terminal length",
        "viewer",
        "lines of a page; 0: no pages",
        (Argument("N", "lines, 0 to 500"),),
        act="acts:length",
        mode=BOTH,
        json=False,
    ),
    Command(
        "terminal width",
        "viewer",
        "columns of this terminal",
        (Argument("N", "columns, 40 to 500"),),
        act="acts:width",
        mode=BOTH,
        json=False,
    ),
    Command("help", "viewer", "how this console is used", act="acts:help_", mode=BOTH, json=False),
    Command("exit", "viewer", "log out; in configuration mode: leave it", act="acts:leave", mode=BOTH, json=False),
    Command("quit", "viewer", "the same as exit", act="acts:leave", mode=BOTH, json=False),
    Command("logout", "viewer", "the same as exit", act="acts:leave", json=False),
)

COMMANDS: Final[tuple[Command, ...]] = (
    *_SHOWING, *SHOWING, *_DOING, *DOING, *KEYS, *CONFIGURING, *_USERS, *_SESSION,
)  # fmt: skip
