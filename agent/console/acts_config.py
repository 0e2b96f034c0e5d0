"""Configuration mode: the candidate is edited here, in the console; checks, tests and commit are a verb's, in a child.

The exclusive lock is held from ``configure`` to ``exit``. A session that ends otherwise (cable, BREAK, idle) lets go of
the lock and leaves the candidate where it is; the next one is told.
"""

from __future__ import annotations

from agent.console.commands_config import TESTS_S
from agent.console.config_words import expanded, key_of
from agent.console.row import CONFIGURATION, OPERATIONAL
from agent.console.steps import Ended, Interrupted, Run, Show, say
from agent.console.tree import Refused
from agent.console.wording import spoken
from agent.errors import AgentError, FileError
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.console.filters import Filters
    from agent.console.session import Session
    from agent.console.steps import Talk
    from agent.console.tree import Call

_ANEW: Final = "The layout of the file could not be kept: the candidate is written anew, without its comments."
MAX_CONFIRM_MINUTES: Final = 1440


def enter(session: Session, call: Call, chain: Filters) -> Talk:
    """Enter configuration mode."""
    assert session.user is not None
    stage = session.world.stage()
    stage.lock(f"{session.user.name} on {session.world.record.line}")
    session.stage, session.mode, session.edit = stage, CONFIGURATION, ()
    yield say(*_notes(session), "Configuration mode: nothing is in force before 'commit'.")
    if stage.changed:
        found = stage.edited_by()
        by = f" by {found.who}" if found is not None and found.who else ""
        yield say(
            f"There is a candidate{by} with {len(stage.compare())} changes that are not committed; see 'compare'."
        )


def leave_mode(session: Session) -> Talk:
    """Leave it; refused while there are changes."""
    if session.edit:
        session.edit = ()
        return
    if session.stage.changed:
        yield say("Not left: the candidate has changes. 'commit' them or 'discard' them; 'compare' shows them.")
        return
    session.stage.unlock()
    session.stage, session.mode = None, OPERATIONAL


def set_(session: Session, call: Call, chain: Filters) -> Talk:
    """Set a key of the candidate; what stands behind the key is its value."""
    from agent.config.difference import divide

    words = _words(session, call)
    path, value = divide(words, session.stage.document())
    if key_of(words) is not None and value is None:
        raise Interrupted(f"'{' '.join(words)}' needs a value; ? says which")
    if not session.stage.set(path, value):
        yield say(_ANEW)


def delete(session: Session, call: Call, chain: Filters) -> Talk:
    """Take something out of the candidate."""
    if not session.stage.delete(_words(session, call)):
        yield say(_ANEW)


def show(session: Session, call: Call, chain: Filters) -> Talk:
    """Show the candidate, or what of it is below some words."""
    from agent.console.words import split

    words = _words(session, call)
    if words:
        _in_candidate(session, call, words)
    lines = [line for line in session.stage.commands() if split(line)[0].words[1 : 1 + len(words)] == words]
    yield Show(tuple(lines) or ("(nothing is set: defaults)",), chain)


def compare(session: Session, call: Call, chain: Filters) -> Talk:
    """Show what the candidate changes."""
    lines = session.stage.compare(_number(call.value("N")) if call.has("N") else 0)
    yield Show(tuple(lines) or ("no changes",), chain)


def commit(session: Session, call: Call, chain: Filters) -> Talk:
    """Check, test and commit in a child; or only check."""
    if call.has("check"):
        problems = session.stage.problems()
        yield Show(tuple(problems) or ("The candidate can be committed.",), chain)
        return
    waits = session.stage.pending() is not None and not call.has("confirmed")
    if not session.stage.changed and not waits:  # a commit of what waits confirms it
        raise Interrupted("there is nothing to commit: the candidate is what is in force")
    assert session.user is not None
    options = [f"--who={session.user.name}", f"--config={session.world.config}"]
    if call.has("confirmed"):
        minutes = _number(call.value("confirmed"))
        if not 1 <= minutes <= MAX_CONFIRM_MINUTES:
            raise Interrupted(f"minutes are from 1 to {MAX_CONFIRM_MINUTES}")
        options.append(f"--confirm={minutes}")
    if call.value("comment"):
        options.append(f"--comment={call.value('comment')}")
    if call.value("tests"):
        options.append(f"--tests={call.value('tests')}")
    if call.has("no-tests"):
        options.append("--no-tests")
    ended: Ended = yield Run(
        ("agent", "config", "commit", *options),
        filters=chain,
        wait_s=TESTS_S,
        whole=True,
        wording=spoken(mode=CONFIGURATION),
    )
    outcome = ended.why or ("ok" if ended.status == 0 else f"status {ended.status}")
    session.note("commit", outcome, call.value("comment"))
    session.world.refresh()


