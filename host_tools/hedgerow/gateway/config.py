"""Settings of one gateway, and the small files they name."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hedge.wire.frame import is_device_name
from hedgerow.errors import ConfigError, UsageError
from hedgerow.hosts import is_local

KeyOf = Callable[[str], bytes | None]

DEFAULT_DB = Path("hedgerow-data/gateway.db")


@dataclass(frozen=True)
class GatewayConfig:
    """Plain data; port 0 lets the OS choose.

    broker: "auto" (mosquitto if installed, else python), "mosquitto", "python", or the URL
    of a broker that runs already: mqtt[s]://user:password@host:port.
    user, password: the one account of the broker; None lets everyone in (bind to loopback).
    ca: with an mqtts:// URL: its authority, PEM; None: those that the system trusts.
    keys: frame MAC keys by device id, "*" for all others; empty: frames need no MAC.
    note: one line shown on the page, e.g. "simulated field, weather: Seattle 2012-2015".
    coap_port: None: no CoAP. coap_keys: OSCORE secrets by device id; with them nothing else is
    taken over CoAP.
    home_assistant: describe the nodes to Home Assistant, by MQTT discovery at the same broker.
    sparkplug: (group, edge node) of Sparkplug B, None: not spoken.
    give_time: acks carry the gateway's clock; False where the nodes live in simulated time.
    """

    db: Path | str = DEFAULT_DB
    http_host: str = "127.0.0.1"
    http_port: int = 8080
    mqtt_host: str = "127.0.0.1"
    mqtt_port: int = 1883
    broker: str = "auto"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca: Path | None = None
    keys: dict[str, bytes] = field(default_factory=dict, repr=False)
    note: str = ""
    give_time: bool = True
    coap_host: str = "127.0.0.1"
    coap_port: int | None = None
    coap_keys: dict[str, bytes] = field(default_factory=dict, repr=False)
    home_assistant: bool = False
    sparkplug: tuple[str, str] | None = None

    @property
    def db_path(self) -> Path:
        return Path(self.db).expanduser().resolve()

    @property
    def broker_dir(self) -> Path:
        """Where a spawned broker keeps its config, sessions and pid."""
        return self.db_path.with_name(self.db_path.name + ".broker")

    @property
    def coap_dir(self) -> Path:
        """OSCORE counters of each node."""
        return self.db_path.with_name(self.db_path.name + ".oscore")

    def open_ways(self) -> list[str]:
        """Ways in by which anyone in the network may send records: mqtt, http, coap."""
        if self.keys:
            return []
        known = self.user is not None
        ways = {
            "mqtt": not known and "://" not in self.broker and not is_local(self.mqtt_host),
            "http": not known and not is_local(self.http_host),
            "coap": self.coap_port is not None
            and not self.coap_keys
            and not is_local(self.coap_host),
        }
        return [way for way, is_open in ways.items() if is_open]

    def key_of(self) -> KeyOf | None:
        """Lookup of a device's MAC key, or None when frames need none."""
        if not self.keys:
            return None
        return lambda device: self.keys.get(device, self.keys.get("*"))


def read_password(path: Path) -> str:
    """First line of a file, so that no password stands in `ps` or the shell history."""
    try:
        first = path.read_text(encoding="utf-8").splitlines()[:1]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"password file {path}: {error}") from error
    if not first or not first[0].strip():
        raise ConfigError(f"password file {path}: the first line is empty; put the password there")
    return first[0].strip()


def read_account(user: str | None, password_file: Path | None) -> tuple[str | None, str | None]:
    """(user, password) of --user and --password-file. UsageError if only one is given."""
    if (user is None) != (password_file is None):
        raise UsageError("--user and --password-file belong together: give both or none")
    return user, read_password(password_file) if password_file else None


def read_keys(path: Path) -> dict[str, bytes]:
    """Lines of `device hexkey` ("*": all others; # comments). ConfigError names the line.

    A file without a key is an error: it would let in everyone.
    """
    keys: dict[str, bytes] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"key file {path}: {error}") from error
    for number, line in enumerate(lines, start=1):
        words = line.split("#", 1)[0].split()
        if words:
            device, key = _key_of_line(words, f"{path}:{number}")
            if device in keys:
                raise ConfigError(f"{path}:{number}: {device} stands twice; one key for each")
            keys[device] = key
    if not keys:
        raise ConfigError(f"key file {path}: no key in it; expected lines `device hexkey`")
    return keys


def _key_of_line(words: list[str], where: str) -> tuple[str, bytes]:
    if len(words) != 2:
        raise ConfigError(f"{where}: expected `device hexkey`, found {len(words)} words")
    device, key_hex = words
    if device != "*" and not is_device_name(device):
        raise ConfigError(f"{where}: device {device!r}; expected 1 to 24 of a-z 0-9 -, or *")
    try:
        key = bytes.fromhex(key_hex)
    except ValueError as error:
        raise ConfigError(f"{where}: the key of {device} is not hex digits in pairs") from error
    if not 16 <= len(key) <= 64:
        raise ConfigError(f"{where}: the key has {len(key)} bytes; use 16 to 64")
    return device, key
