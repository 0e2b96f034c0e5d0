"""Read one configuration file into ``Settings``.

Order: bytes, UTF-8, TOML, schema (``agent.config.check``), paths made absolute (relative ones count from the folder of
the file), and on request the files that keys name. Every refusal is a ``ConfigError`` whose message reads
``FILE:LINE: KEY PATH: what is wrong``; when there are several, the first is the error and ``problems`` holds all.
"""

from __future__ import annotations

import os

from agent.config.check import Problem, Values, examine
from agent.config.problems import refusal
from agent.config.schema import SECTIONS
from agent.config.settings import SECTION_TYPES, Settings
from agent.config.source import OF_PATHS
from agent.config.user import WORDS
from agent.errors import ConfigError
from agent.link.user_identity import SHARED, SHARED_BITS, secret_of
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# The full example is 10 KiB; a megabyte is not a configuration.
MAX_FILE_BYTES: Final = 1 << 20
# TOML asks for 64 bits, which have 20 digits (64 in binary); this only tells a number from an accident.
MAX_DIGITS: Final = 100
_SHARED_KEY: Final = "only the agent's own user may read or write a private key"


def load(path: str, *, files: bool = False) -> Settings:
    """Read and check the configuration file ``path``; with ``files`` also that the files it names can be read.

    Raises ``ConfigError``.
    """
    return parse(_read(path), path=path, files=files)


def parse(text: str, *, path: str = "agent.toml", files: bool = False) -> Settings:
    """Check configuration ``text`` as if it stood in ``path``; raises ``ConfigError``."""
    values, problems = _examine(text, path)
    if not problems:
        _absolute(values, os.path.dirname(os.path.abspath(path)))
        if files:
            problems = [*_of_the_console(values, path), *_missing_files(values)]
    if problems:
        error = _refusal(text, path, problems)
        if problems[0].message.endswith((_SHARED_KEY, SHARED)):
            error.hint = f"chmod 600 {problems[0].message.partition(' is open to ')[0]}"
        raise error
    return build(values)


def text_of(path: str) -> str:
    """Return the text of a file that is to hold a configuration, or lines for one; raises ``ConfigError``."""
    return _read(path)


def document_of(text: str, path: str) -> dict[str, Any]:
    """Return what TOML ``text`` says as it stands, unchecked; raises ``ConfigError`` for what is no TOML."""
    try:
        return _toml(text, path)
    except (ValueError, OverflowError):
        raise _huge(text, path) from None


def refuse(path: str, problems: Iterable[tuple[str, str]]) -> ConfigError:
    """Return the error for ``problems`` (at least one), found later, in the file that ``load`` has read."""
    return _refusal(_read(path), path, problems)


def _refusal(text: str, path: str, problems: Iterable[tuple[str, str]]) -> ConfigError:
    from agent.config.lines import key_lines, line_of  # only on the way to an error

    lines = key_lines(text)
    return refusal(path, [(line_of(lines, where), where, message) for where, message in problems])


def _examine(text: str, path: str) -> tuple[Values, list[Problem]]:
    """Parse and check; Python refuses to read or to print whole numbers above some thousand digits (ValueError)."""
    try:
        return examine(_toml(text, path))
    except (ValueError, OverflowError):
        raise _huge(text, path) from None


def _huge(text: str, path: str) -> ConfigError:
    line = next((at for at, row in enumerate(text.split("\n"), 1) if _has_huge_number(row)), None)
    return refusal(path, [(line, "", "a whole number has more digits than any key takes")])


def _has_huge_number(row: str) -> bool:
    return any(len(word) > MAX_DIGITS for word in row.split("=", 1)[-1].replace("_", "").replace(",", " ").split())


def build(values: Values) -> Settings:
    """Make ``Settings`` of checked section values."""
    made: dict[str, Any] = {}
    for section in SECTIONS:
        kind: Any = SECTION_TYPES[section.name]
        given = values[section.name]
        made[section.name] = tuple(kind(**row) for row in given) if section.repeated else kind(**given)
    return Settings(**made)


