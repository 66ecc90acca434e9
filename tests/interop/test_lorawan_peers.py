"""LoRaWAN frames against vectors and decoders that are not ours: brocaar/lorawan, lora-packet."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import hedgerow.lns  # noqa: F401  brings AES to CPython
from hedge.net.lorawan import crypto, phy
from hedgerow import paths
from hedgerow.errors import ToolchainError
from hedgerow.toolchain.npm import ensure_package

pytestmark = pytest.mark.interop

_SCRIPT = Path(__file__).with_name("upy") / "lorawan_vectors.py"
_WANTED = {"data": 103, "forbidden": 0, "join_request": 20, "join_accept": 20, "fragments": 20}
_DECODE = """
const { fromWire, verifyMIC, decrypt, decryptJoinAccept } = require(process.argv[1]);
const rows = JSON.parse(require("fs").readFileSync(0));
const hex = (text) => Buffer.from(text, "hex");
console.log(JSON.stringify(rows.map((row) => {
  let packet = fromWire(hex(row.phy));
  if (row.accept) packet = fromWire(decryptJoinAccept(packet, hex(row.app)));
  const fcnt = row.fcnt === undefined ? undefined : Buffer.from([row.fcnt >> 16, row.fcnt >> 24]);
  return {
    type: packet.getMType(),
    mic: verifyMIC(packet, row.nwk ? hex(row.nwk) : undefined, hex(row.app), fcnt),
    payload: row.nwk ? decrypt(packet, hex(row.app), hex(row.nwk), fcnt).toString("hex") : "",
    port: row.nwk ? packet.getFPort() : null,
    addr: packet.DevAddr ? packet.DevAddr.toString("hex") : "",
    nonce: packet.DevNonce ? packet.DevNonce.toString("hex") : "",
  };
})));
"""


@pytest.fixture(scope="module")
def vectors(need_shared):
    folder = "vectors/lorawan/"
    names = ("brocaar_vectors.json", "lora_packet_generated.json")
    return [str(need_shared(folder + name)) for name in names]


@pytest.fixture(scope="module")
def lora_packet():
    """Decodes rows in Node with npm's lora-packet."""
    try:
        purpose = "decode with an independent LoRaWAN library"
        folder = ensure_package(paths.build_dir() / "npm", "lora-packet", "0.9.3", purpose=purpose)
    except ToolchainError as error:
        pytest.skip(f"no lora-packet: {error}")

    def decode(rows: list[dict]) -> list[dict]:
        done = subprocess.run(
            ["node", "-e", _DECODE, str(folder)],
            input=json.dumps(rows),
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(done.stdout)

    return decode


@pytest.mark.parametrize("side", ["cpython", "micropython"])
def test_published_vectors_both_ways(vectors, side, request):
    env = dict(os.environ)
    if side == "cpython":
        code = (
            f"import sys, hedgerow.lns; sys.path.insert(0, {str(_SCRIPT.parent)!r}); "
            f"import lorawan_vectors; lorawan_vectors.main(*sys.argv[1:])"
        )
        command = [sys.executable, "-c", code]
    else:
        command = [str(request.getfixturevalue("micropython")), str(_SCRIPT)]
        env["MICROPYPATH"] = f"{paths.firmware_dir()}:.frozen"
    done = subprocess.run([*command, *vectors], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout) == _WANTED


def _key(n: int) -> bytes:
    return bytes((n * 31 + i * 7) & 0xFF for i in range(16))


def test_our_data_messages_are_read_by_lora_packet(lora_packet):
    """Each direction, confirmed or not, counters on both sides of the 16-bit wrap."""
    rows, wanted = [], []
    for n, fcnt in enumerate((0, 1, 0xFFFF, 0x10000, 0x10001, 0x7FFF0003)):
        for mtype in (2, 3, 4, 5):
            for port, size in ((1, 0), (1, 1), (223, 16), (0, 5), (7, 222)):
                body = bytes(range(size))
                message = phy.Data(mtype, 0x26011000 + n, phy.ADR, fcnt, b"", port, body)
                keys = _key(n), _key(n + 100)
                data = phy.pack_data(message, *keys)
                rows.append({"phy": data.hex(), "nwk": keys[0].hex(), "app": keys[1].hex()})
                rows[-1]["fcnt"] = fcnt
                wanted.append((True, body.hex(), port, f"{0x26011000 + n:08x}"))
    got = [(r["mic"], r["payload"], r["port"], r["addr"]) for r in lora_packet(rows)]
    assert got == wanted


def test_our_joins_are_read_by_lora_packet(lora_packet):
    rows = []
    for n in range(10):
        request = phy.pack_join_request(_key(n)[:8], _key(n)[8:], 1000 + n, _key(n))
        rows.append({"phy": request.hex(), "app": _key(n).hex()})
        for cf_list in (b"", bytes(16)):
            accept = phy.JoinAccept(n, 0x13, 0x26000000 + n, 0x12, 5, cf_list)
            data = phy.pack_join_accept(accept, _key(n))
            rows.append({"phy": data.hex(), "app": _key(n).hex(), "accept": True})
    got = lora_packet(rows)
    assert all(row["mic"] for row in got)
    assert [row["nonce"] for row in got[::3]] == [f"{1000 + n:04x}" for n in range(10)]
    assert [row["addr"] for row in got[1::3]] == [f"{0x26000000 + n:08x}" for n in range(10)]


def test_cmac_against_rfc_4493():
    key = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
    text = bytes.fromhex(
        "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
        "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
    )
    wanted = {
        0: "bb1d6929e95937287fa37d129b756746",
        16: "070a16b46b4d4144f79bdd9dd04a287c",
        40: "dfa66747de9ae63030ca32611497c827",
        64: "51f0bebf7e3b9d92fc49741779363cfe",
    }
    assert {size: crypto.cmac(key, text[:size]).hex() for size in wanted} == wanted
