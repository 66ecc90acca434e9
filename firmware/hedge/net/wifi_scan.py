"""Which known networks are in the air, strongest first, without holding up the event loop.

WLAN.scan() returns after seconds. On an ESP32 it lets other threads run meanwhile
(ports/esp32/network_wlan.c, MP_THREAD_GIL_EXIT), so a thread does it; CYW43 waits in a loop of its
own (extmod/network_cyw43.c), so there nothing is scanned and the order of the node file decides.
"""

import asyncio
import sys

_LIMIT_MS = 12000  # a scan of all channels takes 2 to 4 s
_LOOK_MS = 100
_STEP_DB = 8  # a network this much stronger is worth a change


def scanner():
    """The scan for this port: an async function of a WLAN, or None where it would block."""
    return scan_in_thread if sys.platform == "esp32" else None


async def scan_in_thread(wlan):
    """What WLAN.scan() gives; [] if it failed or took too long."""
    import _thread

    found = []
    done = asyncio.ThreadSafeFlag()

    def work():
        try:
            found.extend(wlan.scan())
        except OSError:
            pass  # nothing found: the caller goes by the order of the node file
        done.set()

    _thread.start_new_thread(work, ())
    try:
        await asyncio.wait_for_ms(done.wait(), _LIMIT_MS)
    except asyncio.TimeoutError:
        return []
    return found


def names_heard(found):
    """Sorted names of the networks in rows of WLAN.scan(). Hidden ones have none; an SSID need not
    be UTF-8 (IEEE 802.11-2020 9.4.2.2): such a one cannot be typed into the page.
    """
    names = set()
    for row in found:
        try:
            names.add(str(bytes(row[0]), "utf-8"))
        except ValueError:  # UnicodeError is one
            continue
    return sorted(names - {""})


def order(networks, found):
    """[(ssid, key, bssid)]: networks to try. Those heard first, by preference then signal.

    networks: [(ssid, key)] by preference. found: rows of WLAN.scan(). Of one network's access
    points the strongest is named; a network not heard (hidden, or just missed) comes last.
    """
    heard, unheard = [], []
    for ssid, key in networks:
        best = strongest(found, ssid)
        (heard if best else unheard).append((ssid, key, best[1] if best else None))
    return heard + unheard


def strongest(found, ssid):
    """The row of that network with the best signal, or None."""
    name = ssid.encode()
    rows = [row for row in found if bytes(row[0]) == name]
    return max(rows, key=lambda row: row[3]) if rows else None


def better(found, ssid, bssid, rssi):
    """BSSID of another access point of this network worth changing to, or None."""
    best = strongest(found, ssid)
    if best and bytes(best[1]) != bssid and best[3] >= rssi + _STEP_DB:
        return bytes(best[1])
    return None
