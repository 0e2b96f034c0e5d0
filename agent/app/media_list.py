"""``media list PATH``: which patients, studies, series and instances are on a medium.

With a DICOMDIR its records are shown and no other file is opened; without one, or with ``--files``, every file of the
folder is looked at. What is no DICOM file is passed over; one that is damaged is told, and the status says so.
"""

from __future__ import annotations

from agent.app.cli import print_json, report
from agent.app.file_sets import opened_directory, place_of
from agent.app.input_files import files_in, named
from agent.app.source_file import opened
from agent.app.term import Progress, count_text, paint, printable
from agent.dataset.decode import decode
from agent.dataset.uid import EXPLICIT_VR_LE, MEDIA_STORAGE_DIRECTORY, uid_name
from agent.errors import AgentError, NotAllDone, NotDicomError
from agent.media.dicomdir import Arrangement
from agent.media.dicomdir_tree import Tree
from agent.media.records import REFER_ABOVE_BYTES, entry_of
from agent.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.app.options import Arguments, Parser
    from agent.dataset.dataset import DataSet
    from agent.media.records import Entry

_LEVELS: Final = ("patients", "studies", "series", "instances")
_DEPTH_OF_LEAF: Final = 3
_FILE: Final = 0x00041500
# By type of record: its members in JSON, and the keys that they come from.
_MEMBERS: Final[dict[str, tuple[tuple[str, int], ...]]] = {
    "PATIENT": (("patient_id", 0x00100020), ("patient_name", 0x00100010)),
    "STUDY": (("study_instance_uid", 0x0020000D), ("study_date", 0x00080020), ("study_time", 0x00080030),
        ("study_id", 0x00200010), ("accession_number", 0x00080050), ("study_description", 0x00081030)),
    "SERIES": (("series_instance_uid", 0x0020000E), ("modality", 0x00080060), ("series_number", 0x00200011)),
    "": (("file", _FILE), ("sop_class_uid", 0x00041510), ("sop_instance_uid", 0x00041511),
        ("transfer_syntax_uid", 0x00041512), ("instance_number", 0x00200013)),
}  # fmt: skip


class Line(NamedTuple):
    """One record: how deep it stands, its type and its keys; ``file`` is where its instance is."""

    depth: int
    kind: str
    dataset: DataSet
    file: str


def arguments(parser: Parser) -> None:
    """Declare the options."""
    parser.add("--files", of=("list", "import"), switch=True, help="look at the files, not at the DICOMDIR")
    parser.add("--level", of=("list",), choices=_LEVELS, default=_LEVELS[-1], help="list: how deep to go (instances)")


def run(args: Arguments) -> int:
    """Show it; the status is not 0 when something could not be shown."""
    place = place_of(args.path)
    listing = _Listing(args.level, as_json=args.json)
    if place.directory and not args.files:
        with opened_directory(place.directory) as directory:
            tree = Tree(directory)
            listing.take(_of_tree(tree))
            problems = len(tree.faults) + (tree.damage is not None)
            label = directory.root.text(0x00041130)
        if problems:
            hint = f"'modality-agent media check {args.path}' tells each; --files looks at the files instead."
            error = NotAllDone(f"{place.directory}: {count_text(problems, 'fault')}, so there may be more", hint=hint)
            listing.status = report(error)
        listing.end(args.path, directory=place.directory, label=label)
        return listing.status
    listing.take(_of_files(place.root, listing))
    listing.end(args.path, directory="", label="")
    return listing.status


def _of_tree(tree: Tree) -> Iterator[Line]:
    for step in tree.walk():
        record = tree.read(step.number)
        yield Line(step.depth, record.kind, record.dataset, record.file_id)