def _read(path: str) -> str:
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise refusal(path, [(None, "", f"cannot be read: {error.strerror or error}")]) from None
    if len(data) > MAX_FILE_BYTES:
        raise refusal(path, [(None, "", f"is larger than {MAX_FILE_BYTES} bytes")])
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise refusal(path, [(line, "", "is not UTF-8 text")]) from None


def _toml(text: str, path: str) -> dict[str, Any]:
    import tomllib  # costs 1 MiB; only those who read a configuration pay

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        from agent.config.lines import given_twice

        message, _, place = str(error).partition(" (at ")
        number = place.removeprefix("line ").partition(",")[0]
        line = int(number) if number.isdigit() else text.rstrip("\n").count("\n") + 1
        told = f"not TOML: {message[:1].lower()}{message[1:]}"
        if text.startswith("\ufeff"):
            told = "begins with a byte order mark: save it as UTF-8 without one"
        if twice := message == "Cannot overwrite a value" and given_twice(text, line):
            told = f"key '{twice[0]}' is given twice, here and in line {twice[1]}"
        raise refusal(path, [(line, "", told)]) from None
    except RecursionError:
        raise refusal(path, [(None, "", "not TOML: nested too deeply")]) from None


def _absolute(values: Values, folder: str) -> None:
    for section in SECTIONS:
        for row in values[section.name] if section.repeated else [values[section.name]]:
            for key in section.keys:
                if key.kind == "path" and row[key.name]:
                    row[key.name] = os.path.normpath(os.path.join(folder, os.path.expanduser(row[key.name])))
                if key.kind == "source":
                    row[key.name] = _absolute_source(row[key.name], folder)


def _absolute_source(uri: str, folder: str) -> str:
    scheme, _, rest = uri.partition(":")
    what, mark, query = rest.partition("?")
    return f"{scheme}:{os.path.normpath(os.path.join(folder, what))}{mark}{query}" if scheme in OF_PATHS else uri


def _of_the_console(values: Values, path: str) -> Iterator[Problem]:
    """What no key may name: who may log in, and by which hash; a file that a key names may go to a peer."""
    kept = os.path.join(f"{os.path.realpath(path)}.console", "")
    for section in SECTIONS:
        names = [key.name for key in section.keys if key.kind == "path"]
        for index, row in enumerate(values[section.name] if section.repeated else [values[section.name]]):
            place = f"[{index}]" * section.repeated
            for name in names:
                if row[name] and (os.path.realpath(row[name]) + os.sep).startswith(kept):
                    yield Problem(f"{section.name}{place}.{name}", f"{row[name]} is where the console keeps its users")


def _missing_files(values: Values) -> Iterator[Problem]:
    wanted = [(f"tls.{name}", path) for name, path in values["tls"].items() if path]
    for index, row in enumerate(values["destination"]):
        if row["tls_ca_file"]:
            wanted.append((f"destination[{index}].tls_ca_file", row["tls_ca_file"]))
    for index, row in enumerate(values["source"]):
        scheme, _, rest = row["uri"].partition(":")
        if scheme == "replay":
            wanted.append((f"source[{index}].uri", rest.partition("?")[0]))
    for where, path in wanted:
        if not os.path.exists(path):
            yield Problem(where, f"no such file: {path}")
        elif not os.access(path, os.R_OK):
            yield Problem(where, f"may not be read: {path}")
        elif where == "tls.key_file" and os.stat(path).st_mode & SHARED_BITS:
            mode = os.stat(path).st_mode & 0o777
            yield Problem(where, f"{path} is open to group or others (mode {mode:04o}); {_SHARED_KEY}")
    for index, row in enumerate(values["destination"]):
        if row["user_file"]:
            try:
                secret_of(WORDS[row["user_identity"]].kind, row["user_file"])
            except ConfigError as error:
                yield Problem(f"destination[{index}].user_file", str(error))
