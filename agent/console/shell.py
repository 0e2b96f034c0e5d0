"""The prompt and what is done with a line.

A line is a command, filters behind bars, and nothing else. It is recognised first, then noted, then done: by a verb of
the command line in a child, or by an act of the console. A line that noise has been through is never done.
"""

from __future__ import annotations

import os
from importlib import import_module

from agent.console import filters
from agent.console.assist import TreeAssist
from agent.console.commands import COMMANDS
from agent.console.complete import source_of
from agent.console.places import refuse_kept
from agent.console.row import CONFIGURATION, OPERATIONAL
from agent.console.steps import Ask, Ended, Interrupted, Run, ask, say
from agent.console.tree import Call, Refused, Tree
from agent.console.wording import spoken
from agent.console.words import joined, split
from agent.errors import AgentError, FileError
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from agent.console.filters import Filters
    from agent.console.session import Login, Session
    from agent.console.steps import Talk

NO_CONFIGURATION: Final = (
    "There is no configuration yet. 'configure' begins one, 'set ?' lists its keys,",
    "'commit' puts it in force; with that the agent begins.",
)
_NOISE: Final = "Not run: the line held what no keyboard sends (noise?). Type it again."


def shell(session: Session, user: Login) -> Talk:
    """Serve ``user`` until he leaves."""
    session.user, session.mode, session.edit = user, OPERATIONAL, ()
    session.ending = "exit"
    session.note("login", "ok")
    try:
        if not os.path.lexists(session.world.config):
            yield say(*NO_CONFIGURATION)
        elif session.world.fault:
            yield say(f"The configuration cannot be used: {session.world.fault}")
        yield say(*waiting(session))
        while session.user is not None:
            tree = tree_of(session)
            if session.mode == CONFIGURATION:
                yield say(" ".join(["[edit", *session.edit]) + "]")
            given = yield Ask(prompt(session), history=session.history, assist=TreeAssist(tree))
            if _gone(session):
                yield say("You are no longer a user of this box: logged out.")
                session.finish()
                return
            tree = tree_of(session)
            if given.tainted:
                yield say(_NOISE)
            elif given.how == "enter":
                yield from line(session, tree, given.text)
            elif given.how == "eof":
                yield from line(session, tree, "exit")
    finally:
        leave(session)


def _gone(session: Session) -> bool:
    """Whether the user is none any more; his role is what it is now."""
    assert session.user is not None
    name = session.user.name
    try:
        found = session.world.users.find(name)
    except FileError:
        return False  # the medium: nobody is sent away for that
    if found is None:
        session.ending = "no longer a user"
        return True
    session.user = session.user._replace(role=found.role)
    return False


def _why_all_fail(session: Session) -> tuple[str, ...]:
    return () if os.path.lexists(session.world.config) else NO_CONFIGURATION


def waiting(session: Session) -> list[str]:
    """Return what whoever logs in should know: what others, or he himself before, have left undone."""
    folder = f"{session.world.config}.history"
    lines = []
    if os.path.exists(os.path.join(folder, "candidate.toml")):
        lines.append("There is a candidate that was not committed: 'configure', then 'compare'.")
    if os.path.exists(os.path.join(folder, "pending")):
        lines.append("A commit waits to be confirmed: 'show configuration history'; 'confirm' keeps it.")
    return lines


def leave(session: Session) -> None:
    """Let go of what the user held, and forget him."""
    if session.stage is not None:
        stage, session.stage = session.stage, None
        try:
            stage.unlock()
        except (AgentError, OSError) as error:
            session.note("unlock", "failed", str(error))
    session.note("logout", session.ending)
    session.user, session.mode, session.edit = None, OPERATIONAL, ()
    session.length = 24
    session.history.forget()
    session.seen.clear()


def prompt(session: Session) -> str:
    """Return the prompt of the mode."""
    name = session.user.name if session.user is not None else ""
    return f"{name}@{session.world.host}{'#' if session.mode == CONFIGURATION else '>'} "


def tree_of(session: Session) -> Tree:
    """Return the commands of the user in his mode."""
    assert session.user is not None
    return Tree(COMMANDS, session.mode, session.user.role, source_of(session))


def line(session: Session, tree: Tree, text: str) -> Talk:
    """Do one line."""
    pieces = split(text)
    if not any(piece.words for piece in pieces):
        return
    try:
        if pieces[-1].quoted:
            raise Refused("a quote is open: close it with another one")
        fault = next((piece.fault for piece in pieces if piece.fault), "")
        if fault:
            raise Refused(fault)
        call = tree.find(pieces[0].words)
        chain = filters.read([piece.words for piece in pieces[1:]])
    except Refused as error:
        session.history.add(text)
        session.note("command", "refused", error.command.path if error.command is not None else "(no command)")
        yield say(f"{error}.")
        return
    shown = masked(session, call, text)
    if shown == text:
        session.history.add(text)
    session.note("command", "begun" if call.command.verb else "", shown)
    try:
        if call.command.question:
            answer = yield from ask(f"{call.command.question} [yes/no] ", fresh=True)
            if answer.strip().lower() != "yes":
                raise Interrupted("not done")
        yield from done(session, call, chain, shown)
    except (Interrupted, Refused) as error:
        session.note("done", "interrupted" if str(error).startswith("interrupted") else "not done", shown)
        yield say(f"{str(error)[:1].upper()}{str(error)[1:]}.")
    except AgentError as error:
        session.note("done", "failed", shown)
        yield say(f"error: {error} [{error.code}]", f"  hint: {error.hint}")
    except OSError as error:  # what the console itself needs of the medium
        session.note("done", "failed", shown)
        yield say(f"error: {error.strerror or error}{f': {error.filename}' if error.filename else ''}")


def done(session: Session, call: Call, chain: Filters, shown: str) -> Talk:
    """Do a command."""
    command = call.command
    if command.act:
        module, _, name = command.act.partition(":")
        act: Any = getattr(import_module(f"agent.console.{module}"), name)
        talk = act(session, call, chain)
        if talk is not None:
            yield from talk
        return
    if chain.json and not command.json:
        raise Interrupted(f"'{command.path}' has no JSON")
    refuse_kept(call, session.world.config)
    argv = argv_of(call, session.world.config, json=chain.json)
    ended: Ended = yield Run(
        argv,
        filters=chain,
        wait_s=command.wait_s,
        stream=command.stream,
        whole=command.changes,
        wording=spoken(command, session.mode),
    )
    outcome = ended.why or ("ok" if ended.status == 0 else f"status {ended.status}")
    session.note("done", outcome, shown)
    if ended.status and not ended.why:
        yield say(f"(exit status {ended.status})", *_why_all_fail(session))


def argv_of(call: Call, config: str, *, json: bool = False) -> tuple[str, ...]:
    """Return the command line of a verb; values come behind ``--`` or ``=`` and are never taken for options."""
    command = call.command
    options, places = [], []
    for argument, value in call.values:
        if argument.option and (argument.value or not argument.keyword):
            options.append(f"{argument.option}={value}")
        elif argument.option:
            options.append(argument.option)
        else:
            places.append(value)
    if command.config:
        options.append(f"--config={config}")
    if json:
        options.append("--json")
    return ("agent", *command.verb, *options, *(("--", *places) if places else ()))


def masked(session: Session, call: Call, text: str) -> str:
    """Return ``text`` as it may be written down: values of secret keys are not in it."""
    if not any(argument.source == "config-value" for argument, _ in call.values):
        return text
    from agent.console.acts_config import masked_words

    return joined([*call.command.words, *masked_words(session, call)])
