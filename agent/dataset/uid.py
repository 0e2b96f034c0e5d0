"""Unique Identifiers: the ones we use by name, and the rules of the rest (PS3.5 9 and Annex B, PS3.6 Annex A).

A UID is a ``str``. Nothing is ever parsed out of one and none is derived from another: new ones come from 128 bits of
entropy that the caller brings (this package draws none), under the root 2.25 that needs no registration.
"""

from __future__ import annotations

# --- transfer syntaxes (PS3.6 Table A-1) ------------------------------------------------------
IMPLICIT_VR_LE = "1.2.840.10008.1.2"
EXPLICIT_VR_LE = "1.2.840.10008.1.2.1"
ENCAPSULATED_UNCOMPRESSED = "1.2.840.10008.1.2.1.98"
DEFLATED_EXPLICIT_VR_LE = "1.2.840.10008.1.2.1.99"
EXPLICIT_VR_BE = "1.2.840.10008.1.2.2"
RLE_LOSSLESS = "1.2.840.10008.1.2.5"
JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
JPEG_EXTENDED = "1.2.840.10008.1.2.4.51"
JPEG_LOSSLESS = "1.2.840.10008.1.2.4.57"
JPEG_LOSSLESS_SV1 = "1.2.840.10008.1.2.4.70"
JPEG_LS_LOSSLESS = "1.2.840.10008.1.2.4.80"
JPEG_LS_NEAR = "1.2.840.10008.1.2.4.81"
JPEG_2000_LOSSLESS = "1.2.840.10008.1.2.4.90"
JPEG_2000 = "1.2.840.10008.1.2.4.91"
HTJ2K_LOSSLESS = "1.2.840.10008.1.2.4.201"
HTJ2K_LOSSLESS_RPCL = "1.2.840.10008.1.2.4.202"
HTJ2K = "1.2.840.10008.1.2.4.203"

TRANSFER_SYNTAX_NAMES = {
    IMPLICIT_VR_LE: "Implicit VR Little Endian",
    EXPLICIT_VR_LE: "Explicit VR Little Endian",
    ENCAPSULATED_UNCOMPRESSED: "Encapsulated Uncompressed Explicit VR Little Endian",
    DEFLATED_EXPLICIT_VR_LE: "Deflated Explicit VR Little Endian",
    EXPLICIT_VR_BE: "Explicit VR Big Endian",
    RLE_LOSSLESS: "RLE Lossless",
    JPEG_BASELINE: "JPEG Baseline (Process 1)",
    JPEG_EXTENDED: "JPEG Extended (Process 2 and 4)",
    JPEG_LOSSLESS: "JPEG Lossless (Process 14)",
    JPEG_LOSSLESS_SV1: "JPEG Lossless (Process 14, Selection Value 1)",
    JPEG_LS_LOSSLESS: "JPEG-LS Lossless",
    JPEG_LS_NEAR: "JPEG-LS Near-lossless",
    JPEG_2000_LOSSLESS: "JPEG 2000 (Lossless Only)",
    JPEG_2000: "JPEG 2000",
    HTJ2K_LOSSLESS: "High-Throughput JPEG 2000 (Lossless Only)",
    HTJ2K_LOSSLESS_RPCL: "High-Throughput JPEG 2000 with RPCL Options (Lossless Only)",
    HTJ2K: "High-Throughput JPEG 2000",
}

NATIVE_TRANSFER_SYNTAXES = frozenset({IMPLICIT_VR_LE, EXPLICIT_VR_LE, DEFLATED_EXPLICIT_VR_LE, EXPLICIT_VR_BE})

# Lossy means: may have lost information. JPEG-LS near-lossless with NEAR = 0 has not, but the UID cannot say so.
_LOSSY_TRANSFER_SYNTAXES = frozenset({JPEG_BASELINE, JPEG_EXTENDED, JPEG_LS_NEAR, JPEG_2000, HTJ2K})
_VIDEO_PREFIXES = tuple(f"1.2.840.10008.1.2.4.{number}" for number in range(100, 109))

