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
}

# What this build can make: the native ones, and those the C core compresses
# without loss (a test compares the two); loss needs a rule that asks for it.
MADE: Final = ("explicit", "implicit", "deflated", "rle", "jpeg-ls", "jpeg-lossless")


def transfer_syntax_uid(word: str) -> str:
    """Return the UID of a word of ``TRANSFER_SYNTAX_WORDS``; other text is a UID already."""
    return TRANSFER_SYNTAX_WORDS.get(word, word)


def transfer_syntax_word(uid_text: str) -> str:
    """Return the word of a transfer syntax UID, or the UID itself when it has none."""
    for word, value in TRANSFER_SYNTAX_WORDS.items():
        if value == uid_text:
            return word
    return uid_text
