"""What ``config`` does to a configuration: the candidate is edited, compared, committed, confirmed, rolled back.

The files are ``agent.config.stage``'s. Here is what goes beyond them: the self-tests before a commit, and the running
agent, who is told to reload, asked how that went, and asked first whether it could revert what nobody confirms.
"""

from __future__ import annotations

import sys

from agent.app.cli import print_json
from agent.app.orders import who
from agent.app.term import count_text, printable
from agent.config.at_rest import reset_waits
from agent.config.load import text_of
from agent.config.settling import when
from agent.config.stage import Stage
from agent.errors import ConfigChanged, ConfigError, SelfTestFailed, UsageError
from agent.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent.app.options import Arguments
    from agent.config.stage import Committed, Entry


def act(args: Arguments, path: str) -> int:
    """Do one action of ``config``."""
    stage = Stage(path)
    if reset_waits(path):
        stage.revert_if_due()
    try:
        facts = _ACTIONS[args.action](stage, args)
    except (ConfigChanged, SelfTestFailed) as error:
        for line in error.lines:
            sys.stderr.write(f"  {printable(line, 1000)}\n")
        raise
    finally:
        stage.unlock()
    for note in stage.notes:
        sys.stderr.write(f"modality-agent: note: {note}\n")
    text, status = facts.pop("text"), facts.pop("exit", 0)
    if args.json:
        print_json(facts)
    elif text:
        print(text)
    return int(status)


def _who(args: Arguments) -> str:
    return args.who or who()


def _lock(stage: Stage, args: Arguments) -> None:
    """Have the candidate for oneself; whose it was is said, for a commit takes all of it."""
    stage.lock(_who(args))
    begun = stage.edited_by() if stage.changed else None
    if begun is not None and begun.who not in ("", _who(args)):
        count = count_text(len(stage.compare()), "change")
        stage.notes.append(f"the candidate had {count} before, the last by {begun.who}")


def _edited(stage: Stage, *, kept: bool) -> dict[str, Any]:
    if not kept:
        stage.notes.append("the candidate had to be written anew, without the comments of the file")
    lines = stage.compare()
    return {"ok": True, "lines": lines, "text": f"candidate: {count_text(len(lines), 'line')} to commit"}


def _set(stage: Stage, args: Arguments) -> dict[str, Any]:
    from agent.config.difference import divide

    _lock(stage, args)
    words, value = divide(args.words, stage.document()) if args.words else ((), None)
    return _edited(stage, kept=stage.set(words, value))


def _delete(stage: Stage, args: Arguments) -> dict[str, Any]:
    _lock(stage, args)
    return _edited(stage, kept=stage.delete(args.words))


def _load(stage: Stage, args: Arguments) -> dict[str, Any]:
    if len(args.words) != 1:
        raise UsageError("'config load' needs one file, or - for stdin")
    _lock(stage, args)
    return _edited(stage, kept=stage.load(_read(args.words[0]), replace=args.replace))


def _read(name: str) -> str:
    return text_of(name) if name != "-" else sys.stdin.read()


def _discard(stage: Stage, args: Arguments) -> dict[str, Any]:
    _lock(stage, args)
    gone = stage.discard()
    return {"ok": True, "text": "the candidate is dropped" if gone else "there was no candidate"}


def _update(stage: Stage, args: Arguments) -> dict[str, Any]:
    _lock(stage, args)
    return _edited(stage, kept=stage.update())


def _rollback(stage: Stage, args: Arguments) -> dict[str, Any]:
    _lock(stage, args)
    number = stage.rollback(_back(args, None))
    facts = _edited(stage, kept=True)
    return {**facts, "generation": number, "text": f"generation {number} is the candidate; {facts['text']}"}


def _compare(stage: Stage, args: Arguments) -> dict[str, Any]:
    lines = stage.compare(_back(args, 0))
    begun = stage.edited_by()
    return {"lines": lines, "by": "" if begun is None else begun.who, "text": "\n".join(lines)}


def _back(args: Arguments, default: int | None) -> int:
    if not args.words and default is not None:
        return default
    if len(args.words) != 1 or not (args.words[0].isascii() and args.words[0].isdigit()):
        raise UsageError(f"'config {args.action}' needs how many generations back, as 1",
                         hint="'config history' lists them.")  # fmt: skip
    return int(args.words[0][:9])


def _commands(stage: Stage, _args: Arguments) -> dict[str, Any]:
    lines = stage.commands()
    return {"lines": lines, "text": "\n".join(lines)}


