"""As much of `network` as an ESP-NOW radio needs: a WLAN with a MAC and a channel."""

from aioespnow import own_mac


class WLAN:
    IF_STA = 0

    def __init__(self, interface):
        self._settings = {"mac": own_mac()}

    def active(self, on=None):
        return True

    def disconnect(self):
        pass

    def config(self, name=None, **settings):
        self._settings.update(settings)
        return self._settings.get(name)
