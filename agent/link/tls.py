"""TLS as PS3.15 B.13 wants it (BCP 195: RFC 8996, RFC 9325): the contexts of both sides.

A context is built from the configured files only: the system's CA store is never loaded, so that a public CA cannot
vouch for an archive. TLS 1.2 and 1.3; for 1.2 only the ten suites B.13 makes mandatory for servers, which are ECDHE
with AEAD; security level 2 holds keys to 2048-bit RSA, and ``judge`` what that level lets pass (certificate.py). Groups
are those OpenSSL has by itself: X25519, P-256, X448, P-521, P-384 and, in TLS 1.3, ffdhe2048 and larger.

Python's ``ssl`` can name neither the suites of TLS 1.3, nor more than one group, nor any signature algorithm. So
without help the two CCM suites of B.13 are absent, which a client may do without and a server may not, and OpenSSL
offers signatures that B.13 does not know (DSA, EdDSA, SHA-224): both sides keep B.12. With ``OPENSSL_CONF`` set to
``configs/tls/openssl.cnf`` both keep B.13; ``scripts/tls_profile`` measures either. OpenSSL 3.2 and later rate CCM_8
below security level 2 and leave it out.

With revocation lists (CRL) a peer must be covered by them, and so must every CA above it: one that is missing or out of
date refuses.
Raises ``ConfigError`` for files that are missing, unreadable or do not belong together; ``TlsRefused`` for the rest, in
the words of ``tls_words``.
"""

from __future__ import annotations

import ssl
import time

from agent.errors import ConfigError, PemError, TlsRefused
from agent.link.certificate import Certificate, read
from agent.link.pem import first_certificate, read_text, readable_certificates, revocation_lists
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

# PS3.15 Table B.13-2 in OpenSSL's names: ECDHE only, AEAD only, forward secrecy always.
CIPHERS_TLS12 = (
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES256-CCM",
    "ECDHE-ECDSA-AES128-CCM",
    "ECDHE-ECDSA-AES256-CCM8",
    "ECDHE-ECDSA-AES128-CCM8",
)
SECURITY_LEVEL = "@SECLEVEL=2"  # RSA >= 2048 bits, no SHA-1 signatures (PS3.15 Table B.13-1)


class TlsSettings(NamedTuple):
    """Files (PEM) and names of one side; ``certificate_file`` may hold the chain, ``key_file`` is never encrypted."""

    ca_file: str
    certificate_file: str | None = None
    key_file: str | None = None
    server_name: str | None = None  # checked instead of the host that is connected to
    check_name: bool = True  # False: any name, if the CA vouches for it (a CA of this one peer)
    demand_client_certificate: bool = True  # server side: mutual authentication
    crl_file: str | None = None  # CRLs of the CAs; a peer without one of its CA is refused
    watch_callers: bool = False  # server side: say whose certificate was refused; not for who receives images


def client_context(settings: TlsSettings) -> ssl.SSLContext:
    """Context for the TLS initiator; files are read here."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = settings.check_name
    _fill(context, settings)
    return context


def server_context(settings: TlsSettings) -> ssl.SSLContext:
    """Context for the TLS responder; files are read here."""
    if settings.certificate_file is None:
        raise ConfigError("a TLS server needs a certificate and a key")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED if settings.demand_client_certificate else ssl.CERT_OPTIONAL
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    if settings.crl_file:  # a ticket would spare the caller the list
        context.num_tickets = 0
        context.options |= ssl.OP_NO_TICKET
    _fill(context, settings)
    if settings.watch_callers:
        from agent.link.tls_watch import watch

        watch(context)
    return context


def now_stamp() -> str:
    """Return the time of this box as certificates write it."""
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime())


def judge(der: bytes | None, peer: str) -> Certificate | None:
    """Hold what OpenSSL has verified to dates (a resumed session skips them) and limits; ``TlsRefused``."""
    if not der:
        return None
    try:
        shown = read(der)
    except ValueError:  # OpenSSL took it: what we cannot read ends no association
        return None
    problem = shown.validity.problem(now_stamp()) or shown.weakness
    if problem:
        raise TlsRefused(f"the certificate of {peer} {problem}")
    return shown


def judge_chain(chain: Sequence[bytes], peer: str) -> None:
    """Hold the CAs of a verified chain (DER, the peer's own certificate first) to the limits; ``TlsRefused``.

    Of the last one, which is trusted, the key alone: nobody looks at its signature.
    """
    for at, der in enumerate(chain[1:], 2):
        try:
            shown = read(der)
        except ValueError:  # as in judge
            continue
        weakness = shown.weak_key if at == len(chain) else shown.weakness
        if weakness:
            raise TlsRefused(f"the certificate of {peer} comes from the CA '{shown.subject}', which {weakness}")


def permit(context: ssl.SSLContext) -> None:
    """Restrict ``context`` to the versions and suites of the profile."""
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(":".join((SECURITY_LEVEL, *CIPHERS_TLS12)))
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION


def _fill(context: ssl.SSLContext, settings: TlsSettings) -> None:
    permit(context)
    try:
        context.load_verify_locations(cafile=settings.ca_file)
    except ssl.SSLError as error:
        raise PemError(f"CA file {settings.ca_file} holds no certificate in PEM form") from error
    except OSError as error:
        raise PemError(f"CA file {settings.ca_file} cannot be read: {error.strerror}") from error
    for one in readable_certificates(settings.ca_file):
        if one.weak_key:
            raise PemError(f"the CA '{one.subject}' in {settings.ca_file} {one.weak_key} (PS3.15 B.13)")
    if settings.crl_file:
        revocation_lists(settings.crl_file)
        context.load_verify_locations(cafile=settings.crl_file)
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN
    if settings.certificate_file is not None:
        _load_pair(context, settings.certificate_file, settings.key_file or settings.certificate_file)


def _load_pair(context: ssl.SSLContext, certificate_file: str, key_file: str) -> None:
    own = first_certificate(certificate_file)
    if own.weakness:
        raise PemError(f"certificate {certificate_file} {own.weakness} (PS3.15 B.13)")
    if "ENCRYPTED" in read_text(key_file, "key"):
        raise PemError(f"key {key_file} is encrypted: nobody is there to type its pass phrase")
    try:
        # The callback keeps OpenSSL from asking for a pass phrase on the terminal of a daemon.
        context.load_cert_chain(certificate_file, key_file, password=lambda: b"")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise PemError(f"key {key_file} does not belong to certificate {certificate_file}") from error
        if error.reason in ("CA_KEY_TOO_SMALL", "CA_MD_TOO_WEAK"):  # the first one was looked at above
            raise PemError(f"a CA certificate in {certificate_file} is too weak (PS3.15 B.13)") from error
        raise PemError(f"key {key_file} holds no private key in PEM form") from error
    problem = own.validity.problem(now_stamp())
    if problem:
        raise TlsRefused(f"our own certificate {certificate_file} {problem}", hint="Renew the certificate of this box.")
