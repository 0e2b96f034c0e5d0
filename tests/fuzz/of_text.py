"""Targets of what people write and lay beside us: the configuration, picture files, pictures and documents to wrap."""

from __future__ import annotations

import contextlib
import math
import os
import zlib

from agent.acquire.folder_file import Limits, Picture, look
from agent.acquire.pictures import FRAME_BYTES_MAX, is_png, is_pnm, png_frames, pnm_frames
from agent.acquire.region_template import parse as parse_template
from agent.acquire.region_template import text_of as text_of_template
from agent.app.wrap_cda import merge
from agent.config import load, render
from agent.config.difference import apply, difference
from agent.config.edit import says, written
from agent.config.lines import key_lines
from agent.config.source import parse_source
from agent.config.toml_text import statements
from agent.config.words_of import next_words
from agent.dataset.dataset import DataSet
from agent.dataset.uid import TRANSFER_SYNTAX_NAMES
from agent.display.measured import read as read_measured
from agent.errors import (
    AgentError,
    ConfigError,
    DecodeError,
    DeviceError,
    DisplayError,
    InputError,
    IodError,
    UsageError,
)
from agent.iod import cda
from agent.media.codestream import read_jpeg
from agent.media.select import parse_path

FRAMES_READ = 3
PICTURE_BYTES, MAX_BYTES = 1 << 20, 1 << 16


def run_config(data: bytes) -> None:
    """Settings that survive being written, or a ConfigError whose lines exist; paths and URIs on the way."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return
    key_lines(text)
    line = text.partition("\n")[0]
    for parse in (parse_source, parse_path):
        with contextlib.suppress(ValueError):
            parse(line)
    refusal: ConfigError | None = None
    try:
        settings = load.parse(text)
    except ConfigError as error:
        refusal = error
    if refusal is not None:
        assert refusal.problems
        for number, _, message in refusal.problems:
            assert message
            assert number is None or 1 <= number <= len(text.splitlines()) + 1
        return
    assert load.parse(render.in_force(settings)) == settings


def run_template(data: bytes) -> None:
    """A template of regions that is written as it was read, or a ConfigError that names it."""
    refusal: ConfigError | None = None
    try:
        found = parse_template(data, "a/t.toml")
    except ConfigError as error:
        refusal = error
    if refusal is not None:
        assert str(refusal).startswith("a/t.toml: ")
        return
    assert found.name == "t.toml"
    assert found.regions
    again = parse_template(text_of_template(found).encode(), "a/t.toml")
    assert again == found._replace(sha256=again.sha256)


def run_config_lines(data: bytes) -> None:
    """A file, a zero, lines of set and delete: what is edited says what was asked, and replays; or an AgentError."""
    try:
        text, _, lines = data.decode("utf-8").partition("\0")
    except UnicodeDecodeError:
        return
    assert all(one.start < one.end <= len(text) for one in statements(text))
    try:
        document = load.document_of(text, "agent.toml")
        edited = apply(text, document, lines.splitlines())
    except AgentError:
        return
    assert says(edited.text, edited.document)
    assert difference(edited.document, edited.document) == []
    replay = difference(document, edited.document)
    with contextlib.suppress(AgentError):  # what was in the file already need not be legal
        again = apply(written(document), document, replay)
        assert not difference(again.document, edited.document)
    with contextlib.suppress(UsageError):
        next_words("set", lines.split()[1:], edited.document)


def run_picture(data: bytes) -> None:
    """PGM, PPM and PNG as a whole, also with its checksums put right; all that a drop folder looks into."""
    _picture(data)
    if is_png(data[:16]):
        _picture(_with_checksums(data))


def _picture(data: bytes) -> None:
    descriptor = os.memfd_create("picture")
    try:
        os.write(descriptor, data)
        with contextlib.suppress(DeviceError):
            if is_png(data[:16]):
                found = png_frames(descriptor, "picture")
                assert 0 < found.description.frame_bytes <= FRAME_BYTES_MAX
            elif is_pnm(data[:16]):
                found = pnm_frames(descriptor, "picture")
                assert found.total * found.description.frame_bytes <= len(data)
                for number in range(min(found.total, FRAMES_READ)):
                    with contextlib.suppress(DeviceError):
                        assert len(found.read(number)) == found.description.frame_bytes
        with contextlib.suppress(DeviceError, DecodeError):
            whole = look(descriptor, "it", Limits(PICTURE_BYTES, MAX_BYTES, None))
            if isinstance(whole, Picture):
                assert len(whole.data) == whole.description.frame_bytes <= PICTURE_BYTES
    finally:
        os.close(descriptor)


def _with_checksums(data: bytes) -> bytes:
    """A PNG whose chunks have the checksums of what is in them."""
    made, at = bytearray(data), 8
    while at + 12 <= len(made):
        end = at + 8 + int.from_bytes(made[at : at + 4])
        if end + 4 > len(made):
            break
        made[end : end + 4] = zlib.crc32(made[at + 4 : end]).to_bytes(4)
        at = end + 4
    return bytes(made)


def run_jpeg(data: bytes) -> None:
    """The markers of a JPEG or JPEG-LS picture: DecodeError, or a description that an instance can have."""
    try:
        found = read_jpeg(data)
    except DecodeError:
        return
    d = found.description
    assert found.transfer_syntax_uid in TRANSFER_SYNTAX_NAMES
    assert 1 <= found.orientation <= 8
    assert d.rows > 0 < d.columns
    assert d.high_bit == d.bits_stored - 1
    assert 1 <= d.bits_stored <= d.bits_allocated
    assert d.samples_per_pixel in (1, 3)


def run_measured(data: bytes) -> None:
    """Measured luminances: DisplayError, or levels and luminances that are numbers."""
    with contextlib.suppress(DisplayError):
        for row in read_measured(data):
            assert 0 <= row.ddl < 10**9
            assert 0 <= row.luminance < math.inf


def run_cda(data: bytes) -> None:
    """The header of a CDA document: IodError, or facts; what is taken over from it contradicts nothing of it."""
    try:
        found = cda.read(data)
    except IodError:
        return
    assert found.identifier.root
    try:
        merged = merge("document", DataSet(), found, offset="+0000", insist=False)
    except InputError:
        return
    given = merged.found
    if merged.written is not None:
        given = merged.found.copy()
        given["ContentDate"], given["ContentTime"] = merged.written
    again = merge("document", given, found, offset="+0000", insist=False)
    assert again.taken == again.overruled == []
    assert again.found == merged.found
