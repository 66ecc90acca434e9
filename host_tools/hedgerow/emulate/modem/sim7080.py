"""SIM7080: the AT+CN... and AT+CA... commands.

Source: SIM7070_SIM7080_SIM7090 Series AT Command Manual, chapters "AT Commands for IP Application"
and "AT Commands for TCP/UDP Application"; one context and one connection of theirs.
"""

from collections.abc import Callable

from hedgerow.emulate.modem.modem import Modem

_NO_NETWORK = "1"  # <result> of CAOPEN: socket error


class Sim7080(Modem):
    CLOSED = "+CASTATE: 0,0"
    DATA = "+CADATAIND: 0"
    OFF = "+APP PDP: 0,DEACTIVE"

    def reset(self) -> None:
        self._has_apn = False

    def own(self) -> dict[str, Callable[[str], None]]:
        return {
            "+CNCFG": self._configure,
            "+CNACT": self._activate,
            "+CNACT?": lambda args: self._contexts(),
            "+CAOPEN": self._open,
            "+CASEND": self._send,
            "+CARECV": self._receive,
            "+CACLOSE": lambda args: self.answer([], "OK" if self.tcp_close() else "ERROR"),
        }

    def _configure(self, args: str) -> None:
        self._has_apn = True
        self.answer([])

    def _activate(self, args: str) -> None:
        if args == "0,0":
            self.tcp_close()
            self.context = False
            self.answer([])
        elif not self.is_registered or not self._has_apn:
            self.answer([], "ERROR")
        else:
            self.context = not self.faults.bad_apn
            self.answer([])
            self.say("+APP PDP: 0," + ("ACTIVE" if self.context else "DEACTIVE"))

    def _contexts(self) -> None:
        first = '+CNACT: 0,1,"10.0.0.2"' if self.context else '+CNACT: 0,0,"0.0.0.0"'
        self.answer([first, *(f'+CNACT: {i},0,"0.0.0.0"' for i in (1, 2, 3))])

    def _open(self, args: str) -> None:
        parts = [part.strip('"') for part in args.split(",")]
        if self.is_open or len(parts) < 5 or not parts[4].isdigit():
            self.answer([], "ERROR")
            return
        works = self.tcp_open(parts[3], int(parts[4]))
        delay_s = 2 * self.faults.network_s
        self.after(delay_s, lambda: self.answer([f"+CAOPEN: 0,{0 if works else _NO_NETWORK}"]))

    def _send(self, args: str) -> None:
        _, _, count = args.partition(",")
        if not self.is_open or not count.isdigit() or not 0 < int(count) <= 1459:
            self.answer([], "ERROR")
            return
        self.prompt(int(count))

    def sent(self, data: bytes) -> None:
        self.answer([], "OK" if self.transmit(data) else "ERROR")

    def _receive(self, args: str) -> None:
        _, _, most = args.partition(",")
        data = self.taken(int(most)) if most.isdigit() else b""
        if data:
            self.put_data(f"+CARECV: {len(data)},", data)
        else:
            self.answer(["+CARECV: 0"])
