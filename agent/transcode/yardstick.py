"""How fast the codecs are on this machine, before any real frame has gone through them.

A desk server and a gateway differ by a factor of ten, so a table would be a lie on one of them. Each codec runs once
over a small noisy picture of the kind in question, which takes a few milliseconds, and the answer is kept for the life
of the process. Pictures with less noise are faster: the yardstick errs on the slow side.
"""

from __future__ import annotations

import hashlib
import random
import time
import zlib
from functools import cache

from agent.dataset import uid
from agent.dataset.pixels import PixelDescription
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_ROWS, _COLUMNS = 128, 256
_NOISE: Final = 8  # levels of noise on a slope: what an 8 bit ultrasound picture or the low bits of X-ray look like
# A copy is hashed frame by frame, once as it is read and once as proof; master and copy are hashed as files besides.
_HASHED: Final = 4
_NO_CODEC: Final = (uid.ENCAPSULATED_UNCOMPRESSED, *uid.NATIVE_TRANSFER_SYNTAXES)


def seconds_per_byte(description: PixelDescription, given: str, wanted: str) -> float:
    """CPU seconds for a native byte to make ``wanted`` of ``given`` and prove it."""
    kind = (description.samples_per_pixel, description.bits_allocated)
    decoded = _codec(*kind, given)[1]
    encode, decode = _codec(*kind, wanted)
    return decoded + encode + decode + _HASHED * _hash()


def encode_per_byte(description: PixelDescription, syntax: str) -> float:
    """CPU seconds for a native byte to compress alone."""
    return _codec(description.samples_per_pixel, description.bits_allocated, syntax)[0]


@cache
def _hash() -> float:
    data = bytes(1 << 18)
    return _timed(lambda: hashlib.sha256(data).digest()) / len(data)


@cache
def _codec(samples: int, bits: int, syntax: str) -> tuple[float, float]:
    """Seconds for a byte to encode and to decode."""
    picture = _picture(samples, bits)
    if syntax == uid.DEFLATED_EXPLICIT_VR_LE:
        packed = zlib.compress(picture)
        return _timed(lambda: zlib.compress(picture)) / len(picture), _timed(lambda: zlib.decompress(packed)) / len(
            picture
        )
    if syntax in _NO_CODEC:
        return 0.0, 0.0
    from agent.native import compress

    photometric = "RGB" if samples > 1 else "MONOCHROME2"
    description = PixelDescription(_ROWS, _COLUMNS, samples, bits, bits, bits - 1, 0, photometric)
    coded = compress.encode(picture, syntax, description=description)
    encoding = _timed(lambda: compress.encode(picture, syntax, description=description))
    return encoding / len(picture), _timed(lambda: compress.decode(coded, syntax, description)) / len(picture)


@cache
def _picture(samples: int, bits: int) -> bytes:
    width, length = bits // 8, _COLUMNS * samples * (bits // 8)
    noise = random.Random(1).randbytes(length)  # noqa: S311 - a picture, no secret
    rows = bytearray()
    for row in range(_ROWS):
        shift = (row * 37) % length
        turned = noise[shift:] + noise[:shift]
        line = bytearray(turned.translate(bytes((value % _NOISE + row) & 0xFF for value in range(256))))
        if width > 1:
            line[1::2] = bytes([4]) * (length // 2)
        rows += line
    return bytes(rows)


def _timed(work: Callable[[], object]) -> float:
    """The better of two runs: the first one also fetches the code."""
    best = float("inf")
    for _ in range(2):
        started = time.thread_time()
        work()
        best = min(best, time.thread_time() - started)
    return best