def update(session: Session, call: Call, chain: Filters) -> Talk:
    """Put the candidate on top of a file that was changed."""
    if not session.stage.update():
        yield say(_ANEW)
    yield say(f"The candidate is on top of the file: {len(session.stage.compare())} changes; see 'compare'.")


def rollback(session: Session, call: Call, chain: Filters) -> Talk:
    """Make an older generation the candidate."""
    number = session.stage.rollback(_number(call.value("N")))
    yield say(f"Generation {number} is the candidate: 'compare' shows what it changes, 'commit' puts it in force.")


def discard(session: Session, call: Call, chain: Filters) -> Talk:
    """Throw the candidate away."""
    yield say("Discarded." if session.stage.discard() else "There were no changes.")


def edit(session: Session, call: Call, chain: Filters) -> None:
    """Go below some words."""
    words = _words(session, call)
    if key_of(words) is not None:
        raise Interrupted(f"nothing is below '{' '.join(words)}'")
    _in_candidate(session, call, words)
    session.edit = words


def up(session: Session, call: Call, chain: Filters) -> None:
    """Go one word up."""
    session.edit = session.edit[:-1]


def top(session: Session, call: Call, chain: Filters) -> None:
    """Go to the top."""
    session.edit = ()


def run(session: Session, call: Call, chain: Filters) -> Talk:
    """Do a command of operational mode; it is noted as itself."""
    from agent.console.commands import COMMANDS
    from agent.console.complete import source_of
    from agent.console.shell import done, masked
    from agent.console.tree import Tree
    from agent.console.words import joined

    assert session.user is not None
    words = call.all("COMMAND")
    try:
        wanted = Tree(COMMANDS, OPERATIONAL, session.user.role, source_of(session)).find(words)
    except Refused as error:
        raise Interrupted(str(error)) from None
    if wanted.command.path in ("configure", "exit", "quit", "logout"):
        raise Interrupted(f"'{wanted.command.path}' makes no sense here")
    yield from done(session, wanted, chain, masked(session, wanted, joined(words)))


def next_words(session: Session, source: str, words: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return what may stand behind ``words``, below where the session is; ``<...>`` is told, not typed."""
    from agent.config import words_of

    try:
        document = session.stage.document()
        action = "set" if source == "config-value" else "delete"
        found = words_of.next_words(action, expanded((*session.edit, *words)), document)
    except (AgentError, OSError) as error:
        raise Refused(str(error)) from None
    return [(word.text, word.help) for word in found]


def masked_words(session: Session, call: Call) -> list[str]:
    """Return the words of a call with the value of a secret key masked, however many words it has."""
    from agent.config import key_path
    from agent.config.difference import divide
    from agent.config.schema import MASK

    words = call.all("KEY")
    try:
        document = session.stage.document()
        path, value = divide(_words(session, call), document)
        key = key_path.find(path, document).key
    except AgentError:
        return words
    if key is None or not key.secret or value is None:
        return words
    return [*words[: len(path) - len(session.edit)], MASK]


def _words(session: Session, call: Call) -> tuple[str, ...]:
    return expanded((*session.edit, *call.all("KEY")))


def _in_candidate(session: Session, call: Call, words: tuple[str, ...]) -> None:
    """Raise ``Refused`` for words that name nothing."""
    from agent.console.commands import COMMANDS

    try:
        next_words(session, "config-value", tuple(call.all("KEY")))
    except Refused:
        path = f"{call.command.path} {words[0]}"
        if any(one.path == path and one.mode == OPERATIONAL for one in COMMANDS):
            raise Refused(f"'{path}' is a command of operational mode: 'run {path}'") from None
        raise


def _notes(session: Session) -> list[str]:
    try:
        return [f"Note: {note}." for note in session.stage.notice()]
    except FileError as error:
        return [f"Note: {error}."]


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 7):
        raise Interrupted(f"'{text}' is not a number")
    return int(text)
