"""Devices, gateways and a network server on one simulated air, in virtual time.

    world = World(front, channel, start_s)
    world.add_gateway(bytes(8), Place(0, 0))
    world.add_device("bed-3", Place(900, 200), command, environment, log)
    await world.run(until_s=7200, done=lambda: ...)

Each device is a process (device.py) that runs until it waits; then time jumps to what comes
first: a device's due time, the end of a transmission, the start of a downlink. The server is asked
through the datagrams of Semtech's protocol. One process at a time runs.
"""

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from hedgerow.emulate.lora.channel import Burst, Channel, Place
from hedgerow.lns import semtech
from hedgerow.lns.front import Front
from hedgerow.lns.semtech import Rx, Tx
from hedgerow.transport.unix_process import die_with_parent

_BACKHAUL_US = 30_000  # from a gateway to the server, or back
_DEDUPE_US = 150_000
_TMST_US = 0x7FF00000  # the gateways' counters are somewhere else
_TX_LEAD_US = 1_500  # a gateway needs this long to load its radio


class Gateway:
    """One packet forwarder. sent: (burst, virtual us) of downlinks."""

    def __init__(self, eui: bytes, place: Place):
        self.eui = eui
        self.place = place
        self.on = True
        self.planned: list[Burst] = []


class Device:
    """One process. until_us: when it wants to go on; receive window as (rate, opened, until)."""

    def __init__(self, name: str, place: Place):
        self.name = name
        self.place = place
        self.process: asyncio.subprocess.Process | None = None
        self.due_us: int | None = None
        self.base_us = 0  # virtual time at which its own clock began
        self.window: tuple[tuple[int, int, int], int, int | None] | None = None
        self.hearing: Burst | None = None
        self.event = ""
        self.told: list[str] = []  # what it reported with @P
        self.window_number = 0


