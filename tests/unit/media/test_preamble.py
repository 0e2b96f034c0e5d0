"""Preambles that make a DICOM File something else as well (PS3.10 7.5)."""

from __future__ import annotations

import pytest

from agent.media.preamble import cleaned, disguise


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (b"", ""),
        (b"II*\0\x08", ""),
        (b"MM\0*", ""),
        (b"MZ\x90", "Windows program"),
        (b"\x7fELF\2", "Linux program"),
        (b"#!/bin/sh\n", "script"),
        (b"%PDF-1.7", "PDF"),
        (b" <html>", "web page"),
        (b"PK\3\4", "ZIP"),
        (b"hello", "not zero"),
        (b"\0" * 127 + b"x", "not zero"),
    ],
)
def test_what_else_it_is(start: bytes, words: str) -> None:
    preamble = start.ljust(128, b"\0")
    assert words in disguise(preamble)
    assert bool(disguise(preamble)) == bool(words)
    head, found = cleaned(preamble + b"DICMrest")
    assert head[128:] == b"DICMrest"
    assert head[:128] == (bytes(128) if words else preamble)
    assert found == disguise(preamble)
