"""OSCORE contexts of the nodes, for aiocoap: one folder each, which keeps counters over restarts.

    with key_store(folder, {"bed-3": secret}) as credentials: ...

The ids are those of firmware/hedge/net/coap/oscore/identity.py. A folder that is lost means that
numbers would be used twice: give the node a new secret then.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hedge.net.coap.oscore.identity import GATEWAY_ID, device_id
from hedgerow.errors import ConfigError, GatewayError


@contextlib.contextmanager
def key_store(folder: Path, secrets: dict[str, bytes]) -> Iterator[Any]:
    """aiocoap's CredentialsMap with a context for each device, closed and saved at the end.

    Raises ConfigError for devices that cannot be told apart, GatewayError when the extra is
    missing or another gateway uses the folder.
    """
    try:
        from aiocoap import credentials, oscore
    except ImportError as error:
        raise GatewayError(
            f"OSCORE needs packages that are missing ({error}): pip install 'hedgerow[oscore]'"
        ) from error
    _check_names(secrets)
    store = credentials.CredentialsMap()
    try:
        for device, secret in secrets.items():
            context = _context(oscore, folder / device, device, secret)
            context.authenticated_claims = [device]
            store[f":{device}"] = context
        yield store
    finally:
        for context in store.values():
            context._destroy()  # saves and unlocks; else it would only when collected
        store.clear()


def _check_names(secrets: dict[str, bytes]) -> None:
    ids: dict[bytes, str] = {}
    for device in secrets:
        if device == "*":
            raise ConfigError("CoAP keys: each node needs a key of its own, `*` is not possible")
        other = ids.setdefault(device_id(device), device)
        if other != device:
            raise ConfigError(f"CoAP keys: {device} and {other} have the same id; rename one")


def _context(oscore: Any, folder: Path, device: str, secret: bytes) -> Any:
    settings = {
        "algorithm": "AES-CCM-16-64-128",
        "kdf-hashfun": "sha256",
        "secret_hex": secret.hex(),
        "sender-id_hex": GATEWAY_ID.hex(),
        "recipient-id_hex": device_id(device).hex(),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _replace_secret(folder, settings)
        return oscore.FilesystemSecurityContext(str(folder))
    except Exception as error:  # filelock's own time-out too, whose package may be missing
        raise GatewayError(
            f"OSCORE state of {device} in {folder}: {error or type(error).__name__}; does another "
            f"gateway use it?"
        ) from error


def _replace_secret(folder: Path, settings: dict[str, str]) -> None:
    """Write secret.json; with a new secret the counters of the old one are worth nothing."""
    path = folder / "secret.json"
    text = json.dumps(settings, indent=1)
    if path.exists() and path.read_text() == text:
        return
    (folder / "sequence.json").unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
