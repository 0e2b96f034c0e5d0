"""Each mistake in a configuration file has its own sentence with line and key path."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.config import load
from agent.config.lines import key_lines, line_of
from agent.config.source import parse_source
from agent.config.words import bits_per_s
from agent.errors import ConfigError

GOOD = """\
[agent]
ae_title = "EDGE1"

[[destination]]
name = "pacs"
called_ae = "PACS"
host = "127.0.0.1"

[[source]]
name = "probe"
uri = "pattern:us-rgb?rows=64&columns=48"
"""

# (text replaced, replacement, what the message must say)
BAD = [
    ('ae_title = "EDGE1"', 'ae_titel = "EDGE1"', "agent.toml:2: agent.ae_titel: unknown key; did you mean 'ae_title'?"),
    ('ae_title = "EDGE1"', "ae_title = 7", "agent.toml:2: agent.ae_title: 7 is not text"),
    ('ae_title = "EDGE1"', 'ae_title = "EDGE1_IS_TOO_LONG"', "an AE Title has 1 to 16 characters"),
    ('ae_title = "EDGE1"', 'ae_title = "A\\\\B"', "without backslash"),
    ("[agent]", "[agnet]", "agent.toml:1: agnet: unknown section; did you mean 'agent'?"),
    ("[agent]", "[[agent]]", "agent.toml:1: agent[0]: is a table: write [agent]"),
    ("[agent]", "[agent", "agent.toml:1: not TOML"),
    ("[[destination]]", "[destination]", "agent.toml:4: destination: is an array of tables: write [[destination]]"),
    ('called_ae = "PACS"', "", "agent.toml:4: destination[0]: key 'called_ae' is missing"),
    (
        'host = "127.0.0.1"',
        'host = "127.0.0.1"\nport = 70000',
        "agent.toml:8: destination[0].port: 70000 is not a whole",
    ),
    ('host = "127.0.0.1"', 'host = "127.0.0.1"\nport = "104"', "destination[0].port: '104' is not a whole number"),
    ('host = "127.0.0.1"', 'host = "a b"', "agent.toml:7: destination[0].host: a host is a name or an address"),
    ('host = "127.0.0.1"', 'host = "127.0.0.1"\ntls = true', "tls.ca_file: is empty, but destination[0].tls is true"),
    ('host = "127.0.0.1"', 'host = "127.0.0.1"\nretry_cap_s = 1', "destination[0].retry_cap_s: is below retry_base_s"),
    ("pattern:us-rgb", "camera:0", "source[0].uri: 'camera:0"),
    ("pattern:us-rgb", "pattern:ct", "'ct' is no pattern; use one of us-rgb, us-mono, dx16"),
    ('host = "127.0.0.1"', 'host = "pacs:104"', "without port: the port is a key of its own"),
    ("pattern:us-rgb", "pattern:dx16", "source[0].sop_class: 'us-mf' cannot hold the 16 bit pictures of pattern:dx16"),
    ("columns=48", 'columns=48"\nsop_class = "dx', "'dx' cannot hold the colour pictures of pattern:us-rgb"),
    ("rows=64", "lines=64", "agent.toml:11: source[0].uri: 'pattern:' has no option 'lines'"),
    ("rows=64", "rows=1", "option 'rows' must be a whole number from 16 to 8192, not 1"),
    (
        "columns=48",
        'columns=48"\nsop_class = "mr',
        "source[0].sop_class: 'mr' is not one of us, us-mf, dx, dx-processing",
    ),
    ("columns=48", 'columns=48"\ntransfer_syntax = "zip', "source[0].transfer_syntax: must be one of explicit"),
    (
        "columns=48",
        'columns=48"\ntransfer_syntax = "jpeg-ls-near',
        "source[0].near: jpeg-ls-near needs 'near', the most that a sample may differ",
    ),
    (
        "columns=48",
        'columns=48"\nnear = 2\ntransfer_syntax = "jpeg-ls',
        "source[0].near: near = 2 needs transfer_syntax = 'jpeg-ls-near': jpeg-ls is exact",
    ),
    (
        "columns=48",
        'columns=48"\nnear = 128\ntransfer_syntax = "jpeg-ls-near',
        "source[0].near: near = 128 is too much for samples of 8 bits: 127 at most",
    ),
    (
        "columns=48",
        'columns=48"\ntransfer_syntax = "1.2.840.10008.1.2.4.50',
        "this build cannot make instances in 1.2.840.10008.1.2.4.50; available",
    ),
    ("[[source]]", '[patient]\nbirth_date = "1.1.70"\n[[source]]', "patient.birth_date: a date is YYYYMMDD"),
    ("columns=48", 'columns=48"\nanatomy = "TAIL', "source[0].anatomy: body part 'TAIL' is not in the table"),
    ("columns=48", 'columns=48"\nview = "UP', "source[0].view: view 'UP' is not in the table"),
    ("columns=48", 'columns=48"\npatient_orientation = "LF', "source[0].patient_orientation: an orientation is ROW/"),
    ("[[source]]", '[patient]\nname = "A^B^C^D^E^F"\n[[source]]', "patient.name: a person name"),
    ("[[source]]", '[patient]\nid = "a\\u001bb"\n[[source]]', "patient.id: holds a control character"),
    ("[[source]]", '[spool]\nrequire_mount = "/media/x"\n[[source]]', "spool.require_mount: '/media/x' does not hold"),
    (
        "[[source]]",
        '[[source]]\nname = "probe"\nuri = "pattern:dx16"\n[[source]]',
        "source[1].name: 'probe' is used twice",
    ),
]


@pytest.mark.parametrize(("old", "new", "message"), BAD, ids=[row[2][:60] for row in BAD])
def test_each_mistake_has_its_sentence(old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError) as caught:
        load.parse(GOOD.replace(old, new, 1))
    assert message in str(caught.value)
    assert caught.value.exit_status == 10


def test_a_good_file_loads_and_relative_paths_count_from_its_folder(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text(
        GOOD.replace("pattern:us-rgb?rows=64&columns=48", "replay:cine.dcm?rate_hz=5") + '[spool]\npath = "q"\n'
    )
    settings = load.load(str(file))
    assert settings.spool.path == str(tmp_path / "q")
    assert settings.source[0].uri == f"replay:{tmp_path}/cine.dcm?rate_hz=5"
    assert settings.destination[0].port == 104


def test_a_missing_text_is_just_missing() -> None:
    with pytest.raises(ConfigError, match=r"key 'called_ae' is missing$"):
        load.parse(GOOD.replace('called_ae = "PACS"', ""))


def test_only_what_this_build_makes_is_listed() -> None:
    with pytest.raises(ConfigError, match="must be one of explicit, implicit, deflated, rle, jpeg-l"):
        load.parse(GOOD + 'transfer_syntax = "zip"\n')


def test_all_problems_are_reported_at_once() -> None:
    text = GOOD.replace("ae_title", "ae").replace('name = "pacs"', 'name = "p a"').replace("64", "1")
    with pytest.raises(ConfigError) as caught:
        load.parse(text)
    assert [line for line, _, _ in caught.value.problems] == [2, 5, 11]
    assert "(and 2 more)" in str(caught.value)


def test_files_that_keys_name_are_checked_on_request(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text(GOOD + '[tls]\nca_file = "ca.pem"\n')
    load.load(str(file))
    with pytest.raises(ConfigError, match=r"tls\.ca_file: no such file: .*/ca\.pem"):
        load.load(str(file), files=True)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "cannot be read: No such file"),
        (b"[agent]\n\xff\n", r"agent\.toml:2: is not UTF-8"),
        (b"#" * (load.MAX_FILE_BYTES + 1), "is larger than"),
        (b"x = " + b"[" * 100_000, "not TOML"),
        (b'[agent]\nae_title = "A"\nae_title = "B"\n', r":3: key 'ae_title' is given twice, here and in line 2"),
    ],
    ids=["missing", "encoding", "size", "depth", "twice"],
)
def test_a_file_that_is_none(tmp_path: Path, data: bytes | None, message: str) -> None:
    file = tmp_path / "agent.toml"
    if data is not None:
        file.write_bytes(data)
    with pytest.raises(ConfigError, match=message):
        load.load(str(file))


def test_lines_are_found_behind_multi_line_values() -> None:
    text = 'a = """\n[no]\nb = 1\n"""\nc = [\n  1,\n  [2],\n]\n[[t]]\nd = 1\n[[t]]\nd = 2\n'
    lines = key_lines(text)
    assert lines == {"a": 1, "c": 5, "t": 9, "t[0]": 9, "t[0].d": 10, "t[1]": 11, "t[1].d": 12}
    assert line_of(lines, "t[1].zz") == 11
    assert line_of(lines, "zz") is None


def test_source_uris() -> None:
    uri = parse_source("pattern:us-rgb?rows=768&columns=1024&rate_hz=30")
    assert (uri.scheme, uri.what, uri.options["rows"], uri.options["rate_hz"]) == ("pattern", "us-rgb", 768, 30)
    assert parse_source("replay:/a/b.png").options == {"rate_hz": 0, "repeat": 0}
    for bad in ("", "pattern:", "pattern", "replay:?rate_hz=1", "pattern:dx16?rows", "pattern:dx16?rows=1.5e2x"):
        with pytest.raises(ValueError, match=r"."):
            parse_source(bad)


@pytest.mark.parametrize("number", ["1" + "0" * 5000, "0x" + "f" * 5000, "[1, " + "9" * 5000 + "]"])
@pytest.mark.parametrize("key", ["clip_frames", "clip_s", "name", "unheard_of"])
def test_a_number_that_python_will_not_read_is_a_mistake_like_others(key: str, number: str) -> None:
    text = f"{GOOD}{key} = {number}\n".replace('name = "probe"\n' if key == "name" else "\0", "")
    with pytest.raises(ConfigError) as caught:
        load.parse(text)
    assert str(caught.value).startswith("agent.toml:1")
    assert len(str(caught.value)) < 6000


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_key_that_others_may_read_is_refused(mode: int, tmp_path: Path) -> None:
    for name in ("ca.pem", "agent.pem", "agent.key"):
        (tmp_path / name).write_text("")
    key = tmp_path / "agent.key"
    tls = '[tls]\nca_file = "ca.pem"\ncertificate_file = "agent.pem"\nkey_file = "agent.key"\n'
    path = tmp_path / "agent.toml"
    path.write_text(GOOD + tls)
    key.chmod(mode)
    with pytest.raises(ConfigError, match=r"agent.toml:15: tls.key_file: .*open to group or others \(mode 0") as caught:
        load.load(str(path), files=True)
    assert caught.value.hint == f"chmod 600 {key}"
    key.chmod(0o600)
    assert load.load(str(path), files=True).tls.key_file == str(key)


@pytest.mark.parametrize(
    ("data", "mode", "why"),
    [
        (b"\n", 0o600, "passcode file .* is empty"),
        (b"x" * 65536, 0o600, "65536 bytes; an association carries 65535 at most"),
        (b"x", 0o644, r"open to group or others \(mode 0644\)"),
        (None, 0, "passcode file .* cannot be read: No such file"),
    ],
)
def test_a_passcode_that_no_association_could_use_is_refused(
    data: bytes | None, mode: int, why: str, tmp_path: Path
) -> None:
    file, path = tmp_path / "passcode", tmp_path / "agent.toml"
    if data is not None:
        file.write_bytes(data)
        file.chmod(mode)
    path.write_text('[[destination]]\nname = "a"\ncalled_ae = "A"\nhost = "h"\nuser_identity = "passcode"\n'
                    'user_name = "u"\nuser_file = "passcode"\nuser_in_clear = true\n')  # fmt: skip
    with pytest.raises(ConfigError, match=rf"agent.toml:7: destination\[0\].user_file: .*{why}"):
        load.load(str(path), files=True)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ('"8 Mbit/s"', 8e6),
        ('"64kbit/s"', 64e3),
        ('"1.5 Gbit/s"', 1.5e9),
        ("500000", 5e5),
        ('"500000"', 5e5),
        ('""', 0),
        ('"8 Mbps"', 8e6),
        ('"8 MBit/s"', 8e6),
        ('"2 mbit/s"', 2e6),
        ('"64 Kbit/s"', 64e3),
        ('"9 mbps"', 9e6),
    ],
)
def test_a_bandwidth_is_a_number_with_its_unit(text: str, rate: float) -> None:
    row = f'[[destination]]\nname = "a"\ncalled_ae = "A"\nhost = "h"\nbandwidth = {text}\n'
    assert bits_per_s(load.parse(row).destination[0].bandwidth) == rate


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('"8 MB/s"', "is no bandwidth: a number with bit/s"),
        ('"8 MBps"', "is no bandwidth"),
        ('"8 Mb/s"', "is no bandwidth"),
        ('"fast"', "is no bandwidth"),
        ('"-1 Mbit/s"', "is no bandwidth"),
        ("1000", "'1000' is 1000 bit/s; a bandwidth is from 16 kbit/s"),
        ('"200 Gbit/s"', "to 100 Gbit/s"),
        ("1.5", "is not text"),
        ("true", "is not text"),
    ],
)
def test_what_is_no_bandwidth_is_refused_in_words(text: str, why: str) -> None:
    row = f'[[destination]]\nname = "a"\ncalled_ae = "A"\nhost = "h"\nbandwidth = {text}\n'
    with pytest.raises(ConfigError, match=r"agent.toml:5: destination\[0\].bandwidth") as error:
        load.parse(row)
    assert why in str(error.value)


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ('priority = "low"', "destination[0].priority: unknown key; it belongs into [[source]] or [exam]"),
        ("prot = 104", "destination[0].prot: unknown key; did you mean 'port'?"),
        ('send_windows = "22:00-06:00"', "'22:00-06:00' is not an array of text: write [\"22:00-06:00\"]"),
    ],
)
def test_a_key_of_another_section_and_a_text_for_an_array(key: str, why: str) -> None:
    with pytest.raises(ConfigError) as error:
        load.parse(f'[[destination]]\nname = "a"\ncalled_ae = "A"\nhost = "h"\n{key}\n')
    assert why in str(error.value)


def test_a_key_given_twice_is_named_with_both_lines() -> None:
    row = '[[destination]]\nname = "a"\ncalled_ae = "A"\nhost = "h"\n'
    with pytest.raises(ConfigError, match=r"agent.toml:9: key 'host' is given twice, here and in line 8"):
        load.parse(f'{row}{row}host = "i"\n')


def _two(first: str, second: str) -> str:
    row = '[[destination]]\nname = "{0}"\ncalled_ae = "A"\nhost = "h"\n{1}\n'
    return row.format("a", first) + row.format("b", second)


def test_a_destination_may_name_a_standby() -> None:
    first, second = load.parse(_two('failover = "b"', "standby = true")).destination
    assert (first.failover, second.standby, first.failover_after_s) == ("b", True, 600.0)
    load.parse(_two('failover = "b"\ncommitment = false', "standby = true\ncommitment = false"))
    load.parse(_two('failover = "b"\ncommitment = false', "standby = true"))


@pytest.mark.parametrize(
    ("first", "second", "where", "why"),
    [
        ('failover = "c"', "", "destination[0].failover", "no destination is called 'c'"),
        ('failover = "b"', "", "destination[0].failover", "'b' gets every image anyway: give it standby = true"),
        ('failover = "a"', "", "destination[0].failover", "a destination cannot stand in for itself"),
        ("", "standby = true", "destination[1].standby", "no destination names it as its failover"),
        ('failover = "b"', 'standby = true\nfailover = "b"', "destination[1].failover", "a standby has no failover"),
        (
            'failover = "b"',
            "standby = true\ncommitment = false",
            "destination[0].failover",
            "'b' has commitment = false",
        ),
    ],
)
def test_what_cannot_stand_in_is_refused(first: str, second: str, where: str, why: str) -> None:
    with pytest.raises(ConfigError) as error:
        load.parse(_two(first, second))
    assert f"{where}: {why}" in str(error.value)


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85"])
def test_a_line_is_what_an_editor_counts(separator: str) -> None:
    with pytest.raises(ConfigError, match=r"^F:3: agent.ae_titel: unknown key"):
        load.parse(f"# a{separator}b\n[agent]\nae_titel = 'x'\n", path="F")
    with pytest.raises(ConfigError, match=r"^F:3: key 'ae_title' is given twice, here and in line 2"):
        load.parse(f"[agent]\nae_title = 'x' # a{separator}b\nae_title = 'y'\n", path="F")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("agent.ae_titel = 'x'\n", "F:1: agent.ae_titel"),
        ("\n['agent']\n'ae_titel' = 'x'\n", "F:3: agent.ae_titel"),
        ("\n[ agent ]\nae_titel = 'x'\n", "F:3: agent.ae_titel"),
        ("\n[[dest]]\nname = 'x'\n", "F:2: dest"),
        ("\ndestination = [{name = 'a', called_ae = 'b', host = 'h'},\n {name = 'b'}]\n", "F:2: destination[1]"),
        ("\nagent = {ae_titel = 'x'}\n", "F:2: agent.ae_titel"),
        ('[agent]\nstation_name = """\\\n[spool]\\\n"""\nae_titel = \'x\'\n', "F:5: agent.ae_titel"),
    ],
)
def test_a_key_is_found_however_it_is_written(text: str, place: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load.parse(text, path="F")
    assert caught.value.message.startswith(f"{place}: ")


def test_a_byte_order_mark_is_named() -> None:
    with pytest.raises(ConfigError, match=r"^F:1: begins with a byte order mark: save it as UTF-8 without one"):
        load.parse("\ufeff[agent]\n", path="F")


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ('sop_class = "us-fm"', "us-mf"),
        ('transfer_syntax = "jpegls"', "jpeg-ls"),
        ('uri = "pattern:us-rbg"', "us-rgb"),
        ('uri = "pattern:us-rgb?rate=3"', "rate_hz"),
    ],
)
def test_the_nearest_word_is_named(line: str, wanted: str) -> None:
    rows = {"name": 'name = "x"', "uri": 'uri = "pattern:us-rgb"', "sop_class": 'sop_class = "us-mf"'}
    rows[line.split(maxsplit=1)[0]] = line
    with pytest.raises(ConfigError) as caught:
        load.parse("[[source]]\n" + "\n".join(rows.values()))
    assert caught.value.message.endswith(f"; did you mean '{wanted}'?")
