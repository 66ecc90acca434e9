"""The server's side: requests opened, responses sealed (RFC 8613 8.2, 8.3, B.1.2).

keyring = Keyring([context])
server = Server(udp, keyring=keyring)
"""

from ....core.errors import FrameError
from .. import numbers as n
from ..message import Message
from .header import Header, decode
from .inner import merged, outer_of, plain_of


class Refused(Exception):
    """response: what to answer instead of obeying. Its reason is in the payload."""

    def __init__(self, response):
        super().__init__(response)
        self.response = response


class Keyring:
    """contexts: of all peers. replays, unknown, rejected (not the peer's, changed): counted."""

    def __init__(self, contexts):
        self._contexts = list(contexts)
        self.replays = 0
        self.rejected = 0
        self.unknown = 0

    def open(self, outer):
        """An Opened request. Raises Refused."""
        header = self._header(outer)
        context = self._find(header)
        number = int.from_bytes(header.piv, "big")
        if context.fresh and not context.window.is_new(number):
            self.replays += 1
            raise Refused(_error(n.UNAUTHORIZED, b"Replay detected"))
        opened = self._decrypted(outer, header, context)
        if context.fresh:
            context.window.mark(number)
        elif not context.answered(opened.message.get(n.ECHO), number):
            raise Refused(_challenge(opened))
        return opened

    def _header(self, outer):
        try:
            header = decode(outer.get(n.OSCORE))
        except FrameError:
            header = None
        if header is None or header.kid is None or header.piv is None:
            self.rejected += 1
            raise Refused(_error(n.BAD_OPTION, b"Failed to decode COSE"))
        return header

    def _find(self, header):
        for context in self._contexts:
            if context.recipient_id == header.kid and _names(header, context):
                return context
        self.unknown += 1
        raise Refused(_error(n.UNAUTHORIZED, b"Security context not found"))

    def _decrypted(self, outer, header, context):
        kid, piv = header.kid, header.piv
        try:
            plain = context.decrypt(outer.payload, kid, piv, kid, piv)
            message = merged(outer, plain)
            if not n.is_request(message.code):
                raise FrameError("oscore: no request code")
        except FrameError:
            self.rejected += 1
            raise Refused(_error(n.BAD_REQUEST, b"Decryption failed"))
        return Opened(context, message, piv)


class Opened:
    """One request that proved genuine: `message`, and seal() for what answers it."""

    def __init__(self, context, message, piv):
        self.context = context
        self.message = message
        self._piv = piv
        self._used = False  # the request's nonce, good for one answer

    def seal(self, response, own_piv=False):
        """The Message that travels. own_piv: under a number of our own (8.3). StoreError."""
        context = self.context
        kid = context.recipient_id
        observe = response.get(n.OBSERVE)
        if own_piv or self._used or observe is not None:
            piv = context.next_piv()
            whose, header = context.sender_id, Header(piv)
        else:
            self._used = True
            piv, whose, header = self._piv, kid, Header()
        if observe is not None:
            response.set(n.OBSERVE, b"")  # inside it is empty (4.1.3.5.2)
        sealed = context.encrypt(plain_of(response), whose, piv, kid, self._piv)
        code = n.CHANGED if observe is None else n.CONTENT
        outer = outer_of(response, code, header, sealed)
        if observe is not None:
            outer.options.append((n.OBSERVE, observe))
        return outer


def _names(header, context):
    return header.kid_context is None or header.kid_context == context.id_context


def _error(code, text):
    response = Message(n.ACK, code, payload=text)
    response.add(n.MAX_AGE, 0)  # 8.2: so that nobody caches it
    return response


def _challenge(opened):
    """4.01 with Echo, under a number of our own: the request's may be a repeated one (B.1.2)."""
    response = Message(n.ACK, n.UNAUTHORIZED)
    response.add(n.ECHO, opened.context.challenge())
    return opened.seal(response, own_piv=True)
