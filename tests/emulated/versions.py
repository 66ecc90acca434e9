"""Apps that say which version they are, on the emulated Pico behind its port."""

import random
import time

from hedgerow.device.link import SerialLink

MODEL = random.Random(1).randbytes(5000)
_APP = """import time
%s
while True:
    print('version %d')
    time.sleep(0.5)
"""


def write_app(folder, version, model=MODEL, first=""):
    """first: a line that runs before the app says its version."""
    folder.mkdir(exist_ok=True)
    (folder / "main.py").write_text(_APP % (first, version))
    (folder / "model.hgm").write_bytes(model)


def plug_in_with(pico, flash=None):
    """Power on, with this flash or the one that the board has."""
    if pico.plugged_in:
        pico.unplug()
    pico.chip.reset(flash)
    pico.plug_in()


def listen(pico, wanted, wait_s=150.0, ask=b""):
    """What the board prints, up to the first text of wanted. ask: sent while it is silent."""
    end_s, heard = time.monotonic() + wait_s, ""
    with SerialLink(pico.address) as link:
        while not any(text in heard for text in wanted):
            assert time.monotonic() < end_s, f"no {wanted} in {heard[-500:]!r}"
            said = link.read(0.2).decode("utf-8", "replace")
            if not said and ask:
                link.send(ask)
            heard += said
    return heard


def version_of(pico):
    """The version that runs: 1, 2 or 3; 0 at the prompt without an app."""
    said = {f"version {n}\r\n": n for n in (1, 2, 3)} | {">>> ": 0}
    heard = listen(pico, said, ask=b"\r")  # a prompt from before the port was opened is lost
    return min((heard.find(text), n) for text, n in said.items() if text in heard)[1]
