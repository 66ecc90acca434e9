"""The network server: packets that gateways heard in, records out, downlinks planned. No sockets.

    server = NetworkServer(site, database, records)
    plan = await server.receive(heard, arrived_s)      # all gateways' copies of one packet
    # send plan.options[0]; if the gateway cannot, the next one: they carry the same bytes

Everything is committed before the plan is returned. Source: LoRaWAN L2 1.0.4, RP002-1.0.4.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from hedge.core.errors import FrameError
from hedge.net.lorawan import bulk as wire
from hedge.net.lorawan import crypto, maccmd, payload, phy
from hedge.net.lorawan.channels import Channels
from hedge.net.lorawan.region import load
from hedgerow.lns import adr, commands, settle
from hedgerow.lns.bulk import Transfer
from hedgerow.lns.database import Database, Session
from hedgerow.lns.devices import Device, Site
from hedgerow.lns.gateways import Gateway, best_first, rest_s
from hedgerow.lns.joins import JoinServer, new_session
from hedgerow.lns.records import Records
from hedgerow.lns.semtech import Rx, Tx

_log = logging.getLogger("hedgerow.lns")

_FCNT_MAX = 0xFFFFFFFF
_MOST_GATEWAYS = 256  # a site has one to five
_JOIN_DELAY_S = 5
_LEAD_S = 0.2  # a gateway wants a downlink this long before its time
_SHORT_REST_S = 10.0
_MOST_REPEATS = 14  # NbTrans is at most 15; more are somebody else's replays
_MOST_DBM = 27
_STRONG_PERMILLE = 100  # ETSI's 10 % band, 869.4 to 869.65 MHz, allows 500 mW


@dataclass
class Plan:
    """A downlink: (gateway, what it is to send), the best first. All carry the same message."""

    device: str
    options: list[tuple[Gateway, Tx]]


@dataclass
class Counts:
    """Of packets, after gateways' copies were joined."""

    uplinks: int = 0
    joins: int = 0
    repeats: int = 0
    refused: int = 0
    downlinks: int = 0
    unplanned: int = 0  # answers for which no gateway had time
    reasons: dict[str, int] = field(default_factory=dict)


