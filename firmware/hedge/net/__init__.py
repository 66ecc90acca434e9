"""Links to the world and the loop that drains the store over them.

From `make_link` (one link of the compiled node file) and `Uplink` (store -> link, acknowledged end
to end). Nothing is imported before it is asked for: a board that speaks only MQTT pays for MQTT.
"""


def __getattr__(name):
    if name == "Uplink":
        from .uplink import Uplink

        return Uplink
    if name == "make_link":
        from .link import make_link

        return make_link
    raise AttributeError(name)
