"""The codecs that others ship, called in this process: one row of ``PEERS`` each.

A row gives a function from a picture to a function without arguments that does the work once, so that what only has to
be done once per picture (arrays, objects) is not timed. A peer that is not installed is left out and said so; one that
cannot take a picture (too small, signed) raises and is left out for that picture. DCMTK is missing: its codecs can only
be called as programs, and what those take is mostly not compression. For HTJ2K we call a peer's library ourselves; what
it is compared with decodes.
"""

from __future__ import annotations

import tempfile
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench_images import Picture

EXPLICIT = "1.2.840.10008.1.2.1"
JPEG_LS, JPEG_LOSSLESS, RLE = "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.5"
HTJ2K = "1.2.840.10008.1.2.4.201"


class Peer(NamedTuple):
    """``encode(picture)`` and ``decode(picture, coded)`` prepare; what they return does it once."""

    name: str
    module: str
    transfer_syntax: str
    encode: Callable[[Picture], Callable[[], Any]]
    decode: Callable[[Picture, bytes], Callable[[], Any]]


def prepare(work: Callable[[], Any], times: int) -> None:
    """Let work that wants to get ready for so many calls do so before it is timed."""
    ready = getattr(work, "prepare", None)
    if ready is not None:
        ready(times)


def _unsigned(picture: Picture) -> Any:
    return picture.array.view(picture.array.dtype.str.replace("i", "u"))


# --- imagecodecs: CharLS, libjpeg-turbo, liblj92, jpegsof3 ---------------------------------------


def _charls_encode(picture: Picture) -> Callable[[], Any]:
    import imagecodecs

    return partial(imagecodecs.jpegls_encode, _unsigned(picture))


def _charls_decode(_picture: Picture, coded: bytes) -> Callable[[], Any]:
    import imagecodecs

    return partial(imagecodecs.jpegls_decode, coded)


def _turbo_encode(picture: Picture) -> Callable[[], Any]:
    import imagecodecs

    bits = max(picture.bits, 8)
    return partial(
        imagecodecs.jpeg8_encode, _unsigned(picture), lossless=True, predictor=1, bitspersample=bits, optimize=True
    )


def _turbo_decode(_picture: Picture, coded: bytes) -> Callable[[], Any]:
    import imagecodecs

    return partial(imagecodecs.jpeg8_decode, coded)


def _sof3_decode(_picture: Picture, coded: bytes) -> Callable[[], Any]:
    import imagecodecs

    return partial(imagecodecs.jpegsof3_decode, coded)


def _lj92_decode(_picture: Picture, coded: bytes) -> Callable[[], Any]:
    import imagecodecs

    return partial(imagecodecs.ljpeg_decode, coded)


def _cannot(*_: object) -> Callable[[], Any]:
    raise ValueError("decodes only")


# --- pyjpegls, pylibjpeg ---------------------------------------------------------------------------


def _pyjpegls_encode(picture: Picture) -> Callable[[], Any]:
    import jpeg_ls

    options = {
        "rows": picture.description.rows, "columns": picture.description.columns,
        "samples_per_pixel": picture.description.samples_per_pixel,
        "bits_allocated": picture.description.bits_allocated, "bits_stored": picture.bits,
        "photometric_interpretation": picture.description.photometric_interpretation,
        "pixel_representation": picture.description.pixel_representation, "planar_configuration": 0,
    }  # fmt: skip
    return partial(jpeg_ls.encode_pixel_data, picture.array.tobytes(), **options)


def _pyjpegls_decode(_picture: Picture, coded: bytes) -> Callable[[], Any]:
    import jpeg_ls

    return partial(jpeg_ls.decode_pixel_data, coded)


def charls_sizes(picture: Picture) -> dict[str, int]:
    """Bytes that CharLS makes of a picture in each interleave mode; ``line`` is the only one of grey pictures."""
    import jpeg_ls
    import numpy as np

    layout = picture.description

    def size(array: Any, mode: int) -> int:
        return len(jpeg_ls.encode_buffer(
            array.tobytes(), layout.rows, layout.columns, layout.samples_per_pixel, picture.bits, 0, mode
        ))  # fmt: skip

    if layout.samples_per_pixel == 1:
        return {"line": size(picture.array, 0)}
    planes = np.ascontiguousarray(picture.array.transpose(2, 0, 1))
    return {"plane": size(planes, 0), "line": size(picture.array, 1), "sample": size(picture.array, 2)}


def _rust_rle_encode(picture: Picture) -> Callable[[], Any]:
    from rle.utils import encode_pixel_data

    return partial(
        encode_pixel_data, picture.array.tobytes(), rows=picture.description.rows, columns=picture.description.columns,
        samples_per_pixel=picture.description.samples_per_pixel, bits_allocated=picture.description.bits_allocated,
        number_of_frames=1, byteorder="<",
    )  # fmt: skip


