"""The join server: join-requests in, sessions and join-accepts out.

Source: LoRaWAN L2 1.0.4, section 6.2.
"""

import secrets

from hedge.core.errors import FrameError
from hedge.net.lorawan import crypto, phy
from hedge.net.lorawan.channels import Channels, cf_list
from hedge.net.lorawan.region import Region
from hedgerow.lns.database import Database, Session
from hedgerow.lns.devices import Device, Site
from hedgerow.lns.settle import EXTRA_HZ, RX2_RATE

_NET_ID = 0x000000  # private and experimental networks
_ADDRESS_BITS = 25


class JoinServer:
    def __init__(self, site: Site, region: Region, database: Database):
        self._site = site
        self._region = region
        self._database = database
        self._devices = {device.dev_eui: device for device in site.devices if device.joins}

    def join(self, data: bytes) -> tuple[Session, bytes]:
        """(session, join-accept), committed. Raises FrameError saying why the device may not join.

        A DevNonce that is not above the last one is a replay: an answer to it would cut a device
        off that is well.
        """
        join_eui, dev_eui, dev_nonce = phy.unpack_join_request(data)
        device = self._devices.get(bytes(dev_eui))
        if device is None or bytes(join_eui) != device.join_eui:
            raise FrameError(f"no device {bytes(dev_eui).hex()} with JoinEUI {join_eui.hex()}")
        if not phy.has_join_mic(data, device.app_key):
            raise FrameError(f"{device.name}: join with a wrong key")
        last_nonce, join_nonce = self._database.nonces(device.name)
        if dev_nonce <= last_nonce:
            raise FrameError(f"{device.name}: DevNonce {dev_nonce} replayed, last {last_nonce}")
        return self._accept(device, dev_nonce, join_nonce + 1)

    def _accept(self, device: Device, dev_nonce: int, join_nonce: int) -> tuple[Session, bytes]:
        region = self._region
        accept = phy.JoinAccept(
            join_nonce,
            _NET_ID,
            self._free_address(),
            RX2_RATE.get(region.name, region.rx2_rate),
            self._site.rx1_delay_s,
            self._cf_list(),
        )
        keys = crypto.session_keys(device.app_key, join_nonce, _NET_ID, dev_nonce)
        session = new_session(device.name, accept.dev_addr, keys, region, self._mask())
        session.rx1_delay_s = self._site.rx1_delay_s
        session.rx2_rate = accept.dl_settings & 0x0F
        with self._database.transaction():
            self._database.put_nonces(device.name, dev_nonce, join_nonce)
            self._database.put(session, pending=True)
        return session, bytes(phy.pack_join_accept(accept, device.app_key))

    def _free_address(self) -> int:
        taken = self._database.addresses()
        while True:
            address = secrets.randbits(_ADDRESS_BITS)
            if address not in taken:
                return address

    def _cf_list(self) -> bytes:
        if self._region.fixed:
            mask: int = Channels(self._region, self._site.sub_band).mask
            return mask.to_bytes(10, "little") + bytes(5) + b"\x01" if self._site.sub_band else b""
        extra = EXTRA_HZ.get(self._region.name)
        return bytes(cf_list(extra)) if extra else b""

    def _mask(self) -> int:
        channels = Channels(self._region, self._site.sub_band)
        channels.take_cf_list(self._cf_list())
        return int(channels.mask)


def new_session(
    device: str, dev_addr: int, keys: tuple[bytes, bytes], region: Region, mask: int
) -> Session:
    """A session with the region's defaults."""
    nwk_s_key, app_s_key = keys
    return Session(
        device,
        dev_addr,
        nwk_s_key.hex(),
        app_s_key.hex(),
        region.name,
        rx2_hz=region.rx2_hz,
        rx2_rate=region.rx2_rate,
        mask=mask,
    )
