"""The one table of the configuration: every key, once.

Validation, defaults, ``configs/agent.toml``, ``config show``, the JSON Schema, ``set``, ``?`` and completion are all
read from ``SECTIONS``. To add a key: one line here (in ``schema_source`` for those of a source), and the field of the
same name in ``agent.config.settings`` (a test compares the two).
"""

from __future__ import annotations

from agent.config.key import REQUIRED, Key, Section
from agent.config.schema_source import PRIORITIES, SOURCE
from agent.config.user import WORDS as USER_WORDS
from agent.typed import Final

MASK: Final = "********"  # stands where the value of a secret key would

# LO is at most 64 characters and SH at most 16 (PS3.5 6.2).
_LO: Final = 64
_SH: Final = 16
_DAY_S: Final = 86_400

_AGENT: Final = (
    Key("ae_title", "ae", "MODALITY", "Our AE Title: what peers see as the calling AE Title."),
    Key("institution_name", "text", "", "Institution Name (0008,0080) of every instance.", high=_LO),
    Key("station_name", "text", "", "Station Name (0008,1010).", high=_SH),
    Key("manufacturer", "text", "modality-agent", "Manufacturer (0008,0070) of the unit.", high=_LO),
    Key("model_name", "text", "modality-agent", "Manufacturer's Model Name (0008,1090) of the unit.", high=_LO),
    Key("serial_number", "text", "0", "Device Serial Number (0018,1000) of the unit.", high=_LO),
)

_SPOOL: Final = (
    Key(
        "path",
        "path",
        "/var/lib/modality-agent/spool",
        "Folder of the durable queue; ext4 is the supported file system.",
    ),
    Key("require_mount", "path", "", "Mount point that must be mounted before the spool is used; empty: none."),
    Key("min_free_mib", "integer", 256, "New captures are refused below this free space.", "MiB", 1, 1_048_576),
    Key(
        "keep_hours",
        "integer",
        24,
        "Committed instances stay at least this long before they are evicted.",
        "h",
        0,
        87_600,
    ),
    Key(
        "keep_free_percent",
        "integer",
        10,
        "Below this free share of the medium committed instances go at once, oldest first.",
        "%",
        0,
        90,
    ),
    Key("warning_percent", "integer", 80, "A warning from this share of the medium in use on.", "%", 1, 100),
    Key("alarm_percent", "integer", 90, "An alarm from this share of the medium in use on.", "%", 1, 100),
    Key(
        "verify_days",
        "integer",
        30,
        "Every file kept is read again and compared within so many days; 0: never.",
        "d",
        0,
        3650,
    ),
    Key(
        "dicomdir",
        "switch",
        True,
        "Keep a DICOMDIR in the spool, so that its medium can be read in any workstation.",
    ),
)

_TLS: Final = (
    Key("ca_file", "path", "", "PEM file of the CAs that may vouch for peers; only these are trusted."),
    Key("certificate_file", "path", "", "PEM file of our certificate (chain)."),
    Key("key_file", "path", "", "PEM file of our private key; readable by the agent only."),
    Key(
        "crl_file", "path", "", "PEM file of revocation lists (CRL); who is on one, or of a CA without one, is refused."
    ),
)

_LISTENER: Final = (
    Key("enabled", "switch", False, "Accept associations: Verification and Storage Commitment reports."),
    Key("host", "host", "0.0.0.0", "Address to listen on."),  # noqa: S104  a box listens on every interface unless told otherwise
    Key("port", "integer", 11112, "TCP port to listen on; 0 takes a free one.", "", 0, 65_535),
    Key("tls", "switch", False, "Only TLS connections with a certificate of [tls] ca_file are accepted."),
)

