"""Which Image Pixel attributes a transfer syntax allows (PS3.5 8.2), and what lossy methods are called.

One row per combination of the tables there. Native syntaxes carry every photometric interpretation that is not the
product of a codec. A row states what the *instance* says; that the stream says the same is the compressor's duty.
"""

from __future__ import annotations

from agent.dataset import uid
from agent.errors import IodError
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from agent.dataset.pixels import PixelDescription

MONO = ("MONOCHROME1", "MONOCHROME2")
GRAY = (*MONO, "PALETTE COLOR")
_OTHER = "Choose another transfer syntax for these pixels: 'explicit' carries the most."
ANY = range(1, 65)


class Allowed(NamedTuple):
    """Photometric interpretations and the attribute values that may go with them."""

    photometric: tuple[str, ...]
    planar: tuple[int, ...]
    representation: tuple[int, ...]
    allocated: tuple[int, ...]
    stored: range


def _row(
    photometric: tuple[str, ...] | str,
    *,
    signed: bool = False,
    allocated: tuple[int, ...],
    stored: range,
    planar: int = 0,
) -> Allowed:
    names = (photometric,) if isinstance(photometric, str) else photometric
    return Allowed(names, tuple(range(planar + 1)), (0, 1) if signed else (0,), allocated, stored)


_WIDE = (8, 16, 24, 32, 40)
_NATIVE = (
    _row((*GRAY, "RGB", "YBR_FULL"), signed=True, allocated=(1, *range(8, 65, 8)), stored=ANY, planar=1),
    _row("YBR_FULL_422", allocated=(8, 16), stored=ANY),
)
_LOSSLESS_JPEG = (
    _row(MONO, signed=True, allocated=(8, 16), stored=range(1, 17)),
    _row("PALETTE COLOR", allocated=(8, 16), stored=range(1, 17)),
    _row(("YBR_FULL", "RGB"), allocated=(8, 16), stored=range(1, 17)),
)
_JPEG_LS_NEAR = (
    _row(MONO, signed=True, allocated=(8, 16), stored=range(2, 17)),
    _row("YBR_FULL", allocated=(8,), stored=range(2, 9)),
    _row("RGB", allocated=(8, 16), stored=range(2, 17)),
)
_JPEG_LS = (*_JPEG_LS_NEAR, _row("PALETTE COLOR", allocated=(8, 16), stored=range(2, 17)))
_WAVELET = (
    _row(MONO, signed=True, allocated=(1, *_WIDE), stored=range(1, 39)),
    _row(("YBR_RCT", "RGB", "YBR_FULL"), allocated=_WIDE, stored=range(1, 39)),
)
_PALETTE = _row("PALETTE COLOR", allocated=(8, 16), stored=range(1, 17))
_ICT = _row("YBR_ICT", allocated=_WIDE, stored=range(1, 39))
_BASELINE = (
    _row(MONO, allocated=(8,), stored=range(8, 9)),
    _row(("YBR_FULL_422", "RGB"), allocated=(8,), stored=range(8, 9)),
)

ALLOWED: dict[str, tuple[Allowed, ...]] = {
    uid.IMPLICIT_VR_LE: _NATIVE,
    uid.EXPLICIT_VR_LE: _NATIVE,
    uid.DEFLATED_EXPLICIT_VR_LE: _NATIVE,
    uid.ENCAPSULATED_UNCOMPRESSED: _NATIVE,
    uid.RLE_LOSSLESS: (
        _row(MONO, signed=True, allocated=(1, 8, 16), stored=range(1, 17)),
        _PALETTE,
        _row("YBR_FULL", allocated=(8,), stored=range(1, 9), planar=1),
        _row("RGB", allocated=(8, 16), stored=range(1, 17), planar=1),
    ),
    uid.JPEG_BASELINE: _BASELINE,
    uid.JPEG_EXTENDED: (
        _row(MONO, allocated=(8,), stored=range(8, 9)),
        _row(MONO, allocated=(16,), stored=range(12, 13)),
    ),
    uid.JPEG_LOSSLESS: _LOSSLESS_JPEG,
    uid.JPEG_LOSSLESS_SV1: _LOSSLESS_JPEG,
    uid.JPEG_LS_LOSSLESS: _JPEG_LS,
    uid.JPEG_LS_NEAR: _JPEG_LS_NEAR,
    uid.JPEG_2000_LOSSLESS: (*_WAVELET, _PALETTE),
    uid.JPEG_2000: (*_WAVELET, _ICT),
    uid.HTJ2K_LOSSLESS: (*_WAVELET, _PALETTE),
    uid.HTJ2K_LOSSLESS_RPCL: (*_WAVELET, _PALETTE),
    uid.HTJ2K: (*_WAVELET, _ICT),
}

# PS3.3 C.7.6.1.1.5.2
LOSSY_METHOD: dict[str, str] = {
    uid.JPEG_BASELINE: "ISO_10918_1",
    uid.JPEG_EXTENDED: "ISO_10918_1",
    uid.JPEG_LS_NEAR: "ISO_14495_1",
    uid.JPEG_2000: "ISO_15444_1",
    uid.HTJ2K: "ISO_15444_15",
}


def require(transfer_syntax_uid: str, description: PixelDescription) -> None:
    """Raise IodError unless PS3.5 8.2 allows this description in this transfer syntax."""
    name = uid.uid_name(transfer_syntax_uid)
    rows = ALLOWED.get(transfer_syntax_uid)
    if rows is None:
        raise IodError(f"no instance can be made in {name}", tag=0x00020010)
    photometric = description.photometric_interpretation
    misfits = [_misfit(row, description) for row in rows if photometric in row.photometric]
    if not misfits:
        raise IodError(f"{name} does not carry {photometric}", tag=0x00280004, hint=_OTHER)
    if None not in misfits:
        tag, attribute = max(misfit for misfit in misfits if misfit is not None)
        value = getattr(description, attribute)
        raise IodError(f"{name} does not carry {photometric} with {attribute} {value}", tag=tag, hint=_OTHER)


def _misfit(row: Allowed, description: PixelDescription) -> tuple[int, str] | None:
    """First attribute that the row does not allow."""
    for tag, attribute, allowed in (
        (0x00280006, "planar_configuration", row.planar if description.samples_per_pixel > 1 else (0, 1)),
        (0x00280100, "bits_allocated", row.allocated),
        (0x00280101, "bits_stored", row.stored),
        (0x00280103, "pixel_representation", row.representation),
    ):
        if getattr(description, attribute) not in allowed:
            return tag, attribute
    return None
