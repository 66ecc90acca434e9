"""What a LoRaWAN device must not forget: nonces, keys, counters, what the network configured.

DESIGN: counters are journaled before the radio uses them, so no DevNonce and no uplink counter is
ever used twice, whenever the power fails. Blocks keep the flash alive: one write per UP_BLOCK
uplinks and per NONCE_BLOCK joins; a reset skips what is left of a block. The downlink counter
cannot be reserved ahead: it is written at each accepted downlink, before the downlink acts.
"""

from ...core import log
from ...core.errors import LinkError
from .channels import Channels

UP_BLOCK = 32
NONCE_BLOCK = 4
_FCNT_MAX = 0xFFFFFFFF
_NONCE_MAX = 0xFFFF
USED_UP = (
    "lorawan: all 2**32 uplink counters of this session are used: OTAA joins anew, ABP needs "
    "another dev_addr, nwk_s_key and app_s_key, here and at the network"
)
_LOST_UPS = 32 * UP_BLOCK  # more saves than that do not lie in one sector of a region
_MOST_DOUBLINGS = 11  # 4,095 nonces on: more than a device's life holds joins


def _nothing():
    pass


class Session:
    """State over a hedge.store.KV (any object with get, set, save).

    fcnt_down: -1 before the first downlink. rate, power: of uplinks. joined: there are keys.
    """

    def __init__(self, kv, region, sub_band=0):
        self.kv = kv
        self.before_block = _nothing  # called before a block of uplink counters is saved
        self._region = region
        self._sub_band = sub_band
        self._up_limit = kv.get("up", 0)
        self._nonce = self._nonce_limit = kv.get("dev_nonce", 0)
        self._fails = 0
        self.join_nonce = kv.get("join_nonce", -1)
        self.joined = False
        self.reset()
        saved = kv.get("session")
        if saved:
            self._restore(saved, saved.get("region", region.name) == region.name)

    def reset(self):
        """The region's defaults, no keys. Nonces and counters stay."""
        region = self._region
        self.channels = Channels(region, self._sub_band)
        self.rate = region.plan["join_rates"][0]
        self.power = 0
        self.nb_trans = 1
        self.rx1_offset = 0
        self.rx1_delay_s = 1
        self.rx2_hz, self.rx2_rate = region.rx2_hz, region.rx2_rate
        self.dwell = self.down_dwell = region.dwell
        self.max_eirp_dbm = region.plan["max_eirp_dbm"]
        self.duty_divider = 1
        self.dev_addr = 0
        self.nwk_s_key = self.app_s_key = b""
        self.fcnt_up, self.fcnt_down = 0, -1
        self.joined = False

    _SAVED = [
        "rate",
        "power",
        "nb_trans",
        "rx1_offset",
        "rx1_delay_s",
        "rx2_hz",
        "rx2_rate",
        "dwell",
        "down_dwell",
        "max_eirp_dbm",
        "duty_divider",
        "dev_addr",
        "nwk_s_key",
        "app_s_key",
    ]

    _KEYS = ["dev_addr", "nwk_s_key", "app_s_key"]

    def _restore(self, table, here):
        """here: in the region that it was in. In another its settings mean nothing, but whoever
        is given its keys again must not count from 0 again.
        """
        for name in self._SAVED if here else self._KEYS:
            if name in table:  # an older firmware knew fewer
                setattr(self, name, table[name])
        if here:
            self.channels.restore(table["channels"])
        self.fcnt_up = self._up_limit  # what was left of the block may have been sent
        if self.kv.may_be_old:
            self.fcnt_up += _LOST_UPS
        self.fcnt_down = self.kv.get("down", -1)
        self.joined = here

    def save(self):
        """Write keys and settings; raises StoreError and leaves the file as it was."""
        table = {name: getattr(self, name) for name in self._SAVED}
        table["channels"] = self.channels.saved()
        table["region"] = self._region.name
        self.kv.set("session", table)
        self.kv.set("down", self.fcnt_down)
        self.kv.save()

    def forget(self):
        """Drop the session: the next thing is a join."""
        self.kv.set("session", None)
        self.kv.save()
        self.reset()

    def keep_able_to_send(self):
        """If no channel takes the data rate, or it may not be used: the highest that one takes.

        If there is none at all: the region's own channels.
        """
        channels, region = self.channels, self._region
        for _ in range(2):
            if region.is_rate_up(self.rate, self.dwell) and channels.usable(self.rate):
                return
            for rate in range(region.plan["max_rate_up"], -1, -1):
                if region.is_rate_up(rate, self.dwell) and channels.usable(rate):
                    self.rate = rate
                    return
            channels.enable_defaults()

    # ---- counters ----

    def next_dev_nonce(self):
        """A DevNonce never given out before. Raises StoreError, LinkError when all are used.

        A device whose flash was wiped starts at 0 again, below what the join server has seen.
        Until its first accepted join it therefore doubles its first steps and passes that number.
        """
        nonce = self._nonce
        if nonce > _NONCE_MAX:
            raise LinkError("lorawan: DevNonces used up, register the device anew")
        lost = self.join_nonce < 0 and self._fails <= _MOST_DOUBLINGS
        step = 1 << self._fails if lost else 1
        self._fails += 1
        self._nonce = nonce + step
        if self._nonce > self._nonce_limit:
            self._nonce_limit = self._nonce - 1 + NONCE_BLOCK
            self.kv.set("dev_nonce", self._nonce_limit)
            self.kv.save()
        return nonce

    @property
    def is_used_up(self):
        """No uplink counter is left, and none may come twice: these keys have had their time."""
        return self.fcnt_up > _FCNT_MAX

    def next_fcnt_up(self):
        """The counter of a new uplink. Raises StoreError if it could not be journaled, LinkError
        if none is left: it does not begin anew under the same keys (1.0.4, section 4.3.1.5).
        """
        if self.is_used_up:
            raise LinkError(USED_UP)
        if self.fcnt_up >= self._up_limit:
            limit = self.fcnt_up + UP_BLOCK
            self.before_block()
            self.kv.set("up", limit)
            self.kv.save()
            self._up_limit = limit
        self.fcnt_up += 1
        return self.fcnt_up - 1

    def accept_down(self, fcnt):
        """A downlink with this full counter is about to act."""
        self.fcnt_down = fcnt
        self.kv.set("down", fcnt)
        self.kv.save()

    # ---- a new session ----

    def start(self, accept, keys):
        """Begin the session of a verified join-accept; keys: (NwkSKey, AppSKey)."""
        rate = self.rate
        self.reset()
        self.rate = rate
        self.channels.take_cf_list(accept.cf_list)
        self.dev_addr = accept.dev_addr
        self.nwk_s_key, self.app_s_key = keys
        self._take_dl_settings(accept.dl_settings >> 4 & 7, accept.dl_settings & 0x0F)
        self.rx1_delay_s = accept.rx_delay_s or 1
        self.join_nonce = accept.join_nonce
        self._fails = 0
        self.keep_able_to_send()
        self._begin()

    def _take_dl_settings(self, offset, rx2_rate):
        if self._region.is_rx(offset, rx2_rate):
            self.rx1_offset, self.rx2_rate = offset, rx2_rate
        else:
            text = "%s has no RX1 offset %d with RX2 data rate %d: its defaults are used"
            log.warn("lorawan", text, self._region.name, offset, rx2_rate)

    def start_abp(self, dev_addr, nwk_s_key, app_s_key):
        """Activation by personalisation; with the keys it had, the counters go on."""
        before = self.dev_addr, self.nwk_s_key, self.app_s_key
        same = before == (dev_addr, nwk_s_key, app_s_key)
        if self.joined and same:
            return
        counters = self.fcnt_up, self.fcnt_down
        self.reset()
        if same:
            self.fcnt_up, self.fcnt_down = counters
        self.dev_addr = dev_addr
        self.nwk_s_key, self.app_s_key = nwk_s_key, app_s_key
        self._begin()

    def _begin(self):
        self.joined = True
        self._up_limit = self.fcnt_up + UP_BLOCK  # in the one write that brings the new keys
        self.kv.set("up", self._up_limit)
        self.kv.set("join_nonce", self.join_nonce)
        self.save()