class NetworkServer:
    """now_s: epoch seconds, for DeviceTime and rests; clock_s: for what is late."""

    def __init__(
        self,
        site: Site,
        database: Database,
        records: Records,
        *,
        now_s: Callable[[], float] = time.time,
        adr_history: int = adr.HISTORY,
    ):
        self.region = load(site.region)
        self.gateways: dict[bytes, Gateway] = {}
        self.counts = Counts()
        self.transfers: dict[str, Transfer] = {}
        self._rx1_delay_s = site.rx1_delay_s
        self._devices = {device.name: device for device in site.devices}
        self._database = database
        self._records = records
        self._now_s = now_s
        self._adr_history = adr_history
        self._joins = JoinServer(site, self.region, database)
        self._personalise(site)

    def _personalise(self, site: Site) -> None:
        """Sessions of activation by personalisation: from the file, with the counters we keep."""
        mask = Channels(self.region, site.sub_band).mask
        for device in [device for device in site.devices if not device.joins]:
            before = self._database.session(device.name)
            keys = (device.nwk_s_key, device.app_s_key)
            session = new_session(device.name, device.dev_addr, keys, self.region, int(mask))
            if before and (before.dev_addr, before.keys) == (device.dev_addr, keys):
                if before.is_in(self.region.name):
                    continue
                session.fcnt_up, session.fcnt_down = before.fcnt_up, before.fcnt_down
            with self._database.transaction():
                self._database.put(session)

    def gateway(self, eui: bytes) -> Gateway:
        """The gateway of that EUI; one that was never seen is added.

        Anyone can send datagrams with any EUI: of too many, one that never heard a packet goes.
        """
        found = self.gateways.get(eui)
        if found is None:
            if len(self.gateways) >= _MOST_GATEWAYS:
                gone = min(self.gateways.values(), key=lambda g: (g.uplinks > 0, g.last_seen_s))
                del self.gateways[gone.eui]
            found = self.gateways[eui] = Gateway(eui)
        return found

    async def receive(self, heard: list[Rx], arrived_s: float) -> Plan | None:
        """One packet in all its copies; arrived_s: when the first came in, in now_s seconds."""
        copies = best_first(heard)
        for rx in copies:
            self.gateway(rx.gateway).uplinks += 1
        try:
            if phy.mtype(copies[0].data) == phy.JOIN_REQUEST:
                return self._join(copies, arrived_s)
            return await self._uplink(copies, arrived_s)
        except FrameError as error:
            self._refuse(str(error))
            return None

    def _refuse(self, why: str) -> None:
        self.counts.refused += 1
        self.counts.reasons[why] = self.counts.reasons.get(why, 0) + 1
        if len(self.counts.reasons) > 100:
            self.counts.reasons.clear()
        _log.info("packet refused: %s", why)

    # Joins

    def _join(self, copies: list[Rx], arrived_s: float) -> Plan | None:
        self._rate(copies[0])  # before the join is counted as one
        session, accept = self._joins.join(copies[0].data)
        self.counts.joins += 1
        _log.info("%s joins as %08x", session.device, session.dev_addr)
        rx2 = (self.region.rx2_hz, self.region.rx2_rate)  # the device does not know ours yet
        return self._plan(session.device, copies, accept, arrived_s, _JOIN_DELAY_S, 0, rx2)

    # Uplinks

    async def _uplink(self, copies: list[Rx], arrived_s: float) -> Plan | None:
        rx = copies[0]
        message = phy.unpack_data(rx.data)
        if message.direction != 0:
            raise FrameError("a downlink, heard by a gateway")
        rate = self._rate(rx)
        found = self._owner(rx.data, message)
        if found is None:
            return None
        pending, session, again = found
        if again and not self._is_answered_again(session, message, arrived_s):
            return None
        self._note(session, rx, rate)
        stream = message.payload if message.port == 0 else message.fopts
        answers = commands.take(
            session,
            stream,
            snr_db=rx.snr_db,
            sf=rx.sf,
            gateways=len(copies),
            now_s=arrived_s,
        )
        port, body = (0, b"") if again else await self._application(session, message)
        return self._answer(session, message, copies, answers, port, body, arrived_s, pending)

    def _rate(self, rx: Rx) -> int:
        """Its data rate. Raises FrameError: a gateway may tell any."""
        rate: int | None = self.region.rate_of(rx.sf, rx.bw_khz)
        if rate is None:
            raise FrameError(f"SF{rx.sf}BW{rx.bw_khz} is no uplink rate of {self.region.name}")
        return rate

    def _owner(self, data: bytes, message: phy.Data) -> tuple[bool, Session, bool] | None:
        """(pending, session, again) whose keys verify it; its counter is taken, its payload
        decrypted. again: it is the latest uplink once more."""
        candidates = [
            found
            for found in self._database.sessions(message.dev_addr)
            if found[1].device in self._devices and found[1].is_in(self.region.name)
        ]
        for pending, session in candidates:
            nwk_s_key, app_s_key = session.keys
            last = session.fcnt_up
            fcnt = phy.full_fcnt(last, message.fcnt)
            if fcnt is not None and phy.has_mic(data, message, fcnt, nwk_s_key):
                phy.decrypt(message, fcnt, nwk_s_key, app_s_key)
                session.fcnt_up, session.repeats = fcnt, 0
                self.counts.uplinks += 1
                return pending, session, False
            if last < 0 or message.fcnt != last & 0xFFFF:
                continue
            if phy.has_mic(data, message, last, nwk_s_key):
                phy.decrypt(message, last, nwk_s_key, app_s_key)
                self.counts.repeats += 1
                return pending, session, True
        known = "wrong MIC or replayed" if candidates else "unknown address"
        self._refuse(f"{known} {message.dev_addr:08x}")
        return None

    def _is_answered_again(self, session: Session, message: phy.Data, arrived_s: float) -> bool:
        """Does the device send it again because our ack was lost? L2 1.0.4, 4.3.1.3 and 18.

        Before its second window has passed it does not: that is a gateway's late copy. What the
        message held was stored the first time.
        """
        windows_s = session.rx1_delay_s + 1
        if not message.confirmed or 0 <= arrived_s - session.last_seen_s < windows_s:
            return False
        session.repeats += 1
        return session.repeats <= _MOST_REPEATS

    def _note(self, session: Session, rx: Rx, rate: int) -> None:
        if session.rate != rate:  # a device that steps down has taken full power before
            session.rate, session.power, session.snrs = rate, 0, []
        adr.note(session, rx.snr_db)
        session.last_seen_s = self._now_s()
        session.last_gateway = rx.gateway.hex()

    async def _application(self, session: Session, message: phy.Data) -> tuple[int, bytes]:
        """(port, payload) of the answer, b"" for none."""
        if self._records.wants(session.device, message.port):
            body = await self._records.take(session.device, message.port, message.payload)
            return payload.PORT_RECORDS, body or b""
        transfer = self.transfers.get(session.device)
        if message.port == wire.PORT and transfer:
            transfer.take(message.payload)
        return 0, b""

    # Downlinks

    def _answer(
        self,
        session: Session,
        message: phy.Data,
        copies: list[Rx],
        answers: bytes,
        port: int,
        body: bytes,
        arrived_s: float,
        pending: bool,
    ) -> Plan | None:
        answers += self._adr(session, message)
        if not body:
            port, body = self._bulk(session)
        wanted = answers or body or message.confirmed or message.fctrl & phy.ADR_ACK_REQ
        data = b""
        if wanted:
            answers += settle.not_refused(
                session, settle.wanted(session, self.region, self._rx1_delay_s)
            )
            data = self._downlink(session, answers, port, body, ack=message.confirmed)
        with self._database.transaction():
            if pending:
                self._database.confirm(session)
            else:
                self._database.put(session)
        if not data:
            return None
        windows = (session.rx1_delay_s, session.rx1_offset, (session.rx2_hz, session.rx2_rate))
        return self._plan(session.device, copies, data, arrived_s, *windows)

    def _adr(self, session: Session, message: phy.Data) -> bytes:
        """LinkADRReq, if the device lets us and would gain by it."""
        if not message.fctrl & phy.ADR:
            return b""
        found = adr.target(session, self.region, self._adr_history)
        if found is None:
            return b""
        session.asked = list(found)
        return commands.link_adr(session, self.region, *found)

    def _bulk(self, session: Session) -> tuple[int, bytes]:
        transfer = self.transfers.get(session.device)
        room = self.region.max_payload(self._down_rates(session)[0])
        body = transfer.next(room) if transfer else None
        return (wire.PORT, body) if body else (0, b"")

    def _down_rates(self, session: Session) -> tuple[int, int]:
        _, rx1_rate = self.region.rx1(0, 0, session.rate, session.rx1_offset)
        return rx1_rate, session.rx2_rate

    def _downlink(
        self, session: Session, options: bytes, port: int, body: bytes, *, ack: bool = False
    ) -> bytes:
        """The message, with the counter that it takes; what has no room in FOpts is left out.

        b"" when all counters are used: one that came twice would give its key stream away.
        """
        if session.fcnt_down > _FCNT_MAX:
            self._refuse(f"{session.device}: downlink counter used up, it must join anew")
            return b""
        transfer = self.transfers.get(session.device)
        flags = phy.ADR | (phy.ACK if ack else 0)
        flags |= phy.F_PENDING if transfer and transfer.active else 0
        options = _whole_commands(options)
        settle.sent(session, options)
        message = phy.Data(
            phy.UNCONFIRMED_DOWN,
            session.dev_addr,
            flags,
            session.fcnt_down,
            options,
            port if body else None,
            body,
        )
        session.fcnt_down += 1
        return bytes(phy.pack_data(message, *session.keys))

    def _plan(
        self,
        device: str,
        copies: list[Rx],
        data: bytes,
        arrived_s: float,
        delay_s: int,
        offset: int,
        rx2: tuple[int, int],
    ) -> Plan | None:
        """Windows and gateways that can carry it, in the order in which to try them."""
        now_s = self._now_s()
        options: list[tuple[float, Gateway, Tx]] = []
        rx1 = self._rx1(copies[0], offset)
        for after_s, (hz, rate) in ((delay_s, rx1), (delay_s + 1, rx2)):
            fits = len(data) - phy.OVERHEAD_BYTES <= self.region.max_payload(rate)
            if not fits or now_s - arrived_s > after_s - _LEAD_S:
                continue
            for rx in copies:
                tx = self._tx(data, hz, rate, (rx.tmst_us + after_s * 1_000_000) & 0xFFFFFFFF)
                gateway = self.gateway(rx.gateway)
                if gateway.address is not None and gateway.is_free(tx, self.region, now_s):
                    options.append((rest_s(tx, self.region), gateway, tx))
        if not options:
            self.counts.unplanned += 1
            _log.info("%s: no gateway has time for the answer", device)
            return None
        self.counts.downlinks += 1
        # RX1 first, unless it would silence the gateway's band for long: RX2's may have more.
        options.sort(key=lambda option: max(option[0], _SHORT_REST_S))
        return Plan(device, [(gateway, tx) for _, gateway, tx in options])

    def _rx1(self, rx: Rx, offset: int) -> tuple[int, int]:
        rate = self.region.rate_of(rx.sf, rx.bw_khz)
        channel = self.region.channel_of(rx.hz) or 0
        hz, down = self.region.rx1(rx.hz, channel, rate, offset)
        return int(hz), int(down)

    def _tx(self, data: bytes, hz: int, rate: int, tmst_us: int | None) -> Tx:
        sf, bw_khz = self.region.lora(rate)
        strong = self.region.duty_permille(hz) == _STRONG_PERMILLE
        power_dbm = _MOST_DBM if strong else min(self.region.plan["max_eirp_dbm"] - 2, _MOST_DBM)
        return Tx(data, hz, sf, bw_khz, power_dbm, tmst_us)

    def reserve(self, gateway: Gateway, tx: Tx) -> None:
        """This option is being sent."""
        gateway.reserve(tx, self.region, self._now_s())

    # From outside

    def send_bulk(self, device: str, data: bytes, size: int) -> Transfer:
        """Begin a transfer in fragments of size bytes. Raises ValueError: too many."""
        transfer = Transfer(data, size)
        self.transfers[device] = transfer
        return transfer

    def device(self, name: str) -> Device | None:
        return self._devices.get(name)

    def plan_class_c(self, name: str) -> Plan | None:
        """What a class C device is owed now: the next fragment, on RX2, at once."""
        session = self._database.session(name)
        transfer = self.transfers.get(name)
        device = self._devices.get(name)
        if session is None or transfer is None or device is None or not device.class_c:
            return None
        gateway = self.gateways.get(bytes.fromhex(session.last_gateway))
        if gateway is None or gateway.address is None:
            return None
        if transfer.state == "asking":
            return None  # the answer must come up first: it is asked in a receive window
        tx = self._tx(b"", session.rx2_hz, session.rx2_rate, None)
        if not gateway.is_free(tx, self.region, self._now_s()):
            return None
        body = transfer.next(self.region.max_payload(session.rx2_rate))
        if body is None:
            return None
        data = self._downlink(session, b"", wire.PORT, body)
        if not data:
            return None
        with self._database.transaction():
            self._database.put(session)
        tx = self._tx(data, session.rx2_hz, session.rx2_rate, None)
        return Plan(name, [(gateway, tx)])


def _whole_commands(options: bytes) -> bytes:
    """As many whole commands as FOpts holds."""
    out = b""
    for command, body in maccmd.split(options, crypto.DOWN):
        if len(out) + 1 + len(body) > phy.MAX_FOPTS_BYTES:
            break
        out += bytes((command,)) + body
    return out
