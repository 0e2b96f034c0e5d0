"""The certificates that a configuration names, and which of them end soon.

Those of peers are no files of ours: the profile of a destination has learned them (``agent.forward.profile``).
"""

from __future__ import annotations

from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.config.settings import DestinationSettings, Settings
    from agent.link.certificate import Certificate

_OF_PEERS: Final = "a CA of "
_REFUSED: Final = "every peer below it is refused"


def held(settings: Settings, row: DestinationSettings | None = None) -> Iterator[tuple[str, str, Certificate]]:
    """Yield what it is to us, file and content of every certificate, or of those behind one destination.

    Raises ``ConfigError`` for bad files.
    """
    from agent.link.pem import certificates

    files = settings.tls
    if files.certificate_file:
        for at, one in enumerate(certificates(files.certificate_file)):
            yield ("a CA above our certificate" if at else "our certificate", files.certificate_file, one)
    if files.ca_file and not (row is not None and row.tls_ca_file):
        for one in certificates(files.ca_file):
            yield (f"{_OF_PEERS}peers", files.ca_file, one)
    for pinned in settings.destination if row is None else (row,):
        if pinned.tls_ca_file:
            for one in certificates(pinned.tls_ca_file):
                yield (f"{_OF_PEERS}{pinned.name}", pinned.tls_ca_file, one)


def ending(settings: Settings, now: float, row: DestinationSettings | None = None) -> list[str]:
    """Say which certificates end within 60, 30 or 7 days of ``now`` or have ended, and which lists are missing or old.

    A file that cannot be read is said here too: whoever asks wants to know, and nothing else stops for it.
    """
    if not any(settings.tls) and not any(one.tls_ca_file for one in settings.destination):
        return []  # a box without TLS pays nothing for it
    from agent.errors import ConfigError
    from agent.link.certificate import readable
    from agent.link.expiry import expiry_text
    from agent.link.pem import revocation_lists

    told = []
    try:
        for what, path, one in held(settings, row):
            text = expiry_text(readable(one.validity.not_after), now)
            if text:
                told.append(f"{what}, '{one.subject}' in {path}, {text}")
        path = settings.tls.crl_file
        lists = revocation_lists(path) if path else []
        for listed in lists:
            until = readable(listed.next_update)
            if expiry_text(until, now).startswith("expired"):
                told.append(f"the revocation list of '{listed.issuer}' in {path} {expiry_text(until, now)}: {_REFUSED}")
        issuers = {listed.issuer for listed in lists}
        for what, file, one in held(settings, row) if path else ():
            if what.startswith(_OF_PEERS) and one.subject not in issuers:
                told.append(f"{what}, '{one.subject}' in {file}, has no revocation list in {path}: {_REFUSED}")
    except ConfigError as error:
        told.append(error.message)
    return told


def ending_of_peers(settings: Settings, root: str, now: float) -> list[str]:
    """Say which peers showed a certificate, when they were last met, that ends soon."""
    from agent.link.expiry import expiry_text
    from agent.spool.flights import read_profile

    told = []
    for row in settings.destination:
        if row.tls:
            profile = read_profile(root, row.name)
            text = expiry_text(profile.get("valid_until", ""), now)
            if text:
                told.append(f"the certificate '{profile.get('subject', '')}' of {row.name} {text}")
    return told
