"""``user add|delete|password|role``, ``password`` and ``show users``.

Passwords are asked for, twice, never typed in a command. One admin remains: without one nobody could make another.
"""

from __future__ import annotations

from agent.console.row import ROLE_HELP, ROLES
from agent.console.steps import Interrupted, Show, say
from agent.console.users import MAX_USERS, User, name_fault
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.console.filters import Filters
    from agent.console.session import Session
    from agent.console.steps import Talk
    from agent.console.tree import Call


def show(session: Session, call: Call, chain: Filters) -> Talk:
    """Show who may log in."""
    users = session.world.users.all()
    width = max((len(user.name) for user in users), default=4)
    rows = [f"{user.name:<{width}}  {user.role:<10}  {ROLE_HELP[user.role]}" for user in users]
    yield Show((f"{'user':<{width}}  {'role':<10}  may", *rows), chain)


def add(session: Session, call: Call, chain: Filters) -> Talk:
    """Add a user."""
    name, role_ = call.value("NAME"), _role(call.value("ROLE"))
    users = session.world.users.all()
    if fault := name_fault(name):
        raise Interrupted(fault)
    if any(user.name == name for user in users):
        raise Interrupted(f"there is a user {name} already")
    if len(users) >= MAX_USERS:
        raise Interrupted(f"there are {MAX_USERS} users already, which is all there can be")
    yield from _set(session, name, role_, "added")


def delete(session: Session, call: Call, chain: Filters) -> Talk:
    """Delete a user; one who is logged in is logged out with his next command."""
    user = _known(session, call)
    _keep_an_admin(session, user)
    session.world.users.delete(user.name)
    session.note("user", "deleted", user.name)
    yield say(f"{user.name} can no longer log in.")


def password(session: Session, call: Call, chain: Filters) -> Talk:
    """Set the password of a user."""
    user = _known(session, call)
    yield from _set(session, user.name, user.role, "password")


def own(session: Session, call: Call, chain: Filters) -> Talk:
    """Set one's own password; the old one is asked for."""
    from agent.console.login import HASH_S, HASHING
    from agent.console.steps import Run, ask

    assert session.user is not None
    user = session.world.users.find(session.user.name)
    if user is None:
        raise Interrupted(f"{session.user.name} is no longer a user")
    if session.world.lock.wait_s(user.name) > 0:
        raise Interrupted("too many failures: try again later")
    old = yield from ask("Old password: ", secret=True, fresh=True)
    ended = yield Run((*HASHING, "check"), f"{user.secret}\n{old}".encode(), shown=False, wait_s=HASH_S)
    if ended.status != 0 or ended.why:
        session.world.lock.failed(user.name)
        session.note("password", "refused", user.name)
        raise Interrupted("that is not your password; nothing was changed")
    yield from _set(session, user.name, user.role, "password")


def role(session: Session, call: Call, chain: Filters) -> Talk:
    """Change the role of a user."""
    user = _known(session, call)
    wanted = _role(call.value("ROLE"))
    if wanted != "admin":
        _keep_an_admin(session, user)
    session.world.users.put(user._replace(role=wanted))
    session.note("user", "role", f"{user.name} {wanted}")
    yield say(f"{user.name} is {wanted} from the next command on.")


def _set(session: Session, name: str, role_: str, event: str) -> Talk:
    from agent.console.login import new_password

    secret = yield from new_password(name)
    if secret is None:
        raise Interrupted("nothing was changed")
    session.world.users.put(User(name, role_, secret))
    session.note("user", event, f"{name} {role_}")
    yield say(f"{name} ({role_}): password set.")


def _known(session: Session, call: Call) -> User:
    name = call.value("NAME")
    user = session.world.users.find(name)
    if user is None:
        raise Interrupted(f"there is no user {name}; 'show users' lists them")
    return user


def _keep_an_admin(session: Session, user: User) -> None:
    if not any(one.role == "admin" and one.name != user.name for one in session.world.users.all()):
        raise Interrupted(f"{user.name} is the last admin: make another one first")


def _role(text: str) -> str:
    found = [one for one in ROLES if one.startswith(text)]
    if len(found) != 1:
        raise Interrupted(f"'{text}' is no role; there are {', '.join(ROLES)}")
    return found[0]
