"""The conversation from the banner to the prompt.

Noise at the log-in counts for nothing: a name or password that no keyboard sent is not tried, an empty one neither, so
that a bad cable cannot lock a technician out. Names that do not exist take as long as others and are locked as others
are (``lockout``); what was typed as a name is never written down, for it may be a password.

Before the first password is set there is one user, who may do nothing else than set it.
"""

from __future__ import annotations

import math

from agent.console.session import Login
from agent.console.shell import shell
from agent.console.steps import Ask, Ended, Interrupted, Pause, Run, ask, say
from agent.console.users import (
    DEFAULT_PASSWORD,
    FIRST_USER,
    MIN_PASSWORD,
    User,
    password_fault,
)
from agent.errors import FileError
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Generator

    from agent.console.session import Session
    from agent.console.steps import Step, Talk
    from agent.console.world import World

HASHING: Final = ("agent.console.hashing",)
HASH_S: Final = 20.0
# Even the first failure costs a moment: a stuck key or an echoing cable is not answered at full speed.
FAILED_S: Final = 1.0
LOCKED_S: Final = 5.0
TRIES: Final = 3
TROUBLE_S: Final = 15.0  # an agent that hangs costs five


def life(session: Session) -> Talk:
    """Log somebody in, serve him, and end; the session begins it again."""
    session.world.refresh()
    yield say("", *banner(session))
    while True:
        found = yield from _log_in(session)
        if found is not None:
            break
    yield from shell(session, found)


def banner(session: Session) -> list[str]:
    """Return what stands above the log-in."""
    world = session.world
    lines = [*world.manners.banner.split("\n")] if world.manners.banner else []
    lines.append(f"modality-agent on {world.host}")
    try:
        if not world.users.all():
            lines.append(f"First start: log in as {FIRST_USER}, password {DEFAULT_PASSWORD}, and set a password.")
    except FileError:
        pass
    return lines


def _log_in(session: Session) -> Generator[Step, Any, Login | None]:
    """One attempt; None when it failed."""
    world = session.world
    if session.now < session.rest_until:  # BREAK does not shorten the moment that a failure costs
        yield Pause(session.rest_until - session.now)
    name, password = yield from _typed(world)
    if not password:
        return None
    try:
        users = world.users.all()
    except FileError as error:
        yield say(f"Nobody can log in: {error}.", error.hint)
        yield Pause(FAILED_S)
        return None
    user = next((one for one in users if one.name == name), None)
    first = not users and name == FIRST_USER
    key = name if user is not None or first else world.lock.key_of(name)
    wait = world.lock.wait_s(key)
    if wait > 0:
        session.note("login", "locked", _recorded(key))
        yield say(f"Too many failures: locked for another {math.ceil(wait)} s.")
        yield Pause(min(wait, LOCKED_S))
        return None
    right = yield from _check(user, password)
    if not (right or (first and password == DEFAULT_PASSWORD)):
        yield from _refuse(session, key)
        return None
    failures = world.lock.succeeded(key)
    if user is None:
        return (yield from _first(session))
    session.user = Login(user.name, user.role)
    if failures:
        yield say(f"{failures} failed log-in{'s' * (failures != 1)} since the last one.")
    if world.users.note:
        yield say(f"Note: {world.users.note}.")
    if not world.fault:
        yield from _trouble(world)
    return session.user


def _trouble(world: World) -> Talk:
    """Say what is not well on this box, if anything is."""
    told: Ended = yield Run(("agent", "status", "--trouble", f"--config={world.config}"), shown=False, wait_s=TROUBLE_S)
    if told.status == 0 and not told.why and told.output:
        yield say(*told.output.decode("utf-8", "replace").splitlines())


def _typed(world: World) -> Generator[Step, Any, tuple[str, str]]:
    """Ask for name and password; both are empty when a person has not typed them."""
    given = yield Ask(f"{world.host} login: ", fresh=True)
    if given.how != "enter" or given.tainted or not given.text.strip():
        return "", ""
    secret = yield Ask("Password: ", secret=True)
    if secret.how != "enter" or secret.tainted or not secret.text:
        yield Pause(FAILED_S)  # an echoing cable answers for ever
        return "", ""
    return given.text.strip(), secret.text


def _check(user: User | None, password: str) -> Generator[Step, Any, bool]:
    from agent.console.hashing import NOBODY

    secret = user.secret if user is not None else NOBODY
    data = secret.encode() + b"\n" + password.encode("utf-8", "replace")
    ended = yield Run((*HASHING, "check"), data, shown=False, wait_s=HASH_S)
    assert isinstance(ended, Ended)
    return user is not None and ended.status == 0 and not ended.why


def _refuse(session: Session, key: str) -> Talk:
    delay = session.world.lock.failed(key)
    session.note("login", "refused", _recorded(key))
    session.rest_until = session.now + FAILED_S
    more = f" Wait {delay:.0f} s." if delay else ""
    yield say(f"Login incorrect.{more}")
    yield Pause(max(delay, FAILED_S))


def _recorded(key: str) -> str:
    return "a name that does not exist" if key.startswith("-") else key


def _first(session: Session) -> Generator[Step, Any, Login | None]:
    yield say("No password has been set on this box. Nothing else can be done before.")
    secret = yield from new_password(FIRST_USER)
    if secret is None:
        return None
    try:
        if not session.world.users.begin(User(FIRST_USER, "admin", secret)):
            yield say("Not kept: on another line a password was set meanwhile.")
            return None
    except FileError as error:
        yield say(f"The password could not be kept: {error}.", error.hint)
        return None
    session.user = Login(FIRST_USER, "admin")
    session.note("password", "set", f"the first one of {FIRST_USER}")
    yield say("Password set.")
    return session.user


def new_password(name: str) -> Generator[Step, Any, str | None]:
    """Ask twice for a new password of ``name``; returns what may be kept of it, or None."""
    yield say(f"A password: {MIN_PASSWORD} characters or more, without the default one and the user's name.")
    for _ in range(TRIES):
        try:
            first = yield from ask("New password: ", secret=True, fresh=True)
            fault = password_fault(first, name)
            if fault:
                yield say(f"Not taken: {fault}.")
                continue
            second = yield from ask("Again: ", secret=True)
        except Interrupted as error:
            yield say(f"{error}.")
            return None
        if first != second:
            yield say("Not taken: the two are not the same.")
            continue
        ended = yield Run((*HASHING, "make"), first.encode(), shown=False, wait_s=HASH_S)
        assert isinstance(ended, Ended)
        if ended.status == 0 and ended.output.startswith(b"scrypt:"):
            return ended.output.decode("ascii")
        yield say("Not taken: the password could not be hashed (no memory?). Try again.")
    return None
