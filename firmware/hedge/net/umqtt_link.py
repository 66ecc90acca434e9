"""The link over any module with umqtt.simple's interface; its connect blocks."""

from .link import Link


class UmqttLink(Link):
    """client_module: has MQTTClient with the interface of micropython-lib's umqtt.simple."""

    def __init__(
        self,
        client_module,
        host,
        port,
        device,
        user=None,
        password=None,
        keepalive_s=60,
        info=b"",
        qos=0,
        poll_ms=50,
    ):
        pass
