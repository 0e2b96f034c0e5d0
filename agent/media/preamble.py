"""What the 128 bytes in front of ``DICM`` are when they are not zero: a file that is two things at once (PS3.10 7.5).

A preamble may make a DICOM File a TIFF, too, which PS3.10 allows; it may as well make it a program that runs when
somebody opens it. Nothing in it is ever needed to read the instance, so that a medium's is zeroed on its way in, unless
it is that of a TIFF.
"""

from __future__ import annotations

from agent.media.part10 import PREAMBLE_BYTES
from agent.typed import Final

_TIFF: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_KINDS: Final = (
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a Linux program"),
    (b"\xca\xfe\xba\xbe", "a macOS or Java program"),
    (b"\xcf\xfa\xed\xfe", "a macOS program"),
    (b"\xfe\xed\xfa", "a macOS program"),
    (b"#!", "a script"),
    (b"PK", "a ZIP archive"),
    (b"%PDF", "a PDF"),
    (b"<", "a web page or XML"),
    (b"\x1f\x8b", "a compressed file"),
    (b"Rar!", "a RAR archive"),
)


def disguise(preamble: bytes) -> str:
    """What else a preamble makes of its file, in words; empty: nothing, or a TIFF."""
    if not preamble.strip(b"\0") or preamble.startswith(_TIFF):
        return ""
    known = next((words for magic, words in _KINDS if preamble.lstrip().startswith(magic)), "")
    return known or "bytes that are not zero"


def cleaned(head: bytes) -> tuple[bytes, str]:
    """The beginning of a file with its preamble zeroed where it is a disguise, and what that was."""
    found = disguise(head[:PREAMBLE_BYTES])
    return (bytes(len(head[:PREAMBLE_BYTES])) + head[PREAMBLE_BYTES:] if found else head), found
