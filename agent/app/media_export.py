"""``media export``: instances of the spool onto a stick, a disc image, a ZIP to mail, or encrypted media.

It reads the spool beside a running agent or without one, and changes nothing in it but the receipts, which say what
went where. "Safe to remove" is printed only behind the proof that the medium has it; everything else ends with an error
that says what to do.
"""

from __future__ import annotations

import os
import sys
import time
from itertools import chain, islice

from agent.app.cli import report
from agent.app.common import DEFAULT_CONFIG, settings_of, view_of
from agent.app.media_choice import chosen, recovered, require_choice
from agent.app.term import Progress, count_text, printable, size_text
from agent.errors import AgentError, FileError, UsageError
from agent.media.profile import DEFAULT_NAME, PLAIN_NAME
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agent.app.options import Arguments, Parser
    from agent.exchange.carry import Made, Target
    from agent.exchange.cms import Keys
    from agent.exchange.export import Request
    from agent.exchange.plan import Piece, Plan
    from agent.exchange.shelf import Shelf
    from agent.media.profile import Profile
    from agent.spool.exports import Exported
    from agent.spool.mount import Mount
    from agent.spool.quota import Policy
    from agent.spool.view import SpoolView

_OF: Final = ("export",)
_SPOOL: Final = ("export", "import")
_UNITS: Final = {"": 1, "K": 1000, "M": 1000**2, "G": 1000**3, "KI": 1 << 10, "MI": 1 << 20, "GI": 1 << 30}
# The control socket takes requests of 4 KiB; a row has 300 bytes.
_ROWS: Final = 8
_NOTED: Final = 256  # receipts written in one transaction, where we hold the spool


def arguments(parser: Parser) -> None:
    """Declare the options; those of the spool are for import, too."""
    parser.add("--config", of=_SPOOL, metavar="FILE", default=DEFAULT_CONFIG, help=f"configuration ({DEFAULT_CONFIG})")
    parser.add("--spool", of=_SPOOL, metavar="FOLDER", help="this spool instead of the configured one")
    parser.add("--to", of=_OF, metavar="FOLDER|FILE", help="export: a folder, such as a stick's; FILE.iso; FILE.zip")
    parser.add("--all", of=_OF, switch=True, help="export: everything that is in the spool")
    parser.add("--study", of=_OF, repeated=True, metavar="UID", help="export: all of a study (Study Instance UID)")
    parser.add("--uid", of=_OF, repeated=True, metavar="UID", help="export: one instance (SOP Instance UID)")
    parser.add("--since", of=_OF, metavar="WHEN", help="export: captured since 2026-03-01, 2026-03-01T10:15, or 24h")
    parser.add("--profile", of=_OF, metavar="NAME", help="export: application profile of PS3.11 (one for the target: "
               f"{DEFAULT_NAME} for a folder); '{PLAIN_NAME}': all as it is stored; 'list' prints them")  # fmt: skip
    parser.add("--label", of=_OF, metavar="NAME", help="export: File-set ID, up to 16 of A-Z, 0-9 and _")
    parser.add("--volume-size", of=_OF, metavar="SIZE", help="export: on as many media as it takes, as 700M or 4.7G: "
               "folders VOL1 to VOLn in the target, or FILE-1.iso to FILE-n.iso")  # fmt: skip
    parser.add("--volume", of=_OF, read=int, metavar="N", help="export: only the Nth of them, straight to the "
               "target; choose by --study or --uid, so that all of them agree")  # fmt: skip
    parser.add("--recipient", of=_OF, repeated=True, metavar="PEM", help="export: certificate of one who may open "
               "encrypted media, with an RSA key")  # fmt: skip
    parser.add("--sign-cert", of=_OF, metavar="PEM", help="export: certificate that signs encrypted media")
    parser.add("--sign-key", of=_OF, metavar="PEM", help="export: and its RSA key")
    parser.add("--repair", of=_OF, switch=True, help="export: repair a FAT volume that was not unmounted (root)")
    parser.add(
        "--unmount", of=_OF, switch=True, help="export: mount the stick anew to read it back, leave it unmounted (root)"
    )
    parser.add("--dry-run", of=_OF, switch=True, help="export: say what would go where, and how large it is")


def run(args: Arguments) -> int:
    """Export: 0 when everything is on its medium, 36 when some instances could not go, 37 when it is not safe."""
    from agent.app.media_profile import print_profiles, profile_of, require_options

    if args.profile == "list":
        print_profiles(as_json=args.json)
        return 0
    if not args.to:
        raise UsageError("--to is missing: a folder, FILE.iso or FILE.zip")
    require_options(args)
    require_choice(args)
    limit = _bytes(args.volume_size) if args.volume_size else 0
    target = _target(args)
    profile = profile_of(args, target, limit)
    _warn(args, target, profile)
    from agent.app.media_words import foreseen
    from agent.exchange.shelf import shelf_of

    root = _root(args, profile, target)
    with shelf_of(root) as shelf:
        found = _planned(args, profile, target, limit, shelf)
        if args.dry_run or not found.volumes:
            return foreseen(found, profile, as_json=args.json)
        return _carried(args, found, profile, target, root)


