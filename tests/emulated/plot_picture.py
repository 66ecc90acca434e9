"""Makes host_tools/hedgerow/device/plot.svg: what `hedgerow monitor --plot` shows of a real app.

    python tests/emulated/plot_picture.py [SECONDS]

The emulated Pico reads a simulated soil probe with its own ADC and switches a pump, which waters a
bed that dries faster than any field does; deploy and monitor are the commands that a user types.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from pico_port import pico_port

from hedgerow.emulate.chips.soil_probe import SoilProbe

HEDGEROW = Path(sys.executable).with_name("hedgerow")
PICTURE = Path(__file__).resolve().parents[2] / "host_tools/hedgerow/device/plot.svg"
PROBE, PUMP = 26, 15
APP = f"""import time
from array import array
from machine import ADC, Pin
from hedge.drivers.soil_probe import SoilProbe

probe, pump, out = SoilProbe(ADC({PROBE})), Pin({PUMP}, Pin.OUT), array("i", (0,))
while True:
    probe.poll(out)
    soil_pct = out[0] / 100
    if soil_pct < 25 or soil_pct > 32:
        pump.value(soil_pct < 25)
    print("soil=%.1f %% dry=25 wet=32" % soil_pct)
    time.sleep(0.2)
"""


class Bed(SoilProbe):
    """Dries, and gets water while the pump runs."""

    def __init__(self, now_ms, pump_is_on):
        super().__init__()
        self.vwc_pct = 30.0
        self._now_ms, self._pump_is_on = now_ms, pump_is_on
        self._at_ms = now_ms()

    def mv(self):
        now_ms = self._now_ms()
        per_s = 2.4 if self._pump_is_on() else -0.9
        self.vwc_pct += per_s * (now_ms - self._at_ms) / 1000
        self._at_ms = now_ms
        return super().mv()


def main(seconds="30"):
    with tempfile.TemporaryDirectory() as name, pico_port(Path(name)) as pico:
        pico.unplug()
        wiring = pico.chip.wiring
        wiring.pin(PUMP)
        wiring.attach_adc(PROBE, Bed(wiring.now_ms, lambda: wiring.pin(PUMP)), noise_mv=8)
        pico.plug_in()
        app = Path(name) / "bed.py"
        app.write_text(APP)
        port = ["--port", pico.address]
        subprocess.run([HEDGEROW, "deploy", app, *port], check=True)
        terminal = {**os.environ, "COLUMNS": "84", "LINES": "22"}
        watch = ["monitor", "--plot", "--seconds", seconds, "--svg", PICTURE]
        subprocess.run([HEDGEROW, *watch, *port], check=True, env=terminal)
    print(PICTURE)


if __name__ == "__main__":
    main(*sys.argv[1:])
