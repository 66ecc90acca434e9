"""SPI and UART chips of emulate/chips on the controllers of the emulated chip."""

from typing import Any

_GARBLE = 0x5A
_BAUD_TOLERANCE = 0.03  # beyond it the last bits of a byte fall into their neighbours
_GAP_BITS = 30  # silence after which what the board sent was one write


class SPILine:
    """One bus. Chips: select(), transfer(mosi) -> miso, deselect(); MISO has a pull-up."""

    def __init__(self) -> None:
        self._chips: dict[int, Any] = {}  # by chip select pin
        self._selected: set[int] = set()

    def attach(self, cs_pin: int, chip: Any) -> None:
        self._chips[cs_pin] = chip

    def on_cs(self, cs_pin: int, level: int | None) -> None:
        """Listener for a chip select; a pin that is not driven has a pull-up."""
        if (level == 0) == (cs_pin in self._selected):
            return
        if level == 0:
            self._selected.add(cs_pin)
            self._chips[cs_pin].select()
        else:
            self._selected.remove(cs_pin)
            self._chips[cs_pin].deselect()

    def transfer(self, mosi: int) -> int:
        miso = 0xFF
        for cs_pin in self._selected:
            miso &= self._chips[cs_pin].transfer(mosi)
        return miso


class UARTLine:
    """One chip: baud, take() -> bytes since the last call, write(bytes) of one transmission."""

    def __init__(self, chip: Any) -> None:
        self.chip = chip
        self._sent = bytearray()  # by the board, not yet told
        self._told_ns = 0

    def hear(self, byte: int, baud: int, now_ns: int) -> None:
        """The board sent a byte."""
        self._sent.append(self._over_the_line(byte, baud))
        self._told_ns = now_ns + _GAP_BITS * 10**9 // baud

    def tick(self, baud: int, now_ns: int) -> list[int]:
        """What the chip has sent; tells it what the board sent, once it has ended."""
        if self._sent and now_ns >= self._told_ns:
            sent, self._sent = bytes(self._sent), bytearray()
            self.chip.write(sent)
        received = bytes(self.chip.take())
        return [self._over_the_line(byte, baud) for byte in received] if baud else []

    def _over_the_line(self, byte: int, baud: int) -> int:
        same = abs(baud - self.chip.baud) <= _BAUD_TOLERANCE * self.chip.baud
        return byte if same else byte ^ _GARBLE
