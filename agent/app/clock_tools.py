"""The programs that keep the time of the operating system: timedatectl, chrony; called, never imitated.

Who may not call them, or has none, is told the line to type. A server goes into a file of its own, so that what the
distribution wrote stays as it is, and what was named before is replaced.
"""

from __future__ import annotations

import os
import time

from agent.errors import FileError, NotAllowed, SpoolError
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

CHRONY: Final = "/etc/chrony/sources.d"
TIMESYNCD: Final = "/etc/systemd/timesyncd.conf.d"
_OURS: Final = "modality-agent"
_WITHIN_S: Final = 20.0
_PATH: Final = "/usr/sbin:/usr/bin:/sbin:/bin"
_SAID: Final = 300


def set_time(at: float) -> None:
    """Set the clock; raises ``NotAllowed`` with the line to type."""
    local = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
    if _which("timedatectl"):
        reason = _run("timedatectl", "set-time", local)
        if not reason:
            return
        if "synchronization" in reason.lower():  # it refuses while a server is followed
            raise NotAllowed(
                f"the clock follows a time server: {reason}",
                hint=f"To set it by hand all the same: sudo timedatectl set-ntp false; "
                f"sudo timedatectl set-time '{local}'",
            )
        raise _refused("the clock was not set", reason, f"timedatectl set-time '{local}'")
    reason = _run("date", "-s", local)
    if reason:
        raise _refused("the clock was not set", reason, f"date -s '{local}'")


def set_zone(name: str, path: str) -> None:
    """Set the time zone; raises ``NotAllowed`` with the line to type."""
    reason = _run("timedatectl", "set-timezone", name) if _which("timedatectl") else "timedatectl is not here"
    if reason:
        line = f"timedatectl set-timezone {name}" if _which("timedatectl") else f"ln -sf {path} /etc/localtime"
        raise _refused("the time zone was not set", reason, line)


def set_server(server: str) -> str:
    """Name the time server; returns who asks it. Raises ``NotAllowed`` or ``FileError``."""
    if _which("chronyc"):
        _write(CHRONY, f"{_OURS}.sources", f"server {server} iburst\n")
        reason = _run("chronyc", "reload", "sources")
        if reason:
            raise _refused("chrony did not take the server", reason, "chronyc reload sources")
        return "chrony"
    if not _which("timedatectl"):
        raise NotAllowed("nothing here can follow a time server", hint="Install chrony or systemd-timesyncd first.")
    _write(TIMESYNCD, f"{_OURS}.conf", f"[Time]\nNTP={server}\n")
    for words in (("systemctl", "restart", "systemd-timesyncd"), ("timedatectl", "set-ntp", "true")):
        reason = _run(*words)
        if reason:
            raise _refused("systemd-timesyncd did not take the server", reason, " ".join(words))
    return "systemd-timesyncd"


def servers() -> list[str]:
    """The time servers that were named here."""
    found = []
    for path, mark in ((f"{CHRONY}/{_OURS}.sources", "server "), (f"{TIMESYNCD}/{_OURS}.conf", "NTP=")):
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                lines = file.read(4096).splitlines()
        except OSError:
            continue
        found += [line.removeprefix(mark).split()[0] for line in lines if line.startswith(mark)]
    return found


def _refused(what: str, reason: str, line: str) -> NotAllowed:
    sudo = "" if os.geteuid() == 0 else "sudo "
    return NotAllowed(f"{what}: {reason}", hint=f"Type, with the right to: {sudo}{line}")


def _which(name: str) -> str:
    """The path of a program; also of one that is for administrators."""
    from shutil import which

    return which(name, path=os.environ.get("PATH", os.defpath)) or which(name, path=_PATH) or ""


def _run(*words: str) -> str:
    """Call a program; empty when it did it, else why it did not."""
    import subprocess

    path = _which(words[0])
    if not path:
        return f"{words[0]} is not on this box"
    try:
        done = subprocess.run(  # noqa: S603 - a program of the system, words of ours and checked ones of the user
            [path, *words[1:]], capture_output=True, text=True, errors="replace", timeout=_WITHIN_S, check=False,
            stdin=subprocess.DEVNULL, env={**os.environ, "LC_ALL": "C"},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"{words[0]} did not end within {_WITHIN_S:g} s"
    except OSError as error:
        return f"{words[0]}: {error.strerror}"
    if not done.returncode:
        return ""
    return (_last(done.stderr) or _last(done.stdout) or f"{words[0]} ended with status {done.returncode}")[:_SAID]


def _last(text: str) -> str:
    lines: Sequence[str] = text.strip().splitlines()
    return lines[-1].strip() if lines else ""


def _write(folder: str, name: str, text: str) -> None:
    from agent.spool.durable import Medium

    medium = Medium(folder)
    try:
        if not os.path.isdir(folder):
            Medium(os.path.dirname(folder)).make_folder(folder)
        medium.replace(f"{folder}/{name}", text.encode())
        os.chmod(f"{folder}/{name}", 0o644)
    except (SpoolError, OSError) as error:
        hint = f"Run this as root, or write into {folder}/{name}: {text.strip()!r}"
        raise FileError(f"{folder}/{name} cannot be written: {error}", hint=hint) from None
