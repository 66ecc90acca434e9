"""Access points in the air, and the module `network` of ESP32 or RP2 that hears them.

    air = Air()
    air.add("farm", key="secret", rssi=-60)
    network = Network(air, "rp2")
    wlan = network.WLAN(network.WLAN.IF_STA)

A pure model: what is asked decides by the time that has passed; nothing runs by itself. Status
codes, what raises, and who reconnects by itself are those of MicroPython 1.25: ports/esp32/
network_wlan.c, modnetwork_globals.h (ESP-IDF's reasons); extmod/network_cyw43.c and cyw43.h of
the CYW43 driver. How long things take is made up and can be set. Runs under both Pythons.
"""

import time


class AccessPoint:
    """key: None is open. dhcp: False never gives an address. rssi in dBm."""

    def __init__(self, ssid, bssid, key=None, rssi=-60, dhcp=True, address="10.0.0.2"):
        self.ssid = ssid
        self.bssid = bssid
        self.key = key
        self.rssi = rssi
        self.dhcp = dhcp
        self.address = address
        self.on = True


class Air:
    """join_ms: until an access point answers; dhcp_ms: until there is an address."""

    def __init__(self, join_ms=30, dhcp_ms=30, ticks_ms=None):
        self.join_ms = join_ms
        self.dhcp_ms = dhcp_ms
        self.points = []
        self.ticks_ms = ticks_ms or time.ticks_ms

    def add(self, ssid, **how):
        """An AccessPoint, on."""
        bssid = bytes((2, 0, 0, 0, 0, len(self.points)))
        self.points.append(AccessPoint(ssid, bssid, **how))
        return self.points[-1]

    def heard(self):
        return [point for point in self.points if point.on]

    def strongest(self, ssid, bssid=None):
        """The AccessPoint a station would join, or None."""
        fit = [p for p in self.heard() if p.ssid == ssid and bssid in (None, p.bssid)]
        return max(fit, key=lambda point: point.rssi) if fit else None


_CODES = {
    "esp32": {
        "STAT_IDLE": 1000,
        "STAT_CONNECTING": 1001,
        "STAT_GOT_IP": 1010,
        "STAT_NO_AP_FOUND": 201,
        "STAT_WRONG_PASSWORD": 202,
        "STAT_BEACON_TIMEOUT": 200,
        "STAT_CONNECT_FAIL": 203,
        "STAT_HANDSHAKE_TIMEOUT": 204,
    },
    "rp2": {
        "STAT_IDLE": 0,
        "STAT_CONNECTING": 1,
        "STAT_GOT_IP": 3,
        "STAT_NO_AP_FOUND": -2,
        "STAT_WRONG_PASSWORD": -3,
        "STAT_CONNECT_FAIL": -1,
    },
}
_CYW43_NO_IP = 2  # no constant of its own in the module
_HOSTNAME_MAX = 32
_NO_ADDRESS = ("0.0.0.0", "0.0.0.0", "0.0.0.0", "0.0.0.0")


class Network:
    """Stands for the module. port: "esp32" or "rp2"."""

    def __init__(self, air, port, own_address="192.168.4.1"):
        self.air = air
        self.port = port
        for name, code in _CODES[port].items():
            setattr(self, name, code)
        self._country = "XX"
        self._hostname = "mpy-" + port
        self._station = Station(self)
        self.access_point = OwnAccessPoint(own_address)

        class WLAN:
            IF_STA = 0
            IF_AP = 1
            PM_NONE = 0
            PM_PERFORMANCE = 1
            PM_POWERSAVE = 2

            def __new__(cls, interface=0):
                return self.access_point if interface else self._station

        self.WLAN = WLAN if port == "esp32" else _same(WLAN)

    def country(self, code=None):
        if code is not None:
            if len(code) != 2:
                raise ValueError
            self._country = code
        return self._country

    def hostname(self, name=None):
        if name is not None:
            if len(name) > _HOSTNAME_MAX:
                raise ValueError
            self._hostname = name
        return self._hostname


def _same(wlan):
    wlan.PM_NONE, wlan.PM_PERFORMANCE, wlan.PM_POWERSAVE = 0x10, 0xA11142, 0x11
    return wlan


class OwnAccessPoint:
    """The WLAN object of the access point interface."""

    def __init__(self, address):
        self._address = address
        self._active = False
        self.settings = {}

    def active(self, on=None):
        if on is not None:
            self._active = on
        return self._active

    def config(self, **values):
        self.settings.update(values)

    def ifconfig(self):
        return (self._address, "255.255.255.0", self._address, self._address)


class Station:
    """The WLAN object of the station interface."""

    def __init__(self, network):
        self._network = network
        self._air = network.air
        self._wanted = None  # (ssid, key, bssid, since ms)
        self._point = None  # associated with
        self._was_up = False
        self._static = None
        self._active = False
        self.settings = {}
        self.connects = []  # (ssid, bssid) of each connect()

    def active(self, on=None):
        if on is not None:
            self._active = on
        return self._active

    def config(self, *names, **values):
        for name in names or values:
            if name == "reconnects" and self._network.port != "esp32":
                raise ValueError("unknown config param")
        self.settings.update(values)
        return self.settings.get(names[0]) if names else None

    def connect(self, ssid, key=None, *, bssid=None):
        if not self._active:
            raise OSError("Wifi Not Started")
        self.connects.append((ssid, bssid))
        self._wanted = (ssid, key, bssid, self._air.ticks_ms())
        self._point = self._air.strongest(ssid, bssid)
        self._was_up = False

    def disconnect(self):
        self._wanted = self._point = None
        self._was_up = False

    def scan(self):
        return [(p.ssid.encode(), p.bssid, 6, p.rssi, 3, False) for p in self._air.heard()]

    def isconnected(self):
        return self.status() == self._network.STAT_GOT_IP

    def ifconfig(self, values=None):
        if values is not None:
            self._static = values
            return None
        if not self.isconnected():
            return _NO_ADDRESS
        return self._static or (self._point.address, "255.255.255.0", "10.0.0.1", "10.0.0.1")

    def status(self, name=None):
        if name == "rssi":
            return self._rssi()
        if self._wanted is None:
            return self._network.STAT_IDLE
        waited_ms = time.ticks_diff(self._air.ticks_ms(), self._wanted[3])
        if self._was_up:
            return self._still_up()
        if waited_ms < self._air.join_ms:
            return self._network.STAT_CONNECTING
        if self._point is None or not self._point.on:
            return self._network.STAT_NO_AP_FOUND
        if self._point.key != self._wanted[1]:
            return self._network.STAT_WRONG_PASSWORD
        return self._address_status(waited_ms)

    def _address_status(self, waited_ms):
        dhcp_ms = 0 if self._static else self._air.dhcp_ms
        if waited_ms >= self._air.join_ms + dhcp_ms and (self._point.dhcp or self._static):
            self._was_up = True
            return self._network.STAT_GOT_IP
        return self._network.STAT_CONNECTING if self._network.port == "esp32" else _CYW43_NO_IP

    def _still_up(self):
        if self._point.on:
            return self._network.STAT_GOT_IP
        return 200 if self._network.port == "esp32" else self._network.STAT_IDLE

    def _rssi(self):
        waited_ms = time.ticks_diff(self._air.ticks_ms(), self._wanted[3]) if self._wanted else 0
        if not self._point or not self._point.on or waited_ms < self._air.join_ms:
            raise OSError("Wifi Not Connected")
        return self._point.rssi
