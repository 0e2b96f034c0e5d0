"""What is named as a medium and is none yet: a disc image, a ZIP, an encrypted file; each with what to do first.

They are told by what is in them: ISO 9660 by its first volume descriptor (ECMA-119 8.1), ZIP by its signature (APPNOTE
4.3.7), a Secure DICOM File by the content type of its CMS ContentInfo (RFC 5652 3, PS3.10 7.4), in DER or BER.
"""

from __future__ import annotations

import os
import stat

from agent.errors import FileError
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    Pread = Callable[[int, int], bytes]

_DESCRIPTOR_AT: Final = 16 * 2048 + 1
_ISO: Final = (b"CD001", b"BEA01", b"NSR02", b"NSR03")  # and UDF without ISO 9660 (ECMA-167 2/9.1)
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_HEAD_BYTES: Final = 32
_CONTENT: Final = bytes.fromhex("06092a864886f70d0107")  # 1.2.840.113549.1.7.n without its last byte
_CMS: Final = {2: "signed", 3: "encrypted"}
_DECRYPT: Final = (
    "'media import --key KEY.pem' opens it. Or decrypt each file, and check what comes out: openssl cms -decrypt "
    "-inform DER -in FILE -recip me.pem -inkey me.key -out inner; then openssl cms -digest_verify -inform DER -in "
    "inner -out image.dcm (-verify instead of -digest_verify where it was signed)."
)
_VERIFY: Final = "Take what is inside: openssl cms -verify -inform DER -in FILE -CAfile ca.pem -out image.dcm."


class Foreign(NamedTuple):
    """What a file is, and what to do first; ``{path}`` stands for it."""

    words: str
    todo: str


_IMAGE: Final = Foreign(
    "a disc image (ISO 9660 or UDF)", "Mount it first, and name the folder: mount -o loop,ro {path} /mnt"
)
_ARCHIVE: Final = Foreign("a ZIP", "Unzip it first, and name the folder: unzip {path} -d FOLDER")


def foreign_of(pread: Pread) -> Foreign | None:
    """What a file is by what it holds; None: nothing of these. ``pread(length, offset)``."""
    head = pread(_HEAD_BYTES, 0)
    if head.startswith(_ZIP):
        return _ARCHIVE
    if (kind := cms_kind(head)) in _CMS:
        word = _CMS[kind]
        return Foreign(f"{word} (CMS, a Secure DICOM File)", _VERIFY if word == "signed" else _DECRYPT)
    return _IMAGE if pread(5, _DESCRIPTOR_AT) in _ISO else None


def refuse_foreign(path: str, *, key: bool = False) -> None:
    """Raise ``FileError`` for a plain file, or the DICOMDIR of a folder, that is something else; all else passes.

    ``key``: there is one that opens what is encrypted.
    """
    for whole in (path, f"{path}/DICOMDIR", f"{path}/dicomdir"):
        try:
            fd = os.open(whole, os.O_RDONLY | os.O_NOFOLLOW * (whole != path) | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            continue  # whoever reads it says why it cannot
        try:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                continue
            found = foreign_of(lambda length, offset: os.pread(fd, length, offset))  # noqa: B023 - called at once
        except OSError:
            return
        finally:
            os.close(fd)
        if found is not None and not (key and found.todo == _DECRYPT):
            raise FileError(f"{whole} is {found.words}", hint=found.todo.format(path=path))


def cms_kind(head: bytes) -> int:
    """The last component of the content type of a CMS ContentInfo by its first 32 bytes; 0: it is none."""
    if len(head) < _HEAD_BYTES or head[0] != 0x30:
        return 0
    at = 2 if head[1] <= 0x80 else 2 + (head[1] & 0x7F)  # 0x80: its length is not said (BER)
    end = at + len(_CONTENT)
    return head[end] if head[at:end] == _CONTENT else 0
