"""One frame from the transfer syntax of a file to a native one, and from there to another (PS3.5 8.2, A.4).

JPEG frames are by pixel, whatever Planar Configuration says; RLE alone keeps either way. What a codec cannot keep is
refused in front of it: bits above Bits Stored, where files of old carry overlays (retired, PS3.5 8.1.2).
"""

from __future__ import annotations

from agent.dataset import uid
from agent.dataset.pixels import near_excess
from agent.dataset.tag import PIXEL_DATA
from agent.errors import DecodeError, EncodeError, IodError, NativeError
from agent.media.rewrite import pixel_word
from agent.transcode.frame_check import require_frame_size, takes
from agent.transcode.part_writer import swapped
from agent.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.dataset.dataset import DataSet
    from agent.dataset.pixels import PixelDescription
    from agent.media.file import DicomFile

_BITS_HINT: Final = "RLE keeps every bit of a sample: --to rle."
_OVERLAY_GROUPS: Final = range(0x6000, 0x6020, 2)
_BITS_STORED: Final = 0x00280101
_BIT_POSITION, _OVERLAY_DATA = 0x0102, 0x3000


class Codec(NamedTuple):
    """Both ways of one frame; native frames stay as they are where the syntax is native."""

    encode: Callable[[bytes], bytes]
    decode: Callable[[bytes], bytes]


def codec_of(
    syntax: str, description: PixelDescription, near: int = 0, told: str = "", *, lenient: bool = False
) -> Codec:
    """The codec of a transfer syntax; raises ``DataSetError`` where there is none for such frames.

    ``told`` is what can be said of samples that the codec does not take: see ``overlays_in_bits``. ``lenient`` is for
    a caller that looks for bytes which belong to no frame itself: see ``bytes_behind``.
    """
    if syntax == uid.ENCAPSULATED_UNCOMPRESSED or not uid.is_encapsulated(syntax):
        return Codec(bytes, lambda data: data[: description.frame_bytes])
    from agent.native import compress, htj2k

    if not compress.is_available(syntax):
        names = ", ".join(uid.uid_name(known) for known in compress.TRANSFER_SYNTAXES)
        hint = htj2k.HINT if syntax == uid.HTJ2K_LOSSLESS else f"There is one for: {names}."
        raise EncodeError(f"there is no codec for {uid.uid_name(syntax)}", hint=hint)
    if not takes(description):
        raise IodError(
            f"samples of {description.bits_stored} in {description.bits_allocated} bits, high bit "
            f"{description.high_bit}, are neither compressed nor decompressed{told}", tag=0x00280100,
            hint="The codecs take 8 or 16 bits allocated, with High Bit one less than Bits Stored.",
        )  # fmt: skip
    require_frame_size(description)
    if excess := near_excess(near, description.bits_stored):
        raise EncodeError(excess, tag=_BITS_STORED, hint="Give a smaller --near; without it nothing is lost.")
    options: dict[str, Any] = {"near": near} if near else {}

    def encode(frame: bytes) -> bytes:
        try:
            return bytes(compress.encode(frame, syntax, description=description, **options))
        except NativeError as error:
            raise EncodeError(error.message + told, tag=PIXEL_DATA, hint=_BITS_HINT) from None

    def decode(data: bytes) -> bytes:
        try:
            return bytes(compress.decode(data, syntax, description, lenient=lenient))
        except NativeError as error:
            raise DecodeError(error.message, tag=PIXEL_DATA) from None

    return Codec(encode, decode)


def decoder_of(file: DicomFile, description: PixelDescription, frames: int) -> Callable[[bytes], bytes]:
    """From a frame as the source has it to a native one; bytes behind it are the caller's to find."""
    given, word = file.meta.transfer_syntax_uid, pixel_word(file)
    if given == uid.ENCAPSULATED_UNCOMPRESSED:
        return lambda data: data[: description.frame_bytes]
    if not uid.is_encapsulated(given):
        if description.frame_bytes % word:
            return _decoder_of_half_a_word(file, description, frames)
        return lambda data: swapped(data, word)
    return codec_of(given, by_pixel(description) if is_jpeg(given) else description, lenient=True).decode


def _decoder_of_half_a_word(file: DicomFile, description: PixelDescription, frames: int) -> Callable[[bytes], bytes]:
    """The last sample of such a frame lies behind the padding that shares its word."""
    value, word, size = file.pixel_value, pixel_word(file), description.frame_bytes
    assert value is not None
    padded = size + -size % word
    if frames > 1 or value.length < padded:
        text = "big endian words that belong to two frames, or are cut, are not transcoded"
        raise EncodeError(text, tag=PIXEL_DATA)
    return lambda _data: swapped(file.pread(padded, value.offset), word)[:size]


def is_jpeg(syntax: str) -> bool:
    """Whether frames are by pixel only (PS3.5 8.2)."""
    return uid.is_encapsulated(syntax) and syntax not in (uid.RLE_LOSSLESS, uid.ENCAPSULATED_UNCOMPRESSED)


def coded(native: PixelDescription, given: str, syntax: str) -> PixelDescription:
    """What native frames out of the transfer syntax ``given`` become in another: the colours are the encoder's."""
    from agent.native import compress

    colours = native.photometric_interpretation
    if given == uid.HTJ2K_LOSSLESS:
        colours = compress.native_photometric(colours)
    target = native._replace(photometric_interpretation=compress.coded_photometric(syntax, colours))
    return by_pixel(target) if is_jpeg(syntax) else target


def by_pixel(description: PixelDescription) -> PixelDescription:
    """The same samples in the order that JPEG has."""
    return description._replace(planar_configuration=0)


def interleaved(native: bytes, description: PixelDescription) -> bytes:
    """Planes as pixels."""
    width, samples = description.bits_allocated // 8, description.samples_per_pixel
    plane = len(native) // samples
    made = bytearray(len(native))
    for sample in range(samples):
        for byte in range(width):
            made[sample * width + byte :: samples * width] = native[
                sample * plane + byte : (sample + 1) * plane : width
            ]
    return bytes(made)


# --- bits that are no samples -------------------------------------------------------------------


def require_plain_bits(native: bytes, description: PixelDescription, told: str) -> None:
    """Raise ``EncodeError`` where unsigned samples have bits above Bits Stored, which JPEG would lose.

    Above signed ones the sign may go on, or not; whether it comes back is for the encoder and the proof to see.
    """
    stored, allocated = description.bits_stored, description.bits_allocated
    if stored == allocated or description.pixel_representation:
        return
    words = allocated // 8
    for place in range(stored // 8, words):
        plain = bytes(range(1 << max(0, stored - 8 * place)))
        if native[place::words].translate(None, plain):
            text = f"samples have bits above the {stored} stored, which would be lost{told}"
            raise EncodeError(text, tag=PIXEL_DATA, hint=_BITS_HINT)


def overlays_in_bits(dataset: DataSet) -> str:
    """Which overlays stand in the bits of samples, for an error: those with a position and no Overlay Data."""
    found = [
        f"{group:04X} in bit {position}"
        for group in _OVERLAY_GROUPS
        if isinstance(position := dataset.get(group << 16 | _BIT_POSITION), int)
        and (group << 16 | _OVERLAY_DATA) not in dataset
    ]
    return f" (overlay {', '.join(found)}: retired, PS3.5 8.1.2)" if found else ""
