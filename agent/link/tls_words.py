"""Why a TLS handshake was refused, in a technician's words.

What OpenSSL says is for its authors. Two tables, verification codes and reason names, turn it into a ``TlsRefused``
that names the file, date or name to look at. In TLS 1.3 the server judges our certificate after our handshake is over:
its alert comes with the first read, so ``transport`` asks here then too. Loaded when something is refused, not before.
"""

from __future__ import annotations

import ssl
import time

from agent.errors import ConfigError, TlsRefused
from agent.link.certificate import readable
from agent.link.pem import revocation_lists
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.link.certificate import Certificate, RevocationList
    from agent.link.tls import TlsSettings

_CA = "is not signed by a CA of {ca}{issuer}"
# X509_V_ERR codes of <openssl/x509_vfy.h>: what is wrong with the certificate the peer showed.
_VERIFY = {
    2: _CA,
    18: "is self-signed and not itself in {ca}",
    19: "comes with a CA that is not in {ca}{issuer}",
    20: _CA,
    21: _CA,
    3: "cannot be checked: {crl} has no revocation list of {unlisted}; there are lists of {listed}",
    8: "cannot be checked: the signature of the revocation list in {crl} is wrong",
    11: "cannot be checked: a list in {crl} is not yet valid (is the clock of this box right? it says {now})",
    12: "cannot be checked: the revocation list in {crl} is out of date{crl_end} (the clock of this box says {now})",
    9: "is not yet valid{since} (is the clock of this box right? it says {now})",
    10: "has expired{until} (the clock of this box says {now})",
    23: "{revoked}, says {crl}{issuer}",
    24: "is signed by something that is no CA",
    26: "may not be used by a {role}: its extended key usage forbids it",
    62: "is not for the name {name}{names}",
    64: "is not for the address {name}{names}",
    66: "has a key that is too weak: RSA 2048 bits and ECC 256 bits are the least",
    67: "comes from a CA whose key is too weak: RSA 2048 bits and ECC 256 bits are the least",
    68: "is signed with a hash that is too weak: SHA-256 is the least",
}
_WEAK = (66, 68)
# OpenSSL reason names: alerts the peer sent (it judged us), and what we found at its end of the line.
_OLD = "{peer} speaks no TLS but versions older than 1.2, which are forbidden (PS3.15 B.12)"
_NO_TLS = "{peer} does not speak TLS on this port"
_HTTP = "{peer} does not speak TLS, it speaks HTTP"
_CLOSED = "{peer} closed the connection in the TLS handshake: no TLS port, or it refuses us"
_WEAK_KEY = "the certificate of {peer} " + _VERIFY[66]
_NONE = "{peer} demands a certificate of ours and none is configured"
_REFUSES = (
    "{peer} refuses the handshake: it has no suite, key or signature that PS3.15 B.13 permits, or does not say why"
)
_REASONS = {
    "WRONG_VERSION_NUMBER": _NO_TLS,
    "HTTP_REQUEST": _HTTP,
    "HTTPS_PROXY_REQUEST": _HTTP,
    "UNEXPECTED_EOF_WHILE_READING": _CLOSED,
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": _NONE,
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "{peer} shows no certificate and we demand one",
    "TLSV1_ALERT_UNKNOWN_CA": "{peer} does not know the CA of our certificate {own}",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "{peer} says that our certificate {own} has expired or is not valid yet",
    "SSLV3_ALERT_CERTIFICATE_REVOKED": "{peer} says that our certificate {own} is revoked",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "{peer} does not accept our certificate {own}",
    "SSLV3_ALERT_BAD_CERTIFICATE": "{peer} finds our certificate {own} bad: its name, its key or its signature",
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": "{peer} does not accept our certificate {own} for this use",
    "TLSV1_ALERT_ACCESS_DENIED": "{peer} denies access to our certificate {own}",
    "TLSV1_ALERT_DECRYPT_ERROR": "{peer} cannot verify our signature; certificate {own} and key may not match",
    "TLSV1_ALERT_UNRECOGNIZED_NAME": "{peer} has no certificate for the name {name}",
    "TLSV1_UNRECOGNIZED_NAME": "{peer} has no certificate for the name {name}",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": _REFUSES,
    "TLSV1_ALERT_PROTOCOL_VERSION": _OLD,
    "UNSUPPORTED_PROTOCOL": _OLD,
    "NO_SHARED_CIPHER": "{peer} offers no suite that PS3.15 B.13 permits",
    "NO_SUITABLE_SIGNATURE_ALGORITHM": "{peer} and we have no signature in common that PS3.15 B.13 permits",
    "TLSV1_ALERT_INSUFFICIENT_SECURITY": "{peer} finds our suites too weak",
    "DH_KEY_TOO_SMALL": "{peer} uses a key exchange that is too weak",
    "EE_KEY_TOO_SMALL": _WEAK_KEY,
    "WRONG_CURVE": _WEAK_KEY,
    "BAD_ECPOINT": _WEAK_KEY,
}
_NAMES = 8  # of a certificate, in a message
_NOT_OURS = "Whoever runs the peer must renew its certificate."
_CLOCK = "Set the clock of this box, or have whoever runs the peer look at its certificate."
_NAME = "Set tls_server_name (--server-name) to a name in the certificate, or have one issued for this "
_HINTS = {
    3: "Put the lists of all CAs of the chain into crl_file, one behind the other.",
    9: _CLOCK,
    10: _NOT_OURS,
    12: "Fetch the newest list of the CA into crl_file; it is read anew for each connection.",
    18: "Compare its fingerprint with whoever runs the peer; then give its file as ca_file of this destination.",
    20: "Give ca_file the CA that signed the peer's certificate.",
    23: "Do not use this peer; ask whoever runs its CA.",
    26: "It must be issued for serverAuth and clientAuth: archive and modality call each other.",
    62: _NAME + "host.",
    64: _NAME + "address.",
    66: _NOT_OURS,
    68: _NOT_OURS,
}
_REASON_HINTS = {
    _OLD: "Have the peer updated; TLS 1.0 and 1.1 are no longer safe (RFC 8996).",
    _NO_TLS: "Use the peer's TLS port (2762 is usual), or switch TLS off for this destination.",
    _HTTP: "Use the peer's DICOM port.",
    _NONE: "Give certificate_file and key_file in [tls]; 'modality-agent tls request' makes a key.",
}


