"""TLS as PS3.15 B.13 wants it (BCP 195: RFC 8996, RFC 9325), and its refusals in words.

A context is built from the configured files only: the system's CA store is never loaded, so that a public CA cannot
vouch for an archive. TLS 1.2 and 1.3; for 1.2 only the ten suites B.13 makes mandatory for servers, which are ECDHE
with AEAD; security level 2 holds keys to 2048-bit RSA and SHA-256. Python's ``ssl`` cannot name TLS 1.3 suites, so
the two CCM suites of B.13 are absent and the *server* side does not claim B.13, only B.12; the client claims both.

What OpenSSL says on a refusal is for its authors. ``refused`` turns verification codes and alert names, two tables,
into a ``TlsRefused`` that names the file, date or name to look at. In TLS 1.3 the server judges our certificate after
our handshake is over: its alert comes with the first read, so ``transport`` asks here then too.
Raises ``ConfigError`` for files that are missing, unreadable or do not belong together; ``TlsRefused`` for the rest.
"""

from __future__ import annotations

import ssl
import time
from typing import NamedTuple

from agent.errors import ConfigError, TlsRefused
from agent.link.certificate import validity

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
    _fill(context, settings)
    return context


def _fill(context: ssl.SSLContext, settings: TlsSettings) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(":".join((SECURITY_LEVEL, *CIPHERS_TLS12)))
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    try:
        context.load_verify_locations(cafile=settings.ca_file)
    except ssl.SSLError as error:
        raise ConfigError(f"CA file {settings.ca_file} holds no certificate in PEM form") from error
    except OSError as error:
        raise ConfigError(f"CA file {settings.ca_file} cannot be read: {error.strerror}") from error
    if settings.certificate_file is not None:
        _load_pair(context, settings.certificate_file, settings.key_file or settings.certificate_file)


def _load_pair(context: ssl.SSLContext, certificate_file: str, key_file: str) -> None:
    der = _first_certificate(certificate_file)
    _readable(key_file, "key")
    try:
        # The callback keeps OpenSSL from asking for a pass phrase on the terminal of a daemon.
        context.load_cert_chain(certificate_file, key_file, password=lambda: b"")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise ConfigError(f"key {key_file} does not belong to certificate {certificate_file}") from error
        if error.reason in ("EE_KEY_TOO_SMALL", "CA_MD_TOO_WEAK"):
            raise ConfigError(
                f"certificate {certificate_file} is too weak: RSA 2048 bits and SHA-256 at least"
            ) from error
        raise ConfigError(f"key {key_file} is encrypted or not in PEM form ({error.reason})") from error
    try:
        problem = validity(der).problem(time.strftime("%Y%m%d%H%M%SZ", time.gmtime()))
    except ValueError as error:
        raise ConfigError(f"{certificate_file}: {error}") from error
    if problem:
        raise TlsRefused(f"our own certificate {certificate_file} {problem}", hint="Renew the certificate of this box.")


def _readable(path: str, what: str) -> str:
    try:
        with open(path, encoding="latin-1") as file:
            return file.read(1 << 20)
    except OSError as error:
        raise ConfigError(f"{what} file {path} cannot be read: {error.strerror}") from error


def _first_certificate(path: str) -> bytes:
    text = _readable(path, "certificate")
    start = text.find(ssl.PEM_HEADER)
    end = text.find(ssl.PEM_FOOTER, start)
    try:
        if start < 0 or end < 0:
            raise ValueError("no PEM block")
        return ssl.PEM_cert_to_DER_cert(text[start : end + len(ssl.PEM_FOOTER)])
    except ValueError as error:
        raise ConfigError(f"certificate file {path} holds no certificate in PEM form") from error


# --- refusals ------------------------------------------------------------------------------------

_CA = "is not signed by a CA of {ca}"
# X509_V_ERR codes of <openssl/x509_vfy.h>: what is wrong with the certificate the peer showed.
_VERIFY = {
    2: _CA,
    18: "is self-signed and not itself in {ca}",
    19: "comes with a CA that is not in {ca}",
    20: _CA,
    21: _CA,
    9: "is not yet valid (is the clock of this box right? it says {now})",
    10: "has expired (the clock of this box says {now})",
    23: "has been revoked",
    24: "is signed by something that is no CA",
    26: "is not meant for this use (extended key usage)",
    62: "is not for the name {name}",
    64: "is not for the address {name}",
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
    20: "Give ca_file the CA that signed the peer's certificate.",
}


def refused(error: OSError, peer: str, settings: TlsSettings, name: str = "") -> TlsRefused:
    """Translate what ``ssl`` raised, or a connection that ended in the handshake, into technician's words."""
    facts = {
        "peer": peer,
        "ca": settings.ca_file,
        "own": settings.certificate_file or "(none)",
        "name": name,
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
