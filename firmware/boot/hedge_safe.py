"""The way in when no cable is: in safe mode, the Wi-Fi of /app/link.json and WebREPL.

    {"ssid": "...", "key": "...", "password": "..."}     password: of WebREPL, 4 to 9 characters

Nothing is opened without that file. Source: docs/reference/repl.rst of MicroPython, "WebREPL".
"""

import json
import time

PATH = "/app/link.json"
WAIT_MS = 20000
_LOOK_MS = 200


def open_link(path=PATH, network=None, webrepl=None, wait_ms=WAIT_MS):
    """The address at which WebREPL listens, None (and one line that says why) if it does not.

    network, webrepl: the modules of these names. Blocks for wait_ms at most.
    """
    try:
        with open(path) as file:
            wanted = json.load(file)
        ssid, key, password = wanted["ssid"], wanted["key"], wanted["password"]
    except OSError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        print("boot: %s: wants ssid, key, password: %r" % (path, error))
        return None
    try:
        if network is None:
            import network
        if webrepl is None:
            import webrepl
        return _open(network, webrepl, ssid, key, password, wait_ms)
    except (ImportError, AttributeError, OSError, ValueError) as error:
        print("boot: no network link: %r" % error)
        return None


def _open(network, webrepl, ssid, key, password, wait_ms):
    station = network.WLAN(network.STA_IF)
    station.active(True)
    station.connect(ssid, key)
    for _ in range(max(1, wait_ms // _LOOK_MS)):
        if station.isconnected():
            address = station.ifconfig()[0]
            webrepl.start(password=password)
            print("boot: WebREPL at ws://%s:8266" % address)
            return address
        time.sleep(_LOOK_MS / 1000)
    print("boot: no network link: %s does not answer" % ssid)
    return None
