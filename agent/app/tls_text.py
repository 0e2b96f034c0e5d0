"""Certificates in words, for 80 columns: what ``tls show`` prints of those in use, and ``tls import`` of a new one."""

from __future__ import annotations

from agent.app.cli import print_json
from agent.app.term import printable
from agent.link.certificate import readable
from agent.link.certificate_facts import facts
from agent.link.expiry import expiry_text
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from agent.app.options import Arguments
    from agent.app.tls_import import Place, Taken
    from agent.link.certificate import Certificate

_DAY_S: Final = 86_400
_NAMES: Final = 8  # of a certificate, in words


def certificate_row(what: str, path: str, one: Certificate, now: float) -> dict[str, Any]:
    """Return what a program needs of one certificate."""
    until = readable(one.validity.not_after)
    more = facts(one)
    return {
        "what": what,
        "file": path,
        "subject": one.subject,
        "issuer": one.issuer,
        "names": list(one.names),
        "valid_from": readable(one.validity.not_before),
        "valid_until": until,
        "days_left": _days_left(one.validity.not_after, now),
        "key": more.key,
        "ca": more.authority,
        "uses": list(more.uses),
        "sha256": one.sha256,
        "ends": expiry_text(until, now),
        "weakness": one.weakness,
    }


def certificate_lines(row: dict[str, Any]) -> list[str]:
    """Return the same for people."""
    names = row["names"][:_NAMES]
    more = f" and {len(row['names']) - _NAMES} more" if len(row["names"]) > _NAMES else ""
    left = row["days_left"]
    rest = f"{left} day{'s' * (left != 1)} left" if left >= 0 else "expired"
    lines = [
        f"{row['what']}: {printable(row['subject'], 60)}",
        f"  issued by  {printable(row['issuer'], 64) if row['issuer'] != row['subject'] else 'itself'}",
        f"  valid      {row['valid_from']} to {row['valid_until']}, {rest}",
    ]
    if names:
        lines.append(f"  names      {printable(', '.join(names), 400)}{more}")
    lines += [f"  key        {row['key']}{', of a CA' * row['ca']}", *fingerprint_lines(row["sha256"])]
    if row["file"]:
        lines.append(f"  file       {printable(row['file'], 400)}")
    return lines


def fingerprint_lines(sha256: str) -> list[str]:
    """Return a digest as people compare it, in two lines."""
    pairs = [sha256[at : at + 2].upper() for at in range(0, len(sha256), 2)]
    return [f"  SHA-256    {':'.join(pairs[:16])}", f"             {':'.join(pairs[16:])}"]


def chain_text(chain: dict[str, Any]) -> str:
    """Return a chain in one line, ours first."""
    text = " <- ".join(chain["subjects"])
    text += "" if chain["complete"] else f" <- {chain['issuer']} (not on this box)"
    if len(chain["sent"]) < len(chain["subjects"]):
        text += f"; sent to peers: {' <- '.join(chain['sent'])}"
    if chain["strangers"]:
        text += f"; not part of it: {', '.join(chain['strangers'])}"
    return text


def say_import(args: Arguments, taken: Taken, place: Place, result: str) -> None:
    """Print what was brought, and what became of it."""
    import time

    what = {"certificate": "our certificate", "ca": "a CA of " + (args.destination or "peers"), "crl": "list"}[
        args.what
    ]
    rows = [certificate_row(what, "", one, time.time()) for one in taken.certificates]
    for row in rows[1:] if args.what == "certificate" else ():
        row["what"] = "a CA above our certificate"
    if args.json:
        print_json(
            {
                "result": result,
                "changed": result in ("kept", "replaced"),
                "file": place.path,
                "set": f"{place.unset} {place.path}" if place.unset else "",
                "certificates": rows,
                "lists": list(taken.lists),
                "notes": list(taken.notes),
            }
        )
        return
    for row in rows:
        print("\n".join(certificate_lines(row)))
    for text in taken.lists:
        print(f"list of {printable(text, 400)}")
    for note in taken.notes:
        print(f"note: {printable(note, 400)}")
    print(_outcome(result, place))
    if place.unset and not args.dry_run:
        print(f"not yet in use: set {place.unset} {place.path}")
    elif result in ("kept", "replaced"):
        print("in use with the next connection")


def _outcome(result: str, place: Place) -> str:
    return {
        "same": f"{place.path} holds just this: nothing to do",
        "would be kept": f"would be kept as {place.path}; nothing was changed",
        "kept": f"kept as {place.path}",
        "replaced": f"kept as {place.path}; what was there is {place.path}.old",
    }[result]


def _days_left(stamp: str, now: float) -> int:
    import calendar
    import time

    try:
        return int((calendar.timegm(time.strptime(stamp, "%Y%m%d%H%M%SZ")) - now) // _DAY_S)
    except ValueError:  # the year 9999 and others that nobody means
        return 0
