"""The coded concepts a gateway writes: anatomy, radiographic views, purposes (PS3.16).

A code is (value, scheme, meaning). SCT is SNOMED CT in the subset the Standard prints, DCM the Standard's own scheme.
The tables below are a working selection of CID 4031 (radiography), CID 4 (ultrasound) and CID 4010 (views) with the
Body Part Examined term and pairedness of Annex L; all three groups are extensible, so a site may configure any other
code as ``Code(...)``. Retired SNOMED-RT codes (scheme SRT) are refused: they may be read, never written.

A blank pairedness means that we cannot say: the instance then gets an empty Laterality unless the side is given. Kidney
is blank although Annex L prints it as not paired, for "unpaired" written into an image of one kidney would mislead.
"""

from __future__ import annotations

from typing import NamedTuple

from agent.dataset.dataset import DataSet
from agent.errors import IodError

MAX_SHORT_CODE_LENGTH = 16  # Code Value is SH; longer ones go into Long Code Value (PS3.3 8.8.1)


class Code(NamedTuple):
    """A coded concept (PS3.3 8.8)."""

    value: str
    scheme: str
    meaning: str

    def item(self) -> DataSet:
        """Return the item of a code sequence; IodError for a scheme that may no longer be written."""
        if self.scheme == "SRT":
            raise IodError(f"code {self.value} uses the retired scheme SRT", tag=0x00080102)
        ds = DataSet()
        if len(self.value) > MAX_SHORT_CODE_LENGTH:
            ds[0x00080119] = self.value
        else:
            ds[0x00080100] = self.value
        ds[0x00080102] = self.scheme
        ds[0x00080104] = self.meaning
        return ds


class Anatomy(NamedTuple):
    """A body region: its code, Body Part Examined term (may be empty), paired True, False or None (not stated)."""

    code: Code
    body_part: str
    paired: bool | None


class View(NamedTuple):
    """A radiographic view: View Code Sequence, and the older View Position where one says the same (else empty)."""

    code: Code
    position: str = ""


# Contributing equipment, purpose of reference (CID 7005)
ACQUISITION_EQUIPMENT = Code("109101", "DCM", "Acquisition Equipment")
MODIFYING_EQUIPMENT = Code("109103", "DCM", "Modifying Equipment")

