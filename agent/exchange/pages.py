"""What people find on a medium beside the File-set: README.TXT, INDEX.HTM, and the text for its label (IHE RAD PDI).

Nothing in them names a patient: who finds the medium must not learn more from a text file than from its label, which
the site prints or does not. They are no DICOM Files, carry 8.3 names that every file system keeps, and no Directory
Record speaks of them.
"""

from __future__ import annotations

import os
from collections import Counter

from agent.dataset.decode import decode
from agent.dataset.uid import EXPLICIT_VR_LE
from agent.media.records import plain_name
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from agent.exchange.shelf import Rows, Shelf
    from agent.media.profile import Profile
    from agent.spool.record_index import RecordIndex

README, INDEX = "README.TXT", "INDEX.HTM"
_WIDTH: Final = 76
SOFTWARE: Final = "modality-agent"
_PLAIN: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a link or a pipe is not ours
_HEAD_BYTES: Final = 4096
_CONTENT: Final = "; DICOM ONLY, no viewer"  # by which a page is known to be ours
_MANY: Final = 3  # names on a label; more are counted


class Facts(NamedTuple):
    """What the pages say."""

    label: str  # of this medium
    volume: int  # from 1
    volumes: int
    profile: Profile
    institution: str
    made: str  # when, as people read it
    instances: int  # all that are on it, whoever put them there
    software: str


def readme(facts: Facts) -> bytes:
    """README.TXT in ASCII, lines as every editor shows them."""
    of = f" (medium {facts.volume} of {facts.volumes})" if facts.volumes > 1 else ""
    claimed = facts.profile.name if facts.profile.section else "none"
    lines = [
        f"{facts.label}{of}",
        "",
        f"Made by:    {facts.institution or 'institution not given'}",
        f"Made at:    {facts.made}",
        f"Made with:  {facts.software}",
        f"Content:    {_content(facts)}",
        f"Profile:    {claimed} (DICOM PS3.11)",
        "",
        "DICOMDIR    directory of the medium: open it with a DICOM viewer, or import it",
        "INST        the images; their names carry no meaning",
        "INDEX.HTM   this text as a page",
        "",
        *_folded(
            "No program on this medium starts by itself. The images are for professional use: look at them with "
            "software meant for diagnosis, on a display meant for it. Questions go to the institution above."
        ),
    ]
    if facts.profile.secure:
        lines += ["", *_folded("Every DICOM File is encrypted (PS3.15 D.1, CMS): only a recipient's key opens it.")]
    return _ascii("\r\n".join(lines) + "\r\n")


def index(facts: Facts) -> bytes:
    """INDEX.HTM: XHTML Basic without anything that a browser would have to run or fetch."""
    rows = (
        ("Made by", facts.institution or "institution not given"),
        ("Made at", facts.made),
        ("Made with", facts.software),
        ("Content", _content(facts)),
        ("Medium", f"{facts.volume} of {facts.volumes}"),
    )
    body = "".join(f"<tr><th>{_html(name)}</th><td>{_html(text)}</td></tr>\r\n" for name, text in rows)
    return _ascii(
        '<?xml version="1.0" encoding="US-ASCII"?>\r\n'
        '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML Basic 1.0//EN" "http://www.w3.org/TR/xhtml-basic/xhtml-basic10.dtd">\r\n'
        '<html xmlns="http://www.w3.org/1999/xhtml">\r\n'
        f"<head><title>{_html(facts.label)}</title></head>\r\n<body>\r\n<h1>{_html(facts.label)}</h1>\r\n"
        f"<table>\r\n{body}</table>\r\n"
        "<p>Open DICOMDIR with a DICOM viewer, or import this medium. No program on it starts by itself.</p>\r\n"
        f'<p><a href="{README}">{README}</a> says more.</p>\r\n</body>\r\n</html>\r\n'
    )


class Patient(NamedTuple):
    """Somebody whom a medium has instances of."""

    number: str  # Patient ID
    name: str


def patients_of(index: RecordIndex, shelf: Shelf) -> Rows[Patient]:
    """Everybody on a medium, each once, and to be found by the name."""
    found = shelf.rows(Patient._make, key=lambda one: one.name)
    known = shelf.rows(str, key=str)
    for number, body in index.patients():
        name = decode(body, EXPLICIT_VR_LE).text("PatientName").partition("=")[0]
        if (each := f"{number}\0{plain_name(name)}") not in known:
            known.append(each)
            found.append(Patient(number, name))
    return found


def label_text(facts: Facts, patients: Iterable[Patient], times: Callable[[str], int] | None = None) -> list[str]:
    """What belongs on the outside of the medium (IHE RAD PDI): one line each.

    Who shares a name with another, or has none, is told by the Patient ID: each of two patients is there. ``times``
    says how many have a name.
    """
    if times is None:
        patients = list(patients)
        times = Counter(one.name for one in patients).__getitem__
    everybody = 0
    first: list[str] = []
    for one in patients:
        everybody += 1
        alone = one.name and times(one.name) == 1
        first = sorted([*first, one.name if alone else f"{one.name or '(no name)'} [{one.number}]"])[:_MANY]
    shown = ", ".join(first) + (f" and {everybody - _MANY} more" if everybody > _MANY else "")
    lines = [shown or "no patient's name", facts.made, facts.institution or "institution not given"]
    lines.append("DICOM ONLY" + (", ENCRYPTED" if facts.profile.secure else ""))
    if facts.volumes > 1:
        lines.append(f"{facts.label}, {facts.volume} of {facts.volumes}")
    return lines


def _content(facts: Facts) -> str:
    return f"{facts.instances} DICOM instance{'s' * (facts.instances != 1)}{_CONTENT}"


def is_ours(path: str) -> bool:
    """Whether a page is one that an export of ours has written, or begun to write."""
    try:
        with open(os.open(path, _PLAIN), "rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError:
        return False
    return not head or _CONTENT.encode() in head


def _folded(text: str) -> list[str]:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + 1 + len(word) > _WIDTH:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _html(text: str) -> str:
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    return "".join(character if character.isascii() else f"&#{ord(character)};" for character in plain)


def _ascii(text: str) -> bytes:
    return text.encode("ascii", "replace")
