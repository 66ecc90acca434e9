"""Each scripted network fault: publishing again within 30 s of the repair, nothing lost or twice.

pytest -m soak -s tests/faults/net prints the table; HEDGEROW_FAULT_S is how long each lasts (25).
"""

import contextlib
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fault_table import FAULTS, Fault
from peers import soon
from site_parts import LoopThread, Site, free_port

pytestmark = pytest.mark.interop

_SOAK_S = float(os.environ.get("HEDGEROW_FAULT_S", "25"))
_QUICK_S = 1.0
_BACK_S = 30.0
_AT_ONCE = 10
_WAIT_S = 120.0  # the bound itself is the soak's table: machines stall
_SAYS_S = 60.0  # longer than any attempt lasts


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
    from authority import Authority

    ca, other = Authority("site CA"), Authority("another CA")
    (folder / "ca.pem").write_bytes(ca.pem)
    ca.issue(folder, "good", "broker.test")
    ca.issue(folder, "expired", "broker.test", days=-1)
    ca.issue(folder, "name", "elsewhere.test")
    other.issue(folder, "authority", "broker.test")
    return folder


class Trial:
    """One fault on a site of its own."""

    def __init__(self, fault: Fault, lasts_s: float, get) -> None:
        self.fault = fault
        self.back_s = 0.0
        self.gap_ms = 0  # longest that the node's loop kept a 10 ms task waiting
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
        with contextlib.suppress(AssertionError):  # told below, with what it did say
            soon(lambda: fault.says in _said(site), fault.says, _SAYS_S)
        said = _said(site)
        if not (fault.carries or fault.heals):
            soon(lambda: _rests(site), f"{fault.name}: data comes through it")
        before = site.numbers()
        if not (fault.carries or fault.heals):
            time.sleep(0.5)
            assert site.numbers() == before, f"{fault.name}: data came through it"
        fault.repairs(site)
        self.back_s = site.wait_rows(1, _WAIT_S)
        self._check(site, site.finish(), said, before)

    def _check(self, site: Site, result: dict, said: str, before: set[int]) -> None:
        self.gap_ms = result["worst_gap_ms"]
        assert self.fault.says in said, f"{self.fault.name}: said {said!r}"
        assert not (self.fault.at_start and before), "it came through a fault"
        assert result["pending"] == 0
        assert site.numbers() == set(range(result["made"])), "lost or invented records"
        found = site.gateway.gateways["bed-3"]
        assert len(found.rows) == result["made"], "a record came twice"


def _said(site: Site) -> str:
    return " | ".join(site.reasons())


def _rests(site: Site) -> bool:
    """What was sent before the fault may come late on a busy machine, but it ends."""
    before = site.numbers()
    time.sleep(0.5)
    return site.numbers() == before


@pytest.mark.parametrize("fault", [f for f in FAULTS if f.quick], ids=lambda fault: fault.name)
def test_a_fault_is_named_and_survived(fault, request, tmp_path):
    Trial(fault, _QUICK_S, request.getfixturevalue).run(tmp_path / "site")


def test_there_are_thirty():
    names = {fault.name for fault in FAULTS}
    assert len(names) == len(FAULTS) >= 30


def _outcome(trial: Trial, folder: Path) -> tuple[str, float, int, str]:
    wrong = ""
    try:
        trial.run(folder)
    except AssertionError as error:
        wrong = str(error)
    if trial.back_s > _BACK_S:
        wrong = f"{trial.back_s:.1f} s; {wrong}"
    return trial.fault.name, trial.back_s, trial.gap_ms, wrong


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_back_to_publishing_within_30_s(request, tmp_path):
    trials = [Trial(fault, _SOAK_S, request.getfixturevalue) for fault in FAULTS]
    folders = [tmp_path / str(i) for i in range(len(trials))]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        rows = list(pool.map(_outcome, trials, folders))
    print(f"\neach lasts {_SOAK_S:g} s; repair to the next record; longest gap of the loop")
    for name, back_s, gap_ms, wrong in rows:
        print(
            f"| {name} | {back_s:.1f} s | {gap_ms} ms | {'MISSED ' + wrong if wrong else 'met'} |"
        )
    assert not [row for row in rows if row[3]]
