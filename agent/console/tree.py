"""From words to a command: unique prefixes, completion and help, all from one table.

A word of a command may be shortened as long as one command alone begins with it; an exact word always wins. What
changes something takes no less than three letters, so that no stray letter and CR on a noisy line does.
Commands above the role of a user do not exist for him: they are neither completed nor explained, and refused by name.
"""

from __future__ import annotations

from agent.console.row import BOTH, CONFIGURATION, OPERATIONAL, Argument, Command, may
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    # Source, words before it, what was typed of it -> words with their help.
    Source = Callable[[str, tuple[str, ...], str], "list[tuple[str, str]]"]

MIN_LETTERS: Final = 3
# A list longer than this is of no use on a screen of 24 lines.
SHOWN: Final = 200


class Refused(Exception):
    """The line is no command; the text says why, and ``command`` which one was recognised in it."""

    def __init__(self, text: str, command: Command | None = None) -> None:
        super().__init__(text)
        self.command = command


class Call(NamedTuple):
    """A command with its arguments: values in order, then those of keywords (a switch has an empty value)."""

    command: Command
    values: tuple[tuple[Argument, str], ...]

    def value(self, name: str) -> str:
        """Return the value of the argument ``name``, or nothing."""
        return next((value for argument, value in self.values if argument.name == name), "")

    def has(self, name: str) -> bool:
        """Whether the argument ``name`` was given."""
        return any(argument.name == name for argument, _ in self.values)

    def all(self, name: str) -> list[str]:
        """Return every value of ``name``, for the rest of a line."""
        return [value for argument, value in self.values if argument.name == name]


class Choice(NamedTuple):
    """What the next word may be: literal words with help, and names of free values with help."""

    words: tuple[tuple[str, str], ...]
    values: tuple[tuple[str, str], ...]
    end: bool  # the line may end here


