"""The exam that captures belong to: patient, study, series and what the source is known to look at.

Without a worklist the patient and study come from ``[patient]`` and ``[exam]`` of the configuration. One ``Exam`` is
one study; each source has one series in it, because a series has one modality and one device (PS3.3 A.1.2.3). Numbers
count from 1 in the order of capture.

A pattern knows everything about itself, so the facts that x-ray cannot do without are here for patterns; for real
sources they come from the configuration or the instance is refused, with the keys that would have said them.

What has no key of its own (positioner angles, tube data, regions of an ultrasound picture, anything the IOD has) stands
in the ``attributes_file`` of the source, as JSON by keyword or tag (PS3.18 Annex F). It is read for each instance.
"""

from __future__ import annotations

import hashlib
import threading

from agent.acquire.clock import STEP_S
from agent.acquire.identity import new_uid
from agent.acquire.pixel_path import told
from agent.dataset.dataset import DataSet
from agent.errors import AgentError, ConfigError, FileError, IodError
from agent.iod import codes
from agent.iod.acquisition import (
    Acquisition,
    AngiographyFacts,
    CaptureFacts,
    CineFacts,
    Equipment,
    LossyStep,
    UltrasoundFacts,
    Window,
    XrayFacts,
)
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.acquire.clock import WallStamp
    from agent.config.settings import Settings, SourceSettings
    from agent.iod.codes import View

_PATTERN: Final = "pattern:"
# A phantom of 43 cm on a panel of 3072 pixels; the pattern grows darker where more is absorbed.
_PATTERN_XRAY: Final = XrayFacts((0.14, 0.14), "LIN", 1, "DIRECT")
_PATTERN_VIEW: Final = "PA"
_PATTERN_ORIENTATION: Final = "L/F"
_PATTERN_ANATOMY: Final = "CHEST"
_PATTERN_RADIATION: Final = "GR"
_PATTERN_PATIENT: Final = ("TEST^PATTERN", "TEST-PATTERN")  # so that nobody looks for a person behind a test picture


_ULTRASOUND: Final = ("us", "us-mf")
# Scanned documents: their frames are pages, with an order and no time (PS3.3 C.8.6.1).
_PAGES: Final = ("SD", "SI")
# A file of attributes is written by a person; a megabyte is something else.
_JSON_HINT: Final = "Correct this file: one JSON object of Attributes by keyword or tag."
MAX_ATTRIBUTES_BYTES: Final = 1 << 20

# Attributes that only the site can know -> the key of [[source]] that says them.
KEYS: Final = {
    0x00181155: "radiation_setting",
    0x00181164: "pixel_spacing_mm",
    0x00281040: "intensity_relationship",
    0x00281041: "intensity_sign",
    0x00200020: "patient_orientation",
    0x00200062: "laterality",
    0x00280301: "burned_in_annotation",
    0x00080064: "conversion_type",
    0x00082218: "anatomy",
    0x00282112: "lossy_history",
}


# What the pictures of a source are: no key can say otherwise.
PIXELS: Final = (0x00280002, 0x00280004, 0x00280006, 0x00280100, 0x00280101, 0x00280102, 0x00280103)


def name_keys(error: IodError) -> None:
    """Let the hint of a refusal name the keys of the configuration that would have prevented it."""
    keys = list(dict.fromkeys(KEYS[tag] for tag in error.tags if tag in KEYS))
    if keys:
        others = " The rest goes into its attributes_file." if any(tag not in KEYS for tag in error.tags) else ""
        error.hint = f"Set {', '.join(keys)} of the source (configuration, or capture --set KEY=VALUE).{others}"
    elif error.tags and all(tag in PIXELS for tag in error.tags):
        error.hint = "The pictures of this source do not fit this SOP Class; choose another one."


