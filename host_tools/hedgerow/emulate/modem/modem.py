"""A modem without wires: bytes in, bytes out, time and network passed in.

Source: ITU-T V.250 (command lines, echo, result codes), 3GPP TS 27.007 (sections named at the
commands); the rest is in sim7080.py and sim800.py, which subclass this.
"""

import random
from collections.abc import Callable
from typing import Protocol

from hedgerow.emulate.modem.faults import Faults

_MAX_COMMAND_BYTES = 556  # SIM800 manual, section 1.4.2; longer lines are ERROR
_ESC = 0x1B


class Connection(Protocol):
    """One TCP connection of the network."""

    def send(self, data: bytes) -> None: ...

    def close(self) -> None: ...


class Network(Protocol):
    """connect() returns None where nobody answers. What comes in is given to Modem.came()."""

    def connect(self, host: str, port: int) -> Connection | None: ...


class Modem:
    """now_s: a clock. out(data): bytes to the board. network: where TCP goes."""

    def __init__(
        self,
        network: Network,
        out: Callable[[bytes], None],
        now_s: Callable[[], float],
        faults: Faults,
        seed: int = 1,
    ):
        self.faults = faults
        self.commands: list[str] = []
        self._network = network
        self._out = out
        self._now_s = now_s
        self._random = random.Random(seed)
        self._later: list[tuple[float, Callable[[], None]]] = []
        self._answers = 0
        self.spoilt = 0  # of these with bytes from the network
        self.power_on()

    def power_on(self) -> None:
        self._line = b""
        self._echo = True
        self._wanted = 0  # bytes that the prompt asked for
        self._data = b""
        self._pin_ok = False
        self._pin_tries = 3
        self._began_s = self._now_s()
        self._connection: Connection | None = None
        self._inbox = b""
        self._told = False  # that data is there
        self.context = False
        self.reset()

    def reset(self) -> None:
        """What a subclass keeps, at power-on."""

    def press_key(self) -> None:
        """PWRKEY: on or off."""
        self.faults.is_on = not self.faults.is_on
        if self.faults.is_on:
            self.power_on()
            self.after(0.5, lambda: self.say("RDY"))
        else:
            self._later.clear()
            self._hang_up()

    # Time

    def after(self, delay_s: float, work: Callable[[], None]) -> None:
        self._later.append((self._now_s() + delay_s, work))

    def tick(self) -> None:
        """Do what is due, in its order."""
        now_s = self._now_s()
        due = [item for item in self._later if item[0] <= now_s]
        self._later = [item for item in self._later if item[0] > now_s]
        for _, work in sorted(due, key=lambda item: item[0]):
            work()

    # The board's side

    def feed(self, data: bytes) -> None:
        if not self.faults.is_on or self.faults.deaf:
            return
        for byte in data:
            self._byte(byte)

    def _byte(self, byte: int) -> None:
        if self._wanted:
            self._datum(byte)
            return
        if self._echo:
            self._out(bytes([byte]))
        if byte == 0x0D:
            line, self._line = self._line, b""
            self._command(line)
        elif byte not in (0x0A, _ESC):
            self._line += bytes([byte])

    def _datum(self, byte: int) -> None:
        if byte == _ESC and not self._data:
            self._wanted = 0  # the manuals: ESC quits the sending
            self.answer([], "OK")
            return
        self._data += bytes([byte])
        if len(self._data) == self._wanted:
            data, self._data, self._wanted = self._data, b"", 0
            self.after(self.faults.answer_s + self.faults.network_s, lambda: self.sent(data))

    def _command(self, raw: bytes) -> None:
        text = raw.decode("latin-1").strip()
        if not text:
            return
        at = text.upper().find("AT")
        if at < 0 or len(raw) > _MAX_COMMAND_BYTES:
            self.after(self.faults.answer_s, lambda: self.answer([], "ERROR"))
            return
        text = text[at:]
        self.commands.append(text)
        self.after(self.faults.answer_s, lambda: self._perform(text[2:]))

    def _perform(self, text: str) -> None:
        name, _, args = text.partition("=")
        for table in (self.own(), self._common()):
            if name.upper() in table:
                table[name.upper()](args)
                return
        self.answer([], "ERROR")

    def own(self) -> dict[str, Callable[[str], None]]:
        """The commands of one family."""
        return {}

    def say(self, line: str) -> None:
        """One line to the board."""
        self._put(f"\r\n{line}\r\n".encode("latin-1"))

    def answer(self, lines: list[str], final: str = "OK") -> None:
        """Lines and their end; what faults asks for happens in between."""
        parts = [f"\r\n{line}\r\n" for line in lines]
        if self.faults.urcs:
            parts.append(f"\r\n{self.faults.urcs.pop(0)}\r\n")
        parts.append(f"\r\n{final}\r\n" if final else "")
        self._put("".join(parts).encode("latin-1"))

    def _put(self, data: bytes, carries: bool = False) -> None:
        self._answers += 1
        if self.faults.garble and self._answers % self.faults.garble == 0 and data:
            self.spoilt += carries
            at = self._random.randrange(len(data))
            data = data[:at] + bytes([self._random.randrange(256)]) + data[at + 1 :]
        if self.faults.is_on:
            self._out(data)

    def put_data(self, head: str, data: bytes) -> None:
        """An answer with counted bytes."""
        self._put(b"\r\n" + head.encode() + data + b"\r\n\r\nOK\r\n", carries=True)

    def prompt(self, count: int) -> None:
        self._wanted, self._data = count, b""
        self._put(b"\r\n> ")

    # Common commands

    def _common(self) -> dict[str, Callable[[str], None]]:
        return {
            "": lambda args: self.answer([]),
            "E0": lambda args: self._set_echo(False),
            "E1": lambda args: self._set_echo(True),
            "+CMEE": lambda args: self.answer([]),
            "+CPIN?": lambda args: self._ask_pin(),  # TS 27.007 section 8.3
            "+CPIN": self._give_pin,
            "+CSQ": lambda args: self.answer(["+CSQ: 18,99"]),  # section 8.5
            "+CREG?": lambda args: self._registration("+CREG"),  # section 7.2
            "+CEREG?": lambda args: self._registration("+CEREG"),  # section 10.1.22
            "+CGDCONT": lambda args: self.answer([]),  # section 10.1.1
            "D*99#": lambda args: self._dial(),  # section 10.2.1.1
        }

    def _dial(self) -> None:
        self.answer([], "CONNECT" if self.is_registered else "NO CARRIER")

    def _set_echo(self, echo: bool) -> None:
        self._echo = echo
        self.answer([])

    def _sim(self) -> str:
        if self.faults.sim == "pin":
            return "READY" if self._pin_ok else "SIM PIN" if self._pin_tries else "SIM PUK"
        return {"ready": "READY", "puk": "SIM PUK", "missing": ""}[self.faults.sim]

    def _ask_pin(self) -> None:
        if self.faults.sim == "missing":
            self.answer([], "+CME ERROR: SIM not inserted")
        else:
            self.answer([f"+CPIN: {self._sim()}"])

    def _give_pin(self, args: str) -> None:
        if self.faults.sim != "pin" or self._pin_ok or not self._pin_tries:
            self.answer([], "+CME ERROR: operation not allowed")
        elif args.strip('"') == self.faults.pin:
            self._pin_ok = True
            self.answer([])
            self.after(0.05, lambda: self.say("+CPIN: READY"))
        else:
            self._pin_tries -= 1
            self.answer([], "+CME ERROR: incorrect password")

    @property
    def is_registered(self) -> bool:
        waited = self._now_s() - self._began_s >= self.faults.register_s
        return self._sim() == "READY" and waited and not self.faults.denied

    def _registration(self, name: str) -> None:
        stat = 3 if self.faults.denied else 1 if self.is_registered else 2
        self.answer([f"{name}: 0,{stat}"])

    # TCP

    def tcp_open(self, host: str, port: int) -> bool:
        self._connection = self._network.connect(host, port) if self.context else None
        self._inbox, self._told = b"", False
        return self._connection is not None

    @property
    def is_open(self) -> bool:
        return self._connection is not None

    def came(self, connection: Connection, data: bytes) -> None:
        """From the network; b"" is the end of the connection."""
        self.after(self.faults.network_s, lambda: self._take(connection, data))

    def _take(self, connection: Connection, data: bytes) -> None:
        if connection is not self._connection:
            return
        if not data:
            self._connection = None
            self.say(self.CLOSED)
            return
        self._inbox += data
        if not self._told:
            self._told = True
            self.say(self.DATA)

    def taken(self, most: int) -> bytes:
        data, self._inbox = self._inbox[:most], self._inbox[most:]
        self._told = bool(self._inbox)
        return data

    @property
    def left(self) -> int:
        return len(self._inbox)

    def transmit(self, data: bytes) -> bool:
        if self._connection is None:
            return False
        self._connection.send(data)
        return True

    def sent(self, data: bytes) -> None:
        """The bytes of the prompt are complete."""
        raise NotImplementedError

    def tcp_close(self) -> bool:
        was = self._connection is not None
        self._hang_up()
        return was

    def _hang_up(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None

    def lose_network(self) -> None:
        """The cell is gone: the data connection ends, registration begins anew."""
        self._hang_up()
        self.context = False
        self._began_s = self._now_s()
        self.say(self.OFF)

    CLOSED = DATA = OFF = ""