def _rust_rle_decode(picture: Picture, coded: bytes) -> Callable[[], Any]:
    from rle.rle import decode_frame

    return partial(decode_frame, coded, picture.array[..., 0].size if picture.array.ndim == 3 else picture.array.size,
                   picture.description.bits_allocated, "<")  # fmt: skip


def _openjpeg_decode(_picture: Picture, coded: bytes) -> Callable[[], Any]:
    from openjpeg.utils import decode

    return partial(decode, coded)


# --- GDCM: changes the transfer syntax of an image that it has read ---------------------------------


def _gdcm_reader(picture: Picture, transfer_syntax: str, data: bytes) -> Any:
    import gdcm

    with tempfile.NamedTemporaryFile(suffix=".dcm") as file:
        write_instance(file.name, picture, transfer_syntax, data)
        reader = gdcm.ImageReader()
        reader.SetFileName(file.name)
        if not reader.Read():
            raise ValueError("GDCM does not take this picture")
    return reader


def write_instance(path: str, picture: Picture, transfer_syntax: str, data: bytes) -> None:
    """Write a Secondary Capture with these pixels, by pydicom."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.encaps import encapsulate
    from pydicom.uid import UID, SecondaryCaptureImageStorage, generate_uid

    dataset, description = Dataset(), picture.description
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(transfer_syntax)
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = SecondaryCaptureImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = generate_uid()
    dataset.Rows, dataset.Columns = description.rows, description.columns
    dataset.SamplesPerPixel = description.samples_per_pixel
    dataset.PhotometricInterpretation = description.photometric_interpretation
    dataset.BitsAllocated, dataset.BitsStored = description.bits_allocated, description.bits_stored
    dataset.HighBit, dataset.PixelRepresentation = description.high_bit, description.pixel_representation
    if description.samples_per_pixel > 1:
        dataset.PlanarConfiguration = 0
    native = transfer_syntax == EXPLICIT
    dataset.PixelData = data + b"\0" * (len(data) % 2) if native else encapsulate([data])
    dataset["PixelData"].VR = "OW" if native and description.bits_allocated > 8 else "OB"
    if not native:
        dataset["PixelData"].is_undefined_length = True
    dataset.save_as(path, enforce_file_format=True)


class _GdcmChange:
    """One change of transfer syntax for each image read: GDCM keeps what it decoded, so an image serves once."""

    def __init__(self, picture: Picture, source: str, target: str, data: bytes) -> None:
        import gdcm

        self._read = partial(_gdcm_reader, picture, source, data)
        self._syntax = gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(target))
        self._readers: list[Any] = []

    def prepare(self, times: int) -> None:
        """Read so many images; not timed."""
        self._readers = [self._read() for _ in range(times)]

    def __call__(self) -> int:
        import gdcm

        reader = self._readers.pop()  # must outlive the changer, which counts no references
        changer = gdcm.ImageChangeTransferSyntax()
        changer.SetForce(True)  # noqa: FBT003  (theirs)
        changer.SetTransferSyntax(self._syntax)
        changer.SetInput(reader.GetImage())
        if not changer.Change():
            raise ValueError("GDCM does not take this picture")
        fragments = changer.GetOutput().GetDataElement().GetSequenceOfFragments()
        size = int(fragments.ComputeByteLength()) if fragments else 0
        del fragments, changer, reader
        return size


def _gdcm_encode(transfer_syntax: str, picture: Picture) -> Callable[[], Any]:
    return _GdcmChange(picture, EXPLICIT, transfer_syntax, picture.array.tobytes())


def _gdcm_decode(transfer_syntax: str, picture: Picture, coded: bytes) -> Callable[[], Any]:
    return _GdcmChange(picture, transfer_syntax, EXPLICIT, coded)


def _gdcm(transfer_syntax: str) -> Peer:
    return Peer(
        "GDCM", "gdcm", transfer_syntax, partial(_gdcm_encode, transfer_syntax), partial(_gdcm_decode, transfer_syntax)
    )


PEERS = (
    Peer("CharLS (imagecodecs)", "imagecodecs", JPEG_LS, _charls_encode, _charls_decode),
    Peer("CharLS (pyjpegls)", "jpeg_ls", JPEG_LS, _pyjpegls_encode, _pyjpegls_decode),
    _gdcm(JPEG_LS),
    Peer("libjpeg-turbo (imagecodecs)", "imagecodecs", JPEG_LOSSLESS, _turbo_encode, _turbo_decode),
    Peer("jpegsof3 (imagecodecs)", "imagecodecs", JPEG_LOSSLESS, _cannot, _sof3_decode),
    Peer("liblj92 (imagecodecs)", "imagecodecs", JPEG_LOSSLESS, _cannot, _lj92_decode),
    _gdcm(JPEG_LOSSLESS),
    Peer("pylibjpeg-rle", "rle", RLE, _rust_rle_encode, _rust_rle_decode),
    _gdcm(RLE),
    Peer("OpenJPEG (pylibjpeg)", "openjpeg", HTJ2K, _cannot, _openjpeg_decode),
)
