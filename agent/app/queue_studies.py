"""``queue studies`` and ``queue patients``: whose images are on this box, and how far they are."""

from __future__ import annotations

from agent.app.cli import print_json
from agent.app.people import HEADS, STUDIES, People, Person
from agent.app.term import columns, count_text, paint, printable, stamp_text, table
from agent.errors import NotFound
from agent.spool import listing
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from agent.app.options import Arguments
    from agent.spool.listing import Study
    from agent.spool.view import SpoolView

_NOBODY: Final = Person()
_NAME: Final = 30  # characters of a patient in a line of 80
_LEFT: Final = (
    f"not every study could be looked into: of those that no DICOMDIR lists yet, the youngest {HEADS} are read"
)


def chosen(args: Arguments, view: SpoolView) -> list[str] | None:
    """The studies that ``--study``, ``--patient`` and ``--accession`` mean together; None without any of them."""
    if not (args.study or args.patient or args.accession):
        return None
    found: list[str] | None = None
    if args.patient or args.accession:
        with People(view) as people:
            found = people.find(args.patient or "", args.accession or "")
            if not found:
                hint = "'modality-agent queue studies' lists who is on this box." + f" {_LEFT}." * (not people.complete)
                raise NotFound(f"no study on this box is of {_said(args)}", hint=hint)
    if args.study:
        if not view.holdings(study=args.study, limit=1):
            raise NotFound(f"the spool has never had study {printable(args.study)}")
        found = [args.study] if found is None or args.study in found else []
    return found


def _said(args: Arguments) -> str:
    parts = [f"patient '{args.patient}'"] if args.patient else []
    parts += [f"accession number '{args.accession}'"] if args.accession else []
    return printable(" and ".join(parts))


def list_studies(args: Arguments, view: SpoolView) -> int:
    """Print a page of studies, the youngest first."""
    before = args.after[0] or listing.LAST
    page = listing.studies(view.ask, of=chosen(args, view), before=before, limit=args.limit)
    held = {one.study_uid: one for one in listing.holds(view.ask) if one.study_uid}
    with People(view) as people:
        known = people.of_studies([one.study_uid for one in page])
        rows = [_facts(view, one, known.get(one.study_uid, _NOBODY), held) for one in page]
        complete = people.complete
    if args.json:
        print_json({"studies": rows, "complete": complete})
        return 0
    for row in rows:
        print("\n".join(_lines(row, min(columns(), 200))))
    if not rows:
        print("no study is on this box")
    if not complete:
        print(_LEFT)
    if len(rows) == args.limit:
        print(f"there may be more: --after {rows[-1]['last']}")
    return 0


def _facts(view: SpoolView, study: Study, person: Person, held: dict[str, Any]) -> dict[str, Any]:
    return {
        **study._asdict(),
        **person._asdict(),
        "captured_at": listing.captured_at(view.ask, study.last),
        "destinations": listing.states_of_study(view.ask, study.study_uid),
        "held": study.study_uid in held,
    }


def _lines(row: dict[str, Any], width: int) -> list[str]:
    who = patient_text(row) or "patient not known"
    head = f"{stamp_text(row['captured_at'])[:16].replace('T', ' ')}  {printable(who, 2 * _NAME)}"
    what = [f"accession {row['accession_number']}" if row["accession_number"] else "", row["description"]]
    lines = [paint(head, "bold"), f"  {row['study_uid']}"]
    if any(what):
        lines.append("  " + printable(", ".join(filter(None, what)), width - 2))
    where = f"  {count_text(row['live'], 'instance')} on this box"
    for name, states in row["destinations"].items():
        where += f"; {name}: " + ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    lines.append(where + "; held by the operator" * row["held"])
    return lines


def patient_text(row: dict[str, Any]) -> str:
    """Name and Patient ID for a line."""
    name, number = row["name"], row["patient_id"]
    return f"{name} ({number})" if name and number else name or number


def list_patients(args: Arguments, view: SpoolView) -> int:
    """Print a page of patients, the one with the youngest image first."""
    studies = listing.studies(view.ask, of=chosen(args, view), limit=STUDIES)
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    with People(view) as people:
        known = people.of_studies([one.study_uid for one in studies])
        complete = people.complete and len(studies) < STUDIES
    for study in studies:
        person = known.get(study.study_uid, _NOBODY)
        row = found.setdefault(person[:3], {
            "patient_id": person.patient_id, "name": person.name, "birth_date": person.birth_date, "studies": 0,
            "instances": 0, "last": study.last,
        })  # fmt: skip
        row["studies"] += 1
        row["instances"] += study.live
    before = args.after[0] or listing.LAST
    rows = [row for row in found.values() if row["last"] < before][: args.limit]
    if args.json:
        print_json({"patients": rows, "complete": complete})
        return 0
    cells = [_cells(row) for row in rows]
    head = ("Patient ID", "name", "born", "studies", "images")
    print("\n".join(table(head, cells, right=(3, 4))) if cells else "no patient has images on this box")
    if not complete:
        print(_LEFT)
    if len(rows) == args.limit:
        print(f"there may be more: --after {rows[-1]['last']}")
    return 0


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        printable(row["patient_id"] or "-", 20), printable(row["name"] or "not known", _NAME), row["birth_date"] or "-",
        str(row["studies"]), str(row["instances"]),
    )  # fmt: skip
