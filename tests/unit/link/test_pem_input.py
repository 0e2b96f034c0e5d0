"""What somebody brings as a certificate: sorted, bounded, and no key kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import PemError
from agent.link.certificate_facts import facts
from agent.link.pem_input import MOST_BLOCKS, MOST_BYTES, of_certificates, of_lists, sort

VECTORS = Path(__file__).parents[2] / "vectors"
ONE = (VECTORS / "certificate.pem").read_bytes()
ONE = ONE[ONE.index(b"-----BEGIN") :]
ALL = (VECTORS / "certificates.pem").read_bytes()


def test_what_is_kept_is_what_was_understood() -> None:
    given = sort(b"Hello\n" + ONE.replace(b"\n", b"\r\n") + b"Bye \xff\n", "x")
    assert len(given.certificates) == 1
    assert of_certificates(list(given.certificates)) == ONE


def test_kinds_of_keys_in_words() -> None:
    """As tests/vectors/README.md says they were made."""
    given = sort(ALL, "x")
    assert {facts(one).key for one in given.certificates} >= {"EC, P-256", "RSA, 2048 bits", "EC, P-224"}
    assert sort(of_lists([der for _, der in given.lists]), "x").lists == given.lists


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "holds nothing in PEM form"),
        (b"x" * (MOST_BYTES + 1), "more than 64 KiB"),
        (ONE * (MOST_BLOCKS + 2), "more than"),
        (b"-----BEGIN X-----\n-----END X-----\n" * (MOST_BLOCKS + 2), "more than 64 blocks"),
        (b"-----BEGIN RSA PRIVATE KEY-----\nrubbish", "private key"),
        (ONE + b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n", "private key"),
        (b"\x30\x03\x02\x01\x00", "private key"),
        (b"\x30\x82", "neither PEM nor"),
        (ONE[:-20], "it has no end"),
        (ONE + ONE[:90] + b"\n" + ONE, "a new block begins"),
        (ONE.replace(b"END CERT", b"END X509 CERT"), "its end is not that of its beginning"),
        (b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", "damaged: not a certificate"),
        (b"-----BEGIN NONSENSE-----\nMAA=\n-----END NONSENSE-----\n", "'NONSENSE', which is no certificate"),
    ],
)
def test_refusals(data: bytes, said: str) -> None:
    with pytest.raises(PemError) as caught:
        sort(data, "x")
    assert said in caught.value.message
