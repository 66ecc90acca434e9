"""The link over our own MQTT client: sessions, QoS 1, will, TLS, nothing blocks but name look-up."""

from .link import Link


class MqttLink(Link):
    """Publishes frames on hedge/<device>/up, takes acks from hedge/<device>/ack (both QoS 1).

    tls: a `tls.SSLContext` (see tls_context.client_context) or None.
    info: bytes for the retained hedge/<device>/info, published after each connect.
    """

    def __init__(
        self,
        host,
        port,
        device,
        user=None,
        password=None,
        tls=None,
        keepalive_s=60,
        info=b"",
        server_hostname=None,
        timeout_ms=10000,
    ):
        pass