def _check(stage: Stage, _args: Arguments) -> dict[str, Any]:
    from agent.app.applying import checked

    problems = stage.problems()
    if not problems:
        stage.notes += checked(stage)
    text = "\n".join(problems) if problems else "the candidate can be committed"
    return {"ok": not problems, "problems": problems, "text": text, "exit": ConfigError.exit_status if problems else 0}


def _history(stage: Stage, _args: Arguments) -> dict[str, Any]:
    entries, waiting = stage.history(), stage.pending()
    lines = [_entry_line(entry) for entry in entries] or ["no history yet: it begins with the first start or change"]
    if waiting is not None:
        lines.append(
            f"generation {waiting.number} is not confirmed: {waiting.before} comes back in {waiting.left_s:.0f} s"
        )
    lines += [f"notice: {text}" for text in stage.notice()]
    rows = [{"back": one.back, **one.generation.facts, "in_force": one.in_force, "waits": one.waits} for one in entries]
    pending = None if waiting is None else waiting._asdict()
    return {"generations": rows, "pending": pending, "notice": stage.notice(), "text": "\n".join(lines)}


def _entry_line(entry: Entry) -> str:
    one = entry.generation
    mark = "*" if entry.in_force else " "
    note = " not confirmed" if entry.waits else ""
    comment = f": {one.comment}" if one.comment else ""
    return f"{mark}{entry.back:>3}  #{one.number:<4} {when(one.at, one.clock)} {one.how} by {one.who}{note}{comment}"


def _commit(stage: Stage, args: Arguments) -> dict[str, Any]:
    from agent.app import applying

    confirm_s = None if args.confirm is None else args.confirm * 60
    _lock(stage, args)
    if confirm_s is not None:
        applying.refuse_mute(stage.path)
    if not stage.changed and stage.pending() is not None and confirm_s is None:
        return _confirm(stage, args)
    if stage.changed:
        stage.notes += applying.checked(stage)
        if confirm_s is None and not args.no_tests:
            stage.notes += applying.tested(stage.text(), stage.path, args.tests)
    done = stage.commit(_who(args), args.comment, confirm_s)
    if done is None:
        return {"ok": True, "generation": None, "lines": [], "text": "nothing to commit"}
    return _committed(stage, done, args.confirm)


def _committed(stage: Stage, done: Committed, minutes: float | None) -> dict[str, Any]:
    from agent.app import applying

    told = applying.apply(stage.path, done.before)
    lines = [*done.lines, f"generation {done.number} is in force"]
    if minutes is not None:
        unit = "minute" if minutes == 1 else "minutes"
        lines.append(f"it is taken back in {minutes:g} {unit} unless 'config confirm' is called before")
    if done.confirmed is not None:
        lines.append(f"generation {done.confirmed}, which waited to be confirmed, is replaced by it")
    return {"ok": told.ok, "generation": done.number, "lines": done.lines, "confirm_minutes": minutes,
            "effects": told.lines, "text": "\n".join([*lines, *told.lines]), "exit": 0 if told.ok else 1}  # fmt: skip


def _confirm(stage: Stage, args: Arguments) -> dict[str, Any]:
    waiting = stage.pending()
    if waiting is not None and not args.no_tests:
        from agent.app.applying import tested

        try:
            stage.notes += tested(text_of(stage.path), stage.path, args.tests)
        except SelfTestFailed as error:
            error.message = "a self-test failed, and it is not confirmed"
            error.hint = f"--no-tests confirms it all the same; otherwise generation {waiting.before} comes back."
            raise
    number = stage.confirm()
    return {"ok": True, "generation": number, "text": f"generation {number} is confirmed, and stays"}


def _revert(stage: Stage, args: Arguments) -> dict[str, Any]:
    from agent.app.applying import apply

    before = text_of(stage.path)
    told = stage.take_back(_who(args))
    applied = apply(stage.path, before)
    text = "\n".join([*told, *applied.lines])
    return {"ok": applied.ok, "effects": applied.lines, "text": text, "exit": 0 if applied.ok else 1}


_ACTIONS = {
    "set": _set,
    "delete": _delete,
    "compare": _compare,
    "commands": _commands,
    "load": _load,
    "check": _check,
    "commit": _commit,
    "confirm": _confirm,
    "revert": _revert,
    "rollback": _rollback,
    "discard": _discard,
    "update": _update,
    "history": _history,
}
