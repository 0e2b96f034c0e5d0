"""The configuration as values: one NamedTuple per section, built once, never changed.

Field names are the key names of ``agent.config.schema``; a test holds the two together. A reload builds a new
``Settings`` and swaps it.
"""

from __future__ import annotations

from agent.typed import NamedTuple


class AgentSettings(NamedTuple):
    """``[agent]``."""

    ae_title: str
    institution_name: str
    station_name: str
    manufacturer: str
    model_name: str
    serial_number: str


class SpoolSettings(NamedTuple):
    """``[spool]``; paths are absolute."""

    path: str
    require_mount: str
    min_free_mib: int
    keep_hours: int
    keep_free_percent: int
    warning_percent: int
    alarm_percent: int
    verify_days: int
    dicomdir: bool


class TlsFiles(NamedTuple):
    """``[tls]``; paths are absolute or empty."""

    ca_file: str
    certificate_file: str
    key_file: str
    crl_file: str


class ListenerSettings(NamedTuple):
    """``[listener]``."""

    enabled: bool
    host: str
    port: int
    tls: bool


class DestinationSettings(NamedTuple):
    """One ``[[destination]]``."""

    name: str
    called_ae: str
    host: str
    port: int
    tls: bool
    tls_server_name: str
    tls_ca_file: str
    user_identity: str
    user_name: str
    user_file: str
    user_response: bool
    user_in_clear: bool
    commitment: bool
    commitment_timeout_s: float
    commitment_asks: int
    connect_timeout_s: float
    response_timeout_s: float
    pdu_timeout_s: float
    association_timeout_s: float
    retry_base_s: float
    retry_cap_s: float
    transfer_syntax: str
    bandwidth: str | int
    send_windows: tuple[str, ...]
    urgent_ignores_windows: bool
    associations: int
    async_operations: int
    failover: str
    failover_after_s: float
    standby: bool
    cpu_share: float


class SourceSettings(NamedTuple):
    """One ``[[source]]``."""

    name: str
    uri: str
    sop_class: str
    transfer_syntax: str
    near: int
    grey_as_monochrome: bool
    verify: str
    priority: str
    clip_s: float
    clip_frames: int
    every_s: float
    captures: int
    pre_trigger_s: float
    pre_trigger_mib: int
    exposure_delay_ms: float
    exposure_window_ms: float
    anatomy: str
    laterality: str
    patient_orientation: str
    burned_in_annotation: str
    recognizable_features: str
    image_type: str
    lossy_history: str
    icon: bool
    display_rate_hz: int
    playback: str
    view: str
    view_modifier: str
    pixel_spacing_mm: float
    intensity_relationship: str
    intensity_sign: int
    detector_type: str
    radiation_setting: str
    window_center: float
    window_width: float
    conversion_type: str
    attributes_file: str
    offset_file: str
    gain_file: str
    pedestal: int
    defects_file: str
    curve: str
    burn_window: bool
    ybr_full: bool
    blackout: tuple[str, ...]
    blackout_value: int
    calibration: str
    crop: str
    frame_digest_file: str


class PatientSettings(NamedTuple):
    """``[patient]``."""

    name: str
    id: str
    birth_date: str
    sex: str


class ExamSettings(NamedTuple):
    """``[exam]``."""

    study_id: str
    accession_number: str
    description: str
    referring_physician: str
    priority: str


class PanelSettings(NamedTuple):
    """``[panel]``; the port is absolute or empty."""

    port: str
    foot: str
    foot_2: str
    button: str
    button_2: str
    exposure: str
    foot_does: str
    foot_2_does: str
    button_does: str
    button_2_does: str
    watchdog_s: int


class ConsoleSettings(NamedTuple):
    """``[console]``."""

    banner: str
    idle_s: float
    lock_after: int
    lock_cap_s: float


class Settings(NamedTuple):
    """A whole configuration that passed every check."""

    agent: AgentSettings
    spool: SpoolSettings
    tls: TlsFiles
    listener: ListenerSettings
    destination: tuple[DestinationSettings, ...]
    source: tuple[SourceSettings, ...]
    patient: PatientSettings
    exam: ExamSettings
    panel: PanelSettings
    console: ConsoleSettings


SECTION_TYPES = {
    "agent": AgentSettings,
    "spool": SpoolSettings,
    "tls": TlsFiles,
    "listener": ListenerSettings,
    "destination": DestinationSettings,
    "source": SourceSettings,
    "patient": PatientSettings,
    "exam": ExamSettings,
    "panel": PanelSettings,
    "console": ConsoleSettings,
}
