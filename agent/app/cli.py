"""``modality-agent VERB ...``: find the verb, run it, and end with a sentence and a status, never with a traceback.

Results go to stdout, everything else to stderr. A user's mistake or a failure of the world is an ``AgentError`` and
becomes two lines, ``modality-agent: error: WHAT [code]`` and ``  hint: NEXT STEP``, and the exit status of its class;
with ``--json`` an error object is printed on stdout too. A programming error keeps its traceback: hiding it would
help nobody. Output that cannot be written (``agent.app.output``) never ends the work of a verb: it is said when the
work is done.
"""

from __future__ import annotations

import sys
from itertools import chain, islice

import agent
from agent import errors
from agent.app.options import Parser
from agent.app.output import Output, reserve
from agent.app.verbs import VERBS, Verb, find
from agent.typed import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from agent.typed import TextIO

# 128 + signal number, as shells report it.
EXIT_INTERRUPTED: Final = 130
EXIT_BROKEN_PIPE: Final = 141
_ALWAYS: Final = (
    (0, "done"),
    (1, "not done; the error line says why"),
    (2, "wrong command line"),
    (3, "a file, a folder or standard output cannot be read or written [file]"),
)


_PIECES: Final = 4096  # of a JSON document, put together before they are written


class _Printed:
    """Whether a JSON document was printed: with ``--json`` there is one on stdout, not a result and an error."""

    anything = False


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; returns the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    _Printed.anything = False
    reserve()
    before = sys.stdout, sys.stderr
    out = Output(before[0])
    sys.stdout, sys.stderr = cast("TextIO", out), cast("TextIO", Output(before[1]))
    try:
        status = _main(words)
        out.flush()
        return _lost(out, status) if out.failure is not None else status
    finally:
        sys.stderr.flush()
        sys.stdout, sys.stderr = before


def _main(words: list[str]) -> int:
    try:
        return _dispatch(words)
    except errors.AgentError as error:
        if error.hint is errors.UsageError.hint and words:
            error.hint = error.hint.replace("VERB", words[0])
        return report(error, as_json="--json" in words)
    except BrokenPipeError:
        return EXIT_BROKEN_PIPE
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        return EXIT_INTERRUPTED
    except OSError as error:
        if error.filename is None:
            raise
        return report(errors.FileError(f"{error.filename}: {error.strerror}"), as_json="--json" in words)


def _lost(out: Output, status: int) -> int:
    """Say that the result could not be printed; an error that was there before keeps its status."""
    if out.reader_gone:  # head and less: they have what they wanted
        return status or EXIT_BROKEN_PIPE
    why = out.failure.strerror or out.failure if out.failure is not None else ""
    hint = "What was asked for was done; only its output is missing."
    return status or report(errors.FileError(f"standard output: {why}", hint=hint))


def report(error: errors.AgentError, *, as_json: bool = False) -> int:
    """Print an error as people (and with ``as_json`` programs) expect it; returns its exit status."""
    from agent.app.term import paint, printable

    sys.stdout.flush()  # what was found stands before what came of it, where both go to one place
    label = paint("error:", "red", sys.stderr)
    sys.stderr.write(f"modality-agent: {label} {printable(str(error), 2000)} [{error.code}]\n")
    if isinstance(error, errors.ConfigError) and error.problems:
        from agent.config.problems import line_text

        for problem in error.problems[1:]:
            sys.stderr.write(f"  also: {printable(line_text(error.file, problem), 2000)}\n")
    sys.stderr.write(f"  hint: {error.hint}\n")
    if as_json and not _Printed.anything:
        print_json({"error": facts_of(error)})
    return error.exit_status


def facts_of(error: errors.AgentError) -> dict[str, Any]:
    """Return what a program needs of an error."""
    return {"code": error.code, "message": str(error), "hint": error.hint, "exit": error.exit_status}


def print_json(value: object) -> None:
    """Print one JSON document on stdout; what its encoding lacks, as a path of other bytes, in the escapes of JSON."""
    import json

    _Printed.anything = True
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    pieces = json.JSONEncoder(indent=2, ensure_ascii=False).iterencode(value)
    while text := "".join(islice(pieces, _PIECES)):
        try:
            text.encode(encoding)
        except UnicodeEncodeError:
            text = "".join(one if one.isascii() else json.dumps(one)[1:-1] for one in text)
        sys.stdout.write(text)
    sys.stdout.write("\n")


class Streamed(list[object]):
    """A list for ``print_json`` whose items are made while they are printed; memory never holds them all."""

    def __init__(self, items: Iterable[object]) -> None:
        super().__init__()
        self._items = iter(items)
        self._first = list(islice(self._items, 1))

    def __bool__(self) -> bool:
        return bool(self._first)

    def __iter__(self) -> Iterator[object]:
        return chain(self._first, self._items)


def _dispatch(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        return _help(words[1:])
    if words[0] == "--version":
        print(f"modality-agent {agent.__version__}")
        return 0
    verb = find(words[0])
    if verb is None:
        raise errors.UsageError(f"no verb '{words[0]}'{_nearest(words[0])}", hint="'modality-agent --help' lists them.")
    from importlib import import_module

    module: Any = import_module(verb.module)
    parser = Parser(f"modality-agent {verb.name}", verb.summary[:1].upper() + verb.summary[1:] + ".", _epilog(verb))
    module.arguments(parser)
    args = parser.parse(words[1:])
    if args is None:
        print(parser.usage())
        return 0
    status: int = module.run(args)
    return status


def _help(words: list[str]) -> int:
    if words and find(words[0]) is not None:
        return _dispatch([words[0], "--help"])
    print("usage: modality-agent VERB [options]\n\nverbs:")
    for verb in VERBS:
        print(f"  {verb.name:<9} {verb.summary}")
    print(
        "\n'modality-agent VERB --help' shows options, examples and exit codes; 'modality-agent --version' the version."
    )
    return 0


def _epilog(verb: Verb) -> str:
    lines = ["examples:", *(f"  modality-agent {example}" for example in verb.examples), "", "exit codes:"]
    lines += [f"  {status:>3}  {text}" for status, text in exit_codes(verb)]
    return "\n".join(lines)


def exit_codes(verb: Verb) -> list[tuple[int, str]]:
    """Every exit status of ``verb`` with its meaning, ascending."""
    found = dict(_ALWAYS)
    for name in verb.errors:
        root: type[errors.AgentError] = getattr(errors, name.rstrip("*"))
        for kind in _tree(root) if name.endswith("*") else (root,):
            found.setdefault(kind.exit_status, f"{_sentence(kind)} [{kind.code}]")
    found[EXIT_INTERRUPTED] = "interrupted by Ctrl-C"
    found[EXIT_BROKEN_PIPE] = "the reader of the output went away"
    return sorted(found.items())


def _sentence(kind: type[errors.AgentError]) -> str:
    """The first sentence of an error class as one line of a list; a word in capitals keeps them."""
    text = (kind.__doc__ or "").partition("\n")[0].removeprefix("Abstract: ").partition("; ``")[0].rstrip(".")
    text = text.partition(". ``")[0].replace("``", "")
    return text if text[1:2].isupper() or text[1:2] == "-" else f"{text[:1].lower()}{text[1:]}"


def _tree(root: type[errors.AgentError]) -> Iterator[type[errors.AgentError]]:
    yield root
    for child in root.__subclasses__():
        yield from _tree(child)


def _nearest(word: str) -> str:
    import difflib

    close = difflib.get_close_matches(word, [verb.name for verb in VERBS], 1, 0.6)
    return f"; did you mean '{close[0]}'?" if close else ""
