"""Which application profile an export claims: the one that is asked for, else the one for where it goes and to whom.

The default of a disc image is that of a DVD, which has room for every syntax of JPEG, unless its volumes are of the
size of a CD. Who names a recipient wants an encrypted set.
"""

from __future__ import annotations

from agent.app.cli import print_json
from agent.dataset.uid import uid_name
from agent.errors import UsageError
from agent.exchange.carry import ARCHIVE, FOLDER, IMAGE
from agent.media.file_id import is_label
from agent.media.profile import DEFAULT_NAME, PLAIN, PROFILES, find
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from agent.app.options import Arguments
    from agent.exchange.carry import Target
    from agent.media.profile import Profile

_DVD, _CD, _MAIL = "STD-GEN-DVD-JPEG", "STD-GEN-CD", "STD-GEN-ZIP-MAIL"
_DEFAULTS: Final = {FOLDER: DEFAULT_NAME, IMAGE: _DVD, ARCHIVE: _MAIL}
_CD_BYTES: Final = 900_000_000


def require_options(args: Arguments) -> None:
    """Refuse, before anything is looked at, what is wrong whatever the spool holds."""
    if args.label is not None and not (args.label and is_label(args.label)):
        raise UsageError(f"--label: '{args.label}' is no File-set ID", hint="Up to 16 of A-Z, 0-9 and _.")
    if args.volume is not None and not (args.volume_size and args.volume > 0):
        raise UsageError("--volume is the number of one medium, from 1, and needs --volume-size")


def profile_of(args: Arguments, target: Target, volume_bytes: int) -> Profile:
    """The profile of an export; ``volume_bytes`` of a medium, 0: not said."""
    if args.profile is not None:
        profile = find(args.profile)
        if profile is None:
            hint = "'--profile list' prints those that there are."
            raise UsageError(f"--profile: '{args.profile}' is none", hint=hint)
        return profile
    name = _CD if target.kind == IMAGE and 0 < volume_bytes <= _CD_BYTES else _DEFAULTS[target.kind]
    return PROFILES[name.replace("STD-GEN-", "STD-GEN-SEC-") if target.keys is not None else name]


def print_profiles(*, as_json: bool) -> None:
    """Print every profile with a word of explanation."""
    rows = [_facts(PROFILES[name]) for name in sorted(PROFILES)]
    if as_json:
        print_json({"profiles": rows, "defaults": _DEFAULTS})
        return
    width = max(len(row["name"]) for row in rows)
    for row in rows:
        print(f"{row['name']:<{width}}  {row['about']}")


def _facts(profile: Profile) -> dict[str, Any]:
    return {
        "name": profile.name,
        "about": _about(profile),
        "section": f"PS3.11 {profile.section}" if profile.section else "",
        "medium": profile.medium,
        "encrypted": profile.secure,
        "transfer_syntax_uids": list(profile.syntaxes),
        "sop_class_uids": list(profile.sop_classes),
    }


def _about(profile: Profile) -> str:
    if profile.name == PLAIN.name:
        return "claims nothing: every instance as it is stored"
    what = "ultrasound" if profile.sop_classes else "every kind of instance"
    calibrated = ", calibrated" if profile.regions else ""
    syntaxes = ", ".join(uid_name(syntax) for syntax in profile.syntaxes)
    secure = "encrypted; " if profile.secure else ""
    return f"{profile.medium}: {what}{calibrated}; {secure}{syntaxes} (PS3.11 {profile.section})"