# --- what ---------------------------------------------------------------------------------------


def _target(args: Arguments) -> Target:
    from agent.exchange.carry import target_of

    return target_of(args.to, _keys(args))


def _keys(args: Arguments) -> Keys | None:
    if not args.recipient and not args.sign_key and not args.sign_cert:
        return None
    from agent.exchange import cms

    keys = cms.Keys(tuple(args.recipient), args.sign_cert or "", args.sign_key or "")
    if not keys.recipients:
        raise UsageError("encrypted media need a --recipient")
    cms.check(keys)
    return keys


def _warn(args: Arguments, target: Target, profile: Profile) -> None:
    """Say what of its claim such a target cannot keep before the work is done; JSON has it at the end."""
    from agent.exchange.carry import remarks, strange

    for text in () if args.json else remarks(target, profile) + strange(args.to):
        sys.stderr.write(f"modality-agent: warning: {printable(text, 500)}\n")


def _root(args: Arguments, profile: Profile, target: Target) -> str:
    """The spool, put right if need be, where such an export is possible at all."""
    from agent.exchange.carry import require_target

    with view_of(args) as view:
        require_target(target, profile, view.root)
        recovered(args, view)
        return view.root


def _planned(args: Arguments, profile: Profile, target: Target, limit: int, shelf: Shelf) -> Plan:
    from agent.exchange.carry import file_limit
    from agent.exchange.plan import plan

    progress = Progress()
    try:
        with view_of(args) as view:  # another one: a spool that was put right has changed
            return plan(
                view.root, chosen(args, view), profile, shelf=shelf, volume_limit=limit, file_limit=file_limit(target),
                watch=lambda done: progress.update(f"{count_text(done, 'instance')} looked at"),
            )  # fmt: skip
    finally:
        progress.clear()


def _bytes(text: str) -> int:
    word = text.upper().removesuffix("B")
    number = word.rstrip("KMGI")
    try:
        size = int(float(number) * _UNITS[word[len(number) :]])
    except (ValueError, KeyError, OverflowError):
        size = 0
    if size <= 0:
        raise UsageError(f"--volume-size: '{text}' is no size", hint="As 700M, 4.7G or 4GiB.")
    return size


# --- the work -----------------------------------------------------------------------------------


def _carried(args: Arguments, found: Plan, profile: Profile, target: Target, root: str) -> int:
    from agent.app.media_words import say, status
    from agent.app.verb_capture import tidy_end
    from agent.exchange.carry import FOLDER, carry, make_folder, numbered

    wanted = _numbers(args, len(found.volumes))
    found = _with_copies(found, target, root)
    notes = _prepared(args, found, profile, target, wanted, root)
    progress = Progress()
    made: list[Made] = []
    refused = [found.refused]
    told: AgentError | None = None
    if target.kind == FOLDER and args.volume is None and len(found.volumes) > 1:
        make_folder(target.path)
    for number in wanted:
        request = _request(args, found, profile, number)
        place = target if args.volume else numbered(target, number, len(found.volumes))
        if place.kind == FOLDER:
            make_folder(place.path)

        def watch(step: str, done: int, of: int, number: int = number) -> None:
            which = f"medium {number} of {len(found.volumes)}: " if len(found.volumes) > 1 else ""
            progress.update(f"{which}{size_text(done)} of {size_text(of)} {step}")

        try:
            with tidy_end():  # nothing in clear is left behind
                made.append(carry(request, place, watch, remount=args.unmount, spool=root, shelf=found.shelf))
        except AgentError as error:
            progress.clear()
            if made:  # these are good, whatever became of the next
                say(profile, made, refused, notes, error, as_json=args.json)
            raise
        finally:
            progress.clear()
        refused.append(made[-1].outcome.refused)
        told = told or _noted(args, root, made[-1].outcome.exported)
    say(profile, made, refused, notes, as_json=args.json)
    if told is not None:
        return report(told)
    return status(refused, sum(len(one.outcome.exported) for one in made))


def _with_copies(found: Plan, target: Target, root: str) -> Plan:
    """Let each instance that goes as a copy know which were made of it: one that is on the medium is not made again."""
    from agent.exchange.carry import FOLDER
    from agent.spool.view import SpoolView

    if target.kind != FOLDER or target.keys is not None:
        return found
    volumes = []
    with SpoolView.open(root) as view:
        for volume in found.volumes:
            volumes.append(volume.another())
            volumes[-1].extend(_knowing(view, piece) for piece in volume)
            volume.clear()
    return found._replace(volumes=volumes)


def _knowing(view: SpoolView, piece: Piece) -> Piece:
    if piece.as_is:
        return piece
    told = (event.detail for event in view.events(piece.holding.id) if event.kind == "exported")
    syntax = piece.decision.syntax
    return piece._replace(copies=frozenset(row["sha256"] for row in told if row.get("transfer_syntax_uid") == syntax))


