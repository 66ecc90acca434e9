"""The kinds of [uplink] and the keys that each takes; firmware/hedge/net/<kind>_link.py reads them.

The first kind is the default.
"""

# ruff: noqa: E501  a row per key reads best as one line

from hedgerow.config.keys import REQUIRED, Key

_BROKER = (
    Key("host", "text", "name or address of the broker", REQUIRED),
    Key("port", "int", "default 1883, with TLS 8883", None, 1, 65535),
    Key("user", "text", "MQTT user"),
    Key("password", "text", "MQTT password"),
    Key("tls", "bool", "encrypt and check the broker's certificate", False),
    Key("ca", "text", "file with the certificate of the authority, PEM or DER"),
    Key("server_hostname", "text", "name in the broker's certificate, if it is not host"),
    Key("keepalive_s", "int", "a silent link is found dead after 1.5 times this", 60, 5, 65535),
)

UPLINK_KINDS: dict[str, tuple[Key, ...]] = {
    "mqtt": (
        *_BROKER,
        Key("version", "int", "of MQTT: 4 is 3.1.1, or 5", 4, 4, 5),
    ),
    "coap": (
        Key("host", "text", "name or address of the gateway", REQUIRED),
        Key("port", "int", "default 5683, with TLS 5684", None, 1, 65535),
        Key("oscore_secret", "key", "encrypts end to end; as in the gateway's --coap-keys"),
        Key("tls", "bool", "DTLS: encrypt and check the gateway's certificate", False),
        Key("ca", "text", "file with the certificate of the authority, PEM or DER"),
        Key("server_hostname", "text", "name in the gateway's certificate, if it is not host"),
    ),
    "serial": (
        Key(
            "uart", "text", "a UART of the board; without it the line of its console, USB or UART"
        ),
        Key("baud", "int", "speed of that UART", 115200, 1200, 921600),
        Key(
            "keepalive_s",
            "int",
            "a board silent for 1.5 times this is called offline",
            60,
            5,
            65535,
        ),
    ),
    "umqtt": (
        *_BROKER,
        Key(
            "client",
            "text",
            "the board's own umqtt.simple, or ours",
            "simple",
            choices=("simple", "hedge"),
        ),
    ),
}
