"""``tls import``: what a CA returned comes into this box, or is refused in words before anything is kept.

Three kinds: our *certificate* with the CAs between behind it, a *CA* that vouches for peers, a revocation list (*CRL*).
Nothing is written that OpenSSL would refuse at the next connection: a certificate must match our key and be valid now,
its chain is put into order and proven, a CA must be one. The new file takes the place of the old one in one step; the
old one stays beside it as ``FILE.old``, and importing that is the way back. The same once more changes nothing.
"""

from __future__ import annotations

import os
import sys

from agent.app.tls_proof import in_memory, unproven
from agent.errors import FileError, PemError, SpoolError
from agent.link.certificate import readable
from agent.link.certificate_facts import facts, in_order
from agent.link.pem import certificates
from agent.link.pem_input import MOST_BYTES, Given, of_certificates, of_lists, sort
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agent.config.settings import Settings
    from agent.link.certificate import Certificate, RevocationList

KINDS: Final = {"certificate": "certificate_file", "ca": "ca_file", "crl": "crl_file"}
# Where a file goes that no key names yet, beside the configuration; setting the key is what takes it into use.
FOLDER: Final = "tls"
DEFAULTS: Final = {
    "certificate_file": "certificate.pem",
    "key_file": "agent.key",
    "ca_file": "ca.pem",
    "crl_file": "crl.pem",
}
OLD: Final = ".old"
_MODE: Final = 0o644  # certificates are public; the umask takes from it
_FOLDER_MODE: Final = 0o755
_MOST_LIST_BYTES: Final = 1 << 26  # of a file: the lists of the largest CAs have ten million bytes
_CLOCK: Final = "Is the clock of this box right? If it is, ask the CA."


class Place(NamedTuple):
    """Where a kind goes: the file, and the key to be set for it, or '' when it names the file already."""

    path: str
    unset: str


class Taken(NamedTuple):
    """What is to be kept: its bytes in PEM form, what is in it, and what a person should know besides."""

    data: bytes
    certificates: tuple[Certificate, ...]
    lists: tuple[str, ...]
    notes: tuple[str, ...]


def place_of(settings: Settings, key: str, config: str, destination: str = "") -> Place:
    """Return where the file of ``[tls] key``, or the CA of one destination, is or goes."""
    if destination:
        row = next((row for row in settings.destination if row.name == destination), None)
        if row is None:
            known = ", ".join(row.name for row in settings.destination) or "none"
            raise FileError(f"no destination is called '{destination}'", hint=f"There are: {known}.")
        named, name, words = row.tls_ca_file, f"ca-{destination}.pem", f"destination {destination} tls_ca_file"
    else:
        named, name, words = str(getattr(settings.tls, key)), DEFAULTS[key], f"tls {key}"
    if named:
        return Place(named, "")
    return Place(os.path.join(os.path.dirname(os.path.abspath(config)), FOLDER, name), words)


def read_given(source: str, kind: str) -> tuple[Given, str]:
    """Read FILE or standard input (``-``), never more than the bound; returns it sorted, and how it is called."""
    where = "standard input" if source == "-" else source
    most = _MOST_LIST_BYTES if kind == "crl" and source != "-" else MOST_BYTES
    try:
        if source == "-":
            data = sys.stdin.buffer.read(most + 1)
        else:
            with open(source, "rb") as file:
                data = file.read(most + 1)
    except OSError as error:
        raise FileError.of(where, error) from None
    return sort(data, where, most), where


def our_certificate(given: Given, where: str, key: str, now: str) -> Taken:
    """Judge what is to become our certificate; ``PemError``."""
    _only(given, where, "certificate")
    if not os.path.exists(key):
        raise PemError(f"this box has no key yet: {key} is not there", hint="'tls request' makes one, and the request.")
    own = next((one for one in given.certificates if _matches(one, key)), None)
    if own is None:
        shown = ", ".join(f"'{one.subject}'" for one in given.certificates[:4])
        raise PemError(
            f"{where} does not match our key: {shown} in it is for another one",
            hint="Was another request signed, or a new key made? 'tls request --same-key' asks for this key again.",
        )
    _fit(own, where, now)
    chain, strangers = in_order(own, [one for one in given.certificates if one is not own])
    for one in strangers:
        raise PemError(
            f"{where}: '{one.subject}' stands above none of the others", hint="Take it out; CAs of peers are 'ca'."
        )
    for one in chain[1:]:
        _fit(one, where, now)
        _authority(one, where)
    why = unproven(chain, key) if "server" in facts(own).uses or not facts(own).uses else ""
    if why:
        raise PemError(
            f"{where}: '{chain[-1].subject}' does not vouch for '{own.subject}': {why}",
            hint="Is it the CA that signed, and its newest certificate? Get the chain from the CA again.",
        )
    notes = list(_of_use(own))
    if chain != list(given.certificates):
        notes.append("the certificates were put into order, ours first")
    if not facts(chain[-1]).self_issued:
        notes.append(f"the CA above is '{chain[-1].issuer}'; peers must know it")
    return Taken(of_certificates(chain), tuple(chain), (), tuple(notes))


def authorities(given: Given, where: str, now: str, *, pinned: bool, before: Sequence[Certificate] = ()) -> Taken:
    """Judge what is to vouch for peers; one destination may be pinned to a certificate that signed itself."""
    _only(given, where, "ca")
    notes = []
    for one in given.certificates:
        _fit(one, where, now, trusted=True)
        if pinned and facts(one).self_issued and not facts(one).authority:
            notes.append(f"'{one.subject}' signed itself and vouches for nobody but itself")
        else:
            _authority(one, where)
    kept = list({one.der: one for one in (*before, *given.certificates)}.values())
    there = {facts(one).subject for one in kept}
    notes += [
        f"'{one.subject}' is no root: it vouches for peers only once '{one.issuer}' is here too"
        for one in kept
        if facts(one).issuer not in there
    ]
    return Taken(of_certificates(kept), tuple(kept), (), tuple(notes))


