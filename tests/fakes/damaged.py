"""What is damaged in an instance, one broken rule at a time; nodes.py says how."""

from __future__ import annotations

import struct

from fakes.nodes import (
    ANATOMY,
    EQUIPMENT,
    FRAME_GROUPS,
    ICON,
    PURPOSE,
    REGIONS,
    SHARED_GROUPS,
    VIEW,
    Damage,
    also,
    behind,
    drop,
    find,
    fragments,
    functional_groups,
    icon,
    inside,
    items,
    number,
    palette,
    pixels,
    put,
    references,
    source_image,
    twice,
    voi_lut,
)

from agent.dataset import uid
from agent.dataset.tag import PIXEL_DATA

DAMAGE: dict[str, Damage] = {
    # type 1 and 2 (PS3.5 7.4)
    "type 1 missing: Modality": Damage("us", drop(0x00080060)),
    "type 1 empty: Modality": Damage("us", put(0x00080060, "")),
    "type 1 missing: SOP Instance UID": Damage("us", drop(0x00080018)),
    "type 1 missing: Study Instance UID": Damage("sc", drop(0x0020000D)),
    "type 1 empty: Series Instance UID": Damage("cr", put(0x0020000E, "")),
    "type 1 missing: Rows": Damage("us", drop(0x00280010)),
    "type 1 missing: Bits Stored": Damage("dx", drop(0x00280101)),
    "type 1 missing: Photometric Interpretation": Damage("sc", drop(0x00280004)),
    "type 1 missing: Conversion Type": Damage("sc", drop(0x00080064)),
    "type 1 missing: Imager Pixel Spacing": Damage("dx", drop(0x00181164)),
    "type 1 missing: Rescale Slope": Damage("dx", drop(0x00281053)),
    "type 1 empty: Burned In Annotation": Damage("dx", put(0x00280301, "")),
    "type 1 missing: Number of Frames": Damage("us-mf", drop(0x00280008)),
    "type 1 missing: Radiation Setting": Damage("xa", drop(0x00181155)),
    "type 1 missing: Pixel Intensity Relationship": Damage("xrf", drop(0x00281040)),
    "type 2 missing: Patient's Name": Damage("us", drop(0x00100010)),
    "type 2 missing: Study ID": Damage("cr", drop(0x00200010)),
    "type 2 missing: Manufacturer": Damage("us", drop(0x00080070)),
    "type 2 missing: Acquisition Context": Damage("vl-photo", drop(0x00400555)),
    "type 2 missing: KVP": Damage("xa", drop(0x00180060)),
    "type 2 missing: View Position": Damage("cr", drop(0x00185101)),
    "type 1 missing in an item: Physical Delta X": Damage("us", inside(REGIONS, drop(0x0018602C))),
    "type 1 missing in an item: Code Meaning": Damage("us", inside(ANATOMY, drop(0x00080104))),
    "type 1 empty in an item: Code Meaning": Damage("dx", inside(ANATOMY, put(0x00080104, ""))),
    "type 1 without items: Sequence of Ultrasound Regions": Damage("us", items(REGIONS, lambda _: [])),
    "type 1 missing: Pixel Data": Damage("sc", drop(PIXEL_DATA)),
    # conditions
    "type 1C missing: Planar Configuration of RGB": Damage("us", drop(0x00280006)),
    "type 1C missing: Frame Time that is pointed at": Damage("us-mf", drop(0x00181063)),
    "type 1C missing: Window Center for presentation": Damage("dx", drop(0x00281050, 0x00281051)),
    "type 1C missing: Window Width": Damage("dx", drop(0x00281051)),
    "type 2C missing: Exposure Time, Current and Exposure": Damage("xa", drop(0x00181150, 0x00181151, 0x00181152)),
    "type 1C missing: code value of every kind": Damage("us", inside(ANATOMY, drop(0x00080100))),
    "type 1C missing: Coding Scheme Designator": Damage("us", inside(ANATOMY, drop(0x00080102))),
    "type 1C missing: Specific Character Set": Damage("us", drop(0x00080005)),
    "type 1C missing: Presentation LUT Shape": Damage("sc-mf-byte", drop(0x20500020)),
    "type 1C empty where none is needed: Pixel Aspect Ratio": Damage("cr", put(0x00280034, "", "IS")),
    "type 1C without its condition: Laterality": Damage("us", put(0x00200060, "L ", "CS")),
    "type 1C without its condition: Pixel Aspect Ratio": Damage("us", put(0x00280034, "1\\1 ", "IS")),
    "type 1C without its condition: palette": Damage("us", put(0x00281201, bytes(512), "OW")),
    "type 1C without its condition: Frame Increment Pointer": Damage("us", put(0x00280009, b"\x18\0\x63\x10", "AT")),
    "type 1C without its condition: Responsible Person Role": Damage("us", put(0x00102298, "OWNER ", "CS")),
    "type 1C without its condition: pullback": Damage("us", put(0x00183101, "1 ", "DS")),
    "type 1C without its condition: Field of View Origin": Damage("dx", put(0x00187030, "1\\1 ", "DS")),
    "type 1C without its condition: scanned spacing": Damage("sc-mf-word", put(0x00182010, "0.1\\0.1 ", "DS")),
    "type 1C without its condition: Referenced Series": Damage("us", references(0x00081115)),
    "type 1C missing: species of a breed": Damage("us", put(0x00102292, "BEAGLE", "LO")),
    "type 2C missing: Number of Stages": Damage("us", put(0x00082120, "BASELINE", "SH")),
    # enumerations
    "enumeration: Modality of an endoscope": Damage("vl-endoscopic", put(0x00080060, "CT")),
    "enumeration: Slice Progression Direction": Damage("us", put(0x00540500, "UP", "CS")),
    "enumeration: Patient's Sex": Damage("us", put(0x00100040, "X ")),
    "enumeration: Burned In Annotation": Damage("dx", put(0x00280301, "MAYBE ")),
    "enumeration: Photometric Interpretation": Damage("us", put(0x00280004, "HSV ")),
    "enumeration: Presentation Intent Type": Damage("dx", put(0x00080068, "FOR REVIEW")),
    "enumeration: Image Laterality": Damage("us", put(0x00200062, "X ", "CS")),
    "enumeration: Image Type value 1": Damage("us", put(0x00080008, "SOURCE\\SECONDARY")),
    "enumeration: Pixel Representation": Damage("us", number(0x00280103, 1)),
    "enumeration: Pixel Representation 7": Damage("sc", number(0x00280103, 7)),
    "enumeration: Radiation Setting": Damage("xa", put(0x00181155, "XX")),
    "enumeration: Lossy Image Compression": Damage("dx", put(0x00282110, "02")),
    "enumeration: Pixel Intensity Relationship Sign": Damage("dx", put(0x00281041, b"\5\0")),
    "enumeration: Planar Configuration": Damage("us", number(0x00280006, 4)),
    # VR and VM
    "VR: Patient ID as SH": Damage("us", put(0x00100020, "P-1 ", "SH")),
    "VR: Rows as UL": Damage("us", put(0x00280010, b"\x0c\0\0\0", "UL")),
    "VR: Modality as LO": Damage("cr", put(0x00080060, "CR", "LO")),
    "VM: two Rows": Damage("us", put(0x00280010, b"\x0c\0\x0c\0")),
    "VM: one Imager Pixel Spacing": Damage("dx", put(0x00181164, "0.143 ")),
    "VM: two Modalities": Damage("us", put(0x00080060, "US\\CR ")),
    "VM: one value of Image Type": Damage("us", put(0x00080008, "ORIGINAL")),
    "VM: three values of Patient Orientation": Damage("dx", put(0x00200020, "L\\F\\A ")),
    # values (PS3.5 6.2)
    "UI: letters": Damage("us", put(0x0020000D, "1.2.x.4\0")),
    "UI: leading zero": Damage("us", put(0x0020000D, "1.2.03.4")),
    "UI: too long": Damage("us", put(0x0020000D, "1." + "23" * 32)),
    "UI: padded with a space": Damage("us", put(0x0020000D, "2.25.12 ")),
    "DA: no date": Damage("us", put(0x00080020, "2026-3-1")),
    "DA: month 13": Damage("us", put(0x00080020, "20261301")),
    "DA: day 31 of February": Damage("us", put(0x00080020, "20260231")),
    "DA: too short": Damage("us", put(0x00080020, "2026")),
    "TM: hour 25": Damage("us", put(0x00080030, "250000")),
    "TM: letters": Damage("us", put(0x00080030, "10h15 ")),
    "DS: no number": Damage("dx", put(0x00181164, "wide\\0.143")),
    "DS: too long": Damage("dx", put(0x00281050, "2048.000000000000000")),
    "IS: no number": Damage("us", put(0x00200013, "1.5 ")),
    "IS: too long": Damage("us", put(0x00200013, "00000000000001")),
    "CS: lower case": Damage("sc", put(0x00080064, "di")),
    "CS: too long": Damage("cr", put(0x00180015, "ABCDEFGHIJKLMNOPQR")),
    "SH: too long": Damage("us", put(0x00200010, "A" * 18)),
    "LO: too long": Damage("us", put(0x00100020, "P" * 66)),
    "LO: control character": Damage("us", put(0x00100020, b"P\x07-1")),
    "PN: six components": Damage("us", put(0x00100010, "A^B^C^D^E^F ")),
    "AE: too long": Damage("us", put(0x00080054, "A" * 18, "AE")),
    "AS: no age": Damage("us", put(0x00101010, "12 Y", "AS")),
    "DT: no date and time": Damage("us", inside(EQUIPMENT, put(0x0018A002, "yesterday "))),
    "odd length": Damage("us", put(0x00100020, "P-1")),
    "text outside the character set": Damage("us", put(0x00100010, b"TEST^\xc4nne ")),
    "character sets that stand alone, together": Damage("us", put(0x00080005, "ISO_IR 192\\ISO 2022 IR 87 ")),
    "character set that does not exist": Damage("us", put(0x00080005, "ISO_IR 999")),
    # pixels
    "bits: High Bit": Damage("dx", number(0x00280102, 15)),
    "bits: Bits Stored above Bits Allocated": Damage("dx", also(number(0x00280101, 17), number(0x00280102, 16))),
    "bits: Bits Allocated 12": Damage("sc", number(0x00280100, 12)),
    "pixels: Samples per Pixel 1 for RGB": Damage("sc", also(number(0x00280002, 1), drop(0x00280006))),
    "pixels: Samples per Pixel 4": Damage("sc", number(0x00280002, 4)),
    "pixels: too short": Damage("sc", pixels(lambda data: data[:-64])),
    "pixels: too long": Damage("us", pixels(lambda data: data + bytes(64))),
    "pixels: frames that are not there": Damage("us-mf", put(0x00280008, "5 ")),
    "pixels: no frames": Damage("us-mf", put(0x00280008, "0 ")),
    "pixels: Planar Configuration of gray": Damage("cr", number(0x00280006, 0)),
    "pixels: OB for 16 bits": Damage("dx", lambda level: find(level, PIXEL_DATA).__setitem__(1, "OB")),
    "fragments: one too few": Damage(
        "us-mf", fragments(lambda value: value._replace(fragments=value.fragments[:-1])), uid.RLE_LOSSLESS
    ),
    "fragments: wrong Basic Offset Table": Damage(
        "us-mf", fragments(lambda value: value._replace(offset_table=struct.pack("<3I", 0, 4, 8))), uid.RLE_LOSSLESS
    ),
    "fragments: photometric interpretation of another codec": Damage(
        "us", put(0x00280004, "YBR_ICT "), uid.RLE_LOSSLESS
    ),
    "fragments: OW": Damage("us-mf", lambda level: find(level, PIXEL_DATA).__setitem__(1, "OW"), uid.RLE_LOSSLESS),
    "fragments: an odd one": Damage(
        "us", fragments(lambda value: value._replace(fragments=(value.fragments[0] + b"\0",))), uid.RLE_LOSSLESS
    ),
    "fragments: Basic and Extended Offset Table": Damage(
        "us",
        also(
            put(0x7FE00001, bytes(8), "OV"),
            lambda level: put(0x7FE00002, struct.pack("<Q", len(find(level, PIXEL_DATA)[2].fragments[0])), "OV")(level),
            fragments(lambda value: value._replace(offset_table=bytes(4))),
        ),
        uid.RLE_LOSSLESS,
    ),
    "fragments: Extended Offset Table to nowhere": Damage(
        "us", also(put(0x7FE00001, b"\4" + bytes(7), "OV"), put(0x7FE00002, bytes(8), "OV")), uid.RLE_LOSSLESS
    ),
    "icon: colour": Damage("us", icon("RGB ", 3)),
    "icon: two items": Damage("us", also(icon("MONOCHROME2 ", 1), items(ICON, lambda have: have * 2))),
    "palette: descriptors that differ": Damage("us", palette(b"\0\1\0\0\x10\0", b"\0\2\0\0\x10\0", 512)),
    "palette: table too short": Damage("us", palette(b"\0\1\0\0\x10\0", b"\0\1\0\0\x10\0", 100)),
    "overlay: data too short": Damage(
        "us",
        also(
            number(0x60000010, 12),
            number(0x60000011, 16),
            put(0x60000040, "G ", "CS"),
            put(0x60000050, struct.pack("<hh", 1, 1), "SS"),
            number(0x60000100, 1),
            number(0x60000102, 0),
            put(0x60003000, bytes(4), "OW"),
        ),
    ),
    # items
    "items: two anatomic regions": Damage("us", items(ANATOMY, lambda have: have * 2)),
    "items: two purposes of reference": Damage("us", inside(EQUIPMENT, items(PURPOSE, lambda have: have * 2))),
    "items: two views": Damage("dx", items(VIEW, lambda have: have * 2)),
    "items: two purposes of a source": Damage("us", source_image(purposes=2)),
    "items: no region although the body part is known": Damage("dx", items(ANATOMY, lambda _: [])),
    # numbers
    "number: Rows 0": Damage("sc", number(0x00280010, 0)),
    "number: Columns 0": Damage("us-mf", number(0x00280011, 0)),
    "number: Imager Pixel Spacing 0": Damage("dx", put(0x00181164, "0\\0 ")),
    "number: Imager Pixel Spacing without its first value": Damage("cr", put(0x00181164, "\\0.143")),
    "number: Pixel Spacing 0": Damage("xa", put(0x00280030, "0\\0 ", "DS")),
    "number: Pixel Spacing below 0": Damage("vl-photo", put(0x00280030, "-1\\1", "DS")),
    "number: Detector Element Spacing 0": Damage("dx", put(0x00187022, "0\\0 ", "DS")),
    "number: Field of View Dimensions 0": Damage("dx", put(0x00181149, "0\\0 ", "IS")),
    "number: Rescale Slope 0": Damage(
        "cr", also(put(0x00281052, "0 ", "DS"), put(0x00281053, "0 ", "DS"), put(0x00281054, "US", "LO"))
    ),
    "number: Representative Frame Number 0": Damage("us-mf", number(0x00286010, 0)),
    "number: View Number 0": Damage(
        "us", also(put(0x00082128, "0 ", "IS"), put(0x00082124, "1 ", "IS"), put(0x0008212A, "1 ", "IS"))
    ),
    "number: Exposure Time and its thousandths": Damage("xa", put(0x00188150, "1 ", "DS")),
    "number: VOI LUT shorter than it says": Damage("cr", voi_lut(entries=8, words=4)),
    # functional groups
    "groups: a plane without its measures": Damage("sc-mf-byte", functional_groups(2)),
    "groups: frames that differ in what they have": Damage(
        "sc-mf-byte", also(functional_groups(0, 3), items(FRAME_GROUPS, lambda have: [have[0], have[1][:2]]))
    ),
    "groups: shared and of a frame": Damage("sc-mf-byte", functional_groups(3, 1)),
    "groups: of more frames than there are": Damage("sc-mf-byte", functional_groups(3, frames=3)),
    "groups: two positions": Damage(
        "sc-mf-word",
        also(functional_groups(3, frames=3), inside(SHARED_GROUPS, items(0x00209113, lambda have: have * 2))),
    ),
    "groups: a plane without frame of reference": Damage("sc-mf-byte", also(functional_groups(3), drop(0x00200052))),
    "groups: an empty position": Damage(
        "sc-mf-word",
        also(functional_groups(3, frames=3), inside(SHARED_GROUPS, inside(0x00209113, put(0x00200032, "")))),
    ),
    # structure (PS3.5 7)
    "structure: an element twice": Damage("us", twice(0x00100020)),
    "structure: an element out of order": Damage("us", behind(0x00100020, 0x00280010)),
    "structure: private element without creator": Damage("us", put(0x00091001, "x ", "LO")),
    "structure: private element outside blocks": Damage("us", put(0x00090105, "x ", "LO")),
    "structure: Command Group": Damage("us", put(0x00000100, b"\1\0", "US")),
    # File Meta Information (PS3.10 7.1)
    "meta: another SOP Instance UID": Damage("us", put(0x00020003, "2.25.99\0")),
    "meta: another SOP Class UID": Damage("us", put(0x00020002, uid.SC + "\0")),
    "meta: no Transfer Syntax UID": Damage("us", drop(0x00020010)),
    "meta: no Implementation Class UID": Damage("us", drop(0x00020012)),
    "meta: no version": Damage("us", drop(0x00020001)),
    # relations
    "relation: region outside the image": Damage("us", inside(REGIONS, put(0x0018601C, b"\xff\0\0\0"))),
    "relation: Frame Increment Pointer to nothing": Damage("us-mf", put(0x00280009, b"\x18\0\x65\x10")),
    "relation: Frame Time Vector of wrong length": Damage(
        "us-mf", also(put(0x00280009, b"\x18\0\x65\x10"), put(0x00181065, "0\\33\\33\\33\\33 ", "DS"))
    ),
    "relation: Presentation LUT Shape of the other sense": Damage("dx", put(0x20500020, "INVERSE ")),
    "relation: VOI for processing": Damage(
        "dx-processing", also(put(0x00281050, "10", "DS"), put(0x00281051, "10", "DS"))
    ),
    "relation: window of width 0": Damage("dx", put(0x00281051, "0 ")),
    "relation: lossy ratio without its flag": Damage("us", put(0x00282112, "5 ", "DS")),
    "relation: offset of time zone": Damage("us", put(0x00080201, "Berlin", "SH")),
    "relation: UID under the root of the Standard": Damage(
        "us", also(put(0x00080018, "1.2.840.10008.99.1"), put(0x00020003, "1.2.840.10008.99.1"))
    ),
    "relation: Frame of Reference UID of the study": Damage("us", put(0x00200052, "2.25.1", "UI")),
    "relation: two frames in a single-frame IOD": Damage("sc", put(0x00280008, "2 ", "IS")),
    "UI: root 9": Damage("us", put(0x0020000D, "9.8.7.6\0")),
    "relation: unknown letters in Patient Orientation": Damage("dx", put(0x00200020, "X\\F ")),
}

# No violations, although dciodvfy calls them errors: kind, change, and the rule that allows them.
ALLOWED: dict[str, tuple[Damage, str]] = {
    f"empty type 3: {name}": (
        Damage(kind, items(tag, lambda _: [])),
        "PS3.5 7.4.5: an empty type 3 says no more than its absence",
    )
    for name, kind, tag in (
        ("Contributing Equipment", "us", EQUIPMENT),
        ("Anatomic Region", "us", ANATOMY),
        ("View Code", "dx", VIEW),
    )
}