def refused(
    error: OSError,
    peer: str,
    settings: TlsSettings,
    name: str = "",
    shown: Certificate | None = None,
    *,
    chosen: bool = False,
) -> TlsRefused:
    """Translate what ``ssl`` raised, or a connection that ended in the handshake.

    ``name``: what the peer was called by, '' when it called us; ``shown``: its certificate; ``chosen``: a suite was.
    """
    facts = {
        **_details(shown),
        "peer": peer,
        "ca": settings.ca_file,
        "own": settings.certificate_file or "(none)",
        "name": name,
        "role": "server" if name else "client",
        "crl": settings.crl_file or "(none)",
        "now": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }
    if isinstance(error, ssl.SSLCertVerificationError):
        facts.update(_of_lists(settings.crl_file, shown))
        text = _VERIFY.get(error.verify_code, "cannot be verified: " + error.verify_message)
        if error.verify_code in _WEAK and shown is not None and shown.weakness:
            text = shown.weakness
        hint = _HINTS.get(error.verify_code)
        return TlsRefused(f"the certificate of {peer} {text.format_map(facts)}", hint=hint)
    reason = getattr(error, "reason", None)
    text = _REASONS.get(reason or "", "")
    if not text and (isinstance(error, ssl.SSLEOFError) or not isinstance(error, ssl.SSLError)):
        text = _CLOSED
    if text == _REFUSES and chosen and name and settings.certificate_file is None:  # TLS 1.2 has no alert of its own
        text = _NONE
    if text == _WEAK_KEY and shown is not None and shown.weakness:
        text = "the certificate of {peer} " + shown.weakness
    if text:
        return TlsRefused(text.format_map(facts), hint=_REASON_HINTS.get(text))
    return TlsRefused(f"TLS with {peer} failed: {reason or error}")


def _details(shown: Certificate | None) -> dict[str, str]:
    """What a message says of the certificate itself; nothing, where nobody has seen it."""
    if shown is None:
        return dict.fromkeys(("issuer", "until", "since", "names"), "")
    return {
        "issuer": f"; its issuer is '{shown.issuer}'",
        "until": f" on {readable(shown.validity.not_after)}",
        "since": f" before {readable(shown.validity.not_before)}",
        "names": f"; it is for {_listed(shown.names)}" if shown.names else "; it has no name of a host",
    }


def _listed(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return ", ".join(names[:_NAMES]) + more


def _of_lists(path: str | None, shown: Certificate | None) -> dict[str, str]:
    """What a message says of revocation lists: OpenSSL tells neither which one is missing nor who is on one."""
    try:
        lists = revocation_lists(path) if path else []
    except ConfigError:
        lists = []
    issuers = dict.fromkeys(f"'{one.issuer}'" for one in lists)
    unlisted, revoked = "its CA, or of one above it", "has been revoked, or a CA above it"
    if shown is not None:
        known = f"'{shown.issuer}'" in issuers
        unlisted = f"a CA above '{shown.issuer}'" if known else f"its CA '{shown.issuer}'"
        if any(one.issuer == shown.issuer and _is_on(one, shown.serial) for one in lists):
            revoked = "has been revoked by its CA"
        elif any(one.issuer != shown.issuer and one.entries for one in lists):  # not where the file has just changed
            revoked = "comes from a CA that has been revoked"
    end = min((one.next_update for one in lists), default="")
    return {
        "listed": ", ".join(issuers) or "none",
        "unlisted": unlisted,
        "revoked": revoked,
        "crl_end": f" since {readable(end)}" if end else "",
    }


def _is_on(one: RevocationList, serial: bytes) -> bool:
    try:
        return serial in one.serials()
    except ValueError:  # OpenSSL reads it otherwise; the sentence does not depend on it
        return False
