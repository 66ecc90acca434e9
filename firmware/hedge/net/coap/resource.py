"""What a server has under one path, the request that a handler sees, the reply it makes."""

import hashlib

from ...core.errors import HedgeError
from . import numbers as n
from .message import Message

_DEFAULT_CODES = {n.GET: n.CONTENT, n.POST: n.CHANGED, n.PUT: n.CHANGED, n.DELETE: n.DELETED}
_ETAG_BYTES = 4


class Refusal(HedgeError):
    """A handler raises it to answer with an error: Refusal(FORBIDDEN, "only by day")."""

    def __init__(self, code, text=""):
        super().__init__(text)
        self.code = code
        self.text = text


class Request:
    """path, query (list of str), payload (bytes, whole body), message (for other options).

    addr: where it came from. context: its OSCORE context, None if it came in clear.
    """

    def __init__(self, message, addr, context=None):
        self.message = message
        self.code = message.code
        self.path = message.path()
        self.query = message.query()
        self.payload = message.payload
        self.addr = addr
        self.context = context


class Resource:
    """handlers: {GET: function(request), ...}; a function may be a coroutine.

    It returns bytes or str (the payload), None, or a Message made by reply(). observable: GET may
    be observed. secure: only over OSCORE. links: attributes of /.well-known/core, e.g.
    {"rt": "temperature", "ct": 112}; None keeps it out of the list.
    """

    def __init__(self, path, handlers, observable=False, secure=False, links=None):
        self.path = path
        self.handlers = handlers
        self.observable = observable
        self.secure = secure
        self.links = links


def reply(code, payload=b"", content_format=None, max_age_s=None, etag=None, more=()):
    """A response Message. more: list of (option number, bytes, str or uint)."""
    response = Message(n.ACK, code, payload=_bytes(payload))
    for number, value in (
        (n.CONTENT_FORMAT, content_format),
        (n.MAX_AGE, max_age_s),
        (n.ETAG, etag),
    ):
        if value is not None:
            response.add(number, value)
    for number, value in more:
        response.add(number, value)
    return response


def error(code, text=""):
    """A response with a diagnostic payload (RFC 7252 5.5.2)."""
    return Message(n.ACK, code, payload=text.encode())


def as_response(request_code, returned):
    """The Message of what a handler returned."""
    if isinstance(returned, Message):
        return returned
    return reply(_DEFAULT_CODES.get(request_code, n.CONTENT), returned or b"")


def etag_of(payload):
    """4 bytes that change with the payload."""
    return hashlib.sha256(payload).digest()[:_ETAG_BYTES]


def _bytes(payload):
    return payload.encode() if isinstance(payload, str) else bytes(payload)
