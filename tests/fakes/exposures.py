"""Exposure events of one study, as a generator would write them down."""

from __future__ import annotations

from typing import Any

from fakes.instances import CONTEXT

CONTEXT_OF_DOSE = CONTEXT.copy()
del CONTEXT_OF_DOSE["Manufacturer"]  # the report names the device that irradiated


def exposures() -> dict[str, Any]:
    """A chest exposure and some fluoroscopy; new objects each time."""
    return {
        "device": {
            "manufacturer": "Bench Works",
            "model": "C-Arm 1",
            "serial_number": "77",
            "software_versions": "1.0",
            "name": "ROOM1",
        },
        "intent": "Diagnostic Intent",
        "events": [
            {
                "started": "20260301101500",
                "type": "Stationary Acquisition",
                "target_region": "CHEST",
                "acquisition_protocol": "Chest PA",
                "dose_area_product_dgycm2": 1.25,
                "kvp": 110,
                "tube_current_ma": 320,
                "exposure_time_ms": 6.2,
                "exposure_mas": 1.984,
                "number_of_pulses": 1,
                "irradiation_duration_s": 0.0062,
                "distance_source_to_detector_mm": 1800,
                "exposure_index": 251.3,
                "target_exposure_index": 250,
                "deviation_index": -0.02,
                "filter_type": "Flat filter",
                "filter_material": "Aluminum",
                "filter_minimum_mm": 1,
                "filter_maximum_mm": 1,
            },
            {
                "started": "20260301101700",
                "type": "Fluoroscopy",
                "target_region": "HEART",
                "laterality": "L",
                "fluoro_mode": "Pulsed",
                "pulse_rate_hz": 15,
                "dose_area_product_ugym2": 12.3456789,
                "dose_rp_mgy": 0.731,
                "reference_point": "15cm from Isocenter toward Source",
                "kvp": 72.5,
                "tube_current_ma": 3.1,
                "exposure_time_ms": 1234.5,
                "irradiation_duration_s": 12.7,
                "primary_angle_degrees": -30,
            },
        ],
    }
