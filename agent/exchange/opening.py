"""Opening Secure DICOM Files: the other half of ``cms`` (PS3.10 7.4, PS3.15 D.1).

``openssl`` decrypts and verifies in memory, three times the size of a file; so a file is refused before it takes what
the box has not. What it makes lies in the stage of the spool, has no name as soon as it is open, and is there for as
long as the file is taken in. What is neither signed nor has a digest is not taken: nobody could tell if it was changed.
A signature says that the file is as its signer left it; who that was is known only where ``trust`` names an authority.
"""

from __future__ import annotations

import os
from contextlib import contextmanager

from agent.errors import DecodeError, FileError, LimitError, SpoolFull
from agent.exchange import cms, tools
from agent.exchange.foreign import cms_kind
from agent.spool.durable import Medium
from agent.spool.stage import staged
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_FACTOR: Final = 4  # of its size is what openssl takes at most, measured: 3.1
_MAX_BYTES: Final = 1 << 30
_PATIENCE_S: Final = 20.0  # a hostile file names a million recipients, and the key is tried on each
_SLOWEST: Final = 8 << 20  # bytes/s of a small box
_HEAD_BYTES: Final = 32
_PEM_BYTES: Final = 1 << 20
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_MEMINFO: Final = "/proc/meminfo"
_OTHER_KEY: Final = "Is it the key of one of the recipients? 'openssl cms -cmsout -print' shows for whom it is."


class Key(NamedTuple):
    """Who opens; paths of PEM files."""

    key: str
    certificate: str = ""  # that it belongs to; without one every recipient is tried
    trust: str = ""  # authorities of those who sign


class Opener:
    """Opens files one after the other in a folder of its own."""

    def __init__(self, key: Key, folder: str) -> None:
        self._key = key
        self._folder = folder
        self._program = tools.found("openssl")
        self.unknown = 0  # files whose signer nobody has verified

    def open(self, descriptor: int) -> int:
        """A descriptor of what is inside, which has no name any more.

        Raises:
            FileError: It is not for this key, or ``openssl`` cannot read it.
            DecodeError: It is not what was written, or says nothing by which that could be known.
            LimitError, SpoolFull: It is larger than memory or the spool takes.
        """
        inner, clear = f"{self._folder}/INNER", f"{self._folder}/CLEAR"
        self._require_room(os.fstat(descriptor).st_size)
        try:
            self._decrypt(descriptor, inner)
            self._verify(inner, clear)
            return os.open(clear, _READ)
        finally:
            for path in (inner, clear):
                if os.path.lexists(path):
                    os.unlink(path)

    def _decrypt(self, descriptor: int, inner: str) -> None:
        words = ["-decrypt", "-inkey", self._key.key]
        if self._key.certificate:
            words += ["-recip", self._key.certificate]
        try:
            self._cms(words, f"/dev/fd/{descriptor}", inner, os.fstat(descriptor).st_size, descriptor)
        except FileError as error:
            raise FileError(
                f"it is encrypted for another key than {self._key.key}, or damaged ({error})", hint=_OTHER_KEY
            ) from None

    def _verify(self, inner: str, clear: str) -> None:
        with open(inner, "rb") as file:
            kind = cms_kind(file.read(_HEAD_BYTES))
        if kind == cms.SIGNED:
            words = [
                "-verify",
                "-purpose",
                "any",
                *(("-CAfile", self._key.trust) if self._key.trust else ("-noverify",)),
            ]
            what = "its signature does not hold" + " for this authority" * bool(self._key.trust)
            self.unknown += not self._key.trust
        elif kind == cms.DIGESTED and not self._key.trust:
            words, what = ["-digest_verify"], "its digest is another"
        elif kind == cms.DIGESTED:
            raise DecodeError("it is not signed", hint="Leave '--trust' out to take what has a digest only.")
        else:
            raise DecodeError(
                "what is inside is neither signed nor has a digest, or the key is another",
                hint=f"Nobody can tell whether it was changed (PS3.15 D.1). {_OTHER_KEY}",
            )
        try:
            self._cms(words, inner, clear, os.path.getsize(inner))
        except FileError as error:
            raise DecodeError(f"{what}: it is not what was written ({error})") from None

    def _cms(self, words: Sequence[str], source: str, target: str, size: int, *passed: int) -> None:
        line = (self._program, "cms", words[0], "-binary", "-inform", "DER", *words[1:], "-in", source, "-out", target)
        tools.run(line, "openssl cms", passed, _PATIENCE_S + size / _SLOWEST)

    def _require_room(self, size: int) -> None:
        most = min(_MAX_BYTES, _available() // _FACTOR)
        if size > most:
            raise LimitError(
                f"{size} encrypted bytes are more than the {most} that there is memory for to open them",
                hint="Decrypt it on a larger machine, and import what comes out.",
            )
        free = Medium(self._folder).free().bytes
        if 3 * size > free:
            raise SpoolFull(f"no room to open {size} encrypted bytes: {free} are free in {self._folder}")


@contextmanager
def opener(key: Key, spool: str) -> Iterator[Opener]:
    """What opens files for an import into the spool ``spool``. Raises ``FileError`` for keys that are none."""
    check(key)
    with staged(spool) as folder:
        yield Opener(key, folder)


def check(key: Key) -> None:
    """Refuse what is no key, before anything is opened. Raises ``FileError``."""
    text = _pem(key.key)
    if b"PRIVATE KEY-----" not in text:
        raise FileError(f"{key.key} is no private key in PEM", hint="It is the key that belongs to the certificate.")
    if b"ENCRYPTED" in text:
        hint = f"Give one without: openssl pkey -in {key.key} -out FILE, readable for nobody else."
        raise FileError(f"{key.key} has a passphrase, and nobody is asked for it", hint=hint)
    for path in filter(None, (key.certificate, key.trust)):
        if b"-----BEGIN CERTIFICATE-----" not in _pem(path):
            raise FileError(f"{path} is no certificate in PEM", hint="A key is named with --key.")


def is_encrypted(descriptor: int) -> bool:
    """Whether an open file is a Secure DICOM File."""
    return cms_kind(os.pread(descriptor, _HEAD_BYTES, 0)) == cms.ENVELOPED


def _pem(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(_PEM_BYTES)
    except OSError as error:
        raise FileError.of(path, error) from None


def _available() -> int:
    """Bytes of memory that a program may have without others having to go."""
    try:
        with open(_MEMINFO, encoding="ascii") as file:
            return next(int(line.split()[1]) << 10 for line in file if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):
        return _MAX_BYTES
