"""Each scripted network fault: publishing again within 30 s of the repair, nothing lost or twice.

pytest -m soak -s tests/faults/net prints the table; HEDGEROW_FAULT_S is how long each lasts (25).
"""

import datetime
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fault_table import FAULTS, Fault
from site_parts import LoopThread, Site, free_port

pytestmark = pytest.mark.interop

_SOAK_S = float(os.environ.get("HEDGEROW_FAULT_S", "25"))
_QUICK_S = 1.0
_BACK_S = 30.0
_AT_ONCE = 10
_WAIT_S = 120.0  # the bound itself is the soak's table: machines stall


@pytest.fixture(scope="module")
def thread():
    loop_thread = LoopThread()
    yield loop_thread
    loop_thread.close()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory) -> Path:
    """Folder with ca.pem and <kind>.pem, <kind>.key of each TLS fault."""
    pytest.importorskip("cryptography", reason="the Python package cryptography is not installed")
    folder = tmp_path_factory.mktemp("certificates")
    ca, other = _Authority("site CA"), _Authority("another CA")
    (folder / "ca.pem").write_bytes(ca.pem)
    ca.issue(folder, "good", "broker.test", days=30)
    ca.issue(folder, "expired", "broker.test", days=-1)
    ca.issue(folder, "name", "elsewhere.test", days=30)
    other.issue(folder, "authority", "broker.test", days=30)
    return folder


class _Authority:
    def __init__(self, name: str) -> None:
        from cryptography.hazmat.primitives.asymmetric import ec

        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = name
        self.pem = _pem(self._sign(name, self._key.public_key(), 30, ca=True))

    def issue(self, folder: Path, kind: str, name: str, days: int) -> None:
        from cryptography.hazmat.primitives import serialization as form
        from cryptography.hazmat.primitives.asymmetric import ec

        key = ec.generate_private_key(ec.SECP256R1())
        how = form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()
        (folder / f"{kind}.pem").write_bytes(_pem(self._sign(name, key.public_key(), days)))
        (folder / f"{kind}.key").write_bytes(key.private_bytes(*how))

    def _sign(self, name: str, key, days: int, ca: bool = False):
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes

        def named(text: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder(named(self._name), named(name), key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=9))
            .not_valid_after(now + datetime.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        )
        return builder.sign(self._key, hashes.SHA256())


def _pem(certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM)


class Trial:
    """One fault on a site of its own."""

    def __init__(self, fault: Fault, lasts_s: float, get) -> None:
        self.fault = fault
        self.back_s = 0.0
        self._lasts_s = lasts_s
        self._get = get  # request.getfixturevalue, asked in the main thread
        self._certificates = get("certificates") if fault.tls else None
        self._parts = get("thread"), get("micropython"), get("mosquitto")

    def run(self, folder: Path) -> "Trial":
        folder.mkdir()
        tls_ports = {}
        node, extra = dict(self.fault.node), ""
        if self._certificates:
            tls_ports = {k: free_port() for k in ("good", "expired", "name", "authority")}
            extra = "".join(self._listener(*pair) for pair in tls_ports.items())
            node |= {"tls": True, "ca": str(self._certificates / "ca.pem")}
            node |= {"server_hostname": "broker.test"}
        with Site(*self._parts, folder, node, extra) as site:
            site.tls_ports = tls_ports
            if tls_ports:
                site.road_do("lead_to", tls_ports["good"])
            if "networks" in node:
                site.air("farm", key="key of farm")
            self._play(site)
        return self

    def _listener(self, kind: str, port: int) -> str:
        folder = self._certificates
        files = f"certfile {folder}/{kind}.pem\nkeyfile {folder}/{kind}.key\n"
        return f"listener {port} 127.0.0.1\n{files}"

    def _play(self, site: Site) -> None:
        fault = self.fault
        if fault.at_start:
            fault.breaks(site)
            site.start_node()
        else:
            site.start_node()
            site.wait_rows(3)
            fault.breaks(site)
        time.sleep(0 if fault.heals else self._lasts_s)
        said = " | ".join(site.reasons())
        before = site.numbers()
        if not (fault.carries or fault.heals):
            time.sleep(0.5)
            assert site.numbers() == before, f"{fault.name}: data came through it"
        fault.repairs(site)
        self.back_s = site.wait_rows(1, _WAIT_S)
        self._check(site, site.finish(), said, before)

    def _check(self, site: Site, result: dict, said: str, before: set[int]) -> None:
        assert self.fault.says in said, f"{self.fault.name}: said {said!r}"
        assert not (self.fault.at_start and before), "it came through a fault"
        assert result["pending"] == 0
        assert site.numbers() == set(range(result["made"])), "lost or invented records"
        found = site.gateway.gateways["bed-3"]
        assert len(found.rows) == result["made"], "a record came twice"


@pytest.mark.parametrize("fault", [f for f in FAULTS if f.quick], ids=lambda fault: fault.name)
def test_a_fault_is_named_and_survived(fault, request, tmp_path):
    Trial(fault, _QUICK_S, request.getfixturevalue).run(tmp_path / "site")


def test_there_are_thirty():
    names = {fault.name for fault in FAULTS}
    assert len(names) == len(FAULTS) >= 30


def _outcome(trial: Trial, folder: Path) -> tuple[str, float, str]:
    try:
        trial.run(folder)
    except AssertionError as wrong:
        return trial.fault.name, trial.back_s, str(wrong)
    return trial.fault.name, trial.back_s, ""


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_back_to_publishing_within_30_s(request, tmp_path):
    trials = [Trial(fault, _SOAK_S, request.getfixturevalue) for fault in FAULTS]
    folders = [tmp_path / str(i) for i in range(len(trials))]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        rows = list(pool.map(_outcome, trials, folders))
    print(f"\neach lasts {_SOAK_S:g} s, {len(rows)} faults; s from repair to the next record")
    for name, back_s, wrong in rows:
        met = "MISSED " + wrong if wrong or back_s > _BACK_S else "met"
        print(f"| {name} | {back_s:.1f} | {met} |")
    assert not [row for row in rows if row[2] or row[1] > _BACK_S]
