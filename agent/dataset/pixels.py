"""What one must know to find the samples in Pixel Data (PS3.3 C.7.6.3, PS3.5 8.1.1).

``PixelDescription`` travels with every frame from the source to the file. Whoever receives one may rely on the names
of its attributes only, so that ``agent.native`` needs no import from here.
"""

from __future__ import annotations

from agent.errors import IodError
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from agent.dataset.dataset import DataSet

_ATTRIBUTES = {
    "rows": ("Rows", 0x00280010),
    "columns": ("Columns", 0x00280011),
    "samples_per_pixel": ("SamplesPerPixel", 0x00280002),
    "bits_allocated": ("BitsAllocated", 0x00280100),
    "bits_stored": ("BitsStored", 0x00280101),
    "high_bit": ("HighBit", 0x00280102),
    "pixel_representation": ("PixelRepresentation", 0x00280103),
}
_PHOTOMETRIC_INTERPRETATION = 0x00280004
_PLANAR_CONFIGURATION = 0x00280006


class PixelDescription(NamedTuple):
    """The Image Pixel attributes that say how a frame lies in memory."""

    rows: int
    columns: int
    samples_per_pixel: int = 1
    bits_allocated: int = 8
    bits_stored: int = 8
    high_bit: int = 7
    pixel_representation: int = 0
    photometric_interpretation: str = "MONOCHROME2"
    planar_configuration: int = 0

    @property
    def frame_bytes(self) -> int:
        """Bytes of one native frame, unpadded; YBR_FULL_422 shares chroma between two pixels (PS3.3 C.7.6.3.1.2)."""
        samples = self.rows * self.columns * self.samples_per_pixel
        if self.photometric_interpretation == "YBR_FULL_422":
            samples = self.rows * self.columns * 2
        return (samples * self.bits_allocated + 7) // 8

    @classmethod
    def from_data_set(cls, dataset: DataSet) -> PixelDescription:
        """Read the description from a Data Set.

        Raises:
            IodError: An attribute is missing or is not a positive number (names its tag).
        """
        numbers = {}
        for name, (keyword, tag) in _ATTRIBUTES.items():
            value = dataset.get(tag)
            if (
                not isinstance(value, int)
                or value < 0
                or (value == 0 and name not in ("high_bit", "pixel_representation"))
            ):
                raise IodError(f"{keyword} is {'missing' if value is None else 'not usable'}", tag=tag)
            numbers[name] = value
        photometric = dataset.get(_PHOTOMETRIC_INTERPRETATION)
        if not isinstance(photometric, str):
            raise IodError("PhotometricInterpretation is missing", tag=_PHOTOMETRIC_INTERPRETATION)
        planar = dataset.get(_PLANAR_CONFIGURATION)
        return cls(
            photometric_interpretation=photometric,
            planar_configuration=planar if isinstance(planar, int) else 0,
            **numbers,
        )

    def to_elements(self) -> dict[str, int | str]:
        """The Image Pixel attributes by keyword; Planar Configuration only where there are several samples."""
        elements: dict[str, int | str] = {keyword: getattr(self, name) for name, (keyword, _) in _ATTRIBUTES.items()}
        elements["PhotometricInterpretation"] = self.photometric_interpretation
        if self.samples_per_pixel > 1:
            elements["PlanarConfiguration"] = self.planar_configuration
        return elements


def near_excess(near: int, bits_stored: int) -> str:
    """Say why JPEG-LS cannot let samples of so many bits differ by up to ``near``, or ''.

    The limit is half of the greatest sample, and one byte in the scan header (T.87 C.2.3).
    """
    most = min(255, ((1 << bits_stored) - 1) // 2)
    return f"near = {near} is too much for samples of {bits_stored} bits: {most} at most" if near > most else ""
