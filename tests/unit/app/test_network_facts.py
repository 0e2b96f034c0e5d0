"""Facts of the network as the kernel tells them; the judge is ip(8) where it is there, and text of known meaning."""

from __future__ import annotations

import json
import shutil
import socket
import struct
import subprocess

import pytest

from agent.app import cli, network_facts
from agent.app.network_facts import address, addresses_of, facts, name_servers, routes4, routes6
from agent.app.verb_network import reach

ROUTES = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0102A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
eth0\t0002A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0
eth1\t0003A8C0\t00000000\t0000\t0\t0\t0\t00FFFFFF\t0\t0\t0
"""
ROUTES6 = (
    "20010db8000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 "
    "00000100 00000001 00000000 00000001     eth0\n"
    "00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 "
    "00000400 00000001 00000000 00000003     eth0\n"
    "00000000000000000000000000000001 80 00000000000000000000000000000000 00 00000000000000000000000000000000 "
    "00000100 00000001 00000000 00000001       lo\n"
)


def test_routes_are_read():
    assert [(one["to"], one["gateway"], one["interface"]) for one in routes4(ROUTES)] == [
        ("default", "192.168.2.1", "eth0"), ("192.168.2.0/24", "", "eth0"),
    ]  # fmt: skip
    assert [(one["to"], one["gateway"]) for one in routes6(ROUTES6)] == [("2001:db8::/64", ""), ("default", "fe80::1")]
    assert list(routes4("")) == list(routes6("rubbish\n")) == []


def test_name_servers_are_read():
    assert name_servers("# x\nnameserver 10.0.0.1\nsearch example.org\nnameserver ::1\nnameserver\n") == [
        "10.0.0.1",
        "::1",
    ]


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def test_an_address_message_is_read():
    head = struct.pack("=BBBBI", socket.AF_INET, 24, 0, 0, 7)
    peer, own = socket.inet_aton("10.0.0.2"), socket.inet_aton("10.0.0.1")
    assert address(head + attribute(1, peer) + attribute(2, own)) == (7, "10.0.0.1/24")
    assert address(head + attribute(3, b"eth0\0")) == (7, "")
    assert address(head + b"\0\0\0\0") == (7, "")


def test_the_kernel_agrees_with_ip():
    if shutil.which("ip") is None:
        pytest.skip("no ip(8) here")
    told = json.loads(subprocess.run(["ip", "-j", "addr"], capture_output=True, text=True, check=True).stdout)
    wanted = {
        one["ifindex"]: sorted(f"{each['local']}/{each['prefixlen']}" for each in one["addr_info"]) for one in told
    }
    found = addresses_of()
    assert {number: sorted(found.get(number, [])) for number in wanted} == wanted
    assert {one["ifname"]: one["mtu"] for one in told} == {one["name"]: one["mtu"] for one in facts()["interfaces"]}


def test_without_proc_and_sys_nothing_breaks(monkeypatch, capsys):
    monkeypatch.setattr(network_facts, "_read", lambda _path: "")
    monkeypatch.setattr(network_facts, "_listed", lambda _path: ["eth0"])
    assert cli.main(["network"]) == 0
    out = capsys.readouterr().out
    assert "routes: none" in out
    assert "name servers: none" in out


def test_it_fits_a_terminal(capsys):
    assert cli.main(["network"]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


def test_how_far_it_is_is_said():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        found = reach("x", "127.0.0.1", port, 5)
        assert (found["reached"], found["from"]) == (True, "127.0.0.1")
        assert found["ms"] < 5000
    assert "nothing listens on this port" in reach("x", "127.0.0.1", port, 5)["says"]
    assert "not known" in reach("x", "no-such-host.invalid", 104, 5)["says"]


def test_a_destination_that_is_not_there_is_an_exit_status(tmp_path, capsys):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    config = tmp_path / "agent.toml"
    config.write_text(
        '[agent]\nae_title = "BOX"\n[spool]\npath = "spool"\n[[destination]]\nname = "pacs"\ncalled_ae = "PACS"\n'
        f'host = "127.0.0.1"\nport = {port}\n'
    )
    assert cli.main(["network", "--check", "--config", str(config)]) == 20
    told = capsys.readouterr()
    assert f"pacs: 127.0.0.1:{port}" in told.out
    assert "not reached: pacs" in told.err
