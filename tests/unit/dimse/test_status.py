"""Statuses: every code has a class, a meaning and a retry class that fit together."""

from __future__ import annotations

import pytest

from agent.dimse.status import Service, StatusClass, explain, status_class, status_error
from agent.errors import Retry

STORAGE = [  # PS3.4 B.2.3 and PS3.7 Annex C, written down apart from the table
    (0x0000, StatusClass.SUCCESS, None),
    (0xB000, StatusClass.WARNING, None),
    (0xB006, StatusClass.WARNING, None),
    (0xB007, StatusClass.WARNING, None),
    (0xBFFF, StatusClass.WARNING, None),
    (0x0107, StatusClass.WARNING, None),
    (0x0116, StatusClass.WARNING, None),
    (0xA700, StatusClass.FAILURE, Retry.LATER),
    (0xA7FF, StatusClass.FAILURE, Retry.LATER),
    (0xA900, StatusClass.FAILURE, Retry.OPERATOR),
    (0xA9AB, StatusClass.FAILURE, Retry.OPERATOR),
    (0xC000, StatusClass.FAILURE, Retry.LATER),
    (0xCFFF, StatusClass.FAILURE, Retry.LATER),
    (0x0110, StatusClass.FAILURE, Retry.LATER),
    (0x0111, StatusClass.FAILURE, Retry.OPERATOR),
    (0x0117, StatusClass.FAILURE, Retry.OPERATOR),
    (0x0122, StatusClass.FAILURE, Retry.OPERATOR),
    (0x0124, StatusClass.FAILURE, Retry.OPERATOR),
    (0x0210, StatusClass.FAILURE, Retry.NOW),
    (0x0213, StatusClass.FAILURE, Retry.LATER),
    (0xFE00, StatusClass.CANCEL, Retry.LATER),
    (0xFF00, StatusClass.PENDING, None),
    (0xFF01, StatusClass.PENDING, None),
    (0x1234, StatusClass.FAILURE, Retry.OPERATOR),
    (0xA800, StatusClass.FAILURE, Retry.OPERATOR),
    (0xFFFF, StatusClass.FAILURE, Retry.OPERATOR),
]


@pytest.mark.parametrize(
    ("code", "kind", "retry"), STORAGE, ids=lambda value: f"{value:04X}" if isinstance(value, int) else ""
)
def test_storage(code: int, kind: StatusClass, retry: Retry | None) -> None:
    status = explain(Service.STORAGE, code)
    assert (status.code, status.status_class, status.retry) == (code, kind, retry)
    assert status.stored == (kind in (StatusClass.SUCCESS, StatusClass.WARNING))


def test_every_code_of_every_service_is_consistent() -> None:
    for service in Service:
        for code in range(0x10000):
            status = explain(service, code)
            done = status.status_class in (StatusClass.SUCCESS, StatusClass.WARNING, StatusClass.PENDING)
            assert (status.retry is None) == done, (service, hex(code))
            assert status.meaning


def test_pynetdicom_puts_the_general_codes_in_the_same_classes() -> None:
    theirs = pytest.importorskip("pynetdicom.status")
    for table in (theirs.GENERAL_STATUS, theirs.STORAGE_SERVICE_CLASS_STATUS):
        for code, (kind, _) in table.items():
            assert status_class(code).value == kind.lower(), hex(code)


def test_a_failure_becomes_an_error_in_words() -> None:
    error = status_error(Service.STORAGE, 0xA700, "disk full")
    assert str(error) == "status A700H: archive out of resources (disk full)"
    assert (error.status, error.comment, error.retry) == (0xA700, "disk full", Retry.LATER)
    assert status_error(Service.COMMITMENT, 0x0211).retry is Retry.OPERATOR
    assert status_error(Service.STORAGE, 0x0211).retry is Retry.NOW
