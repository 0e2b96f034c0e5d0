"""``support -o FILE``: one file for who helps: configuration, status, log, last associations, network, clock, versions.

No patient data, no keys, no passwords are in it (``agent.app.scrub``), and its first member lists what is. It is a
gzipped tar file of at most ``TOTAL_BYTES`` of text, made with or without a running agent.
"""

from __future__ import annotations

import io
import socket
import time

from agent.app.cli import print_json
from agent.app.common import add_spool
from agent.app.support_parts import Part, parts, sources, text_of
from agent.app.term import count_text, printable, size_text
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.app.options import Arguments, Parser

TOTAL_BYTES: Final = 8 << 20
_HEAD: Final = """\
Support bundle of modality-agent. What is in it was taken from this box without patient data, keys and passwords:
names, Patient IDs and Accession Numbers that are known here are [patient], UIDs of instances [uid], texts of peers and
of messages in quotation marks [text], paths that are not the agent's [path].

"""


def arguments(parser: Parser) -> None:
    """Declare the options."""
    parser.add("-o", "--output", metavar="FILE",
               help="the file to make, never replaced (modality-agent-HOST-TIME.tar.gz here)")  # fmt: skip
    add_spool(parser)


def run(args: Arguments) -> int:
    """Make the bundle."""
    host = "".join(one for one in socket.gethostname().partition(".")[0] if one.isalnum() or one in "-_")
    path = args.output or f"modality-agent-{host}-{time.strftime('%Y%m%dT%H%M%S')}.tar.gz"
    made: list[tuple[Part, bytes]] = []
    left = TOTAL_BYTES
    for part in parts(sources(args)):
        data = text_of(part)
        if len(data) > left:
            data = b"left out: the bundle is full\n"
        left -= len(data)
        made.append((part, data))
    size = _write(path, made)
    if args.json:
        members = [{"name": part.name, "what": part.what, "bytes": len(data)} for part, data in made]
        print_json({"file": path, "size": size, "members": members})
        return 0
    for part, data in made:
        print(printable(f"{part.name:<20} {size_text(len(data)):>10}  {part.what}", 79))
    print(
        f"{printable(path)}: {size_text(size)}, {count_text(len(made), 'part')}; no patient data, no keys, no passwords"
    )
    return 0


def _write(path: str, made: list[tuple[Part, bytes]]) -> int:
    import tarfile

    from agent.acquire.filesink import FileSink

    listed = _HEAD + "".join(f"{part.name:<24} {len(data):>9}  {part.what}\n" for part, data in made)
    sink = FileSink(path, mode=0o600)
    try:
        with tarfile.open(fileobj=sink, mode="w|gz") as file:  # type: ignore[call-overload]  # it writes, and no more is asked
            for name, data in (("README.txt", listed.encode()), *((part.name, data) for part, data in made)):
                info = tarfile.TarInfo(f"modality-agent-support/{name}")
                info.size, info.mtime, info.mode = len(data), int(time.time()), 0o644
                file.addfile(info, io.BytesIO(data))
        return sink.publish()
    finally:
        sink.abandon()
