"""The kinds of [uplink] and the keys that each takes; firmware/hedge/net/<kind>_link.py reads them.

The first kind is the default.
"""

# ruff: noqa: E501  a row per key reads best as one line

from collections.abc import Mapping
from typing import Any

from hedgerow.config.keys import REQUIRED, Key

FAILOVER = "failover"  # kind of a plan's uplink that is several links

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

_RADIO = (
    Key(
        "radio",
        "text",
        "the chip, here or in [radio]",
        None,
        choices=("sx1276", "sx1277", "sx1278", "sx1279", "sx1261", "sx1262"),
    ),
    Key("spi", "text", 'its bus, e.g. "spi0"', None),
    Key("cs", "pin", "chip select", None),
    Key("reset", "pin", "reset line"),
    Key("dio0", "pin", "sx127x: DIO0"),
    Key("dio1", "pin", "DIO1"),
    Key("busy", "pin", "sx126x: BUSY"),
    Key("tcxo_mv", "int", "sx126x whose DIO3 feeds a TCXO: its voltage", None, 1600, 3300),
)

_LORAWAN = (
    Key(
        "region",
        "text",
        "channels and limits of the place",
        "EU868",
        choices=("EU868", "US915", "AU915", "AS923", "IN865"),
    ),
    Key("dev_eui", "eui", "of this device, for OTAA"),
    Key("join_eui", "eui", "of the join server, for OTAA; default: zeros, which most take"),
    Key("app_key", "aes", "for OTAA"),
    Key("dev_addr", "addr", "for activation by personalisation"),
    Key("nwk_s_key", "aes", "with dev_addr"),
    Key("app_s_key", "aes", "with dev_addr"),
    Key("class", "text", "C listens all the time", "A", choices=("A", "C")),
    Key("adr", "bool", "the network sets data rate and power", True),
    Key("rate", "int", "data rate to begin with; default: the one of the join", None, 0, 6),
    Key(
        "sub_band",
        "int",
        "US915 and AU915: the eight channels of the gateway, 1 to 8; 0 = all",
        0,
        0,
        8,
    ),
    *_RADIO,
    Key("antenna_db", "int", "gain of the antenna; what the region allows is with it", 2, 0, 20),
    Key(
        "early_ms",
        "int",
        "receive windows open this much early: longer than the control loop ever takes",
        20,
        5,
        100,
    ),
)

_CELLULAR = (
    Key("uart", "text", "the UART that the modem hangs on", REQUIRED),
    Key("model", "text", "its family", "sim7080", choices=("sim7080", "sim800")),
    Key("apn", "text", "access point name, from the operator", REQUIRED),
    Key("apn_user", "text", "where the operator has one"),
    Key("apn_password", "text", "the same"),
    Key("sim_pin", "text", "where the SIM is locked; tried once"),
    Key("power_key", "pin", "the modem's PWRKEY, pressed while high"),
    Key("register_s", "int", "longest wait for the network", 120, 1, 3600),
    Key("ppp", "bool", "TCP on the board, over PPP; ESP32 only. Needed for tls", False),
    Key("carries", "text", "what runs over it", "mqtt", choices=("mqtt", "http")),
    Key("host", "text", "name or address of the broker, or of the gateway for http", REQUIRED),
    Key("port", "int", "default as of what it carries", None, 1, 65535),
    Key("user", "text", "MQTT user"),
    Key("password", "text", "MQTT password"),
    Key("tls", "bool", "encrypt and check the certificate, over PPP", False),
    Key("ca", "text", "file with the certificate of the authority, PEM or DER"),
    Key("server_hostname", "text", "name in the certificate, if it is not host"),
    Key("keepalive_s", "int", "a silent link is found dead after 1.5 times this", 300, 5, 65535),
    Key("baud", "int", "speed of the UART", 115200, 1200, 921600),
)

RADIO_KEYS = _RADIO

UPLINK_FILES = ("ca", "cert", "cert_key")  # keys of any kind that name a file beside the node file

UPLINK_KINDS: dict[str, tuple[Key, ...]] = {
    "mqtt": (
        *_BROKER,
        Key("cert", "text", "file with the node's own certificate, where the broker asks for one"),
        Key("cert_key", "text", "file with its private key, not encrypted"),
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
    "lorawan": _LORAWAN,
    "http": (
        Key("host", "text", "name or address of the gateway", REQUIRED),
        Key("port", "int", "default 80, with TLS 443; the gateway's own is 8080", None, 1, 65535),
        Key("user", "text", "the account of the gateway's broker, where it has one and no keys"),
        Key("password", "text", "its password"),
        Key("path", "text", "where the gateway's API begins, behind a proxy", "/api"),
        Key("tls", "bool", "HTTPS: encrypt and check the certificate; needs a proxy", False),
        Key("ca", "text", "file with the certificate of the authority, PEM or DER"),
        Key("server_hostname", "text", "name in the certificate, if it is not host"),
        Key("cert", "text", "file with the node's own certificate, where the proxy asks for one"),
        Key("cert_key", "text", "file with its private key, not encrypted"),
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
    "cellular": _CELLULAR,
    "espnow": (
        Key("channel", "int", "of the relay's Wi-Fi access point", REQUIRED, 1, 13),
        Key("keepalive_s", "int", "silent for 1.5 times this, a node is offline", 60, 5, 65535),
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


def links_of(uplink: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    """The links of a plan's uplink: one, or those that stand in for each other."""
    if uplink is None:
        return []
    return uplink["links"] if uplink["kind"] == FAILOVER else [uplink]
