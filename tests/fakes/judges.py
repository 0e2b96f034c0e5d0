"""What ``modality-agent check`` and dciodvfy say about the same damaged instances, as a table.

    scripts/check_against_dciodvfy [--all]

A row is a damage of ``fakes.damaged``, what each judge found first, and, where they disagree, why that is right. With
``--all`` every element of every kind is damaged in every way (``fakes.systematic``); only what ``check`` misses is
printed.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import NamedTuple

from fakes.damaged import ALLOWED, DAMAGE
from fakes.documents import DOCUMENTS
from fakes.nodes import Damage, as_file, changed, file_bytes, instance
from fakes.peers import need
from fakes.systematic import damages
from pydicom.datadict import DicomDictionary

from agent.app.checking import check_file
from agent.iod.build import KINDS
from agent.iod.modules import WARNING, errors

# Damages that dciodvfy has no error for (it is silent, or says a warning), with the rule that makes them errors.
UNSEEN_BY_DCIODVFY: dict[str, str] = {
    "DA: month 13": "PS3.5 6.2: dciodvfy looks at length and characters of a date",
    "DA: day 31 of February": "PS3.5 6.2: dciodvfy looks at length and characters of a date",
    "TM: hour 25": "PS3.5 6.2: dciodvfy looks at length and characters of a time",
    "text outside the character set": "PS3.5 6.1.2.3: dciodvfy does not decode UTF-8",
    "bits: High Bit": "PS3.3 C.7.6.3.1.1: dciodvfy wants it below Bits Allocated only",
    "fragments: one too few": "PS3.5 A.4: dciodvfy does not count fragments",
    "fragments: wrong Basic Offset Table": "PS3.5 A.4: dciodvfy does not follow offsets",
    "fragments: OW": "PS3.5 A.4: encapsulated Pixel Data are OB; dciodvfy asks this of native ones only",
    "fragments: an odd one": "PS3.5 A.4: dciodvfy does not measure fragments",
    "fragments: Basic and Extended Offset Table": "PS3.3 C.7.6.3.1.8: dciodvfy does not look at offset tables",
    "fragments: Extended Offset Table to nowhere": "PS3.3 C.7.6.3.1.8: dciodvfy does not look at offset tables",
    "overlay: data too short": "PS3.3 C.9.2: dciodvfy does not measure overlays",
    "structure: private element without creator": "PS3.5 7.8.1: dciodvfy knows no blocks",
    "structure: private element outside blocks": "PS3.5 7.8.1: dciodvfy knows no blocks",
    "relation: region outside the image": "PS3.3 C.8.5.5.1.2: dciodvfy does not compare with Rows and Columns",
    "relation: lossy ratio without its flag": "PS3.3 C.7.6.1.1.5: dciodvfy says it the other way round only",
    "relation: offset of time zone": "PS3.3 C.12.1.1.8: dciodvfy looks at the VR, which is SH",
    "relation: UID under the root of the Standard": "PS3.5 9: dciodvfy does not look at roots",
    "number: Pixel Spacing below 0": "PS3.3 10.7.1.3: dciodvfy looks for 0 only",
    "number: View Number 0": "PS3.3 C.8.5.6: dciodvfy lets stages and views count from 0",
}
# Damages that ``check`` names by another element than the changed ones, with the one it names.
NAMED_BY: dict[str, int] = {
    "type 1C missing: species of a breed": 0x00102201,
    "type 2C missing: Number of Stages": 0x00082124,
    "pixels: frames that are not there": 0x7FE00010,
    "structure: an element out of order": 0x00100020,
    "relation: lossy ratio without its flag": 0x00282110,
    "groups: a plane without its measures": 0x00289110,
    "groups: a plane without frame of reference": 0x00200052,
}
# What dciodvfy names where ``check`` names something else, with the reason.
NAMED_OTHERWISE: dict[str, str] = {
    "character sets that stand alone, together": "PS3.3 C.12.1.1.2: dciodvfy then names the text that it cannot read",
    "structure: Command Group": "PS3.5 7.1: dciodvfy takes group 0000 for the end of the file and misses what follows",
}
# Errors of dciodvfy that are none, by what they say, and why.
OVERSTATED: dict[str, str] = {
    "Type 2C Conditional Element=<Laterality>": "PS3.16 Table L-1: dciodvfy takes a kidney for paired",
}
_WIDTH = 44


class Verdict(NamedTuple):
    """First error of each judge, empty where it has none, and every tag that an error of it names."""

    name: str
    ours: str
    theirs: str
    our_tags: frozenset[int]
    their_tags: frozenset[int]


def dciodvfy_errors(path: Path) -> list[str]:
    """Lines of dciodvfy that are errors; a program that gives up says so without the word."""
    result = subprocess.run([need("dciodvfy"), str(path)], capture_output=True, check=False, timeout=30)
    said = (result.stdout + result.stderr).decode("utf-8", "replace").splitlines()
    return [line for line in said if line.startswith("Error")]


def judge(name: str, folder: Path) -> Verdict:
    """What both say about one damage."""
    damage = ALLOWED[name][0] if name in ALLOWED else DAMAGE[name]
    path = folder / "instance.dcm"
    path.write_bytes(file_bytes(damage, damage.kind, damage.syntax))
    findings = check_file(str(path)).findings
    ours, theirs = errors(findings), dciodvfy_errors(path)
    return Verdict(
        name,
        str(ours[0]).removeprefix("error: ") if ours else "",
        theirs[0] if theirs else "",
        frozenset(finding.tag for finding in ours or findings if ours or finding.severity == WARNING),
        frozenset(tag for line in theirs for tag in tags_in(line)),
    )


def missed(path: Path) -> list[str]:
    """What dciodvfy calls an error in a file in which ``check`` has none, unless it overstates.

    An empty sequence of type 3 is an error for it and a warning for ``check`` (PS3.5 7.4.5).
    """
    findings = check_file(str(path)).findings
    if errors(findings):
        return []
    empty = {finding.tag for finding in findings if finding.section == "PS3.5 7.4.5"}
    found = [line for line in dciodvfy_errors(path) if not any(text in line for text in OVERSTATED)]
    return [line for line in found if not tags_in(line) & empty]


def missed_in_all(folder: Path) -> list[str]:
    """Every systematic damage that dciodvfy finds and ``check`` does not; the count of all as the last line."""
    path, found, count = folder / "instance.dcm", [], 0
    for kind in (*KINDS, *DOCUMENTS):
        for name, level in damages(kind):
            path.write_bytes(as_file(level))
            found += [f"{kind} {name}: {line}" for line in missed(path)[:1]]
            count += 1
    return [*found, f"{count} damages, missed by check {len(found)}"]


def damaged_tags(name: str) -> set[int]:
    """The elements that a damage changes."""
    damage: Damage = ALLOWED[name][0] if name in ALLOWED else DAMAGE[name]
    sound = instance(None, damage.kind, damage.syntax)
    return changed(sound, instance(damage, damage.kind, damage.syntax))


def tags_in(line: str) -> set[int]:
    """Elements that a line of dciodvfy names: by number, by keyword or by name."""
    numbers = re.findall(r"\(0x([0-9a-f]{4}),0x([0-9a-f]{4})\)", line)
    words = re.findall(r"(?:Element=|attribute )<([^>]+)>", line) + line.split(" - ")[1:2]
    by_name = (_keywords().get(_plain(word.split(" ")[0]), _keywords().get(_plain(word))) for word in words)
    return {int(group + element, 16) for group, element in numbers} | {tag for tag in by_name if tag is not None}


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name)).lower()


@cache
def _keywords() -> dict[str, int]:
    rows = DicomDictionary.items()
    return {_plain(name): tag for tag, row in rows for name in (row[2], row[4]) if name}


def judge_all(folder: Path) -> list[Verdict]:
    """What both say about every damage."""
    return [judge(name, folder) for name in (*DAMAGE, *ALLOWED)]


def table(verdicts: list[Verdict]) -> list[str]:
    """The comparison as lines of Markdown."""
    lines = ["| damage | check | dciodvfy | if they disagree |", "|---|---|---|---|"]
    for verdict in verdicts:
        ours = verdict.ours[: 2 * _WIDTH] or "-"
        theirs = verdict.theirs.replace("Error - ", "")[:_WIDTH] or "-"
        lines.append(f"| {verdict.name} | {ours} | {theirs} | {_why(verdict.name)} |")
    both = sum(bool(verdict.ours) and bool(verdict.theirs) for verdict in verdicts)
    alone = sum(bool(verdict.ours) and not verdict.theirs for verdict in verdicts)
    missed = sum(not verdict.ours and verdict.name not in ALLOWED for verdict in verdicts)
    counts = f"both {both}, check alone {alone}, missed by check {missed}, allowed {len(ALLOWED)}"
    lines.append(f"{len(verdicts)} damages: {counts}")
    return lines


def _why(name: str) -> str:
    return ALLOWED[name][1] if name in ALLOWED else UNSEEN_BY_DCIODVFY.get(name, "")


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        if sys.argv[1:] == ["--all"]:
            lines = missed_in_all(Path(folder))
            print("\n".join(lines))
            return int(len(lines) > 1)
        verdicts = judge_all(Path(folder))
    print("\n".join(table(verdicts)))
    unexplained = [
        v.name
        for v in verdicts
        if bool(v.ours) == (v.name in ALLOWED) or bool(v.theirs) == (v.name in UNSEEN_BY_DCIODVFY)
    ]
    for name in unexplained:
        print(f"unexplained: {name}", file=sys.stderr)
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
