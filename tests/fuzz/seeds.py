"""Honest inputs to begin with, made by our own writers, small and of every kind; nothing here was fetched.

Where a target reads its first bytes as choices, a seed carries the choices that fit it.
"""

from __future__ import annotations

import binascii
import json
import struct
from pathlib import Path
from typing import TYPE_CHECKING

from fakes import instances, pngs
from fakes.associations import acceptance, golden, request
from fakes.calibrated import template
from fakes.cda import cda
from fuzz.of_dataset import CHARACTER_SETS, SYNTAXES
from fuzz.of_network import STATES, STEP_NAMES

from agent.acquire.region_template import text_of
from agent.config import render
from agent.config.load import parse
from agent.dataset.dataset import DataSet
from agent.dataset.encapsulate import fragments_of
from agent.dataset.encode import encode
from agent.dataset.uid import (
    DEFLATED_EXPLICIT_VR_LE,
    EXPLICIT_VR_BE,
    EXPLICIT_VR_LE,
    IMPLICIT_VR_LE,
    MEDIA_STORAGE_DIRECTORY,
    NATIVE_TRANSFER_SYNTAXES,
    RLE_LOSSLESS,
    US,
)
from agent.dimse.layout import encode as encode_command
from agent.dimse.message import CEchoRequest, CEchoResponse, CStoreRequest, CStoreResponse
from agent.iod import regions
from agent.media.dicomdir import FileSet, build
from agent.media.json_model import to_json
from agent.media.part10 import FileMeta, encode_prefix
from agent.media.records import entry_of
from agent.service.commitment import (
    Failure,
    Reference,
    Report,
    Request,
    action_request,
    encode_report,
    encode_request,
    report_request,
)
from agent.service.query import Place, encode_identifier
from agent.ul import pdu

if TYPE_CHECKING:
    from collections.abc import Iterator

VECTORS = Path(__file__).parent.parent / "vectors"
KINDS = tuple(instances.DESCRIPTIONS)
_DELIMITED = bytes.fromhex("feff00e0ffffffff")
_REFERENCES = tuple(Reference(US, f"2.25.{number}") for number in range(1, 4))


def _of_every_kind() -> DataSet:
    """Values of most VRs, private elements, and sequences in sequences."""
    ds = DataSet(
        {
            "SpecificCharacterSet": "ISO_IR 192",
            "ImageType": ["ORIGINAL", "PRIMARY"],
            "SOPClassUID": US,
            "StudyDate": "20260301",
            "StudyTime": "101500.25",
            "AcquisitionDateTime": "20260301101500+0100",
            "PatientName": "Ä^Ö=山田=Yamada",
            "PatientAge": "045Y",
            "PatientWeight": 70.5,
            "PatientComments": "two\r\nlines",
            "FrameIncrementPointer": 0x00181063,
            "InstanceNumber": 7,
            "Rows": 2,
            "PixelRepresentation": 1,
            "SmallestImagePixelValue": -5,
            "RetrieveURL": "https://example.org/",
            "RedPaletteColorLookupTableData": bytes(8),
        }
    )
    ds["ReferencedSeriesSequence"] = [
        DataSet({"SeriesInstanceUID": "2.25.9", "ReferencedSOPSequence": [DataSet({"ReferencedSOPClassUID": US})]}),
        DataSet(),
    ]
    ds[0x00090010] = "FUZZ"
    ds.set(0x00091001, b"\1\2", vr="OB")
    ds.set(0x00091002, [1.5, 2.5], vr="FD")
    ds.set(0x00091003, 1 << 40, vr="UV")
    return ds


def _undefined_lengths(explicit: bool) -> bytes:
    """Sequences and items that end with delimiters, one as UN, and fragments where they may be."""
    sq, un = (b"SQ\0\0", b"UN\0\0") if explicit else (b"", b"")
    end_item, end = bytes.fromhex("feff0de000000000"), bytes.fromhex("feffdde000000000")
    inner = struct.pack("<HHI", 8, 0x1150, 2) + b"1\0"
    element = struct.pack("<HH2sH", 8, 0x1150, b"UI", 2) + b"1\0" if explicit else inner
    open_sq = struct.pack("<HH", 8, 0x1140) + sq + b"\xff" * 4
    open_un = struct.pack("<HH", 9, 0x1001) + un + b"\xff" * 4
    pixels = struct.pack("<HH", 0x7FE0, 0x10) + b"OB\0\0" + b"\xff" * 4 if explicit else b""
    fragments = bytes.fromhex("feff00e000000000feff00e002000000") + b"ab" + end if explicit else b""
    body = open_sq + _DELIMITED + element + end_item + struct.pack("<HHI", 0xFFFE, 0xE000, len(element)) + element + end
    return body + open_un + _DELIMITED + inner + end_item + end + pixels + fragments


