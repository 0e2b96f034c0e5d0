"""The words people use for transfer syntaxes, and the way back."""

from __future__ import annotations

from typing import Final

from agent.dataset import uid

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
