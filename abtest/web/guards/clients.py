"""Where a request comes from, as far as that can be believed."""

from socket import AF_INET, AF_INET6, inet_pton
from wsgiref.types import WSGIEnvironment

_MAPPED = bytes(10) + b"\xff\xff"
_LOOPBACK_6 = bytes(15) + b"\x01"
_LOOPBACK_4 = 127

UNKNOWN = b""
"""What an address that is none belongs to."""


def client_of(environ: WSGIEnvironment, trusted_proxies: int) -> str:
    """Return the address of whoever speaks to the outermost trusted proxy.

    X-Forwarded-For is a list to which every proxy adds the one it was called by, so
    the entry that our own outermost proxy added stands that many places from the
    right; what stands before it the sender may have made up.
    """
    if trusted_proxies:
        header = environ.get("HTTP_X_FORWARDED_FOR", "")
        told = header.split(",")
        if header and len(told) >= trusted_proxies:
            return str(told[-trusted_proxies]).strip()
    return str(environ.get("REMOTE_ADDR", ""))


def prefix_of(address: str) -> bytes:
    """Return the network of the address: /24 of IPv4, /56 of IPv6."""
    packed = _packed(address)
    return packed[:3] if len(packed) == 4 else packed[:7]


def is_local(address: str) -> bool:
    """Tell whether the address is this machine's own; a Unix socket tells none."""
    if not address:
        return True
    packed = _packed(address)
    return packed == _LOOPBACK_6 or (len(packed) == 4 and packed[0] == _LOOPBACK_4)


def _packed(address: str) -> bytes:
    """Return 4 or 16 bytes, and 4 for an IPv4 address in IPv6's clothes."""
    try:
        if ":" not in address:
            return inet_pton(AF_INET, address)
        packed = inet_pton(AF_INET6, address)
    except (OSError, ValueError):
        bare = _without_port(address)
        return UNKNOWN if bare == address else _packed(bare)
    return packed[12:] if packed.startswith(_MAPPED) else packed


def _without_port(address: str) -> str:
    """Take off the port or zone that some proxies write behind an address."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    if address.count(":") == 1:
        return address.partition(":")[0]
    return address.partition("%")[0]