def _numbers(args: Arguments, count: int) -> list[int]:
    if args.volume is None:
        return list(range(1, count + 1))
    if not 1 <= args.volume <= count:
        raise UsageError(f"--volume: there are {count}")
    return [args.volume]


def _prepared(
    args: Arguments, found: Plan, profile: Profile, target: Target, wanted: list[int], root: str
) -> list[str]:
    """Look at the medium before anything is written to it."""
    from agent.exchange import volume
    from agent.exchange.carrier import require_archive
    from agent.exchange.carry import ARCHIVE, FOLDER, numbered, remarks, room_needed, stage_needed, strange
    from agent.spool import mount
    from agent.spool.durable import Medium
    from agent.spool.quota import Admission

    place = target.path if target.kind == FOLDER and os.path.isdir(target.path) else os.path.dirname(target.path) or "."
    if not os.path.isdir(place):
        raise FileError(f"{target.path}: there is no folder {place}", hint="Make it first, or mount the medium.")
    on = volume.look(place)
    notes = volume.remarks(on, claimed=bool(profile.section)) + (
        remarks(target, profile) + strange(args.to) if args.json else []
    )
    if target.kind == FOLDER:
        notes += volume.repair(on) if args.repair else volume.require_closed(on)
        notes += _own_disk(target.path, on.point, mount.of(root))
    volumes = [found.volumes[number - 1] for number in wanted]
    several = [numbered(target, number, len(found.volumes)) if args.volume is None else target for number in wanted]
    for one in volumes if target.kind == ARCHIVE else ():
        require_archive(len(one))
    need = sum(room_needed(one, pieces, found.shelf) for one, pieces in zip(several, volumes, strict=True))
    free = Medium(place).free().bytes
    if need > free:
        raise FileError(
            f"{place} has {size_text(free)} free, about {size_text(need)} are needed",
            hint="Use a larger medium, or '--volume-size' to spread it over several.",
        )
    stage = max((stage_needed(one, pieces) for one, pieces in zip(several, volumes, strict=True)), default=0)
    medium = Medium(root)
    left = medium.free().bytes - Admission(medium, _policy(args)).floor_bytes(medium.free())
    if stage > left:
        raise FileError(
            f"the spool {root} has {size_text(max(left, 0))} to spare, about {size_text(stage)} are needed to encrypt",
            hint="Export fewer at once, as with '--study' or '--volume-size': what is encrypted lies there meanwhile.",
        )
    return notes


def _own_disk(path: str, point: str, spool: Mount | None) -> list[str]:
    """Say so when a folder is where the spool or the system is: the medium may not be mounted."""
    if point not in ("/", spool.point if spool is not None else "/"):
        return []
    return [f"{path} is on a disk of this box, not on a medium of its own: was it to be mounted first?"]


def _policy(args: Arguments) -> Policy:
    """What the site has set for its spool; of a spool that was named itself nobody has set anything."""
    from agent.app.wiring import spool_policy
    from agent.spool.quota import Policy

    return spool_policy(settings_of(args)) if args.spool is None else Policy()


def _request(args: Arguments, found: Plan, profile: Profile, number: int) -> Request:
    import agent
    from agent.exchange.export import Request
    from agent.exchange.pages import SOFTWARE
    from agent.media.file_id import label_of

    institution, station = "", "MEDIA"
    if args.spool is None:
        settings = settings_of(args)
        institution, station = settings.agent.institution_name, settings.agent.ae_title
    several = len(found.volumes) > 1
    tail = f"_{number}" if several else ""
    label = (args.label or label_of(f"{station[:9]}_{time.strftime('%y%m%d')}"))[: 16 - len(tail)] + tail
    now = time.strftime("%Y-%m-%d %H:%M %z")
    software = f"{SOFTWARE} {agent.__version__}"
    return Request(found.volumes[number - 1], profile, label, institution, now, software, number, len(found.volumes))


def _noted(args: Arguments, root: str, exported: Iterable[Exported]) -> AgentError | None:
    """Let the receipts tell; the media are right whether that works or not."""
    from agent.app.control import ask

    rows = iter(exported)
    try:
        while some := list(islice(rows, _ROWS)):
            if ask(root, {"verb": "exported", "rows": [list(row) for row in some]}) is None:
                _note_alone(args, root, chain(some, rows))
    except AgentError as error:
        error.message = f"the medium is complete, but its receipts do not say so: {error.message}"
        return error
    return None


def _note_alone(args: Arguments, root: str, exported: Iterator[Exported]) -> None:
    from agent.app.wiring import open_spool
    from agent.spool.exports import note_exports

    settings = settings_of(args)
    with open_spool(settings._replace(spool=settings.spool._replace(path=root))) as spool:
        while some := list(islice(exported, _NOTED)):
            note_exports(spool, some)
