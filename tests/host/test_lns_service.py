"""The network server on real sockets: gateways over UDP, the intake, brokers, ChirpStack."""

import asyncio
import base64
import contextlib
import dataclasses
import json
import sqlite3
import sys
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from lns_device import EUI, GATEWAYS, Peer, join_request, rx, site
from paho.mqtt.enums import CallbackAPIVersion

from hedge.net.lorawan import payload
from hedge.wire import ack, senml
from hedgerow.errors import GatewayError
from hedgerow.gateway import Gateway, GatewayConfig
from hedgerow.gateway.mqtt import BrokerAddress
from hedgerow.lns import semtech
from hedgerow.lns.broker import BrokerSession
from hedgerow.lns.chirpstack import ChirpStack, Event
from hedgerow.lns.database import Database
from hedgerow.lns.forward import to_intake
from hedgerow.lns.records import Records
from hedgerow.lns.run import LnsOptions, serve
from hedgerow.lns.service import LnsService

sys.path.append(str(Path(__file__).resolve().parent.parent / "interop"))

from ports import free_udp_port

RECORD = senml.encode(1760000000, [("soil.vwc", "%", 23.4)])
_WAIT_S = 90.0


def _records(seq=1):
    return payload.compose(payload.Entry(3, 1, seq, 1, [RECORD]), 222, ())[0]


class Forwarder(asyncio.DatagramProtocol):
    """A packet forwarder: what it gets goes into a queue."""

    def __init__(self, eui):
        self.eui = eui
        self.got = asyncio.Queue()

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.got.put_nowait(data)

    @classmethod
    @contextlib.asynccontextmanager
    async def at(cls, port, eui):
        loop = asyncio.get_running_loop()
        where = ("127.0.0.1", port)
        transport, self = await loop.create_datagram_endpoint(lambda: cls(eui), remote_addr=where)
        try:
            transport.sendto(semtech.pull_data(b"pd", eui))
            assert await self.next() == b"\x02pd\x04"
            yield self
        finally:
            transport.close()

    async def next(self):
        return await asyncio.wait_for(self.got.get(), _WAIT_S)

    def heard(self, data, **how):
        number = GATEWAYS.index(self.eui)
        self.transport.sendto(semtech.push_data(b"up", self.eui, [rx(data, number, **how)]))

    async def down(self):
        """The next packet to send."""
        while True:
            found = semtech.unpack(await self.next())
            if found.kind == semtech.PULL_RESP:
                return found.tx


@contextlib.asynccontextmanager
async def _farm(tmp_path, **config):
    settings = {"db": tmp_path / "farm.db", "http_port": 0, "mqtt_port": 0, "broker": "python"}
    async with Gateway(GatewayConfig(**settings | config)) as gateway:
        yield gateway


async def _stored(gateway, device, count):
    end = asyncio.get_running_loop().time() + _WAIT_S
    while True:
        row = gateway.runtime.ingest._connection.execute(
            "SELECT count(*) FROM record WHERE device = ?", (device,)
        ).fetchone()
        if row[0] == count:
            return
        assert asyncio.get_running_loop().time() < end, f"{row[0]} records of {device}"
        await asyncio.sleep(0.05)


def test_join_and_records_over_udp_into_the_store(tmp_path):
    """Two gateways hear each packet; one answers; the record is in the store once."""

    async def play():
        database = Database(tmp_path / "lns.db")
        async with _farm(tmp_path) as gateway:
            submit = to_intake(gateway.runtime.intake)
            # The longest delay there is: this computer may stand still for seconds.
            slow = dataclasses.replace(site(), rx1_delay_s=15)
            service = LnsService(slow, database, submit, host="127.0.0.1", port=0)
            async with (
                service,
                Forwarder.at(service.port, GATEWAYS[0]) as near,
                Forwarder.at(service.port, GATEWAYS[1]) as far,
            ):
                for forwarder, snr_db in ((far, -2.0), (near, 7.0)):
                    forwarder.heard(join_request(0), snr_db=snr_db)
                peer = Peer.joined((await near.down()).data, 0)
                data = peer.up(1, _records())
                for forwarder, snr_db in ((far, 3.0), (near, -5.0)):
                    forwarder.heard(data, snr_db=snr_db)
                tx = await far.down()
                full, _ = payload.unpack_ack(peer.open(tx.data, 0).payload)
                assert ack.unpack(full)[2] == [(3, 1, 1)]
                assert tx.tmst_us == 16_000_000  # RX1 of what was heard at 1 s
                await _stored(gateway, "bed-1", 1)
                assert "gateways 2, uplinks 1, joins 1, stored 1" in service.status()
        database.close()

    asyncio.run(play())


