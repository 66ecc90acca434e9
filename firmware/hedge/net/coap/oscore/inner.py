"""What of a message is encrypted and what stays outside (RFC 8613 4.1, 5.3)."""

from ....core.errors import FrameError
from .. import numbers as n
from ..message import Message, read_body, write_body

# Options of class U (4.1): for proxies and transport. Observe is in both places.
_OUTSIDE = (n.URI_HOST, n.URI_PORT, n.PROXY_URI, n.PROXY_SCHEME, n.HOP_LIMIT, n.OSCORE)


def plain_of(message):
    """bytearray that is encrypted: code, options of class E, payload."""
    out = bytearray((message.code,))
    write_body(out, [p for p in message.options if p[0] not in _OUTSIDE], message.payload)
    return out


def outer_of(message, code, header, sealed):
    """The Message that travels: class U options, the OSCORE option, the ciphertext."""
    outside = [p for p in message.options if p[0] in _OUTSIDE]
    outside.append((n.OSCORE, header.encode()))
    return Message(message.kind, code, message.mid, message.token, outside, bytes(sealed))


def merged(outer, plain):
    """The Message that was encrypted; options outside that belong inside are ignored (8.2, 8.4).

    Raises FrameError if the plaintext is no message.
    """
    if not plain:
        raise FrameError("oscore: empty plaintext")
    options, payload = read_body(plain, 1)
    outside = [p for p in outer.options if p[0] in _OUTSIDE and p[0] != n.OSCORE]
    options = outside + [p for p in options if p[0] not in _OUTSIDE]
    return Message(outer.kind, plain[0], outer.mid, outer.token, options, payload)