def data_sets() -> Iterator[bytes]:
    """Every syntax; Big Endian, which we do not write, as noise that its words allow."""
    for number, syntax in enumerate(SYNTAXES):
        for how in (0, 1, 4, 2):
            prefix = bytes([number, how])
            if syntax == EXPLICIT_VR_BE:
                yield prefix + struct.pack(">HH2sHH", 0x28, 0x10, b"US", 2, 512) + b"\0\x10\0\x10PN\0\4A^B "
                continue
            for ds in (_of_every_kind(), DataSet({"Rows": 1})):
                yield prefix + encode(ds, syntax)
            if syntax in (EXPLICIT_VR_LE, IMPLICIT_VR_LE, RLE_LOSSLESS):
                yield prefix + _undefined_lengths(syntax != IMPLICIT_VR_LE)


def texts() -> Iterator[bytes]:
    """A name in every character set, with and without the escapes of ISO 2022."""
    words = (
        "Äneas^Rüdiger",
        "Жюль",
        "Διονυσιος",
        "قباني^لنزار",
        "שרון^דבורה",
        "นามสกุล",
        "山田^太郎",
        "김^희중",
        "王^小东",
    )
    codecs = (
        "latin-1",
        "iso8859_5",
        "iso8859_7",
        "iso8859_6",
        "iso8859_8",
        "tis_620",
        "shift_jis",
        "euc_kr",
        "gb18030",
    )
    for number in range(len(CHARACTER_SETS)):
        word, codec = words[number % len(words)], codecs[number % len(words)]
        yield bytes([number]) + word.encode(codec, "replace")
        yield bytes([number]) + word.encode("utf-8")
        yield bytes([number]) + b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$)C\xb1\xe8\\\x1b-F\xe4"
    yield bytes([0x80 | 10]) + b"ISO_IR 192" + "日本".encode()


def instances_of_all() -> Iterator[tuple[str, DataSet]]:
    """An instance of each kind the agent builds, without pixels."""
    for kind in KINDS:
        yield kind, instances.make(kind)


def checked() -> Iterator[bytes]:
    """They, in Explicit VR."""
    for _, ds in instances_of_all():
        for how in range(2):
            yield bytes([0, how]) + encode(ds, EXPLICIT_VR_LE)


def json_texts() -> Iterator[bytes]:
    """The JSON of them, and what a person would type."""
    for _, ds in instances_of_all():
        yield json.dumps(to_json(ds)).encode()
    yield json.dumps(to_json(_of_every_kind())).encode()
    yield json.dumps({"PatientName": "DOE^JANE", "Rows": 512, "00280011": 3, "ImageType": ["A", None]}).encode()
    yield json.dumps({"00091002": {"vr": "OB", "InlineBinary": "AAE="}, "00080005": "ISO_IR 100"}).encode()


def _meta(syntax: str) -> FileMeta:
    return FileMeta(US, "2.25.7", syntax, "FUZZ")


def prefixes() -> Iterator[bytes]:
    """Strict ones, and those that only lenient reading takes."""
    strict = encode_prefix(_meta(EXPLICIT_VR_LE))
    first = struct.pack("<HH2sH", 8, 0x60, b"CS", 2) + b"US"
    yield strict + first
    yield encode_prefix(_meta(IMPLICIT_VR_LE), length=1024) + first
    yield strict[128:] + first
    yield strict[132:] + first
    yield bytes(128) + first
    yield first
    yield strict[:132] + strict[144:] + first
    yield strict[:132] + struct.pack("<HHI", 2, 0x10, 18) + b"1.2.840.10008.1.2\0" + first


def files() -> Iterator[bytes]:
    """Each kind with pixels, native, RLE and deflated; damaged in ways that lenient reading forgives."""
    for number, (kind, ds) in enumerate(instances_of_all()):
        description = instances.DESCRIPTIONS[kind]
        frames = instances.frames(description._replace(rows=2, columns=3), int(str(ds.get("NumberOfFrames", 1))))
        ds["Rows"], ds["Columns"] = 2, 3
        for syntax in (EXPLICIT_VR_LE, IMPLICIT_VR_LE, RLE_LOSSLESS, DEFLATED_EXPLICIT_VR_LE):
            full = ds.copy()
            native = syntax in NATIVE_TRANSFER_SYNTAXES
            joined = b"".join(frames)
            full.set("PixelData", joined + bytes(len(joined) % 2) if native else fragments_of(frames), "OW")
            whole = encode_prefix(_meta(syntax)) + encode(full, syntax)
            yield whole
            if number == 0:
                yield whole[132:]
                yield whole + bytes(20)


