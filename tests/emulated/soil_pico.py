"""The template's soil node on the emulated Pico, in its field; its time waits for answers."""

from datetime import date

from pico_port import PicoPort

from hedge.core.errors import FrameError
from hedge.net.serial_lines import LONGEST_TO_HOST, Lines
from hedge.wire import ack, frame
from hedgerow.config import compile_file
from hedgerow.config.project import new_project
from hedgerow.emulate.pico.field import FieldMachine
from hedgerow.emulate.weather import load_weather
from hedgerow.sim.world import field_world, local_midnight_s, weather_days

NAME = "bed-3"
START = date(2027, 5, 1)  # the weather of 2015; a clock before 2024 counts as never set
DAYS = 30
_LOOK_S = 0.05
_READS_NS = 50_000_000  # an answer is read by then; until then no sleep of the chip is skipped


def write_node(folder, sample_s, region_kb=0):
    """The template for a board on a cable, in loam, with another pace.

    region_kb: of raw flash, for its log. keepalive_s: while nothing is sent days pass in a second;
    the bridge's do not.
    """
    path = new_project(NAME, "soil", folder) / "node.toml"
    text = path.read_text(encoding="utf-8")
    begin, end = text.index("[uplink]"), text.index("# --- For `hedgerow sim")
    uplink = '[uplink]\nkind = "serial"\nkeepalive_s = 65535\n\n'
    text = text[:begin] + uplink + text[end:]
    changes = {
        '"RPI_PICO_W"': '"RPI_PICO"',
        "sample_s = 900 ": f"sample_s = {sample_s} ",
        "dry_pct = 9.95 ": "dry_pct = 12.0 ",  # what the simulated field is made of
    }
    if region_kb:
        changes["max_bytes = 262144"] = f'kind = "flash"\nmax_bytes = {region_kb * 1024}'
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return path


class Owed:
    """What the board waits for, from the messages that pass."""

    def __init__(self):
        self._up, self._down = Lines(LONGEST_TO_HOST), Lines(LONGEST_TO_HOST)
        self._answer = False  # to a hello or a ping
        self._frames = {}  # (boot, stream) -> last seq

    def __bool__(self):
        return self._answer or bool(self._frames)

    def from_board(self, data):
        for kind, body in self._up.feed(data):
            self._answer = self._answer or kind in "HP"
            if kind == "H":
                self._frames = {}
            elif kind == "U":
                sent = frame.unpack(body[2:])
                key = (sent.boot, sent.stream)
                last = sent.seq + len(sent.records) - 1
                self._frames[key] = max(last, self._frames.get(key, 0))

    def to_board(self, data):
        for kind, body in self._down.feed(data):
            self._answer = self._answer and kind not in "wnp"
            if kind == "n":
                self._frames = {}
            elif kind == "a":
                self._acked(body[2:])

    def _acked(self, data):
        try:
            _, _, marks = ack.unpack(data, NAME)
        except FrameError as error:
            raise AssertionError(f"the bridge passed on a broken ack: {error}") from error
        for boot, stream, upto in marks:
            if self._frames.get((boot, stream), upto + 1) <= upto:
                del self._frames[boot, stream]


class PatientMachine(FieldMachine):
    """Sleeps take no time, but while an answer is owed time passes as on the wall.

    An answer takes as long as broker and gateway need, whatever the chip's time is.
    """

    def __init__(self, machine, *args):
        super().__init__(machine, *args)
        self.owed = Owed()
        self._reads_until_ns = 0

    def days(self):
        """Days that have passed in the field."""
        return (self.now_s - local_midnight_s(START, 0)) / 86400

    def step(self, received):
        self.owed.to_board(received)
        if received:
            self._reads_until_ns = self._machine.now_ns + _READS_NS
        is_busy = self.owed or self._machine.now_ns < self._reads_until_ns
        self._machine.set_speed(1.0 if is_busy else None)
        written, wait_s = super().step(received)
        self.owed.from_board(written)
        # It looks again when the hold is over, not when the chip would wake at wall speed.
        return written, _LOOK_S if wait_s is None else min(wait_s, _LOOK_S)


class SoilPico(PicoPort):
    """A PicoPort in a field; begins with the board's blank flash, at wall speed."""

    def __init__(self, link, region_kb=0):
        super().__init__(link, region_kb)
        self.region_kb = region_kb
        self._bare = self._machine
        self.field = None

    def enter_field(self, node_file, vwc_pct):
        """From the next plug_in() on the chips of the node file are on its pins."""
        plan = compile_file(node_file)
        weather = load_weather("seattle", START, weather_days(DAYS))
        world = field_world(plan, weather, seed=0, dry_pct=plan["thresholds"]["dry_pct"])
        world["vwc_pct"] = vwc_pct
        start_s = local_midnight_s(START, 0) - self._bare.now_ns // 10**9
        self.field = PatientMachine(self._bare, self.chip.wiring, plan, world, start_s)
        self._machine = self.field
