"""What can be wrong with a simulated modem, its SIM and its network."""

from dataclasses import dataclass, field


@dataclass
class Faults:
    """All may be changed while the modem runs.

    sim: "ready", "missing", "pin" (locked by `pin`) or "puk". register_s: from power-on to the
    network; denied: never. bad_apn: the data connection is refused. answer_s: the modem thinks
    that long before each answer. network_s: each way of the network. deaf: answers nothing.
    echo: commands come back, until ATE0. urcs: lines thrown into the middle of answers, in turn.
    garble: every so many answers one byte is spoilt; 0 never. is_on: False waits for the key.
    """

    sim: str = "ready"
    pin: str = "1234"
    register_s: float = 0.3
    denied: bool = False
    bad_apn: bool = False
    answer_s: float = 0.0
    network_s: float = 0.0
    deaf: bool = False
    urcs: list[str] = field(default_factory=list)
    garble: int = 0
    is_on: bool = True
