"""Brokers, relays, certificates and MicroPython nodes for the interop tests."""

import datetime
import ipaddress
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "unit")]

from node import Node  # noqa: E402  found through the line above
from old_packages import UMQTT, unpacked  # noqa: E402
from peers import LoopThread, Mosquitto, PythonBroker, Relay  # noqa: E402


@pytest.fixture(scope="module")
def thread():
    loop_thread = LoopThread()
    yield loop_thread
    loop_thread.close()


@pytest.fixture
def play(micropython):
    """play("echo", port=...) -> Node, a context manager."""

    def start(scenario: str, **args) -> Node:
        return Node(micropython, scenario, **args)

    return start


@pytest.fixture
def mosquitto_broker(mosquitto, tmp_path):
    """A running mosquitto with persistence."""
    with Mosquitto(mosquitto, tmp_path) as broker:
        yield broker


@pytest.fixture
def guarded_mosquitto(mosquitto, tmp_path):
    """mosquitto with one account: bed-3, secret."""
    maker = shutil.which("mosquitto_passwd") or pytest.skip("mosquitto_passwd is not installed")
    accounts = tmp_path / "accounts"
    subprocess.run([maker, "-b", "-c", str(accounts), "bed-3", "secret"], check=True)
    extra = f"allow_anonymous false\npassword_file {accounts}\n"
    with Mosquitto(mosquitto, tmp_path, extra) as broker:
        yield broker


@pytest.fixture(params=["mosquitto", "amqtt"])
def broker(request, tmp_path, thread):
    """Each broker in turn, running."""
    if request.param == "mosquitto":
        peer = Mosquitto(request.getfixturevalue("mosquitto"), tmp_path)
    else:
        pytest.importorskip("amqtt", reason="the Python package amqtt is not installed")
        peer = PythonBroker(thread)
    peer.name = request.param
    with peer:
        yield peer


@pytest.fixture
def relay_to(thread):
    """relay_to(port) -> Relay, closed at the end of the test."""
    relays = []

    def start(port: int) -> Relay:
        relays.append(Relay(thread, port))
        return relays[-1].__enter__()

    yield start
    for relay in relays:
        relay.__exit__()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory) -> Path:
    """Folder with ca.pem, other-ca.pem, server.pem, server.key for "broker.test", client.pem."""
    pytest.importorskip("cryptography", reason="the Python package cryptography is not installed")
    folder = tmp_path_factory.mktemp("certificates")
    ca_key, ca = _certificate("test CA")
    _, other = _certificate("other CA")
    key, server = _certificate("broker.test", issuer=ca, issuer_key=ca_key)
    own_key, own = _certificate("bed-3", issuer=ca, issuer_key=ca_key)
    for name, content in (("ca", ca), ("other-ca", other), ("server", server), ("client", own)):
        (folder / f"{name}.pem").write_bytes(_pem(content))
    (folder / "ca.der").write_bytes(_der(ca))
    (folder / "server.key").write_bytes(_key_pem(key))
    (folder / "client.key").write_bytes(_key_pem(own_key))
    return folder


def _certificate(name, issuer=None, issuer_key=None):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if issuer:
        names = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.2"))]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return key, builder.sign(issuer_key or key, hashes.SHA256())


def _pem(certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM)


def _der(certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.DER)


def _key_pem(key) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@pytest.fixture(scope="session")
def real_umqtt(tmp_path_factory) -> Path:
    """Folder that holds umqtt/simple.py, micropython-lib's own."""
    found = unpacked(UMQTT, tmp_path_factory.mktemp("umqtt"))
    return found or pytest.skip(f"{UMQTT} could not be had from PyPI")
