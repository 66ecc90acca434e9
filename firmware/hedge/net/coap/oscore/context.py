"""A security context: keys, sequence numbers and replay window of one pair of peers.

    context = Context(secret, salt, b"\\x01", b"", Sequence(kv, "gateway"))

secret, salt, ids: bytes, agreed on before; id_context: bytes or None. Both ends hold the same,
with the ids the other way round. Two nodes with one context would repeat nonces: one node, one
context.
"""

import os

from ....core.errors import ConfigError
from ....wire import cbor
from . import ccm, derive
from .header import piv_bytes
from .window import Window

_MIN_SECRET_BYTES = 16


class Context:
    """sequence: has next() -> int, see sequence.py. Raises ConfigError for ids that do not fit.

    Lost replay windows: a server that has just started does not know what it has seen, so `fresh`
    is False until a client has answered a challenge (B.1.2). Clients are not concerned.
    """

    def __init__(self, secret, salt, sender_id, recipient_id, sequence, id_context=None):
        _check(secret, sender_id, recipient_id)
        self.sender_id = bytes(sender_id)
        self.recipient_id = bytes(recipient_id)
        self.id_context = id_context
        self._sequence = sequence
        self._sender_key = derive.key_of(secret, salt, self.sender_id, id_context)
        self._recipient_key = derive.key_of(secret, salt, self.recipient_id, id_context)
        self._iv = derive.common_iv(secret, salt, id_context)
        self._challenge = None
        self.window = Window()
        self.fresh = False

    def next_piv(self):
        """A partial IV never used before. Raises StoreError."""
        return piv_bytes(self._sequence.next())

    def encrypt(self, plain, nonce_id, piv, request_kid, request_piv):
        """bytearray. nonce_id: whose piv it is, ours or (in a bare response) the client's."""
        nonce = derive.nonce(self._iv, nonce_id, piv)
        return ccm.seal(self._sender_key, nonce, _aad(request_kid, request_piv), plain)

    def decrypt(self, sealed, nonce_id, piv, request_kid, request_piv):
        """bytearray. Raises FrameError if it is not the peer's, or was changed."""
        nonce = derive.nonce(self._iv, nonce_id, piv)
        return ccm.open(self._recipient_key, nonce, _aad(request_kid, request_piv), sealed)

    def challenge(self):
        """8 bytes for an Echo option; the same until they are answered."""
        if self._challenge is None:
            self._challenge = os.urandom(8)
        return self._challenge

    def answered(self, echo, number):
        """True, and the window begins at number, if echo is the challenge of this start."""
        if self._challenge is None or echo != self._challenge:
            return False
        self._challenge = None
        self.window.begin_at(number)
        self.fresh = True
        return True


def _check(secret, sender_id, recipient_id):
    if len(secret) < _MIN_SECRET_BYTES:
        raise ConfigError("oscore secret: %d bytes, at least 16" % len(secret))
    derive.check_id("sender id", sender_id)
    derive.check_id("recipient id", recipient_id)
    if bytes(sender_id) == bytes(recipient_id):
        raise ConfigError("oscore: sender and recipient id are the same: nonces would repeat")


def _aad(request_kid, request_piv):
    """The additional data that is authenticated and not sent (5.4)."""
    external = cbor.encode([1, [derive.ALGORITHM], request_kid, request_piv, b""])
    return cbor.encode(["Encrypt0", b"", external])
