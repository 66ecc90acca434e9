"""Our LoRaWAN frames as Wireshark reads them: fields, MAC commands, payloads, MICs.

What Debian's 4.0 does not know stays out: messages without FPort (it takes a byte of the MIC for
one), counters above 16 bits, commands from TXParamSetup on (it stops there). Payloads on port 0 it
opens with the application key, so their device here has one key. Join-accepts it wants decrypted;
the cryptography package does that, not our AES.
"""

import asyncio
import sys
from pathlib import Path

import pytest
from tshark_peer import LORATAP, Layer, dissect, loratap

import hedgerow.lns  # noqa: F401  brings AES to CPython
from hedge.net.lorawan import crypto, maccmd, phy
from hedgerow.emulate.lora.channel import Place

sys.path.append(str(Path(__file__).parent.parent / "e2e"))

pytestmark = pytest.mark.interop

_NWK, _APP = bytes(range(16)), bytes(range(100, 116))
_ADDR, _MAC_ADDR = 0x26011234, 0x26015678
_NO_EUI = bytes(8)
_GOOD, _BAD = "1", "0"


def _keys(addr: int, nwk: bytes, app: bytes, eui: bytes = _NO_EUI) -> str:
    """A row of tshark's table; address and EUI as they travel, least significant byte first."""
    cells = (addr.to_bytes(4, "little"), nwk, app, eui[::-1])
    return "uat:encryption_keys_lorawan:" + ",".join(f'"{cell.hex()}"' for cell in cells)


def _read(frames: list[bytes], *rows: str) -> list[Layer]:
    layers = dissect(LORATAP, [loratap(frame) for frame in frames], "lorawan", *rows)
    assert len(layers) == len(frames)
    return layers


def _data(mtype: int, fcnt: int = 1, fopts: bytes = b"", port: int = 1, payload: bytes = b""):
    addr = _ADDR if port else _MAC_ADDR
    message = phy.Data(mtype, addr, phy.ADR | phy.ACK, fcnt, fopts, port, payload)
    return phy.pack_data(message, _NWK, _APP if port else _NWK)


_ROWS = _keys(_ADDR, _NWK, _APP), _keys(_MAC_ADDR, _NWK, _NWK)


def test_data_messages():
    """All types, several ports and lengths, counters up to 65,535."""
    wanted = [
        (mtype, fcnt, port, bytes(range(size)))
        for mtype in (2, 3, 4, 5)
        for fcnt in (0, 1, 0xFFFF)
        for port, size in ((1, 1), (223, 16), (7, 222))
    ]
    frames = [_data(m, fcnt, port=port, payload=body) for m, fcnt, port, body in wanted]
    found = _read(frames, *_ROWS)
    for layer, (mtype, fcnt, port, body) in zip(found, wanted, strict=True):
        assert layer.problems == []
        shown = [layer.get("lorawan." + n) for n in ("mhdr.mtype", "fhdr.fcnt", "mic.status")]
        assert shown == [str(mtype), str(fcnt), _GOOD]
        assert int(layer.get("lorawan.fport"), 16) == port
        assert int(layer.get("lorawan.fhdr.devaddr"), 16) == _ADDR
        assert layer.bytes("lorawan.frmpayload_decrypted") == body
        flags = [layer.get("lorawan.fhdr.fctrl." + n) for n in ("adr", "ack", "fpending")]
        assert flags == ["1", "1", "0"]


def test_it_does_check_the_mic():
    frame = bytearray(_data(2, payload=b"hello"))
    frame[-5] ^= 1
    (layer,) = _read([bytes(frame)], *_ROWS)
    assert layer.get("lorawan.mic.status") == _BAD
    assert "Bad MIC" in layer.problems[0]


