"""A small CoAP server: resources, blocks, observers, preconditions, /.well-known/core.

    server = Server(Udp.at("0.0.0.0", 5683))
    server.add(Resource("temp", {GET: lambda request: "21.5"}, observable=True, links={"rt": "t"}))
    task = asyncio.create_task(server.run())
    server.changed("temp")

RFC 7252, 7959, 7641, 6690; No-Response (7967). With a keyring (oscore/server.py) it opens OSCORE.
"""

from ...core import log
from ...core.errors import FrameError, StoreError
from . import block, linkformat, options, preconditions
from . import numbers as n
from .downloads import Downloads
from .endpoint import Endpoint
from .observers import Observers
from .resource import Refusal, Request, Resource, as_response, error, reply
from .uploads import Uploads

WELL_KNOWN = ".well-known/core"


class Server:
    """udp: bound, see udp.py. keyring: opens OSCORE requests; without one they are refused.

    block_bytes: of the pieces in which long bodies go out. max_body_bytes: of a request; more is
    refused with 4.13. max_observers, and others of Endpoint: bounds. failures: handlers that
    raised something unforeseen (5.00).
    """

    def __init__(
        self,
        udp,
        keyring=None,
        block_bytes=512,
        max_body_bytes=2048,
        max_observers=4,
        **endpoint,
    ):
        self._keyring = keyring
        self._resources = {}
        self._uploads = Uploads(max_bytes=max_body_bytes)
        self._downloads = Downloads(block.szx_of(block_bytes))
        self.failures = 0
        self.endpoint = Endpoint(udp, self.answer, self._on_reset, **endpoint)
        self.observers = Observers(self.endpoint, self._notification, max_observers)
        self.add(Resource(WELL_KNOWN, {n.GET: self._list}))

    def add(self, resource):
        """Offer a resource.Resource; one of the same path is replaced."""
        self._resources[resource.path] = resource

    def remove(self, path):
        """Withdraw a resource; its observers are told 4.04."""
        self._resources.pop(path, None)
        self.observers.changed(path)

    def changed(self, path):
        """The state of a resource changed: its observers are told."""
        self.observers.changed(path)

    async def run(self):
        """Serve until cancelled."""
        await self.endpoint.run()

    def close(self):
        self.observers.close()
        self.endpoint.close()

    def _list(self, request):
        text = linkformat.listing(self._resources.values(), request.query)
        return reply(n.CONTENT, text, content_format=n.LINK_FORMAT)

    def _on_reset(self, mid, addr):
        self.observers.on_reset(mid, addr)

    # One request

    def answer(self, message, addr):
        """The response Message, a coroutine of it, or None. Never raises."""
        try:
            response = self._answer(message, addr)
        except (FrameError, StoreError) as e:
            return _fault(e)
        return _guarded(response) if hasattr(response, "send") else response

    def _answer(self, message, addr):
        unknown = options.sift(message)
        if unknown is not None:  # 5.4.1: a NON is passed over
            return error(n.BAD_OPTION, "option %d" % unknown) if message.kind == n.CON else None
        if message.get(n.OSCORE) is not None:
            return self._answer_sealed(message, addr)
        return self._answer_clear(message, addr, None)

    def _answer_sealed(self, message, addr):
        if self._keyring is None:
            return error(n.BAD_OPTION, "no keys here")
        from .oscore.server import Refused

        try:
            opened = self._keyring.open(message)
        except Refused as refused:
            return refused.response
        unknown = options.sift(opened.message)
        if unknown is not None:
            return opened.seal(error(n.BAD_OPTION, "option %d" % unknown))
        try:
            response = self._answer_clear(opened.message, addr, opened)
        except FrameError as e:
            response = error(n.BAD_REQUEST, str(e))
        if hasattr(response, "send"):
            return _sealed_later(response, opened)
        return opened.seal(response) if response else None

    def _answer_clear(self, message, addr, opened):
        if message.get(n.PROXY_URI) or message.get(n.PROXY_SCHEME):
            return error(n.NOT_PROXY)
        who = (addr, opened.context if opened else None)
        asks = self._uploads.take(message, who)
        if asks is None:
            asks = self._downloads.later_block(message, who)
        if asks is not None:
            return asks
        request = Request(message, addr, who[1])
        resource = self._resources.get(request.path)
        response = self._call(resource, request)
        if hasattr(response, "send"):
            return self._finish_later(response, resource, request, opened)
        return self._finish(response, resource, request, opened)

    def _call(self, resource, request):
        """What the handler answers: a Message, or a coroutine of what it returns."""
        refusal = _refusal(resource, request)
        if refusal:
            return refusal
        try:
            refusal = preconditions.check(resource, request)
            returned = refusal or resource.handlers[request.code](request)
        except Exception as e:  # noqa: BLE001  any fault of a handler is the handler's
            return self._failed(e, request)
        return returned if hasattr(returned, "send") else as_response(request.code, returned)

    def _failed(self, fault, request):
        if isinstance(fault, Refusal):
            return error(fault.code, fault.text)
        self.failures += 1
        log.warn("coap", "%s: %r", request.path, fault)
        return error(n.INTERNAL_ERROR)

    async def _finish_later(self, returned, resource, request, opened):
        return self._finish(await self._awaited(returned, request), resource, request, opened)

    async def _awaited(self, returned, request):
        try:
            return as_response(request.code, await returned)
        except Exception as e:  # noqa: BLE001  any fault of a handler is the handler's
            return self._failed(e, request)

    def _finish(self, response, resource, request, opened):
        """The response with what its request's options want; None for "no response, please"."""
        message = request.message
        response = preconditions.shorten(request, response)
        if message.get(n.BLOCK1) is not None:
            response.set(n.BLOCK1, message.get(n.BLOCK1))
        if request.code == n.GET and message.get(n.OBSERVE) is not None:
            self._observe(response, resource, request, opened)
        response = self._downloads.first_block(message, (request.addr, request.context), response)
        suppressed = message.uint(n.NO_RESPONSE, 0)
        return None if suppressed >> (response.code >> 5) - 1 & 1 else response

    # Observers

    def _observe(self, response, resource, request, opened):
        message = request.message
        if message.uint(n.OBSERVE) == 1:
            self.observers.remove(request.addr, message.token)
        elif (
            resource
            and resource.observable
            and response.code >> 5 == 2
            and self.observers.add(request.addr, message.token, request, opened)
        ):
            response.set(n.OBSERVE, self.observers.next_number())

    def _notification(self, observer):
        """For Observers: the current response of the observer's request."""
        request = observer.request
        resource = self._resources.get(request.path)
        response = self._call(resource, request)
        if hasattr(response, "send"):
            return self._notification_later(response, observer)
        return self._as_notification(response, observer)

    async def _notification_later(self, returned, observer):
        response = await self._awaited(returned, observer.request)
        return self._as_notification(response, observer)

    def _as_notification(self, response, observer):
        request = observer.request
        response = self._downloads.first_block(
            request.message, (request.addr, request.context), response
        )
        if response.code >> 5 == 2:
            response.set(n.OBSERVE, self.observers.next_number())
        return observer.opened.seal(response, own_piv=True) if observer.opened else response


def _fault(fault):
    if isinstance(fault, FrameError):
        return error(n.BAD_REQUEST, str(fault))
    log.warn("coap", "%s", fault)  # no sequence number: an answer must not repeat a nonce
    return error(n.INTERNAL_ERROR)


async def _guarded(awaitable):
    try:
        return await awaitable
    except (FrameError, StoreError) as e:
        return _fault(e)


async def _sealed_later(awaitable, opened):
    response = await awaitable
    return opened.seal(response) if response else None


def _refusal(resource, request):
    """The response to a request that reaches no handler, or None."""
    if resource is None:
        return error(n.NOT_FOUND)
    if request.code not in resource.handlers:
        return error(n.METHOD_NOT_ALLOWED)
    if resource.secure and request.context is None:
        return error(n.UNAUTHORIZED, "only over OSCORE")
    return None
