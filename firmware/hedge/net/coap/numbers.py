"""Numbers of the CoAP registries that are used here. RFC 7252 12, 7641, 7959, 8613, 9175, 8132."""

from micropython import const

VERSION = const(1)
PORT = const(5683)
SECURE_PORT = const(5684)

# Message types
CON = const(0)
NON = const(1)
ACK = const(2)
RST = const(3)

# Codes: class << 5 | detail
EMPTY = const(0)
GET = const(0x01)
POST = const(0x02)
PUT = const(0x03)
DELETE = const(0x04)
FETCH = const(0x05)
CREATED = const(0x41)  # 2.01
DELETED = const(0x42)
VALID = const(0x43)
CHANGED = const(0x44)
CONTENT = const(0x45)  # 2.05
CONTINUE = const(0x5F)  # 2.31
BAD_REQUEST = const(0x80)  # 4.00
UNAUTHORIZED = const(0x81)
BAD_OPTION = const(0x82)
FORBIDDEN = const(0x83)
NOT_FOUND = const(0x84)
METHOD_NOT_ALLOWED = const(0x85)
NOT_ACCEPTABLE = const(0x86)
INCOMPLETE = const(0x88)  # 4.08
PRECONDITION_FAILED = const(0x8C)
TOO_LARGE = const(0x8D)  # 4.13
UNSUPPORTED_FORMAT = const(0x8F)
INTERNAL_ERROR = const(0xA0)  # 5.00
UNAVAILABLE = const(0xA3)
NOT_PROXY = const(0xA5)

# Options
IF_MATCH = const(1)
URI_HOST = const(3)
ETAG = const(4)
IF_NONE_MATCH = const(5)
OBSERVE = const(6)
URI_PORT = const(7)
LOCATION_PATH = const(8)
OSCORE = const(9)
URI_PATH = const(11)
CONTENT_FORMAT = const(12)
MAX_AGE = const(14)
URI_QUERY = const(15)
HOP_LIMIT = const(16)
ACCEPT = const(17)
LOCATION_QUERY = const(20)
BLOCK2 = const(23)
BLOCK1 = const(27)
SIZE2 = const(28)
PROXY_URI = const(35)
PROXY_SCHEME = const(39)
SIZE1 = const(60)
ECHO = const(252)
NO_RESPONSE = const(258)
REQUEST_TAG = const(292)

# Content formats
TEXT = const(0)
LINK_FORMAT = const(40)
OCTETS = const(42)
CBOR = const(60)
SENML_CBOR = const(112)


def is_request(code):
    return 0 < code < 0x20


def is_response(code):
    return 0x40 <= code < 0xC0  # classes 2 to 5; 3 has no code yet


def code_text(code):
    """ "4.04" for 0x84."""
    return "%d.%02d" % (code >> 5, code & 31)
