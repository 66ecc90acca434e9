"""The gateway's CoAP listener, by aiocoap: frames in, acks in the responses.

The line of DESIGN.md this serves: uplink -> gateway. POST up/<device>: a frame; 2.04 with its ack
once it is committed. PUT info/<device>: the node's CBOR map. What is refused says why: 4.00 and
4.01 for good, 5.03 for now.
"""

import contextlib
import logging
import os
import socket
from collections.abc import AsyncIterator

import aiocoap
import aiocoap.error
import aiocoap.resource
from aiocoap.numbers import codes

from hedgerow.errors import GatewayError
from hedgerow.gateway.coap_guard import guard
from hedgerow.gateway.config import GatewayConfig
from hedgerow.gateway.intake import Intake
from hedgerow.gateway.messages import Refused

_RETRY_AFTER_S = 10
_CODES = {"oversize": codes.REQUEST_ENTITY_TOO_LARGE, "mac": codes.UNAUTHORIZED}


class Door(aiocoap.resource.Resource, aiocoap.resource.PathCapable):
    """One kind of message, e.g. up/<device>. method: the only one it takes.

    secure: a message must come over OSCORE, with the key of the device that it is about.
    """

    def __init__(self, intake: Intake, kind: str, method: codes.Code, secure: bool):
        super().__init__()
        self._intake = intake
        self._kind = kind
        self._method = method
        self._secure = secure

    async def needs_blockwise_assembly(self, request: aiocoap.Message) -> bool:
        return False  # a frame is one datagram, an info map fits one; nothing is gathered

    async def render(self, request: aiocoap.Message) -> aiocoap.Message:
        if request.code != self._method:
            raise aiocoap.error.UnallowedMethod
        block = request.opt.block1
        if block is not None and (block.more or block.block_number):
            return _say(codes.REQUEST_ENTITY_TOO_LARGE, "one datagram at most")
        device = "/".join(request.opt.uri_path)
        if self._secure and device not in request.remote.authenticated_claims:
            return _say(codes.UNAUTHORIZED, "not the key of this device")
        try:
            return await self._take(device, request.payload)
        except Refused as refused:
            code = _CODES.get(refused.reason, codes.BAD_REQUEST)
            return _say(code, f"{refused.reason}: {refused}")
        except GatewayError as error:
            return _say(codes.SERVICE_UNAVAILABLE, str(error), _RETRY_AFTER_S)

    async def _take(self, device: str, payload: bytes) -> aiocoap.Message:
        ack = await self._intake.submit(device, payload, source="coap", kind=self._kind)
        return aiocoap.Message(code=codes.CHANGED, payload=ack)


def _say(code: codes.Code, text: str, max_age_s: int | None = None) -> aiocoap.Message:
    response = aiocoap.Message(code=code, payload=text.encode()[:200])
    if max_age_s is not None:
        response.opt.max_age = max_age_s
    return response


@contextlib.asynccontextmanager
async def coap_listener(config: GatewayConfig, intake: Intake) -> AsyncIterator[int | None]:
    """Listens while its block runs; gives the port, or None without config.coap_port.

    Raises GatewayError if it cannot listen, ConfigError for a key file that does not serve.
    """
    if config.coap_port is None:
        yield None
        return
    logging.getLogger("coap-server").setLevel(logging.ERROR)  # each stray datagram is a warning
    port = _free_port(config.coap_host, config.coap_port)
    site = aiocoap.resource.Site()
    secure = bool(config.coap_keys)
    site.add_resource(["up"], Door(intake, "up", codes.POST, secure))
    site.add_resource(["info"], Door(intake, "info", codes.PUT, secure))
    site.add_resource(
        [".well-known", "core"],
        aiocoap.resource.WKCResource(site.get_resources_as_linkheader),
    )
    async with _secured(config, site) as root, _serving(config.coap_host, port, root):
        yield port


@contextlib.asynccontextmanager
async def _secured(config: GatewayConfig, site: aiocoap.resource.Site) -> AsyncIterator[object]:
    if not config.coap_keys:
        yield site
        return
    from hedgerow.gateway.coap_keys import key_store  # late: needs the extra `oscore`

    with key_store(config.coap_dir, config.coap_keys) as credentials:
        from aiocoap.oscore_sitewrapper import OscoreSiteWrapper

        yield OscoreSiteWrapper(site, credentials)


@contextlib.asynccontextmanager
async def _serving(host: str, port: int, root: object) -> AsyncIterator[None]:
    os.environ.setdefault("AIOCOAP_REUSE_PORT", "0")  # or two gateways would share the datagrams
    try:
        context = await aiocoap.Context.create_server_context(
            root, bind=(host, port), transports=["udp6"]
        )
    except OSError as error:
        raise _cannot(host, port, error) from error
    guard(context)
    try:
        yield
    finally:
        await context.shutdown()


def _free_port(host: str, port: int) -> int:
    """The port to listen on, after a look whether it is free; 0: one that the system chooses."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(found[0], socket.SOCK_DGRAM) as probe:
            probe.bind(found[4])
            return int(probe.getsockname()[1])
    except (OSError, OverflowError) as error:
        raise _cannot(host, port, error) from error


def _cannot(host: str, port: int, error: Exception) -> GatewayError:
    return GatewayError(
        f"CoAP cannot listen on {host}:{port}: {error}; choose another --coap port (0: any free "
        f"one) or --coap-host"
    )