# (command from the network, what tshark must say of it)
_DOWN = (
    (bytes((maccmd.LINK_CHECK, 20, 3)), {"link_check_answer.margin": 20, ".gwcnt": 3}),
    (
        bytes((maccmd.LINK_ADR, 0x52)) + (0x00FF).to_bytes(2, "little") + b"\x63",
        {"link_adr_request.datarate": 5, ".txpower": 2, ".chmaskctl": 6, ".nbrep": 3},
    ),
    (bytes((maccmd.DUTY_CYCLE, 9)), {"dutycycle_request.dutycycle": 9}),
    (
        bytes((maccmd.RX_PARAM_SETUP, 0x23)) + maccmd.freq_bytes(869_525_000),
        {"rx_setup_request.rx1droffset": 2, ".rx2datarate": 3, ".frequency": 8_695_250},
    ),
    (
        bytes((maccmd.NEW_CHANNEL, 4)) + maccmd.freq_bytes(867_300_000) + b"\x50",
        {
            "new_channel_request.index": 4,
            ".frequency": 8_673_000,
            ".drrange_max": 5,
            ".drrange_min": 0,
        },
    ),
    (bytes((maccmd.RX_TIMING_SETUP, 7)), {"rx_timing_request.delay": 7}),
)
_UP = (
    (bytes((maccmd.LINK_CHECK,)), {}),
    (
        bytes((maccmd.LINK_ADR, 5)),
        {"link_adr_response.txpower": 1, ".datarate": 0, ".channelmask": 1},
    ),
    (bytes((maccmd.RX_PARAM_SETUP, 3)), {"rx_setup_response.rx1droffset": 0, ".frequency": 1}),
    (bytes((maccmd.DEV_STATUS, 254, 0x1F)), {"device_status_response.battery": 254}),
    (bytes((maccmd.NEW_CHANNEL, 2)), {"new_channel_response.datarate": 1, ".frequency": 0}),
    (bytes((maccmd.RX_TIMING_SETUP,)), {}),
)


@pytest.mark.parametrize("place", ["options", "port 0"])
@pytest.mark.parametrize("direction", ["up", "down"])
def test_mac_commands(direction, place):
    table, mtype = (_UP, 2) if direction == "up" else (_DOWN, 3)
    frames = [
        _data(mtype, fopts=stream) if place == "options" else _data(mtype, port=0, payload=stream)
        for stream, _ in table
    ]
    for layer, (stream, wanted) in zip(_read(frames, *_ROWS), table, strict=True):
        assert (layer.problems, layer.get("lorawan.mic.status")) == ([], _GOOD)
        assert layer.all(f"lorawan.mac_command_{direction}link") == [str(stream[0])]
        name = ""
        for key, value in wanted.items():
            name = name.split(".")[0] + key if key.startswith(".") else key
            assert int(layer.get("lorawan." + name)) == value, name


def test_joins():
    euis = bytes.fromhex("70b3d57ed0000001"), bytes.fromhex("0004a30b001c0530")
    request = phy.pack_join_request(*euis, 0x0203, _APP)
    frames = [request]
    for cf_list in (b"", bytes(range(15)) + b"\x00"):
        accept = phy.JoinAccept(0x030201, 0x13, _ADDR, 0x25, 5, cf_list)
        frames.append(_opened(phy.pack_join_accept(accept, _APP), _APP))
    layers = _read(frames, _keys(_ADDR, _NWK, _APP, euis[0]))
    assert [layer.problems for layer in layers] == [[], [], []]
    assert [layer.get("lorawan.mic.status") for layer in layers] == [_GOOD] * 3
    asked, short, long = layers
    assert asked.bytes("lorawan.join_request.appeui") == euis[0]
    assert asked.bytes("lorawan.join_request.deveui") == euis[1]
    assert asked.bytes("lorawan.join_request.devnonce") == b"\x03\x02"
    assert "lorawan.join_accept.cflist" not in short.fields
    assert long.bytes("lorawan.join_accept.cflist") == frames[2][13:29]
    for layer in (short, long):
        shown = {n: layer.get("lorawan.join_accept." + n) for n in ("devaddr", "rxdelay")}
        assert {n: int(v, 0) for n, v in shown.items()} == {"devaddr": _ADDR, "rxdelay": 5}
        assert layer.bytes("lorawan.join_accept.appnonce") == b"\x01\x02\x03"
        assert layer.bytes("lorawan.join_accept.netid") == b"\x13\x00\x00"
        assert layer.get("lorawan.join_accept.rx1droffset") == "2"
        assert layer.get("lorawan.join_accept.rx2datarate") == "5"