# code|meaning|Body Part Examined|paired Y N
_ANATOMY = """\
816094009|Chest|CHEST|N
416550000|Chest and Abdomen|CHESTABDOMEN|N
818981001|Abdomen|ABDOMEN|N
818982008|Abdomen and Pelvis|ABDOMENPELVIS|N
816092008|Pelvis|PELVIS|N
122494005|Cervical spine|CSPINE|N
122495006|Thoracic spine|TSPINE|N
122496007|Lumbar spine|LSPINE|N
1217253001|Lumbo-sacral spine|LSSPINE|N
54735007|Sacrum|SSPINE|N
64688005|Coccyx|COCCYX|N
421060004|Spine|SPINE|N
69536005|Head|HEAD|N
774007|Head and Neck|HEADNECK|N
89546000|Skull|SKULL|N
91609006|Mandible|MANDIBLE|N
363654007|Orbital structure|ORBIT|Y
45048000|Neck|NECK|N
113197003|Rib|RIB|Y
56873002|Sternum|STERNUM|N
51299004|Clavicle|CLAVICLE|Y
85856004|Acromioclavicular joint|ACJOINT|Y
79601000|Scapula|SCAPULA|Y
16982005|Shoulder|SHOULDER|Y
85050009|Humerus|HUMERUS|Y
40983000|Upper arm|UPPERARM|Y
16953009|Elbow joint|ELBOW|Y
14975008|Forearm|FOREARM|Y
74670003|Wrist joint|WRIST|Y
85562004|Hand|HAND|Y
7569003|Finger|FINGER|Y
76505004|Thumb|THUMB|Y
24136001|Hip Joint|HIP|Y
39723000|Sacroiliac joint|SIJOINT|Y
71341001|Femur|FEMUR|Y
68367000|Thigh|THIGH|Y
64234005|Patella|PATELLA|Y
72696002|Knee|KNEE|Y
30021000|Lower leg|LOWERLEG|Y
87342007|Fibula|FIBULA|
70258002|Ankle joint|ANKLE|Y
56459004|Foot|FOOT|Y
80144004|Calcaneus|CALCANEUS|Y
29707007|Toe|TOE|Y
38266002|Entire body|WHOLEBODY|N
66019005|Extremity|EXTREMITY|Y
76752008|Breast|BREAST|Y
10200004|Liver|LIVER|N
28231008|Gallbladder|GALLBLADDER|N
34707002|Biliary tract|BILIARYTRACT|N
64033007|Kidney|KIDNEY|
15776009|Pancreas|PANCREAS|N
78961009|Spleen|SPLEEN|N
89837001|Bladder|BLADDER|N
41216001|Prostate|PROSTATE|N
15497006|Ovary|OVARY|Y
35039007|Uterus|UTERUS|N
40689003|Testis|TESTIS|Y
20233005|Scrotum|SCROTUM|Y
69748006|Thyroid|THYROID|N
80891009|Heart|HEART|N
69105007|Carotid Artery|CAROTID|Y
32062004|Common carotid artery|CCA|Y
15825003|Aorta|AORTA|N
7832008|Abdominal aorta|ABDOMINALAORTA|N
7657000|Femoral artery|FEMORALA|Y
83419000|Femoral vein|FEMORALV|Y
43899006|Popliteal artery|POPLITEALA|Y
60734001|Great saphenous vein|GSV|Y
12123001|Internal jugular vein|INTJUGULARV|Y
32764006|Portal vein|PORTALV|N
"""

# name|code|meaning|View Position
_VIEWS = """\
AP|399348003|antero-posterior|AP
PA|272479007|postero-anterior|PA
LL|399173006|left lateral|LL
RL|399198007|right lateral|RL
LATERAL|399067008|lateral|
OBLIQUE|399182000|oblique|
AXIAL|399061009|axial|
RAO|399356000|right anterior oblique|
LAO|399135007|left anterior oblique|
RPO|399038007|right posterior oblique|
LPO|399006002|left posterior oblique|
ML|399260004|medial-lateral|
LM|399352003|lateral-medial|
CC|399162004|cranio-caudal|
TANGENTIAL|399110001|tangential|
PLANTODORSAL|399071006|plantodorsal|
DORSOPLANTAR|399335002|dorsoplantar|
"""


def anatomy(name: str) -> Anatomy:
    """Anatomy by Body Part Examined term, code value or meaning (any case); IodError naming the choices else."""
    wanted = name.strip().upper()
    for line in _ANATOMY.splitlines():
        value, meaning, part, paired = line.split("|")
        if wanted in {part, value, meaning.upper()}:
            return Anatomy(Code(value, "SCT", meaning), part, {"Y": True, "N": False}.get(paired))
    raise IodError(f"body part {name!r} is not in the table of anatomic regions", tag=0x00082218)


def view(name: str) -> View:
    """View by short name (``"PA"``), code value or meaning; IodError else."""
    wanted = name.strip().upper()
    for line in _VIEWS.splitlines():
        short, value, meaning, position = line.split("|")
        if wanted in {short, value, meaning.upper()}:
            return View(Code(value, "SCT", meaning), position)
    raise IodError(f"view {name!r} is not in the table of radiographic views", tag=0x00540220)


def pairedness(ds: DataSet) -> bool | None:
    """Whether the body part of the instance is paired; None where region and Body Part Examined do not tell."""
    regions = ds.items_of(0x00082218)
    for name in (regions[0].text(0x00080100) if regions else "", ds.text(0x00180015)):
        try:
            return anatomy(name).paired
        except IodError:
            continue
    return None
