"""Which certificates a configuration names, and what is said of those that end soon."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.app.certificates import ending, held
from agent.config.load import parse
from agent.link.expiry import expiry_stage, expiry_text

if TYPE_CHECKING:
    from agent.config.settings import Settings

DAY_S = 86_400.0
NOW = 1_800_000_000.0  # 2027-01-15 08:00:00 UTC
# CN=vector, EC P-256, made by "openssl req -x509"; "openssl x509 -enddate" says Jan 15 08:00:00 2027 GMT.
VECTOR = Path(__file__).parents[2] / "vectors/certificate.pem"


def settings(text: str = "") -> Settings:
    return parse(f'[tls]\ncertificate_file = "{VECTOR}"\nkey_file = "k"\nca_file = "{VECTOR}"\n{text}')


@pytest.mark.parametrize(
    ("days", "stage"), [(61, None), (59.9, 60), (30.1, 60), (29.9, 30), (7.1, 30), (6.9, 7), (0.1, 7)]
)
def test_stages(days: float, stage: int | None) -> None:
    assert expiry_stage("2027-01-15 08:00 UTC", NOW - days * DAY_S) == stage


def test_words() -> None:
    end = "2027-01-15 08:00 UTC"
    assert expiry_text(end, NOW - 20 * DAY_S) == f"expires on {end}, in less than 30 days"
    assert expiry_text(end, NOW + DAY_S) == f"expired on {end}"
    assert expiry_text(end, NOW - 90 * DAY_S) == ""
    assert expiry_text("", NOW) == ""


def test_every_certificate_of_the_configuration_is_looked_at() -> None:
    row = '[[destination]]\nname = "pacs"\ncalled_ae = "P"\nhost = "h"\ntls = true\n'
    pinned = settings(f'{row}tls_ca_file = "{VECTOR}"\n')
    assert [what for what, *_ in held(pinned)] == ["our certificate", "a CA of peers", "a CA of pacs"]
    assert [what for what, *_ in held(pinned, pinned.destination[0])] == ["our certificate", "a CA of pacs"]
    plain = settings(row)
    assert [what for what, *_ in held(plain, plain.destination[0])] == ["our certificate", "a CA of peers"]


def test_what_ends_is_said_with_file_subject_and_date() -> None:
    assert ending(settings(), NOW - 90 * DAY_S) == []
    said = ending(settings(), NOW - 5 * DAY_S)
    assert said == [
        f"our certificate, 'vector' in {VECTOR}, expires on 2027-01-15 08:00 UTC, in less than 7 days",
        f"a CA of peers, 'vector' in {VECTOR}, expires on 2027-01-15 08:00 UTC, in less than 7 days",
    ]


def test_a_list_that_is_out_of_date_is_said() -> None:
    lists = VECTOR.with_name("certificates.pem")  # two lists, until 2026-12-08
    crl = settings().tls._replace(crl_file=str(lists))
    late = ending(settings()._replace(tls=crl), NOW - 30.5 * DAY_S)
    old = f"the revocation list of 'ca' in {lists} expired on 2026-12-08 09:44 UTC: every peer below it is refused"
    assert old in late
    assert old not in ending(settings()._replace(tls=crl), NOW - 90 * DAY_S)


def test_a_ca_without_a_list_is_said() -> None:
    lists = VECTOR.with_name("certificates.pem")  # those of 'ca' and 'other'
    row = f'[[destination]]\nname = "pacs"\ncalled_ae = "P"\nhost = "h"\ntls = true\ntls_ca_file = "{VECTOR}"\n'
    said = ending(settings(f'crl_file = "{lists}"\n{row}'), NOW - 90 * DAY_S)
    assert said == [
        f"a CA of {whose}, 'vector' in {VECTOR}, has no revocation list in {lists}: every peer below it is refused"
        for whose in ("peers", "pacs")
    ]


def test_a_box_without_tls_has_nothing_to_say() -> None:
    assert ending(parse("[agent]\n"), NOW) == []


def test_a_file_that_is_gone_is_said_and_stops_nothing() -> None:
    gone = parse('[tls]\ncertificate_file = "/none/a.pem"\n')
    assert ending(gone, NOW) == ["certificate file /none/a.pem cannot be read: No such file or directory"]
