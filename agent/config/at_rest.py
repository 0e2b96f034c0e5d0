"""Whether anything is to be done about a configuration before it is read: a look that costs a start next to nothing."""

from __future__ import annotations

import os

from agent.errors import AgentError
from agent.typed import Final, NamedTuple

SUFFIX: Final = ".history"
NEXT, PENDING, NOTICE = "next.toml", "pending", "notice"
RESET: Final = ".reset"
FINISHED: Final = "a factory reset that was cut off was finished: this is the configuration of the first start"


class Newest(NamedTuple):
    """Its number, 0 for none, and its first line."""

    number: int
    head: bytes

    def came_by(self, how: str) -> bool:
        """Whether it was made in this way, as ``generations`` writes it down."""
        return f'"how": "{how}"'.encode() in self.head


def history_of(path: str) -> str:
    """Return the folder of a configuration's generations, whether there is one or not."""
    return os.path.realpath(path) + SUFFIX


def reset_waits(path: str) -> bool:
    """Whether a factory reset was decided and cut off: what is there is neither the old box nor the new one."""
    return os.path.isfile(os.path.realpath(path) + RESET)


def at_rest(path: str) -> bool:
    """Whether no commit or reset was cut off, nothing waits to be confirmed, and the file is its newest generation.

    Another one, which this process may not make a generation, is left to who may.
    """
    history = history_of(path)
    if reset_waits(path):
        return False
    if not os.path.isdir(history):
        return True
    if os.path.lexists(f"{history}/{NEXT}") or os.path.lexists(f"{history}/{PENDING}"):
        return False
    return in_force(path) > 0 or (os.path.exists(path) and not may_write(path))


def bring_to_rest(path: str) -> list[str]:
    """Do what is to be done; returns what that was, in words. Who may not do it is told, and goes on with what is."""
    if at_rest(path):
        return []
    from agent.config.stage import Stage

    try:
        return Stage(path).revert_if_due()
    except (AgentError, OSError) as error:
        return [f"the configuration cannot be seen to: {error}"]


def in_force(path: str) -> int:
    """Return the number of the generation whose text the file has; 0 for none."""
    return newest(path).number


def newest(path: str) -> Newest:
    """Return the newest generation, if the file has its text."""
    history = history_of(path)
    try:
        with open(path, "rb") as file:
            text = file.read()
        name = max((name for name in os.listdir(history) if len(name) == 11 and name[:6].isdigit()), default="")
        with open(f"{history}/{name}", "rb") as file:
            head, _, rest = file.read().partition(b"\n")
    except OSError:
        return Newest(0, b"")
    same = head.startswith(b"#") and rest.partition(b"\n")[2] == text
    return Newest(int(name[:6]), head) if same else Newest(0, b"")


def may_write(path: str) -> bool:
    """Whether this process may put another file in the place of ``path``."""
    real = os.path.realpath(path)
    try:
        return os.access(os.path.dirname(real), os.W_OK) and os.geteuid() in (0, os.stat(real).st_uid)
    except OSError:
        return False
