"""What a WLAN's status number means, in words a farmer can act on.

Source: MicroPython 1.25, docs/library/network.WLAN.rst; ports/esp32/network_wlan.c (numbers are
ESP-IDF's wifi_err_reason_t); for RP2 lib/cyw43-driver/src/cyw43.h, CYW43_LINK_*.
"""

CONNECTING = "connecting"
UP = "up"
WRONG_PASSWORD = "wrong password"
NOT_FOUND = "not found"
NO_ADDRESS = "no address from DHCP"
REFUSED = "refused"
NO_ANSWER = "no answer"
IDLE = "idle"

# The two ports share no number: CYW43 counts from -3 to 3, ESP-IDF's reasons from 1 up to 212
# (those below 200 are of IEEE 802.11) and MicroPython's own from 1000.
_CYW43 = {
    0: IDLE,
    1: CONNECTING,
    2: CONNECTING,  # joined, no address yet
    3: UP,
    -1: REFUSED,
    -2: NOT_FOUND,
    -3: WRONG_PASSWORD,
}
_ESP32 = {
    1000: IDLE,
    1001: CONNECTING,
    1010: UP,
    15: WRONG_PASSWORD,  # 4-way handshake timeout: what a wrong key looks like with WPA2
    200: NOT_FOUND,  # beacon timeout
    201: NOT_FOUND,
    202: WRONG_PASSWORD,
    204: WRONG_PASSWORD,  # handshake timeout
    210: NOT_FOUND,  # none with a security we can do, next: none of the mode, none strong enough
    211: NOT_FOUND,
    212: NOT_FOUND,
}
_CYW43_JOINED = 2


def meaning(network, code):
    """One of the words above. network: the module, which tells the two ports apart."""
    if network.STAT_GOT_IP == 3:
        return _CYW43.get(code, REFUSED)
    return _ESP32.get(code, REFUSED)


def is_joined(network, wlan):
    """True if an access point took us, with or without an address."""
    if network.STAT_GOT_IP == 3:
        return wlan.status() >= _CYW43_JOINED
    try:
        wlan.status("rssi")  # ESP-IDF answers only while associated
    except OSError:
        return False
    return True
