"""Programs of the machine that an export may need, found when they are needed; who has none is told how to get one."""

from __future__ import annotations

from agent.errors import FileError
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

# A disc image of 50 GB at 20 MB/s.
LIMIT_S: Final = 3600.0
_PACKAGES: Final = {"openssl": "openssl", "xorriso": "xorriso", "genisoimage": "genisoimage"}


def found(*names: str) -> str:
    """The path of the first of some programs that is there; raises ``FileError`` with how to install one."""
    import shutil

    for name in names:
        path = shutil.which(name)
        if path:
            return path
    package = _PACKAGES.get(names[0], names[0])
    raise FileError(
        f"{' or '.join(names)} is not installed", hint=f"Install it (Debian: apt install {package}) and try again."
    )


def run(words: Sequence[str], what: str, passed: Sequence[int] = (), limit_s: float = LIMIT_S) -> bytes:
    """Run one; returns what it printed. Raises ``FileError`` with its last words. ``passed``: descriptors it gets."""
    import subprocess

    try:
        done = subprocess.run(  # noqa: S603  a program that was found, arguments are ours, no shell
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=limit_s, check=False, pass_fds=passed
        )
    except OSError as error:
        raise FileError(f"{what}: {error}") from None
    except subprocess.TimeoutExpired:
        raise FileError(f"{what} was not done after {limit_s:.0f} s and was ended") from None
    if done.returncode:
        lines = (done.stderr or done.stdout).decode("utf-8", "replace").strip().splitlines()
        raise FileError(f"{what} failed: {lines[-1] if lines else f'status {done.returncode}'}")
    return done.stdout