def test_junk_on_the_socket(tmp_path):
    async def play():
        database = Database(tmp_path / "lns.db")

        async def submit(device, data):
            raise GatewayError("no")

        async with (
            LnsService(site(), database, submit, host="127.0.0.1", port=0) as service,
            Forwarder.at(service.port, GATEWAYS[0]) as forwarder,
        ):
            for size in (0, 1, 3, 11, 12, 60000):
                forwarder.transport.sendto(bytes(size))
            forwarder.heard(b"\xff" * 20)
            forwarder.heard(join_request(0))
            assert (await forwarder.down()).data
            with pytest.raises(GatewayError, match="choose another --port"):
                taken = ("127.0.0.1", service.port)
                async with LnsService(site(), database, submit, host=taken[0], port=taken[1]):
                    pass
        database.close()

    asyncio.run(play())


def test_a_database_that_cannot_be_written_does_not_end_class_c(tmp_path, monkeypatch):
    monkeypatch.setattr("hedgerow.lns.service._CLASS_C_S", 0.01)
    rounds = []

    def busy(device):
        rounds.append(device)
        raise sqlite3.OperationalError("database or disk is full")

    async def run():
        database = Database(tmp_path / "lns.db")
        submit = None  # no record comes
        async with LnsService(site(**{"class": "C"}), database, submit, port=0) as service:
            service.front.class_c = busy
            async with asyncio.timeout(_WAIT_S):
                while len(rounds) < 3:
                    await asyncio.sleep(0.01)
        database.close()

    asyncio.run(run())
    assert set(rounds) == {"bed-2"}


def test_command_over_a_broker(tmp_path):
    """`hedgerow lns`: frames go to the gateway by MQTT and its acks come back in time for RX1."""

    async def play():
        stop, said = asyncio.Event(), []
        async with _farm(tmp_path) as gateway:
            address = BrokerAddress(gateway.mqtt_host, gateway.mqtt_port)
            options = LnsOptions(
                tmp_path / "lns.db", address, site(), "127.0.0.1", free_udp_port()
            )
            task = asyncio.create_task(serve(options, said.append, stop))
            while not said:
                assert not task.done(), "it ended"
                await asyncio.sleep(0.02)
            async with Forwarder.at(options.port, GATEWAYS[0]) as forwarder:
                peer = Peer()
                tx = None
                for seq in range(1, 30):  # until the session with the broker stands
                    forwarder.heard(peer.up(1, _records(seq)))
                    with contextlib.suppress(TimeoutError):
                        tx = await asyncio.wait_for(forwarder.down(), 1.0)
                        break
                assert tx
                assert payload.unpack_ack(peer.open(tx.data, 0).payload)[0]
            stop.set()
            await task
        assert said[0].startswith("EU868, 2 devices, gateways at udp")

    asyncio.run(play())


def test_two_servers_at_one_broker_leave_each_other_alone(tmp_path):
    async def run():
        async with _farm(tmp_path) as gateway:
            address = BrokerAddress(gateway.mqtt_host, gateway.mqtt_port)
            got = [asyncio.Queue(), asyncio.Queue()]
            sessions = [
                BrokerSession(
                    address, "hedgerow-lns", ["hedge/+/ack"], lambda *m, q=q: q.put_nowait(m)
                )
                for q in got
            ]
            for session in sessions:
                session.start()
            async with asyncio.timeout(_WAIT_S):
                while not all(session.ready for session in sessions):
                    await asyncio.sleep(0.02)
                for n in range(20):  # a session that was thrown out would miss one
                    sessions[n % 2].publish("hedge/bed-1/ack", bytes((n,)))
                    assert {(await q.get())[1] for q in got} == {bytes((n,))}
            for session in sessions:
                session.close()

    asyncio.run(run())


