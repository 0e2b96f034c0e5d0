"""What verbs say of command lines is said in commands of the console."""

from __future__ import annotations

import pytest

from agent.console.commands import COMMANDS
from agent.console.row import CONFIGURATION, OPERATIONAL
from agent.console.wording import spoken


def row(path: str):
    return next(one for one in COMMANDS if one.path == path)


@pytest.mark.parametrize(
    ("said", "mode", "here"),
    [
        ("'modality-agent queue list' shows the UIDs.", OPERATIONAL, "'show queue' shows the UIDs."),
        ("until 'modality-agent queue release --destination a'", OPERATIONAL, "until 'release destination a'"),
        ("'modality-agent log --last 20' says", OPERATIONAL, "'show log last 20' says"),
        ("'modality-agent network --check' says", CONFIGURATION, "'run test network' says"),
        ("'config check --candidate' lists", CONFIGURATION, "'commit check' lists"),
        ("'config commit --confirm 10' tries", CONFIGURATION, "'commit confirmed 10' tries"),
        ("'config history' lists", CONFIGURATION, "'history' lists"),
        ("'config history' lists", OPERATIONAL, "'show configuration history' lists"),
        ("'tls request --same-key' asks", OPERATIONAL, "'tls request same-key' asks"),
        ("'modality-agent tls import certificate FILE' says", OPERATIONAL, "'tls import certificate' says"),
        ("'modality-agent support' and 'modality-agent why pacs'", OPERATIONAL, "'support' and 'why pacs'"),
        ("'modality-agent media list --files' looks", OPERATIONAL, "'modality-agent media list --files' looks"),
        ("'modality-agent config example' shows", OPERATIONAL, "'modality-agent config example' shows"),
        ("the key 'log' and an odd ' quote", OPERATIONAL, "the key 'log' and an odd ' quote"),
    ],
)
def test_command_lines(said: str, mode: str, here: str) -> None:
    assert spoken(row("show status"), mode)(said, 0) == here


def test_options_of_the_command_that_failed() -> None:
    hint = "  hint: --all, --study UID or --volume-size say what to export."
    say = spoken(row("export"), OPERATIONAL)
    assert say(hint, 1) == "  hint: all, study UID or --volume-size say what to export."
    assert say(hint, 0) == hint
