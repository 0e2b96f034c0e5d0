"""``tls import`` and ``factory reset`` at the console: a paste is shown before it is kept, a reset is asked for twice.

PEM is pasted block by block: nothing of it is echoed, nothing of it is a command, and between two blocks an empty line
ends it. What it is, with its fingerprint, is said by the verb without keeping it (``--dry-run``); only a yes keeps it.
"""

from __future__ import annotations

from agent.console.row import may
from agent.console.steps import Ask, Ended, Interrupted, Paste, Run, ask, say
from agent.console.wording import spoken
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Generator

    from agent.console.editor import Entered
    from agent.console.filters import Filters
    from agent.console.session import Session
    from agent.console.steps import Step, Talk
    from agent.console.tree import Call
    from agent.typed import Any

PASTE_LIMIT: Final = 65_536
_END: Final = "-----END "
_BEGIN: Final = "-----BEGIN "
_BLOCKS: Final = 16
# openssl and a handshake in memory, on a slow box.
IMPORT_S: Final = 120.0
RESET_S: Final = 300.0


def paste(session: Session, call: Call, chain: Filters) -> Talk:
    """Take a certificate, a CA or a CRL that is pasted."""
    what = call.value("WHAT")
    yield say("Paste it in PEM form, with its BEGIN and END lines; it is not echoed. ^C aborts.")
    text = yield from pasted()
    yield from judged(session, what, text.encode(), _more(call))


def pasted() -> Generator[Step, Any, str]:
    """Take pasted blocks until an empty line stands where the next one would begin; raises ``Interrupted``."""
    text, begun = "", ""
    for number in range(1, _BLOCKS + 1):
        given: Entered = yield Paste(_END, PASTE_LIMIT - len(text))
        if given.how == "limit":
            raise Interrupted("that is more than 64 KiB; nothing was kept")
        if given.how != "enter":
            raise Interrupted("interrupted; nothing was kept")
        if given.tainted:
            raise Interrupted("noise came with it; nothing was kept. Paste it again, or use 'file receive'")
        text += begun + given.text
        begun = ""
        while not begun:
            after: Entered = yield Ask(f"({number} taken; paste the next one, or Enter) ", secret=True)
            if after.how != "enter" or after.tainted:
                raise Interrupted("interrupted; nothing was kept")
            if not after.text.strip():
                return text
            if after.text.startswith(_BEGIN):
                begun = after.text + "\n"
    raise Interrupted(f"these are more than {_BLOCKS} certificates; nothing was kept")


def judged(session: Session, what: str, data: bytes, more: tuple[str, ...] = ()) -> Talk:
    """Say what it is, and keep it if that is wanted."""
    argv = ("agent", "tls", "import", what, "-", f"--config={session.world.config}", *more)
    shown: Ended = yield Run((*argv, "--dry-run"), data, wait_s=IMPORT_S, whole=True, wording=spoken())
    if shown.status or shown.why:
        session.note("import", "refused", what)
        raise Interrupted("nothing was kept")
    answer = yield from ask("Keep it? Compare the SHA-256 with whoever sent it [yes/no] ", fresh=True)
    if answer.strip().lower() != "yes":
        raise Interrupted("nothing was kept")
    kept: Ended = yield Run(argv, data, shown=False, wait_s=IMPORT_S)
    session.note("import", "failed" if kept.status or kept.why else "kept", what)
    if kept.status or kept.why:
        raise Interrupted(f"it could not be kept (exit status {kept.status})")
    yield say(*_outcome(kept.output))


def _outcome(output: bytes) -> list[str]:
    """Return the last words of the verb: where it is, and what is to be set."""
    lines = output.decode("utf-8", "replace").strip().split("\n")
    at = next((at for at, line in enumerate(lines) if line.startswith(("kept as", "/")) or "nothing to do" in line), 0)
    return lines[at:]


def _more(call: Call) -> tuple[str, ...]:
    named = call.value("destination")
    return (*((f"--destination={named}",) if named else ()), *(("--add",) if call.has("add") else ()))


def factory(session: Session, call: Call, chain: Filters) -> Talk:
    """Reset the box: asked twice, the second time by its name."""
    argv = ("agent", "reset", "--factory", f"--config={session.world.config}")
    shown: Ended = yield Run((*argv, "--dry-run"), wait_s=RESET_S, whole=True)
    if shown.status or shown.why:
        raise Interrupted("nothing was changed")
    answer = yield from ask("Users, configuration, certificates and keys go. Are you sure? [yes/no] ", fresh=True)
    if answer.strip().lower() != "yes":
        raise Interrupted("nothing was changed")
    name = session.world.host
    typed = yield from ask(f"Type the name of this box ({name}) to do it: ", fresh=True)
    if typed.strip() != name:
        raise Interrupted("that is not its name; nothing was changed")
    session.note("factory reset", "begun")
    done: Ended = yield Run(argv, wait_s=RESET_S, whole=True)
    session.note("factory reset", "failed" if done.status or done.why else "done")
    if done.status or done.why:
        raise Interrupted("the reset did not come to its end; it is finished by the next start")
    session.world.refresh()
    yield say("You are logged out; the next log-in sets a password.")
    session.user = None


def machine(session: Session, call: Call, chain: Filters) -> Talk:
    """Give the line to a program at the other end."""
    assert session.user is not None
    line = session.world.record.line or "-"
    argv = ("agent.console.machine", session.user.role, session.user.name, line, session.world.config)
    yield say("The line is a program's now; ^C ^C ^C gives it back.")
    ended: Ended = yield Run(argv, wait_s=0, raw=True)
    session.note("machine", ended.why or ("ok" if ended.status == 0 else f"status {ended.status}"))
    session.world.refresh()
    yield say("")


def needs_admin(session: Session) -> None:
    """Keys and certificates are the admin's."""
    if session.user is None or not may(session.user.role, "admin"):
        raise Interrupted("certificates need the role admin")