def test_chirpstack_events_in_and_commands_out(tmp_path):
    """Its MQTT integration, JSON as version 4 writes it."""
    eui = EUI.hex()
    event = {
        "deduplicationId": "6d9c1a1c-5b5e-4a77-8d5f-0a1a3c1c1c1c",
        "time": "2025-01-01T00:00:00Z",
        "deviceInfo": {"applicationId": "1234", "deviceName": "Bed 1", "devEui": eui},
        "devAddr": "26010001",
        "fCnt": 1,
        "fPort": 1,
        "data": base64.b64encode(_records()).decode(),
    }

    async def play():
        stop, said = asyncio.Event(), []
        commands = asyncio.Queue()
        loop = asyncio.get_running_loop()
        async with _farm(tmp_path) as gateway:
            address = BrokerAddress(gateway.mqtt_host, gateway.mqtt_port)
            peer = paho.Client(CallbackAPIVersion.VERSION2, client_id="chirpstack")
            peer.on_connect = lambda client, *_: client.subscribe("application/#", 1)
            peer.on_message = lambda _c, _u, m: loop.call_soon_threadsafe(
                commands.put_nowait, (m.topic, m.payload)
            )
            peer.connect(address.host, address.port)
            peer.loop_start()
            options = LnsOptions(tmp_path / "lns.db", address, site(), chirpstack=address)
            task = asyncio.create_task(serve(options, said.append, stop))
            topic = f"application/1234/device/{eui}/event/up"
            down = f"application/1234/device/{eui}/command/down"
            try:
                body = await _command(peer, topic, event, commands, down)
            finally:
                peer.disconnect()
                peer.loop_stop()
                stop.set()
                await task
            await _stored(gateway, "bed-1", 1)
        assert body["devEui"] == eui
        assert (body["fPort"], body["confirmed"]) == (1, False)
        full, resync = payload.unpack_ack(base64.b64decode(body["data"]))
        assert (ack.unpack(full)[2], resync) == ([(3, 1, 1)], False)

    asyncio.run(play())


async def _command(peer, topic, event, commands, down):
    end = asyncio.get_running_loop().time() + _WAIT_S
    while asyncio.get_running_loop().time() < end:
        peer.publish(topic, b"junk", qos=1)
        peer.publish(topic, json.dumps(event), qos=1)  # again: ChirpStack's QoS 1 may repeat
        with contextlib.suppress(TimeoutError):
            while True:
                name, data = await asyncio.wait_for(commands.get(), 1.0)
                if name == down:
                    return json.loads(data)
    raise AssertionError("no command")


def test_a_name_that_is_no_nodes_is_told_once(tmp_path, caplog):
    async def run():
        records = Records(Database(tmp_path / "lns.db"), None)
        stack = ChirpStack(BrokerAddress("127.0.0.1", 1), records, {})
        for port, eui in ((1, "0a"), (1, "0a"), (99, "0b")):
            event = {"deviceInfo": {"deviceName": "Bed 1"}, "fPort": port, "data": ""}
            stack._event(f"application/a/device/{eui}/event/up", json.dumps(event).encode())
        return stack

    assert asyncio.run(run()).ignored == 3
    assert [r.getMessage()[:43] for r in caplog.records] == [
        "messages of 0a ignored: its name in ChirpSt"
    ]


@pytest.mark.parametrize("data", [b"", b"7", b"{", b'{"data":"!"}', b"[" * 5000])
def test_events_that_are_none(data):
    with pytest.raises(ValueError):
        Event("application/a/device/b/event/up", data)


def test_an_event_on_another_topic():
    with pytest.raises(ValueError, match="topic"):
        Event("application/a", b"{}")
