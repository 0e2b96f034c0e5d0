"""Rows of the table that have to do with the configuration."""

from __future__ import annotations

from agent.console.row import BOTH, CONFIGURATION, Argument, Command
from agent.typed import Final

_PATH: Final = Argument("KEY", "words of the key, as destination pacs port", "config-path", rest=True)
_SECTION: Final = Argument("KEY", "only what is below these words", "config-path", rest=True, optional=True)
_TESTS = Argument("tests", "only these self-tests, as pacs,clock", option="--tests", keyword=True, value="NAMES")
_NO_TESTS = Argument("no-tests", "without the self-tests", option="--no-tests", keyword=True)
# Tests ask every destination, one after the other.
TESTS_S: Final = 600.0

CONFIGURING: Final = (
    Command("configure", "technician", "edit the configuration", act="acts_config:enter", json=False),
    Command("confirm", "technician", "let a commit stand that waits for it, if its tests pass", (_TESTS, _NO_TESTS),
        verb=("config", "confirm"), mode=BOTH, changes=True, wait_s=TESTS_S),
    Command("revert", "technician", "take a commit that waits to be confirmed back now", verb=("config", "revert"),
        mode=BOTH, changes=True, wait_s=TESTS_S),
    Command("show configuration commands", "viewer", "the same as lines to type", verb=("config", "commands")),
    Command("show configuration history", "viewer", "who committed what, when", verb=("config", "history")),
    Command(
        "set",
        "technician",
        "give a key of the candidate a value",
        (Argument("KEY", "words of the key, then its value", "config-value", rest=True),),
        act="acts_config:set_",
        mode=CONFIGURATION,
        changes=True,
        json=False,
    ),
    Command("delete", "technician", "take a key, a destination or a source out of the candidate", (_PATH,),
        act="acts_config:delete", mode=CONFIGURATION, changes=True, json=False),
    Command("show", "technician", "the candidate", (_SECTION,), act="acts_config:show", mode=CONFIGURATION, json=False),
    Command("compare", "technician", "what the candidate changes",
        (Argument("N", "compare with generation N", optional=True),),
        act="acts_config:compare", mode=CONFIGURATION, json=False),
    Command(
        "commit",
        "technician",
        "make the candidate the configuration in force",
        (
            Argument("check", "only check it", keyword=True),
            Argument("confirmed", "revert unless confirmed within so many minutes", keyword=True, value="MINUTES"),
            Argument("comment", "why, for the history", keyword=True, value="TEXT"),
            _TESTS,
            _NO_TESTS,
        ),
        act="acts_config:commit",
        mode=CONFIGURATION,
        changes=True,
        json=False,
    ),
    Command("rollback", "technician", "make generation N the candidate",
        (Argument("N", "number in the history; 0: what is in force"),),
        act="acts_config:rollback", mode=CONFIGURATION, changes=True, json=False),
    Command("update", "technician", "put the candidate on top of what was changed in the file meanwhile",
        act="acts_config:update", mode=CONFIGURATION, changes=True, json=False),
    Command("discard", "technician", "throw the candidate away", act="acts_config:discard", mode=CONFIGURATION,
        changes=True, json=False),
    Command("history", "technician", "who committed what, when", verb=("config", "history"), mode=CONFIGURATION),
    Command("edit", "technician", "go below these words", (_PATH,), act="acts_config:edit", mode=CONFIGURATION,
        json=False),
    Command("up", "technician", "one word up", act="acts_config:up", mode=CONFIGURATION, json=False),
    Command("top", "technician", "to the top", act="acts_config:top", mode=CONFIGURATION, json=False),
    Command("run", "technician", "a command of operational mode",
        (Argument("COMMAND", "the command", "operational", rest=True),),
        act="acts_config:run", mode=CONFIGURATION, json=False),
)  # fmt: skip