class Tree:
    """The table as one user sees it in one mode."""

    def __init__(self, commands: Sequence[Command], mode: str, role: str, source: Source | None = None) -> None:
        self._all = [one for one in commands if one.mode in (mode, BOTH)]
        self._mine = [one for one in self._all if may(role, one.role)]
        self._behind_run = {one.words[0] for one in commands if mode == CONFIGURATION and one.mode == OPERATIONAL}
        self._role = role
        self._source = source

    def find(self, words: Sequence[str]) -> Call:
        """Return the command that ``words`` say; raises ``Refused``."""
        command, used = self._command(words)
        return Call(command, tuple(self._arguments(command, tuple(words[used:]))))

    def following(self, words: Sequence[str], part: str = "") -> Choice:
        """Return what may stand behind ``words``; raises ``Refused`` when they are wrong already."""
        rows, depth = self._narrow(words)
        literal: dict[str, str] = {}
        for row in rows:
            if len(row.words) > depth:
                word = row.words[depth]
                more = len(row.words) > depth + 1
                literal.setdefault(word, _group_help(word, words, row.help) if more else row.help)
                if not more:
                    literal[word] = row.help
        whole = next((row for row in rows if len(row.words) == depth and words), None)
        if whole is None:
            return Choice(tuple(sorted(literal.items())), (), end=False)
        options, values, end = self._argument_choice(whole, tuple(words[depth:]), part)
        if len(words) > depth:
            literal = {}
        return Choice((*sorted(literal.items()), *options), values, end)

    # --- commands ------------------------------------------------------------------------------

    def _command(self, words: Sequence[str]) -> tuple[Command, int]:
        rows, depth = self._narrow(words)
        whole = next((row for row in rows if len(row.words) == depth), None)
        if whole is None:
            nexts = sorted({row.words[depth] for row in rows})
            raise Refused(f"'{' '.join(rows[0].words[:depth])}' needs one more word: {', '.join(nexts)}")
        if whole.changes:
            for typed, word in zip(words, whole.words, strict=False):
                if len(typed) < min(MIN_LETTERS, len(word)):
                    raise Refused(f"'{typed}' is too short for '{whole.path}', which changes something", whole)
        return whole, depth

    def _narrow(self, words: Sequence[str]) -> tuple[list[Command], int]:
        """Return the rows whose path begins as ``words`` do, and how many words belong to the path."""
        rows, depth = self._mine, 0
        for word in words:
            nexts = {row.words[depth] for row in rows if len(row.words) > depth}
            chosen = word if word in nexts else _unique(word, nexts)
            if chosen is None:
                whole = next((row for row in rows if len(row.words) == depth and depth), None)
                if whole is not None and (whole.arguments or not nexts):
                    return [whole], depth
                raise self._unknown(word, words[:depth], nexts)
            rows = [row for row in rows if len(row.words) > depth and row.words[depth] == chosen]
            depth += 1
        return rows, depth

    def _unknown(self, word: str, before: Sequence[str], nexts: set[str]) -> Refused:
        many = sorted(one for one in nexts if one.startswith(word))
        if many and word:
            return Refused(f"'{word}' is ambiguous: {', '.join(many)}")
        depth = len(before)
        for row in self._all:
            if row not in self._mine and len(row.words) > depth and row.words[depth].startswith(word) and word:
                alike = (given and full.startswith(given) for given, full in zip(before, row.words, strict=False))
                if all(alike):
                    return Refused(f"'{' '.join(row.words[: depth + 1])}' is for the role {row.role}", row)
        if not before and word in self._behind_run:
            return Refused(f"'{word}' is a command of operational mode: 'run {word} ...', or leave with 'exit' first")
        if not before and word in _ELSEWHERE:
            return Refused(f"unknown word '{word}'; here it is {_ELSEWHERE[word]}")
        return Refused(f"unknown word '{word}'{_close(word, nexts)}; ? lists what there is")

    # --- arguments -----------------------------------------------------------------------------

    def _arguments(self, command: Command, words: tuple[str, ...]) -> list[tuple[Argument, str]]:
        found, waiting = self._walk(command, words)
        if waiting is not None:
            raise Refused(f"'{waiting.name}' needs a value: {waiting.value}", command)
        given = {argument.name for argument, _ in found}
        for argument in command.arguments:
            if not argument.optional and not argument.keyword and argument.name not in given:
                raise Refused(f"'{command.path}' needs {argument.name}: {argument.help}", command)
        return found

    def _walk(self, command: Command, words: tuple[str, ...]) -> tuple[list[tuple[Argument, str]], Argument | None]:
        """Give each word to an argument; also the keyword that still waits for its value."""
        places = [one for one in command.arguments if not one.keyword]
        keywords = {one.name: one for one in command.arguments if one.keyword}
        found: list[tuple[Argument, str]] = []
        waiting: Argument | None = None
        for word in words:
            if waiting is not None:
                found.append((waiting, _checked(waiting, word, command)))
                waiting = None
                continue
            name = word if word in keywords else _unique(word, set(keywords))
            if name is not None and (not places or places[0].optional):
                one = keywords.pop(name)
                if one.value:
                    waiting = one
                else:
                    found.append((one, ""))
            elif places:
                found.append((places[0], _checked(places[0], word, command)))
                if not places[0].rest:
                    places.pop(0)
            else:
                many = sorted(one for one in keywords if one.startswith(word))
                text = f"'{word}' is ambiguous: {', '.join(many)}" if len(many) > 1 else f"'{word}' is too much"
                raise Refused(f"{text}; it is typed: {command.usage}", command)
        return found, waiting

    def _argument_choice(
        self, command: Command, words: tuple[str, ...], part: str
    ) -> tuple[list[tuple[str, str]], tuple[tuple[str, str], ...], bool]:
        found, waiting = self._walk(command, words)
        if waiting is not None:
            return self._values(waiting, words, part), ((waiting.value, waiting.help),), False
        given = {argument.name for argument, _ in found if not argument.rest}
        options: list[tuple[str, str]] = []
        values: list[tuple[str, str]] = []
        end = True
        for argument in command.arguments:
            if argument.name in given:
                continue
            if argument.keyword:
                if end:
                    options.append((argument.name, argument.help))
                continue
            if not values:
                options += self._values(argument, words, part)
                values.append((argument.name, argument.help))
            had = argument.rest and any(one.name == argument.name for one, _ in found)
            end = end and (argument.optional or had)
        return options, tuple(values), end

    def _values(self, argument: Argument, words: tuple[str, ...], part: str) -> list[tuple[str, str]]:
        if argument.choices:
            return [(choice, "") for choice in argument.choices]
        if not argument.source or self._source is None:
            return []
        return self._source(argument.source, words, part)[:SHOWN]


def _checked(argument: Argument, word: str, command: Command) -> str:
    if argument.choices:
        chosen = word if word in argument.choices else _unique(word, set(argument.choices))
        if chosen is None:
            raise Refused(f"'{word}' is not one of {', '.join(argument.choices)}", command)
        return chosen
    if word.startswith("-") and not argument.rest and not word[1:].isdigit():
        raise Refused(f"{argument.value or argument.name}: '{word}' begins with '-', which no value does", command)
    return word


def _unique(word: str, words: set[str]) -> str | None:
    found = [one for one in words if one.startswith(word)] if word else []
    return found[0] if len(found) == 1 else None


def _close(word: str, words: set[str]) -> str:
    import difflib

    close = difflib.get_close_matches(word[:32], sorted(words), 1, 0.6)
    return f"; did you mean '{close[0]}'?" if close else ""


# What other consoles and shells call it.
_ELSEWHERE: Final = {
    "date": "'show clock'",
    "enable": "'configure'",
    "ifconfig": "'show network'",
    "ip": "'show network'",
    "ls": "'show', and 'show queue' for images",
    "ping": "'test network', and 'echo NAME' for DICOM",
    "queue": "'show queue'",
    "reboot": "'restart', which begins the agent anew",
    "save": "'commit', in 'configure'",
    "send": "'test send NAME'; images go by themselves, see 'show queue'",
    "status": "'show status'",
    "write": "'commit', in 'configure'",
}
_GROUPS: Final = {
    "show": "what there is: state, queue, configuration, users",
    "user": "who may log in",
    "terminal": "how this terminal is served",
    "queue": "what is on its way",
    "commit": "make the candidate the configuration in force",
}


def _group_help(word: str, before: Sequence[str], fallback: str) -> str:
    return (_GROUPS.get(word) if not before else None) or fallback
