"""SIMCom SIM800 family (SIM800L, SIM800C, SIM808 and others): TCP by AT+CIP... commands. 2G.

Source: SIM800 Series AT Command Manual V1.09, chapter 8 (8.2.1 CIPMUX, 8.2.2 CIPSTART, 8.2.3
CIPSEND ...), and SIM800 Series TCPIP Application Note V1.03 (CIPRXGET, the states of a
connection). Checked against Adafruit's FONA library and TinyGSM. One connection (CIPMUX=0).
"""

from ...core.errors import LinkError

REGISTERED = "+CREG"  # TS 27.007 section 7.2
COUNTED = b"+CIPRXGET: 2,", b"\r\n"  # +CIPRXGET: 2,5,0<CR><LF>hello
MAX_SEND_BYTES = 1024  # the manual: 1460 at most
MAX_RECEIVE_BYTES = 512
_DATA = b"+CIPRXGET: 1"
_CLOSED = b"CLOSED"
_OFF = (b"+PDP: DEACT", b"NORMAL POWER DOWN", b"UNDER-VOLTAGE POWER DOWN", b"RDY")


async def attach(at, apn, user, password):
    """From IP INITIAL to IP STATUS: the states of the application note. Raises LinkError."""
    await at.command("AT+CIPSHUT", limit_ms=65000, finals=(b"SHUT OK",))
    await at.command("AT+CIPMUX=0")
    await at.command("AT+CIPRXGET=1")
    await at.command('AT+CSTT="%s","%s","%s"' % (apn, user, password))
    await at.command("AT+CIICR", limit_ms=85000)
    # CIFSR answers with an address and without OK, so the next command's OK ends the answer.
    await at.command("AT+CIFSR;E0", limit_ms=10000)


async def open_tcp(at, host, port, limit_ms):
    """The OK says that the command was understood; whether it worked comes after it."""
    command = 'AT+CIPSTART="TCP","%s",%d' % (host, port)
    finals = b"CONNECT OK", b"ALREADY CONNECT"
    try:
        await at.command(command, limit_ms=limit_ms, finals=finals)
    except LinkError as e:
        raise LinkError("modem: cannot connect to %s:%d (%s)" % (host, port, e))


async def send(at, data, limit_ms):
    command = "AT+CIPSEND=%d" % len(data)
    await at.command(command, limit_ms=limit_ms, finals=(b"SEND OK",), data=data)


async def receive(at, most):
    """What is there, at most `most` bytes; b"" if nothing is."""
    _, data = await at.read_data("AT+CIPRXGET=2,%d" % most, "+CIPRXGET: 2,")
    return data


async def close_tcp(at):
    await at.command("AT+CIPCLOSE", limit_ms=10000, finals=(b"CLOSE OK",))


async def detach(at):
    await at.command("AT+CIPSHUT", limit_ms=65000, finals=(b"SHUT OK",))


def meaning(line):
    """ "data", "closed", "off" or None: what an unasked line says of the connection."""
    if line == _DATA:
        return "data"
    if line == _CLOSED:
        return "closed"
    return "off" if line in _OFF else None