class World:
    """now_us: virtual microseconds. airtime_us, sent: of uplinks, by device name.

    pace: awaited with the virtual microseconds of each moment before it comes, for devices that
    also have something to do in real time; None: as fast as it goes.
    """

    def __init__(self, front: Front | None, channel: Channel, start_s: int):
        self.front = front
        self.channel = channel
        self.start_s = start_s
        self.now_us = 0
        self.pace: Callable[[int], Awaitable[None]] | None = None
        self.gateways: list[Gateway] = []
        self.devices: dict[str, Device] = {}
        self.airtime_us: dict[str, int] = {}
        self.sent: dict[str, int] = {}
        self.sent_log: list[Burst] = []
        self._events: list[tuple[int, int, Callable]] = []
        self._number = itertools.count()

    def now_s(self) -> float:
        """Epoch seconds, for the server."""
        return self.start_s + self.now_us / 1e6

    def at(self, time_us: int, action: Callable) -> None:
        """Call (and await, if it is a coroutine function) action at a virtual time."""
        heapq.heappush(self._events, (time_us, next(self._number), action))

    def add_gateway(self, eui: bytes, place: Place) -> Gateway:
        gateway = Gateway(eui, place)
        self.gateways.append(gateway)
        self.at(self.now_us, lambda: self._datagram(semtech.pull_data(b"pl", eui), gateway))
        return gateway

    # Devices

    async def add_device(
        self,
        name: str,
        place: Place,
        command: Sequence[str],
        environment: dict[str, str],
        log: Path,
    ) -> Device:
        """Start a process now; the same name again is a restart after kill()."""
        device = self.devices.setdefault(name, Device(name, place))
        device.base_us, device.window, device.event = self.now_us, None, ""
        with log.open("ab") as errors:
            device.process = await asyncio.create_subprocess_exec(
                *command,
                env=environment,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                preexec_fn=die_with_parent,
            )
        await self._run_device(device)
        return device

    def kill(self, name: str) -> None:
        """A power cut."""
        device = self.devices[name]
        if device.process is not None and device.process.returncode is None:
            device.process.kill()
        device.due_us = device.window = None

    async def close(self) -> None:
        """End all processes."""
        for name in self.devices:
            self.kill(name)
        for device in self.devices.values():
            if device.process is not None:
                await device.process.wait()
                device.process.stdin.close()  # type: ignore[union-attr]

    async def _run_device(self, device: Device) -> None:
        """Let it run until it waits."""
        process = device.process
        assert process is not None
        assert process.stdout is not None
        device.due_us = None
        while True:
            line = (await process.stdout.readline()).decode(errors="replace").rstrip("\n")
            if not line:
                return  # it ended
            if not line.startswith("@"):
                device.told.append(line)
                continue
            word, _, rest = line[1:].partition(" ")
            if word == "W":
                device.due_us = device.base_us + int(rest) * 1000
                return
            _TAKE[word](self, device, rest.split())

    async def _wake(self, device: Device) -> None:
        process = device.process
        assert process is not None
        assert process.stdin is not None
        now_ms = (self.now_us - device.base_us) // 1000
        event, device.event = device.event, ""
        process.stdin.write(f"{now_ms} {event}\n".encode())
        await self._run_device(device)

    # The devices' radios

    def _transmit(self, device: Device, words: list[str]) -> None:
        hz, sf, bw_khz, dbm = (int(float(word)) for word in words[:4])
        data = bytes.fromhex(words[4])
        burst = Burst(data, hz, sf, bw_khz, dbm, device.place, self.now_us, False, device)
        self.channel.add(burst)
        self.sent_log.append(burst)
        device.window = None
        length_us = burst.end_us - burst.begin_us
        self.airtime_us[device.name] = self.airtime_us.get(device.name, 0) + length_us
        self.sent[device.name] = self.sent.get(device.name, 0) + 1
        self.at(burst.end_us, lambda: self._uplink_ended(device, burst))

    def _receive(self, device: Device, words: list[str]) -> None:
        hz, sf, bw_khz, timeout_ms = (int(word) for word in words)
        until_us = None if timeout_ms < 0 else self.now_us + timeout_ms * 1000
        device.window = ((hz, sf, bw_khz), self.now_us, until_us)
        device.window_number += 1
        number = device.window_number
        if until_us is not None:
            self.at(until_us, lambda: self._window_over(device, number))

    def _standby(self, device: Device, words: list[str]) -> None:
        device.window = None
        device.hearing = None

    def _report(self, device: Device, words: list[str]) -> None:
        device.told.append(" ".join(words))

    def _window_over(self, device: Device, number: int) -> None:
        if device.window is None or device.window_number != number or device.hearing:
            return
        device.window = None
        self._signal(device, "x")

    def _signal(self, device: Device, event: str) -> None:
        if device.due_us is not None:  # running
            device.event = event
            device.due_us = self.now_us

    # The gateways

    async def _uplink_ended(self, device: Device, burst: Burst) -> None:
        if device.process is not None and device.process.returncode is None:
            self._signal(device, f"t {(self.now_us - device.base_us) // 1000}")
        begun = False
        for gateway in self.gateways:
            busy = self.channel.is_sending(gateway, burst.begin_us, burst.end_us)
            found = None if busy or not gateway.on else self.channel.heard(burst, gateway.place)
            if found:
                self._forward(gateway, burst, *found)
                begun = True
        if begun:
            later_us = self.now_us + _BACKHAUL_US + _DEDUPE_US
            self.at(later_us, lambda: self._answer(burst.data))

    def _forward(self, gateway: Gateway, burst: Burst, rssi_dbm: float, snr_db: float) -> None:
        tmst_us = (self.now_us + _TMST_US) & 0xFFFFFFFF
        rate = (burst.hz, burst.sf, burst.bw_khz)
        rx = Rx(gateway.eui, burst.data, *rate, rssi_dbm, snr_db, tmst_us)
        data = semtech.push_data(b"pu", gateway.eui, [rx])
        self.at(self.now_us + _BACKHAUL_US, lambda: self._datagram(data, gateway))

    def _datagram(self, data: bytes, gateway: Gateway) -> None:
        if self.front is None or not gateway.on:
            return
        replies, _ = self.front.take(data, gateway)
        for address, reply in replies:
            self._to_gateway(address, reply)

    async def _answer(self, packet: bytes) -> None:
        out = None
        if self.front is not None and packet in self.front._open:
            out = await self.front.answer(packet)
        if out:
            self.at(self.now_us + _BACKHAUL_US, lambda: self._to_gateway(*out))

    def _to_gateway(self, gateway: object, data: bytes) -> None:
        assert isinstance(gateway, Gateway)
        datagram = semtech.unpack(data)
        if datagram.kind != semtech.PULL_RESP or not gateway.on:
            return
        assert datagram.tx is not None
        error = self._plan(gateway, datagram.tx)
        self._datagram(semtech.tx_ack(datagram.token, gateway.eui, error), gateway)

    def _plan(self, gateway: Gateway, tx: Tx) -> str:
        """TX_ACK's error, "" if it will be sent."""
        begin_us = self.now_us + _TX_LEAD_US
        if tx.tmst_us is not None:
            wait_us = (tx.tmst_us - _TMST_US - self.now_us) & 0xFFFFFFFF
            if wait_us >= 1 << 31 or wait_us < _TX_LEAD_US:
                return "TOO_LATE"
            begin_us = self.now_us + wait_us
        burst = Burst(
            tx.data, tx.hz, tx.sf, tx.bw_khz, tx.power_dbm, gateway.place, begin_us, True, gateway
        )
        gateway.planned = [b for b in gateway.planned if b.end_us > self.now_us]
        if any(b.begin_us < burst.end_us and b.end_us > begin_us for b in gateway.planned):
            return "COLLISION_PACKET"
        gateway.planned.append(burst)
        self.channel.add(burst)
        self.at(burst.locked_us, lambda: self._downlink_locks(burst))
        return ""

    def _downlink_locks(self, burst: Burst) -> None:
        """Its preamble has passed: which devices follow it to its end?"""
        rate = (burst.hz, burst.sf, burst.bw_khz)
        for device in self.devices.values():
            window = device.window
            if window is None or device.hearing or window[0] != rate:
                continue
            if self.channel.detects(burst, window[1], window[2]):
                device.hearing = burst
                self.at(burst.end_us, lambda d=device: self._downlink_ended(d, burst))

    def _downlink_ended(self, device: Device, burst: Burst) -> None:
        if device.hearing is not burst:
            return
        device.hearing = None
        found = self.channel.heard(burst, device.place)
        if found:
            self._signal(device, f"r {found[0]} {found[1]} {burst.data.hex()}")
        elif device.window and device.window[2] is not None:
            device.window = None
            self._signal(device, "x")

    # Time

    async def run(self, until_s: float, done: Callable[[], bool] = lambda: False) -> None:
        """Until that virtual time, or until done() says so; it is asked at each moment."""
        until_us = int(until_s * 1e6)
        while not done():
            next_us = self._next_us()
            if next_us is None or next_us > until_us:
                self.now_us = until_us
                return
            if self.pace:
                await self.pace(next_us)
            self.now_us = max(next_us, self.now_us)
            while self._events and self._events[0][0] <= self.now_us:
                result = heapq.heappop(self._events)[2]()
                if asyncio.iscoroutine(result):
                    await result
            for device in list(self.devices.values()):
                if device.due_us is not None and device.due_us <= self.now_us:
                    await self._wake(device)

    def _next_us(self) -> int | None:
        times = [d.due_us for d in self.devices.values() if d.due_us is not None]
        if self._events:
            times.append(self._events[0][0])
        return min(times, default=None)


_TAKE = {
    "T": World._transmit,
    "R": World._receive,
    "S": World._standby,
    "P": World._report,
}
