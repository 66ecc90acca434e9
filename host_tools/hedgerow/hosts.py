"""Names and addresses of computers."""

import ipaddress


def is_local(host: str) -> bool:
    """Does it name the computer itself, so that no other one reaches it?"""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
