"""Passwords are hashed in a process of its own, because scrypt takes 16 MiB and OpenSSL four more.

    python -m agent.console.hashing make      password on stdin; prints scrypt:N:r:p:SALT:HASH
    python -m agent.console.hashing check     stored secret, a line end, password on stdin; exit status 0: it is his

The password comes through a pipe: it is in no argument, environment or file. A user that does not exist is checked
against ``NOBODY``, which takes as long and never succeeds.
"""

from __future__ import annotations

import sys

from agent.typed import Final

# RFC 7914: 128 * N * r = 16 MiB, about 50 ms of a small core.
_N: Final = 16_384
_R: Final = 8
_P: Final = 1
_N_LIMIT: Final = 1 << 20
_SALT_BYTES: Final = 16
_INPUT_LIMIT: Final = 4096
NOBODY: Final = f"scrypt:{_N}:{_R}:{_P}:{'00' * _SALT_BYTES}:-"


def make(password: bytes) -> str:
    """Return what may be kept of ``password``."""
    import hashlib
    import os

    salt = os.urandom(_SALT_BYTES)
    made = hashlib.scrypt(password, salt=salt, n=_N, r=_R, p=_P, maxmem=1 << 26, dklen=32)
    return f"scrypt:{_N}:{_R}:{_P}:{salt.hex()}:{made.hex()}"


def check(secret: str, password: bytes) -> bool:
    """Whether ``password`` is the one that ``secret`` was made of."""
    import hashlib
    import hmac

    kind, n, r, p, salt, wanted = secret.split(":")
    if kind != "scrypt" or not 1 < int(n) <= _N_LIMIT:
        return False
    memory = 128 * int(n) * int(r) * int(p) + (1 << 21)
    made = hashlib.scrypt(password, salt=bytes.fromhex(salt), n=int(n), r=int(r), p=int(p), maxmem=memory, dklen=32)
    return hmac.compare_digest(made.hex(), wanted)


def main(words: list[str]) -> int:
    """Do what ``words`` ask for."""
    given = sys.stdin.buffer.read(_INPUT_LIMIT)
    if words == ["make"]:
        sys.stdout.write(make(given))
        return 0
    if words == ["check"]:
        secret, _, password = given.partition(b"\n")
        try:
            return 0 if check(secret.decode("ascii"), password) else 1
        except ValueError:
            return 2
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
