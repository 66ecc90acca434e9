"""Requests and answers of the set-up page: bytes only, bounded, no sockets.

    method, path, length = head(b"POST /save HTTP/1.1\r\n...")
    fields = form(b"ssid=farm&key=secret")           # {"ssid": "farm", "key": "secret"}

Source: RFC 9112 sections 2 to 6; the form encoding of the WHATWG URL standard section 5.
"""

from ..core.errors import FrameError

MAX_HEAD_BYTES = 2048  # phones send long User-Agents and cookies
MAX_BODY_BYTES = 1024
MAX_FIELDS = 16
_HEX = b"0123456789abcdef"
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}


def head(data):
    """(method, path, bytes of the body) of everything up to the empty line. Raises FrameError."""
    lines = bytes(data).split(b"\r\n")
    words = lines[0].split(b" ")
    if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
        raise FrameError("HTTP: not a request")
    length = 0
    for line in lines[1:]:
        name, colon, value = _partition(line)
        if colon and name.strip().lower() == b"content-length":
            length = _length(value.strip())
        elif colon and name.strip().lower() == b"transfer-encoding":
            raise FrameError("HTTP: transfer-encoding is not read")
    return _text(words[0]), _text(words[1].split(b"?")[0]), length


def _partition(line):
    at = line.find(b":")
    return (line[:at], b":", line[at + 1 :]) if at > 0 else (line, b"", b"")


def _length(value):
    if not 0 < len(value) <= 5 or not value.isdigit() or int(value) > MAX_BODY_BYTES:
        raise FrameError("HTTP: a body of more than %d bytes, or no number" % MAX_BODY_BYTES)
    return int(value)


def form(data):
    """{name: value}, both text; a repeated name keeps the last. Raises FrameError."""
    found = {}
    pairs = bytes(data).split(b"&")
    if len(pairs) > MAX_FIELDS:
        raise FrameError("form: more than %d fields" % MAX_FIELDS)
    for pair in pairs:
        at = pair.find(b"=")
        if at > 0:
            found[_text(_decoded(pair[:at]))] = _text(_decoded(pair[at + 1 :]))
    return found


def _decoded(data):
    out = bytearray()
    at = 0
    while at < len(data):
        if data[at] == 0x25:  # %
            high, low = _digit(data, at + 1), _digit(data, at + 2)
            out.append(high << 4 | low)
            at += 3
        else:
            out.append(0x20 if data[at] == 0x2B else data[at])
            at += 1
    return bytes(out)


def _digit(data, at):
    digit = _HEX.find(bytes(data[at : at + 1]).lower()) if at < len(data) else -1
    if digit < 0:
        raise FrameError("form: % without two hex digits")
    return digit


def _text(data):
    try:
        return data.decode()
    except (UnicodeError, ValueError):
        raise FrameError("HTTP: not UTF-8")


def escape(text):
    """Text that may stand anywhere in HTML, quoted attributes included."""
    return "".join([_ESCAPES.get(c, c) for c in text])


def answer(status, body="", more=""):
    """Bytes of a whole answer. status: "200 OK". more: header lines that end with CR LF."""
    data = body.encode()
    top = "HTTP/1.1 %s\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n"
    top += "Cache-Control: no-store\r\nConnection: close\r\n%s\r\n"
    return (top % (status, len(data), more)).encode() + data
