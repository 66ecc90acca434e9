"""A client and a server of hedge.net.coap on a network without sockets (fake_udp)."""

import asyncio

from fake_udp import FakeNet
from quiet_case import QuietCase
from waiting import fails

from hedge.core.errors import LinkError
from hedge.net.coap import numbers as n
from hedge.net.coap.client import Client
from hedge.net.coap.message import Message, decode
from hedge.net.coap.resource import Refusal, Resource, reply
from hedge.net.coap.server import Server

FAST = {"ack_timeout_ms": 20, "max_retransmit": 3}  # where something is lost
# A computer that stands still for seconds must not repeat datagrams.
CALM = {"ack_timeout_ms": 10000, "max_retransmit": 3}


class Shelf:
    """A resource that can be read, written, deleted and observed; `calls` counts the writes."""

    def __init__(self, value=b"21.5"):
        self.value = value
        self.calls = 0

    def get(self, request):
        if self.value is None:
            raise Refusal(n.NOT_FOUND)
        return reply(n.CONTENT, self.value, content_format=n.TEXT, max_age_s=30)

    def put(self, request):
        self.calls += 1
        self.value = request.payload

    def post(self, request):
        self.calls += 1
        return b"got %d" % len(request.payload)

    def delete(self, request):
        self.value = None

    def resource(self, path="t", **options):
        handlers = {n.GET: self.get, n.PUT: self.put, n.POST: self.post, n.DELETE: self.delete}
        return Resource(path, handlers, observable=True, links={"rt": "shelf"}, **options)


class Pair:
    """server at "s", client at "c"; start() in the loop, stop() at its end."""

    def __init__(self, client=None, server=None, timing=CALM):
        self.net = FakeNet()
        self.shelf = Shelf()
        self.server = Server(self.net.socket("s"), **dict(timing, **(server or {})))
        self.server.add(self.shelf.resource())
        options = dict({"limit_ms": 30000}, **timing)
        options.update(client or {})
        self.client = Client(self.net.socket("c", peer="s"), **options)

    def start(self):
        self._task = asyncio.create_task(self.server.run())
        self.client.start()

    def stop(self):
        self._task.cancel()
        self.server.close()
        self.client.close()

    def raw(self, data, sender="x"):
        """Hand the server a datagram of a third party."""
        self.net.carry(sender, "s", data)

    def said_to(self, name):
        """Messages that were sent to that socket."""
        return [decode(data) for _, to, data in self.net.sent if to == name]


class PairCase(QuietCase):
    def play(self, scenario, pair=None, limit_ms=60000):
        """Run scenario(pair)."""
        pair = pair or Pair()

        async def run():
            pair.start()
            try:
                await asyncio.wait_for_ms(scenario(pair), limit_ms)
            finally:
                pair.stop()

        asyncio.run(run())


async def fault_of(awaitable):
    """The LinkError that awaiting raises."""
    return str(await fails(awaitable, LinkError))


def request_of(code, path="t", kind=n.CON, mid=1, token=b"tk", payload=b"", more=()):
    message = Message(kind, code, mid, token, payload=payload)
    for part in path.split("/"):
        message.add(n.URI_PATH, part)
    for number, value in more:
        message.add(number, value)
    return message
