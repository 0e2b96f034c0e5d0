"""What the maker of an instance must know beside pixels and patient: the facts of one acquisition.

Everything is injected: UIDs, wall-clock strings and measured times come from the caller, because this package has no
clock and no entropy. Nothing is guessed: a fact that is not given is absent from the instance (type 3), empty (type 2)
or refused (type 1). Strings are in DICOM form: dates ``YYYYMMDD``, times ``HHMMSS[.ffffff]``, offsets ``+HHMM``.

Any other Attribute of the IOD (KVP, Transducer Data, Mechanical Index ...) goes into ``attributes`` as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from agent import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.dataset.dataset import DataSet
    from agent.iod.codes import Anatomy, Code, View


class LossyStep(NamedTuple):
    """One lossy compression in the history of the pixels: N of N:1, and its method (PS3.3 C.7.6.1.1.5)."""

    ratio: float
    method: str


class Equipment(NamedTuple):
    """Who contributed the instance to the chain: the gateway itself, unless a site says more (PS3.3 C.12.1)."""

    manufacturer: str = "modality-agent"
    model: str = "modality-agent"
    software_versions: str = __version__
    device_serial_number: str = ""
    station_name: str = ""
    institution_name: str = ""


class Region(NamedTuple):
    """One calibrated region of an ultrasound image (PS3.3 C.8.5.5), bounds inclusive, deltas per pixel.

    Units: 0 none, 3 cm, 4 s, 5 Hz, 7 cm/s ...; format: 1 2D, 2 M-mode, 3 spectral; data type: 1 tissue, 2 colour flow,
    3 PW, 4 CW ... The caller knows these from the device; for a picture without known scale there is no region.
    """

    min_x: int
    min_y: int
    max_x: int
    max_y: int
    delta_x: float
    delta_y: float
    units_x: int = 3
    units_y: int = 3
    spatial_format: int = 1
    data_type: int = 1
    flags: int = 0
    reference_x: int | None = None
    reference_y: int | None = None


class UltrasoundFacts(NamedTuple):
    """Exam (Image Type value 3), mode bit sum (value 4, PS3.3 C.8.5.6.1.1) and regions, as far as known."""

    exam_type: str = ""
    mode_bits: int | None = None
    regions: tuple[Region, ...] = ()


class Window(NamedTuple):
    """A VOI window in stored values (PS3.3 C.11.2.1.2)."""

    center: float
    width: float
    explanation: str = ""


class VoiLut(NamedTuple):
    """A VOI LUT: output of ``bits`` bits for the stored values from ``first_mapped`` on (PS3.3 C.11.2.1.1)."""

    first_mapped: int
    bits: int
    data: Sequence[int]
    explanation: str = ""


class FieldOfView(NamedTuple):
    """Where the image lies on the detector (PS3.3 C.8.11.4): origin row, column; clockwise rotation; flip."""

    origin: tuple[float, float]
    rotation: int = 0
    horizontal_flip: bool = False


class XrayFacts(NamedTuple):
    """Facts of a projection image; DX cannot do without the first three (type 1)."""

    imager_pixel_spacing_mm: tuple[float, float] | None = None  # row, column, at the detector plane
    pixel_intensity_relationship: str = ""  # LIN or LOG
    pixel_intensity_sign: int = 0  # +1: lower value is less X-ray intensity; -1 the other way; 0 not stated
    detector_type: str = ""  # DIRECT SCINTILLATOR STORAGE FILM
    view: View | None = None
    view_modifiers: tuple[Code, ...] = ()
    windows: tuple[Window, ...] = ()
    voi_lut: VoiLut | None = None
    field_of_view: FieldOfView | None = None


class CaptureFacts(NamedTuple):
    """How a secondary capture came about: Conversion Type (PS3.3 C.8.6.1), e.g. DV, DI, SD, SYN, WSD."""

    conversion_type: str = "DI"


class Acquisition(NamedTuple):
    """Facts of one instance; see the module docstring.

    ``frame_times_ms`` are the values of Frame Time Vector: increments, the first 0. ``laterality`` is R, L, U
    (unpaired) or B (both); without one, U is written where the anatomy is known not to be paired. ``image_type``
    replaces the default of the kind. ``timing.FrameClock`` fills the frame fields from capture time stamps.
    """

    sop_instance_uid: str
    study_instance_uid: str
    series_instance_uid: str
    transfer_syntax_uid: str
    date: str
    time: str
    timezone_offset: str = ""
    instance_number: int = 1
    number_of_frames: int = 1
    frame_time_ms: float | None = None
    frame_times_ms: Sequence[float] | None = None
    frames_dropped: int = 0
    lossy_steps: tuple[LossyStep, ...] = ()
    burned_in_annotation: bool | None = None
    image_type: tuple[str, ...] = ()
    patient_orientation: tuple[str, str] | None = None
    anatomy: Anatomy | None = None
    laterality: str = ""
    comments: str = ""
    equipment: Equipment = Equipment()
    ultrasound: UltrasoundFacts = UltrasoundFacts()
    xray: XrayFacts = XrayFacts()
    capture: CaptureFacts = CaptureFacts()
    attributes: DataSet | None = None
