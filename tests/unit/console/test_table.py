"""Each row of the table against the verb that it runs: its options exist, its choices are the verb's."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from agent.app.options import Parser
from agent.app.verbs import find
from agent.console.commands import COMMANDS
from agent.console.reference import document
from agent.console.row import Command
from agent.console.shell import argv_of
from agent.console.tree import Call
from agent.spool.states import STATE_OF_WORD

VERBS = [command for command in COMMANDS if command.verb]


def parser_of(command: Command) -> Parser:
    verb = find(command.verb[0])
    assert verb is not None, command.path
    parser = Parser(verb.name, "", "")
    import_module(verb.module).arguments(parser)
    return parser


def value_of(argument) -> str:
    if argument.choices:
        return argument.choices[0]
    return {"TIME": "2h", "N": "3", "PLACE": "3"}.get(argument.value, "7")


@pytest.mark.parametrize("command", VERBS, ids=lambda one: f"{one.path}-{one.mode}")
def test_a_verb_takes_what_its_row_gives_it(command: Command) -> None:
    for chosen in (lambda one: not (one.optional or one.keyword), lambda one: True):
        values = tuple((one, value_of(one)) for one in command.arguments if chosen(one))
        for json in {False, command.json}:
            argv = argv_of(Call(command, values), "x.toml", json=json)
            assert argv[:2] == ("agent", command.verb[0])
            assert parser_of(command).parse(argv[2:]) is not None


@pytest.mark.parametrize("command", VERBS, ids=lambda one: f"{one.path}-{one.mode}")
def test_choices_are_those_of_the_verb(command: Command) -> None:
    options = {name: option for option in parser_of(command)._options for name in option.names}
    for argument in command.arguments:
        if argument.option:
            assert argument.choices == options[argument.option].choices
            assert options[argument.option].switch == (argument.keyword and not argument.value)


@pytest.mark.parametrize("command", [one for one in COMMANDS if one.act], ids=lambda one: f"{one.path}-{one.mode}")
def test_an_act_is_there(command: Command) -> None:
    module, _, name = command.act.partition(":")
    assert callable(getattr(import_module(f"agent.console.{module}"), name))


def test_states_are_those_of_the_queue() -> None:
    queue = next(one for one in COMMANDS if one.path == "show queue")
    state = next(one for one in queue.arguments if one.name == "state")
    assert state.choices == tuple(STATE_OF_WORD)


def test_the_reference_is_printed_from_the_table() -> None:
    text = (Path(__file__).parents[3] / "configs" / "CONSOLE.md").read_text()
    assert text == document(), "modality-agent console --commands > configs/CONSOLE.md"
    assert [command.path for command in COMMANDS if f"`{command.path}" not in text] == []
