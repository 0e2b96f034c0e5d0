"""A small document of every kind: Encapsulated PDF, Encapsulated CDA, and a dose report with two planes of events."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from fakes.instances import CONTEXT

from agent.dataset import uid
from agent.dataset.dataset import DataSet
from agent.iod import document, dose_events, dose_report
from agent.iod.acquisition import Acquisition

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
CDA = (
    b'<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3"><id root="2.25.77" extension="7"/>'
    b'<code code="18748-4" codeSystem="2.16.840.1.113883.6.1" displayName="Diagnostic imaging report"/>'
    b"<title>Report</title></ClinicalDocument>"
)
EVENTS: dict[str, Any] = {
    "device": {"manufacturer": "Bench Works", "model": "C-arm", "serial_number": "7", "software_versions": "1"},
    "events": [
        {
            "uid": "2.25.501",
            "started": "20260301101500",
            "type": "Fluoroscopy",
            "target_region": "CHEST",
            "dose_area_product_gym2": Decimal("0.00012"),
            "irradiation_duration_s": Decimal("4.2"),
            "fluoro_mode": "Pulsed",
            "pulse_rate_hz": 15,
            "number_of_pulses": 63,
            "kvp": 70,
        },
        {
            "uid": "2.25.502",
            "started": "20260301101530",
            "type": "Stationary Acquisition",
            "target_region": "CHEST",
            "dose_area_product_gym2": Decimal("0.0003"),
            "kvp": 80,
            "tube_current_ma": 300,
            "exposure_time_ms": 8,
        },
    ],
}


def acquisition(number: int) -> Acquisition:
    """Identity and time of a document."""
    return Acquisition(
        sop_instance_uid=f"2.25.{2000 + number}",
        study_instance_uid="2.25.1",
        series_instance_uid=f"2.25.{200 + number}",
        transfer_syntax_uid=uid.EXPLICIT_VR_LE,
        date="20260301",
        time="101512.25",
        timezone_offset="+0100",
    )


def pdf() -> DataSet:
    return document.build("pdf", document.Document(PDF, "Report"), context=CONTEXT, acquisition=acquisition(1))


def cda() -> DataSet:
    return document.build("cda", document.Document(CDA), context=CONTEXT, acquisition=acquisition(2))


def rdsr() -> DataSet:
    report = dose_events.read(EVENTS, lambda: "2.25.599")
    return dose_report.build(report, context=CONTEXT, acquisition=acquisition(3))


DOCUMENTS = {"pdf": pdf, "cda": cda, "rdsr": rdsr}
