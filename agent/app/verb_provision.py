"""``provision``: a box is configured from a laptop over its serial line, as often as one likes with the same outcome.

It logs in, says what box that is, brings certificates, loads FILE into the candidate, prints what that changes, and
commits it so that it reverts by itself unless it is confirmed, which the self-tests of the box must allow: what fails
them is taken back at once. A cable that is pulled leaves the box as it was, or as it will be again within ten minutes;
the next run goes on from wherever that was. A run behind that finds nothing to do. FILE as TOML is the whole
configuration; lines of ``set`` and ``delete`` change what there is. It can do what its user could do at the console.
"""

from __future__ import annotations

import os
import sys

from agent.app.cli import print_json
from agent.console.machine import BY_PROGRAM
from agent.errors import BoxRefused, DeviceError, FileError, LinkTimeout, SelfTestFailed, UsageError
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.app.options import Arguments, Parser
    from agent.app.provision_box import Box

_MOST_BYTES: Final = 1 << 20
_CONFIRM_MINUTES: Final = "10"
_BY_ITSELF: Final = (
    "Run it again: it goes on. Unless it was confirmed, what was before comes back by itself within "
    f"{_CONFIRM_MINUTES} minutes."
)
# What a box is called by before somebody says it: it may become anything.
_UNSET: Final = {"serial_number": ("", "0"), "model_name": ("", "modality-agent")}


def arguments(parser: Parser) -> None:
    """Declare the options."""
    parser.add("file", help="the configuration: TOML, or lines of set and delete")
    parser.add("--port", metavar="DEVICE", required=True, help="the serial line, or a URL of pyserial")
    parser.add("--baud", read=int, default=9600, metavar="N", help="speed of the line (9600)")
    parser.add("--user", metavar="NAME", default="", help="who logs in (admin, or who is logged in)")
    parser.add("--password-file", metavar="FILE", help="his password; without it, it is asked for")
    parser.add("--certificate", metavar="FILE", help="the certificate of the box, and the CAs between behind it")
    parser.add("--ca", metavar="FILE", help="the CAs that vouch for peers")
    parser.add("--crl", metavar="FILE", help="their revocation lists")
    parser.add("--comment", metavar="TEXT", default="provision", help="why; kept in the history of the box")
    parser.add("--discard", switch=True, help="throw away what somebody has edited and not committed")
    parser.add("--no-tests", switch=True, help="commit without the self-tests of the box")
    parser.add("--dry-run", switch=True, help="print what would change; change nothing (no first start)")
    parser.add("--json", switch=True, help="print the result as JSON")


def run(args: Arguments) -> int:
    """Do it."""
    from agent.app.provision_box import Box
    from agent.app.provision_line import Conversation, open_wire
    from agent.console.coreless import coreless

    coreless()
    text = _read(args.file)
    brought = {what: _read(path) for what in ("ca", "certificate", "crl") if (path := getattr(args, what))}
    said: dict[str, Any] = {"changed": False, "diff": [], "certificates": [], "box": {}, "notes": []}

    def say(line: str) -> None:
        said["notes"].append(line)
        if not args.json:
            print(line, flush=True)

    password = _password(args)
    wire = open_wire(args.port, args.baud, say)
    try:
        talk = Conversation(wire, may_begin=not args.dry_run)
        logged_in = talk.enter(args.user, password, leave=args.discard)
        box = Box(wire, talk.frames())
        try:
            _provision(args, box, text, brought, said, say)
        finally:
            if not box.lost:
                box.bye()
                talk.leave(log_out=logged_in)
    finally:
        wire.close()
    if args.json:
        print_json(said)
    return 0


def _provision(
    args: Arguments, box: Box, text: str, brought: dict[str, str], said: dict[str, Any], say: Callable[[str], None]
) -> None:
    said["box"] = _identity(box, text)
    say("box: " + ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in said["box"].items()))
    _no_candidate(args, box, say)
    for what, pem in brought.items():
        _bring(args, box, what, pem, said, say)
    replace = () if _is_lines(text) else ("--replace",)
    box.must("config", "load", "-", *replace, data=text)
    kept = False
    try:
        said["diff"] = _lines(box.must("config", "compare"))
        waits = box.must("config", "history", "--json").facts.get("pending") or {}
        if not said["diff"] and not waits:
            say("nothing to do: the box has this configuration")
            return
        for line in said["diff"]:
            say(line)
        if args.dry_run:
            box.must("config", "check", "--candidate")
            say(f"would be {'committed' if said['diff'] else 'confirmed'}; nothing was changed")
            return
        if said["diff"]:
            _commit(args, box, say)
        else:
            say(f"the box has this configuration, and reverts in {waits['left_s']:.0f} s unless confirmed")
        kept, said["changed"] = bool(said["diff"]), True
        _confirm(args, box, say)
    except (DeviceError, LinkTimeout) as error:
        error.hint = _BY_ITSELF
        raise
    finally:
        if not kept and not box.lost:
            box.ask("config", "discard")


def _identity(box: Box, text: str) -> dict[str, str]:
    """Say which box it is; raises ``UsageError`` when FILE is of another one."""
    shown = box.ask("config", "show", "--json")
    if shown.status and box.must("config", "history", "--json").facts.get("generations") == []:
        begun = box.must("config", "compare", "--json").facts
        said = box.must("config", "commands", "--json").facts.get("lines")
        if not said or str(begun.get("by", "")).endswith(
            BY_PROGRAM
        ):  # it has none yet, or what an earlier run has left
            shown = shown._replace(status=0, out="{}")
    if shown.status:
        raise BoxRefused(f"config show on the box: {shown.why}")
    agent = shown.facts.get("agent", {})
    has = {key: str(agent.get(key, "")) for key in ("manufacturer", "model_name", "serial_number", "ae_title")}
    for key, value in _claims(text):
        if has[key] not in (*_UNSET[key], value):
            raise UsageError(
                f"this is another box: its {key.replace('_', ' ')} is '{has[key]}', and the file is for '{value}'",
                hint="Is the cable in the right box? Nothing was changed.",
            )
    return has


