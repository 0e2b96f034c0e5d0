"""The words people use for transfer syntaxes, and the way back."""

from __future__ import annotations

from agent.dataset import uid
from agent.typed import Final

TRANSFER_SYNTAX_WORDS: Final = {
    "explicit": uid.EXPLICIT_VR_LE,
    "implicit": uid.IMPLICIT_VR_LE,
    "deflated": uid.DEFLATED_EXPLICIT_VR_LE,
    "rle": uid.RLE_LOSSLESS,
    "jpeg-ls": uid.JPEG_LS_LOSSLESS,
    "jpeg-ls-near": uid.JPEG_LS_NEAR,
    "jpeg-lossless": uid.JPEG_LOSSLESS_SV1,
    "htj2k": uid.HTJ2K_LOSSLESS,
}

# What this build can make: the native ones, those the C core compresses (a test compares the two), and htj2k where its
# library is; loss needs a rule that asks for it.
LOSSLESS: Final = ("explicit", "implicit", "deflated", "rle", "jpeg-ls", "jpeg-lossless")
MADE: Final = (*LOSSLESS, "htj2k", "jpeg-ls-near")


# Below this a PDU of 4 KiB takes longer than many peers wait for one; above it nothing is a limit.
BANDWIDTH_BITS_PER_S: Final = (16_000, 100_000_000_000)
_PREFIXES: Final = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}
# Spelled as people do; a lone capital B is a byte, which nobody measures a line in.
_BANDWIDTH: Final = r"([0-9]{1,12}(?:\.[0-9]{1,6})?) ?(?:([kKmMgG]?)(?:(?i:bits?/s)|(?:b|(?i:bit))ps))?"


def bits_per_s(bandwidth: str | int) -> float:
    """Read a bandwidth, ``8 Mbit/s`` or a number of bit/s; 0 without one. Raises ``ValueError`` in words."""
    text = str(bandwidth)
    if not text:
        return 0.0
    import re  # patterns cost memory, and few sites have one of these

    found = re.fullmatch(_BANDWIDTH, text)
    if found is None:
        raise ValueError(f"'{text}' is no bandwidth: a number with bit/s, kbit/s, Mbit/s or Gbit/s, as 8 Mbit/s")
    rate = float(found[1]) * _PREFIXES[(found[2] or "").lower()]
    if not BANDWIDTH_BITS_PER_S[0] <= rate <= BANDWIDTH_BITS_PER_S[1]:
        raise ValueError(f"'{text}' is {rate:.0f} bit/s; a bandwidth is from 16 kbit/s to 100 Gbit/s, empty: no limit")
    return rate


def rate_text(bandwidth: str | int) -> str:
    """Return a checked bandwidth with its unit; empty without one."""
    text = str(bandwidth)
    return f"{text} bit/s" if text and text[-1].isdigit() else text


def near_refusal(transfer_syntax: str, near: int) -> str:
    """Say why samples of this transfer syntax (UID) cannot differ by up to ``near``, or ''."""
    if transfer_syntax == uid.JPEG_LS_NEAR and not near:
        return "jpeg-ls-near needs 'near', the most that a sample may differ"
    if transfer_syntax != uid.JPEG_LS_NEAR and near:
        return f"near = {near} needs transfer_syntax = 'jpeg-ls-near': {transfer_syntax_word(transfer_syntax)} is exact"
    return ""


def transfer_syntax_uid(word: str) -> str:
    """Return the UID of a word of ``TRANSFER_SYNTAX_WORDS``; other text is a UID already."""
    return TRANSFER_SYNTAX_WORDS.get(word, word)


def transfer_syntax_word(uid_text: str) -> str:
    """Return the word of a transfer syntax UID, or the UID itself when it has none."""
    for word, value in TRANSFER_SYNTAX_WORDS.items():
        if value == uid_text:
            return word
    return uid_text
