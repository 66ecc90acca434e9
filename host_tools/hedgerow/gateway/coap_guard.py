"""Stands before aiocoap's socket: what is no CoAP message does not reach it.

aiocoap 0.4.17 lets texts that are not UTF-8 and some mixed-up options escape as exceptions of the
event loop, a traceback each; a stranger could fill the log with them.
"""

import logging
from collections.abc import Callable
from typing import Any

from hedge.core.errors import FrameError
from hedge.net.coap import numbers as n
from hedge.net.coap.message import decode

_log = logging.getLogger("hedgerow.gateway.coap")
_TEXTS = {n.URI_HOST, n.URI_PATH, n.URI_QUERY, n.LOCATION_PATH, n.LOCATION_QUERY}
_TEXTS |= {n.PROXY_URI, n.PROXY_SCHEME}


def guard(context: Any) -> None:
    """Put the check before every socket of an aiocoap Context."""
    for tokens in context.request_interfaces:
        transport = tokens.token_interface.message_interface
        transport.datagram_msg_received = _checked(transport.datagram_msg_received)


def _checked(receive: Callable[..., None]) -> Callable[..., None]:
    def receive_checked(data: bytes, ancdata: Any, flags: int, address: Any) -> None:
        if not is_sound(data):
            _log.info("no CoAP message from %s", address)
            return
        try:
            receive(data, ancdata, flags, address)
        except Exception as error:  # noqa: BLE001  a datagram must not end in the event loop
            _log.warning("aiocoap failed on a datagram from %s: %r", address, error)

    return receive_checked


def is_sound(data: bytes) -> bool:
    """True for a message that keeps the rules of RFC 7252 section 3, its texts UTF-8."""
    try:
        message = decode(data)
        for number, value in message.options:
            if number in _TEXTS:
                value.decode()
    except (FrameError, UnicodeDecodeError):
        return False
    return True
