"""The MQTT topics of one device; the gateway subscribes to hedge/+/<last part>."""


def topic(device, part):
    """part: "up" (frames), "ack", "status" (retained online/offline), "info" (retained CBOR)."""
    return "hedge/%s/%s" % (device, part)


ONLINE = b"online"
OFFLINE = b"offline"