_DESTINATION: Final = (
    Key("name", "name", REQUIRED, "Name of this destination in commands and reports.", example="pacs"),
    Key("called_ae", "ae", REQUIRED, "Called AE Title, exactly as the peer has it.", example="PACS"),
    Key("host", "host", REQUIRED, "Host name or address of the peer.", example="pacs.example.org"),
    Key("port", "integer", 104, "TCP port of the peer.", "", 1, 65_535),
    Key("tls", "switch", False, "Mutual TLS by PS3.15 B.12 or B.13, with the files of [tls]."),
    Key("tls_server_name", "text", "", "Name the peer's certificate must carry; empty: the host.", high=253),
    Key("tls_ca_file", "path", "", "PEM file of the CAs that may vouch for this peer alone; empty: [tls] ca_file."),
    Key(
        "user_identity",
        "choice",
        "",
        "Who we are to this peer, by what proves it (PS3.7 D.3.3.7); empty: nothing is said.",
        choices=("", *USER_WORDS),
    ),
    Key("user_name", "user", "", "Name of the user, for username and passcode.", high=_LO),
    Key("user_file", "path", "", "File of passcode, ticket, assertion or JWT; read anew for each association."),
    Key("user_response", "switch", False, "Ask the peer to confirm the user; one that does not gets nothing."),
    Key("user_in_clear", "switch", False, "Send passcode, ticket, assertion or JWT even without TLS."),
    Key("commitment", "switch", True, "Ask for Storage Commitment; without it 'stored' ends our care."),
    Key(
        "commitment_timeout_s",
        "number",
        3600.0,
        "A report later than this is asked for again, commitment_asks times in all.",
        "s",
        1,
        30 * _DAY_S,
    ),
    Key(
        "commitment_asks",
        "integer",
        10,
        "After so many questions without a report C-FIND tells whether it is listed; it is unconfirmed.",
        "",
        1,
        1000,
    ),
    Key("connect_timeout_s", "number", 10.0, "Bound of the TCP connection and the TLS handshake.", "s", 0.1, 600),
    Key("response_timeout_s", "number", 60.0, "Bound of each response of the peer.", "s", 0.1, 3600),
    Key(
        "pdu_timeout_s",
        "number",
        30.0,
        "Bound of one PDU of the peer, from its first byte to its last.",
        "s",
        0.1,
        3600,
    ),
    Key(
        "association_timeout_s",
        "number",
        3600.0,
        "Bound of one association, however busy; the largest instance must fit into half of it.",
        "s",
        1,
        7 * _DAY_S,
    ),
    Key("retry_base_s", "number", 15.0, "First wait after a failure; doubles each time, with jitter.", "s", 0.01, 3600),
    Key(
        "retry_cap_s",
        "number",
        900.0,
        "Longest wait; TLS, AE Titles and what else a person must mend wait half of it or more at once.",
        "s",
        0.01,
        _DAY_S,
    ),
    Key(
        "transfer_syntax",
        "sent-syntax",
        "as-stored",
        "What is sent: as-stored (a lossless copy where the peer refuses it), auto (the quickest) or a word to prefer.",
    ),
    Key(
        "bandwidth",
        "bandwidth",
        "",
        "Most that is sent to it, by all associations: 8 Mbit/s, or a number of bit/s from 16000; empty: no limit.",
    ),
    Key(
        "send_windows",
        "windows",
        (),
        'Images are sent only in these hours of local time, as ["22:00-06:00", "Sat,Sun 00:00-24:00"]; empty: always.',
    ),
    Key("urgent_ignores_windows", "switch", False, "What is urgent is sent at any hour."),
    Key("associations", "integer", 1, "Associations at a time, while there is more to send than for one.", "", 1, 8),
    Key(
        "async_operations",
        "integer",
        1,
        "Images under way at once on one association, where the peer grants such a window; 1: it is not asked.",
        "",
        1,
        16,
    ),
    Key(
        "failover",
        "text",
        "",
        "Name of a standby destination that gets the images while this one is down.",
        high=32,
        completes="destination",
    ),
    Key("failover_after_s", "number", 600.0, "It fails still so long after five failures in a row.", "s", 0, _DAY_S),
    Key("standby", "switch", False, "It gets nothing but what destinations hand over that name it as their failover."),
    Key("cpu_share", "number", 1.0, "Share of one core that copies for this peer may take.", "", 0.05, 1),
)

