"""umqtt.simple's interface on our own codec: `from hedge.net.umqtt import MQTTClient`."""


class MQTTException(Exception):
    """The broker refused; args[0] is the CONNACK return code or the SUBACK failure code."""
