"""What the maker of an instance must know beside pixels and patient: the facts of one acquisition.

Everything is injected: UIDs, wall-clock strings and measured times come from the caller, because this package has no
clock and no entropy. Nothing is guessed: a fact that is not given is absent from the instance (type 3), empty (type 2)
or refused (type 1). Strings are in DICOM form: dates ``YYYYMMDD``, times ``HHMMSS[.ffffff]``, offsets ``+HHMM``.

Any other Attribute of the IOD (KVP of DX, Transducer Data, Mechanical Index ...) goes into ``attributes`` as it is.
"""

from __future__ import annotations

from agent import __version__
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.dataset.dataset import DataSet
    from agent.iod.codes import Anatomy, Code, View
    from agent.iod.regions import Region


class Synchronized(NamedTuple):
    """Who keeps the clock right that the moments of an instance are read from (PS3.3 C.7.4.2); empty: not known.

    ``protocol`` is a term of Time Distribution Protocol (0018,1802), ``address`` that of the server it is asked of, and
    ``source`` the name of a reference clock instead (16 characters).
    """

    protocol: str = ""
    address: str = ""
    source: str = ""


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


class UltrasoundFacts(NamedTuple):
    """Exam (Image Type value 3), mode bit sum (value 4, PS3.3 C.8.5.6.1.1), regions and view, as far as known."""

    exam_type: str = ""
    mode_bits: int | None = None
    regions: tuple[Region, ...] = ()
    view: View | None = None
    view_modifiers: tuple[Code, ...] = ()


class CineFacts(NamedTuple):
    """How a clip wants to be played (PS3.3 C.7.6.5, C.7.6.9); frames are counted from 1.

    ``playback`` is 0 for a loop and 1 for forth and back; ``display_rate_hz`` 0 stands for the measured rate.
    ``trim`` is the first and last frame to show, ``interesting`` pairs of a frame and what is to be seen there.
    """

    display_rate_hz: int = 0
    playback: int = 0
    trim: tuple[int, int] | None = None
    frame_delay_ms: float | None = None
    exposure_ms: int | None = None
    representative_frame: int = 0
    interesting: tuple[tuple[int, str], ...] = ()


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
    pixel_intensity_relationship: str = ""  # LIN or LOG; XA and XRF also DISP
    pixel_intensity_sign: int = 0  # +1: lower value is less X-ray intensity; -1 the other way; 0 not stated
    detector_type: str = ""  # DIRECT SCINTILLATOR STORAGE FILM
    view: View | None = None
    view_modifiers: tuple[Code, ...] = ()
    windows: tuple[Window, ...] = ()
    voi_lut: VoiLut | None = None
    field_of_view: FieldOfView | None = None


class AngiographyFacts(NamedTuple):
    """Facts of XA and XRF (PS3.3 C.8.7); what is None is written empty (type 2).

    ``radiation_setting`` is SC (low dose, fluoroscopy) or GR (diagnostic) and must be given. ``plane`` is value 3 of
    Image Type. Angles are in degrees, RAO to LAO and CAU to CRA. A gateway sees neither gantry nor table move, so that
    their motion is STATIC or DYNAMIC only where somebody says so.
    """

    radiation_setting: str = ""
    plane: str = "SINGLE PLANE"
    kvp: float | None = None
    tube_current_ma: int | None = None
    exposure_time_ms: int | None = None
    exposure_mas: int | None = None
    primary_angle: float | None = None
    secondary_angle: float | None = None
    positioner_motion: str = ""
    table_motion: str = ""


class Rescale(NamedTuple):
    """Output of the modality: slope times stored value plus intercept, in units of ``type`` (PS3.3 C.11.1.1.2)."""

    intercept: float = 0
    slope: float = 1
    type: str = "US"


class CaptureFacts(NamedTuple):
    """How a secondary capture came about: Conversion Type (PS3.3 C.8.6.1), e.g. DV, DI, SD, SYN, WSD.

    ``pages`` says that the frames are pages of a document and have no time between them. ``rescale`` is for 16-bit
    multi-frame captures only, all others have the identity.
    """

    conversion_type: str = "DI"
    pages: bool = False
    rescale: Rescale = Rescale()


class Icon(NamedTuple):
    """A small picture of the instance: 8-bit grey, at most 128 x 128 (PS3.3 C.7.6.1.1.6)."""

    rows: int
    columns: int
    data: bytes


class Reference(NamedTuple):
    """An instance that this one was made from, frames counted from 1 (none: all), and why it is named."""

    sop_class_uid: str
    sop_instance_uid: str
    purpose: Code
    frames: tuple[int, ...] = ()


class Derivation(NamedTuple):
    """How the pixels were derived from others (PS3.3 C.12.4); Image Type then says DERIVED."""

    description: str
    codes: tuple[Code, ...] = ()
    sources: tuple[Reference, ...] = ()


class ContextItem(NamedTuple):
    """One condition of the acquisition (PS3.3 C.7.6.14): a name, and a code, a text, or a number with its unit."""

    name: Code
    value: Code | str | float
    unit: Code | None = None


class Acquisition(NamedTuple):
    """Facts of one instance; see the module docstring.

    ``frame_times_ms`` are the values of Frame Time Vector: increments, the first 0. ``laterality`` is R, L, U
    (unpaired) or B (both); without one, U is written where the anatomy is known not to be paired. ``image_type``
    replaces the default of the kind. ``created`` is date and time of making the instance, where the content is of
    another moment. ``remark`` ends Contribution Description. ``timing.FrameClock`` fills the frame fields from capture
    time stamps.
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
    recognizable_features: bool | None = None
    image_type: tuple[str, ...] = ()
    patient_orientation: tuple[str, str] | None = None
    anatomy: Anatomy | None = None
    laterality: str = ""
    comments: str = ""
    remark: str = ""
    icon: Icon | None = None
    derivation: Derivation | None = None
    context_items: tuple[ContextItem, ...] = ()
    equipment: Equipment = Equipment()
    cine: CineFacts = CineFacts()
    ultrasound: UltrasoundFacts = UltrasoundFacts()
    xray: XrayFacts = XrayFacts()
    angiography: AngiographyFacts = AngiographyFacts()
    capture: CaptureFacts = CaptureFacts()
    created: tuple[str, str] | None = None
    attributes: DataSet | None = None
    synchronized: Synchronized | None = None
