"""SIMCom SIM7070, SIM7080, SIM7090: TCP by AT+CA... commands. LTE-M and NB-IoT.

Source: SIM7070_SIM7080_SIM7090 Series AT Command Manual, chapters "AT Commands for IP Application"
(CNCFG, CNACT) and "AT Commands for TCP/UDP Application" (CAOPEN, CASEND, CARECV, CASTATE,
CACLOSE). Checked against Zephyr's simcom-sim7080 driver and TinyGSM. 3GPP TS 27.007 for the rest.
"""

from ...core.errors import LinkError
from ..link import shown

REGISTERED = "+CEREG"  # TS 27.007 section 10.1.22
COUNTED = b"+CARECV: ", b","  # +CARECV: 5,hello
MAX_SEND_BYTES = 1024  # the manual: 1459 at most
MAX_RECEIVE_BYTES = 512
_DATA = b"+CADATAIND: 0"
_CLOSED = b"+CASTATE: 0,0"
_OFF = (b"+APP PDP: 0,DEACTIVE", b"NORMAL POWER DOWN", b"RDY")  # RDY: it has started anew


async def attach(at, apn, user, password):
    """Bring up the PDP context. Raises LinkError."""
    await at.command('AT+CGDCONT=1,"IP","%s"' % apn)
    account = ',"%s","%s",3' % (user, password) if user else ""
    await at.command('AT+CNCFG=0,1,"%s"%s' % (apn, account))
    if await _is_active(at):
        return
    await at.command("AT+CNACT=0,1", limit_ms=20000)
    if not await _is_active(at):
        raise LinkError("modem: no data connection, is the APN right?")


async def _is_active(at):
    for line in await at.command("AT+CNACT?", "+CNACT:"):
        if line.startswith(b"+CNACT: 0,1,"):  # context, state, address
            return True
    return False


async def open_tcp(at, host, port, limit_ms):
    lines = await at.command('AT+CAOPEN=0,0,"TCP","%s",%d' % (host, port), "+CAOPEN:", limit_ms)
    if b"+CAOPEN: 0,0" not in lines:
        said = shown(lines[0]) if lines else "no answer"
        raise LinkError("modem: cannot connect to %s:%d (%s)" % (host, port, said))


async def send(at, data, limit_ms):
    await at.command("AT+CASEND=0,%d" % len(data), limit_ms=limit_ms, data=data)


async def receive(at, most):
    """What is there, at most `most` bytes; b"" if nothing is."""
    _, data = await at.read_data("AT+CARECV=0,%d" % most, "+CARECV:")
    return data


async def close_tcp(at):
    await at.command("AT+CACLOSE=0", limit_ms=10000)


async def detach(at):
    await at.command("AT+CNACT=0,0", limit_ms=10000)


def meaning(line):
    """ "data", "closed", "off" or None: what an unasked line says of the connection."""
    if line == _DATA:
        return "data"
    if line == _CLOSED:
        return "closed"
    return "off" if line in _OFF else None
