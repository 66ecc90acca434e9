"""If-Match, If-None-Match, ETag and Accept (RFC 7252 5.10) for resources that can be read."""

from . import numbers as n
from .message import Message
from .resource import Refusal, as_response, error, etag_of


def check(resource, request):
    """The response that refuses a request whose condition does not hold, or None.

    A resource whose GET needs a coroutine cannot tell its state here: 5.00, told to the author.
    """
    message = request.message
    wanted = message.all(n.IF_MATCH)
    if not wanted and message.get(n.IF_NONE_MATCH) is None:
        return None
    etag = _current(resource, request)
    if wanted and (etag is None or not (b"" in wanted or etag in wanted)):
        return error(n.PRECONDITION_FAILED)
    if message.get(n.IF_NONE_MATCH) is not None and etag is not None:
        return error(n.PRECONDITION_FAILED)
    return None


def _current(resource, request):
    """ETag of what GET answers now; None if there is nothing."""
    read = resource.handlers.get(n.GET)
    if read is None:
        return None
    try:
        returned = read(request)
    except Refusal:
        return None
    if hasattr(returned, "send"):
        returned.close()
        raise ValueError("If-Match needs a GET handler that is not a coroutine")
    response = as_response(n.GET, returned)
    if response.code >> 5 != 2:
        return None
    return response.get(n.ETAG) or etag_of(response.payload)


def shorten(request, response):
    """The response to a GET as its Accept and ETag options want it."""
    message = request.message
    if request.code != n.GET or response.code != n.CONTENT:
        return response
    accept = message.uint(n.ACCEPT)
    if accept is not None and accept != response.uint(n.CONTENT_FORMAT, accept):
        return error(n.NOT_ACCEPTABLE)
    known = message.all(n.ETAG)
    if not known:
        return response
    etag = response.get(n.ETAG) or etag_of(response.payload)
    if etag in known:
        valid = Message(n.ACK, n.VALID)
        valid.add(n.ETAG, etag)
        return valid
    response.set(n.ETAG, etag)
    return response
