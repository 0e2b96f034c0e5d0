"""A firmware of the front panel as it goes over the line. This very file runs on both ends.

An image is its manifest, then the files that it names, one behind the other. The manifest is lines of words::

    modality-agent panel firmware 1
    board pico_w
    version 0.2.0
    protocol 1
    file board.py 3012 SHA-256 in 64 hex digits
    end SHA-256 of all of this in front

An image is called by the SHA-256 of its manifest, which thereby stands for each byte of it.
"""

import binascii

TITLE = "modality-agent panel firmware 1"
MANIFEST_LIMIT = 3072  # as many files as there may be, and longer names than ours
FILES_LIMIT = 24
IMAGE_LIMIT = 1 << 17  # two of them are a third of the flash that a Pico W leaves for files
_NAME_LIMIT = 32
# Frozen and never replaced: what decides which firmware runs. Whoever loads these from a slot has no way back.
_FROZEN = ("main", "boot", "slots", "store", "store_pico_w", "store_wasm")
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_"


class Manifest:
    """What an image says of itself."""

    def __init__(self) -> None:
        self.board = ""
        self.version = (-1, 0, 0)
        self.protocol = -1
        self.files = []  # type: list[tuple[str, int, bytes]]  # name, size, SHA-256

    def size(self) -> int:
        """Return how many bytes its files have."""
        return sum([size for _, size, _ in self.files])


def parse(data: bytes | bytearray) -> Manifest:
    """Read a manifest; raises ``ValueError`` for anything that is none."""
    lines = bytes(data).decode().split("\n")
    if lines[0] != TITLE or lines[-1] or not lines[-2].startswith("end "):
        raise ValueError("it does not begin or end as a manifest does")
    found = Manifest()
    for line in lines[1:-2]:
        _take(found, line.split(" "))
    if not (found.board and found.version[0] >= 0 and found.protocol >= 0 and 0 < len(found.files) <= FILES_LIMIT):
        raise ValueError("it does not say board, version, protocol and files")
    if len({name.split(".")[0] for name, _, _ in found.files}) < len(found.files):
        raise ValueError("a module is in it twice")
    return found


def _take(found: Manifest, words: list[str]) -> None:
    key = words[0]
    if key == "file" and len(words) == 4:
        size, digest = int(words[2]), binascii.unhexlify(words[3])
        if not allowed(words[1]) or not 0 < size <= IMAGE_LIMIT or len(digest) != 32:
            raise ValueError("no such file can be: " + words[1])
        found.files.append((words[1], size, digest))
    elif key == "board" and len(words) == 2:
        found.board = words[1]
    elif key == "version" and len(words) == 2:
        found.version = version_of(words[1])
    elif key == "protocol" and len(words) == 2:
        found.protocol = int(words[1])
    else:
        raise ValueError("not understood: " + key)


def version_of(text: str) -> tuple[int, int, int]:
    """Read a version; raises ``ValueError``."""
    major, minor, patch = [int(part) for part in text.split(".")]
    if not (0 <= major < 256 and 0 <= minor < 256 and 0 <= patch < 256):
        raise ValueError("no version: " + text)
    return major, minor, patch


def allowed(name: str) -> bool:
    """Whether a file of an image may have this name: a module, and none of those that are frozen."""
    stem, dot, suffix = name.partition(".")
    if not dot or suffix not in ("py", "mpy") or not 0 < len(stem) <= _NAME_LIMIT or stem in _FROZEN:
        return False
    return all(letter in _LETTERS for letter in stem)
