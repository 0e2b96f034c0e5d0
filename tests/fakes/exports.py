"""A spool with instances of several kinds, and an export of it, as tests of media need them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fakes.masters import write

from agent.dataset import uid
from agent.exchange.export import Media, Outcome, Request, export
from agent.exchange.plan import plan
from agent.media.profile import PROFILES
from agent.spool.core import Destination
from agent.spool.store import Spool
from agent.spool.view import SpoolView

if TYPE_CHECKING:
    from pathlib import Path

    from agent.exchange.plan import Piece
    from agent.spool.receipt import Holding

KINDS = (
    ("us", uid.RLE_LOSSLESS),
    ("us-mf", uid.JPEG_LS_LOSSLESS),
    ("dx", uid.EXPLICIT_VR_LE),
    ("sc", uid.IMPLICIT_VR_LE),
)


def filled(folder: Path, kinds: tuple[tuple[str, str], ...] = KINDS) -> Path:
    """A spool with one instance of each kind; it is closed."""
    root = folder / "spool"
    root.mkdir(parents=True)
    made = folder / "made"
    made.mkdir()
    with Spool.open(str(root), destinations=[Destination("pacs")]) as spool:
        for kind, syntax in kinds:
            spool.import_file(str(write(made, kind, syntax)), source="test")
    return root


def held(root: Path) -> list[Holding]:
    with SpoolView.open(str(root)) as view:
        return view.holdings()


def pieces(root: Path, profile: str = "STD-GEN-USB-JPEG") -> list[Piece]:
    return [piece for volume in plan(str(root), held(root), PROFILES[profile]).volumes for piece in volume]


def run(
    root: Path, folder: Path, profile: str = "STD-GEN-USB-JPEG", media: Media | None = None, label: str = "TEST"
) -> Outcome:
    """Export everything to ``folder``."""
    return run_pieces(pieces(root, profile), folder, profile, media, label)


def run_pieces(
    chosen: list[Piece], folder: Path, profile: str = "STD-GEN-USB-JPEG", media: Media | None = None,
    label: str = "TEST",
) -> Outcome:  # fmt: skip
    request = Request(chosen, PROFILES[profile], label, "Bench Clinic", "2026-03-01 10:15", "modality-agent")
    return export(request, str(folder), media or Media())


def files_of(root: Path | str) -> list[Path]:
    """The instance files of a spool."""
    from pathlib import Path as Where

    return sorted(path for path in Where(root, "INST").rglob("*") if path.is_file())
