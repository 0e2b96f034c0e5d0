"""Why a TLS handshake was refused, in a technician's words.

What OpenSSL says is for its authors. Two tables, verification codes and reason names, turn it into a ``TlsRefused``
that names the file, date or name to look at. In TLS 1.3 the server judges our certificate after our handshake is over:
its alert comes with the first read, so ``transport`` asks here then too. Loaded when something is refused, not before.
"""

from __future__ import annotations

import ssl
import time
from typing import TYPE_CHECKING

from agent.errors import ConfigError, TlsRefused
from agent.link.certificate import readable
from agent.link.tls import crl_end

if TYPE_CHECKING:
    from agent.link.certificate import Certificate
    from agent.link.tls import TlsSettings

_CA = "is not signed by a CA of {ca}{issuer}"
# X509_V_ERR codes of <openssl/x509_vfy.h>: what is wrong with the certificate the peer showed.
_VERIFY = {
    2: _CA,
    18: "is self-signed and not itself in {ca}",
    19: "comes with a CA that is not in {ca}{issuer}",
    20: _CA,
    21: _CA,
    3: "cannot be checked: {crl} has no revocation list of its CA{issuer}",
    8: "cannot be checked: the signature of the revocation list in {crl} is wrong",
    11: "cannot be checked: the list in {crl} is not yet valid (is the clock of this box right? it says {now})",
    12: "cannot be checked: the revocation list in {crl} is out of date{crl_end} (the clock of this box says {now})",
    9: "is not yet valid{since} (is the clock of this box right? it says {now})",
    10: "has expired{until} (the clock of this box says {now})",
    23: "has been revoked by its CA, says {crl}{issuer}",
    24: "is signed by something that is no CA",
    26: "is not meant for this use (extended key usage)",
    62: "is not for the name {name}{names}",
    64: "is not for the address {name}{names}",
    66: "has a key that is too weak: RSA 2048 bits at least",
    67: "comes from a CA whose key is too weak: RSA 2048 bits at least",
    68: "is signed with a hash that is too weak: SHA-256 at least",
}
# OpenSSL reason names: alerts the peer sent (it judged us), and what we found at its end of the line.
_REASONS = {
    "WRONG_VERSION_NUMBER": "{peer} does not speak TLS on this port",
    "HTTP_REQUEST": "{peer} does not speak TLS, it speaks HTTP",
    "HTTPS_PROXY_REQUEST": "{peer} does not speak TLS, it speaks HTTP",
    "UNEXPECTED_EOF_WHILE_READING": "{peer} closed the connection in the TLS handshake: no TLS port, or it refuses us",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "{peer} demands a certificate of ours and none is configured",
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "{peer} shows no certificate and we demand one",
    "TLSV1_ALERT_UNKNOWN_CA": "{peer} does not know the CA of our certificate {own}",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "{peer} says that our certificate {own} has expired or is not valid yet",
    "SSLV3_ALERT_CERTIFICATE_REVOKED": "{peer} says that our certificate {own} is revoked",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "{peer} does not accept our certificate {own}",
    "SSLV3_ALERT_BAD_CERTIFICATE": "{peer} does not accept our certificate {own}",
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": "{peer} does not accept the kind of our certificate {own}",
    "TLSV1_ALERT_ACCESS_DENIED": "{peer} denies access to our certificate {own}",
    "TLSV1_ALERT_DECRYPT_ERROR": "{peer} cannot verify our signature; certificate {own} and key may not match",
    "TLSV1_ALERT_UNRECOGNIZED_NAME": "{peer} has no certificate for the name {name}",
    "TLSV1_UNRECOGNIZED_NAME": "{peer} has no certificate for the name {name}",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "{peer} refuses the handshake: no common suite, or it demands our certificate",
    "TLSV1_ALERT_PROTOCOL_VERSION": "{peer} wants another TLS version; this side speaks 1.2 and 1.3",
    "UNSUPPORTED_PROTOCOL": "{peer} offers only a TLS version that is forbidden (older than 1.2)",
    "NO_SHARED_CIPHER": "{peer} offers no suite that PS3.15 B.13 permits",
    "TLSV1_ALERT_INSUFFICIENT_SECURITY": "{peer} finds our suites too weak",
    "DH_KEY_TOO_SMALL": "{peer} uses a key exchange that is too weak",
    "EE_KEY_TOO_SMALL": "the certificate of {peer} has a key that is too weak",
}
_HINTS = {
    62: "Set server_name to the name in the certificate, or have it issued for this host.",
    64: "Set server_name to the name in the certificate, or have it issued for this address.",
    12: "Fetch the newest list of the CA into crl_file; it is read anew for each connection, by a listener on reload.",
    23: "Do not use this peer; ask whoever runs its CA.",
    20: "Give ca_file the CA that signed the peer's certificate.",
}


def refused(
    error: OSError, peer: str, settings: TlsSettings, name: str = "", shown: Certificate | None = None
) -> TlsRefused:
    """Translate what ``ssl`` raised, or a connection that ended in the handshake; ``shown``: the peer's certificate."""
    facts = {
        **_details(shown),
        "peer": peer,
        "ca": settings.ca_file,
        "own": settings.certificate_file or "(none)",
        "name": name,
        "crl": settings.crl_file or "(none)",
        "crl_end": _crl_end(settings.crl_file),
        "now": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }
    if isinstance(error, ssl.SSLCertVerificationError):
        text = _VERIFY.get(error.verify_code, "cannot be verified: " + error.verify_message)
        hint = _HINTS.get(error.verify_code)
        return TlsRefused(f"the certificate of {peer} {text.format_map(facts)}", hint=hint)
    reason = getattr(error, "reason", None)
    if reason in _REASONS:
        return TlsRefused(_REASONS[reason].format_map(facts))
    if isinstance(error, ssl.SSLEOFError) or not isinstance(error, ssl.SSLError):
        return TlsRefused(_REASONS["UNEXPECTED_EOF_WHILE_READING"].format_map(facts))
    return TlsRefused(f"TLS with {peer} failed: {reason or error}")


def _details(shown: Certificate | None) -> dict[str, str]:
    """What a message says of the certificate itself; nothing, where nobody has seen it."""
    if shown is None:
        return dict.fromkeys(("issuer", "until", "since", "names"), "")
    return {
        "issuer": f"; its issuer is '{shown.issuer}'",
        "until": f" on {readable(shown.validity.not_after)}",
        "since": f" before {readable(shown.validity.not_before)}",
        "names": f"; it is for {', '.join(shown.names)}" if shown.names else "; it has no name of a host",
    }


def _crl_end(path: str | None) -> str:
    try:
        return f" since {readable(crl_end(path))}" if path else ""
    except ConfigError:
        return ""
