"""Status codes: class, meaning, and what may be done about them (PS3.7 Annex C; PS3.4 B.2.3, C.4.1, J.3).

A table per service; the first row that matches wins, the general codes of PS3.7 come last. A row is a value, a mask
(some codes are ranges), the meaning, and the ``Retry`` class of a failure. ``attempts`` bounds a retry that may cure
nothing: after so many the instance is held for the operator (0 = no bound).

"Stored" means success or warning and nothing else (promise P3). 0111H, duplicate SOP Instance, is a failure here too:
the archive has *an* instance of that UID, and only commitment can say that it is ours.
"""

from __future__ import annotations

from enum import Enum

from agent.errors import Retry, StatusError
from agent.typed import NamedTuple

SUCCESS = 0x0000
PROCESSING_FAILURE = 0x0110
DUPLICATE_SOP_INSTANCE = 0x0111
NO_SUCH_INSTANCE = 0x0112
NO_SUCH_EVENT_TYPE = 0x0113
INVALID_ARGUMENT = 0x0115
INVALID_INSTANCE = 0x0117
NO_SUCH_CLASS = 0x0118
CLASS_INSTANCE_CONFLICT = 0x0119
CLASS_NOT_SUPPORTED = 0x0122
NO_SUCH_ACTION = 0x0123
NOT_AUTHORIZED = 0x0124
UNRECOGNIZED_OPERATION = 0x0211
RESOURCE_LIMITATION = 0x0213
OUT_OF_RESOURCES = 0xA700
DATA_SET_MISMATCH = 0xA900
CANNOT_UNDERSTAND = 0xC000
CANCELLED = 0xFE00

# A fault that some archives report for a passing trouble gets this many tries before a person looks at it.
DOUBTFUL_ATTEMPTS = 3
FAILURE_ATTEMPTS = 10


class StatusClass(Enum):
    """The five classes of PS3.7 Annex C."""

    SUCCESS = "success"
    WARNING = "warning"
    FAILURE = "failure"
    CANCEL = "cancel"
    PENDING = "pending"


class Service(Enum):
    """Which table explains a status."""

    VERIFICATION = "verification"
    STORAGE = "storage"
    COMMITMENT = "commitment"
    QUERY = "query"  # C-FIND, of a worklist too
    PROCEDURE_STEP = "procedure step"  # N-CREATE, N-SET and N-GET


class Status(NamedTuple):
    """A code explained; ``retry`` is None unless it is a failure."""

    code: int
    status_class: StatusClass
    meaning: str
    retry: Retry | None
    attempts: int = 0

    @property
    def stored(self) -> bool:
        """True for success and warning: the operation was done."""
        return self.status_class in (StatusClass.SUCCESS, StatusClass.WARNING)


class _Row(NamedTuple):
    value: int
    mask: int
    meaning: str
    retry: Retry | None = Retry.OPERATOR
    attempts: int = 0


_GENERAL = (
    _Row(0x0000, 0xFFFF, "success", None),
    _Row(0x0001, 0xFFFF, "requested optional attributes are not supported", None),
    _Row(0x0105, 0xFFFF, "no such attribute"),
    _Row(0x0106, 0xFFFF, "invalid attribute value"),
    _Row(0x0107, 0xFFFF, "attribute list error", None),
    _Row(0x0110, 0xFFFF, "processing failure", Retry.LATER, FAILURE_ATTEMPTS),
    _Row(0x0111, 0xFFFF, "duplicate SOP Instance"),
    _Row(0x0112, 0xFFFF, "no such SOP Instance"),
    _Row(0x0113, 0xFFFF, "no such event type"),
    _Row(0x0114, 0xFFFF, "no such argument"),
    _Row(0x0115, 0xFFFF, "invalid argument value"),
    _Row(0x0116, 0xFFFF, "attribute value out of range", None),
    _Row(0x0117, 0xFFFF, "invalid SOP Instance"),
    _Row(0x0118, 0xFFFF, "no such SOP Class"),
    _Row(0x0119, 0xFFFF, "SOP Class and instance do not match"),
    _Row(0x0120, 0xFFFF, "missing attribute"),
    _Row(0x0121, 0xFFFF, "missing attribute value"),
    _Row(0x0122, 0xFFFF, "SOP Class not supported"),
    _Row(0x0123, 0xFFFF, "no such action"),
    _Row(0x0124, 0xFFFF, "not authorized"),
    _Row(0x0210, 0xFFFF, "message identifier already in use", Retry.NOW, 1),
    _Row(0x0211, 0xFFFF, "unrecognized operation", Retry.NOW, 1),
    _Row(0x0212, 0xFFFF, "mistyped argument", Retry.NOW, 1),
    _Row(0x0213, 0xFFFF, "resource limitation", Retry.LATER),
    _Row(0xFE00, 0xFFFF, "cancelled", Retry.LATER),
    _Row(0xFF00, 0xFFFE, "pending", None),
    _Row(0xB000, 0xF000, "warning", None),
)