def directories() -> Iterator[bytes]:
    """DICOMDIRs as we write them, as Implicit VR has them, and with undefined lengths."""
    file_set = FileSet("2.25.1", "CARD", "README", "ISO_IR 100")
    entries = []
    for number, (kind, dataset) in enumerate(instances_of_all()):
        meta = FileMeta(dataset.text("SOPClassUID"), f"2.25.{number + 1}", EXPLICIT_VR_LE)
        entries.append(entry_of(f"A\\{kind.upper().replace('-', '_')[:8]}{number % 10}"[:10], meta, dataset))
    yield build([], file_set)
    yield build(entries[:2], file_set)
    yield build(entries[::4], FileSet("2.25.2"))
    records = [DataSet({"DirectoryRecordType": "PATIENT", "OffsetOfTheNextDirectoryRecord": 0, "PatientID": "1"})]
    root = DataSet({"OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity": 0})
    root.set("DirectoryRecordSequence", records)
    for syntax in (EXPLICIT_VR_LE, IMPLICIT_VR_LE):
        meta = FileMeta(MEDIA_STORAGE_DIRECTORY, "2.25.1", syntax)
        yield encode_prefix(meta) + encode(root, syntax)
        at = encode(root, syntax).index(_DELIMITED[:4])
        head = encode(root, syntax)
        ends = struct.pack("<HHIHHI", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
        yield encode_prefix(meta) + head[: at - 4] + b"\xff" * 4 + _DELIMITED + head[at + 8 :] + ends


def rewritten() -> Iterator[bytes]:
    """Some of the files, in each transfer syntax."""
    for number, whole in enumerate(files()):
        if number % 3 == 0:
            yield bytes([number // 3 % 16]) + whole


def doses() -> Iterator[bytes]:
    """A report of two events."""
    device = {"manufacturer": "M", "model": "X", "serial_number": "1", "software_versions": "2"}
    event = {"started": "20260301101500", "type": "Stationary Acquisition", "target_region": "CHEST"}
    quantities = {"dose_area_product_dgycm2": 1.25, "kvp": 110, "primary_angle_degrees": -3.5}
    yield json.dumps({"device": device, "events": [event, {**event, **quantities}], "comment": "c"}).encode()
    yield json.dumps({"device": device, "events": [event], "source": "Automated Data Collection"}).encode()


def fragments() -> Iterator[bytes]:
    """With and without tables, one frame of several fragments, and several frames of one."""
    for frames in ([b"ab"], [b"ab", b"cdef", b""], [b"\xff\xd8ab", b"cd", b"\xff\xd8"]):
        value = fragments_of(frames)
        items = [value.offset_table, *value.fragments]
        body = b"".join(struct.pack("<HHI", 0xFFFE, 0xE000, len(item)) + item for item in items)
        for count in (1, 2, 3):
            yield bytes([count]) + body + bytes.fromhex("feffdde000000000")
            yield bytes([count]) + bytes(body[8 + len(value.offset_table) :]) + bytes.fromhex("feffdde000000000")


def pdus() -> Iterator[bytes]:
    """The golden PDUs, alone and in a row."""
    whole = list(golden().values())
    for number, one in enumerate(whole):
        yield bytes([number * 7 % 256]) + one
    yield bytes([255]) + b"".join(whole[:4])


def _received(data: bytes) -> bytes:
    size = min(len(data), 0x7FF)
    return bytes([STEP_NAMES.index("receive") | (size >> 8) << 3, size & 0xFF]) + data


def dialogues() -> Iterator[bytes]:
    """In every state every PDU, and a few whole conversations."""
    release = pdu.encode(pdu.ReleaseRequest())
    data = pdu.encode(pdu.Fragment(1, 3, encode_command(CEchoRequest(1))))
    accepted = request()
    for state in range(len(STATES)):
        for one in (pdu.encode(accepted), pdu.encode(acceptance(accepted)), release, data):
            yield bytes([state]) + _received(one) + bytes([STEP_NAMES.index("tick") | 0xF8, STEP_NAMES.index("close")])
        for primitive in range(8):
            yield bytes([state, STEP_NAMES.index("send") | primitive << 3]) + _received(data) + _received(release)


def commands() -> Iterator[bytes]:
    """Every message, whole and in two fragments."""
    report = Report("2.25.5", _REFERENCES)
    messages = (
        CEchoRequest(1),
        CEchoResponse(1),
        CStoreRequest(1, US, "2.25.7", move_originator_ae="MOVE", move_originator_message_id=3),
        CStoreResponse(1, 0xB000, US, "2.25.7", (0x00100010,), "why"),
        action_request(2),
        report_request(3, report),
    )
    for message in messages:
        coded = encode_command(message)
        yield b"\0" + coded
        yield b"\1" + bytes([1, 1, 20]) + coded[:20] + bytes([1, 3, len(coded) - 20]) + coded[20:] + b"\1\2\2ab"
    yield b"\0" + encode_command(CEchoRequest(1)).replace(b"\x30\0", b"\x20\0", 1)


def reports() -> Iterator[bytes]:
    """Requests and reports, with and without failures."""
    failures = (Failure(Reference(US, "2.25.9"), 0x0112),)
    for implicit, syntax in enumerate((EXPLICIT_VR_LE, IMPLICIT_VR_LE)):
        prefix = bytes([implicit, 0])
        yield prefix + encode_request(Request("2.25.5", _REFERENCES), syntax)
        yield prefix + encode_report(Report("2.25.5", _REFERENCES), syntax, retrieve_ae="ARCHIVE")
        yield prefix + encode_report(Report("2.25.5", (), failures), syntax)
        yield prefix + encode_identifier(Place("2.25.7", "2.25.8", "2.25.9"), syntax)


def configurations() -> Iterator[bytes]:
    """The least, the most, and one with everything repeated."""
    least = '[agent]\nae_title = "A"\n[spool]\npath = "s"\n'
    yield least.encode()
    yield (least + '[[source]]\nname = "p"\nuri = "pattern:us-rgb?rows=48&rate_hz=30"\nsop_class = "us-mf"\n').encode()
    full = least + '[[destination]]\nname = "b"\ncalled_ae = "X"\nhost = "h"\nport = 104\n'
    yield full.encode()
    yield render.in_force(parse(full)).encode()
    yield b"ReferencedSeriesSequence[0].0008,1150"
    yield b"replay:clip.raw?rate_hz=10"


def templates() -> Iterator[bytes]:
    """With a mark and without, and every kind of region."""
    strips = (regions.m_mode((0, 0, 20, 20), 0.005, 0.03), regions.spectrum((0, 30, 60, 47), 0.01, 2.5, 40))
    for one in (template(16), template(None, *strips), template(8, *strips, tolerance=3)):
        yield text_of(one).encode()


def configuration_lines() -> Iterator[bytes]:
    """Files with comments, and lines that set, add and delete."""
    lines = b"set agent ae_title X\nset destination b port 104\nset destination.c host h\ndelete destination b\n"
    for text in (b"", b"# a\n[agent] # b\nae_title = 'Y' # c\n", *configurations()):
        yield text + b"\0" + lines
    windows = b'[[destination]]\nname = "b"\nsend_windows = [ # d\n "22:00-06:00",\n]\n'
    yield windows + b"\0delete destination b send_windows\n"
    yield b'agent = {ae_title = "X"}\n\0set agent serial_number \'7 8\'\nset patient name "A^B\\u00e4"\n'


def cda_documents() -> Iterator[bytes]:
    """A whole header, one with little in it, and names of every kind."""
    yield cda()
    yield cda(target="", title="", code="")
    yield cda(name="<name use='IDE'><family>A</family></name><name use='SYL'><given>B</given></name>")
    yield cda(name="<name>Jane Doe</name>", ids="<id root='2.25.7'/>", time="<effectiveTime value='20260301'/>")


def certificates() -> Iterator[bytes]:
    """Each kind of key and name, and a list; made by OpenSSL (tests/vectors/README.md)."""
    text = (VECTORS / "certificates.pem").read_text()
    for block in text.split("-----BEGIN ")[1:]:
        label, _, rest = block.partition("-----")
        der = binascii.a2b_base64(rest.partition("-----END")[0])
        yield bytes(["CRL" in label]) + der


def brought() -> Iterator[bytes]:
    """Certificates in PEM and in DER form, lists, and what is refused."""
    text = (VECTORS / "certificates.pem").read_text()
    blocks = ["-----BEGIN " + block for block in text.split("-----BEGIN ")[1:]]
    for block in blocks:
        yield block.encode()
    yield ("a text\n" + blocks[0] + "another\r\n" + blocks[1]).encode()
    yield from (seed[1:] for seed in certificates())
    yield b"-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n"


def measured() -> Iterator[bytes]:
    """Each way to write a level and a luminance."""
    for line in ("{};{}", "{},{}", "{}, {}", "{}\t{}"):
        yield "\n".join(["level,cd/m2", *(line.format(level, level / 4 + 0.4) for level in range(9))]).encode()
    yield "0;0,4\n# pause\n15;2,37\n".encode("utf-16")


def pictures() -> Iterator[bytes]:
    """One of each format, two pictures in a row, comments."""
    yield b"P5 3 2 255\n" + bytes(6)
    yield b"P5\n# a comment\n3 2\n4095\n" + bytes(12)
    yield b"P6 1 2 255\n" + bytes(6) + b"P6 1 2 255\n" + bytes(6)
    for depth, colour in ((8, 0), (16, 0), (8, 2), (8, 3), (8, 6)):
        header = struct.pack(">IIBBBBB", 3, 2, depth, colour, 0, 0, 0)
        yield b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + header + bytes(4)
    for depth, colour, size in ((1, 0, 2), (4, 0, 6), (8, 0, 12), (16, 0, 24), (8, 2, 36)):
        lines = [bytes(range(row, row + size)) for row in range(5)]
        yield pngs.png(12, lines, depth, colour, filters=range(5), pieces=2, level=0)
    yield struct.pack("<2sIHHIIiiHHIIiiII", b"BM", 70, 0, 0, 54, 40, 2, 2, 1, 24, 0, 16, 0, 0, 0, 0) + bytes(16)


def jpegs() -> Iterator[bytes]:
    """Headers of each process in grey and colour, with JFIF, Adobe and Exif."""

    def segment(marker: int, body: bytes) -> bytes:
        return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body

    exif = b"Exif\0\0II*\0\x08\0\0\0\1\0" + struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0) + bytes(4)
    for process, precision, last in (
        (0xC0, 8, b"\0\x3f\0"),
        (0xC1, 12, b"\0\x3f\0"),
        (0xC3, 16, b"\1\0\0"),
        (0xF7, 8, b"\0\0\0"),
    ):
        for names in (b"\1", b"\1\2\3", b"RGB"):
            frame = struct.pack(">BHHB", precision, 2, 3, len(names)) + b"".join(bytes([n, 0x11, 0]) for n in names)
            scan = bytes([len(names)]) + b"".join(bytes([n, 0]) for n in names) + last
            extra = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0") + segment(0xE1, exif)
            adobe = segment(0xEE, b"Adobe\0\x64\0\0\0\0\1")
            for before in (b"", extra, adobe):
                yield b"\xff\xd8" + before + segment(process, frame) + segment(0xDA, scan) + b"ab\xff\xd9"


def volumes() -> Iterator[bytes]:
    """Boot sectors with the beginning of their FAT, and discs from their first descriptor on."""
    for layout, at, name in (((512, 4, 4, 2, 512, 40_000), 22, b"mkfs.fat"), ((512, 1, 2, 2, 0, 0), 36, b"MSWIN4.1")):
        sector = bytearray(512)
        sector[3:11] = name
        struct.pack_into("<HBHBHH", sector, 11, *layout)
        struct.pack_into("<H", sector, at, 40)
        sector[510:512] = b"\x55\xaa"
        yield bytes(sector) * 2 + b"\xf8\xff\xff\xff" * 128
    sector = bytearray(512)
    sector[3:11], sector[510:512] = b"EXFAT   ", b"\x55\xaa"
    yield bytes(sector)
    yield _disc()
    yield b"MZ".ljust(128, b"\0") + b"DICM"


def _disc() -> bytes:
    """A descriptor, and the root of a disc with one file."""

    def record(name: bytes, sector: int, length: int, flags: int) -> bytes:
        body = struct.pack("<B I4xI4x 7xB 6x B", 0, sector, length, flags, len(name)) + name
        return bytes((len(body) + 1 + len(body) % 2,)) + body + b"\0" * (len(body) % 2)

    descriptor = bytearray(2048)
    descriptor[:7] = b"\1CD001\1"
    descriptor[40:72] = b"CARD_1".ljust(32)
    root = record(b"\0", 17, 2048, 2)
    descriptor[156 : 156 + len(root)] = root
    folder = root + record(b"\1", 17, 2048, 2) + record(b"DICOMDIR.;1", 17, 100, 0)
    return bytes(descriptor) + folder.ljust(2048, b"\0")


def journals() -> Iterator[bytes]:
    """What an export writes first."""
    yield b"INST/000000/00000001\nINST/000000/00000002\nREADME.TXT\nINDEX.HTM\n"
    yield b"../x\n/etc/passwd\nA/../B\nDICOMDIR\n"
