"""The running agent and a configuration that was committed: tested before, reloaded after, and what that changed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time

from agent.app.control import ask
from agent.config.changes import Effects, changes, effects
from agent.config.load import load, parse
from agent.errors import AgentError, AgentSilent, ConfigError, FileError, NotFound, SelfTestFailed
from agent.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from agent.config.settings import Settings
    from agent.config.stage import Stage

# A reload rehearses every source, in a process of its own, before it says anything.
RELOAD_S: Final = 60.0
_ALL: Final = "Correct the candidate; 'config check --candidate' lists every problem."
_PAUSE_S: Final = 0.1
# A C-ECHO to each of 32 destinations that do not answer, half of them at a time, a few seconds for each step.
TESTS_S: Final = 180.0


class Applied(NamedTuple):
    """What came of a commit beyond the files; ``ok``: the agent that runs, if any, goes on as it is meant to."""

    lines: list[str]
    ok: bool = True


def apply(path: str, before: str) -> Applied:
    """Tell the agent that runs with ``path`` to reload; says what takes effect when. ``before``: the text until now."""
    after = load(path)
    old = _settings(before, path)
    found = effects(changes(old, after)) if old is not None else Effects(["everything"], [], [])
    login = [f"at the next log-in: {'; '.join(found.login)}"] if found.login else []
    if not found.reload and not found.restart:
        return Applied(login or ["nothing that the agent does changes"])
    try:
        status = _status(old or after, path)
    except AgentSilent as error:
        return Applied([f"{error}; until it is restarted it goes on with the configuration before", *login], ok=False)
    if status is None:
        return Applied(["no agent runs with it: it takes effect at the next start", *login])
    if found.restart:
        late = "until then the running agent goes on with all of the configuration before"
        return Applied([f"needs a restart of the agent: {'; '.join(found.restart)}", late, *login])
    done = _reload(old or after, found.reload)
    return done._replace(lines=[*done.lines, *login])


def checked(stage: Stage) -> list[str]:
    """Look at the candidate as a start does, certificates and sources too; returns notes.

    Raises ``ConfigError`` or ``TlsRefused``: a box whose file its own start refuses would not come up again.
    """
    from agent.app.certificates import ending
    from agent.app.wiring import check_tls

    problems = stage.problems()
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise ConfigError(problems[0] + more, hint=_ALL)
    settings = parse(stage.text(), path=stage.path, files=True)
    check_tls(settings)
    notes = ending(settings, time.time())
    if settings.source:
        from agent.acquire.rehearsal import rehearse_sources

        found = rehearse_sources(settings)
        if found.problems:
            raise ConfigError(
                "candidate: " + "; ".join(f"{where}: {what}" for where, what in found.problems), hint=_ALL
            )
        notes += found.notes
    return notes


def _reload(settings: Settings, now: list[str]) -> Applied:
    root = settings.spool.path
    until = time.monotonic() + RELOAD_S
    try:
        count = (ask(root, {"verb": "reload"}) or {}).get("reloads", 0)
        while time.monotonic() < until:
            answer = ask(root, {"verb": "status"}) or {}
            if answer.get("reloads", 0) > count:
                refused = answer.get("refused")
                if refused:
                    return Applied([f"the running agent refuses it: {refused['reason']}"], ok=False)
                return Applied([f"in effect: {'; '.join(now)}"])
            time.sleep(_PAUSE_S)
    except AgentError as error:
        return Applied([f"the running agent was told to reload and did not answer: {error}"], ok=False)
    return Applied([f"the running agent has not reloaded within {RELOAD_S:.0f} s; see its log"], ok=False)


def _settings(text: str, path: str) -> Settings | None:
    try:
        return parse(text, path=path) if text else None
    except ConfigError:
        return None


def _status(settings: Settings, path: str) -> dict[str, Any] | None:
    """Ask the agent of this very file; None when there is none. Raises ``AgentSilent``."""
    try:
        answer = ask(settings.spool.path, {"verb": "status"})
    except AgentSilent:
        raise
    except (AgentError, OSError):
        return None
    if answer is None or os.path.realpath(str(answer.get("config"))) != os.path.realpath(path):
        return None
    return answer


def refuse_mute(path: str) -> None:
    """Raise ``FileError`` when the running agent could not take back what nobody confirms."""
    try:
        status = _status(load(path), path)
    except (ConfigError, AgentSilent):
        return
    if status is not None and not status.get("may_revert", True):
        folder = os.path.dirname(os.path.realpath(path))
        raise FileError(f"the running agent may not write in {folder}, so it could not revert what nobody confirms",
                        hint="Let its user own the folder and the file, or commit for good.")  # fmt: skip


def tested(text: str, path: str, names: str) -> list[str]:
    """Run self-tests on a configuration, those of ``names`` (``a,b``) or all; returns notes.

    Raises ``SelfTestFailed`` with what each of them said, and ``NotFound`` for a name of none.
    """
    from agent.app.selftest import groups
    from agent.config.render import in_force

    settings = parse(text, path=path)
    chosen, known = [name for name in names.split(",") if name], groups(settings, 0.0)
    for name in chosen:
        if name not in known:
            raise NotFound(f"there is no self-test '{name}'", hint=f"There are: {', '.join(known)}.")
    with tempfile.TemporaryDirectory(prefix="modality-agent-") as folder:
        file = f"{folder}/candidate.toml"
        with open(file, "w", encoding="utf-8") as out:
            out.write(in_force(settings, masked=False))  # all paths absolute
        found = _selftest(file, chosen)
    lines = [f"{one['outcome']} {one['name']}: {one['says']}" + (f"; {one['do']}" if one["do"] else "")
             for one in found["checks"]]  # fmt: skip
    if found["passed"]:
        return [line for line, one in zip(lines, found["checks"], strict=True) if one["outcome"] != "ok"]
    error = SelfTestFailed("a self-test of the candidate failed, and it is not committed")
    error.lines = lines
    raise error


def _selftest(file: str, names: list[str]) -> dict[str, Any]:
    command = [sys.executable, "-P", "-m", "agent", "selftest", "--config", file, "--json", "--", *names]
    try:
        done = subprocess.run(  # noqa: S603  our own program and arguments, no shell
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=TESTS_S
        )
        found: dict[str, Any] = json.loads(done.stdout)
        return found if "checks" in found else {"passed": False, "checks": [], **found}
    except subprocess.TimeoutExpired:
        raise SelfTestFailed(f"the self-tests did not end within {TESTS_S:.0f} s") from None
    except ValueError:
        raise SelfTestFailed(f"the self-tests ended by themselves: {done.stderr.strip()[-500:]}") from None
