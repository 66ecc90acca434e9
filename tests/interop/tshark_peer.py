"""Wireshark's tshark as a decoder that is not ours: packets go in by a pcap, fields come out.

    layers = dissect(LORATAP, [loratap(phy)], "lorawan", 'uat:encryption_keys_lorawan:...')
    layers[0].get("lorawan.mic.status")      "1"

Link types: https://www.tcpdump.org/linktypes.html; LoRaTap's header:
https://github.com/eriknl/LoRaTap. Nothing is captured from an interface, so no rights are needed.
"""

import shutil
import struct
import subprocess
import xml.etree.ElementTree as ET  # of tshark's output
from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

LORATAP = 270
RAW_IP = 101
CLIENT, SERVER = "10.0.0.1", "10.0.0.2"
_WARNING = 0x600000  # epan/proto.h: PI_WARN; errors are above it, remarks below
_TCP, _UDP = 6, 17
_PUSH_ACK = 0x18
_LORAWAN_SYNC = 0x34


@dataclass
class Layer:
    """One message: what its dissector found, in order. problems: warnings, errors, malformed.

    packet: its place in what was given to dissect().
    """

    packet: int = 0
    fields: dict[str, list[str]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def get(self, name: str) -> str | None:
        """The first value of a field, as tshark writes it."""
        return self.fields.get(name, [None])[0]

    def all(self, name: str) -> list[str]:
        return self.fields.get(name, [])

    def bytes(self, name: str) -> bytes:
        """The first value of a field of bytes; b"" if there is none."""
        return bytes.fromhex((self.get(name) or "").replace(":", ""))


def program() -> str:
    """Path of tshark; skips when there is none."""
    return shutil.which("tshark") or pytest.skip("tshark is not installed (Debian package tshark)")


def dissect(link_type: int, packets: Iterable[bytes], protocol: str, *options: str) -> list[Layer]:
    """The layers of that protocol in all packets, in order; options are arguments of -o.

    A malformed packet counts as a layer with a problem, whatever it was. Skips where this tshark
    does not know an option: its tables of keys change with versions.
    """
    command = [program(), "-n", "-r", "-", "-T", "pdml"]
    for option in options:
        command += ["-o", option]
    done = subprocess.run(command, input=_pcap(link_type, packets), capture_output=True)
    said = done.stderr.decode(errors="replace")
    if "Unknown preference" in said:
        pytest.skip(f"tshark has other tables of keys than 4.0: {said.splitlines()[-1]}")
    assert done.returncode == 0, said
    found: list[Layer] = []
    for n, packet in enumerate(ET.fromstring(done.stdout).iter("packet")):
        found += _layers(n, packet, protocol)
    return found


def _layers(n: int, packet: ET.Element, protocol: str) -> list[Layer]:
    """Layers of the protocol; what is malformed, or belongs to no layer, spoils the last one."""
    found: list[Layer] = []
    for proto in packet.iter("proto"):
        name = proto.get("name", "")
        if name == protocol:
            found.append(Layer(n))
        if name == "_ws.malformed":
            found = found or [Layer(n)]
            found[-1].problems.append("malformed: " + proto.get("showname", ""))
        elif found:
            _read(proto, found[-1])
    return found


def _read(element: ET.Element, layer: Layer) -> None:
    for one in element:
        if one.tag == "proto":
            continue  # has its own turn
        name, shown = one.get("name", ""), one.get("show", "")
        layer.fields.setdefault(name, []).append(shown)
        if name == "_ws.expert":
            _judge(one, layer)
        _read(one, layer)


def _judge(expert: ET.Element, layer: Layer) -> None:
    told = {one.get("name"): one.get("show", "") for one in expert}
    if int(told.get("_ws.expert.severity", _WARNING)) >= _WARNING:
        layer.problems.append(told.get("_ws.expert.message", "no message"))


# Packets


def _pcap(link_type: int, packets: Iterable[bytes]) -> bytes:
    """A capture file; a millisecond between packets."""
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link_type)
    for n, packet in enumerate(packets):
        seconds, ms = divmod(n, 1000)
        out += struct.pack("<IIII", seconds, ms * 1000, len(packet), len(packet)) + packet
    return out


def loratap(phy: bytes, hz: int = 868_100_000, sf: int = 7) -> bytes:
    """Version 0; 125 kHz, -60 dBm, 7 dB."""
    head = struct.pack(">BBHIBBBBBBB", 0, 0, 15, hz, 1, sf, 79, 79, 79, 28, _LORAWAN_SYNC)
    return head + phy


def udp(payload: bytes, port: int, *, up: bool, client_port: int = 40000) -> bytes:
    """A datagram from the client to the port of the server, or back."""
    ports = (client_port, port) if up else (port, client_port)
    return _ip(_UDP, struct.pack(">HHHH", *ports, 8 + len(payload), 0) + payload, up)


class TcpStream:
    """Segments of one connection, numbered; its begin is not shown."""

    def __init__(self, port: int, client_port: int):
        self._ports = (client_port, port)
        self._sent = {True: 1, False: 1}  # next number of each side; up is True

    def segment(self, data: bytes, *, up: bool) -> bytes:
        ports = self._ports if up else self._ports[::-1]
        numbers = self._sent[up], self._sent[not up]
        self._sent[up] += len(data)
        head = struct.pack(">HHIIBBHHH", *ports, *numbers, 5 << 4, _PUSH_ACK, 65535, 0, 0)
        return _ip(_TCP, head + data, up)


def _ip(protocol: int, content: bytes, up: bool) -> bytes:
    """IPv4 without checksums, which tshark does not look at unless it is told to."""
    ends = (CLIENT, SERVER) if up else (SERVER, CLIENT)
    addresses = b"".join(bytes(map(int, end.split("."))) for end in ends)
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(content), 0, 0x4000, 64, protocol, 0)
    return head + addresses + content
