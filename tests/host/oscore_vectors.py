"""Checks the vectors of RFC 8613 Appendix C; runs under both Pythons.

micropython oscore_vectors.py rfc8613_appendix_c.json     prints how many of each part hold
"""

import json
import sys
from binascii import unhexlify

from hedge.net.coap.message import decode
from hedge.net.coap.oscore import derive
from hedge.net.coap.oscore.client import Secured
from hedge.net.coap.oscore.context import Context
from hedge.net.coap.oscore.server import Keyring


class _From:
    """Sequence numbers from a given one on."""

    def __init__(self, number):
        self._number = number

    def next(self):
        self._number += 1
        return self._number - 1


def _hex(text):
    return None if text is None else unhexlify(text)


def _context(table, name, first=0, mirrored=False):
    """The context of that id; mirrored: the other end's."""
    (row,) = [d for d in table["derivation"] if d["id"] == name]
    ids = [_hex(row["sender_id"]), _hex(row["recipient_id"])]
    if mirrored:
        ids.reverse()
    salt = _hex(row["salt"]) or b""
    made = Context(
        _hex(row["secret"]), salt, ids[0], ids[1], _From(first), _hex(row["id_context"])
    )
    made.fresh = True
    return made


def _same(found, text):
    assert bytes(found) == unhexlify(text), (bytes(found), text)


def _derivation(table, row):
    context = _context(table, row["id"])
    _same(context._sender_key, row["sender_key"])
    _same(context._recipient_key, row["recipient_key"])
    _same(context._iv, row["common_iv"])
    nonces = (("sender_id", "sender_nonce_piv0"), ("recipient_id", "recipient_nonce_piv0"))
    for identity, nonce in nonces:
        _same(derive.nonce(context._iv, unhexlify(row[identity]), b"\x00"), row[nonce])


def _request(table, row):
    """Sealed as printed, and opened by the other end to what was sealed."""
    plain = decode(unhexlify(row["unprotected"]))
    secured = Secured(_context(table, row["ctx"], row["seq"]), row["include_kid_context"])
    _same(secured.seal(plain).message.encode(), row["protected"])
    keyring = Keyring([_context(table, row["ctx"], mirrored=True)])
    opened = keyring.open(decode(unhexlify(row["protected"]))).message
    _same(opened.encode(), row["unprotected"])


def _response(table, row):
    """The server opens C.4 and seals its answer as printed; the client opens that."""
    (ask,) = [r for r in table["requests"] if r["id"] == "C.4"]
    server = _context(table, row["ctx"], row["seq"] or 0)
    opened = Keyring([server]).open(decode(unhexlify(ask["protected"])))
    answer = decode(unhexlify(row["unprotected"]))
    _same(opened.seal(answer, own_piv=row["seq"] is not None).encode(), row["protected"])
    client = Secured(_context(table, row["ctx"], ask["seq"], mirrored=True))
    sealed = client.seal(decode(unhexlify(ask["unprotected"])))
    _same(sealed.open(decode(unhexlify(row["protected"]))).encode(), row["unprotected"])


_CHECKS = {"derivation": _derivation, "requests": _request, "responses": _response}


def check(table, part):
    """How many vectors of that part hold; AssertionError names the first that does not."""
    for row in table[part]:
        _CHECKS[part](table, row)
    return len(table[part])


def main(path):
    with open(path) as file:
        table = json.load(file)
    for part in ("derivation", "requests", "responses"):
        print(check(table, part))


if __name__ == "__main__":
    main(sys.argv[1])