_PATIENT: Final = (
    Key("name", "person", "", "Patient's Name (0010,0010); empty: not known.", high=_LO),
    Key("id", "text", "", "Patient ID (0010,0020); empty: not known.", high=_LO),
    Key("birth_date", "date", "", "Patient's Birth Date (0010,0030), YYYYMMDD or empty."),
    Key("sex", "choice", "", "Patient's Sex (0010,0040).", choices=("", "M", "F", "O")),
)

_EXAM: Final = (
    Key("study_id", "text", "1", "Study ID (0020,0010).", high=_SH),
    Key("accession_number", "text", "", "Accession Number (0008,0050).", high=_SH),
    Key("description", "text", "", "Study Description (0008,1030).", high=_LO),
    Key("referring_physician", "person", "", "Referring Physician's Name (0008,0090).", high=_LO),
    Key("priority", "choice", "normal", "Which of the queue its images go before or behind.", choices=PRIORITIES),
)

_CONSOLE: Final = (
    Key("banner", "text", "", "What stands above the log-in of the console.", high=400),
    Key("idle_s", "number", 600.0, "Who does nothing for so long is logged out; 0: never.", "s", 0, _DAY_S),
    Key("lock_after", "integer", 3, "From this failed log-in of a name on each costs a wait.", "", 1, 20),
    Key(
        "lock_cap_s",
        "number",
        300.0,
        "Longest wait after a failed log-in; the first is 5 s, and each doubles it.",
        "s",
        5,
        _DAY_S,
    ),
)

# As the panel has them (agent.panel.messages), whose layer is above this one; a test compares the two.
PANEL_INPUTS: Final = {
    "foot": "the foot-switch is pressed",
    "foot_2": "the second foot-switch is pressed",
    "button": "the button is pressed",
    "button_2": "the second button is pressed",
    "exposure": "the exposure input becomes active",
}
# What a press of a switch does; the exposure input has no finger that could ask for more than one image.
PANEL_DOES: Final = ("capture", "still", "toggle", "hold")
_PANEL: Final = (
    Key("port", "path", "", "Serial line of the front panel, best by its name in /dev/serial/by-id; empty: no panel."),
    *(
        Key(name, "text", "", f"Source that is captured when {what}; empty: none.", high=32, completes="source")
        for name, what in PANEL_INPUTS.items()
    ),
    *(
        Key(
            f"{name}_does",
            "choice",
            "capture",
            f"What {name} asks for: a capture, a still, a clip from press to press (toggle) or while pressed (hold).",
            choices=PANEL_DOES,
        )
        for name in PANEL_INPUTS
        if name != "exposure"
    ),
    Key("watchdog_s", "integer", 0, "The panel cycles our power when we are silent so long; 0: never.", "s", 0, 3600),
)

SECTIONS: Final[tuple[Section, ...]] = (
    Section("agent", repeated=False, help="Who we are.", keys=_AGENT),
    Section("spool", repeated=False, help="The durable queue on local media.", keys=_SPOOL),
    Section("tls", repeated=False, help="Our certificate and whom we trust, for every TLS connection.", keys=_TLS),
    Section("listener", repeated=False, help="Associations that peers open to us.", keys=_LISTENER),
    Section("destination", repeated=True, help="A peer that every instance is delivered to.", keys=_DESTINATION),
    Section("source", repeated=True, help="A device that delivers frames.", keys=SOURCE),
    Section("patient", repeated=False, help="The patient of captures made without a worklist.", keys=_PATIENT),
    Section("exam", repeated=False, help="The study of captures made without a worklist.", keys=_EXAM),
    Section("panel", repeated=False, help="The front panel: foot-switches, lights, watchdog.", keys=_PANEL),
    Section("console", repeated=False, help="The technician's console.", keys=_CONSOLE),
)
