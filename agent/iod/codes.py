"""The coded concepts a gateway writes: anatomy, views, purposes, derivations (PS3.16).

A code is (value, scheme, meaning). SCT is SNOMED CT in the subset the Standard prints, DCM the Standard's own scheme.
Regions (CID 4, which includes CID 4009 of DX, CID 4031, CID 4040 of endoscopy) with the Body Part Examined term and
pairedness of Annex L, and the context groups below, are generated from the Standard by scripts/gen_codes.py and looked
at only when a name is looked up. The groups are extensible, so a site may bring any other code as ``Code(...)``.
Retired SNOMED-RT codes (scheme SRT) are refused: they may be read, never written.

A blank pairedness means that we cannot say: the instance then gets an empty Laterality unless the side is given. Kidney
is blank although Annex L prints it as not paired, for "unpaired" written into an image of one kidney would mislead.
"""

from __future__ import annotations

from agent.dataset.dataset import DataSet
from agent.errors import IodError
from agent.typed import NamedTuple

_ANATOMY_HINT = "Words are the terms of Body Part Examined, such as CHEST (PS3.16 Annex L), or a code or its meaning."
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

# What was done to pixels (CID 7203), and what the image was made from (CID 7202)
LOSSY_COMPRESSION = Code("113040", "DCM", "Lossy Compression")
UNCOMPRESSED_PREDECESSOR = Code("121320", "DCM", "Uncompressed predecessor")
LOSSY_PREDECESSOR = Code("121330", "DCM", "Lossy compressed predecessor")
FOR_PROCESSING_PREDECESSOR = Code("121358", "DCM", "For Processing predecessor")

# The groups that name views: projections of DX; views, orientations, approaches and beam paths of ultrasound.
PROJECTIONS = (4010,)
PROJECTION_MODIFIERS = (4011,)
ULTRASOUND_VIEWS = (12226, 6, 5, 7)

# name|code of CID 4010|View Position
_VIEW_NAMES = """\
AP|399348003|AP
PA|272479007|PA
LL|399173006|LL
RL|399198007|RL
LATERAL|399067008|
OBLIQUE|399182000|
AXIAL|399061009|
RAO|399356000|
LAO|399135007|
RPO|399038007|
LPO|399006002|
ML|399260004|
LM|399352003|
CC|399162004|
TANGENTIAL|399110001|
PLANTODORSAL|399071006|
DORSOPLANTAR|399335002|
"""


def anatomy(name: str) -> Anatomy:
    """Anatomy by Body Part Examined term, code value or meaning (any case); IodError else."""
    wanted = name.strip().upper()
    by_meaning: Anatomy | None = None
    for line in _regions().splitlines() if wanted else ():
        if wanted not in line.upper():
            continue
        value, meaning, part, paired, _groups = line.split("|")
        found = Anatomy(_code(value, meaning), part, {"Y": True, "N": False}.get(paired))
        if wanted in {part, value}:
            return found
        if wanted == meaning.upper():
            by_meaning = found  # a term of this name may follow: HIP is that of the hip joint
    if by_meaning is None:
        raise IodError(
            f"body part {name!r} is not in the table of anatomic regions", tag=0x00082218, hint=_ANATOMY_HINT
        )
    return by_meaning


def view(name: str) -> View:
    """Radiographic view by short name (``"PA"``), or code value or meaning of CID 4010; IodError else."""
    wanted = name.strip().upper()
    for line in _VIEW_NAMES.splitlines():
        short, value, position = line.split("|")
        if wanted in {short, value}:
            return View(concept(value, *PROJECTIONS), position)
    try:
        code = concept(name, *PROJECTIONS)
    except IodError:
        raise IodError(f"view {name!r} is not in the table of radiographic views", tag=0x00540220) from None
    position = next((row.split("|")[2] for row in _VIEW_NAMES.splitlines() if code.value in row.split("|")), "")
    return View(code, position)


def ultrasound_view(name: str) -> View:
    """View of an ultrasound image: a term of CID 12226, 6, 5, 7 or a region of CID 4 (PS3.3 C.8.5.6.1.19)."""
    try:
        return View(concept(name, *ULTRASOUND_VIEWS))
    except IodError:
        pass
    try:
        return View(anatomy(name).code)
    except IodError:
        raise IodError(f"view {name!r} is not in the tables of ultrasound views", tag=0x00540220) from None


def view_modifier(name: str) -> Code:
    """Modifier of a view: a term of CID 4011 (radiography), 5, 6 or 7 (ultrasound); IodError else."""
    return concept(name, *PROJECTION_MODIFIERS, *ULTRASOUND_VIEWS)


def concept(name: str, *groups: int) -> Code:
    """Code of the first of these context groups that has this code value or meaning (any case); IodError else."""
    from agent.iod._generated_codes import GROUPS

    wanted = name.strip().upper()
    for group in groups:
        for line in GROUPS[group].splitlines()[1:]:
            value, _, meaning = line.partition("|")
            if wanted and wanted in {value.rpartition(":")[2].upper(), meaning.upper()}:
                return _code(value, meaning)
    where = " and ".join(f"CID {group}" for group in groups)
    raise IodError(f"{name!r} is not in {where}", tag=0x00080100)


def pairedness(ds: DataSet) -> bool | None:
    """Whether the body part of the instance is paired; None where region and Body Part Examined do not tell."""
    regions = ds.items_of(0x00082218)
    for name in (regions[0].text(0x00080100) if regions else "", ds.text(0x00180015)):
        try:
            return anatomy(name).paired
        except IodError:
            continue
    return None


def _regions() -> str:
    from agent.iod._generated_codes import REGIONS

    return REGIONS


def _code(value: str, meaning: str) -> Code:
    scheme, _, plain = value.rpartition(":")
    return Code(plain, scheme or "SCT", meaning)
