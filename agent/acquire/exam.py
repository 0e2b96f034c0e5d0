"""The exam that captures belong to: patient, study, series and what the source is known to look at.

Without a worklist the patient and study come from ``[patient]`` and ``[exam]`` of the configuration. One ``Exam`` is
one study; each source has one series in it, because a series has one modality and one device (PS3.3 A.1.2.3). Numbers
count from 1 in the order of capture.

A pattern knows everything about itself, so the facts that DX cannot do without are here for patterns; for real sources
they come from the configuration or the instance is refused.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from agent.acquire.identity import new_uid
from agent.dataset.dataset import DataSet
from agent.iod import codes
from agent.iod.acquisition import Acquisition, CaptureFacts, Equipment, Window, XrayFacts

if TYPE_CHECKING:
    from agent.acquire.clock import WallStamp
    from agent.config.settings import Settings, SourceSettings

_PATTERN: Final = "pattern:"
# A phantom of 43 cm on a panel of 3072 pixels; the pattern grows darker where more is absorbed.
_PATTERN_XRAY: Final = XrayFacts((0.14, 0.14), "LIN", 1, "DIRECT")
_PATTERN_VIEW: Final = "PA"
_PATTERN_ORIENTATION: Final = "L/F"
_PATTERN_ANATOMY: Final = "CHEST"
_PATTERN_PATIENT: Final = ("TEST^PATTERN", "TEST-PATTERN")  # so that nobody looks for a person behind a test picture


class Exam:
    """One study: hands out its UIDs, numbers and Attributes; safe to use from every acquisition thread."""

    __slots__ = ("_lock", "_numbers", "_series", "_settings", "_started", "study_uid")

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._series: dict[str, tuple[str, int]] = {}
        self._numbers: dict[str, int] = {}
        self._started: WallStamp | None = None
        self.study_uid = new_uid()

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
            burned_in_annotation={"YES": True, "NO": False}.get(burned_in),
            patient_orientation=(row, column) if orientation else None,
            anatomy=codes.anatomy(anatomy) if anatomy else None,
            laterality=source.laterality,
            equipment=Equipment(
                device_serial_number=agent.serial_number,
                station_name=agent.station_name,
                institution_name=agent.institution_name,
            ),
            xray=_xray(source, pattern=pattern),
            capture=CaptureFacts("SYN" if pattern else "DI"),
        )

    def _of_source(self, name: str) -> tuple[str, int]:
        with self._lock:
            if name not in self._series:
                self._series[name] = (new_uid(), len(self._series) + 1)
            return self._series[name]


def _xray(source: SourceSettings, *, pattern: bool) -> XrayFacts:
    known = _PATTERN_XRAY if pattern else XrayFacts()
    view = source.view or (_PATTERN_VIEW if pattern else "")
    if source.pixel_spacing_mm:
        known = known._replace(imager_pixel_spacing_mm=(source.pixel_spacing_mm, source.pixel_spacing_mm))
    return known._replace(
        pixel_intensity_relationship=source.intensity_relationship or known.pixel_intensity_relationship,
        pixel_intensity_sign=source.intensity_sign or known.pixel_intensity_sign,
        detector_type=source.detector_type or known.detector_type,
        view=codes.view(view) if view else None,
        windows=(Window(source.window_center, source.window_width),) if source.window_width else (),
    )
