"""The client's side: requests sealed, responses opened (RFC 8613 8.1, 8.4).

client = Client(udp, secure=Secured(context))
"""

from ....core.errors import FrameError, LinkError
from .. import numbers as n
from .header import Header, decode
from .inner import merged, outer_of, plain_of


class Secured:
    """context: context.Context. send_context: the server finds the key by id_context too.

    rejected: responses that were not the peer's, or were changed on their way.
    """

    def __init__(self, context, send_context=False):
        self._context = context
        self._id_context = context.id_context if send_context else None
        self.rejected = 0

    def seal(self, message):
        """A Sealed of this request, under a new sequence number. Raises StoreError."""
        context = self._context
        piv = context.next_piv()
        kid = context.sender_id
        sealed = context.encrypt(plain_of(message), kid, piv, kid, piv)
        observe = message.get(n.OBSERVE)
        code = n.POST if observe is None else n.FETCH
        outer = outer_of(message, code, Header(piv, kid, self._id_context), sealed)
        if observe is not None:
            outer.options.append((n.OBSERVE, observe))
        return Sealed(self, context, outer, piv, observe is not None)


class Sealed:
    """One request: `message` travels, open() reads what answers it."""

    def __init__(self, owner, context, message, piv, observes):
        self._owner = owner
        self._context = context
        self._piv = piv
        self._observes = observes
        self._count = 0  # responses opened
        self._last = -1  # partial IV of the newest
        self.message = message

    def open(self, response):
        """The response that was encrypted; None if it is not the peer's, or is old.

        Observe counts the notifications: their order is that of the partial IVs (4.1.3.5.2).
        Raises LinkError if the server says in clear that it cannot read us.
        """
        if response.get(n.OSCORE) is None and response.code >> 5 in (4, 5):
            raise LinkError(
                "oscore: refused, %s %s" % (n.code_text(response.code), _said(response))
            )
        try:
            return self._open(response)
        except FrameError:
            self._owner.rejected += 1
            return None

    def _open(self, response):
        value = response.get(n.OSCORE)
        if value is None:
            raise FrameError("oscore: answer in clear")
        header = decode(value)
        number = -1 if header.piv is None else int.from_bytes(header.piv, "big")
        if self._count and number <= self._last:
            raise FrameError("oscore: old notification")
        opened = merged(response, self._decrypted(response, header))
        if not n.is_response(opened.code):
            raise FrameError("oscore: no response code")
        self._note(opened, number)
        return opened

    def _decrypted(self, response, header):
        context = self._context
        whose, piv = (
            (context.sender_id, self._piv)
            if header.piv is None
            else (context.recipient_id, header.piv)
        )
        return context.decrypt(response.payload, whose, piv, context.sender_id, self._piv)

    def _note(self, opened, number):
        self._last = number
        self._count += 1
        if self._observes and opened.get(n.OBSERVE) is not None:
            opened.set(n.OBSERVE, self._count & 0xFFFFFF)


def _said(response):
    """The diagnostic payload as far as it is ASCII; 40 characters."""
    return "".join([chr(c) if 32 <= c < 127 else "?" for c in response.payload[:40]])
