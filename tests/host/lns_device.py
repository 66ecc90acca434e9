"""A device as the network server sees it: builds uplinks, opens downlinks. No radio, no time."""

import hedgerow.lns  # noqa: F401  brings AES
from hedge.net.lorawan import crypto, phy
from hedgerow.lns.devices import Site, site_of
from hedgerow.lns.semtech import Rx

KEY = bytes(range(16))
EUI = bytes.fromhex("0000000000000001")
JOIN_EUI = bytes.fromhex("0000000000000007")
ADDR = 0x26010001
NWK, APP = b"n" * 16, b"a" * 16
GATEWAYS = (bytes(7) + b"\x01", bytes(7) + b"\x02")


def site(region: str = "EU868", **how) -> Site:
    """bed-1 joins, bed-2 is personalised."""
    rows = [
        {
            "name": "bed-1",
            "dev_eui": EUI.hex(),
            "join_eui": JOIN_EUI.hex(),
            "app_key": KEY.hex(),
        },
        {
            "name": "bed-2",
            "dev_addr": f"{ADDR:08x}",
            "nwk_s_key": NWK.hex(),
            "app_s_key": APP.hex(),
            **how,
        },
    ]
    return site_of({"region": region, "device": rows}, "test")


def rx(data: bytes, gateway: int = 0, *, snr_db: float = 5.0, sf: int = 7, **how) -> Rx:
    values = {"hz": 868100000, "bw_khz": 125, "rssi_dbm": -90.0, "tmst_us": 1_000_000, **how}
    return Rx(GATEWAYS[gateway], data, sf=sf, snr_db=snr_db, **values)


def join_request(nonce: int, key: bytes = KEY, eui: bytes = EUI) -> bytes:
    return phy.pack_join_request(JOIN_EUI, eui, nonce, key)


class Peer:
    """Keys and counters of one session; the personalised device's by default."""

    def __init__(self, addr: int = ADDR, keys: tuple[bytes, bytes] = (NWK, APP)):
        self.addr, self.keys = addr, keys
        self.fcnt = 0

    @classmethod
    def joined(cls, accept: bytes, nonce: int) -> "Peer":
        found = phy.unpack_join_accept(accept, KEY)
        keys = crypto.session_keys(KEY, found.join_nonce, found.net_id, nonce)
        return cls(found.dev_addr, keys)

    def up(self, port: int | None = None, body: bytes = b"", **how) -> bytes:
        """The next uplink; fcnt, options, flags, confirmed may be given."""
        fcnt = how.get("fcnt", self.fcnt)
        self.fcnt = fcnt + 1
        mtype = phy.CONFIRMED_UP if how.get("confirmed") else phy.UNCONFIRMED_UP
        flags = how.get("flags", 0)
        message = phy.Data(mtype, self.addr, flags, fcnt, how.get("options", b""), port, body)
        return phy.pack_data(message, *self.keys)

    def open(self, data: bytes, fcnt: int) -> phy.Data:
        """A downlink, verified and decrypted."""
        message = phy.unpack_data(data)
        assert phy.has_mic(data, message, fcnt, self.keys[0])
        phy.decrypt(message, fcnt, *self.keys)
        return message
