"""Where the records of associations lie: one small file of lines for each destination, ``flight/NAME`` in the spool.

The first line says what the peer is known to be (its profile), each other one is an association, oldest first; all are
JSON objects of at most ``FILE_LIMIT_BYTES`` together. Nobody was promised any of it: the file is replaced whole, but
not synced, what cannot be read counts as not there, and a spool that is moved or rebuilt does without.

``NAME`` comes from the configuration, which lets only letters, digits, ``-`` and ``_`` into it (P9).
"""

from __future__ import annotations

import os

from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from agent.spool.durable import Medium

FOLDER: Final = "flight"
# Eight associations that met everything (160 rows, 128 contexts) are 200 KiB; usual ones are 3 to 8 KiB each.
FILE_LIMIT_BYTES: Final = 64 * 1024


def read_lines(root: str, name: str) -> list[bytes]:
    """Return the lines of a destination; none when there is nothing that can be read."""
    try:
        with open(f"{root}/{FOLDER}/{name}", "rb") as file:
            return file.read(FILE_LIMIT_BYTES).splitlines()
    except OSError:
        return []


def write_lines(medium: Medium, name: str, lines: list[bytes]) -> None:
    """Replace the lines of a destination; raises ``SpoolError``."""
    folder = f"{medium.root}/{FOLDER}"
    if not os.path.isdir(folder):
        medium.make_folder(folder)
    medium.replace(f"{folder}/{name}", b"\n".join((*lines, b"")))


def facts_of(line: bytes) -> dict[str, Any]:
    """Read one line; empty when it is damaged."""
    import json  # 250 KiB, for a box that has met somebody

    try:
        facts = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) else {}


def read_profile(root: str, name: str) -> dict[str, Any]:
    """Return what a destination is known to be, the first line; empty when nothing is."""
    lines = read_lines(root, name)
    return facts_of(lines[0]) if lines else {}