def _opened(accept: bytes, key: bytes) -> bytes:
    """The join-accept as a device sees it."""
    ciphers = pytest.importorskip(
        "cryptography.hazmat.primitives.ciphers", reason="cryptography is not installed"
    )
    aes = ciphers.Cipher(ciphers.algorithms.AES(key), ciphers.modes.ECB()).encryptor()
    return accept[:1] + aes.update(accept[1:])


# A whole run


@pytest.fixture(scope="module")
def air(tmp_path_factory):
    """(all that was on the air, sessions by address) of an OTAA device and an ABP one."""
    return asyncio.run(_run(tmp_path_factory.mktemp("air")))


async def _run(folder: Path):
    from lorawan_site import FarmSite

    site = FarmSite(folder, 4)
    bursts: list = []
    add = site.channel.add
    site.channel.add = lambda burst: (bursts.append(burst), add(burst))
    site.world.add_gateway(bytes(7) + b"\x01", Place(0, 0))
    try:
        for i in (0, 3):
            await site.start(i, Place(40 + i, 0), records=12, wait_s=7 * i)
        world = site.world
        await world.run(world.now_us / 1e6 + 12 * 3600, lambda: len(site.results()) == 2)
        assert set(site.results()) == {"bed-0", "bed-3"}
        return [b.data for b in bursts], {s.dev_addr: s for s in site.database.all_sessions()}
    finally:
        await site.close()


def test_a_run_of_two_devices(air):
    """Each data message up and down: MIC, counter and payload as our own reader finds them."""
    frames, sessions = air
    data = [f for f in frames if phy.mtype(f) in range(2, 6)]
    shown = [f for f in data if phy.unpack_data(f).port is not None]
    rows = [_keys(addr, *session.keys) for addr, session in sessions.items()]
    counts = {phy.UNCONFIRMED_UP: 0, phy.UNCONFIRMED_DOWN: 0}
    for frame, layer in zip(shown, _read(shown, *rows), strict=True):
        ours = phy.unpack_data(frame)
        phy.decrypt(ours, ours.fcnt, *sessions[ours.dev_addr].keys)
        assert (layer.problems, layer.get("lorawan.mic.status")) == ([], _GOOD), frame.hex()
        assert int(layer.get("lorawan.fhdr.fcnt")) == ours.fcnt
        assert layer.bytes("lorawan.frmpayload_decrypted") == ours.payload
        direction = "down" if ours.direction == crypto.DOWN else "up"
        told = layer.all(f"lorawan.mac_command_{direction}link")
        known = [c for c, _ in maccmd.split(ours.fopts, ours.direction)]
        assert [int(c) for c in told] == known[: len(told)]
        counts[ours.mtype] = counts.get(ours.mtype, 0) + 1
    assert all(count >= 3 for count in counts.values()), counts
    assert len(data) - len(shown) < len(data) / 2, "most messages had no port"


def test_the_join_of_that_run(air):
    frames, sessions = air
    accepts = [f for f in frames if phy.mtype(f) == phy.JOIN_ACCEPT]
    requests = [f for f in frames if phy.mtype(f) == phy.JOIN_REQUEST]
    key, join_eui = bytes(16), (7).to_bytes(8, "big")  # of bed-0 in lorawan_site
    (addr,) = [addr for addr, session in sessions.items() if session.device == "bed-0"]
    opened = [_opened(accept, key) for accept in accepts]
    layers = _read(requests + opened, _keys(addr, key, key, join_eui))
    assert len(requests) >= 1 and len(accepts) >= 1
    assert [layer.get("lorawan.mic.status") for layer in layers] == [_GOOD] * len(layers)
    assert int(layers[-1].get("lorawan.join_accept.devaddr"), 16) == addr
