"""The running agent and a configuration that was committed: tested before, reloaded after, and what that changed."""

from __future__ import annotations

import os
import time

from agent.app.control import ask
from agent.config.changes import changes, effects
from agent.config.load import load, parse
from agent.errors import AgentError, ConfigError, FileError, SelfTestFailed
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from agent.config.settings import Settings
    from agent.config.stage import Stage

# A reload rehearses every source, in a process of its own, before it says anything.
RELOAD_S: Final = 60.0
_PAUSE_S: Final = 0.1
# A C-ECHO to each of 32 destinations that do not answer, ten seconds each, and some more.
TESTS_S: Final = 400.0


def apply(path: str, before: str) -> list[str]:
    """Tell the agent that runs with ``path`` to reload; says what takes effect when. ``before``: the text until now."""
    after = load(path)
    old = _settings(before, path)
    now, late = effects(changes(old, after)) if old is not None else (["everything"], [])
    status = _status(old or after, path)
    if status is None:
        return ["no agent runs with it: it takes effect at the next start"]
    if late:
        return [f"needs a restart of the agent: {'; '.join(late)}",
                "until then the running agent goes on with all of the configuration before"]  # fmt: skip
    if not now:
        return ["nothing that the agent does changes"]
    return _reload(old or after, now)


def _reload(settings: Settings, now: list[str]) -> list[str]:
    root = settings.spool.path
    until = time.monotonic() + RELOAD_S
    try:
        count = (ask(root, {"verb": "reload"}) or {}).get("reloads")
        while time.monotonic() < until:
            answer = ask(root, {"verb": "status"}) or {}
            if count is None or answer.get("reloads", 0) > count:
                refused = answer.get("refused")
                if refused:
                    return [f"the running agent refuses it: {refused['reason']}"]
                return [f"in effect: {'; '.join(now)}"]
            time.sleep(_PAUSE_S)
    except AgentError as error:
        return [f"the running agent was told to reload and did not answer: {error}"]
    return [f"the running agent has not reloaded within {RELOAD_S:.0f} s; 'status' shows when it has"]


def _settings(text: str, path: str) -> Settings | None:
    try:
        return parse(text, path=path) if text else None
    except ConfigError:
        return None


def _status(settings: Settings, path: str) -> dict[str, Any] | None:
    """Ask the agent of this very file; None when there is none."""
    try:
        answer = ask(settings.spool.path, {"verb": "status"})
    except (AgentError, OSError):
        return None
    if answer is None or os.path.realpath(str(answer.get("config"))) != os.path.realpath(path):
        return None
    return answer


def refuse_mute(path: str) -> None:
    """Raise ``FileError`` when the running agent could not take back what nobody confirms."""
    try:
        status = _status(load(path), path)
    except ConfigError:
        return
    if status is not None and not status.get("may_revert", True):
        folder = os.path.dirname(os.path.realpath(path))
        raise FileError(f"the running agent may not write in {folder}, so it could not revert what nobody confirms",
                        hint="Let its user own the folder and the file, or commit without --confirm.")  # fmt: skip


def tested(stage: Stage) -> list[str]:
    """Run the self-tests on the candidate; returns notes, raises ``SelfTestFailed``."""
    from agent.app.verbs import find

    if find("selftest") is None:
        return []
    import subprocess
    import sys
    import tempfile

    from agent.config.render import in_force

    settings = parse(stage.text(), path=stage.path)
    with tempfile.TemporaryDirectory(prefix="modality-agent-") as folder:
        file = f"{folder}/candidate.toml"
        with open(file, "w", encoding="utf-8") as out:
            out.write(in_force(settings, masked=False))  # all paths absolute
        command = [sys.executable, "-P", "-m", "agent", "selftest", "--config", file]
        try:
            done = subprocess.run(  # noqa: S603  our own program and arguments, no shell
                command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=TESTS_S
            )
        except subprocess.TimeoutExpired:
            raise SelfTestFailed(f"the self-tests did not end within {TESTS_S:.0f} s") from None
    said = [row for row in done.stdout.splitlines() if row.strip()]
    if done.returncode:
        for row in [*said, *done.stderr.splitlines()]:
            sys.stderr.write(f"  {row}\n")
        raise SelfTestFailed("a self-test of the candidate failed; it is not committed")
    return []