class Exam:
    """One study: hands out its UIDs, numbers and Attributes; safe to use from every acquisition thread."""

    __slots__ = ("_lock", "_numbers", "_offset_s", "_series", "_settings", "_started", "study_uid")

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._series: dict[str, tuple[str, int]] = {}
        self._numbers: dict[str, int] = {}
        self._started: WallStamp | None = None
        self._offset_s: float | None = None
        self.study_uid = new_uid()

    @property
    def priority(self) -> str:
        """Return the word of ``[exam] priority``."""
        return self._settings.exam.priority

    def is_other(self, before: Exam) -> bool:
        """Whether its patient or study is not that of another one."""
        return self.identity != before.identity

    @property
    def identity(self) -> str:
        """Digest of all that ``[patient]`` and ``[exam]`` say: another one for another patient or study."""
        sections = (self._settings.patient, self._settings.exam)
        texts = [f"{key}={text}" for section in sections for key, text in section._asdict().items() if text]
        return hashlib.sha256("\0".join(texts).encode()).hexdigest()

    def mark(self, salt: bytes) -> str:
        """Tell whose a content is where its instance is gone: a digest of it and what ``differs`` looks at."""
        texts = (text.rstrip("^ ") for _, text in self._names().values())
        return hashlib.sha256(salt + "\0".join(texts).encode()).hexdigest()[:32]

    def differs(self, dataset: DataSet, *, empty: bool = False) -> list[str]:
        """Name what a Data Set from elsewhere says otherwise than ``[patient]`` and ``[exam]`` do.

        A key that says nothing is compared only with ``empty``: one without a name is no other one's picture.
        """
        return [
            name
            for name, (tag, text) in self._names().items()
            if (text or empty) and dataset.text(tag).rstrip("^ ") != text.rstrip("^ ")
        ]

    def _names(self) -> dict[str, tuple[int, str]]:
        patient, exam = self._settings.patient, self._settings.exam
        return {
            "Patient's Name": (0x00100010, patient.name),
            "Patient ID": (0x00100020, patient.id),
            "Accession Number": (0x00080050, exam.accession_number),
        }

    def step_s(self, offset_s: float) -> float:
        """By how much the clock was moved since this was asked for the first time in the study; 0: it was not.

        ``offset_s`` is that of ``clock.offset_s`` now. Less than ``STEP_S`` is no move, but a reading.
        """
        with self._lock:
            if self._offset_s is None:
                self._offset_s = offset_s
            step = offset_s - self._offset_s
        return step if abs(step) > STEP_S else 0.0

    def context(self, source: SourceSettings, started: WallStamp) -> DataSet:
        """Attributes of patient, study, series and equipment; the study began with the first instance ``started``."""
        with self._lock:
            self._started = study_began = self._started or started
        patient, exam, agent = self._settings.patient, self._settings.exam, self._settings.agent
        name, number = patient.name, patient.id
        if not (name or number) and source.uri.startswith(_PATTERN):
            name, number = _PATTERN_PATIENT
        series_number = self._of_source(source.name)[1]
        values: dict[str, str | int | None] = {
            "PatientName": name,
            "PatientID": number,
            "PatientBirthDate": patient.birth_date,
            "PatientSex": patient.sex,
            "StudyID": exam.study_id,
            "AccessionNumber": exam.accession_number,
            "ReferringPhysicianName": exam.referring_physician,
            "StudyDate": study_began.date,
            "StudyTime": study_began.time,
            "SeriesNumber": series_number,
            "Manufacturer": agent.manufacturer,
            "ManufacturerModelName": agent.model_name,
            "DeviceSerialNumber": agent.serial_number,
        }
        optional = {
            "StudyDescription": exam.description,
            "InstitutionName": agent.institution_name,
            "StationName": agent.station_name,
        }
        values.update({keyword: text for keyword, text in optional.items() if text})
        return DataSet({keyword: None if value == "" else value for keyword, value in values.items()})

    def acquisition(self, source: SourceSettings, transfer_syntax_uid: str) -> Acquisition:
        """Facts of a new instance that are known before its first frame; times and frames are filled in later."""
        series_uid, _ = self._of_source(source.name)
        with self._lock:
            number = self._numbers[source.name] = self._numbers.get(source.name, 0) + 1
        pattern = source.uri.startswith(_PATTERN)
        orientation = source.patient_orientation or (_PATTERN_ORIENTATION if pattern else "")
        row, _, column = orientation.partition("/")
        anatomy = source.anatomy or (_PATTERN_ANATOMY if pattern else "")
        agent = self._settings.agent
        burned_in = source.burned_in_annotation or ("NO" if pattern else "")
        return Acquisition(
            sop_instance_uid=new_uid(),
            study_instance_uid=self.study_uid,
            series_instance_uid=series_uid,
            transfer_syntax_uid=transfer_syntax_uid,
            date="",
            time="",
            instance_number=number,
            lossy_steps=_lossy(source.lossy_history),
            burned_in_annotation=_YES_NO.get(burned_in),
            recognizable_features=_YES_NO.get(source.recognizable_features or ("NO" if pattern else "")),
            image_type=tuple(source.image_type.split("/")) if source.image_type else (),
            patient_orientation=(row, column) if orientation else None,
            anatomy=codes.anatomy(anatomy) if anatomy else None,
            laterality=source.laterality,
            equipment=Equipment(
                device_serial_number=agent.serial_number,
                station_name=agent.station_name,
                institution_name=agent.institution_name,
            ),
            cine=CineFacts(source.display_rate_hz, int(source.playback == "sweep")),
            ultrasound=_ultrasound(source),
            xray=_xray(source, pattern=pattern),
            angiography=AngiographyFacts(source.radiation_setting or (_PATTERN_RADIATION if pattern else "")),
            capture=CaptureFacts(
                source.conversion_type or ("SYN" if pattern else "DI"), pages=source.conversion_type in _PAGES
            ),
            remark=told(source),
            attributes=_attributes(source),
        )

    def _of_source(self, name: str) -> tuple[str, int]:
        with self._lock:
            if name not in self._series:
                self._series[name] = (new_uid(), len(self._series) + 1)
            return self._series[name]