_STORAGE = (
    _Row(0xA700, 0xFF00, "archive out of resources", Retry.LATER),
    _Row(0xA900, 0xFF00, "Data Set does not match its SOP Class"),
    _Row(0xC000, 0xF000, "archive cannot understand the Data Set", Retry.LATER, DOUBTFUL_ATTEMPTS),
    _Row(0xB000, 0xFFFF, "stored, archive changed data elements", None),
    _Row(0xB006, 0xFFFF, "stored, archive discarded data elements", None),
    _Row(0xB007, 0xFFFF, "stored, although the Data Set does not match its SOP Class", None),
)

# A dead Transaction UID is never asked again; LATER means a new transaction.
_COMMITMENT = (
    _Row(0x0112, 0xFFFF, "no such SOP Instance: the peer does no commitment under the well-known instance"),
    _Row(0x0117, 0xFFFF, "invalid SOP Instance", Retry.LATER, DOUBTFUL_ATTEMPTS),
    _Row(0x0118, 0xFFFF, "no such SOP Class: the peer does no storage commitment"),
    _Row(0x0211, 0xFFFF, "unrecognized operation: the peer does no storage commitment"),
)

_QUERY = (
    _Row(0xA700, 0xFF00, "peer out of resources", Retry.LATER),
    _Row(0xA900, 0xFF00, "identifier does not match its SOP Class"),
    _Row(0xC000, 0xF000, "peer cannot process the query", Retry.LATER, DOUBTFUL_ATTEMPTS),
    _Row(0xFF00, 0xFFFF, "pending", None),
    _Row(0xFF01, 0xFFFF, "pending, optional keys are not supported", None),
)

TABLES: dict[Service, tuple[_Row, ...]] = {
    Service.VERIFICATION: _GENERAL,
    Service.STORAGE: _STORAGE + _GENERAL,
    Service.COMMITMENT: _COMMITMENT + _GENERAL,
    Service.QUERY: _QUERY + _GENERAL,
    Service.PROCEDURE_STEP: _GENERAL,
}


def status_class(code: int) -> StatusClass:
    """Return the class of any 16-bit code; what PS3.7 does not list is a failure."""
    if code == SUCCESS:
        return StatusClass.SUCCESS
    if code in (0x0001, 0x0107, 0x0116) or code >> 12 == 0xB:
        return StatusClass.WARNING
    if code == CANCELLED:
        return StatusClass.CANCEL
    if code in (0xFF00, 0xFF01):
        return StatusClass.PENDING
    return StatusClass.FAILURE


def explain(service: Service, code: int) -> Status:
    """Return what ``code`` means as a response of ``service``."""
    if code == SUCCESS:
        return _SUCCESS
    kind = status_class(code)
    for row in TABLES[service]:
        if code & row.mask == row.value:
            return Status(code, kind, row.meaning, row.retry, row.attempts)
    return Status(code, kind, "status unknown to the Standard", Retry.OPERATOR)


_SUCCESS = Status(SUCCESS, StatusClass.SUCCESS, "success", None)


def status_error(service: Service, code: int, comment: str = "") -> StatusError:
    """Return the error for a failure: code and meaning in words, the peer's comment behind them."""
    status = explain(service, code)
    text = f"status {code:04X}H: {status.meaning}" + (f" ({comment})" if comment else "")
    return StatusError(text, status=code, comment=comment, retry=status.retry or Retry.OPERATOR)
