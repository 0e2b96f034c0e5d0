"""Targets of media that strangers bring: marks of FAT volumes, disc images, preambles, the journal of an export."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress

from agent.errors import DecodeError
from agent.exchange.fat import marks
from agent.exchange.iso9660 import SECTOR, image_of
from agent.exchange.writer import JOURNAL, SetWriter
from agent.media.preamble import cleaned, disguise

_AREA = 16 * SECTOR  # in front of the descriptors of a disc, which are not part of an input


def run_volume(data: bytes) -> None:
    """A volume of those bytes: nothing but what is documented leaves, and no file lies outside."""
    for mounted in (False, True):
        found = marks(lambda length, at: data[at : at + length], mounted=mounted)
        assert found.kind or not found.dirty
    _disc(bytes(_AREA) + data)
    head, said = cleaned(data)
    assert len(head) == len(data)
    assert bool(said) == (head != data)
    assert not disguise(head[:128])


def _disc(data: bytes) -> None:
    with suppress(DecodeError):  # files are told one by one
        found = image_of(lambda length, at: data[at : at + length], len(data))
        for place in found.files:
            assert place.offset + place.size <= len(data)


def run_journal(data: bytes) -> None:
    """Names that an export may remove again: none leads out of the medium."""
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, JOURNAL), "wb") as file:
            file.write(data)
        for name in SetWriter(folder).leftovers():
            assert ".." not in name
            assert not name.startswith("/")
            assert name != "DICOMDIR"
