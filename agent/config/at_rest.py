"""Whether anything is to be done about a configuration before it is read: a look that costs a start next to nothing."""

from __future__ import annotations

import os

from agent.typed import Final

SUFFIX: Final = ".history"
NEXT, PENDING, NOTICE = "next.toml", "pending", "notice"


def history_of(path: str) -> str:
    """Return the folder of a configuration's generations, whether there is one or not."""
    return os.path.realpath(path) + SUFFIX


def at_rest(path: str) -> bool:
    """Whether no commit was cut off, nothing waits to be confirmed, and there is a file with something in it."""
    history = history_of(path)
    if not os.path.isdir(history):
        return True
    if os.path.lexists(f"{history}/{NEXT}") or os.path.lexists(f"{history}/{PENDING}"):
        return False
    try:
        with open(path, "rb") as file:
            return bool(file.read(4096).strip())
    except OSError:
        return False


def in_force(path: str) -> int:
    """Return the number of the generation whose text the file has; 0 for none."""
    history = history_of(path)
    try:
        with open(path, "rb") as file:
            text = file.read()
        newest = max((name for name in os.listdir(history) if len(name) == 11 and name[:6].isdigit()), default="")
        with open(f"{history}/{newest}", "rb") as file:
            head, _, rest = file.read().partition(b"\n")
    except OSError:
        return 0
    same = head.startswith(b"#") and rest.partition(b"\n")[2] == text
    return int(newest[:6]) if same else 0


def may_write(path: str) -> bool:
    """Whether this process may put another file in the place of ``path``."""
    real = os.path.realpath(path)
    try:
        return os.access(os.path.dirname(real), os.W_OK) and os.geteuid() in (0, os.stat(real).st_uid)
    except OSError:
        return False