def revocations(given: Given, where: str, now: str, *, before: Sequence[tuple[RevocationList, bytes]] = ()) -> Taken:
    """Judge revocation lists; of one CA the newest that is brought takes the place of what was there."""
    _only(given, where, "crl")
    for one, _ in given.lists:
        if one.next_update < now:
            raise PemError(
                f"{where}: the revocation list of '{one.issuer}' expired on {readable(one.next_update)}; with it every "
                f"peer would be refused (this box's clock says {readable(now)})",
                hint="Fetch the newest list of this CA. Is the clock of this box right?",
            )
        if one.this_update > now:
            raise PemError(
                f"{where}: the revocation list of '{one.issuer}' is not valid before {readable(one.this_update)} (this "
                f"box's clock says {readable(now)})",
                hint=_CLOCK,
            )
    brought = {one.issuer for one, _ in given.lists}
    kept = [*(pair for pair in before if pair[0].issuer not in brought), *given.lists]
    words = tuple(
        f"'{one.issuer}': {sum(1 for _ in one.serials())} revoked, good until {readable(one.next_update)}"
        for one, _ in kept
    )
    return Taken(of_lists([der for _, der in kept]), (), words, ())


def present_certificates(path: str) -> list[Certificate]:
    """Return the certificates that are there; ``PemError`` for a file that is not to be added to."""
    return certificates(path) if os.path.exists(path) else []


def present_lists(path: str) -> list[tuple[RevocationList, bytes]]:
    """Return the revocation lists that are there, with their DER."""
    return list(read_given(path, "crl")[0].lists) if os.path.exists(path) else []


def is_new(path: str, data: bytes) -> bool:
    """Whether ``path`` holds anything else than ``data``."""
    try:
        with open(path, "rb") as file:
            return file.read(_MOST_LIST_BYTES) != data
    except OSError:
        return True


def keep(path: str, data: bytes) -> bool:
    """Put ``data`` in the place of ``path``, whole or not at all; whether something was there, now beside it.

    Raises ``FileError``.
    """
    from agent.spool.durable import Medium

    there = os.path.exists(path)
    make_folder(os.path.dirname(path))
    try:
        Medium(os.path.dirname(path)).renew(path, (data,), path + OLD, _MODE)
    except SpoolError as error:
        raise FileError(str(error)) from None
    return there


def make_folder(folder: str) -> None:
    """Make the folder of a file that no key names yet; ``FileError``."""
    from agent.spool.durable import Medium

    try:
        if not os.path.isdir(folder):
            Medium(folder).make_folder(folder, _FOLDER_MODE)
    except SpoolError as error:
        raise FileError(str(error)) from None


def _only(given: Given, where: str, kind: str) -> None:
    """Refuse what is of another kind than was asked for."""
    if kind == "crl" and given.certificates:
        raise PemError(f"{where} holds a certificate, no revocation list", hint="Import it as 'certificate' or 'ca'.")
    if kind != "crl" and given.lists:
        raise PemError(f"{where} holds a revocation list (CRL), no certificate", hint="Import it as 'crl'.")


def _matches(one: Certificate, key: str) -> bool:
    """Ask OpenSSL whether the key is that of the certificate; both stay where they are."""
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("DEFAULT@SECLEVEL=0")  # limits are told apart below
    seen = in_memory([one])
    try:
        context.load_cert_chain(f"/proc/self/fd/{seen}", key, password=lambda: b"")
    except ssl.SSLError as error:
        if error.reason in ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED"):
            return False
        raise PemError(
            f"our key {key} cannot be read: {error.reason or error}",
            hint="Is it a private key in PEM form, not encrypted?",
        ) from None
    except OSError as error:
        raise PemError(f"our key {key} cannot be read: {error.strerror}") from None
    finally:
        os.close(seen)
    return True


def _fit(one: Certificate, where: str, now: str, *, trusted: bool = False) -> None:
    """Refuse what is not valid now or too weak; nobody looks at the signature of a CA that is trusted."""
    problem = one.validity.problem(now)
    if problem:
        raise PemError(f"{where}: the certificate '{one.subject}' {_with_clock(problem, now)}", hint=_CLOCK)
    weakness = one.weak_key if trusted else one.weakness
    if weakness:
        raise PemError(
            f"{where}: the certificate '{one.subject}' {weakness} (PS3.15 B.13)", hint="Have it issued anew."
        )


def _with_clock(problem: str, now: str) -> str:
    return problem if "clock" in problem else f"{problem} (this box's clock says {readable(now)})"


def _authority(one: Certificate, where: str) -> None:
    what = facts(one)
    if not what.authority:
        raise PemError(
            f"{where}: '{one.subject}' is no CA: its basic constraints do not say so",
            hint="It signed itself: with --destination NAME it vouches for itself, to this one peer."
            if what.self_issued
            else f"Get the certificate of the CA that signed it, '{one.issuer}'.",
        )
    if not what.may_sign:
        raise PemError(f"{where}: the CA '{one.subject}' may not sign certificates: its key usage forbids it")


def _of_use(one: Certificate) -> Iterator[str]:
    uses = facts(one).uses
    for side, lacking in (("server", "the archive cannot report over an association of its own"),
                          ("client", "archives that demand a certificate refuse it")):  # fmt: skip
        if uses and side not in uses and "any" not in uses:
            yield f"it is not for {side} authentication: {lacking}"
    if not one.names:
        yield "it names no host: peers that check names refuse it"