# --- SOP Classes (PS3.4 Annex B.5, A.4, J.3) --------------------------------------------------
VERIFICATION = "1.2.840.10008.1.1"
STORAGE_COMMITMENT = "1.2.840.10008.1.20.1"
STORAGE_COMMITMENT_INSTANCE = "1.2.840.10008.1.20.1.1"
STUDY_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
MEDIA_STORAGE_DIRECTORY = "1.2.840.10008.1.3.10"
APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"
CR = "1.2.840.10008.5.1.4.1.1.1"
DX_PRESENTATION = "1.2.840.10008.5.1.4.1.1.1.1"
DX_PROCESSING = "1.2.840.10008.5.1.4.1.1.1.1.1"
US_MULTIFRAME = "1.2.840.10008.5.1.4.1.1.3.1"
US = "1.2.840.10008.5.1.4.1.1.6.1"
SC = "1.2.840.10008.5.1.4.1.1.7"
SC_MF_BYTE = "1.2.840.10008.5.1.4.1.1.7.2"
SC_MF_WORD = "1.2.840.10008.5.1.4.1.1.7.3"
SC_MF_COLOR = "1.2.840.10008.5.1.4.1.1.7.4"
XA = "1.2.840.10008.5.1.4.1.1.12.1"
XRF = "1.2.840.10008.5.1.4.1.1.12.2"
VL_ENDOSCOPIC = "1.2.840.10008.5.1.4.1.1.77.1.1"
VL_PHOTOGRAPHIC = "1.2.840.10008.5.1.4.1.1.77.1.4"

_SERVICE_NAMES = {
    VERIFICATION: "Verification",
    STORAGE_COMMITMENT: "Storage Commitment Push Model",
    STORAGE_COMMITMENT_INSTANCE: "Storage Commitment Push Model, well-known instance",
    STUDY_ROOT_FIND: "Study Root Query/Retrieve Information Model - FIND",
    MEDIA_STORAGE_DIRECTORY: "Media Storage Directory",
    APPLICATION_CONTEXT: "DICOM Application Context",
}

# --- frames of reference (PS3.6 Table A-2) ----------------------------------------------------
UTC_SYNCHRONIZATION = "1.2.840.10008.15.1.1"

# --- ourselves --------------------------------------------------------------------------------
# Drawn once at random under 2.25 because the project has no registered root; fixed for all versions, the version is in
# the name beside it (PS3.7 D.3.3.2).
IMPLEMENTATION_CLASS_UID = "2.25.59214846064856551208532136608093763290"
IMPLEMENTATION_VERSION_NAME = "MODALITYAGENT_01"
# Who owns (0002,0102) in our files (PS3.10 7.1); see media/part10.py for what is in it.
PRIVATE_INFORMATION_CREATOR_UID = "2.25.298154963540157687094651788128194812286"

_DICOM_ROOT = "1.2.840.10008."  # PS3.6 Annex A gives out what is below
MAX_UID_BYTES = 64  # PS3.5 9.1


def uid_name(uid: str) -> str:
    """The name of a well-known UID, or the UID itself where we know none."""
    name = TRANSFER_SYNTAX_NAMES.get(uid) or _SERVICE_NAMES.get(uid)
    if name is None:
        return _name_in_table(uid)
    return name


def _name_in_table(uid: str) -> str:
    """The name of a UID of PS3.6; all others cost nothing."""
    suffix = uid.removeprefix(_DICOM_ROOT)
    if suffix == uid or not is_valid_uid(uid):
        return uid
    from agent.dataset._generated_uids import TABLE  # 110 KiB that only people reading output need

    at = TABLE.find(f"\n{suffix} ") + 1
    return TABLE[at + len(suffix) + 1 : TABLE.index("\n", at)] if at else uid


def is_valid_uid(text: str) -> bool:
    """Whether the text is a UID: 1 to 64 digits and dots, no empty component, no leading zero (PS3.5 9.1)."""
    if not 0 < len(text) <= MAX_UID_BYTES or not text.isascii() or not text.replace(".", "").isdigit():
        return False
    fenced = f".{text}."
    if ".." in fenced:
        return False
    return ".0" not in fenced or all(part == "0" or part[0] != "0" for part in text.split("."))


def uid_from_int128(value: int) -> str:
    """A UID under 2.25 from 128 random bits that the caller drew (PS3.5 B.2)."""
    if not 0 <= value < 1 << 128:
        raise ValueError("a UUID-derived UID needs 0 <= value < 2**128")
    return f"2.25.{value}"


def is_encapsulated(transfer_syntax: str) -> bool:
    """Whether Pixel Data of this transfer syntax is a sequence of fragments (PS3.5 A.4); unknown ones count as such."""
    return transfer_syntax not in NATIVE_TRANSFER_SYNTAXES


def is_video(transfer_syntax: str) -> bool:
    """Whether the whole pixel data are one MPEG stream (PS3.5 8.2.5 to 8.2.11)."""
    return transfer_syntax.startswith(_VIDEO_PREFIXES)


def is_lossy(transfer_syntax: str) -> bool:
    """Whether pixels in this transfer syntax may have lost information (promise P10)."""
    return transfer_syntax in _LOSSY_TRANSFER_SYNTAXES or is_video(transfer_syntax)
