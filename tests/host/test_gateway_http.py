"""The gateway's routes that write: frames in, acks out, keys, refusals, sizes."""

import base64
import http.client
import socket

import pytest
from test_gateway_service import some_frame

from hedge.wire import ack, cbor
from hedge.wire.mac import hmac_sha256
from hedgerow.gateway import GatewayConfig
from hedgerow.gateway.service import gateway_in_thread

KEY = b"k" * 32
_BINARY = "application/octet-stream"


@pytest.fixture
def gateway(tmp_path):
    """gateway(keys=...) -> a context manager."""

    def start(**options):
        config = GatewayConfig(
            tmp_path / "farm.db", http_port=0, mqtt_port=0, broker="python", **options
        )
        return gateway_in_thread(config)

    return start


def ask(gateway, method, path, body, kind=_BINARY, **headers):
    """(status, body)"""
    connection = http.client.HTTPConnection(gateway.http_url.removeprefix("http://"), timeout=90)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, {"Content-Type": kind, **named})
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_frame_and_info(gateway):
    with gateway() as farm:
        info = cbor.encode({"name": "Bed", "sample_s": 900})
        assert ask(farm, "PUT", "/api/info/bed-1", info) == (200, b"")
        assert ask(farm, "PUT", "/api/info/bed-1", b"") == (204, b"")
        for _ in range(2):  # the second time it is known
            status, body = ask(farm, "POST", "/api/up/bed-1", some_frame(1))
            assert status == 200
            assert ack.unpack(body, "bed-1")[2] == [(1, 1, 3)]
        status, body = ask(farm, "GET", "/api/devices/bed-1", b"")
        assert status == 200
        assert b"Bed" in body


def test_what_is_refused_says_why(gateway):
    with gateway() as farm:
        for path, body, status, text in (
            ("/api/up/bed-1", b"", 400, b""),
            ("/api/up/bed-1", b"no frame", 400, b""),
            ("/api/up/bed-2", some_frame(1), 400, b"device"),
            ("/api/up/bed-1", bytes(3000), 413, b"oversize"),
            ("/api/up/bed-1", bytes(9000), 413, b"8192"),
            ("/api/up/BED", some_frame(1), 422, b"pattern"),
        ):
            found, said = ask(farm, "POST", path, body)
            assert (found, text in said) == (status, True), (path, said)
        assert ask(farm, "PUT", "/api/info/bed-1", b"\xff")[0] == 400


def test_a_node_that_is_gone_in_the_middle_of_its_frame_is_no_error(gateway, caplog):
    with gateway() as farm:
        host, port = farm.http_url.removeprefix("http://").rstrip("/").split(":")
        with socket.create_connection((host, int(port)), timeout=90) as node:
            head = f"POST /api/up/bed-1 HTTP/1.1\r\nHost: x\r\nContent-Type: {_BINARY}\r\n"
            node.sendall(head.encode() + b"Content-Length: 50\r\n\r\nhalf")
            node.shutdown(socket.SHUT_WR)
            while node.recv(4096):
                pass
        assert ask(farm, "POST", "/api/up/bed-1", some_frame(1))[0] == 200
    assert not [record for record in caplog.records if record.exc_info], caplog.text


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_what_a_foreign_web_page_may_send_is_not_taken(gateway, kind):
    """The three types that a browser sends across origins without asking first (Fetch, 4.1)."""
    with gateway() as farm:
        assert ask(farm, "POST", "/api/up/bed-1", some_frame(1), kind)[0] == 415
        assert ask(farm, "GET", "/api/devices/bed-1", b"")[0] == 404


def test_keys(gateway):
    info = cbor.encode({"name": "Bed"})
    mac = hmac_sha256(KEY, b"infobed-1\0" + info).hex()
    with gateway(keys={"bed-1": KEY}) as farm:
        assert ask(farm, "POST", "/api/up/bed-1", some_frame(1))[0] == 401
        assert ask(farm, "PUT", "/api/info/bed-1", info)[0] == 401
        assert ask(farm, "PUT", "/api/info/bed-1", info + b"x", Hedge_Mac=mac)[0] == 401
        assert ask(farm, "PUT", "/api/info/bed-2", info, Hedge_Mac=mac)[0] == 401
        assert ask(farm, "PUT", "/api/info/bed-1", info, Hedge_Mac=mac) == (200, b"")


def test_without_keys_the_account_of_the_broker_is_asked_for(gateway):
    right = "Basic " + base64.b64encode(b"farm:secret").decode()
    with gateway(user="farm", password="secret") as farm:
        for account in ("", "Basic", "Basic x", right + "=", right.replace("Z", "z")):
            found = ask(farm, "POST", "/api/up/bed-1", some_frame(1), Authorization=account)
            assert found[0] == 401
            assert b"account" in found[1]
        assert ask(farm, "PUT", "/api/info/bed-1", b"")[0] == 401
        found = ask(farm, "POST", "/api/up/bed-1", some_frame(1), Authorization=right)
        assert found[0] == 200