def _of_files(root: str, listing: _Listing) -> Iterator[Line]:
    """What the files of a folder would be listed as."""
    progress = Progress()
    entries: list[Entry] = []
    paths: dict[str, str] = {}
    uids: dict[str, str] = {}
    for number, file in enumerate(files_in([root])):
        progress.update(f"{count_text(number, 'file')} looked at")
        file_id = f"{number >> 16:X}\\{number & 0xFFFF:X}"  # the name need not be a File ID
        try:
            with opened(file.path, lenient=True, header_only=True, refer_above=REFER_ABOVE_BYTES) as found:
                if found.meta.sop_class_uid == MEDIA_STORAGE_DIRECTORY:
                    continue
                uid = found.meta.sop_instance_uid
                if uid in uids:
                    raise NotAllDone(f"{file.path}: the same SOP Instance UID as {uids[uid]}: {uid}")
                entries.append(entry_of(file_id, found.meta, found.dataset))
                uids[uid] = paths[file_id] = file.relative
        except NotDicomError:
            continue
        except AgentError as error:
            progress.clear()
            failed = report(named(error, file.path))
            listing.status = listing.status or failed
    progress.clear()
    for row in Arrangement(entries):
        dataset = decode(row.body, EXPLICIT_VR_LE)
        yield Line(row.depth, row.kind, dataset, paths.get(dataset.text(_FILE), ""))


class _Listing:
    """Prints records as they come, or keeps them for one JSON document."""

    def __init__(self, level: str, *, as_json: bool) -> None:
        self.status = 0
        self._deepest = _LEVELS.index(level)
        self._json = as_json
        self._counts = dict.fromkeys(_LEVELS, 0)
        self._top: dict[str, list[Any]] = {"patients": [], "other": []}
        self._open: list[dict[str, Any]] = []  # the records above the next one

    def take(self, lines: Iterator[Line]) -> None:
        """Show every record; what stands below an instance is private and left out."""
        for line in lines:
            leaf = line.kind not in _MEMBERS
            if line.depth > _DEPTH_OF_LEAF:
                continue
            depth = _DEPTH_OF_LEAF if leaf else line.depth
            self._counts[_LEVELS[depth]] += 1
            if depth > self._deepest:
                continue
            if self._json:
                self._keep(line, leaf=leaf)
            else:
                print("  " * line.depth + _text(line, leaf=leaf))

    def _keep(self, line: Line, *, leaf: bool) -> None:
        made: dict[str, Any] = {"type": line.kind} if leaf else {}
        made |= {name: line.dataset.text(tag) for name, tag in _MEMBERS["" if leaf else line.kind]}
        if leaf:
            made["file"] = line.file
        del self._open[line.depth :]
        if len(self._open) == line.depth and line.depth:
            self._open[-1].setdefault(_LEVELS[line.depth], []).append(made)
        else:
            self._top["patients" if line.kind == "PATIENT" else "other"].append(made)
        self._open.append(made)

    def end(self, path: str, *, directory: str, label: str) -> None:
        """Print what is known at the end."""
        if self._json:
            print_json({"path": path, "dicomdir": directory, "file_set_id": label, **self._top, "counts": self._counts})
            return
        singular = {"patients": "patient", "studies": "study", "series": "series", "instances": "instance"}
        counts = ", ".join(count_text(self._counts[each], singular[each], each) for each in _LEVELS)
        source = f"DICOMDIR{f' of {label}' if label else ''}" if directory else "files, no DICOMDIR was read"
        print(f"{printable(path)}: {counts} ({source})")


def _text(line: Line, *, leaf: bool) -> str:
    said = {name: printable(line.dataset.text(tag)) for name, tag in _MEMBERS["" if leaf else line.kind]}
    if leaf:
        syntax = uid_name(said["transfer_syntax_uid"])
        parts = [printable(line.kind), said["instance_number"], uid_name(said["sop_class_uid"]), syntax]
        return ", ".join(filter(None, parts)) + f"  {printable(line.file)}  {said['sop_instance_uid']}"
    if line.kind == "PATIENT":
        return paint(f"{said['patient_name'] or '(no name)'} [{said['patient_id']}]", "bold")
    if line.kind == "STUDY":
        facts = [said["study_date"], said["study_time"], said["study_description"], f"ID {said['study_id']}"]
        facts += [f"accession {said['accession_number']}"] if said["accession_number"] else []
        return f"study {' '.join(filter(None, facts))}  {said['study_instance_uid']}"
    return f"series {said['series_number']} {said['modality']}  {said['series_instance_uid']}"
