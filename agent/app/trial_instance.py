r"""A test instance: a Secondary Capture that nobody can take for an image of a patient.

Everything that the Standard offers for that is used: Quality Control Subject (0010,0200) and Quality Control Image
(0028,0300) say YES, Image Type is DERIVED\SECONDARY, Conversion Type SYN, Patient's Name and ID, Study Description and
comments say TEST, and so does the picture. Each has UIDs of its own; the Patient ID is that of the box, so that all
its test images are found in one place and can be deleted there. No configured patient or exam goes into it.
"""

from __future__ import annotations

from agent.acquire.clock import wall_stamp
from agent.acquire.identity import new_uid
from agent.app.trial_picture import SIDE, picture
from agent.dataset.dataset import DataSet
from agent.dataset.pixels import PixelDescription
from agent.dataset.uid import EXPLICIT_VR_LE, SC
from agent.iod.acquisition import Acquisition, CaptureFacts, Equipment
from agent.iod.build import build
from agent.media.instance import encode_instance
from agent.media.part10 import FileMeta
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from agent.config.settings import Settings

PATIENT_NAME: Final = "TEST^MODALITY-AGENT"
_WHAT: Final = "TEST IMAGE, NOT A PATIENT"


class Trial(NamedTuple):
    """One test instance."""

    sop_instance_uid: str
    study_uid: str
    patient_id: str
    data: bytes


def make(settings: Settings, wall_s: float) -> Trial:
    """Make one of the moment ``wall_s``."""
    stamp, agent = wall_stamp(wall_s), settings.agent
    patient_id = f"TEST-{agent.ae_title}"
    context = DataSet({
        "PatientName": PATIENT_NAME, "PatientID": patient_id, "PatientBirthDate": None, "PatientSex": "O",
        "QualityControlSubject": "YES", "PatientComments": _WHAT, "StudyID": "TEST", "AccessionNumber": None,
        "ReferringPhysicianName": None, "StudyDate": stamp.date, "StudyTime": stamp.time,
        "StudyDescription": _WHAT, "SeriesNumber": 1, "SeriesDescription": "TEST", "Manufacturer": agent.manufacturer,
        "ManufacturerModelName": agent.model_name, "DeviceSerialNumber": agent.serial_number,
    })  # fmt: skip
    acquisition = Acquisition(
        new_uid(), new_uid(), new_uid(), EXPLICIT_VR_LE, stamp.date, stamp.time, stamp.offset,
        burned_in_annotation=False, recognizable_features=False,
        comments=f"{_WHAT}: sent by 'modality-agent test send'",
        equipment=Equipment(device_serial_number=agent.serial_number, station_name=agent.station_name,
                            institution_name=agent.institution_name),
        capture=CaptureFacts("SYN"), attributes=DataSet({"QualityControlImage": "YES"}),
    )  # fmt: skip
    dataset = build("sc", description=PixelDescription(SIDE, SIDE), context=context, acquisition=acquisition)
    meta = FileMeta(SC, acquisition.sop_instance_uid, EXPLICIT_VR_LE)
    data = b"".join(encode_instance(meta, dataset, [picture(stamp.date, stamp.time)]))
    return Trial(acquisition.sop_instance_uid, acquisition.study_instance_uid, patient_id, data)