_YES_NO: Final = {"YES": True, "NO": False}


def _lossy(history: str) -> tuple[LossyStep, ...]:
    steps = []
    for text in history.split(",") if history else ():
        ratio, _, method = text.strip().partition(" ")
        steps.append(LossyStep(float(ratio), method.strip()))
    return tuple(steps)


def _attributes(source: SourceSettings) -> DataSet | None:
    """What the site says beside the keys."""
    if not source.attributes_file:
        return None
    import json  # few sources have such a file

    from agent.media.json_model import from_json

    where = f"source '{source.name}', {source.attributes_file}"
    try:
        with open(source.attributes_file, encoding="utf-8") as file:
            text = file.read(MAX_ATTRIBUTES_BYTES + 1)
        if len(text) > MAX_ATTRIBUTES_BYTES:
            raise ConfigError(f"{where}: is longer than {MAX_ATTRIBUTES_BYTES} characters", hint=_JSON_HINT)
        found = json.loads(text)
        if not isinstance(found, dict):
            raise ConfigError(f"{where}: is no JSON object of attributes", hint=_JSON_HINT)
        return from_json(found)
    except OSError as error:
        raise FileError(f"{where}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{where}: not JSON: {error}", hint=_JSON_HINT) from None
    except ConfigError:
        raise
    except AgentError as error:
        raise ConfigError(f"{where}: {error}", hint=error.hint) from None


def _ultrasound(source: SourceSettings) -> UltrasoundFacts:
    if source.sop_class not in _ULTRASOUND or not source.view:
        return UltrasoundFacts()
    modifiers = (codes.view_modifier(source.view_modifier),) if source.view_modifier else ()
    return UltrasoundFacts(view=codes.ultrasound_view(source.view), view_modifiers=modifiers)


def _view(source: SourceSettings, *, pattern: bool) -> View | None:
    name = source.view or (_PATTERN_VIEW if pattern else "")
    return codes.view(name) if name and source.sop_class not in _ULTRASOUND else None


def _xray(source: SourceSettings, *, pattern: bool) -> XrayFacts:
    known = _PATTERN_XRAY if pattern else XrayFacts()
    if source.pixel_spacing_mm:
        known = known._replace(imager_pixel_spacing_mm=(source.pixel_spacing_mm, source.pixel_spacing_mm))
    return known._replace(
        pixel_intensity_relationship="LOG"
        if source.curve == "log"
        else source.intensity_relationship or known.pixel_intensity_relationship,
        pixel_intensity_sign=source.intensity_sign or known.pixel_intensity_sign,
        detector_type=source.detector_type or known.detector_type,
        view=_view(source, pattern=pattern),
        view_modifiers=(codes.view_modifier(source.view_modifier),) if source.view_modifier else (),
        windows=(Window(source.window_center, source.window_width),)
        if source.window_width and not source.burn_window
        else (),
    )
