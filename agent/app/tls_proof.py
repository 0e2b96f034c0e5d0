"""A handshake with ourselves, in memory: whether OpenSSL follows a chain from our certificate to the last CA in it.

Names of certificates are easily right while their signatures are not: a CA that was given a new key keeps its name.
"""

from __future__ import annotations

import os
import ssl

from agent.link.pem_input import of_certificates
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.link.certificate import Certificate

_TURNS: Final = 8  # a handshake of TLS 1.3 has three


def in_memory(certificates: list[Certificate]) -> int:
    """Return the descriptor of a file that has no name; ``/proc/self/fd`` gives it one."""
    file = os.memfd_create("certificates", os.MFD_CLOEXEC)
    os.write(file, of_certificates(certificates))
    return file


def unproven(chain: list[Certificate], key: str) -> str:
    """Say in the words of OpenSSL why the last of ``chain`` does not vouch for the first, or nothing."""
    file = in_memory(chain)
    try:
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(f"/proc/self/fd/{file}", key, password=lambda: b"")
    finally:
        os.close(file)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    client.load_verify_locations(cadata=of_certificates(chain[-1:]).decode("ascii"))
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        client.wrap_bio(to_client, to_server),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for turn in range(2 * _TURNS):
        try:
            sides[turn % 2].do_handshake()
        except ssl.SSLWantReadError:
            continue
        except ssl.SSLCertVerificationError as error:
            return error.verify_message
        except ssl.SSLError as error:
            return str(error.reason or error)
        if turn % 2:
            return ""
    return "the handshake did not end"
