"""The ``openssl`` command of the machine, which makes keys and requests; Python's ``ssl`` makes none."""

from __future__ import annotations

from agent.errors import FileError
from agent.typed import Final

# Key making takes milliseconds, on a slow box with RSA a few seconds; a minute means the machine has other problems.
_TIMEOUT_S: Final = 60


def openssl(*arguments: str, given: bytes = b"") -> bytes:
    """Run ``openssl`` with ``given`` on its standard input; returns what it prints. Raises ``FileError``."""
    import subprocess

    try:
        done = subprocess.run(  # noqa: S603  fixed command, arguments are ours, no shell
            ("openssl", *arguments),  # noqa: S607  the openssl of the machine is wanted, wherever it is
            input=given,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except FileNotFoundError:
        raise FileError(
            "the 'openssl' command is not installed", hint="Install it (Debian: apt install openssl) and try again."
        ) from None
    except subprocess.TimeoutExpired:
        raise FileError(f"openssl {arguments[0]} did not end within {_TIMEOUT_S} s") from None
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise FileError(f"openssl {arguments[0]} failed: {lines[-1] if lines else f'status {done.returncode}'}")
    return done.stdout
