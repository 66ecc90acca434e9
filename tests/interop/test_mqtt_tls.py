"""The client over TLS: both versions, its own certificate, and the name it asks for (SNI)."""

import asyncio
import socket
import ssl
import subprocess
import sys
import threading

import pytest
from mqtt_peers import Shim
from peers import Mosquitto
from ports import free_port

from hedgerow.errors import GatewayError
from hedgerow.gateway import Gateway, GatewayConfig

pytestmark = pytest.mark.interop


@pytest.fixture
def strict_broker(mosquitto, tmp_path, certificates):
    """mosquitto that asks for the client's certificate and takes its name as the user."""
    extra = f"certfile {certificates}/server.pem\nkeyfile {certificates}/server.key\n"
    extra += f"cafile {certificates}/ca.pem\nrequire_certificate true\n"
    extra += "use_identity_as_username true\nallow_anonymous false\n"
    with Mosquitto(mosquitto, tmp_path, extra) as broker:
        yield broker


def _trust(certificates, **more) -> dict:
    return {"ca": str(certificates / "ca.pem"), "server_hostname": "broker.test", **more}


@pytest.mark.parametrize("version", [4, 5])
def test_a_certificate_of_our_own(strict_broker, certificates, version):
    own = {"cert": str(certificates / "client.pem"), "cert_key": str(certificates / "client.key")}
    with Shim(strict_broker.port) as shim:
        shim.do("connect", version=version, **_trust(certificates, **own))
        shim.do("subscribe", topic="a", qos=2)
        shim.do("publish", topic="a", payload="x" * 600, qos=2)
        shim.do("wait", messages=1)
        assert shim.messages() == ["x" * 600]


def test_none_is_refused(strict_broker, certificates):
    with Shim(strict_broker.port) as shim:
        shim.tell("connect", **_trust(certificates))
        assert shim.expect("connect")["kind"] in ("LinkError", "OSError")


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"cert": "client.pem"}, "uplink cert_key: cert and cert_key belong together"),
        ({"cert": "client.pem", "cert_key": "missing.key"}, "missing.key: OSError"),
        ({"cert": "client.pem", "cert_key": "ca.pem"}, "no PRIVATE KEY in it"),
        ({"cert": "client.key", "cert_key": "client.key"}, "no CERTIFICATE in it"),
    ],
)
def test_files_that_do_not_fit_are_named(certificates, own, said):
    own = {key: str(certificates / name) for key, name in own.items()}
    with Shim(free_port()) as shim:
        shim.tell("connect", **_trust(certificates, **own))
        event = shim.expect("connect")
        assert event["kind"] == "ConfigError"
        assert said in event["error"]


def test_the_name_is_sent_before_the_certificate_comes(certificates):
    """SNI: one address may serve many names."""
    asked = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    with socket.create_server(("127.0.0.1", 0)) as server:
        accept = threading.Thread(target=_serve_once, args=(server, context), daemon=True)
        accept.start()
        with Shim(server.getsockname()[1]) as shim:
            shim.tell("connect", timeout_ms=600000, **_trust(certificates))
            shim.expect("connect")
        accept.join(120)
    assert asked == ["broker.test"]


def _serve_once(server, context) -> None:
    sock, _ = server.accept()
    sock.settimeout(120)
    try:
        with context.wrap_socket(sock, server_side=True) as tls:
            tls.recv(1)
    except OSError:
        return


def test_the_gateway_at_a_broker_with_an_authority_of_its_own(mosquitto, tmp_path, certificates):
    port = free_port()
    extra = f"listener {port} 127.0.0.2\n"  # the address in the certificate
    extra += f"certfile {certificates}/server.pem\nkeyfile {certificates}/server.key\n"

    async def start(ca):
        url = f"mqtts://127.0.0.2:{port}"
        files = {"db": tmp_path / "farm.db", "ca": certificates / ca}
        async with Gateway(GatewayConfig(broker=url, http_port=0, **files)) as gateway:
            assert gateway.runtime.health()["broker_connected"]

    with Mosquitto(mosquitto, tmp_path, extra):
        asyncio.run(start("ca.pem"))
        for ca, said in (
            ("other-ca.pem", "certificate is not trusted"),
            ("none.pem", "no certificate of an authority"),
        ):
            with pytest.raises(GatewayError, match=said):
                asyncio.run(start(ca))


@pytest.mark.parametrize("command", [["gateway"], ["lns", "--chirpstack", "mqtt://127.0.0.1:1"]])
def test_an_authority_without_tls_is_a_usage_error(command):
    code = "from hedgerow.cli.main import main; main()"
    line = [sys.executable, "-c", code, *command, "--ca", "ca.pem"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=240, check=False)
    assert (done.returncode, "mqtts://" in done.stderr) == (2, True)
