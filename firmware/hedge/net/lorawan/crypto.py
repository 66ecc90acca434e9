"""AES-CMAC, payload encryption and session keys of LoRaWAN 1.0.x over AES-ECB.

Sources: RFC 4493 (CMAC); LoRaWAN L2 1.0.4 specification, sections 4.3.3 (payload encryption),
4.4 (MIC), 6.2.5 and 6.2.6 (session keys, join-accept). Keys are 16 bytes. Allocates.
"""

from cryptolib import aes

UP = 0
DOWN = 1
MIC_BYTES = 4
_ECB = 1
_BLOCK_BYTES = 16


def encrypt_blocks(key, data):
    """AES-ECB over whole blocks of 16 bytes."""
    return aes(key, _ECB).encrypt(data)


def decrypt_blocks(key, data):
    """The inverse; the network server makes join-accepts with it, so that devices only encrypt."""
    return aes(key, _ECB).decrypt(data)


def cmac(key, message):
    """16 bytes, RFC 4493. message: bytes-like of any length."""
    cipher = aes(key, _ECB)
    subkey = _double(cipher.encrypt(bytes(_BLOCK_BYTES)))
    whole = max(len(message) - 1, 0) // _BLOCK_BYTES * _BLOCK_BYTES
    last = bytearray(message[whole:])
    if len(last) < _BLOCK_BYTES:
        subkey = _double(subkey)
        last.append(0x80)
        last.extend(bytes(_BLOCK_BYTES - len(last)))
    state = bytearray(_BLOCK_BYTES)
    for start in range(0, whole, _BLOCK_BYTES):
        _xor_into(state, message, start)
        state = bytearray(cipher.encrypt(bytes(state)))
    _xor_into(state, last, 0)
    _xor_into(state, subkey, 0)
    return cipher.encrypt(bytes(state))


def _double(block):
    """Multiply by x in GF(2**128), RFC 4493 section 2.3."""
    out = bytearray(_BLOCK_BYTES)
    carry = 0
    for i in range(_BLOCK_BYTES - 1, -1, -1):
        out[i] = (block[i] << 1 & 0xFF) | carry
        carry = block[i] >> 7
    if carry:
        out[_BLOCK_BYTES - 1] ^= 0x87
    return out


def _xor_into(state, data, start):
    for i in range(_BLOCK_BYTES):
        state[i] ^= data[start + i]


def data_mic(nwk_s_key, direction, dev_addr, fcnt, message):
    """4 bytes over MHDR | FHDR | FPort | FRMPayload, for FCnt of 32 bits."""
    block = bytearray(_BLOCK_BYTES)
    block[0] = 0x49
    _put_context(block, direction, dev_addr, fcnt)
    block[15] = len(message)
    return cmac(nwk_s_key, block + message)[:MIC_BYTES]


def join_mic(app_key, message):
    """4 bytes over a join-request or the plain join-accept, MHDR included."""
    return cmac(app_key, message)[:MIC_BYTES]


def crypt_payload(key, direction, dev_addr, fcnt, data):
    """Encrypt or decrypt an FRMPayload; bytes of the same length."""
    blocks = (len(data) + _BLOCK_BYTES - 1) // _BLOCK_BYTES
    stream = bytearray(blocks * _BLOCK_BYTES)
    block = bytearray(_BLOCK_BYTES)
    block[0] = 0x01
    _put_context(block, direction, dev_addr, fcnt)
    for i in range(blocks):
        block[15] = i + 1
        stream[i * _BLOCK_BYTES : (i + 1) * _BLOCK_BYTES] = block
    stream = bytearray(encrypt_blocks(key, bytes(stream))) if blocks else stream
    return bytes([data[i] ^ stream[i] for i in range(len(data))])


def _put_context(block, direction, dev_addr, fcnt):
    block[5] = direction
    block[6:10] = dev_addr.to_bytes(4, "little")
    block[10:14] = fcnt.to_bytes(4, "little")


def session_keys(app_key, join_nonce, net_id, dev_nonce):
    """(NwkSKey, AppSKey) of a join, 1.0.x. The numbers as ints."""
    tail = bytearray(join_nonce.to_bytes(3, "little"))
    tail += net_id.to_bytes(3, "little") + dev_nonce.to_bytes(2, "little") + bytes(7)
    nwk_s_key = encrypt_blocks(app_key, b"\x01" + bytes(tail))
    return nwk_s_key, encrypt_blocks(app_key, b"\x02" + bytes(tail))
