"""What the set-up page saved, laid over the plan of the node file.

The file lies beside the log: a deploy does not take it away, the page replaces it as a whole.
"""

from ..store.kv import KV

KEYS = ("ssid", "key", "name", "host")


def path_of(state_path):
    return state_path.replace("node.kv", "setup.kv")


def save(path, values):
    """values: dict of KEYS. All or nothing. Raises StoreError."""
    kv = KV(path)
    for key in KEYS:
        kv.set(key, values[key])
    kv.save()


def overlay(plan, path):
    """Change plan: name, gateway, and the network tried first. Without a file nothing changes."""
    kv = KV(path)
    ssid = kv.get("ssid")
    if ssid is None:
        return
    wifi = plan["wifi"]
    others = [row for row in wifi["networks"] if row[0] != ssid]
    wifi["networks"] = [[ssid, kv.get("key") or None]] + others
    plan["node"]["name"] = kv.get("name") or plan["node"]["name"]
    for link in (plan["uplink"] or {}).get("links") or [plan["uplink"] or {}]:
        if link.get("host") and kv.get("host"):
            link["host"] = kv.get("host")
