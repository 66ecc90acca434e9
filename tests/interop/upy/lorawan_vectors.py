"""Checks hedge.net.lorawan against published vectors; runs under both Pythons.

    micropython lorawan_vectors.py brocaar_vectors.json lora_packet_generated.json

Prints one line of counts: data, join-requests, join-accepts, codings.
"""

import json
import sys
from binascii import hexlify, unhexlify

from hedge.net.lorawan import crypto, frag, phy


def _hex(data):
    return hexlify(data).decode()


def check_data(row):
    """One uplink or downlink of `data10`, packed and unpacked. AssertionError if not equal."""
    nwk, app = unhexlify(row["nwkskey"]), unhexlify(row["appskey"])
    plain = unhexlify(row["payload"]) if "payload" in row else row["payload_ascii"].encode()
    up, fcnt = row.get("up", True), row["fcnt"]
    mtype = (2 if up else 3) + (
        2 if row.get("conf") or ("up" not in row and _is_confirmed(row)) else 0
    )
    fctrl = _fctrl(row, up)
    addr = int(row["devaddr"], 16)
    message = phy.Data(
        mtype, addr, fctrl, fcnt, unhexlify(row["fopts"]) if row.get("fopts") else b""
    )
    message.port = row["fport"]
    message.payload = plain
    if message.port == 0 and message.fopts:
        # lora-packet writes it; LoRaWAN 1.0.4 section 4.3.1.6 forbids it, so a reader refuses it.
        _refused(unhexlify(row["phy"]))
        return 0
    packed = phy.pack_data(message, nwk, app)
    assert _hex(packed) == row["phy"], (row, _hex(packed))
    found = phy.unpack_data(packed)
    assert phy.has_mic(packed, found, fcnt, nwk)
    assert not phy.has_mic(packed, found, fcnt ^ 0x10000, nwk)
    phy.decrypt(found, fcnt, nwk, app)
    assert (found.payload, found.port, found.dev_addr) == (plain, row["fport"], addr)
    assert (found.mtype, found.fctrl & 0xF0, found.fopts) == (mtype, fctrl, message.fopts)
    return 1


def _is_confirmed(row):
    return unhexlify(row["phy"])[0] >> 5 == phy.CONFIRMED_UP


def _fctrl(row, up):
    flags = phy.ADR if row.get("adr") else 0
    flags |= phy.ACK if row.get("ack") else 0
    if up:
        return flags | (phy.ADR_ACK_REQ if row.get("adrackreq") else 0)
    return flags | (phy.F_PENDING if row.get("fpending") else 0)


def _refused(data):
    from hedge.core.errors import FrameError

    try:
        phy.unpack_data(data)
    except FrameError:
        return
    raise AssertionError("not refused")


def check_join_request(row):
    key = unhexlify(row["appkey"])
    euis = unhexlify(row["joineui"]), unhexlify(row["deveui"])
    nonce = int(row["devnonce"], 16)
    packed = phy.pack_join_request(euis[0], euis[1], nonce, key)
    assert _hex(packed) == row["phy"]
    assert phy.unpack_join_request(packed) == (euis[0], euis[1], nonce)
    assert phy.has_join_mic(packed, key)
    return 1


def check_join_accept(row):
    key = unhexlify(row["appkey"])
    data = unhexlify(row["phy"])
    found = phy.unpack_join_accept(data, key)
    wanted = [int(row[name], 16) for name in ("joinnonce", "netid", "devaddr")]
    assert [found.join_nonce, found.net_id, found.dev_addr] == wanted
    assert (found.dl_settings, found.rx_delay_s) == (row["dlsettings"], row["rxdelay"])
    assert _hex(found.cf_list) == row["cflist"]
    assert phy.pack_join_accept(found, key) == data
    nonce = int(row["devnonce"], 16)
    keys = crypto.session_keys(key, found.join_nonce, found.net_id, nonce)
    assert [_hex(k) for k in keys] == [row["nwkskey"], row["appskey"]]
    return 1


def check_coding(row):
    """TS004's forward error correction, as brocaar/lorawan encodes bytes 0..99."""
    size = row["fragment_size"]
    data = bytes(range(100))
    count = len(data) // size
    wanted = [unhexlify(text) for text in row["fragments"]]
    found = [frag.fragment(data, size, n + 1) for n in range(count + row["redundancy"])]
    assert [bytes(f) for f in found] == wanted
    return len(wanted)


def main(brocaar_path, generated_path):
    with open(brocaar_path) as file:
        brocaar = json.load(file)
    with open(generated_path) as file:
        generated = json.load(file)
    rows = brocaar["data10"] + generated["data10"]
    counts = {
        "data": sum([check_data(row) for row in rows]),
        "forbidden": len([r for r in rows if r["fport"] == 0 and r.get("fopts")]),
        "join_request": sum([check_join_request(row) for row in generated["join_request"]]),
        "join_accept": sum([check_join_accept(row) for row in generated["join_accept10"]]),
        "fragments": check_coding(brocaar["fragmentation_encode"]),
    }
    print(json.dumps(counts))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
