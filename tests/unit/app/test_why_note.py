"""The sentence for the PACS team: who, whom, when, what came back, what to check; and nothing of a patient."""

from __future__ import annotations

import pytest

from agent.app.why_note import CHECKS, NO_COMMITMENT, Met, Ours, address_towards, note

OURS = Ours("BOX", "10.0.0.7", 11112)
PEER = "PACS@10.1.2.3:104"
AT = 1.8e9


@pytest.mark.parametrize(
    ("met", "texts"),
    [
        (Met("association rejected permanently by the service user: calling AE Title not recognized (1/1/3) "
             "[association.rejected.permanent]", None, AT),
         ["our modality BOX (10.0.0.7) asked PACS@10.1.2.3:104 for an association", "(1/1/3)", "On 2027-01-15T",
          "whether BOX from 10.0.0.7 is registered", "PACS is the AE Title"]),
        (Met("PACS@10.1.2.3:104: nothing listens on this port [link.connect]", None, AT),
         ["it failed: nothing listens on this port", "runs on 10.1.2.3 and listens on port 104", "lets 10.0.0.7"]),
        (Met("status A900H: data set does not match SOP Class (MUELLER^EVA not known) [dimse.status]", 0xA900, AT),
         ["sent an image with C-STORE", "status A900H", "what its log says of the image"]),
        (Met(NO_COMMITMENT, None, AT), ["asked PACS@10.1.2.3:104 for Storage Commitment", "port 11112"]),
        (Met("x [link.tls]"), ["which CA it accepts"]),
    ],
)  # fmt: skip
def test_it_says_what_must_be_known(met, texts):
    said = note(OURS, PEER, met)
    for text in texts:
        assert text in said
    assert "MUELLER" not in said
    assert "\n" not in said


@pytest.mark.parametrize("code", ["spool.full", "config", "dataset.decode", "native.encoder", ""])
def test_what_is_ours_is_not_told_to_others(code):
    assert note(OURS, PEER, Met(f"x [{code}]" if code else "x")) == ""


@pytest.mark.parametrize("code", [code for code in CHECKS if code != NO_COMMITMENT])
def test_every_code_has_a_paragraph(code):
    assert note(OURS, PEER, Met(f"something [{code}]", 0x0110, AT)).endswith(".")


def test_our_address_is_that_of_the_way():
    assert address_towards("PACS@127.0.0.1:104") == "127.0.0.1"
    assert address_towards("PACS@pacs.example.org:104") == ""
    assert address_towards("nonsense") == ""
