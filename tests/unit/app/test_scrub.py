"""What leaves the house says nothing about a patient and opens no door, wherever it stood."""

from __future__ import annotations

import pytest

from agent.app.scrub import Scrubber

KNOWN = ("MUELLER^EVA^^DR", "4711", "19700102", "A-2026-17", "O")


@pytest.fixture
def scrub():
    return Scrubber(KNOWN, ["/var/spool/box"])


@pytest.mark.parametrize(
    "text",
    [
        "captured for Mueller, Eva",
        "pid 4711x",
        "MUELLER^EVA",
        "status A900H: no match (PATIENT SCHMIDT not known) [dimse.status]",
        "'SCHMIDT^OTTO' is not what was expected",
        'file "SCHMIDT.dcm" cannot be read',
        "import of /media/stick/SCHMIDT^OTTO/1.dcm failed",
        "cannot read /data/SCHMIDT",
        "accession a-2026-17 is held",
        "born 19700102",
        "-----BEGIN PRIVATE KEY-----\nSCHMIDT\n-----END PRIVATE KEY-----",
        "-----BEGIN EC PRIVATE KEY-----\nSCHMIDT",
        "2.25.123456789 and 1.2.826.0.1.3680043.2.1143.4711.1 are stored",
    ],
)
def test_it_is_gone(scrub, text):
    left = scrub.text(text)
    for word in ("mueller", "eva", "schmidt", "4711", "19700102", "a-2026-17", "1.2.826.0.1.3680043"):
        assert word not in left.casefold(), left


@pytest.mark.parametrize(
    "text",
    [
        "to pacs: 10.1.2.3:104: nothing listens on this port [link.connect]",
        "spool: /var/spool/box/INST/000000/00000001 is damaged",
        "status 0110H: processing failure",
        "the SOP Class 1.2.840.10008.5.1.4.1.1.7 is not accepted",
        "agent: begins: version 0.1.0, pid 12, /etc/modality-agent/agent.toml",
        "One of 12 clips, 3 dropped",
    ],
)
def test_what_helps_stays(scrub, text):
    assert scrub.text(text) == text


def test_trees_are_scrubbed_to_their_leaves(scrub):
    found = scrub.tree({"a": ["Mueller", {"b": "Eva", "MUELLER": 3}], "n": 7, "none": None})
    assert found == {"a": ["[patient]", {"b": "[patient]", "[patient]": 3}], "n": 7, "none": None}


def test_without_anything_known_the_rest_goes_all_the_same():
    assert Scrubber().text("'X' in /a/b") == "'[text]' in [path]"
