"""A network of datagrams without sockets, which loses, doubles and delays what a test says.

    net = FakeNet()
    a, b = net.socket("a"), net.socket("b")      # what udp.Udp offers
    net.fate = lambda sender, to, data: 0        # copies that arrive: 0 lost, 1, 2 doubled
    c = net.socket("c", peer="b")                # connected: it sees addr None

`sent` holds (sender, to, bytes) of everything handed in.
"""

import asyncio


class FakeNet:
    def __init__(self):
        self.sockets = {}
        self.sent = []
        self.fate = None

    def socket(self, name, peer=None):
        made = self.sockets[name] = FakeUdp(self, name, peer)
        return made

    def carry(self, sender, to, data):
        data = bytes(data)
        self.sent.append((sender, to, data))
        copies = 1 if self.fate is None else self.fate(sender, to, data)
        for _ in range(copies):
            if to in self.sockets:
                self.sockets[to].put(data, sender)


class FakeUdp:
    def __init__(self, net, name, peer):
        self._net = net
        self._name = name
        self._peer = peer
        self._inbox = []
        self._arrived = asyncio.Event()
        self.broken = None  # an OSError for the next recv
        self.closed = False

    def put(self, data, sender):
        if self._peer in (None, sender):
            self._inbox.append((data, None if self._peer else sender))
            self._arrived.set()

    async def recv(self):
        while not self._inbox:
            if self.broken:
                fault, self.broken = self.broken, None
                raise fault
            self._arrived.clear()
            await self._arrived.wait()
        return self._inbox.pop(0)

    def fail(self, fault):
        self.broken = fault
        self._arrived.set()

    def send(self, data, addr):
        if self.closed:
            raise OSError(9)
        self._net.carry(self._name, self._peer or addr, data)

    def close(self):
        self.closed = True