def _claims(text: str) -> Iterator[tuple[str, str]]:
    """Yield what FILE says of the box that it is for."""
    from agent.config.command_line import split

    if _is_lines(text):
        for line in text.splitlines():
            words = split(line)
            if len(words) == 4 and words[:2] == ["set", "agent"] and words[2] in _UNSET:
                yield words[2], words[3]
        return
    from agent.config.load import document_of

    table = document_of(text, "FILE").get("agent", {})
    for key in _UNSET:
        if isinstance(table, dict) and isinstance(table.get(key), str):
            yield key, table[key]


def _is_lines(text: str) -> bool:
    from agent.config.command_line import is_commands

    return is_commands(text)


def _no_candidate(args: Arguments, box: Box, say: Callable[[str], None]) -> None:
    """Do not mix with what somebody else has begun; what an earlier run has left is ours."""
    facts = box.must("config", "compare", "--json").facts
    lines, ours = facts.get("lines", []), str(facts.get("by", "")).endswith(BY_PROGRAM)
    if not lines:
        return
    if not (args.discard or ours):
        raise UsageError(
            f"somebody has edited the configuration of the box and not committed it: {len(lines)} changes",
            hint="Commit or discard them at its console, or give --discard.",
        )
    box.must("config", "discard")
    whose = "an earlier run had left" if ours else "nobody had committed"
    say(f"discarded: {len(lines)} changes that {whose}")


def _bring(args: Arguments, box: Box, what: str, pem: str, said: dict[str, Any], say: Callable[[str], None]) -> None:
    words = ("tls", "import", what, "-", "--json", *(("--dry-run",) if args.dry_run else ()))
    facts = box.must(*words, data=pem).facts
    said["certificates"].append(facts)
    said["changed"] = said["changed"] or bool(facts.get("changed"))
    for row in facts.get("certificates", []):
        say(f"{row['what']}: {row['subject']}, until {row['valid_until']}, SHA-256 {row['sha256'][:16]}...")
    say(f"{what}: {facts.get('result', '')} {facts.get('file', '')}")


def _commit(args: Arguments, box: Box, say: Callable[[str], None]) -> None:
    """Commit so that it reverts by itself."""
    done = box.ask("config", "commit", "--confirm", _CONFIRM_MINUTES, "--comment", args.comment, "--json")
    if done.status and "generation" in done.facts:  # it was committed, and the agent that runs does not take it
        raise BoxRefused(f"it was committed, but {_taken_back(box, '; '.join(done.facts['effects']))}")
    if done.status:
        raise BoxRefused(f"the box does not commit it: {done.why}")
    say(f"committed; it reverts in {_CONFIRM_MINUTES} minutes unless confirmed")


def _confirm(args: Arguments, box: Box, say: Callable[[str], None]) -> None:
    """Let it stand, if the self-tests of the box pass."""
    done = box.ask("config", "confirm", *(("--no-tests",) if args.no_tests else ()))
    if done.status == SelfTestFailed.exit_status:
        for line in done.err.splitlines():
            if line.startswith("  ") and not line.lstrip().startswith("hint:"):
                say(line.strip())
        raise SelfTestFailed(
            _taken_back(box, "a self-test of the box failed"),
            hint="Correct what failed and run it again, or give --no-tests.",
        )
    if done.status:
        raise BoxRefused(f"it is not confirmed: {done.why}", hint="'config history' of the box says what is in force.")
    if not args.no_tests:
        say("self-tests passed")
    say("confirmed")


def _taken_back(box: Box, why: str) -> str:
    """Take it back, and say so; what cannot be taken back now comes back by itself."""
    done = box.ask("config", "revert")
    if done.status:
        return f"{why}; what was before comes back by itself, for it could not be taken back: {done.why}"
    return f"{why}, and what was before is in force again"


def _lines(answer: Any) -> list[str]:
    """Return the lines of a difference; what it says when there is none is no line."""
    return [line for line in answer.out.splitlines() if line.startswith(("set ", "delete "))]


def _read(path: str) -> str:
    try:
        with open(path, "rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise FileError.of(path, error) from None
    if len(data) > _MOST_BYTES:
        raise FileError(f"{path} is larger than a configuration or certificate can be")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise FileError(f"{path} is no text", hint="A certificate is sent in PEM form.") from None


def _password(args: Arguments) -> Callable[[], str]:
    """Return what gives the password once it is needed; raises ``UsageError`` before anything is touched."""
    if args.password_file:
        if os.stat(args.password_file).st_mode & 0o077:
            raise UsageError(f"{args.password_file} can be read by others", hint=f"chmod 600 {args.password_file}")
        text = _read(args.password_file).splitlines()
        if not text or not text[0]:
            raise UsageError(f"{args.password_file} holds no password in its first line")
        return lambda: text[0]

    def asked() -> str:
        if not sys.stdin.isatty():
            raise UsageError("the password is needed and nobody can be asked", hint="--password-file names its file.")
        from getpass import getpass

        return getpass(f"Password of {args.user or 'admin'} on the box: ")

    return asked
