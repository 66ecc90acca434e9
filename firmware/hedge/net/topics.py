"""The MQTT topics of one device, and what a topic is.

The gateway subscribes to hedge/+/<last part>.
"""


def topic(device, part):
    """part: "up" (frames), "ack", "status" (retained online/offline), "info" (retained CBOR)."""
    return "hedge/%s/%s" % (device, part)


ONLINE = b"online"
OFFLINE = b"offline"


def check_name(name):
    """ValueError for what is no name of a topic, MQTT 4.7."""
    if not name or "+" in name or "#" in name or "\0" in name:
        raise ValueError("mqtt: topic name %r" % name)


def check_filter(name):
    """ValueError for what is no topic filter, 4.7.1: a wildcard is a level, # the last one."""
    levels = name.split("/")
    for level in levels:
        if len(level) > 1 and ("+" in level or "#" in level):
            raise ValueError("mqtt: topic filter %r" % name)
    if not name or "\0" in name or "#" in levels[:-1]:
        raise ValueError("mqtt: topic filter %r" % name)
