"""SIM800: the AT+CIP... commands and the states that they go through.

Source: SIM800 Series AT Command Manual V1.09, chapter 8; SIM800 Series TCPIP Application Note
V1.03 (CIPRXGET, states). One connection: CIPMUX=0.
"""

from collections.abc import Callable

from hedgerow.emulate.modem.modem import Modem


class Sim800(Modem):
    CLOSED = "CLOSED"
    DATA = "+CIPRXGET: 1"
    OFF = "+PDP: DEACT"

    def reset(self) -> None:
        self._state = "IP INITIAL"

    def own(self) -> dict[str, Callable[[str], None]]:
        return {
            "+CIPSHUT": lambda args: self._shut(),
            "+CIPMUX": lambda args: self._if(self._state == "IP INITIAL"),
            "+CIPRXGET": self._rxget,
            "+CSTT": lambda args: self._go("IP INITIAL", "IP START"),
            "+CIICR": lambda args: self._bring_up(),
            "+CIFSR;E0": lambda args: self._address(),
            "+CIPSTART": self._start,
            "+CIPSEND": self._send,
            "+CIPCLOSE": lambda args: self._close(),
        }

    def _if(self, good: bool) -> None:
        self.answer([], "OK" if good else "ERROR")

    def _go(self, state: str, after: str) -> None:
        good = self._state == state
        self._state = after if good else self._state
        self._if(good)

    def _shut(self) -> None:
        self.tcp_close()
        self.context = False
        self._state = "IP INITIAL"
        self.answer([], "SHUT OK")

    def _bring_up(self) -> None:
        good = self._state == "IP START" and self.is_registered and not self.faults.bad_apn
        self._state = "IP GPRSACT" if good else self._state
        self.answer([], "OK" if good else "+CME ERROR: PDP deactivated")

    def _address(self) -> None:
        if self._state != "IP GPRSACT":
            self.answer([], "ERROR")
            return
        self._state, self.context, self._echo = "IP STATUS", True, False
        self.answer(["10.0.0.2"])

    def _start(self, args: str) -> None:
        parts = [part.strip('"') for part in args.split(",")]
        if self._state not in ("IP STATUS", "IP INITIAL") or len(parts) < 3:
            self.answer([], "+CME ERROR: operation not allowed")
            return
        self.answer([])
        if self.is_open:
            self.say("ALREADY CONNECT")
            return
        works = self.tcp_open(parts[1], int(parts[2]))
        said = "CONNECT OK" if works else "STATE: TCP CLOSED\r\n\r\nCONNECT FAIL"
        self.after(2 * self.faults.network_s, lambda: self.say(said))

    def _send(self, args: str) -> None:
        if not self.is_open or not args.isdigit() or not 0 < int(args) <= 1460:
            self.answer([], "+CME ERROR: operation not allowed")
            return
        self.prompt(int(args))

    def sent(self, data: bytes) -> None:
        self.answer([], "SEND OK" if self.transmit(data) else "SEND FAIL")

    def _rxget(self, args: str) -> None:
        mode, _, most = args.partition(",")
        if mode != "2":
            self.answer([])
            return
        data = self.taken(int(most)) if most.isdigit() else b""
        if data:
            self.put_data(f"+CIPRXGET: 2,{len(data)},{self.left}\r\n", data)
        else:
            self.answer(["+CIPRXGET: 2,0,0"])

    def _close(self) -> None:
        self.answer([], "CLOSE OK" if self.tcp_close() else "ERROR")
