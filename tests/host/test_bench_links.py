"""The parts of the links' benchmark: what its counters count, and its arithmetic."""

import socket
import sys
import threading
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parent.parent / "bench"))

import links
from wire_count import TcpCount, Traffic, UdpCount


def _echo_once(server: socket.socket) -> None:
    peer, _ = server.accept()
    with peer:
        while data := peer.recv(4096):
            peer.sendall(data)


def test_tcp_segments_and_bytes_both_ways():
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_echo_once, args=(server,), daemon=True).start()
        with (
            TcpCount(server.getsockname()[1]) as line,
            socket.create_connection(("127.0.0.1", line.port), timeout=90) as node,
        ):
            for _ in range(5):
                node.sendall(bytes(100))
                assert len(node.recv(100, socket.MSG_WAITALL)) == 100
    for way in (line.up, line.down):
        payload = way.bytes - way.packets * line.header_bytes
        assert 500 <= payload <= 502  # the kernel counts SYN and FIN as a byte each
        assert 5 <= way.packets <= 16


def test_udp_datagrams_both_ways():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(90)
        with (
            UdpCount(server.getsockname()[1]) as line,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as node,
        ):
            node.settimeout(90)
            node.sendto(bytes(30), ("127.0.0.1", line.port))
            data, node_address = server.recvfrom(100)
            server.sendto(data[:7], node_address)
            assert len(node.recv(100)) == 7
    assert (line.up, line.down) == (Traffic(1, 58), Traffic(1, 35))


def test_air_of_a_packet_and_its_acknowledgement():
    """802.11b at 1 Mbit/s: 192 us of preamble, then 8 us a byte; its ACK has 14 bytes."""
    ms, mj = links._wifi(Traffic(1, 100), Traffic(0, 0))
    tx_us, rx_us = 192 + 8 * (100 + 52), 192 + 8 * 14
    assert ms == pytest.approx((tx_us + rx_us) / 1e3)
    assert mj == pytest.approx(3.3 * (240 * tx_us + 100 * rx_us) / 1e6)
    assert links._wifi(Traffic(0, 0), Traffic(1, 100))[0] == pytest.approx(ms)


def test_links_without_a_line():
    """A frame of ESP-NOW is one datagram; a slower LoRa rate costs more; a cable has no radio."""
    espnow, serial = links._espnow(), links._serial()
    count = links._a_frame()[2]
    assert espnow.bytes * count < 2 * 250 + 2 * 43
    assert espnow.air_ms > 0
    assert (serial.air_ms, serial.mj) == (None, None)
    energies = [cost.mj for cost in links._lorawan()]
    assert energies == sorted(energies)
