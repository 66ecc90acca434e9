"""The radio: micropython-lib's `lora` drivers (SX127x, SX126x), driven without blocking the loop.

Used of a driver: configure(dict), prepare_send, start_send, poll_send, start_recv, poll_recv,
standby, sleep: the low-level interface that its README documents, common to all its modems.
"""

from ...core import clock
from ...core.errors import LinkError
from .airtime import PREAMBLE_SYMBOLS, airtime_us, symbol_us

_SYNC_WORD = 0x34  # public LoRaWAN networks
_POLL_MS = 4
_POLL_RX_MS = 20
_STUCK_MS = 2000  # past the end of a transmission; then the radio is taken for broken
# Symbols from the beginning of a packet to where the chip's own time-out lets it go on: an SX127x
# wants part of the preamble; an SX126x, as its driver sets it up, the whole and the header behind
# it (SX1261/2 datasheet rev. 2.1, StopTimerOnPreamble, a command that the driver does not send).
_SX127X_SYMBOLS = 8
_SX126X_SYMBOLS = 24
_MOST_BYTES = 255


class Radio:
    """modem: a driver object, of this chip. early_ms: how far the board's wake-up may be off.

    gain_db: of the antenna; power_dbm: the most the module can give.
    """

    def __init__(self, modem, early_ms=20, gain_db=2, power_dbm=14, chip="sx1276"):
        self._modem = modem
        self._symbols = _SX126X_SYMBOLS if chip.startswith("sx126") else _SX127X_SYMBOLS
        self._early_ms = early_ms
        self._gain_db = gain_db
        self._power_dbm = power_dbm

    def _configure(self, hz, lora, up, eirp_dbm=None):
        config = {
            "freq_khz": hz // 1000 if hz % 1000 == 0 else hz / 1000,
            "sf": lora[0],
            "bw": str(lora[1]),
            "coding_rate": 5,
            "preamble_len": PREAMBLE_SYMBOLS,
            "implicit_header": False,
            "syncword": _SYNC_WORD,
            "crc_en": up,  # downlinks have none
            "invert_iq_tx": False,
            "invert_iq_rx": True,  # so that devices do not hear each other
        }
        if eirp_dbm is not None:
            config["output_power"] = min(eirp_dbm - self._gain_db, self._power_dbm)
        self._modem.configure(config)

    async def send(self, data, hz, lora, eirp_dbm):
        """Transmit; returns the ticks at its end. Raises LinkError if the radio gets stuck."""
        self._modem.standby()
        self._configure(hz, lora, True, eirp_dbm)
        self._modem.prepare_send(data)
        self._modem.start_send()
        airtime_ms = airtime_us(len(data), *lora) // 1000
        await clock.sleep_ms(airtime_ms)
        for _ in range(_STUCK_MS // _POLL_MS):
            ended = self._modem.poll_send()
            if ended is not True:
                return clock.ticks_ms() if ended is False else ended
            await clock.sleep_ms(_POLL_MS)
        self._modem.standby()
        raise LinkError("lorawan: the radio does not end its transmission")

    async def receive(self, hz, lora, opens_at):
        """The packet that begins near ticks opens_at (bytes-like with .rssi and .snr), or None."""
        symbol_ms = symbol_us(*lora) // 1000 + 1
        wait_ms = clock.ticks_diff(opens_at, clock.ticks_ms()) - self._early_ms
        if wait_ms > 0:
            await clock.sleep_ms(wait_ms)
        window_ms = 2 * self._early_ms + self._symbols * symbol_ms
        self._modem.standby()  # the drivers refuse settings while they receive
        self._configure(hz, lora, False)
        self._modem.start_recv(timeout_ms=window_ms)
        began_ms = clock.ticks_ms()
        limit_ms = window_ms + airtime_us(_MOST_BYTES, *lora) // 1000
        await clock.sleep_ms(window_ms)  # what has come is kept; what comes is being received
        packet = self._modem.poll_recv()
        while packet is True and clock.ticks_diff(clock.ticks_ms(), began_ms) < limit_ms:
            await clock.sleep_ms(_POLL_RX_MS)
            packet = self._modem.poll_recv()
        self._modem.standby()
        return packet if packet is not True and packet else None

    def listen(self, hz, lora):
        """Class C: receive until the next send() or receive(); see heard()."""
        self._modem.standby()
        self._configure(hz, lora, False)
        self._modem.start_recv(continuous=True)

    def heard(self):
        """A packet that arrived since listen(), or None."""
        packet = self._modem.poll_recv()
        return packet if packet is not True and packet else None

    def rest(self):
        """Let the radio sleep until it is used again."""
        self._modem.sleep()
